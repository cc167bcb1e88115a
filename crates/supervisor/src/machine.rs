//! Whether this machine has what a process needs: its folder, binaries, versions, ports. `forge check` shows all of it,
//! a start only what is missing.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use forge_api::{PortHolder, Time};
use forge_config::ResolvedProcess;
use forge_config::model::Requirement;
use forge_config::resolve::masked;
use forge_system::binaries::{self, Missing, Version};
use forge_system::ports::{Listening, Protocol};
use forge_system::process::ProcessId;
use serde::Serialize;

use crate::owned::{self, Owned, Service};
use crate::words;

/// How long a program may take to say its version.
const VERSION: Duration = Duration::from_secs(2);

/// Characters of a holder's command that are shown.
const MOST_OF_COMMAND: usize = 120;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `cwd`, `command`, `requires`, `port`.
    pub kind: &'static str,
    pub ok: bool,
    pub text: String,
    pub help: Option<String>,
}

impl Finding {
    fn good(kind: &'static str, text: impl Into<String>) -> Self {
        Self { kind, ok: true, text: text.into(), help: None }
    }

    fn bad(kind: &'static str, text: impl Into<String>, help: Option<String>) -> Self {
        Self { kind, ok: false, text: text.into(), help }
    }
}

/// What is known of who listens.
#[derive(Debug, Default)]
pub struct Held {
    pub listening: Listening,
    /// Ports that processes of Forge listen on now.
    pub own: Vec<(Service, u16)>,
}

/// Everything that one process needs, good or not.
///
/// With `foreign`, a folder whose programs must not be run, those in it are not asked for their version.
#[must_use]
pub fn look(
    service: &Service,
    process: &ResolvedProcess,
    foreign: Option<&Path>,
    held: &Held,
) -> Vec<Finding> {
    let mut findings = programs(process, foreign);
    findings.extend(process.ports.iter().map(|port| self::port(service, *port, held)));
    findings
}

/// Its folder and the programs that it needs; see [`look`].
pub(crate) fn programs(process: &ResolvedProcess, foreign: Option<&Path>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = folder(process).into_iter().collect();
    // Where it would run is not there: what is named from there cannot be looked for, nor asked its version.
    let homeless = !findings.is_empty();
    let path = process
        .env
        .iter()
        .find(|variable| variable.name == "PATH")
        .map(|variable| OsStr::new(&variable.value));
    for program in forge_config::shell::programs(&process.command) {
        if homeless && is_relative(&program) {
            continue;
        }
        findings.push(match binaries::find(&program, path, &process.cwd) {
            Ok(found) => Finding::good("command", format!("`{program}` is {}", found.display())),
            Err(missing) => Finding::bad("command", missing.to_string(), advice(&missing)),
        });
    }
    for requirement in &process.requires {
        if homeless && is_relative(&requirement.binary) {
            continue;
        }
        findings.push(required(requirement, path, process, foreign));
    }
    findings
}

/// A path that leads from the process's folder, and no name to be found on the PATH.
fn is_relative(program: &str) -> bool {
    let path = Path::new(program);
    path.is_relative() && path.components().count() > 1
}

fn folder(process: &ResolvedProcess) -> Option<Finding> {
    let cwd = process.cwd.display();
    if process.cwd.is_dir() {
        return None;
    }
    let what = if process.cwd.exists() { "is not a folder" } else { "does not exist" };
    Some(Finding::bad("cwd", format!("its folder {cwd} {what}"), Some("make it, or change `cwd`".to_owned())))
}

fn advice(missing: &Missing) -> Option<String> {
    match missing {
        // The message asks already whether another one was meant.
        Missing::NotFound { near: Some(_), .. } => None,
        Missing::NotFound { name, .. } => Some(format!("install `{name}`, or put it on your PATH")),
        Missing::NotExecutable { path } => Some(format!("chmod +x {}", path.display())),
        _ => None,
    }
}

fn required(
    requirement: &Requirement,
    path: Option<&OsStr>,
    process: &ResolvedProcess,
    foreign: Option<&Path>,
) -> Finding {
    let name = &requirement.binary;
    let program = match binaries::find(name, path, &process.cwd) {
        Ok(program) => program,
        Err(missing) => return Finding::bad("requires", missing.to_string(), advice(&missing)),
    };
    let Some(wanted) = requirement.version.as_deref() else {
        return Finding::good("requires", format!("`{name}` is {}", program.display()));
    };
    let Ok(least) = wanted.parse::<Version>() else {
        return Finding::bad("requires", format!("`{wanted}` is no version"), None);
    };
    if foreign.is_some_and(|folder| program.starts_with(folder)) {
        // Asking means running, and what the workspace brings is not run by looking at it.
        return Finding::good(
            "requires",
            format!("`{name}` is {}, its version is asked at the start", program.display()),
        );
    }
    let version = binaries::version_with(&program, VERSION, |command| {
        if process.cwd.is_dir() {
            command.current_dir(&process.cwd);
        }
        command.env_clear().envs(process.variables());
    });
    match version {
        Some(version) if version >= least => {
            Finding::good("requires", format!("`{name}` is version {version}"))
        }
        Some(version) => Finding::bad(
            "requires",
            format!("`{name}` is version {version}, {wanted} or later is required"),
            Some(format!("upgrade `{name}`")),
        ),
        None => Finding::bad(
            "requires",
            format!("`{name}` does not say its version, {wanted} or later is required"),
            None,
        ),
    }
}

fn port(service: &Service, port: u16, held: &Held) -> Finding {
    if let Some((holder, _)) = held.own.iter().find(|(_, known)| *known == port) {
        if holder == service {
            return Finding::good("port", format!("port {port} is its own, it runs"));
        }
        let name = holder.seen_from(&service.workspace);
        if holder.workspace == service.workspace {
            return Finding::good("port", format!("port {port} is held by {name}, which runs"));
        }
        let help = format!("stop it with `{}`, or change `port`", holder.stop(&service.workspace));
        return Finding::bad("port", format!("port {port} is in use by {name}"), Some(help));
    }
    let Some(who) = holder(&held.listening, port, &service.workspace, &[]) else {
        return Finding::good("port", format!("port {port} is free"));
    };
    Finding::bad(
        "port",
        format!("port {port} is in use by {who}"),
        Some("stop it, or change `port`".to_owned()),
    )
}

/// Who holds a port.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    /// `None`: another user's, or nobody may know.
    pub id: Option<ProcessId>,
    /// The user's number, where the system says.
    pub uid: Option<u32>,
    /// It is one of Forge's own.
    pub service: Option<Service>,
    text: String,
}

impl Holder {
    /// Its program and arguments; values that are named like secrets are masked.
    pub(crate) fn command(&self) -> Option<String> {
        let words = self.id?.command_line().ok().flatten()?;
        Some(without_secrets(&words).join(" ")).filter(|command| !command.is_empty())
    }

    /// As a client is told of it, and names it in return; `None`: it is nobody that we can see.
    pub(crate) fn told(&self) -> Option<PortHolder> {
        self.id.map(|id| PortHolder { pid: id.pid, started_at: self.started_at() })
    }

    pub(crate) fn started_at(&self) -> Option<Time> {
        let nanos = self.id?.started_at().ok().flatten()?;
        i64::try_from(nanos).ok().map(|nanos| Time(nanos).to_millis())
    }

    /// Whose it is: the account's name, or its number where it has none.
    pub(crate) fn user(&self) -> Option<String> {
        let known = self.id.and_then(|id| id.user().ok().flatten());
        known.and_then(|user| user.name).or_else(|| Some(self.uid?.to_string()))
    }

    /// What a person needs to decide: `node (PID 8432), user me, started 2 h 5 min ago: npm run dev`.
    pub(crate) fn in_full(&self) -> String {
        let mut text = self.to_string();
        if let Some(user) = self.id.and_then(|_| self.user()) {
            text.push_str(&format!(", user {user}"));
        }
        if let Some(started) = self.started_at() {
            let ago = Duration::from_secs_f64(Time::now().seconds_since(started));
            text.push_str(&format!(", started {} ago", words::duration(ago)));
        }
        if let Some(command) = self.command() {
            text.push_str(": ");
            text.extend(command.chars().take(MOST_OF_COMMAND));
        }
        text
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `--token=x`, `--password x`, `API_KEY=x` and passwords in URLs, with `********` in their place.
fn without_secrets(words: &[String]) -> Vec<String> {
    let name_of = |word: &str| word.trim_start_matches('-').to_owned();
    let mut shown: Vec<String> = Vec::with_capacity(words.len());
    for (index, word) in words.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| words.get(before));
        let option = before.filter(|before| before.starts_with("--") && !before.contains('='));
        shown.push(match (word.split_once('='), option) {
            (Some((name, value)), _) => format!("{name}={}", masked(&name_of(name), value)),
            (None, Some(option)) if !word.starts_with('-') => masked(&name_of(option), word).into_owned(),
            (None, _) => masked("", word).into_owned(),
        });
    }
    shown
}

/// Who holds a port, as seen from a workspace; one of `owned` by its name there.
pub(crate) fn holder(listening: &Listening, port: u16, workspace: &Path, owned: &[Owned]) -> Option<Holder> {
    let listener = listening.on(port).find(|listener| listener.protocol == Protocol::Tcp)?;
    let holders = listening.holders(port).unwrap_or_default();
    let process = holders.iter().flat_map(|holder| &holder.processes).next();
    let service = process.and_then(|id| owned::owner(owned, *id)).cloned();
    let text = match (process, listener.uid) {
        (Some(id), _) => {
            let name = id.name().ok().flatten().unwrap_or_else(|| "a process".to_owned());
            match &service {
                Some(service) => format!("{} ({name}, PID {})", service.seen_from(workspace), id.pid),
                None => words::left(&[(id.pid, name)]),
            }
        }
        (None, Some(uid)) => format!("a process of user {uid}"),
        (None, None) => "another process".to_owned(),
    };
    Some(Holder { id: process.copied(), uid: listener.uid, service, text })
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn a_command_is_shown_without_its_secrets() {
        for (command, shown) in [
            ("node server.js --port 3000", "node server.js --port 3000"),
            ("web --api-token=abc --port=1", "web --api-token=******** --port=1"),
            ("web --password hunter2 --verbose", "web --password ******** --verbose"),
            ("env DB_PASSWORD=x run", "env DB_PASSWORD=******** run"),
            ("psql postgres://me:pw@db/app", "psql postgres://me:********@db/app"),
            ("web --token --verbose", "web --token --verbose"),
        ] {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            assert_eq!(without_secrets(&words).join(" "), shown, "{command}");
        }
    }
}
