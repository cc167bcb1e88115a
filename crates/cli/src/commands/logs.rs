//! `forge logs`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use forge_api::{Code, Error, LogLine, LogQuery, LogsRead, LogsReadAnswer, LogsText, LogsTextAnswer, Time};

use crate::args;
use crate::client::{Client, Incoming, Pending};
use crate::commands::patterns;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupts;
use crate::log_sink::LogSink;
use crate::view::words;
use crate::{screen, viewer};

/// Bytes of a page, about. What is made for one and has no room in it is made again for the next: a few blocks of the
/// log fit.
const PAGE: usize = 256 << 10;
/// Supervisors in a row that go away before they answer: then it is no hand-over.
const LOSSES: u32 = 3;

pub(crate) async fn run(context: &Context, args: args::Logs) -> Outcome {
    let mut client = context.client().await?;
    let root = context.root(&mut client).await?;
    if args.patterns {
        return patterns::run(context, &mut client, query(args, root)).await;
    }
    if args.follow && args.save.is_none() && !context.output.json && screen::is_available() {
        return viewer::run(context, client, query(args, root)).await;
    }
    let sink = LogSink::open(context.output, args.save.as_deref())?;
    let follow = args.follow;
    let save = args.save.clone();
    let mut reading = Reading::new(query(args, root), follow, sink);
    if follow {
        let interrupts =
            Interrupts::listen().map_err(|error| Error::system("listening for Ctrl-C", error))?;
        reading.follow(context, client, interrupts).await?;
    } else {
        let interrupts = save.as_ref().map(|_| Interrupts::listen()).transpose();
        let interrupts = interrupts.map_err(|error| Error::system("listening for Ctrl-C", error))?;
        reading.history_unless(context, client, interrupts).await?;
    }
    let lines = reading.close()?;
    match save {
        Some(path) if context.output.json => {
            context.output.document(&serde_json::json!({"saved": path, "lines": lines}))?;
        }
        Some(path) => {
            context.output.note(&saved(&path, lines));
        }
        None if lines == 0 => context.output.note("no lines"),
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// What became of a save.
pub(crate) fn saved(path: &Path, lines: u64) -> String {
    let count = words::count(usize::try_from(lines).unwrap_or(usize::MAX), "line", "lines");
    format!("saved {count} to {}", path.display())
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
        ..LogQuery::default()
    }
}

/// Page after page into a sink.
pub(crate) struct Reading {
    request: LogsRead,
    sink: LogSink,
    /// Supervisors that went away since the last page.
    lost: u32,
}

impl Reading {
    pub(crate) fn new(query: LogQuery, wait: bool, sink: LogSink) -> Self {
        // In what goes on or is saved, a line comes once: when it is whole.
        let partial = !wait && sink.is_for_people();
        let request = LogsRead { query, max_bytes: Some(PAGE), wait, partial, ..LogsRead::default() };
        Self { request, sink, lost: 0 }
    }

    /// Asks for the next page.
    pub(crate) async fn ask(&self, client: &mut Client) -> Result<Pending, Error> {
        client.ask(&self.request).await
    }

    /// Takes a page and writes it; the next one is asked for first, so that it is made meanwhile. `None`: that was all.
    pub(crate) async fn take(
        &mut self,
        client: &mut Client,
        page: LogsReadAnswer,
    ) -> Result<Option<Pending>, Failure> {
        if self.sink.is_whole() && page.lines.iter().any(|line| line.omitted > 0) {
            return self.take_whole(client, page).await;
        }
        self.take_page(client, page).await
    }

    async fn take_page(
        &mut self,
        client: &mut Client,
        page: LogsReadAnswer,
    ) -> Result<Option<Pending>, Failure> {
        self.request.cursor = Some(page.cursor);
        self.lost = 0;
        let next = if page.at_end && !self.request.wait { None } else { Some(self.ask(client).await) };
        self.sink.write(&page.lines, &page.gaps)?;
        self.sink.write(&page.partial, &[])?;
        Ok(next.transpose()?)
    }

    /// Of lines that are too long for a page, the rest is asked for before the next one.
    async fn take_whole(
        &mut self,
        client: &mut Client,
        page: LogsReadAnswer,
    ) -> Result<Option<Pending>, Failure> {
        let gap_at = |index: usize| if page.gaps.contains(&index) { &[0][..] } else { &[] };
        for (index, line) in page.lines.iter().enumerate() {
            if line.omitted > 0 {
                self.take_long(client, line, page.gaps.contains(&index)).await?;
            } else {
                self.sink.write(std::slice::from_ref(line), gap_at(index))?;
            }
        }
        // Nothing is left but where it goes on.
        self.take_page(client, LogsReadAnswer { lines: Vec::new(), gaps: Vec::new(), ..page }).await
    }

    async fn take_long(&mut self, client: &mut Client, line: &LogLine, gap: bool) -> Result<(), Failure> {
        let mut asked = LogsText {
            workspace: self.request.query.workspace.clone(),
            environment: line.environment.clone(),
            process: line.process.clone(),
            at: line.at.clone(),
            stream: line.stream,
            from: None,
        };
        // Where it is gone meanwhile, as much of it as a page has room for.
        let Ok(mut answer) = client.call(&asked).await else {
            return self.sink.write(std::slice::from_ref(line), if gap { &[0] } else { &[] });
        };
        self.sink.begin_line(line, gap)?;
        loop {
            self.sink.text(&answer.text)?;
            asked.from = answer.next;
            if asked.from.is_none() {
                return self.sink.end_line();
            }
            answer = match client.call(&asked).await {
                Ok(answer) => answer,
                Err(error) => {
                    let text = format!("… (the rest is missing: {})", error.message);
                    LogsTextAnswer { text, next: None }
                }
            };
        }
    }

    /// All that is stored; what was saved when somebody interrupts it is whole as far as it goes.
    async fn history_unless(
        &mut self,
        context: &Context,
        client: Client,
        interrupts: Option<Interrupts>,
    ) -> Result<(), Failure> {
        let Some(mut interrupts) = interrupts else { return self.history_of_any(context, client).await };
        tokio::select! {
            read = self.history_of_any(context, client) => return read,
            () = interrupts.next() => {}
        }
        self.sink.close()?;
        Err(Failure::Told(Code::Interrupted))
    }

    /// All that is stored. Another supervisor may take over meanwhile: the cursor is as good there.
    async fn history_of_any(&mut self, context: &Context, mut client: Client) -> Result<(), Failure> {
        loop {
            match self.history(&mut client).await {
                Err(Failure::Error(error)) if self.is_to_go_on(&error) => client = context.client().await?,
                ended => return ended,
            }
        }
    }

    /// Whether the supervisor is gone, and another one is worth asking.
    fn is_to_go_on(&mut self, error: &Error) -> bool {
        let goes_on = error.code == Code::NoSupervisor && self.lost < LOSSES;
        self.lost += u32::from(goes_on);
        goes_on
    }

    /// All that is stored.
    pub(crate) async fn history(&mut self, client: &mut Client) -> Result<(), Failure> {
        let mut pending = Some(self.ask(client).await?);
        while let Some(expected) = pending {
            if let Incoming::Answer(id, answer) = client.next().await?
                && id == expected
            {
                pending = self.take(client, answer.of::<LogsRead>()?).await?;
            }
        }
        Ok(())
    }

    /// Nothing more comes: how many lines were written.
    pub(crate) fn close(&mut self) -> Result<u64, Failure> {
        self.sink.close()?;
        Ok(self.sink.lines())
    }

    /// Until Ctrl-C, or `--until` is over. Another supervisor may take over meanwhile: the cursor is as good there.
    async fn follow(
        &mut self,
        context: &Context,
        mut client: Client,
        mut interrupts: Interrupts,
    ) -> Result<(), Failure> {
        loop {
            match self.follow_one(&mut client, &mut interrupts).await {
                Err(Failure::Error(error)) if self.is_to_go_on(&error) => client = context.client().await?,
                ended => return ended,
            }
        }
    }

    async fn follow_one(&mut self, client: &mut Client, interrupts: &mut Interrupts) -> Result<(), Failure> {
        let over = tokio::time::sleep(self.left());
        tokio::pin!(over);
        let mut pending = Some(self.ask(client).await?);
        loop {
            tokio::select! {
                incoming = client.next() => if let Incoming::Answer(id, answer) = incoming? && Some(id) == pending {
                    pending = self.take(client, answer.of::<LogsRead>()?).await?;
                },
                () = interrupts.next() => {
                    self.sink.close()?;
                    return Err(Failure::Told(Code::Interrupted));
                }
                // What was written until then may not have come yet.
                () = &mut over => {
                    self.request.wait = false;
                    return self.history(client).await;
                }
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
