//! Commands that are docker clients: killing those leaves the container running.
//!
//! `docker run` is given a `--cidfile`, so that whoever holds the process knows the container; `docker compose up` is
//! ended by the same client with the same files. `podman` and `nerdctl` speak the same language.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::Command;
use crate::shell::{self, words};

/// Programs that understand `run`, `stop -t` and `kill`.
const CLIENTS: [&str; 3] = ["docker", "podman", "nerdctl"];
/// Programs that are compose alone.
const COMPOSES: [&str; 2] = ["docker-compose", "podman-compose"];
/// Options before the subcommand that take no value; all others do.
const CLIENT_FLAGS: [&str; 12] = [
    "-D",
    "--debug",
    "--tls",
    "--tlsverify",
    "-r",
    "--remote",
    "--noout",
    "--syslog",
    "--trace",
    "--transient-store",
    "--debug-full",
    "--insecure-registry",
];
const COMPOSE_FLAGS: [&str; 4] = ["--compatibility", "--dry-run", "--all-resources", "--verbose"];
/// Options of `run` that take no value; of the short ones their letters.
const RUN_FLAGS: [&str; 19] = [
    "--detach",
    "--disable-content-trust",
    "--help",
    "--init",
    "--interactive",
    "--no-healthcheck",
    "--no-hosts",
    "--no-hostname",
    "--oom-kill-disable",
    "--privileged",
    "--publish-all",
    "--quiet",
    "--read-only",
    "--replace",
    "--rm",
    "--rmi",
    "--sig-proxy",
    "--tty",
    "--http-proxy",
];
const RUN_LETTERS: &str = "ditPq";
/// Options of `compose up` that take a value; all others take none.
const UP_VALUES: [&str; 8] =
    ["--attach", "--exit-code-from", "--no-attach", "--pull", "--scale", "--timeout", "--wait-timeout", "-t"];
/// Stands in commands for the container's id.
const CID: &str = "{cid}";

/// A command that starts containers, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerCommand {
    command: Command,
    words: Vec<Arg>,
    kind: Kind,
    detached: bool,
}

/// How a container is ended, program first. `{cid}` stands for what the cidfile holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEnd {
    /// Where the client writes the container's id; `None` for compose, which needs none.
    pub cidfile: Option<PathBuf>,
    /// In order, with the time that the container has for it.
    pub stop: Vec<String>,
    /// Now.
    pub kill: Vec<String>,
}

/// What the options of a client say about the engine that it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineOptions<'c> {
    /// Its name, without folders: `docker`, `podman`, `nerdctl`.
    pub client: &'c str,
    /// `-H`, `--host`: `unix:///var/run/docker.sock`.
    pub host: Option<&'c str>,
    /// `-c`, `--context`.
    pub context: Option<&'c str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Run {
        /// Of the word `run`; what stands before it is the client and its options.
        run: usize,
        /// A `--cidfile` of its own.
        cidfile: Option<Arg>,
    },
    Compose {
        /// Of the word `up`.
        up: usize,
        /// The services that it names.
        services: Vec<Arg>,
    },
}

/// A word of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Arg {
    /// As a shell would be given it.
    raw: String,
    /// What it is, if no shell has a say in it.
    value: Option<String>,
    /// Where the word ends in a shell text.
    end: usize,
}

impl Arg {
    fn value(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }
}

/// Recognizes `docker run …`, `docker compose up …`, `docker-compose up …` (or podman's, or nerdctl's), as one simple
/// command or as a list, with the client's own options before.
#[must_use]
pub fn container(command: &Command) -> Option<ContainerCommand> {
    let words = args(command)?;
    let program = words.first()?.value().rsplit('/').next().unwrap_or_default().to_owned();
    let recognized = if CLIENTS.contains(&program.as_str()) {
        client(&words)
    } else if COMPOSES.contains(&program.as_str()) {
        compose(&words, 1)
    } else {
        None
    };
    let (kind, detached) = recognized?;
    Some(ContainerCommand { command: command.clone(), words, kind, detached })
}

fn args(command: &Command) -> Option<Vec<Arg>> {
    match command {
        Command::Exec(argv) => {
            let arg = |word: &String| Arg { raw: words::quote(word), value: Some(word.clone()), end: 0 };
            Some(argv.iter().map(arg).collect())
        }
        Command::Shell(text) => {
            let simple = shell::simple(text)?;
            let arg = |word: words::Word| Arg {
                raw: text[word.range.clone()].to_owned(),
                value: word.literal,
                end: word.range.end,
            };
            let mut args: Vec<Arg> = simple.words.into_iter().map(arg).collect();
            if args.first().is_some_and(|arg| arg.value() == "exec") {
                args.remove(0);
            }
            Some(args)
        }
    }
}

/// The first word from `at` on that is no option.
fn subcommand(words: &[Arg], mut at: usize, flags: &[&str]) -> Option<usize> {
    loop {
        let word = words.get(at)?.value();
        if !word.starts_with('-') {
            return (!word.is_empty()).then_some(at);
        }
        let takes_value = !word.contains('=') && !flags.contains(&word);
        at += if takes_value { 2 } else { 1 };
    }
}

fn client(words: &[Arg]) -> Option<(Kind, bool)> {
    let mut at = subcommand(words, 1, &CLIENT_FLAGS)?;
    if words[at].value() == "compose" {
        return compose(words, at + 1);
    }
    if words[at].value() == "container" {
        at += 1;
    }
    if words.get(at)?.value() != "run" {
        return None;
    }
    let (cidfile, detached) = run_options(&words[at + 1..]);
    Some((Kind::Run { run: at, cidfile }, detached))
}

/// The `--cidfile` among the options of `run`, and whether it is detached.
fn run_options(words: &[Arg]) -> (Option<Arg>, bool) {
    let mut cidfile = None;
    let mut detached = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        // The raw text, since a value may be the shell's to expand: `-e A=$B`.
        let raw = word.value.as_deref().unwrap_or(&word.raw);
        if !raw.starts_with('-') || raw == "--" {
            break;
        }
        let (name, value) = raw.split_once('=').map_or((raw, None), |(name, value)| (name, Some(value)));
        detached |= match name.strip_prefix("--") {
            Some(long) => long == "detach" && value != Some("false"),
            None => flag_letters(name).contains('d'),
        };
        if name == "--cidfile" {
            cidfile = match value {
                Some(value) => Some(Arg {
                    raw: value.to_owned(),
                    value: word.value.as_ref().map(|_| value.to_owned()),
                    end: 0,
                }),
                None => words.next().cloned(),
            };
        } else if value.is_none() && takes_value(name) {
            words.next();
        }
    }
    (cidfile, detached)
}

/// The letters of `-itd` up to the first that takes a value.
fn flag_letters(name: &str) -> &str {
    let letters = name.trim_start_matches('-');
    let end = letters.find(|c: char| !RUN_LETTERS.contains(c)).unwrap_or(letters.len());
    &letters[..end]
}

/// Whether the word after this option of `run` is its value.
fn takes_value(name: &str) -> bool {
    if name.starts_with("--") {
        return !RUN_FLAGS.contains(&name);
    }
    let rest = &name.trim_start_matches('-')[flag_letters(name).len()..];
    // `-p` takes the next word, `-p80:80` has its value.
    rest.chars().count() == 1
}

fn compose(words: &[Arg], at: usize) -> Option<(Kind, bool)> {
    let up = subcommand(words, at, &COMPOSE_FLAGS)?;
    if words[up].value() != "up" {
        return None;
    }
    let mut services = Vec::new();
    let mut detached = false;
    let mut rest = words[up + 1..].iter();
    while let Some(word) = rest.next() {
        let raw = word.value.as_deref().unwrap_or(&word.raw);
        if !raw.starts_with('-') {
            services.push(word.clone());
        } else if UP_VALUES.contains(&raw) {
            rest.next();
        } else {
            detached |= matches!(raw, "-d" | "--detach" | "--wait");
        }
    }
    Some((Kind::Compose { up, services }, detached))
}

impl ContainerCommand {
    /// The client returns at once and leaves the containers behind (`-d`): only right for a `daemon`.
    #[must_use]
    pub fn detached(&self) -> bool {
        self.detached
    }

    /// What its options say about the engine; nothing of what a shell has a say in.
    #[must_use]
    pub fn engine(&self) -> EngineOptions<'_> {
        let end = match self.kind {
            Kind::Run { run, .. } => run,
            Kind::Compose { up, .. } => up,
        };
        let words: Vec<&str> = self.words[..end].iter().map(Arg::value).collect();
        let value_of = |names: [&str; 2]| {
            words.iter().enumerate().find_map(|(at, word)| {
                let of = |name: &&str| match word.strip_prefix(*name)? {
                    "" => words.get(at + 1).copied(),
                    value => value.strip_prefix('='),
                };
                names.iter().find_map(of).filter(|value| !value.is_empty())
            })
        };
        EngineOptions {
            client: words.first().and_then(|word| word.rsplit('/').next()).unwrap_or_default(),
            host: value_of(["--host", "-H"]),
            context: value_of(["--context", "-c"]),
        }
    }

    /// The command to run in place of the original, so that the client writes the container's id to `cidfile` (for
    /// `run` without a `--cidfile` of its own; else unchanged), and how to end what it starts.
    ///
    /// `cwd` is where the command runs, and `timeout` how long the container has to stop, rounded up to seconds. The
    /// commands that end it are to be run in the same folder with the same variables.
    #[must_use]
    pub fn prepare(&self, cidfile: &Path, cwd: &Path, timeout: Duration) -> (Command, ContainerEnd) {
        let seconds = timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0);
        let seconds = seconds.to_string();
        match &self.kind {
            Kind::Run { run, cidfile: own } => {
                let own = own.as_ref().and_then(|arg| arg.value.as_ref()).map(|path| cwd.join(path));
                let command =
                    if own.is_some() { self.command.clone() } else { self.with_cidfile(*run, cidfile) };
                let before = &self.words[..*run];
                let before = match before.last() {
                    Some(word) if word.value() == "container" => &before[..before.len() - 1],
                    _ => before,
                };
                let end = ContainerEnd {
                    cidfile: Some(own.unwrap_or_else(|| cidfile.to_path_buf())),
                    stop: line(before, &["stop", "-t", &seconds, CID], &[]),
                    kill: line(before, &["kill", CID], &[]),
                };
                (command, end)
            }
            Kind::Compose { up, services } => {
                let before = &self.words[..*up];
                let end = ContainerEnd {
                    cidfile: None,
                    stop: line(before, &["stop", "-t", &seconds], services),
                    kill: line(before, &["kill"], services),
                };
                (self.command.clone(), end)
            }
        }
    }

    /// The command with `--cidfile PATH` right after `run`.
    fn with_cidfile(&self, run: usize, cidfile: &Path) -> Command {
        let path = cidfile.to_string_lossy();
        match &self.command {
            Command::Exec(argv) => {
                let mut argv = argv.clone();
                argv.splice(run + 1..=run, ["--cidfile".to_owned(), path.into_owned()]);
                Command::Exec(argv)
            }
            Command::Shell(text) => {
                let (before, after) = text.split_at(self.words[run].end);
                Command::Shell(format!("{before} --cidfile {}{after}", words::quote(&path)))
            }
        }
    }
}

/// A command line of our own around words of the original: without a shell if those need none.
fn line(before: &[Arg], own: &[&str], after: &[Arg]) -> Vec<String> {
    let literal = before.iter().chain(after).all(|arg| arg.value.is_some());
    if literal {
        let own = own.iter().map(|word| (*word).to_owned());
        let values = |args: &[Arg]| args.iter().map(|arg| arg.value().to_owned()).collect::<Vec<_>>();
        return values(before).into_iter().chain(own).chain(values(after)).collect();
    }
    let raw = before
        .iter()
        .map(|arg| arg.raw.as_str())
        .chain(own.iter().copied())
        .chain(after.iter().map(|arg| arg.raw.as_str()));
    let script = format!("exec {}", raw.collect::<Vec<_>>().join(" "));
    vec!["/bin/sh".to_owned(), "-c".to_owned(), script]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(command: Command) -> Option<(Command, ContainerEnd)> {
        let found = container(&command)?;
        Some(found.prepare(Path::new("/run/c id"), Path::new("/w"), Duration::from_millis(9_500)))
    }

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_run_tells_its_container() {
        for (text, run, before) in [
            (
                "docker run -p 5432:5432 postgres:15",
                "docker run --cidfile '/run/c id' -p 5432:5432 postgres:15",
                "docker",
            ),
            (
                "A=1 exec /usr/bin/podman --log-level debug container run --rm -it x run",
                "A=1 exec /usr/bin/podman --log-level debug container run --cidfile '/run/c id' --rm -it x run",
                "/usr/bin/podman --log-level debug",
            ),
            (
                "docker --context=far -H tcp://h run x >log 2>&1",
                "docker --context=far -H tcp://h run --cidfile '/run/c id' x >log 2>&1",
                "docker --context=far -H tcp://h",
            ),
        ] {
            let (command, end) = prepared(Command::Shell(text.into())).expect(text);
            assert_eq!(command, Command::Shell(run.into()), "{text}");
            assert_eq!(end.cidfile.as_deref(), Some(Path::new("/run/c id")), "{text}");
            assert_eq!(end.stop, words(&format!("{before} stop -t 10 {{cid}}")), "{text}");
            assert_eq!(end.kill, words(&format!("{before} kill {{cid}}")), "{text}");
        }
    }

    #[test]
    fn a_list_is_understood_as_well() {
        let (command, end) =
            prepared(Command::Exec(words("docker run --rm redis"))).expect("a docker client");
        assert_eq!(
            command,
            Command::Exec(
                ["docker", "run", "--cidfile", "/run/c id", "--rm", "redis"].map(str::to_owned).to_vec()
            )
        );
        assert_eq!(end.stop, words("docker stop -t 10 {cid}"));
    }

    #[test]
    fn a_cidfile_of_its_own_is_used() {
        for text in [
            "docker run --cidfile id x",
            "docker run -it -e A=$B --cidfile=id x --cidfile other",
            "docker run -p80:80 --name a --cidfile ./id x",
        ] {
            let (command, end) = prepared(Command::Shell(text.into())).expect(text);
            assert_eq!(command, Command::Shell(text.into()), "{text}");
            assert_eq!(
                end.cidfile.map(|path| path.components().collect::<PathBuf>()),
                Some("/w/id".into()),
                "{text}"
            );
        }
        let (command, _) =
            prepared(Command::Shell("docker run x --cidfile other".into())).expect("a docker client");
        assert_eq!(command, Command::Shell("docker run --cidfile '/run/c id' x --cidfile other".into()));
    }

    #[test]
    fn compose_is_ended_by_the_same_files() {
        for (text, stop, kill) in [
            ("docker compose up", "docker compose stop -t 10", "docker compose kill"),
            (
                "docker compose -f a.yml --file=b.yml -p n --env-file e --project-directory d up --build -t 3 db web",
                "docker compose -f a.yml --file=b.yml -p n --env-file e --project-directory d stop -t 10 db web",
                "docker compose -f a.yml --file=b.yml -p n --env-file e --project-directory d kill db web",
            ),
            ("docker-compose up db", "docker-compose stop -t 10 db", "docker-compose kill db"),
        ] {
            let (command, end) = prepared(Command::Shell(text.into())).expect(text);
            assert_eq!(command, Command::Shell(text.into()));
            assert_eq!((end.cidfile, end.stop, end.kill), (None, words(stop), words(kill)), "{text}");
        }
    }

    #[test]
    fn what_the_shell_decides_is_left_to_a_shell() {
        let (_, end) =
            prepared(Command::Shell("docker compose -f \"$FILE\" up $S".into())).expect("a docker client");
        assert_eq!(end.stop, ["/bin/sh", "-c", "exec docker compose -f \"$FILE\" stop -t 10 $S"]);
    }

    #[test]
    fn detaching_is_seen() {
        for (text, detached) in [
            ("docker run -d x", true),
            ("docker run -itd x", true),
            ("docker run --detach x", true),
            ("docker run --name d x -d", false),
            ("docker run -e d x", false),
            ("docker compose up -d", true),
            ("docker compose up", false),
        ] {
            let found = container(&Command::Shell(text.into())).expect(text);
            assert_eq!(found.detached(), detached, "{text}");
        }
    }

    #[test]
    fn other_commands_are_none() {
        for text in [
            "docker ps",
            "docker compose ps",
            "docker start -a x",
            "dockerd run",
            "docker run x | tee log",
            "npm run dev",
            "$DOCKER run x",
            "docker",
            "docker --context",
            "docker compose",
            "docker $SUB x",
            "",
        ] {
            assert_eq!(container(&Command::Shell(text.into())), None, "{text}");
        }
    }
}
