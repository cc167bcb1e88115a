//! `forge start -a`: stays after the start and streams the logs.

use std::process::ExitCode;
use std::time::Duration;

use forge_api::{Code, Error, LogQuery, LogsRead, StartCancel, Time, Update};
use tokio::time::Instant;

use crate::client::{Client, Incoming, Pending};
use crate::commands::logs::Reading;
use crate::commands::watch::{self, Watch};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupts;
use crate::log_sink::LogSink;
use crate::screen;
use crate::view::words;
use crate::viewer::{self, Viewed};

/// After everything has ended, for its last lines to come.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Until Ctrl-C, which stops what was started, or until all of it has ended by itself.
pub(crate) async fn stay(
    context: &Context,
    mut client: Client,
    mut interrupts: Interrupts,
    watch: Watch,
    since: Time,
) -> Outcome {
    let query = LogQuery {
        workspace: watch.started().workspace.clone(),
        names: watch.progress().names(),
        since: Some(since),
        ..LogQuery::default()
    };
    if !context.output.json && screen::is_available() {
        return look(context, client, interrupts, watch, query).await;
    }
    let reading = Reading::new(query, true, LogSink::open(context.output, None)?);
    let page = Some(reading.ask(&mut client).await?);
    let mut stay = Stay { context, watch, reading, page, cancel: None, over: None };
    loop {
        tokio::select! {
            incoming = client.next() => stay.take(&mut client, incoming?).await?,
            () = interrupts.next() => stay.stop(&mut client).await?,
            () = at(stay.over) => {
                context.output.note(&ended(&stay.watch));
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

/// The same on the whole terminal. Whoever leaves it says what becomes of what was started.
async fn look(
    context: &Context,
    client: Client,
    interrupts: Interrupts,
    mut watch: Watch,
    query: LogQuery,
) -> Outcome {
    let mut over = |update| {
        watch.take(update);
        watch.progress().is_over()
    };
    let (viewed, mut interrupts) = viewer::view(context, client, query, interrupts, Some(&mut over)).await?;
    match viewed {
        Viewed::Over => {
            context.output.note(&ended(&watch));
            Ok(ExitCode::SUCCESS)
        }
        Viewed::Quit => {
            let environment = &watch.started().environment;
            context.output.note(&format!("{environment} goes on; `forge stop {environment}` ends it"));
            Ok(ExitCode::SUCCESS)
        }
        Viewed::Interrupted => {
            context.output.note(&stopping(&watch));
            let mut client = context.client().await?;
            let cancel = StartCancel { ticket: watch.started().ticket };
            tokio::select! {
                stopped = client.call(&cancel) => Err(watch::cancelled(context, &stopped?)),
                () = interrupts.next() => Err(Failure::Told(Code::Interrupted)),
            }
        }
    }
}

fn ended(watch: &Watch) -> String {
    format!("{} ended", words::count(watch.started().processes.len(), "process has", "processes have"))
}

fn stopping(watch: &Watch) -> String {
    format!("\nStopping {} (Ctrl-C again leaves at once)", watch.started().environment)
}

struct Stay<'a> {
    context: &'a Context,
    watch: Watch,
    reading: Reading,
    page: Option<Pending>,
    cancel: Option<Pending>,
    /// When to leave, once nothing runs any more.
    over: Option<Instant>,
}

impl Stay<'_> {
    async fn take(&mut self, client: &mut Client, incoming: Incoming) -> Result<(), Failure> {
        match incoming {
            Incoming::Answer(id, answer) if Some(id) == self.page => {
                self.page = self.reading.take(client, answer.of::<LogsRead>()?).await?;
            }
            Incoming::Answer(id, answer) if Some(id) == self.cancel => {
                return Err(watch::cancelled(self.context, &answer.of::<StartCancel>()?));
            }
            Incoming::Answer(..) => {}
            Incoming::Update(update) => self.look(update),
        }
        Ok(())
    }

    fn look(&mut self, update: Update) {
        self.watch.take(update);
        let over = self.watch.progress().is_over() && self.cancel.is_none();
        self.over = over.then(|| self.over.unwrap_or_else(|| Instant::now() + LAST_WORDS));
    }

    /// The first Ctrl-C stops what was started, the second leaves at once.
    async fn stop(&mut self, client: &mut Client) -> Result<(), Failure> {
        if self.cancel.is_some() {
            return Err(Failure::Told(Code::Interrupted));
        }
        self.context.output.note(&stopping(&self.watch));
        let ticket = self.watch.started().ticket;
        let asked: Result<Pending, Error> = client.ask(&StartCancel { ticket }).await;
        self.cancel = Some(asked?);
        Ok(())
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
