//! Starting a headless supervisor where none runs.

use std::time::Duration;

use forge_api::{Code, Error};
use forge_supervisor::background::{self, READY};
use forge_supervisor::home::Home;
use serde::Deserialize;
use tokio::process::Child;
use tokio::time::Instant;

use super::Client;

/// From the start of the headless supervisor until it answers.
const LIMIT: Duration = Duration::from_secs(10);
/// Between two tries to reach one that somebody else is starting.
const RETRY: Duration = Duration::from_millis(20);

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
    let mut child = std::env::current_exe()
        .and_then(|forge| background::spawn(&forge))
        .map_err(|error| unanswered(home, &format!("cannot start one: {error}")))?;
    match tokio::time::timeout_at(deadline, background::first_line(&mut child)).await {
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
