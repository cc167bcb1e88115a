//! What Forge's faces and its supervisor say to each other, declared once.
//!
//! The wire is JSON-RPC 2.0, one message a line ([`wire`]). Every operation is a type that implements
//! [`Operation`]: its method's name, its parameters, its answer. The CLI, the window, the web page and AI agents
//! call the same ones. What happens is pushed as [`Update`]s to whoever subscribed; logs are pulled, so that a slow
//! reader costs nobody anything.
//!
//! **Architecture Invariant:** this crate knows no host: no sockets, no tokio, no supervisor.

mod error;
mod inspect;
mod logs;
mod metrics;
mod notice;
mod operation;
mod status;
mod time;
#[cfg(feature = "typescript")]
pub mod typescript;
pub mod wire;
mod workspace;

pub use error::{Code, Error};
pub use inspect::{
    DependencyDetails, EventsAnswer, HealthCheckSample, HealthRecord, Inspect, ProcessDetails, ReadEvents,
    VariableDetails,
};
pub use logs::{
    Level, LevelCounts, LogAnchor, LogLine, LogPattern, LogQuery, LogSought, LogsRead, LogsReadAnswer,
    LogsScan, LogsScanAnswer, LogsScanCancel, LogsScanNext, LogsScanStarted, LogsText, LogsTextAnswer,
    Stream, StyledPart,
};
pub use metrics::{
    Cost, Gauge, GaugeSeries, GaugeUnit, Hog, Machine, MachineSeries, Mark, MarkKind, MetricsAnswer,
    MuteAlert, ReadMetrics, Series,
};
pub use notice::{ActOnNotice, DismissNotice, Notice, NoticeAction, NoticeKind, Notices, NoticesAnswer};
pub use operation::*;
pub use status::{
    Event, EventLevel, Health, HealthState, Host, LeftBehind, Mood, Muted, ProcessStatus, State, Status,
    Supervisor, Warning,
};
pub use time::Time;
pub use workspace::{
    AddWorkspace, EnvironmentSummary, RemoveWorkspace, TrustWorkspace, Workspace, WorkspaceCommand,
    WorkspaceCommands, WorkspaceCommandsAnswer, Workspaces, WorkspacesAnswer,
};

/// The version of the interface. A supervisor answers any client of the same number; fields are only added.
pub const PROTOCOL: u32 = 1;
