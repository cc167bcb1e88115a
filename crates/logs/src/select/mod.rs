//! The lines of several stores that a filter wants, as one sequence in either direction.

mod ahead;
mod blocks;
mod find;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

pub use blocks::Direction;
pub(crate) use blocks::{Block, Blocks, Range};
pub(crate) use find::{Finder, Found};

use ahead::Ahead;

use crate::{Cursor, Filter, Line, ReaderOptions};

/// Records of the index, of 64 KiB each, that are looked through in one step: less where every line is wanted.
const READ_RECORDS: usize = 1;
pub(crate) const SEARCH_RECORDS: usize = 8;

/// One store and where to begin in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The folder of its segments.
    pub dir: PathBuf,
    /// Forward, the lines that end behind it; backward, those that end at or before it.
    pub at: Cursor,
    /// Forward, only lines that end at or before it.
    pub end: Option<Cursor>,
}

/// What a [`Selection::step`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The next line, with the number of its store.
    Line(usize, Line),
    /// A part was looked through, of which nothing can be handed out yet.
    Searched,
    /// There is nothing more for now.
    End,
}

/// The lines of several stores that a [`Filter`] wants, merged by time: lines of one time in the order of the stores,
/// and those of one store in their own. Backward is the same sequence from its end.
///
/// Each step looks through a few blocks at most, on several threads where little is found in them, so that who has no
/// more time can stop between two, and go on at [`Selection::cursors`] later. It holds what was found in the last blocks of
/// each store: of few, unless what is wanted stands close together behind much of which nothing was.
#[derive(Debug)]
pub struct Selection {
    direction: Direction,
    ahead: Ahead,
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    blocks: Blocks,
    /// Nothing is left to look through.
    over: bool,
    /// Wanted lines in the direction's order.
    queue: VecDeque<Line>,
    /// Going on here gives what was not handed out.
    at: Cursor,
    /// Where the line ended that was handed out last.
    last: Option<Cursor>,
}

impl Selection {
    /// What `filter` wants of the stores, from their places on.
    ///
    /// # Errors
    /// A folder can't be listed.
    pub fn new(
        starts: Vec<Start>,
        direction: Direction,
        filter: Filter,
        options: ReaderOptions,
    ) -> io::Result<Self> {
        let range = Range { since: filter.since, until: filter.until, run: filter.run };
        let records = if filter.is_selective() { SEARCH_RECORDS } else { READ_RECORDS };
        let open = |start| {
            let blocks = Blocks::new(start, direction, range, records)?;
            let at = blocks.start();
            io::Result::Ok(Source { blocks, over: false, queue: VecDeque::new(), at, last: None })
        };
        let sources = starts.into_iter().map(open).collect::<io::Result<_>>()?;
        Ok(Self { direction, ahead: Ahead::new(filter, options), sources })
    }

    /// The next line, or some blocks less to look through.
    ///
    /// # Errors
    /// A file can't be read.
    pub fn step(&mut self) -> io::Result<Step> {
        while let Some(number) = self.first() {
            let source = &mut self.sources[number];
            if let Some(line) = source.take(self.direction) {
                return Ok(Step::Line(number, line));
            }
            // That a store has no more is no step: who can make only one at a time would never come further.
            if source.search(self.direction, &mut self.ahead)? {
                return Ok(Step::Searched);
            }
        }
        Ok(Step::End)
    }

    /// The store whose line, or what is not looked through of it, comes first.
    fn first(&self) -> Option<usize> {
        let key = |(number, source): (usize, &Source)| Some((source.key()?, number));
        let keys = self.sources.iter().enumerate().filter_map(key);
        let first = match self.direction {
            Direction::Forward => keys.min(),
            Direction::Backward => keys.max(),
        };
        first.map(|(_, number)| number)
    }

    /// Whether [`Selection::cursors`] tell what was handed out from what was not: lines that end at one place, where a
    /// writer was killed within them, are handed out one after the other.
    #[must_use]
    pub fn is_between(&self) -> bool {
        let split = |source: &Source| source.queue.front().is_some_and(|next| Some(next.end) == source.last);
        !self.sources.iter().any(split)
    }

    /// For each store where to go on behind what was handed out, in either direction.
    #[must_use]
    pub fn cursors(&self) -> Vec<Cursor> {
        self.sources.iter().map(|source| source.at).collect()
    }
}

impl Source {
    /// The time of the next line, or what it is not before; `None`: there is no more.
    fn key(&self) -> Option<i64> {
        match self.queue.front() {
            Some(line) => Some(line.time_ns),
            None => (!self.over).then(|| self.blocks.bound()),
        }
    }

    /// Hands out the next line.
    fn take(&mut self, direction: Direction) -> Option<Line> {
        let line = self.queue.pop_front()?;
        self.last = Some(line.end);
        self.at = match (direction, self.queue.front()) {
            (Direction::Forward, _) => line.end,
            (Direction::Backward, Some(next)) => next.end,
            (Direction::Backward, None) => line.end.before(),
        };
        Some(line)
    }

    /// Looks through the next blocks; `false`: there is none.
    fn search(&mut self, direction: Direction, ahead: &mut Ahead) -> io::Result<bool> {
        let mut blocks = Vec::new();
        while blocks.len() < ahead.blocks()
            && let Some(block) = self.blocks.next()?
        {
            blocks.push(block);
        }
        if blocks.is_empty() {
            self.over = true;
            return Ok(false);
        }
        for (block, found) in blocks.iter().zip(ahead.find(&blocks)?) {
            self.queue(direction, block, found);
        }
        Ok(true)
    }

    /// Takes what was found in a block. Whoever goes on before all of it is handed out begins with what is left, so that
    /// the place only moves on while nothing is.
    fn queue(&mut self, direction: Direction, block: &Block, Found { lines, end, .. }: Found) {
        let nothing_left = self.queue.is_empty();
        match direction {
            Direction::Forward => {
                if nothing_left && lines.is_empty() {
                    self.at = self.at.max(end.unwrap_or(self.at));
                }
                self.queue.extend(lines);
            }
            Direction::Backward => {
                if nothing_left {
                    self.at = lines.last().map_or(self.at.min(block.cursor()), |line| line.end);
                }
                self.queue.extend(lines.into_iter().rev());
            }
        }
    }
}
