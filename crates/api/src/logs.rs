//! Reading logs: pulled by the face, page by page.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Time;

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    Stdout,
    Stderr,
    /// Forge's own.
    Forge,
}

/// How serious a line says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// One line, as in `forge logs --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogLine {
    pub time: Time,
    pub environment: String,
    pub process: String,
    pub run: u32,
    pub stream: Stream,
    pub level: Option<Level>,
    /// Bytes that are no UTF-8 come as U+FFFD.
    pub text: String,
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct LogQuery {
    pub workspace: PathBuf,
    /// Processes, groups, environments; empty: what runs, if it is one environment.
    pub names: Vec<String>,
    /// The last lines of programs after merging; `None`: all.
    pub tail: Option<u64>,
    pub since: Option<Time>,
    pub until: Option<Time>,
    /// This level or a worse one.
    pub level: Option<Level>,
    /// A regular expression.
    pub grep: Option<String>,
    pub ignore_case: bool,
    pub invert: bool,
    /// Lines around each match.
    pub context: u32,
    pub run: Option<u32>,
    pub stream: Option<Stream>,
}

/// `logs.read`: the next page. The first call has no cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct LogsRead {
    pub query: LogQuery,
    /// From the answer before; opaque.
    pub cursor: Option<String>,
    /// Bytes of text in one answer, about.
    pub max_bytes: Option<usize>,
    /// At the end of the logs, answer only when there is more, or the connection is closed.
    pub wait: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogsReadAnswer {
    pub lines: Vec<LogLine>,
    /// With `context`: the places in `lines` before which lines were passed over, so that a new group begins there.
    #[serde(default)]
    pub gaps: Vec<usize>,
    pub cursor: String,
    /// Nothing more is stored now.
    pub at_end: bool,
}
