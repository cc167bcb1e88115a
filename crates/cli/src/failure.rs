//! Why a command did not do what was asked.

use std::io;
use std::process::ExitCode;

use forge_api::{Code, Error};
use forge_config::Diagnostics;

/// What a command ends with.
pub(crate) type Outcome = Result<ExitCode, Failure>;

#[derive(Debug)]
pub(crate) enum Failure {
    Error(Error),
    /// The configuration, with the lines that are wrong.
    Configuration(Diagnostics),
    /// Nobody reads our output any more: no error, nothing to say.
    Closed,
    /// All was said; only the exit code is left.
    Told(Code),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Error(error) => ExitCode::from(error.code.exit_code()),
            Self::Configuration(_) => ExitCode::from(Code::Configuration.exit_code()),
            Self::Closed => ExitCode::SUCCESS,
            Self::Told(code) => ExitCode::from(code.exit_code()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Configuration(diagnostics)
    }
}

/// From writing to stdout.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::Closed
        } else {
            Self::Error(Error::system("writing to stdout", error))
        }
    }
}
