//! How things stand: the shapes of `forge status --json`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Gauge, Machine, Time};

/// One environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Status {
    /// Absolute.
    pub workspace: PathBuf,
    pub environment: String,
    /// Every process that is meant to run is ready, and there is one.
    pub ready: bool,
    pub supervisor: Supervisor,
    /// In the configuration's order; what runs but is no longer configured comes last.
    pub processes: Vec<ProcessStatus>,
    /// The newest ones, oldest first.
    pub events: Vec<Event>,
    pub warnings: Vec<Warning>,
    /// What the user wants to hear no more of, whether there is a warning of that kind now or not.
    #[serde(default)]
    pub muted: Vec<Muted>,
    /// What to open: where something says so, else an HTTP service that nothing else depends on.
    #[serde(default)]
    pub url: Option<String>,
    /// The whole machine, beside what the processes cost; `null` while nothing is measured.
    #[serde(default)]
    pub machine: Option<Machine>,
}

/// How an environment is, for whoever has only a glance: the shape of an icon. Worse ones come later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    /// Nothing is meant to run.
    Stopped,
    /// All that is meant to run is ready.
    Ready,
    /// On its way: starting, stopping, waiting.
    Busy,
    /// Crashed, failed, unhealthy.
    Trouble,
}

/// Who decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Supervisor {
    pub pid: u32,
    pub host: Host,
    pub version: String,
}

/// The program around the supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// `forge serve`, also the one that a command started in the background.
    Serve,
    Desktop,
}

/// What a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum State {
    Stopped,
    /// Wanted, but a dependency's condition does not hold yet.
    Waiting,
    /// Its keeper is being started, and has not run the command yet.
    Starting,
    /// The command was run; whether it is ready is another matter.
    Running,
    Stopping,
    /// Ended by itself with exit 0.
    Exited,
    /// Ended by itself otherwise, and will not be restarted by its policy.
    Crashed,
    /// The countdown to a restart runs.
    Restarting,
    /// Gave up, or could not be started.
    Failed,
}

impl State {
    /// A tree of it may be alive.
    #[must_use]
    pub const fn is_alive(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Stopping)
    }
}

/// One process. Figures that the platform cannot give, or that nobody measures yet, are `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ProcessStatus {
    pub name: String,
    pub status: State,
    pub ready: bool,
    pub health: Health,
    /// What the command became.
    pub pid: Option<u32>,
    /// What its tree listens on now.
    pub ports: Vec<u16>,
    pub started_at: Option<Time>,
    pub uptime_seconds: Option<f64>,
    /// Automatic and asked-for restarts since it was last started from `stopped`.
    pub restarts: u32,
    /// Of the last end; `null` while it runs.
    pub exit_code: Option<i32>,
    /// A name, e.g. `SIGKILL`.
    pub signal: Option<String>,
    /// The dependencies whose conditions do not hold yet.
    pub waiting_on: Vec<String>,
    /// What a person should know about the state.
    pub message: Option<String>,
    pub debug: bool,
    pub cpu_percent: Option<f64>,
    pub memory_bytes: Option<u64>,
    pub threads: Option<u32>,
    pub open_files: Option<u32>,
    /// How many files one process of the tree may open: the limit of the one that is nearest to its own.
    #[serde(default)]
    pub open_files_limit: Option<u64>,
    pub disk_read_bytes: Option<u64>,
    pub disk_written_bytes: Option<u64>,
    pub net_received_bytes: Option<u64>,
    pub net_sent_bytes: Option<u64>,
    /// What the configuration's `metrics` and its database tell.
    #[serde(default)]
    pub gauges: Vec<Gauge>,
    /// The number of the current or last run, from 1; 0 before the first.
    pub run: u32,
    /// The configuration has changed since this run began; `start` applies it.
    pub outdated: bool,
    /// When the countdown ends.
    pub restart_at: Option<Time>,
    /// What it will listen on.
    pub declared_ports: Vec<u16>,
    /// What to open in a browser.
    pub url: Option<String>,
    /// Meant to run: started and not stopped since.
    pub wanted: bool,
    /// In no environment's start unless named.
    pub disabled: bool,
    pub groups: Vec<String>,
    pub one_shot: bool,
    pub tty: bool,
    /// What still lives of a run that is over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<LeftBehind>>"))]
    pub left: Vec<LeftBehind>,
}

/// A process that outlived its run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LeftBehind {
    pub pid: u32,
    pub name: String,
}

impl ProcessStatus {
    /// One that was never started.
    #[must_use]
    pub fn stopped(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            status: State::Stopped,
            ready: false,
            health: Health::NONE,
            pid: None,
            ports: Vec::new(),
            started_at: None,
            uptime_seconds: None,
            restarts: 0,
            exit_code: None,
            signal: None,
            waiting_on: Vec::new(),
            message: None,
            debug: false,
            cpu_percent: None,
            memory_bytes: None,
            threads: None,
            open_files: None,
            open_files_limit: None,
            disk_read_bytes: None,
            disk_written_bytes: None,
            net_received_bytes: None,
            net_sent_bytes: None,
            gauges: Vec::new(),
            run: 0,
            outdated: false,
            restart_at: None,
            declared_ports: Vec::new(),
            url: None,
            wanted: false,
            disabled: false,
            groups: Vec::new(),
            one_shot: false,
            tty: false,
            left: Vec::new(),
        }
    }
}

/// What the health check says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Health {
    pub state: HealthState,
    /// In words: "PONG received".
    pub message: Option<String>,
    pub checked_at: Option<Time>,
}

impl Health {
    /// There is no check.
    pub const NONE: Self = Self { state: HealthState::None, message: None, checked_at: None };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    None,
    Starting,
    Healthy,
    Unhealthy,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Event {
    pub time: Time,
    /// `null`: the environment as a whole.
    pub process: Option<String>,
    pub level: EventLevel,
    /// A few words: "crashed".
    pub title: String,
    /// The rest: "exit 1 after 3.2 s; restarting in 5 s".
    pub text: String,
    /// Where it comes from a line of the log: [`crate::LogLine::at`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub at: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum EventLevel {
    Info,
    Warn,
    Error,
}

/// Something that is not right while it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Warning {
    pub process: Option<String>,
    /// Stable: `outdated`, `configuration`, `unhealthy`, `left_running`, `port_held`, `log_lost`; of what is measured
    /// `memory_growth`, `cpu`, `open_files`, `log_growth`, `error_rate`, `crash_loop`, `hog`; of what is logged `slow`,
    /// `grew` …
    pub kind: String,
    pub text: String,
    /// When it began, where that is known.
    #[serde(default)]
    pub since: Option<Time>,
    /// The user wants to hear no more of it: [`crate::MuteAlert`].
    #[serde(default)]
    pub muted: bool,
}

/// Warnings that the user wants to hear no more of: [`crate::MuteAlert`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Muted {
    /// `null`: of the environment as a whole.
    pub process: Option<String>,
    /// [`Warning::kind`].
    pub kind: String,
}

/// Kinds of warnings that are measured, or read in logs: the user may want to hear no more of them. The others say what
/// is to be done.
const MUTABLE: [&str; 9] =
    ["memory_growth", "cpu", "open_files", "log_growth", "error_rate", "crash_loop", "hog", "slow", "grew"];

impl Warning {
    /// Whether warnings of a kind can be muted.
    #[must_use]
    pub fn is_mutable(kind: &str) -> bool {
        MUTABLE.contains(&kind)
    }

    /// One that nobody has muted.
    #[must_use]
    pub fn new(process: Option<&str>, kind: &str, text: String) -> Self {
        Self { process: process.map(str::to_owned), kind: kind.to_owned(), text, since: None, muted: false }
    }
}
