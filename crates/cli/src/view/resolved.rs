//! A process as it would be started, each value with where it comes from.

use std::path::Path;

use forge_config::model::{Command, HealthCheck, Probe, Process, RestartOn, RestartPolicy};
use forge_config::resolve::secret;
use forge_config::{Origin, ResolvedProcess, Variable, format_duration};
use serde::Serialize;

use crate::view::clean;
use crate::view::style::{Ink, Style, columns, pad};

/// In place of what no face may show.
const MASK: &str = "********";

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
    /// `processes.yml:14`, `.env:3`, `default`, `port`.
    pub(crate) origin: String,
}

/// A process as `forge config` shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Resolved {
    pub(crate) name: String,
    pub(crate) settings: Vec<Setting>,
    /// What the configuration gives.
    pub(crate) env: Vec<Setting>,
    /// Variables of the caller's that go on to it, by name.
    pub(crate) inherited: Vec<String>,
    pub(crate) removed: Vec<String>,
}

impl Resolved {
    /// `declared` is the same process as the file has it, `file` that file, both below `root`.
    pub(crate) fn new(
        process: &ResolvedProcess,
        declared: Option<&Process>,
        file: &Path,
        root: &Path,
    ) -> Self {
        let places = Places { declared, file: relative(file, root) };
        let of_caller = |variable: &&Variable| variable.origin == Origin::Caller;
        Self {
            name: process.name.clone(),
            settings: settings(process, &places, root),
            env: process
                .env
                .iter()
                .filter(|variable| !of_caller(variable))
                .map(|variable| Setting {
                    name: variable.name.clone(),
                    value: shown(&variable.name, &variable.value),
                    origin: origin(variable, &places, root),
                })
                .collect(),
            inherited: process.env.iter().filter(of_caller).map(|variable| variable.name.clone()).collect(),
            removed: process.removed.clone(),
        }
    }
}

/// Where the keys of a process stand.
struct Places<'a> {
    declared: Option<&'a Process>,
    file: String,
}

impl Places<'_> {
    fn of(&self, key: &str) -> Option<String> {
        let place = self.declared?.places.get(key)?;
        Some(format!("{}:{}", self.file, place.line))
    }

    /// The first of the keys that is there.
    fn any(&self, keys: &[&str]) -> String {
        keys.iter().find_map(|key| self.of(key)).unwrap_or_else(|| "default".to_owned())
    }
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

fn shown(name: &str, value: &str) -> String {
    if secret(name) && !value.is_empty() { MASK.to_owned() } else { without_password(value) }
}

/// A URL's password is a secret whatever the variable is called.
pub(crate) fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let authority = rest.find(['/', '?', '#', ' ']).map_or(rest, |end| &rest[..end]);
    let Some((user_info, _)) = authority.rsplit_once('@') else { return text.to_owned() };
    let Some((user, password)) = user_info.split_once(':').filter(|(_, password)| !password.is_empty())
    else {
        return text.to_owned();
    };
    let behind = &rest[user.len() + 1 + password.len()..];
    format!("{scheme}://{user}:{MASK}{behind}")
}

fn origin(variable: &Variable, places: &Places<'_>, root: &Path) -> String {
    let of_file = || places.of(&format!("env.{}", variable.name)).or_else(|| places.of("env"));
    match &variable.origin {
        Origin::Caller => "your environment".to_owned(),
        Origin::DotEnv { file } => relative(file, root),
        Origin::EnvFile { file, line } => format!("{}:{line}", relative(file, root)),
        Origin::Debug => "debug mode".to_owned(),
        Origin::Port => "its port".to_owned(),
        Origin::Environment => of_file().unwrap_or_else(|| "the environment's env".to_owned()),
        Origin::Process => of_file().unwrap_or_else(|| "env".to_owned()),
    }
}

fn settings(process: &ResolvedProcess, places: &Places<'_>, root: &Path) -> Vec<Setting> {
    let mut list = Vec::new();
    let mut add = |name: &str, value: String, keys: &[&str]| {
        list.push(Setting { name: name.to_owned(), value, origin: places.any(keys) });
    };
    add("command", command(&process.command), &["command"]);
    add("cwd", if process.cwd == root { ".".to_owned() } else { relative(&process.cwd, root) }, &["cwd"]);
    if !process.ports.is_empty() {
        add("port", join(&process.ports), &["port", "ports"]);
    }
    if !process.depends_on.is_empty() {
        let all =
            process.depends_on.iter().map(|(name, condition)| format!("{name} ({})", condition.as_str()));
        add("depends_on", all.collect::<Vec<_>>().join(", "), &["depends_on"]);
    }
    if let Some(check) = &process.health_check {
        add("health_check", health(check), &["health_check"]);
    }
    add("auto_restart", restart(&process.auto_restart), &["auto_restart"]);
    let ending =
        format!("{}, {} until SIGKILL", process.shutdown.signal, format_duration(process.shutdown.timeout));
    let first = process
        .shutdown
        .command
        .as_ref()
        .map(|first| format!("{}, then ", command(first)))
        .unwrap_or_default();
    add("shutdown", format!("{first}{ending}"), &["shutdown"]);
    for (name, on) in [
        ("daemon", process.daemon),
        ("one_shot", process.one_shot),
        ("tty", process.tty),
        ("disabled", process.disabled),
    ] {
        if on {
            add(name, "true".to_owned(), &[name]);
        }
    }
    if !process.watch.is_empty() {
        add("watch", process.watch.join(", "), &["watch"]);
    }
    if !process.requires.is_empty() {
        let all = process.requires.iter().map(|one| match &one.version {
            Some(version) => format!("{}>={version}", one.binary),
            None => one.binary.clone(),
        });
        add("requires", all.collect::<Vec<_>>().join(", "), &["requires"]);
    }
    if !process.groups.is_empty() {
        add("group", process.groups.join(", "), &["group"]);
    }
    if let Some(url) = &process.open {
        add("open", url.clone(), &["open"]);
    }
    list
}

fn join(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

fn command(command: &Command) -> String {
    match command {
        Command::Shell(text) => text.clone(),
        Command::Exec(argv) => format!("{argv:?}"),
    }
}

fn health(check: &HealthCheck) -> String {
    let asked = match &check.probe {
        Probe::Http { url, .. } => without_password(url),
        Probe::Tcp(address) => format!("tcp://{address}"),
        Probe::Exec(probe) => command(probe),
        Probe::Log(pattern) => format!("log /{pattern}/"),
        Probe::Redis(url)
        | Probe::Postgres(url)
        | Probe::Mysql(url)
        | Probe::Nats(url)
        | Probe::Amqp(url)
        | Probe::Memcached(url)
        | Probe::Grpc(url) => without_password(url),
    };
    format!(
        "{asked}, every {}, within {}, {} retries",
        format_duration(check.interval),
        format_duration(check.timeout),
        check.retries
    )
}

fn restart(policy: &RestartPolicy) -> String {
    let on = match policy.on {
        RestartOn::Never => return "never".to_owned(),
        RestartOn::Crash => "on a crash",
        RestartOn::Always => "always",
    };
    format!(
        "{on}, after {}, up to {} crashes within {}",
        format_duration(policy.delay),
        policy.max_crashes,
        format_duration(policy.within)
    )
}

/// The lines of one process.
pub(crate) fn page(process: &Resolved, style: Style) -> String {
    let mut text = format!("  {}\n", style.paint(Ink::Bold, &process.name));
    for setting in &process.settings {
        text.push_str(&line(4, setting, 12, style));
    }
    if !process.env.is_empty() {
        text.push_str("    env\n");
        let widest = process.env.iter().map(|variable| columns(&variable.name)).max().unwrap_or(0).min(30);
        for variable in &process.env {
            text.push_str(&line(6, variable, widest, style));
        }
    }
    for name in &process.removed {
        text.push_str(&format!("      {name} is removed\n"));
    }
    let rest = format!("    and {} variables of your environment\n", process.inherited.len());
    text.push_str(&style.paint(Ink::Dim, &rest));
    text
}

/// Name and value, the origin at the right where there is room, else behind.
fn line(indent: usize, setting: &Setting, widest: usize, style: Style) -> String {
    let value = clean::line(&setting.value).replace('\t', " ");
    let left = format!("{}{}  {value}", " ".repeat(indent), pad(&setting.name, widest));
    let width = style.width.min(100);
    let fill = width.saturating_sub(columns(&left) + columns(&setting.origin)).max(2);
    format!("{left}{}{}\n", " ".repeat(fill), style.paint(Ink::Dim, &setting.origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_not_shown() {
        for (text, expected) in [
            ("postgres://me:hunter2@db:5432/shop?x=1", "postgres://me:********@db:5432/shop?x=1"),
            ("postgres://me:p@ss@db/shop", "postgres://me:********@db/shop"),
            ("redis://:hunter2@localhost", "redis://:********@localhost"),
            ("http://localhost:3000/a@b:c", "http://localhost:3000/a@b:c"),
            ("postgres://me@db/shop", "postgres://me@db/shop"),
            ("no url", "no url"),
            ("://", "://"),
        ] {
            assert_eq!(without_password(text), expected, "{text}");
        }
    }

    #[test]
    fn values_stand_with_their_origins() {
        let setting = |name: &str, value: &str, origin: &str| Setting {
            name: name.to_owned(),
            value: value.to_owned(),
            origin: origin.to_owned(),
        };
        let process = Resolved {
            name: "backend".to_owned(),
            settings: vec![
                setting("command", "go run cmd/server/main.go", ".forge/processes.yml:12"),
                setting("cwd", "backend", ".forge/processes.yml:13"),
                setting("shutdown", "SIGTERM, 10s until SIGKILL", "default"),
            ],
            env: vec![
                setting("API_TOKEN", &shown("API_TOKEN", "hunter2"), ".env.local:3"),
                setting("PORT", "8080", "its port"),
                setting("A_LONG_ONE", &"x".repeat(90), ".env:1"),
            ],
            inherited: vec!["PATH".to_owned(), "HOME".to_owned()],
            removed: vec!["NODE_OPTIONS".to_owned()],
        };
        insta::assert_snapshot!(page(&process, Style { color: false, unicode: true, width: 80 }));
    }
}
