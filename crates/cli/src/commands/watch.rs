//! Watching a start until its outcome is known: what `start` and `restart` have in common.

use std::time::{Duration, Instant};

use forge_api::{
    Code, Error, ProcessStatus, StartCancel, StartOutcome, StartWait, Started, Status, Stopped, Subscribe,
    Update,
};

use crate::client::{Client, Incoming, Pending};
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::output::{Output, size};
use crate::painter::Painter;
use crate::view::diagnosis;
use crate::view::progress::Progress;
use crate::view::words;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(100);

/// How the wait ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Outcome(Box<StartOutcome>),
    /// Ctrl-C; what was started is stopped.
    Cancelled(Stopped),
    /// A second Ctrl-C: the stop goes on without us.
    Left,
}

/// A start under way, and its picture.
#[derive(Debug)]
pub(crate) struct Watch {
    started: Started,
    progress: Progress,
    painter: Option<Painter>,
    output: Output,
    began: Instant,
    frame: usize,
}

/// Requests whose answers are still to come.
struct Asked {
    wait: Pending,
    cancel: Option<Pending>,
    resubscribe: Option<Pending>,
}

impl Watch {
    /// `verb` begins the title: `Starting`.
    pub(crate) fn new(verb: &str, started: Started, known: &[Status], context: &Context) -> Self {
        let progress = Progress::new(verb, &started, known);
        let painter = context.output.is_live().then(Painter::default);
        Self { started, progress, painter, output: context.output, began: Instant::now(), frame: 0 }
    }

    pub(crate) fn started(&self) -> &Started {
        &self.started
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits for the outcome, showing how it goes. Ctrl-C stops what was started.
    ///
    /// # Errors
    /// The supervisor's, or it is lost.
    pub(crate) async fn outcome(
        &mut self,
        client: &mut Client,
        interrupts: &mut Interrupts,
        timeout: Duration,
    ) -> Result<Ended, Error> {
        let timeout_ms = u64::try_from(timeout.as_millis()).ok();
        let wait = client.ask(&StartWait { ticket: self.started.ticket, timeout_ms }).await?;
        let mut asked = Asked { wait, cancel: None, resubscribe: None };
        let mut ticks = tokio::time::interval(FRAME);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let live = self.painter.is_some();
        loop {
            tokio::select! {
                incoming = client.next() => {
                    if let Some(ended) = self.incoming(client, incoming?, &mut asked).await? {
                        return Ok(ended);
                    }
                }
                _ = ticks.tick(), if live => self.paint(),
                () = interrupts.next() => {
                    if asked.cancel.is_some() {
                        return Ok(Ended::Left);
                    }
                    self.stopping();
                    asked.cancel = Some(client.ask(&StartCancel { ticket: self.started.ticket }).await?);
                }
            }
        }
    }

    async fn incoming(
        &mut self,
        client: &mut Client,
        incoming: Incoming,
        asked: &mut Asked,
    ) -> Result<Option<Ended>, Error> {
        match incoming {
            Incoming::Update(Update::Lagged {}) => {
                let workspace = Some(self.started.workspace.clone());
                asked.resubscribe = Some(client.ask(&Subscribe { workspace, metrics: false }).await?);
            }
            Incoming::Update(update) => self.take(update),
            Incoming::Answer(id, answer) if Some(id) == asked.cancel => {
                self.paint();
                return answer.of::<StartCancel>().map(|stopped| Some(Ended::Cancelled(stopped)));
            }
            Incoming::Answer(id, answer) if Some(id) == asked.resubscribe => {
                self.take_all(&answer.of::<Subscribe>()?.environments);
            }
            // Once it is cancelled, the outcome is that.
            Incoming::Answer(id, answer) if id == asked.wait && asked.cancel.is_none() => {
                let outcome = answer.of::<StartWait>()?;
                self.take_all(std::slice::from_ref(&outcome.status));
                self.paint();
                return Ok(Some(Ended::Outcome(Box::new(outcome))));
            }
            Incoming::Answer(..) => {}
        }
        Ok(None)
    }

    /// An update that came while something else was waited for.
    pub(crate) fn take(&mut self, update: Update) {
        if let Update::Process { workspace, environment, process } = update
            && workspace == self.started.workspace
        {
            self.take_process(&environment, *process);
        }
    }

    fn take_all(&mut self, environments: &[Status]) {
        for status in environments {
            if status.workspace == self.started.workspace {
                for process in &status.processes {
                    self.take_process(&status.environment, process.clone());
                }
            }
        }
    }

    fn take_process(&mut self, environment: &str, process: ProcessStatus) {
        let at = self.elapsed();
        let changed = self.progress.update(environment, process, at);
        if let (Some(row), None) = (changed, &self.painter) {
            self.output.note(&self.progress.plain(row, at));
        }
    }

    fn stopping(&mut self) {
        let title = format!("Stopping {} (Ctrl-C again leaves at once)", self.started.environment);
        if self.painter.is_none() {
            self.output.note(&title);
        }
        self.progress.retitle(title);
        self.paint();
    }

    fn paint(&mut self) {
        let at = self.elapsed();
        if let Some(painter) = &mut self.painter {
            self.frame += 1;
            let (_, height) = size();
            painter.paint(self.progress.lines(at, self.frame, height, self.output.stderr()));
        }
    }
}

/// Says why a start did not get ready.
///
/// # Errors
/// Always: the failure is the answer.
pub(crate) fn fail(context: &Context, watch: &Watch, outcome: &StartOutcome) -> Result<(), Failure> {
    let output = context.output;
    let error = failure_of(watch, outcome);
    if output.json {
        let details = serde_json::json!({"failures": outcome.failures, "status": outcome.status});
        return Err(error.details(details).into());
    }
    let style = output.stderr();
    output.complain(&diagnosis::failures(&outcome.failures, style));
    let code = error.code;
    output.complain(&format!("\n{}", diagnosis::error(&error, style)));
    let mut hints: Vec<(String, &str)> = outcome
        .failures
        .iter()
        .take(3)
        .map(|failure| (format!("forge logs {}", failure.target.process), "all of its output"))
        .collect();
    if outcome.status.processes.iter().any(|process| process.status.is_alive()) {
        hints.push(("forge status".to_owned(), "how it stands; what was started goes on"));
        hints.push((format!("forge stop {}", watch.started.environment), "ends it"));
    }
    output.complain(&format!("\n{}", diagnosis::hints(&hints, style)));
    Err(Failure::Told(code))
}

fn failure_of(watch: &Watch, outcome: &StartOutcome) -> Error {
    let environment = &watch.started.environment;
    if outcome.timed_out {
        let missing = watch.progress.missing();
        let time = words::age(watch.elapsed());
        return Error::new(
            Code::NotReady,
            format!("{environment} was not ready within {time}: {}", missing.join(", ")),
        )
        .help("what was started goes on; --timeout sets how long to wait");
    }
    let subject = match &*watch.started.starting {
        [only] => &only.process,
        _ => environment,
    };
    Error::new(Code::NotReady, diagnosis::summary(subject, &outcome.failures))
}

/// What a cancelled start has stopped.
///
/// # Errors
/// Always: it was interrupted.
pub(crate) fn cancelled(context: &Context, ended: &Stopped) -> Failure {
    let names = words::targets(&ended.stopped);
    let stopped = if names.is_empty() {
        "nothing was left to stop".to_owned()
    } else {
        format!("stopped {}", words::list(&names))
    };
    let error = Error::new(Code::Interrupted, format!("interrupted; {stopped}"));
    if context.output.json {
        return error.into();
    }
    context.output.complain(&error.message);
    for survivor in &ended.survivors {
        context.output.complain(&format!(
            "{} (PID {}) of {} could not be ended",
            survivor.name, survivor.pid, survivor.target.process
        ));
    }
    Failure::Told(Code::Interrupted)
}
