//! Reading from the end towards the beginning, a block of the index at a time.

use std::io;
use std::path::{Path, PathBuf};

use super::place::Place;
use super::{Joiner, Line, ReaderOptions, text};
use crate::Cursor;
use crate::index::{Index, Track};
use crate::scan::{RawLine, Scan};
use crate::segments::list;

/// The lines before a place, the newest first. It holds about one block of 64 KiB.
#[derive(Debug)]
pub struct Backward {
    dir: PathBuf,
    options: ReaderOptions,
    /// Segments that are not yet begun, the newest last.
    segments: Vec<u32>,
    /// The segment that is read, and how many of its blocks are left.
    current: Option<(Place, Index, usize)>,
    /// Nothing that ends behind this is wanted.
    until: Cursor,
    /// The newest of the store, which may end in half a line.
    newest: Option<u32>,
    /// The lines of the block, in their order.
    ready: Vec<Line>,
}

impl Backward {
    pub(super) fn new(dir: &Path, options: ReaderOptions, until: Cursor) -> io::Result<Self> {
        let mut segments = list(dir)?;
        let newest = segments.last().copied();
        segments.retain(|&segment| segment <= until.segment);
        Ok(Self { dir: dir.to_owned(), options, segments, current: None, until, newest, ready: Vec::new() })
    }

    /// The next older line; `None` at the beginning of the store.
    ///
    /// # Errors
    /// A file can't be read.
    #[expect(clippy::should_implement_trait, reason = "an iterator over results would hide what stops it")]
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        while self.ready.is_empty() {
            match self.current.take() {
                Some((place, index, blocks @ 1..)) => {
                    self.ready = self.block(&place, &index, blocks - 1)?;
                    self.current = Some((place, index, blocks - 1));
                }
                _ => {
                    let Some(segment) = self.segments.pop() else { return Ok(None) };
                    if let Some(place) = Place::open(&self.dir, segment)? {
                        let index = place.index(&self.dir)?;
                        let blocks = index.records.len();
                        self.current = Some((place, index, blocks));
                    }
                }
            }
        }
        Ok(self.ready.pop())
    }

    /// The lines that end in a block.
    fn block(&self, place: &Place, index: &Index, block: usize) -> io::Result<Vec<Line>> {
        let segment = place.segment;
        let start = index.records[block].offset;
        let end = index.records.get(block + 1).map_or(u64::MAX, |next| next.offset);
        if (Cursor { segment, offset: start }) >= self.until {
            return Ok(Vec::new());
        }
        // Begun one block earlier, for the level that the first lines may inherit.
        let (from, track) = index.records[..block]
            .last()
            .or(index.records.first())
            .map_or((0, Track::new()), |record| (record.offset, record.track));
        let mut joiner = Joiner::new(&self.options, track);
        let mut scan = Scan::new(from);
        let mut lines = Vec::new();
        while scan.offset() < end {
            let Some(raw) = scan.next(&place.file)? else { break };
            joiner.feed(segment, &raw, &mut lines);
            if raw.end <= start {
                lines.clear();
            }
        }
        if end == u64::MAX && self.newest != Some(segment) {
            let offset = scan.offset();
            let raw = RawLine { offset, end: offset + scan.rest().len() as u64, bytes: scan.rest() };
            joiner.feed(segment, &raw, &mut lines);
        }
        lines.retain(|line| line.end <= self.until);
        let known_from = Cursor { segment, offset: from };
        for line in lines.iter_mut().filter(|line| line.cursor < known_from) {
            text::complete(&self.dir, &self.options, line)?;
        }
        Ok(lines)
    }
}
