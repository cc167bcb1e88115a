//! Following a run's output for whoever waits for a line of it: log probes and events.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use forge_api::{LogLine, Target, Time};
use forge_logs::{Line, Reader};
use regex::bytes::Regex;
use tokio::sync::watch;

use super::shown::shown;
use crate::core::{Handle, Key};

/// Hits that one step of a search hands over; the others are counted.
const HITS: usize = 20;

/// Between two steps that had hits.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes of a line in an event.
const EXCERPT: usize = 1024;

/// Bytes that are looked through in one step.
const STEP: usize = 1 << 20;

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
