//! The operations. Names on the wire are stable; parameters and answers only gain fields.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{
    ActOnNotice, AddWorkspace, Cost, DismissNotice, EnvironmentSummary, Event, EventsAnswer, Host, Inspect,
    LogLine, LogsRead, LogsReadAnswer, LogsScan, LogsScanAnswer, LogsScanCancel, LogsScanNext,
    LogsScanStarted, LogsText, LogsTextAnswer, Machine, MetricsAnswer, MuteAlert, Notice, Notices,
    NoticesAnswer, ProcessDetails, ProcessStatus, ReadEvents, ReadMetrics, RemoveWorkspace, Status, Time,
    TrustWorkspace, Workspace, WorkspaceCommands, WorkspaceCommandsAnswer, Workspaces, WorkspacesAnswer,
};

/// Something that a face can ask of the supervisor.
pub trait Operation: Serialize + DeserializeOwned + Send + 'static {
    /// The method of JSON-RPC.
    const METHOD: &'static str;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned + Send + 'static;
}

macro_rules! operations {
    ($($(#[$doc:meta])* $method:literal $name:ident => $answer:ty;)*) => {
        $(impl Operation for $name {
            const METHOD: &'static str = $method;
            type Answer = $answer;
        })*

        /// Any request, by its method: what a supervisor dispatches on.
        #[derive(Debug, Clone)]
        pub enum Request {
            $($(#[$doc])* $name($name),)*
        }

        impl Request {
            /// From a method and its parameters. `None`: no such method.
            ///
            /// # Errors
            /// The parameters do not fit the method.
            pub fn parse(method: &str, params: serde_json::Value) -> Option<Result<Self, serde_json::Error>> {
                match method {
                    $($method => Some(serde_json::from_value(params).map(Self::$name)),)*
                    _ => None,
                }
            }
        }

        /// The methods of all operations.
        pub const METHODS: &[&str] = &[$($method),*];

        /// Tells `visitor` each operation's method with its parameters and its answer.
        #[cfg(feature = "typescript")]
        pub(crate) fn for_each_operation(visitor: &mut crate::typescript::Document) {
            $(visitor.operation::<$name, $answer>($method);)*
        }
    };
}

operations! {
    /// First on every connection.
    "hello" Hello => HelloAnswer;
    /// Let another supervisor of the same user take over: state is written, the lock released, the host ends.
    "hand_over" HandOver => Done;
    /// End the supervisor and leave the processes running.
    "leave" Leave => Done;
    /// Begin a start; answered once it is planned. Readiness is `start.wait`'s.
    "start" Start => Started;
    /// Answered when all that the start waits for is ready, or cannot get so.
    "start.wait" StartWait => StartOutcome;
    /// Stop what the start has started, and nothing else.
    "start.cancel" StartCancel => Stopped;
    "stop" Stop => Stopped;
    /// Like `start`, with what runs stopped first; wait for it with `start.wait`.
    "restart" Restart => Started;
    "kill" Kill => Stopped;
    "status" GetStatus => Status;
    /// What was started of every workspace, in short.
    "environments" Environments => EnvironmentsAnswer;
    /// What the faces show: the workspaces that were added or started from.
    "workspaces" Workspaces => WorkspacesAnswer;
    "workspaces.add" AddWorkspace => Workspace;
    "workspaces.remove" RemoveWorkspace => Done;
    "workspaces.commands" WorkspaceCommands => WorkspaceCommandsAnswer;
    "workspaces.trust" TrustWorkspace => Workspace;
    "inspect" Inspect => ProcessDetails;
    "events" ReadEvents => EventsAnswer;
    "metrics" ReadMetrics => MetricsAnswer;
    "alerts.mute" MuteAlert => Done;
    "notices" Notices => NoticesAnswer;
    /// Do what a notice offers.
    "notices.act" ActOnNotice => Done;
    "notices.dismiss" DismissNotice => Done;
    "signal" Signal => Done;
    "send" SendText => Done;
    /// From now on the terminal's output comes as [`Update::Terminal`] on this connection.
    "attach" Attach => AttachAnswer;
    "attach.input" AttachInput => Done;
    "attach.resize" AttachResize => Done;
    "detach" Detach => Done;
    "logs.read" LogsRead => LogsReadAnswer;
    "logs.text" LogsText => LogsTextAnswer;
    "logs.scan" LogsScan => LogsScanStarted;
    "logs.scan.next" LogsScanNext => LogsScanAnswer;
    "logs.scan.cancel" LogsScanCancel => Done;
    /// From now on what happens in the workspace comes as [`Update`]s on this connection.
    "subscribe" Subscribe => Subscribed;
    "unsubscribe" Unsubscribe => Done;
}

/// Nothing to say but that it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Done {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Hello {
    /// [`crate::PROTOCOL`] of the client.
    pub protocol: u32,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HelloAnswer {
    pub protocol: u32,
    pub version: String,
    pub pid: u32,
    pub host: Host,
    /// Started by a command, not by a person: a foreground one may take over.
    pub background: bool,
    /// Processes that it holds at present.
    pub held: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HandOver {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Leave {}

/// Start environments, processes or groups, with what they depend on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct Start {
    pub workspace: PathBuf,
    /// Empty: `dev`, or the only environment.
    pub names: Vec<String>,
    /// The caller's environment; without it a login shell's in the workspace is read.
    pub variables: Option<BTreeMap<String, String>>,
    /// The user has typed the command there: that is trust in what the workspace runs. Without it, a workspace whose
    /// commands nobody has confirmed is refused with `untrusted`.
    pub trust: bool,
    pub on_conflict: OnConflict,
    /// With `on_conflict: kill` only these are ended, whom the user has seen and agreed to; `null`: whoever holds the
    /// ports.
    pub holders: Option<Vec<PortHolder>>,
}

/// Who held a port when that was told: in the `conflicts` of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PortHolder {
    pub pid: u32,
    pub started_at: Option<crate::Time>,
}

/// What to do about a port that is held by something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// Start nothing, and say who holds it.
    #[default]
    Fail,
    /// End the holder, then start.
    Kill,
    /// Use the next port that is free; what refers to it follows.
    Next,
}

/// A start under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Started {
    /// For `start.wait` and `start.cancel`.
    pub ticket: u64,
    pub workspace: PathBuf,
    /// Of the first name.
    pub environment: String,
    /// All that this start waits for, dependencies first.
    pub processes: Vec<Target>,
    /// Those of them that were not running before, or are restarted because the configuration changed.
    pub starting: Vec<Target>,
}

/// A process of an environment of the workspace in question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Target {
    pub environment: String,
    pub process: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct StartWait {
    pub ticket: u64,
    /// Milliseconds; `None`: for as long as it takes.
    pub timeout_ms: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct StartOutcome {
    /// All of them are ready.
    pub ready: bool,
    pub timed_out: bool,
    /// Of the start's first environment.
    pub status: Status,
    /// The causes, not those that only wait for them; empty when ready.
    pub failures: Vec<Failure>,
    /// What to open: the first process with an HTTP port that nothing else depends on.
    pub url: Option<String>,
}

/// Why a process did not get ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Failure {
    pub target: Target,
    pub reason: String,
    pub help: Option<String>,
    /// The last lines of its output.
    pub output: Vec<LogLine>,
    /// Those that wait for it, directly or not.
    pub blocks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct StartCancel {
    pub ticket: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct Stop {
    pub workspace: PathBuf,
    /// Empty: what runs, if it is one environment.
    pub names: Vec<String>,
    /// Everything of every workspace.
    pub all: bool,
}

/// Answered when every tree is empty, or somebody survived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Stopped {
    /// Those that ran or waited, and no longer do.
    pub stopped: Vec<Target>,
    pub survivors: Vec<Survivor>,
}

/// What could not be ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Survivor {
    pub target: Target,
    pub pid: u32,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct Restart {
    pub workspace: PathBuf,
    /// Empty: what runs, if it is one environment.
    pub names: Vec<String>,
    pub variables: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Kill {
    pub workspace: PathBuf,
    pub names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct GetStatus {
    pub workspace: PathBuf,
    /// `None`: what runs, if it is one environment; else `dev`, or the only one.
    pub environment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Environments {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct EnvironmentsAnswer {
    pub environments: Vec<EnvironmentSummary>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Signal {
    pub workspace: PathBuf,
    pub name: String,
    /// `SIGHUP`, `hup` or a number.
    pub signal: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SendText {
    pub workspace: PathBuf,
    pub name: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Attach {
    pub workspace: PathBuf,
    pub name: String,
    pub rows: u16,
    pub columns: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AttachAnswer {
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AttachInput {
    /// Base64.
    pub data: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AttachResize {
    pub rows: u16,
    pub columns: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Detach {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Subscribe {
    /// `None`: every workspace, with what is configured and was never started.
    pub workspace: Option<PathBuf>,
    /// Also what the processes cost, once a second.
    #[serde(default)]
    pub metrics: bool,
}

/// Updates after this come on top of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Subscribed {
    /// What time it is here.
    #[serde(default = "Time::now")]
    pub now: Time,
    pub environments: Vec<Status>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Unsubscribe {}

/// What happened: the parameters of the notification `update`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "update", rename_all = "snake_case")]
pub enum Update {
    /// A process is not as it was.
    Process {
        workspace: PathBuf,
        environment: String,
        process: Box<ProcessStatus>,
    },
    Event {
        workspace: PathBuf,
        environment: String,
        event: Event,
    },
    /// An environment is not as it was, in short.
    Environment {
        summary: EnvironmentSummary,
    },
    /// The list of workspaces, or a configuration, has changed: ask for `workspaces` and `status` again.
    Workspaces {},
    /// Something a person should hear of, or it has changed.
    Notice {
        notice: Box<Notice>,
    },
    /// It is over.
    NoticeClosed {
        id: String,
    },
    /// What the processes of an environment cost now.
    Metrics {
        workspace: PathBuf,
        environment: String,
        time_ms: i64,
        costs: Vec<Cost>,
        /// The whole machine.
        #[serde(default)]
        machine: Option<Machine>,
    },
    /// Raw output of an attached terminal (base64).
    Terminal {
        data: String,
    },
    /// The attached terminal is gone: what its process ended with.
    TerminalClosed {
        message: String,
    },
    /// The subscriber was too slow and some updates were dropped: subscribe again for the whole picture.
    Lagged {},
}
