//! `forge logs`, and the logs that `start -a` streams.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use forge_api::{Code, Error, LogQuery, LogsRead, LogsReadAnswer, StartCancel, Time};
use tokio::time::Instant;

use crate::args;
use crate::client::{Client, Incoming, Pending};
use crate::commands::watch::{self, Watch};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupts;
use crate::log_sink::LogSink;
use crate::view::words;

/// Bytes of text in a page.
const PAGE: usize = 1 << 20;
/// After everything has ended, for its last lines to come.
const LAST_WORDS: Duration = Duration::from_millis(300);

pub(crate) async fn run(context: &Context, args: args::Logs) -> Outcome {
    let mut client = context.client().await?;
    let root = context.root(&mut client).await?;
    let sink = LogSink::open(context.output, args.save.as_deref())?;
    let follow = args.follow;
    let save = args.save.clone();
    let mut reading = Reading::new(query(args, root), follow, sink);
    if follow {
        let interrupts =
            Interrupts::listen().map_err(|error| Error::system("listening for Ctrl-C", error))?;
        reading.follow(context, client, interrupts).await?;
    } else {
        reading.history(&mut client).await?;
    }
    reading.sink.finish()?;
    let lines = reading.sink.lines();
    match save {
        Some(path) if context.output.json => {
            context.output.document(&serde_json::json!({"saved": path, "lines": lines}))?;
        }
        Some(path) => context.output.note(&format!("saved {lines} lines to {}", path.display())),
        None if lines == 0 => context.output.note("no lines"),
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn query(args: args::Logs, workspace: PathBuf) -> LogQuery {
    LogQuery {
        workspace,
        names: args.names,
        tail: args.tail,
        since: args.since,
        until: args.until,
        level: args.level.map(Into::into),
        grep: args.grep,
        ignore_case: args.ignore_case,
        invert: args.invert,
        context: args.context,
        run: args.run,
        stream: args.stream.map(Into::into),
    }
}

/// Page after page into a sink.
struct Reading {
    request: LogsRead,
    sink: LogSink,
}

impl Reading {
    fn new(query: LogQuery, wait: bool, sink: LogSink) -> Self {
        Self { request: LogsRead { query, cursor: None, max_bytes: Some(PAGE), wait }, sink }
    }

    fn take(&mut self, page: LogsReadAnswer) -> Result<bool, Failure> {
        self.sink.write(&page.lines)?;
        self.request.cursor = Some(page.cursor);
        Ok(page.at_end)
    }

    async fn history(&mut self, client: &mut Client) -> Result<(), Failure> {
        loop {
            let page = client.call(&self.request).await?;
            if self.take(page)? {
                return Ok(());
            }
        }
    }

    /// Until Ctrl-C, or `--until` is over.
    async fn follow(
        &mut self,
        context: &Context,
        mut client: Client,
        mut interrupts: Interrupts,
    ) -> Result<(), Failure> {
        let over = tokio::time::sleep(self.left());
        tokio::pin!(over);
        let mut pending = client.ask(&self.request).await?;
        loop {
            tokio::select! {
                incoming = client.next() => match incoming {
                    Ok(Incoming::Answer(id, answer)) if id == pending => {
                        self.take(answer.of::<LogsRead>()?)?;
                        pending = client.ask(&self.request).await?;
                    }
                    Ok(_) => {}
                    // Another supervisor may have taken over: the cursor is as good there.
                    Err(error) if error.code == Code::NoSupervisor => {
                        client = context.client().await?;
                        pending = client.ask(&self.request).await?;
                    }
                    Err(error) => return Err(error.into()),
                },
                () = interrupts.next() => {
                    self.sink.finish()?;
                    return Err(Failure::Told(Code::Interrupted));
                }
                () = &mut over => return Ok(()),
            }
        }
    }

    fn left(&self) -> Duration {
        match self.request.query.until {
            Some(until) => Duration::try_from_secs_f64(until.seconds_since(Time::now())).unwrap_or_default(),
            // As far as a timer goes: years.
            None => Duration::from_secs(u64::from(u32::MAX)),
        }
    }
}

/// Streams the logs of what was started until Ctrl-C, which stops it, or until it has ended by itself.
pub(crate) async fn attached(
    context: &Context,
    mut client: Client,
    mut interrupts: Interrupts,
    mut watch: Watch,
    since: Time,
) -> Outcome {
    let started = watch.started();
    let ticket = started.ticket;
    let query = LogQuery {
        workspace: started.workspace.clone(),
        names: watch.progress().names(),
        since: Some(since),
        ..LogQuery::default()
    };
    let mut reading = Reading::new(query, true, LogSink::open(context.output, None)?);
    let mut page = client.ask(&reading.request).await?;
    let mut cancel: Option<Pending> = None;
    let mut ended: Option<Instant> = None;
    loop {
        tokio::select! {
            incoming = client.next() => match incoming? {
                Incoming::Answer(id, answer) if id == page => {
                    reading.take(answer.of::<LogsRead>()?)?;
                    page = client.ask(&reading.request).await?;
                }
                Incoming::Answer(id, answer) if Some(id) == cancel => {
                    return Err(watch::cancelled(context, &answer.of::<StartCancel>()?));
                }
                Incoming::Answer(..) => {}
                Incoming::Update(update) => {
                    watch.take(update);
                    if watch.progress().is_over() && cancel.is_none() {
                        ended.get_or_insert_with(|| Instant::now() + LAST_WORDS);
                    }
                }
            },
            () = interrupts.next() => {
                if cancel.is_some() {
                    return Err(Failure::Told(Code::Interrupted));
                }
                context.output.note(&format!("\nStopping {} (Ctrl-C again leaves at once)", watch.started().environment));
                cancel = Some(client.ask(&StartCancel { ticket }).await?);
            }
            () = at(ended) => {
                let all = words::count(watch.started().processes.len(), "process has", "processes have");
                context.output.note(&format!("{all} ended"));
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
