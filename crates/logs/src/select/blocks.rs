//! The blocks of one store, one after the other, in either direction.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Start;
use crate::Cursor;
use crate::index::{Index, Record, Track};
use crate::read::{Line, Part, Place, ReaderOptions, decode};
use crate::segments::list;

/// Which way is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From older lines to newer ones.
    Forward,
    /// From newer lines to older ones.
    Backward,
}

/// A part of a segment: the lines that end in it.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) dir: Arc<Path>,
    pub(crate) place: Arc<Place>,
    index: Arc<Index>,
    /// Of the index's records.
    first: usize,
    last: usize,
    /// The segment grows no more: what stands at its end without a newline is a line.
    pub(crate) closed: bool,
    /// Only lines that end behind this are wanted, and only up to the second.
    pub(crate) clip: (Cursor, Cursor),
}

impl Block {
    /// The lines that end in it and within the clip, and where what is whole of it ends.
    pub(crate) fn decode(&self, options: &ReaderOptions) -> io::Result<(Vec<Line>, Cursor)> {
        let part = Part { lead: self.lead(), start: self.start(), end: self.end(), closed: self.closed };
        let (mut lines, end) = decode(&self.dir, &self.place, options, &part)?;
        lines.retain(|line| self.clip.0 < line.end && line.end <= self.clip.1);
        Ok((lines, Cursor { segment: self.place.segment, offset: end }))
    }

    /// Where it begins in the store.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor { segment: self.place.segment, offset: self.start() }
    }

    /// Where it ends, as far as that is known.
    pub(crate) fn end_cursor(&self) -> Cursor {
        Cursor { segment: self.place.segment, offset: self.end().unwrap_or(u64::MAX) }
    }

    pub(crate) fn start(&self) -> u64 {
        if self.first == 0 { 0 } else { self.index.records[self.first].offset }
    }

    /// `None`: up to the segment's end, wherever that is by now.
    pub(crate) fn end(&self) -> Option<u64> {
        self.index.records.get(self.last).map(|record| record.offset)
    }

    /// What is known where the block starts.
    pub(crate) fn track(&self) -> Track {
        self.index.records.get(self.first).map_or(Track::new(), |record| record.track)
    }

    /// Where to begin so that the level is known which the first lines may inherit: a record earlier.
    pub(crate) fn lead(&self) -> (u64, Track) {
        let records = &self.index.records;
        let record = records[..self.first.min(records.len())].last().or(records.first());
        record.map_or((0, Track::new()), |record| (record.offset, record.track))
    }

    /// Bytes of the segment, as far as it was written when its index was loaded.
    pub(crate) fn bytes(&self) -> u64 {
        self.end().unwrap_or(self.index.end).saturating_sub(self.start())
    }

    /// The oldest and the newest time that a line in it may have; the newest is `None` where that is not known.
    pub(crate) fn times(&self) -> (i64, Option<i64>) {
        let newest = self.index.records.get(self.last).map(|record| record.track.time.as_nanos());
        (self.track().time.as_nanos(), newest)
    }

    /// The first run that it may have lines of, and the last if that is known.
    fn runs(&self) -> (u32, Option<u32>) {
        // Where a run begins, a line of the run before may end that was not whole.
        let whole = |record: &&Record| record.track.open == [None; 2];
        let first = self.index.records.get(self.first).filter(whole).map_or(0, |record| record.track.run);
        (first, self.index.records.get(self.last).map(|record| record.track.run))
    }
}

#[derive(Debug)]
struct Open {
    place: Arc<Place>,
    index: Arc<Index>,
    closed: bool,
    /// The blocks that are left, by the index's records.
    left: std::ops::Range<usize>,
}

/// What of a store is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Range {
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
    pub(crate) run: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct Blocks {
    dir: Arc<Path>,
    direction: Direction,
    range: Range,
    /// Records of the index in a block.
    records: usize,
    /// That are not begun, in the direction's order.
    segments: VecDeque<u32>,
    newest: Option<u32>,
    open: Option<Open>,
    clip: (Cursor, Cursor),
    /// No line that is still to come is older (backward: newer).
    bound: i64,
}

/// Behind every place.
const FAR: Cursor = Cursor { segment: u32::MAX, offset: u64::MAX };

impl Blocks {
    /// The blocks on from a place, up to its end if it has one; backward: those before it. Where the store has no such
    /// place any more it is the nearest that there is; of a store that was made anew it is its beginning.
    pub(crate) fn new(
        Start { dir, at, end }: Start,
        direction: Direction,
        range: Range,
        records: usize,
    ) -> io::Result<Self> {
        let segments = list(&dir)?;
        let newest = segments.last().copied();
        let start = present(&dir, &segments, at)?;
        let (segments, clip, bound): (VecDeque<u32>, _, _) = match direction {
            Direction::Forward => {
                let end = end.unwrap_or(FAR);
                let on =
                    segments.into_iter().filter(|segment| (start.segment..=end.segment).contains(segment));
                (on.collect(), (start, end), i64::MIN)
            }
            Direction::Backward => {
                let before = segments.into_iter().rev().filter(|&segment| segment <= start.segment);
                (before.collect(), (Cursor { segment: 0, offset: 0 }, start), i64::MAX)
            }
        };
        let records = records.max(1);
        Ok(Self { dir: dir.into(), direction, range, records, segments, newest, open: None, clip, bound })
    }

    /// No line that is still to come is older than this; backward: newer.
    pub(crate) fn bound(&self) -> i64 {
        self.bound
    }

    /// Where it began.
    pub(crate) fn start(&self) -> Cursor {
        match self.direction {
            Direction::Forward => self.clip.0,
            Direction::Backward => self.clip.1,
        }
    }

    /// The next block that may have something of the range; `None`: there is none.
    pub(crate) fn next(&mut self) -> io::Result<Option<Block>> {
        loop {
            let Some(open) = &mut self.open else {
                if !self.open_next()? {
                    return Ok(None);
                }
                continue;
            };
            if open.left.is_empty() {
                self.open = None;
                continue;
            }
            let (first, last) = match self.direction {
                Direction::Forward => (open.left.start, open.left.end.min(open.left.start + self.records)),
                Direction::Backward => {
                    (open.left.end.saturating_sub(self.records).max(open.left.start), open.left.end)
                }
            };
            let block = Block {
                dir: Arc::clone(&self.dir),
                place: Arc::clone(&open.place),
                index: Arc::clone(&open.index),
                first,
                last,
                closed: open.closed,
                clip: self.clip,
            };
            match self.direction {
                Direction::Forward => open.left.start = last,
                Direction::Backward => open.left.end = first,
            }
            let (oldest, newest) = block.times();
            let (first_run, last_run) = block.runs();
            let newer = self.range.since.is_some_and(|since| newest.is_some_and(|newest| newest < since));
            let older = self.range.until.is_some_and(|until| oldest > until);
            let later_run = self.range.run.is_some_and(|run| last_run.is_some_and(|last| last < run));
            let earlier_run = self.range.run.is_some_and(|run| first_run > run);
            let over = match self.direction {
                Direction::Forward => older || earlier_run,
                Direction::Backward => newer || later_run,
            };
            if over {
                (self.open, self.segments) = (None, VecDeque::new());
                return Ok(None);
            }
            self.bound = match self.direction {
                Direction::Forward => newest.unwrap_or(oldest).max(self.bound),
                Direction::Backward => oldest.min(self.bound),
            };
            if newer || older || later_run || earlier_run {
                continue;
            }
            return Ok(Some(block));
        }
    }

    fn open_next(&mut self) -> io::Result<bool> {
        let Some(segment) = self.segments.pop_front() else { return Ok(false) };
        let Some(place) = Place::open(&self.dir, segment)? else { return Ok(true) };
        let index = place.index(&self.dir)?;
        let (from, until) = self.clip;
        let begins_before = |offset: u64| index.records.partition_point(|record| record.offset < offset);
        let first = if segment == from.segment {
            index.records.partition_point(|record| record.offset <= from.offset).saturating_sub(1)
        } else {
            0
        };
        let blocks = index.records.len().max(1);
        let last = if segment == until.segment { begins_before(until.offset) } else { blocks };
        let closed = self.newest != Some(segment);
        self.open = Some(Open { place: Arc::new(place), index: Arc::new(index), closed, left: first..last });
        Ok(true)
    }
}

/// The place itself if the store has it, else the nearest.
fn present(dir: &Path, segments: &[u32], wanted: Cursor) -> io::Result<Cursor> {
    let Some(&first) = segments.first() else { return Ok(wanted) };
    let beginning = Cursor { segment: first, offset: 0 };
    let Some(&segment) = segments.iter().find(|&&segment| segment >= wanted.segment) else {
        // A store that was made anew.
        return Ok(beginning);
    };
    if segment != wanted.segment {
        return Ok(Cursor { segment, offset: 0 });
    }
    let length = match std::fs::metadata(crate::segments::log_path(dir, segment)) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(wanted),
        Err(error) => return Err(error),
    };
    Ok(if wanted.offset > length { beginning } else { wanted })
}
