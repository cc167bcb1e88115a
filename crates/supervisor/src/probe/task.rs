//! The task that asks for as long as a run lives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use forge_api::{HealthState, Time};
use forge_config::model::{HealthCheck, Probe};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::{Context, Failure, HealthMachine, ask};

/// Longer than any timer needs, and short enough to be added to any clock.
const FAR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// One answer, and what it means for the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Never `HealthState::None`.
    pub state: HealthState,
    /// What this answer said; `state` minds the answers before it too.
    pub healthy: bool,
    /// One line, as in [`Answer`](super::Answer).
    pub message: String,
    pub detail: Option<String>,
    pub failure: Option<Failure>,
    /// From the question to the answer.
    pub latency: Duration,
    pub checked_at: Time,
}

/// A check that goes on until this is dropped.
#[derive(Debug)]
pub struct Watched {
    task: AbortHandle,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks at once, then when `check` says, one question at a time, and reports every answer.
///
/// `started` is when the process was, and `known` what is known of its health already. Each permit of `nudge` asks at
/// once, or as soon as the question that is out has been answered: a port of the tree began to listen. A `log` check asks
/// and reports nothing.
///
/// Must be called within a tokio runtime that has its timer and I/O enabled.
pub fn spawn(
    check: HealthCheck,
    context: Context,
    started: Instant,
    known: HealthState,
    nudge: Arc<Notify>,
    report: impl Fn(Report) + Send + 'static,
) -> Watched {
    let task = tokio::spawn(async move {
        if matches!(check.probe, Probe::Log(_)) {
            return;
        }
        let mut machine = HealthMachine::going_on(&check, started.elapsed(), known);
        loop {
            let wait = machine.due().saturating_sub(started.elapsed()).min(FAR);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = nudge.notified() => machine.nudge(started.elapsed()),
            }
            let answer = ask_now(&mut machine, &check, &context, started).await;
            report(answer);
        }
    });
    Watched { task: task.abort_handle() }
}

async fn ask_now(
    machine: &mut HealthMachine,
    check: &HealthCheck,
    context: &Context,
    started: Instant,
) -> Report {
    machine.ask(started.elapsed());
    let asked = Instant::now();
    let answer = ask(&check.probe, check.timeout, context).await;
    Report {
        state: machine.answer(started.elapsed(), answer.healthy),
        healthy: answer.healthy,
        message: answer.message,
        detail: answer.detail,
        failure: answer.failure,
        latency: asked.elapsed(),
        checked_at: Time::now(),
    }
}
