//! The messages on a keeper's socket: a length (four bytes, little-endian), then that many bytes of JSON.
//!
//! Old keepers outlive an upgrade of the supervisor: fields are added, never changed, unknown ones ignored, and
//! both sides say their [`PROTOCOL`] first. The reader refuses frames over [`MAX_FRAME`].

use serde::{Deserialize, Serialize};

use crate::record::Exit;

/// The version of this protocol and of `spec.json`.
pub const PROTOCOL: u32 = 1;

/// Bytes of JSON in one frame at most.
pub const MAX_FRAME: usize = 1 << 20;

/// From the supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// First on every connection; answered by [`Report::Hello`], then by reports as things happen.
    Hello {
        protocol: u32,
        version: String,
    },
    /// Ask the whole tree to end: `signal` once to the child's group and to its known descendants, after `grace_ms`
    /// SIGKILL until none is left. With `force` at once. Answered by [`Report::Empty`] or [`Report::Survivors`].
    /// May come again: a second one with `force` cuts the grace short.
    End {
        signal: i32,
        grace_ms: u64,
        force: bool,
    },
    /// One signal to the main process alone.
    Signal {
        signal: i32,
    },
    /// Bytes for the child's standard input or terminal (base64).
    Input {
        data: String,
    },
    /// The terminal's new size.
    Resize {
        rows: u16,
        columns: u16,
    },
    /// From now on, every change of the log's end as [`Report::Written`]; one comes at once.
    Follow,
    Unfollow,
    /// From now on, the terminal's raw output as [`Report::Output`]; the last of it comes at once.
    Attach,
    Detach,
    /// Pass the terminal's master: answered by [`Report::Terminal`], with the descriptor beside it (Unix).
    Terminal,
    /// Take this master, whose descriptor comes beside the frame (Unix): the keeper before was killed.
    TakeTerminal,
    /// A line of Forge's own for the log, e.g. "restarted after exit 1".
    Mark {
        text: String,
    },
}

/// From the keeper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum Report {
    /// How things stand; what happened before is in here, what comes later follows as reports.
    Hello {
        protocol: u32,
        version: String,
        keeper: u32,
        /// PID and start time of the child.
        child: Option<(u32, u64)>,
        /// The main process has ended.
        exited: Option<(Exit, i64)>,
        /// With `exited`: what of its tree lives on, by PID and name.
        #[serde(default)]
        left: Vec<(u32, String)>,
        /// It could not be run.
        not_started: Option<String>,
        empty: bool,
        /// The terminal's master is needed from whoever holds a duplicate.
        wants_terminal: bool,
    },
    Started {
        pid: u32,
        start: u64,
        time: i64,
    },
    NotStarted {
        message: String,
    },
    /// The main process ended and what it had written is in the log; `left` names what of its tree lives on.
    Exited {
        exit: Exit,
        time: i64,
        left: Vec<(u32, String)>,
    },
    /// The tree is empty, all output is stored; the keeper ends when the connection is closed, or by itself.
    /// `heir`: see [`crate::record::Record::Empty`].
    Empty {
        time: i64,
        #[serde(default)]
        heir: Option<Exit>,
    },
    /// These could not be ended, by PID and name.
    Survivors {
        processes: Vec<(u32, String)>,
    },
    /// The log's end: segment number and bytes in it. Coalesced: a slow reader gets only the last.
    Written {
        segment: u32,
        offset: u64,
    },
    /// Raw output of the terminal (base64).
    Output {
        data: String,
    },
    Terminal,
    /// The request could not be carried out.
    Refused {
        request: String,
        message: String,
    },
}
