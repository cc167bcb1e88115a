//! Reading logs for faces and for log probes: pages, merged by time, from the segments on disk.

use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use forge_api::{
    Code, Error, Level, LogLine, LogQuery, LogsRead, LogsReadAnswer, Stream, StyledPart, Target, Time,
};
use forge_logs::{Cursor, Filter, Line, Merge, Reader, ReaderOptions};
use regex::bytes::{Regex, RegexBuilder};
use serde_json::json;
use tokio::sync::watch;

use crate::core::{Handle, Key};
use crate::outgoing::{Outgoing, Room};

/// Bytes of a line's text that go over the wire; what is beyond is counted.
const MAX_LINE: usize = 8 << 20;

/// Bytes of text in a page, unless asked otherwise, and at most.
const PAGE: usize = 256 * 1024;
const MAX_PAGE: usize = 4 << 20;

/// Bytes that a line takes in an answer, beside its text.
const OVERHEAD: usize = 160;

/// Hits that one step of a search hands over; the others are counted.
const HITS: usize = 20;

/// Between two steps that had hits.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes of a line in an event.
const EXCERPT: usize = 1024;

/// Bytes that are looked through between two looks at whether anybody still waits.
const STEP: usize = 1 << 20;

/// A process whose log is read.
#[derive(Debug)]
pub(crate) struct Source {
    pub target: Target,
    pub folder: PathBuf,
    /// The number of its last run, 0 if that is not known.
    pub run: u32,
    /// Changes when the log grows, once somebody follows.
    pub growth: watch::Receiver<u64>,
}

/// Answers `logs.read`, with the room on the way to the client that was taken for the page.
pub(crate) async fn read(
    core: &Handle,
    request: LogsRead,
    outgoing: &Outgoing,
) -> Result<(LogsReadAnswer, Room), Error> {
    let filter = filter(&request.query)?;
    let request = Arc::new(request);
    let mut cursor = request.cursor.clone();
    loop {
        let asked = Arc::clone(&request);
        let mut sources = core.visit(move |core| core.log_sources(&asked.query, asked.wait)).await??;
        for source in &mut sources {
            source.growth.borrow_and_update();
        }
        if let (None, Some(run)) = (&cursor, request.query.run) {
            has_run(run, &sources).await?;
        }
        let places: Vec<(Target, PathBuf)> =
            sources.iter().map(|source| (source.target.clone(), source.folder.clone())).collect();
        let room = outgoing.reserve(page_bytes(&request)).await;
        let page = page(Arc::clone(&request), filter.clone(), cursor.take(), places).await?;
        if !request.wait || !page.lines.is_empty() || !page.at_end {
            return Ok((page, room));
        }
        drop(room);
        cursor = Some(page.cursor);
        grown(&mut sources).await;
    }
}

/// Whether one of the logs has something of a run.
async fn has_run(run: u32, sources: &[Source]) -> Result<(), Error> {
    let logs: Vec<(Target, PathBuf, u32)> =
        sources.iter().map(|source| (source.target.clone(), source.folder.clone(), source.run)).collect();
    let known = tokio::task::spawn_blocking(move || {
        let known = logs.into_iter().map(|(target, folder, last)| (target, runs(&folder, last)));
        known.collect::<Vec<_>>()
    });
    let known = known.await.map_err(|error| Error::system("reading logs", error))?;
    if known.iter().any(|(_, runs)| runs.as_ref().is_some_and(|runs| runs.contains(&run))) {
        return Ok(());
    }
    let there = |(target, runs): &(Target, Option<RangeInclusive<u32>>)| {
        let name = format!("{}/{}", target.environment, target.process);
        match runs {
            None => format!("{name} has never run"),
            Some(runs) if runs.start() == runs.end() => format!("of {name} there is run {}", runs.start()),
            Some(runs) => format!("of {name} there are runs {} to {}", runs.start(), runs.end()),
        }
    };
    let there: Vec<String> = known.iter().map(there).collect();
    Err(Error::new(Code::NotFound, format!("there is no output of a run {run}")).help(there.join("; ")))
}

/// The runs that a log has, the present one included.
fn runs(folder: &Path, last: u32) -> Option<RangeInclusive<u32>> {
    let first = || -> io::Result<Option<u32>> {
        let mut reader = Reader::open(folder)?;
        reader.seek_start()?;
        Ok(reader.read(1)?.lines.first().map(|line| line.run))
    };
    let newest = || -> io::Result<Option<u32>> {
        let mut reader = Reader::open(folder)?;
        reader.seek_end()?;
        Ok(reader.backward()?.next()?.map(|line| line.run))
    };
    let (first, newest) = (first().ok().flatten(), newest().ok().flatten());
    let last = newest.unwrap_or(last).max(last);
    (last > 0).then(|| first.unwrap_or(last).clamp(1, last)..=last)
}

fn page_bytes(request: &LogsRead) -> usize {
    request.max_bytes.unwrap_or(PAGE).clamp(1, MAX_PAGE)
}

/// Returns once one of the logs has grown, or processes may have been added.
async fn grown(sources: &mut [Source]) {
    let waits: Vec<_> = sources.iter_mut().map(|source| Box::pin(source.growth.changed())).collect();
    if waits.is_empty() {
        return std::future::pending().await;
    }
    first_of(waits).await;
}

async fn first_of<F: Future + Unpin>(mut waits: Vec<F>) {
    std::future::poll_fn(|context| {
        let ready = waits.iter_mut().any(|wait| std::pin::Pin::new(wait).poll(context).is_ready());
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

fn filter(query: &LogQuery) -> Result<Filter, Error> {
    let regex = match &query.grep {
        None => None,
        Some(pattern) => {
            Some(RegexBuilder::new(pattern).case_insensitive(query.ignore_case).build().map_err(|error| {
                Error::new(Code::Usage, format!("`{pattern}` is no regular expression: {error}"))
            })?)
        }
    };
    Ok(Filter {
        streams: query.stream.map(stream_of).into_iter().collect(),
        level_at_least: query.level.map(level_of),
        since: query.since.map(|time| time.0),
        until: query.until.map(|time| time.0),
        run: query.run,
        regex,
        invert: query.invert,
    })
}

/// Stops the reading when whoever asked is gone.
struct Interest(Arc<AtomicBool>);

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn page(
    request: Arc<LogsRead>,
    filter: Filter,
    cursor: Option<String>,
    places: Vec<(Target, PathBuf)>,
) -> Result<LogsReadAnswer, Error> {
    let gone = Arc::new(AtomicBool::new(false));
    let interest = Interest(Arc::clone(&gone));
    let task =
        tokio::task::spawn_blocking(move || Pager { request, filter, places, gone }.page(cursor.as_deref()));
    let page = task.await.map_err(|error| Error::system("reading logs", error))?;
    drop(interest);
    page.map_err(|error| Error::system("reading logs", error))
}

struct Pager {
    request: Arc<LogsRead>,
    filter: Filter,
    places: Vec<(Target, PathBuf)>,
    gone: Arc<AtomicBool>,
}

/// What a page's end must remember, in the cursor.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Bookmark {
    /// Environment, process, place.
    places: Vec<(String, String, String)>,
    /// Lines that still belong to the last match's context.
    after: u32,
    /// A match was shown, and lines were passed over since.
    #[serde(default)]
    passed: bool,
    #[serde(default)]
    shown: bool,
    /// The last lines that were passed over: a match may come next.
    #[serde(default)]
    before: VecDeque<LogLine>,
}

/// Bytes of passed-over lines that a cursor carries; where lines are longer, the first of a page has less context.
const MOST_BEFORE: usize = 256 * 1024;

impl Pager {
    fn page(self, cursor: Option<&str>) -> io::Result<LogsReadAnswer> {
        let bookmark: Option<Bookmark> = cursor.and_then(|text| serde_json::from_str(text).ok());
        let mut merge = self.open(bookmark.as_ref())?;
        let wanted = page_bytes(&self.request);
        let context = self.request.query.context;
        let Bookmark { mut after, mut passed, mut shown, mut before, .. } = bookmark.unwrap_or_default();
        let mut gaps = Vec::new();
        let mut lines = Vec::new();
        let mut used = 0;
        let mut at_end = false;
        while used < wanted && !at_end && !self.gone.load(Ordering::Relaxed) {
            // With few bytes wanted, no more is read than can be handed out: the cursor is behind what was read.
            let batch = merge.read(if self.selects() { STEP } else { wanted - used })?;
            at_end = batch.at_end;
            for (number, line) in batch.lines {
                if self.filter.matches(&line) {
                    if context > 0 && std::mem::replace(&mut shown, true) && std::mem::take(&mut passed) {
                        gaps.push(lines.len());
                    }
                    lines.extend(before.drain(..).inspect(|line| used += line.text.len() + OVERHEAD));
                    used += self.push(number, &line, &mut lines);
                    after = context;
                } else if after > 0 && self.in_range(&line) {
                    after -= 1;
                    used += self.push(number, &line, &mut lines);
                } else if context > 0 && self.in_range(&line) {
                    before
                        .extend(self.places.get(number).map(|(target, _)| crate::logs::shown(target, &line)));
                    if before.len() > context as usize {
                        before.pop_front();
                        passed = true;
                    }
                }
            }
        }
        let places = self.places.iter().zip(merge.cursors());
        let places = places
            .map(|((target, _), cursor)| {
                (target.environment.clone(), target.process.clone(), cursor.to_string())
            })
            .collect();
        while before.iter().map(|line| line.text.len()).sum::<usize>() > MOST_BEFORE {
            before.pop_front();
            passed = true;
        }
        let cursor = json!(Bookmark { places, after, passed, shown, before }).to_string();
        Ok(LogsReadAnswer { lines, gaps, previous: String::new(), next: cursor.clone(), cursor, at_end })
    }

    /// Most lines may be passed over.
    fn selects(&self) -> bool {
        self.filter.regex.is_some() || self.filter.level_at_least.is_some() || self.filter.run.is_some()
    }

    /// Context does not reach beyond what was asked for.
    fn in_range(&self, line: &Line) -> bool {
        let unmatched = Filter { regex: None, level_at_least: None, ..self.filter.clone() };
        unmatched.matches(line)
    }

    fn open(&self, bookmark: Option<&Bookmark>) -> io::Result<Merge> {
        let query = &self.request.query;
        let mut readers = Vec::new();
        for (target, folder) in &self.places {
            let mut reader = Reader::open_with(folder, ReaderOptions { max_line: MAX_LINE })?;
            let place = bookmark.and_then(|bookmark| place_of(bookmark, target));
            match (place, query.since) {
                (Some(cursor), _) => reader.seek(cursor),
                (None, Some(since)) if bookmark.is_none() => reader.seek_time(since.0)?,
                _ => {}
            }
            readers.push(reader);
        }
        let mut merge = Merge::new(readers);
        if let (None, Some(tail)) = (bookmark, query.tail) {
            merge.seek_tail(usize::try_from(tail).unwrap_or(usize::MAX), &self.filter)?;
        }
        Ok(merge)
    }

    fn push(&self, number: usize, line: &Line, lines: &mut Vec<LogLine>) -> usize {
        let Some((target, _)) = self.places.get(number) else { return 0 };
        lines.push(shown(target, line));
        line.text.len() + OVERHEAD
    }
}

fn place_of(bookmark: &Bookmark, target: &Target) -> Option<Cursor> {
    let known =
        |place: &&(String, String, String)| place.0 == target.environment && place.1 == target.process;
    bookmark.places.iter().find(known)?.2.parse().ok()
}

fn shown(target: &Target, line: &Line) -> LogLine {
    let forge_logs::ansi::Shown { text, styles } = forge_logs::ansi::shown(&line.text);
    let mut text = text.into_owned();
    if line.omitted > 0 {
        text = format!("{text}… ({} more bytes)", line.omitted);
    }
    LogLine {
        time: Time(line.time_ns),
        environment: target.environment.clone(),
        process: target.process.clone(),
        run: line.run,
        stream: match line.stream {
            forge_logs::Stream::Stdout => Stream::Stdout,
            forge_logs::Stream::Stderr => Stream::Stderr,
            forge_logs::Stream::Forge => Stream::Forge,
        },
        level: line.level.map(|level| match level {
            forge_logs::Level::Trace => Level::Trace,
            forge_logs::Level::Debug => Level::Debug,
            forge_logs::Level::Info => Level::Info,
            forge_logs::Level::Warn => Level::Warn,
            forge_logs::Level::Error => Level::Error,
        }),
        text,
        styles: styles.iter().map(styled_part).collect(),
        at: line.end.to_string(),
    }
}

fn styled_part(part: &forge_logs::ansi::StyledPart) -> StyledPart {
    let forge_logs::ansi::StyledPart { length, style } = *part;
    StyledPart {
        length,
        foreground: style.foreground.map(|color| color.name().into_owned()),
        background: style.background.map(|color| color.name().into_owned()),
        bold: style.bold,
        dim: style.dim,
        italic: style.italic,
        underline: style.underline,
        strikethrough: style.strikethrough,
        inverse: style.inverse,
    }
}

fn stream_of(stream: Stream) -> forge_logs::Stream {
    match stream {
        Stream::Stdout => forge_logs::Stream::Stdout,
        Stream::Stderr => forge_logs::Stream::Stderr,
        Stream::Forge => forge_logs::Stream::Forge,
    }
}

fn level_of(level: Level) -> forge_logs::Level {
    match level {
        Level::Trace => forge_logs::Level::Trace,
        Level::Debug => forge_logs::Level::Debug,
        Level::Info => forge_logs::Level::Info,
        Level::Warn => forge_logs::Level::Warn,
        Level::Error => forge_logs::Level::Error,
    }
}

/// The last lines that a run's program wrote; empty if they cannot be read.
pub(crate) fn last_lines(folder: &Path, target: &Target, run: u32, count: u64) -> Vec<LogLine> {
    let read = || -> io::Result<Vec<LogLine>> {
        let mut reader = Reader::open(folder)?;
        reader.seek_end()?;
        let mut backward = reader.backward()?;
        let mut lines = VecDeque::new();
        while let Some(line) = backward.next()? {
            if line.run < run || lines.len() as u64 >= count {
                break;
            }
            if line.is_program() {
                lines.push_front(shown(target, &line));
            }
        }
        Ok(lines.into())
    };
    read().unwrap_or_default()
}

/// Who looks for lines of a run.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub key: Key,
    /// The run's number.
    pub run: u32,
    pub folder: PathBuf,
    pub patterns: Arc<Vec<Regex>>,
    pub purpose: Purpose,
    /// What is older was looked at by an earlier supervisor.
    pub since: Time,
}

/// What is done with what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The first line makes the process healthy.
    Probe,
    /// Each line becomes an event.
    Events,
}

/// A line that was found: the pattern's place in the list, the text, the time.
pub(crate) type Hit = (usize, String, Time);

/// Lines that match, beyond those that are handed over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub lines: usize,
    /// Of the last of them.
    pub until: Time,
}

impl Default for Counted {
    fn default() -> Self {
        Self { lines: 0, until: Time(i64::MIN) }
    }
}

/// Whether a [`search`] goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    More,
    Enough,
}

/// Looks through the output of a run from its beginning, and goes on as it grows. The core takes what is found before
/// more is looked for, so that a flood of hits costs time here and memory nowhere.
pub(crate) async fn search(core: Handle, search: Search, mut growth: watch::Receiver<u64>) {
    let mut reader: Option<Reader> = None;
    loop {
        growth.borrow_and_update();
        let asked = search.clone();
        let step = tokio::task::spawn_blocking(move || look_on(reader, &asked)).await;
        let at_end = match step {
            Ok(Ok((next, hits, more, at_end))) => {
                reader = Some(next);
                if !hits.is_empty() {
                    let asked = search.clone();
                    match core.visit(move |core| core.found(&asked, hits, more)).await {
                        Ok(Next::More) => tokio::time::sleep(PAUSE).await,
                        Ok(Next::Enough) | Err(_) => return,
                    }
                }
                at_end
            }
            Ok(Err(error)) => {
                tracing::warn!("{error}");
                reader = None;
                true
            }
            Err(_) => return,
        };
        if at_end && growth.changed().await.is_err() {
            return;
        }
    }
}

/// One step of a search: where to go on, what was found, how much more there would have been, and whether that was
/// all of the log.
fn look_on(reader: Option<Reader>, search: &Search) -> io::Result<(Reader, Vec<Hit>, Counted, bool)> {
    let mut reader = match reader {
        Some(reader) => reader,
        None => at_run(&search.folder, search.run)?,
    };
    let batch = reader.read(STEP)?;
    let (mut hits, mut more) = (Vec::new(), Counted::default());
    let news = |line: &&Line| line.run == search.run && Time(line.time_ns) > search.since;
    for line in batch.lines.iter().filter(news).filter(|line| line.is_program()) {
        for (which, pattern) in search.patterns.iter().enumerate() {
            if !pattern.is_match(&line.text) {
                continue;
            }
            if hits.len() == HITS {
                more.lines += 1;
                more.until = Time(line.time_ns);
            } else {
                hits.push((which, excerpt(line), Time(line.time_ns)));
            }
        }
    }
    Ok((reader, hits, more, batch.at_end))
}

/// The text of a line, as much of it as an event may hold.
fn excerpt(line: &Line) -> String {
    let text = forge_logs::ansi::text(&line.text);
    let text = text.trim();
    if text.len() <= EXCERPT {
        return text.to_owned();
    }
    let begins = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= EXCERPT);
    format!("{}…", &text[..begins.last().unwrap_or(0)])
}

/// A reader at the beginning of a run, or before it.
fn at_run(folder: &Path, run: u32) -> io::Result<Reader> {
    let mut reader = Reader::open(folder)?;
    reader.seek_end()?;
    let mut backward = reader.backward()?;
    while let Some(line) = backward.next()? {
        if line.run < run {
            reader.seek(line.end);
            return Ok(reader);
        }
    }
    reader.seek_start()?;
    Ok(reader)
}
