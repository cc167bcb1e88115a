//! Following a run's output for a log probe, which waits for a line of it.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use forge_api::{LogLine, Target};
use forge_logs::{Line, Reader};
use regex::Regex;
use tokio::sync::watch;

use super::shown::shown;
use crate::core::{Handle, Key};

/// Bytes of a line in a process's health.
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
    pub pattern: Regex,
}

/// Looks through the output of a run from its beginning, and goes on as it grows, up to the first line that matches.
pub(crate) async fn search(core: Handle, search: Search, mut growth: watch::Receiver<u64>) {
    let mut reader: Option<Reader> = None;
    loop {
        growth.borrow_and_update();
        let asked = search.clone();
        let step = tokio::task::spawn_blocking(move || look_on(reader, &asked)).await;
        let at_end = match step {
            Ok(Ok((_, Some(line), _))) => {
                let _ = core.visit(move |core| core.found(&search, line)).await;
                return;
            }
            Ok(Ok((next, None, at_end))) => {
                reader = Some(next);
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

/// One step of a search: where to go on, the line that was found, and whether that was all of the log.
fn look_on(reader: Option<Reader>, search: &Search) -> io::Result<(Reader, Option<String>, bool)> {
    let mut reader = match reader {
        Some(reader) => reader,
        None => at_run(&search.folder, search.run)?,
    };
    let batch = reader.read(STEP)?;
    let matches = |line: &&Line| {
        line.run == search.run
            && line.is_program()
            && search.pattern.is_match(&forge_logs::ansi::text(&line.text))
    };
    let found = batch.lines.iter().find(matches).map(excerpt);
    Ok((reader, found, batch.at_end))
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
pub(crate) fn at_run(folder: &Path, run: u32) -> io::Result<Reader> {
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
