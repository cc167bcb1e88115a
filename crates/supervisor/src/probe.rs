//! Is it well?
//!
//! One question asked once is [`ask`]. When to ask, and what the answers mean together, is [`HealthMachine`], which is
//! pure: the clock is the caller's. [`spawn`] is the task that does both for as long as a run lives.
//!
//! Every question is bounded as a whole by its limit: names that do not resolve, servers that hang or trickle, and commands
//! that never return are all "no answer within 1 s". No question needs a client library or a password: a server
//! that says "who are you?" is alive.

mod dial;
mod exec;
mod grpc;
mod handshake;
mod http;
mod machine;
pub(crate) mod program;
mod question;
mod target;
mod task;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod text;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use forge_config::model::Probe;

pub(crate) use handshake::postgres::startup as postgres_startup;
pub(crate) use handshake::redis::command as redis_command;
pub use machine::HealthMachine;
pub(crate) use target::Target;
pub use task::{Report, Watched, spawn};

/// What a question needs to know of the process that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Where an `exec` check runs.
    pub cwd: PathBuf,
    /// The whole environment of an `exec` check: nothing of this process's own is added.
    pub env: Vec<(String, String)>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub healthy: bool,
    /// One line for people: "PONG received", "connection refused at 127.0.0.1:5432".
    pub message: String,
    /// More than belongs into one line: a server's own words, the output of a command.
    pub detail: Option<String>,
    /// How it failed, where more can be said of that by who knows the process.
    pub failure: Option<Failure>,
}

/// A way in which a question fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nobody listens there.
    Refused,
    /// There was no answer within the limit.
    Late,
}

impl Answer {
    fn healthy(message: impl Into<String>) -> Self {
        Self { healthy: true, message: message.into(), detail: None, failure: None }
    }

    fn unhealthy(message: impl Into<String>) -> Self {
        Self { healthy: false, message: message.into(), detail: None, failure: None }
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into()).filter(|detail| !detail.is_empty());
        self
    }

    fn late(limit: Duration) -> Self {
        let message = format!("no answer within {}", text::duration(limit));
        Self { failure: Some(Failure::Late), ..Self::unhealthy(message) }
    }
}

/// Asks once. Takes no longer than `limit`, and leaves nothing behind; neither when it is dropped.
///
/// A `log` check cannot be asked: its answer is in the output of the run, which the caller follows.
pub async fn ask(probe: &Probe, limit: Duration, context: &Context) -> Answer {
    match probe {
        Probe::Log(_) => Answer::unhealthy("a `log` check is answered by the output, not by asking"),
        Probe::Exec(command) => exec::ask(command, limit, context).await,
        _ => match question::Question::of(probe) {
            Ok(question) => dial::ask(question, limit).await,
            Err(reason) => Answer::unhealthy(reason),
        },
    }
}

/// Runs a command as a check by `exec` would, and says why it did not end with 0 in time.
pub(crate) async fn run(
    command: &forge_config::model::Command,
    limit: Duration,
    context: &Context,
) -> Result<(), String> {
    exec::failure(command, limit, context).await.map_or(Ok(()), Err)
}

/// Runs a command as a check by `exec` would: what it printed, or why it did not end with 0 in time.
pub(crate) async fn output(
    command: &forge_config::model::Command,
    limit: Duration,
    context: &Context,
) -> Result<Vec<u8>, String> {
    exec::output(command, limit, context).await
}

/// The page at a URL. Not bounded in time.
pub(crate) async fn fetch(url: &str) -> Result<Vec<u8>, String> {
    http::fetch(url).await
}

/// The place of a URL, and a connection to it. Not bounded in time.
pub(crate) async fn connect(url: &str, default_port: u16) -> Result<(Target, tokio::net::TcpStream), String> {
    dial::connect(url, default_port).await
}

/// The page at a URL, asked for over a Unix socket. Not bounded in time.
pub(crate) async fn fetch_from_socket(socket: &std::path::Path, url: &str) -> Result<Vec<u8>, String> {
    #[cfg(unix)]
    return http::fetch_from_socket(socket, url).await;
    #[cfg(not(unix))]
    Err(format!("{}: there are no Unix sockets here, to ask for {url}", socket.display()))
}

/// The port of this machine that a check asks. `None` for one that asks no port, or another machine.
pub(crate) fn local_port(probe: &Probe) -> Option<u16> {
    let question = question::Question::of(probe).ok()?;
    question.target().is_loopback().then_some(question.target().port)
}
