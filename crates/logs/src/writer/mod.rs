//! Writing: what was read from a program's streams goes in, entries in segments come out.
//!
//! The writer never fails its caller. What can't be stored is counted, and once a write works again a marker says how
//! much is missing, before anything else is stored.

mod lines;
mod loss;
mod recover;
mod segment;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cri::{Entry, MAX_TEXT, Mark, Stream, is_torn_head};
use crate::index::{Index, Track};
use crate::scan::read_at;
use crate::segments::{index_path, list, log_path};
use crate::stamp::STAMP_BYTES;
use crate::{Cursor, Position, Stamp};

use lines::Batch;
use loss::Loss;
use segment::Segment;

/// Bytes that are handed to the system in one write at most: what one read of a pipe brings, with the heads of lines
/// of ordinary length, fits.
const BATCH_BYTES: usize = 128 * 1024;

/// How often is looked whether the segment is still there.
const CHECK_EVERY: Duration = Duration::from_millis(250);

/// How often a write is tried while none works.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// A clock that goes back by less than this is held, but not worth a line.
const CLOCK_JUMP: Duration = Duration::from_millis(100);

/// How far a segment may grow beyond its size before the next one is tried again, when it could not be created.
const OVERSIZE: u64 = 1 << 20;

/// Room in a segment for what [`Writer::preamble`] puts before an entry.
const PREAMBLE_BYTES: u64 = 256;

/// How long [`Writer::open`] waits for the writer before it.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// What a [`Writer`] needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterOptions {
    /// A segment is closed before it would grow beyond this many bytes; 16 MiB by default.
    pub segment_bytes: u64,
    /// The oldest segments are deleted so that all of a process's stay below this many bytes together; 1 GiB by
    /// default. The segment that is written to always stays.
    pub quota_bytes: u64,
    /// The number of the run whose output is written, from 1.
    pub run: u32,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { segment_bytes: 16 << 20, quota_bytes: 1 << 30, run: 1 }
    }
}

/// Where in the batch the parts of what [`Writer::preamble`] put there end; 0 for a part that is not there.
#[derive(Debug, Clone, Copy, Default)]
struct Preamble {
    newline: usize,
    announce: usize,
    loss: usize,
}

/// Writes the output of one run of one process. Dropped, it stores what it still holds.
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    options: WriterOptions,
    /// Held for the writer's life.
    lock: std::fs::File,
    segment: Segment,
    /// The segment ends in the midst of a line.
    torn: bool,
    batch: Batch,
    /// What stdout and stderr wrote after their last newline.
    rests: [Vec<u8>; 2],
    /// What must be stored before anything else, so that a reader knows whose lines follow.
    announce: Option<Mark>,
    preamble: Preamble,
    /// Beyond this a segment ends.
    limit: u64,
    loss: Option<Loss>,
    /// The next batch begins with the marker about the loss, and is written although the one before could not be.
    retrying: bool,
    /// The segment is gone, and none could be created in its place.
    detached: bool,
    /// The clock has gone back, and has not caught up.
    held_back: bool,
    checked: Stamp,
}

impl Writer {
    /// Opens the store in `dir` and creates what is missing of it. The last segment is continued; a line that was cut
    /// short there by a kill is closed, so that nothing is merged with it. Waits up to five seconds for another
    /// writer to leave the folder.
    ///
    /// # Errors
    /// The folder or its files can't be created or read, or another writer stays ([`io::ErrorKind::WouldBlock`]).
    pub fn open(dir: &Path, options: WriterOptions) -> io::Result<Self> {
        Self::open_within(dir, options, LOCK_WAIT)
    }

    /// [`Writer::open`] with its own limit for the wait.
    ///
    /// # Errors
    /// As for [`Writer::open`].
    pub fn open_within(dir: &Path, options: WriterOptions, wait: Duration) -> io::Result<Self> {
        segment::create_folder(dir)?;
        let lock = segment::lock(dir, wait)?;
        let (mut segment, track, torn) = match list(dir)?.split_last() {
            Some((&number, older)) => {
                let (segment, track, torn) = resume(dir, number)?;
                (segment, known_from(dir, older, track), torn)
            }
            None => (Segment::create(dir, 1)?, Track::new(), false),
        };
        let is_cut = segment.length == 0;
        if segment.length >= options.segment_bytes {
            segment = Segment::create(dir, segment.number + 1)?;
        }
        let run = options.run;
        let announce = if track.run == run { Mark::Resumed { run } } else { Mark::Started { run } };
        let mut writer = Self {
            dir: dir.to_owned(),
            options,
            lock,
            torn: torn && segment.length > 0,
            limit: options.segment_bytes,
            segment,
            batch: Batch::new(Track { run, open: [None; 2], ..track }),
            rests: [Vec::new(), Vec::new()],
            announce: Some(announce),
            preamble: Preamble::default(),
            loss: None,
            retrying: false,
            detached: false,
            held_back: false,
            checked: Stamp::now(),
        };
        if is_cut && track.open != [None; 2] {
            writer.continue_lines(track);
            writer.announce = Some(announce);
        }
        writer.begin(Stamp::now());
        if torn {
            writer.mark("the line before is cut short: its writer was killed");
        } else if writer.batch.bytes.is_empty() {
            writer.preamble();
        }
        writer.flush();
        // It only keeps old segments from being deleted, and is tried again at each rotation.
        let _ = segment::apply_quota(dir, options.quota_bytes, options.segment_bytes);
        Ok(writer)
    }

    /// Takes what one read of `stream` returned at `now`. Lines go to the file with one write; the rest after the
    /// last newline is held until more comes, [`Writer::flush_partial`] or [`Writer::finish`]. Bytes are kept as
    /// they are. For [`Stream::Forge`] see [`Writer::marker`].
    pub fn write(&mut self, stream: Stream, bytes: &[u8], now: Stamp) {
        let Some(index) = stream.index() else { return };
        self.begin(now);
        let mut rest = bytes;
        if !self.rests[index].is_empty() || self.batch.track.open[index].is_some() {
            rest = self.complete(stream, index, rest);
        }
        loop {
            if !self.batch.bytes.is_empty() {
                rest = self.batch.push_lines(self.segment.length, self.limit, stream, rest);
            }
            let Some(end) = memchr::memchr(b'\n', rest) else { break };
            self.end_line(stream, index, &rest[..end]);
            rest = &rest[end + 1..];
        }
        self.hold(stream, index, rest);
        self.flush();
    }

    /// Stores what is held of `stream` as a fragment, so that a prompt shows. What follows continues the line.
    pub fn flush_partial(&mut self, stream: Stream, now: Stamp) {
        let Some(index) = stream.index() else { return };
        self.begin(now);
        if !self.rests[index].is_empty() {
            let mut rest = std::mem::take(&mut self.rests[index]);
            self.emit(stream, false, [&rest, b""]);
            rest.clear();
            self.rests[index] = rest;
        }
        self.flush();
    }

    /// `stream` has ended: what is held of it, or stored as a fragment, becomes a line. (That it had no newline is
    /// not kept; the format has no way to say so.)
    pub fn finish(&mut self, stream: Stream, now: Stamp) {
        let Some(index) = stream.index() else { return };
        self.begin(now);
        if !self.rests[index].is_empty() || self.batch.track.open[index].is_some() {
            self.end_line(stream, index, b"");
        }
        self.flush();
    }

    /// Stores a line of Forge's own. A newline in it becomes a blank, and what is longer than 64 KiB is cut.
    pub fn marker(&mut self, text: &str, now: Stamp) {
        self.begin(now);
        self.mark(text);
        self.flush();
    }

    /// Makes good what happened to the files meanwhile: creates a folder and a segment where they were deleted, and
    /// tries again to store what could not be stored. Each leaves a marker. To be called when a watch on the folder
    /// says something, and while [`Writer::needs_heal`].
    pub fn heal(&mut self, now: Stamp) {
        self.checked = Stamp::from_nanos(0);
        if let Some(loss) = &mut self.loss {
            loss.tried = self.checked;
        }
        self.begin(now);
        self.flush();
    }

    /// Output is being lost, or a marker about that is not stored yet: [`Writer::heal`] is due within a second.
    #[must_use]
    pub fn needs_heal(&self) -> bool {
        self.loss.is_some()
    }

    /// Bytes of `stream` are held that are not in the file: see [`Writer::flush_partial`].
    #[must_use]
    pub fn has_partial(&self, stream: Stream) -> bool {
        stream.index().is_some_and(|index| !self.rests[index].is_empty())
    }

    /// The end of what is stored.
    #[must_use]
    pub fn position(&self) -> Position {
        Cursor { segment: self.segment.number, offset: self.segment.length }
    }

    /// The folder of the segments.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What every call begins with: the stamp of all that it stores, and the checks that are due.
    fn begin(&mut self, now: Stamp) {
        let back = now.until(self.batch.track.time);
        if back.is_zero() {
            self.held_back = false;
            self.batch.set_time(now);
        }
        if is_due(self.checked, now, CHECK_EVERY) {
            self.checked = now;
            self.verify();
        }
        let retry = self.loss.as_mut().is_some_and(|loss| {
            let due = is_due(loss.tried, now, RETRY_EVERY);
            if due {
                loss.tried = now;
            }
            due
        });
        if retry {
            self.retrying = self.reattach_if_detached();
        }
        if back >= CLOCK_JUMP && !self.held_back {
            self.held_back = true;
            let seconds = round(back.as_secs_f64());
            self.mark(&format!("the clock went back {seconds} s; times are held until it catches up"));
        }
    }

    /// Ends the line that was begun in what came before, if `bytes` has a newline; returns what follows it.
    fn complete<'a>(&mut self, stream: Stream, index: usize, bytes: &'a [u8]) -> &'a [u8] {
        let Some(end) = memchr::memchr(b'\n', bytes) else { return bytes };
        self.end_line(stream, index, &bytes[..end]);
        &bytes[end + 1..]
    }

    /// Stores a line: what is held of it, and `text`.
    fn end_line(&mut self, stream: Stream, index: usize, text: &[u8]) {
        let text = self.fragments(stream, index, text);
        let mut rest = std::mem::take(&mut self.rests[index]);
        self.emit(stream, true, [&rest, text]);
        rest.clear();
        self.rests[index] = rest;
    }

    /// Keeps the beginning of a line.
    fn hold(&mut self, stream: Stream, index: usize, text: &[u8]) {
        let text = self.fragments(stream, index, text);
        self.rests[index].extend_from_slice(text);
    }

    /// Stores fragments of what is held and `text` for as long as both together are too long for one entry; returns
    /// what is left of `text`.
    fn fragments<'a>(&mut self, stream: Stream, index: usize, mut text: &'a [u8]) -> &'a [u8] {
        while self.rests[index].len() + text.len() > MAX_TEXT {
            let mut rest = std::mem::take(&mut self.rests[index]);
            let (head, tail) = text.split_at(MAX_TEXT - rest.len());
            self.emit(stream, false, [&rest, head]);
            rest.clear();
            self.rests[index] = rest;
            text = tail;
        }
        text
    }

    fn mark(&mut self, text: &str) {
        let text = text.replace('\n', " ");
        let text = text.as_bytes();
        self.emit(Stream::Forge, true, [&text[..text.len().min(MAX_TEXT)], b""]);
    }

    /// Adds one entry to the batch, which is written first where it is full, or the segment is.
    fn emit(&mut self, stream: Stream, last: bool, text: [&[u8]; 2]) {
        let length = Batch::entry_bytes(text[0].len() + text[1].len());
        if self.batch.bytes.len() + length > BATCH_BYTES {
            self.flush();
        }
        let end = self.segment.length + (self.batch.bytes.len() + length) as u64;
        if end + PREAMBLE_BYTES > self.limit {
            self.flush();
            if self.segment.length > 0 {
                self.rotate();
            }
        }
        if self.batch.bytes.is_empty() {
            self.preamble();
        }
        self.batch.push(self.position(), stream, last, text);
    }

    /// Begins a batch with what must stand before anything else. Until it is stored it begins every batch.
    fn preamble(&mut self) {
        debug_assert!(self.batch.bytes.is_empty(), "a batch begins with it");
        self.preamble = Preamble::default();
        if self.torn {
            self.batch.bytes.push(b'\n');
            self.preamble.newline = self.batch.bytes.len();
        }
        if let Some(mark) = self.announce {
            self.batch.force_record();
            self.push_mark(&mark);
            self.preamble.announce = self.batch.bytes.len();
        }
        if let Some(loss) = self.loss.as_ref().filter(|loss| self.retrying && !loss.is_empty()) {
            let text = loss.to_string();
            self.push_mark(&text);
            self.preamble.loss = self.batch.bytes.len();
        }
    }

    fn push_mark(&mut self, mark: &dyn fmt::Display) {
        let text = mark.to_string();
        self.batch.push(self.position(), Stream::Forge, true, [text.as_bytes(), b""]);
    }

    /// Writes the batch. Where that fails, what is whole of it stays, and the rest is counted.
    fn flush(&mut self) {
        if self.batch.bytes.is_empty() && self.retrying {
            self.preamble();
        }
        if self.batch.bytes.is_empty() {
            if self.retrying {
                // Nothing was lost but lines of our own.
                (self.loss, self.retrying) = (None, false);
            }
            return;
        }
        if let Some(loss) = self.loss.as_mut().filter(|_| !self.retrying) {
            loss.count(&self.batch.bytes);
            self.discard(0);
            return;
        }
        match self.segment.append(&self.batch.bytes) {
            Ok(()) => {
                self.segment.append_records(&self.batch.records);
                self.batch.clear();
                (self.torn, self.announce, self.loss, self.retrying) = (false, None, None, false);
            }
            Err((written, error)) => self.lose(written, &error),
        }
    }

    /// Goes on in a new segment. Where none can be created the old one grows on for a while.
    fn rotate(&mut self) {
        match Segment::create(&self.dir, self.segment.number + 1) {
            Ok(segment) => {
                self.segment = segment;
                self.limit = self.options.segment_bytes;
                self.torn = false;
                self.announce_segment();
                // The next rotation tries again.
                let _ = segment::apply_quota(&self.dir, self.options.quota_bytes, self.options.segment_bytes);
            }
            Err(_) => self.limit = self.segment.length + OVERSIZE,
        }
    }

    /// A segment whose first line was lost with its writer says again in the midst of which lines it begins.
    fn continue_lines(&mut self, before: Track) {
        self.announce = Some(Mark::Continues { run: before.run, open: before.open });
        self.batch.set_time(before.time);
        self.preamble();
        self.flush();
    }

    /// The segment is new: it says whose lines it holds, unless a run begins with it anyway.
    fn announce_segment(&mut self) {
        let (run, open) = (self.options.run, self.batch.track.open);
        if !matches!(self.announce, Some(Mark::Started { .. } | Mark::Resumed { .. })) {
            self.announce = Some(Mark::Continues { run, open });
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let now = Stamp::now();
        self.finish(Stream::Stdout, now);
        self.finish(Stream::Stderr, now);
        if self.needs_heal() {
            self.heal(now);
        }
    }
}

/// Opens the last segment, and finds out what must be known to continue it: with the third value, a newline first.
fn resume(dir: &Path, number: u32) -> io::Result<(Segment, Track, bool)> {
    let (mut segment, Index { end, mut track, .. }) = Segment::resume(dir, number)?;
    let mut rest = [0; 64];
    let read = read_at(segment.file(), &mut rest, end)?;
    let torn = segment.length > end;
    // The head of an entry carries nothing of the program's: without its text it is not worth a line. Nor is a line of
    // Forge's own, which may say another place when it is cut short.
    let is_head = read < rest.len() && is_torn_head(&rest[..read]);
    let is_own = Entry::parse(&rest[..read]).is_some_and(|entry| entry.stream == Stream::Forge);
    if torn && (is_head || is_own) {
        segment.cut(end)?;
        return Ok((segment, track, false));
    }
    // What is cut short keeps its stamp, and what follows is not older.
    if let Some(stamp) = rest[..read].get(..STAMP_BYTES).filter(|_| torn).and_then(Stamp::parse) {
        track.time = track.time.max(stamp);
    }
    Ok((segment, track, torn))
}

/// What a segment without a whole entry leaves unknown (its writer was killed at its beginning) the one before it says:
/// times never go back.
fn known_from(dir: &Path, older: &[u32], track: Track) -> Track {
    let load = |number: &u32| {
        let file = File::open(log_path(dir, *number)).ok()?;
        Some(Index::load(&index_path(dir, *number), *number, &file).ok()?.track)
    };
    let before = || older.iter().rev().filter_map(load).find(|older| older.time > Track::new().time);
    let unknown = track.time == Track::new().time;
    if unknown { before().unwrap_or(track) } else { track }
}

/// Whether so much time lies between both, whichever way the clock went.
fn is_due(last: Stamp, now: Stamp, every: Duration) -> bool {
    last.until(now).max(now.until(last)) >= every
}

/// Seconds for people: whole ones from ten on, else with one decimal.
fn round(seconds: f64) -> String {
    if seconds >= 10.0 { format!("{seconds:.0}") } else { format!("{seconds:.1}") }
}
