//! Reading and following one process's lines.

mod backward;
mod decode;
mod join;
mod line;
mod open;
mod place;
mod text;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::events::Sieve;
use crate::scan::{RawLine, Scan};
use crate::{Cursor, cri};

pub use backward::Backward;
pub use line::Line;
pub use open::open_lines;
pub use text::text_piece;

pub(crate) use decode::{Part, decode};
pub(crate) use place::Place;

use join::Joiner;
use place::After;

/// How a [`Reader`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderOptions {
    /// Bytes of a line's text at most; what is beyond is counted in [`Line::omitted`]. 1 MiB by default.
    pub max_line: usize,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self { max_line: 1 << 20 }
    }
}

/// What one [`Reader::read`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// In the order in which they ended.
    pub lines: Vec<Line>,
    /// Of the files that were read.
    pub bytes: usize,
    /// Reading from here on gives what follows, also in another [`Reader`].
    pub next: Cursor,
    /// There is nothing more for now.
    pub at_end: bool,
    /// Something between the lines before this batch and its end was deleted before it could be read.
    pub gap: bool,
}

/// Reads one process's lines from a place on, and follows them: [`Reader::read`] at the end gives nothing, and later
/// what has come. Rotation, deletion of old segments, and a store that was deleted and made anew are followed too.
///
/// It only reads: any number of readers may stand anywhere beside the writer. A store that does not exist (yet) is
/// empty.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    options: ReaderOptions,
    /// Where to go on; a new reader begins with the oldest line.
    target: Cursor,
    /// The open segment; `None` before the first reading and after a seek.
    place: Option<Place>,
    scan: Scan,
    joiner: Joiner,
    /// Lines that began before this place are only known from there on.
    known_from: Cursor,
    /// The segment that follows, once it was seen: the present one grows no more.
    successor: Option<After>,
}

impl Reader {
    /// A reader of the store in `dir`, at its beginning.
    ///
    /// # Errors
    /// The folder is there and can't be listed.
    pub fn open(dir: &Path) -> io::Result<Self> {
        Self::open_with(dir, ReaderOptions::default())
    }

    /// [`Reader::open`] with options.
    ///
    /// # Errors
    /// As for [`Reader::open`].
    pub fn open_with(dir: &Path, options: ReaderOptions) -> io::Result<Self> {
        let mut reader = Self::at(dir, options, Cursor { segment: 0, offset: 0 });
        reader.seek_start()?;
        Ok(reader)
    }

    fn at(dir: &Path, options: ReaderOptions, target: Cursor) -> Self {
        let joiner = Joiner::new(&options, crate::index::Track::new());
        let (dir, scan) = (dir.to_owned(), Scan::new(0));
        Self { dir, options, target, place: None, scan, joiner, known_from: target, successor: None }
    }

    /// The folder of the store.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the next [`Reader::read`] begins.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        match &self.place {
            Some(place) => Cursor { segment: place.segment, offset: self.scan.offset() },
            None => self.target,
        }
    }

    /// Reads on for about `max_bytes` of the files. Where that much ends no line the batch is empty, though there is
    /// more: [`Batch::at_end`] tells.
    ///
    /// # Errors
    /// A file can't be opened or read. The reader stays where it is.
    pub fn read(&mut self, max_bytes: usize) -> io::Result<Batch> {
        let start = self.cursor();
        self.read_on(max_bytes, None).inspect_err(|_| self.seek(start))
    }

    /// [`Reader::read`], but most lines that `sieve` does not keep are left out, and cost next to nothing. A level that
    /// a line has from one before it may be missing.
    ///
    /// # Errors
    /// As for [`Reader::read`].
    pub fn sift(&mut self, max_bytes: usize, sieve: &mut Sieve) -> io::Result<Batch> {
        let start = self.cursor();
        self.read_on(max_bytes, Some(sieve)).inspect_err(|_| self.seek(start))
    }

    fn read_on(&mut self, max_bytes: usize, mut sieve: Option<&mut Sieve>) -> io::Result<Batch> {
        let mut batch = Batch { lines: Vec::new(), bytes: 0, next: self.target, at_end: false, gap: false };
        if self.place.is_none() && !self.enter(&mut batch)? {
            (batch.next, batch.at_end) = (self.target, true);
            return Ok(batch);
        }
        let known_from = self.known_from;
        // Behind a gap the next batch begins.
        while batch.bytes < max_bytes.max(1) && self.known_from == known_from && self.place.is_some() {
            let taken = self.take(sieve.as_deref_mut(), &mut batch.lines)?;
            batch.bytes = batch.bytes.saturating_add(taken);
            if taken == 0 && !self.go_on(&mut batch)? {
                batch.at_end = true;
                break;
            }
        }
        for line in batch.lines.iter_mut().filter(|line| line.cursor < known_from) {
            text::complete(&self.dir, &self.options, line)?;
        }
        batch.next = self.cursor();
        Ok(batch)
    }

    /// Takes one line of the open segment, or with a sieve many. Zero bytes: there is none for now.
    fn take(&mut self, sieve: Option<&mut Sieve>, lines: &mut Vec<Line>) -> io::Result<usize> {
        let Some(place) = &self.place else { return Ok(0) };
        let (segment, file) = (place.segment, &place.file);
        let Some(sieve) = sieve else {
            let Some(raw) = self.scan.next(file)? else { return Ok(0) };
            self.joiner.feed(segment, &raw, lines);
            return Ok(raw.bytes.len() + 1);
        };
        let Some(block) = self.scan.lines(file)? else { return Ok(0) };
        let whole = cri::has_fragments(block.bytes) || self.joiner.is_within_line();
        let feed = |line: Range<usize>| {
            let bytes = &block.bytes[line.clone()];
            let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            let (offset, end) = (block.offset + line.start as u64, block.offset + line.end as u64);
            self.joiner.feed(segment, &RawLine { offset, end, bytes }, lines);
        };
        if whole {
            cri::ranges(block.bytes).for_each(feed);
        } else {
            sieve.kept(block.bytes).into_iter().for_each(feed);
        }
        Ok(block.bytes.len())
    }

    /// The lines that are stored in part where the reader stands: a prompt, once [`Reader::read`] has come to the end.
    /// They come again, with all their text, when they are whole.
    ///
    /// # Errors
    /// A file can't be read.
    pub fn partial(&self) -> io::Result<Vec<Line>> {
        let mut lines = self.joiner.partial(self.cursor());
        for line in lines.iter_mut().filter(|line| line.cursor < self.known_from) {
            text::complete(&self.dir, &self.options, line)?;
        }
        Ok(lines)
    }

    /// The lines that end at or before the reader's place, the newest first. The reader stays where it is.
    ///
    /// # Errors
    /// The folder can't be listed.
    pub fn backward(&self) -> io::Result<Backward> {
        Backward::new(&self.dir, self.options, self.cursor())
    }

    /// At the end of the open segment: goes to the next. `false` if there is none.
    fn go_on(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let Some(place) = &self.place else { return Ok(false) };
        let Some(after) = self.successor.take() else {
            // What was written before the successor came is to be read first. What had no newline may have been taken
            // back by a writer that could not store all of it.
            self.scan.forget_rest();
            self.successor = place.after(&self.dir, self.scan.offset())?;
            return Ok(self.successor.is_some());
        };
        let segment = place.segment;
        self.feed_rest(segment, batch);
        let next = Place::open(&self.dir, after.segment)?;
        batch.gap |= after.gap;
        if after.gap {
            let end = Cursor { segment, offset: self.scan.offset() };
            self.joiner.break_lines(end, &mut batch.lines);
        }
        // Gone again: the next reading looks anew.
        let Some(next) = next else { return Ok(true) };
        if after.gap {
            self.known_from = Cursor { segment: next.segment, offset: 0 };
        }
        self.scan = Scan::new(0);
        self.place = Some(next);
        Ok(true)
    }

    /// What stands without a newline at the end of a segment that grows no more.
    fn feed_rest(&mut self, segment: u32, batch: &mut Batch) {
        let rest = self.scan.rest();
        let offset = self.scan.offset();
        let raw = RawLine { offset, end: offset + rest.len() as u64, bytes: rest };
        self.joiner.feed(segment, &raw, &mut batch.lines);
        self.scan.skip_rest();
    }
}
