//! What a checked `processes.yml` means: every default filled in, every name known to exist.
//!
//! Strings of a [`Process`] may still hold `${…}`: what they stand for depends on who starts the process and on
//! ports that were moved, so [`crate::resolve()`] fills them in at each start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::diagnostics::Diagnostic;

/// A place in the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// Byte offset of the value in the file.
    pub offset: usize,
    /// Length of the value in bytes.
    pub len: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A whole configuration file, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The folder that holds `.forge/`, absolute.
    pub root: PathBuf,
    /// The file that was read.
    pub file: PathBuf,
    /// Its environments, in the file's order.
    pub environments: IndexMap<String, Environment>,
    /// What holds for the workspace.
    pub settings: Settings,
    /// What is odd, but no reason not to start.
    pub warnings: Vec<Diagnostic>,
    /// The text of the file, for messages that point into it.
    pub text: Arc<str>,
}

/// The reserved top-level key `settings`, over the user's own defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Bytes of log kept for each process; the oldest segment goes first.
    pub log_quota: u64,
    /// Bytes of log kept of all processes together. Of the user's settings only: all workspaces share it.
    pub log_quota_total: u64,
    /// Requests and queries in a log that took longer are slow.
    pub slow: Duration,
    pub alerts: Alerts,
    /// The URL of the NATS server that services are announced to.
    pub nats: Option<String>,
    /// What opens a file in the user's editor, for the shell; `{file}` and `{line}` stand in it.
    pub editor: Option<String>,
    pub theme: Theme,
    /// Whether what ran before a reboot is started again; `None`: as the host does, the desktop app yes, `serve` no.
    pub restore: Option<bool>,
    /// Whether anything is measured at all. Of the user's settings only: the supervisor is one for all workspaces.
    pub sampling: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            log_quota: 1 << 30,
            log_quota_total: 10 << 30,
            slow: Duration::from_secs(1),
            alerts: Alerts::default(),
            nats: None,
            editor: None,
            theme: Theme::System,
            restore: None,
            sampling: true,
        }
    }
}

/// From when on a process is worth a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alerts {
    /// Bytes that its memory grows by within the window, and does not give back.
    pub memory_growth: u64,
    pub memory_window: Duration,
    /// Percent of one core, all through the window.
    pub cpu: u32,
    pub cpu_window: Duration,
    /// Percent of the limit of open files.
    pub open_files: u32,
    /// Bytes that its log grows by within an hour.
    pub log_growth: u64,
    /// Percent of all cores together that one process of the machine may take, whoever's it is.
    pub hog_cpu: u32,
    /// The same of the machine's memory.
    pub hog_memory: u32,
    /// How long a process may be unhealthy before that is a notification.
    pub unhealthy: Duration,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            memory_growth: 50_000_000,
            memory_window: Duration::from_secs(600),
            cpu: 90,
            cpu_window: Duration::from_secs(60),
            open_files: 80,
            log_growth: 1 << 30,
            hog_cpu: 50,
            hog_memory: 40,
            unhealthy: Duration::from_secs(30),
        }
    }
}

/// The colours of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    System,
    Light,
    Dark,
}

/// One environment, `extends` already merged in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Environment {
    pub name: String,
    pub description: Option<String>,
    /// In the file's order.
    pub processes: Vec<Process>,
}

impl Environment {
    /// The process of this name.
    #[must_use]
    pub fn process(&self, name: &str) -> Option<&Process> {
        self.processes.iter().find(|process| process.name == name)
    }

    /// The names of what starts with the environment: all that is not disabled, and what those depend on.
    #[must_use]
    pub fn starting(&self) -> BTreeSet<&str> {
        let mut starting = BTreeSet::new();
        let mut next: Vec<&Process> = self.processes.iter().filter(|process| !process.disabled).collect();
        while let Some(process) = next.pop() {
            if starting.insert(process.name.as_str()) {
                let new = process.depends_on.keys().filter(|name| !starting.contains(name.as_str()));
                next.extend(new.filter_map(|name| self.process(name)));
            }
        }
        starting
    }
}

/// One process as the file declares it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Process {
    pub name: String,
    pub command: Command,
    /// As written; against the workspace.
    pub cwd: Option<String>,
    /// What it will listen on; the first is the one that `PORT` and URLs mean.
    pub ports: Vec<Port>,
    /// The environment's `env`, then the process's own; `None` removes the variable.
    pub env: IndexMap<String, Option<String>>,
    /// Those of `env` that the environment sets, not the process.
    pub environment_env: BTreeSet<String>,
    /// The environment's files, then the process's own, as written; the later wins.
    pub env_files: Vec<String>,
    pub depends_on: IndexMap<String, Condition>,
    pub health_check: Option<HealthCheck>,
    pub auto_restart: RestartPolicy,
    pub daemon: bool,
    pub one_shot: bool,
    pub shutdown: Shutdown,
    pub tty: bool,
    /// Globs, against `cwd`.
    pub watch: Vec<String>,
    pub requires: Vec<Requirement>,
    pub debug: Option<Debug>,
    /// Extra gauges, kept as written for the parts that read them.
    pub metrics: BTreeMap<String, serde_json::Value>,
    pub events: Vec<EventRule>,
    pub groups: Vec<String>,
    /// Not started with the environment, unless something that is depends on it.
    pub disabled: bool,
    pub open: Option<String>,
    /// Where in the file each value of this process stands: `port`, `ports.0`, `env.KEY`, `health_check.http`,
    /// `watch.0`; `""` is the process itself.
    #[serde(skip)]
    pub places: BTreeMap<String, Place>,
}

/// A port as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Port {
    /// From 1.
    Number(u16),
    /// Holds `${…}`: what number it becomes is known at the start.
    Text(String),
}

impl Port {
    /// The number, if the file itself has it.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        match self {
            Self::Number(port) => Some(*port),
            Self::Text(_) => None,
        }
    }

    /// A number from 1 to 65535 in decimal digits.
    pub(crate) fn parse(text: &str) -> Option<u16> {
        text.parse().ok().filter(|&port| port > 0)
    }
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Command {
    /// For the system's shell.
    Shell(String),
    /// Program and arguments, no shell.
    Exec(Vec<String>),
}

/// What must hold of a dependency before its dependent starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    Started,
    Ready,
    /// Ran to its end with exit 0.
    Completed,
}

impl Condition {
    /// As the file has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Ready => "ready",
            Self::Completed => "completed",
        }
    }
}

/// How to learn that a process is well, and how often to ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthCheck {
    pub probe: Probe,
    /// Between two checks once it was healthy.
    pub interval: Duration,
    pub timeout: Duration,
    /// Failures in a row until it counts as unhealthy.
    pub retries: u32,
    /// After the start, failures do not count for this long.
    pub start_period: Duration,
    /// Between two checks until it is first healthy.
    pub start_interval: Duration,
}

/// The question that a health check asks. Strings may hold `${…}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    Http {
        url: String,
        /// Accepted status codes; empty: 200–399.
        status: Vec<u16>,
        headers: IndexMap<String, String>,
    },
    /// `host:port`.
    Tcp(String),
    /// A command that exits 0.
    Exec(Command),
    /// A regular expression that must appear in this run's output.
    Log(String),
    /// A URL of the scheme: `redis://host:port`, with user and password if it needs them.
    Redis(String),
    Postgres(String),
    Mysql(String),
    Nats(String),
    Amqp(String),
    Memcached(String),
    /// `grpc://host:port/service`: the standard health service.
    Grpc(String),
}

/// When an ended process is started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartPolicy {
    pub on: RestartOn,
    /// Before the first restart; grows with each crash inside the window.
    pub delay: Duration,
    /// This crash inside `within` is not restarted.
    pub max_crashes: u32,
    pub within: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartOn {
    Never,
    Crash,
    Always,
}

/// How a process is asked to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shutdown {
    /// A name as in `kill -l`, with `SIG`.
    pub signal: String,
    /// Until SIGKILL, the command's time included.
    pub timeout: Duration,
    /// Run first, in the process's own environment.
    pub command: Option<Command>,
}

/// A binary that must be there, with the least version if one is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    pub binary: String,
    pub version: Option<String>,
}

/// What debug mode changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Debug {
    pub command: Option<Command>,
    pub env: IndexMap<String, Option<String>>,
}

/// A log line that becomes an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRule {
    /// A regular expression.
    pub pattern: String,
    pub title: String,
    pub level: EventLevel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventLevel {
    Info,
    Warn,
    Error,
}
