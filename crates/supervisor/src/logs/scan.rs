//! `logs.scan`: a search in the background, whose finds the client takes bit by bit.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use forge_api::{
    Code, Error, LevelCounts, LogPattern, LogsScan, LogsScanAnswer, LogsScanStarted, Target, Time,
};
use forge_logs::{Cursor, Direction, Progress, Reader, ReaderOptions, Search, SearchOptions, Start, Tally};
use tokio::sync::Notify;

use super::shown::{level_shown, shown};
use super::{MAX_LINE, Source, query, runs};
use crate::core::Handle;

/// Lines that one scan hands out at most, and parts that its time is divided into.
const MOST_HITS: u32 = 100_000;
const MOST_BUCKETS: u32 = 2_000;

/// Patterns in an answer.
const MOST_PATTERNS: usize = 300;

/// Scans of one client, and threads that work on one.
const MOST_SCANS: usize = 16;
const MOST_THREADS: usize = 4;

/// An answer comes at least this often, with the progress alone if need be.
const PROGRESS: Duration = Duration::from_millis(50);

/// Patterns are put together at most this often: it takes a while.
const PATTERNS: Duration = Duration::from_millis(500);

/// The scans of one connection; they end with it.
#[derive(Debug, Default)]
pub(crate) struct Scans {
    scans: HashMap<u64, Arc<Scan>>,
}

/// One scan. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Scan {
    slot: String,
    request: LogsScan,
    logs: Vec<Log>,
    search: Arc<Search>,
    news: Arc<Notify>,
    /// Its last answer has been given.
    taken: AtomicBool,
    /// The patterns that were put together last, and when.
    patterns: std::sync::Mutex<Option<(Instant, Patterns)>>,
}

#[derive(Debug, Clone, Default)]
struct Patterns {
    patterns: Vec<LogPattern>,
    /// How many there are beyond those that are handed out.
    more: u32,
    /// Lines of those that were forgotten.
    forgotten_lines: u64,
}

#[derive(Debug)]
struct Log {
    target: Target,
    /// What no run before this one had said is new.
    fresh_run: u32,
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.search.stop();
    }
}

impl Drop for Scans {
    fn drop(&mut self) {
        // Somebody may still be answering for one.
        self.scans.values().for_each(|scan| scan.search.stop());
    }
}

impl Scans {
    /// Starts a scan, and ends the one before it in its slot.
    pub(crate) async fn start(&mut self, core: &Handle, request: LogsScan) -> Result<LogsScanStarted, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.end(|scan| scan.slot == request.slot);
        if self.scans.len() >= MOST_SCANS {
            // Of those that have been taken to their end, nothing more is to come.
            self.end(|scan| scan.taken.load(Ordering::Relaxed));
        }
        if self.scans.len() >= MOST_SCANS {
            return Err(Error::new(Code::Usage, format!("{MOST_SCANS} scans are under way already")));
        }
        let scan = Scan::start(core, request).await?;
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        self.scans.insert(id, Arc::new(scan));
        Ok(LogsScanStarted { scan: id })
    }

    pub(crate) fn get(&self, id: u64) -> Result<Arc<Scan>, Error> {
        let gone = || Error::new(Code::NotFound, format!("scan {id} has ended"));
        self.scans.get(&id).cloned().ok_or_else(gone)
    }

    pub(crate) fn cancel(&mut self, id: u64) {
        if let Some(scan) = self.scans.remove(&id) {
            scan.search.stop();
        }
    }

    fn end(&mut self, ends: impl Fn(&Scan) -> bool) {
        self.scans.retain(|_, scan| {
            let ends = ends(scan);
            if ends {
                scan.search.stop();
            }
            !ends
        });
    }
}

impl Scan {
    async fn start(core: &Handle, request: LogsScan) -> Result<Self, Error> {
        let options = options(&request)?;
        let query = request.query.clone();
        let sources = core.visit(move |core| core.log_sources(&query, false)).await??;
        if let Some(run) = request.query.run {
            runs::has_run(run, &sources).await?;
        }
        let folders = sources.iter().map(|source| source.folder.clone()).collect();
        let log = |source: Source| {
            let fresh_run = if source.fresh_run == 0 { source.run } else { source.fresh_run };
            Log { target: source.target, fresh_run }
        };
        let logs = sources.into_iter().map(log).collect();
        let news = Arc::new(Notify::new());
        let waker = Arc::clone(&news);
        let open = move || {
            let starts = starts(folders, &options)?;
            Search::new(starts, options, Box::new(move || waker.notify_one()))
        };
        let search = tokio::task::spawn_blocking(open).await;
        let search = search.map_err(|error| Error::system("reading logs", error))?;
        let search = Arc::new(search.map_err(|error| Error::system("reading logs", error))?);
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        for _ in 0..threads {
            let search = Arc::clone(&search);
            tokio::task::spawn_blocking(move || search.work());
        }
        let (slot, patterns) = (request.slot.clone(), std::sync::Mutex::default());
        Ok(Self { slot, request, logs, search, news, taken: AtomicBool::new(false), patterns })
    }

    /// What is new, once there is something, or how far it is.
    pub(crate) async fn next(self: Arc<Self>) -> Result<LogsScanAnswer, Error> {
        if !self.search.is_ready() {
            // Woken for what was taken before, it is merely early.
            let _ = tokio::time::timeout(PROGRESS, self.news.notified()).await;
        }
        let scan = Arc::clone(&self);
        let answer = tokio::task::spawn_blocking(move || scan.answer()).await;
        answer.map_err(|error| Error::system("reading logs", error))?
    }

    fn answer(&self) -> Result<LogsScanAnswer, Error> {
        let progress = self.search.take().map_err(|error| Error::system("reading logs", error))?;
        let Progress { lines, matched, scanned_bytes, total_bytes, done } = progress;
        let log = |number: usize| self.logs.get(number);
        let hits = lines.iter().filter_map(|(number, line)| Some(shown(&log(*number)?.target, line)));
        let hits = hits.collect();
        let tallies =
            || self.logs.iter().enumerate().filter_map(|(at, log)| Some((log, self.search.tally(at)?)));
        let counts: Vec<LevelCounts> = if self.request.counts {
            tallies().map(|(log, tally)| counts(log, &tally)).collect()
        } else {
            Vec::new()
        };
        let wanted = self.request.patterns;
        let Patterns { patterns, more, forgotten_lines } =
            if wanted { self.patterns(done) } else { Patterns::default() };
        let edges_ms = if self.request.buckets > 0 { self.search.tally(0) } else { None };
        let edges_ms = edges_ms.map_or(Vec::new(), |tally| edges(&tally));
        self.taken.store(done, Ordering::Relaxed);
        Ok(LogsScanAnswer {
            hits,
            matched,
            counts,
            patterns,
            more_patterns: more,
            forgotten_lines,
            edges_ms,
            scanned_bytes,
            total_bytes,
            done,
        })
    }

    /// The most frequent patterns of all processes, the worst level first; and how many more there are.
    fn patterns(&self, done: bool) -> Patterns {
        let mut last = self.patterns.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, found)) = last.as_ref().filter(|(at, _)| !done && at.elapsed() < PATTERNS) {
            return found.clone();
        }
        // Of a part of the log it can't be told what was there before.
        let whole = self.request.query.since.is_none() && self.request.query.run.is_none();
        let (mut all, mut forgotten_lines) = (Vec::new(), 0);
        for (number, log) in self.logs.iter().enumerate() {
            let Some(tally) = self.search.tally(number) else { continue };
            forgotten_lines += tally.forgotten();
            all.extend(tally.patterns().into_iter().map(|pattern| log.pattern(pattern, whole && done)));
        }
        // Of too many, what is new is kept before what is frequent.
        let more = u32::try_from(all.len().saturating_sub(MOST_PATTERNS)).unwrap_or(u32::MAX);
        if more > 0 {
            all.sort_by_key(|pattern| std::cmp::Reverse((pattern.new, pattern.level, pattern.count)));
            all.truncate(MOST_PATTERNS);
        }
        all.sort_by_key(|pattern| std::cmp::Reverse((pattern.level, pattern.count)));
        let found = Patterns { patterns: all, more, forgotten_lines };
        *last = Some((Instant::now(), found.clone()));
        found
    }
}

impl Log {
    fn pattern(&self, pattern: forge_logs::patterns::Pattern, whole: bool) -> LogPattern {
        LogPattern {
            template: pattern.template,
            environment: self.target.environment.clone(),
            process: self.target.process.clone(),
            level: pattern.level.map(level_shown),
            count: pattern.count,
            first: Time(pattern.first_ns),
            last: Time(pattern.last_ns),
            new: match pattern.first_run >= self.fresh_run && self.fresh_run > 1 {
                true if !whole => None,
                new => Some(new),
            },
            example: pattern.example,
            at: pattern.at.to_string(),
            regex: pattern.regex,
            over_time: pattern.over_time,
        }
    }
}

fn options(request: &LogsScan) -> Result<SearchOptions, Error> {
    let direction = if request.newest_first { Direction::Backward } else { Direction::Forward };
    Ok(SearchOptions {
        direction,
        filter: query::filter(&request.query)?,
        reader: ReaderOptions { max_line: MAX_LINE },
        most: request.max_hits.min(MOST_HITS) as usize,
        counts: request.counts || request.buckets > 0,
        patterns: request.patterns,
        parts: request.buckets.min(MOST_BUCKETS),
    })
}

/// Where to begin in each log: what lies outside the time that is asked for is passed over.
fn starts(folders: Vec<PathBuf>, options: &SearchOptions) -> std::io::Result<Vec<Start>> {
    let start = |dir: PathBuf| {
        let mut reader = Reader::open(&dir)?;
        match (options.direction, options.filter.since, options.filter.until) {
            (Direction::Forward, Some(since), _) => reader.seek_time(since)?,
            (Direction::Forward, None, _) => reader.seek(Cursor { segment: 0, offset: 0 }),
            (Direction::Backward, _, Some(until)) => reader.seek_time(until.saturating_add(1))?,
            (Direction::Backward, _, None) => reader.seek_end()?,
        }
        Ok(Start { at: reader.cursor(), end: None, dir })
    };
    folders.into_iter().map(start).collect()
}

fn counts(log: &Log, tally: &Tally) -> LevelCounts {
    let count = tally.count();
    LevelCounts {
        environment: log.target.environment.clone(),
        process: log.target.process.clone(),
        error: count.error,
        warn: count.warn,
        info: count.info,
        debug: count.debug,
        trace: count.trace,
        unstated: count.unstated,
        errors_over_time: tally.errors_over_time().to_vec(),
    }
}

/// When each part of the time begins, and the last one ends.
fn edges(tally: &Tally) -> Vec<i64> {
    let span = tally.span();
    let (from, until) = (i128::from(span.from_ns), i128::from(span.until_ns));
    let parts = i128::from(span.parts.max(1));
    let edge =
        |part: i128| i64::try_from((from + (until - from) * part / parts) / 1_000_000).unwrap_or(i64::MAX);
    (0..=parts).map(edge).collect()
}
