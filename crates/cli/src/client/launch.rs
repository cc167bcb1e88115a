//! Starting a headless supervisor where none runs.

use std::process::Stdio;
use std::time::Duration;

use forge_api::{Code, Error};
use forge_supervisor::home::Home;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::Client;

/// The line on stdout of `forge serve --background` once it listens.
pub(crate) const READY: &str = "ready";

/// From the start of the headless supervisor until it answers.
const LIMIT: Duration = Duration::from_secs(10);
/// Between two tries to reach one that somebody else is starting.
const RETRY: Duration = Duration::from_millis(20);
/// Of the line that it says.
const LONGEST_WORD: u64 = 64 << 10;

/// What it says instead of [`READY`].
#[derive(Deserialize)]
struct Refusal {
    error: Error,
}

/// Starts one and connects to it.
///
/// # Errors
/// It does not get to listen within ten seconds, or says why it cannot.
pub(super) async fn launch(home: &Home) -> Result<Client, Error> {
    let deadline = Instant::now() + LIMIT;
    let mut child = spawn().map_err(|error| unanswered(home, &format!("cannot start one: {error}")))?;
    match tokio::time::timeout_at(deadline, first_line(&mut child)).await {
        Err(_) => Err(unanswered(home, "the one just started did not get ready")),
        Ok(line) => match line.trim() {
            READY => reach(home, deadline).await,
            other => match serde_json::from_str::<Refusal>(other) {
                // Two commands at once: the other one's is as good.
                Ok(Refusal { error }) if error.code == Code::AlreadyRunning => reach(home, deadline).await,
                Ok(Refusal { error }) => {
                    Err(unanswered(home, &format!("the one just started gave up: {error}")))
                }
                Err(_) => Err(unanswered(home, &ended(child, deadline).await)),
            },
        },
    }
}

/// In a session and folder of its own, with nothing of ours open.
fn spawn() -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["serve", "--background"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // The mark of the process that this command may be run from: the supervisor is not part of that one's tree.
    command.env_remove("FORGE_RUN");
    if let Some(home) = std::env::var_os("FORGE_HOME").filter(|home| !home.is_empty()) {
        // It may be relative to a folder that the child does not start in.
        command.env("FORGE_HOME", std::path::absolute(home)?);
    }
    #[cfg(unix)]
    // It leaves our session by itself.
    command.current_dir("/");
    #[cfg(windows)]
    {
        const DETACHED_PROCESS: u32 = 0x8;
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
    }
    command.spawn()
}

async fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        // What cannot be read is no line, and said as that.
        let _ = BufReader::new(stdout.take(LONGEST_WORD)).read_line(&mut line).await;
    }
    line
}

async fn ended(mut child: Child, deadline: Instant) -> String {
    match tokio::time::timeout_at(deadline, child.wait()).await {
        Ok(Ok(status)) => format!("the one just started ended at once ({status})"),
        _ => "the one just started said nothing".to_owned(),
    }
}

async fn reach(home: &Home, deadline: Instant) -> Result<Client, Error> {
    loop {
        if let Some(client) = Client::connect_if_running(home).await? {
            return Ok(client);
        }
        if Instant::now() + RETRY > deadline {
            return Err(unanswered(home, "one runs, but does not listen"));
        }
        tokio::time::sleep(RETRY).await;
    }
}

fn unanswered(home: &Home, why: &str) -> Error {
    Error::new(Code::NoSupervisor, format!("no supervisor answers: {why}"))
        .help(format!("its log is {}; `forge doctor` looks at folders and socket", home.own_log().display()))
}
