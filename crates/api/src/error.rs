use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an operation failed, by what a face or a script does about it. Stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Options or arguments do not make sense.
    Usage,
    /// `processes.yml` has errors; `details` holds its diagnostics.
    Configuration,
    /// There is no `.forge/processes.yml` here or above.
    NoWorkspace,
    /// A name could mean several things; `details` lists them.
    Ambiguous,
    /// No environment, process, group or run of that name.
    NotFound,
    /// It does not run, so that cannot be done with it.
    NotRunning,
    /// What it needs on this machine is missing: a binary, a folder, an env file.
    Missing,
    /// Nobody has confirmed the commands of this workspace; `details` holds their hash.
    Untrusted,
    /// A port that it declares is held by something else.
    PortConflict,
    /// It did not get ready.
    NotReady,
    /// It could not be started at all.
    StartFailed,
    /// Something of its tree could not be ended.
    Survivors,
    /// The process cannot do that (attach without `tty`, input after its end).
    Unsupported,
    /// Another supervisor of the same user runs already.
    AlreadyRunning,
    /// The supervisor does not answer, or speaks another protocol.
    NoSupervisor,
    /// A message that is not of this interface.
    Protocol,
    /// The system refused something.
    System,
    /// The user interrupted it.
    Interrupted,
}

impl Code {
    /// The exit code of the command line.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage | Self::Configuration | Self::Ambiguous => 2,
            Self::NotFound | Self::NoWorkspace => 3,
            Self::NoSupervisor | Self::Protocol => 4,
            Self::Interrupted => 130,
            Self::NotRunning
            | Self::Missing
            | Self::Untrusted
            | Self::PortConflict
            | Self::NotReady
            | Self::StartFailed
            | Self::Survivors
            | Self::Unsupported
            | Self::AlreadyRunning
            | Self::System => 1,
        }
    }

    /// As it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// What went wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Error {
    pub code: Code,
    /// What happened, where and why; complete sentences are not needed, names are.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// For machines: the shape depends on the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}

impl Error {
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, details: None }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(details);
        self
    }

    /// A refusal by the system, with what was tried.
    #[must_use]
    pub fn system(tried: impl fmt::Display, error: impl fmt::Display) -> Self {
        Self::new(Code::System, format!("{tried}: {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
