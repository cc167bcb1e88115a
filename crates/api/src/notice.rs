//! What a person is told although nobody asked: native notifications, and the top of the window.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Time;

/// One incident. It is told once, changes in place, and is closed when it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Notice {
    /// For [`ActOnNotice`]; the same for the same incident.
    pub id: String,
    pub time: Time,
    pub workspace: PathBuf,
    pub environment: String,
    /// `null`: the environment as a whole.
    pub process: Option<String>,
    pub kind: NoticeKind,
    /// A few words: `api crashed`.
    pub summary: String,
    /// What is known: exit, last line, what happens next.
    pub body: String,
    /// Most useful first.
    pub actions: Vec<NoticeAction>,
    /// When the countdown ends that the body speaks of.
    pub until: Option<Time>,
    /// It has mended by itself, and is told for a moment longer: no trouble any more, and nothing to be decided.
    #[serde(default)]
    pub settled: bool,
}

impl Notice {
    /// It is still something that a person should look at.
    #[must_use]
    pub const fn is_trouble(&self) -> bool {
        self.kind.is_trouble() && !self.settled
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    Crash,
    CrashLoop,
    PortConflict,
    Unhealthy,
    /// Something measured or logged is not as it should be: memory that grows, a busy core, errors.
    Alert,
    /// A start did not get its processes ready.
    StartFailed,
    /// A start that took long is done.
    Ready,
}

impl NoticeKind {
    /// Good news is not in the way once it was seen.
    #[must_use]
    pub const fn is_trouble(self) -> bool {
        !matches!(self, Self::Ready)
    }
}

/// What can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NoticeAction {
    /// Stable: `restart`, `keep-stopped`, `show-log`, `kill`, `next`, `show`, `open`, `mute`.
    pub id: String,
    pub label: String,
    /// It only shows something: the face opens the window there, or the URL, and the supervisor has nothing to do.
    pub shows: bool,
}

/// `notices`: what is wrong now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Notices {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NoticesAnswer {
    /// Oldest first.
    pub notices: Vec<Notice>,
}

/// `notices.act`: do what a notice offers. An incident that is over has nothing to be done about: `not_found`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ActOnNotice {
    pub id: String,
    pub action: String,
}

/// `notices.dismiss`: it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DismissNotice {
    pub id: String,
}
