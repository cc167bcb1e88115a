//! Which block is looked through next, and when what was found in one may be handed out.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::io;

use crate::select::{Block, Blocks, Direction, Range, SEARCH_RECORDS, Start};
use crate::{Cursor, Filter, Line};

/// The place of a line in the merged order: time, store, and place in the store.
type Key = (i64, usize, Cursor);

/// A block to look through.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) number: usize,
    pub(super) block: Block,
    /// Blocks that were taken of its store before it.
    pub(super) before: u64,
    ticket: u64,
}

#[derive(Debug)]
struct Source {
    blocks: Blocks,
    over: bool,
    taken: u64,
    /// What was taken of it lies before this place (backward: behind it).
    at: Cursor,
}

#[derive(Debug)]
pub(super) struct Order {
    direction: Direction,
    sources: Vec<Source>,
    /// What is looked through now: a ticket, and what its lines are not before.
    pending: Vec<(u64, Key)>,
    tickets: u64,
    found: BinaryHeap<Entry>,
}

/// A line that was found and may have to wait, the next one the greatest.
#[derive(Debug)]
struct Entry {
    direction: Direction,
    key: Key,
    /// Lines of one key in the order in which they were found.
    sequence: usize,
    line: Line,
}

impl Order {
    pub(super) fn new(starts: Vec<Start>, direction: Direction, filter: &Filter) -> io::Result<Self> {
        let range = Range { since: filter.since, until: filter.until, run: filter.run };
        let open = |start| {
            let blocks = Blocks::new(start, direction, range, SEARCH_RECORDS)?;
            let at = blocks.start();
            io::Result::Ok(Source { blocks, over: false, taken: 0, at })
        };
        let sources = starts.into_iter().map(open).collect::<io::Result<_>>()?;
        Ok(Self { direction, sources, pending: Vec::new(), tickets: 0, found: BinaryHeap::new() })
    }

    /// The next block to look through; `None`: there is none any more.
    pub(super) fn take(&mut self) -> io::Result<Option<Taken>> {
        while let Some(key) = self.rest() {
            let number = key.1;
            let source = &mut self.sources[number];
            let Some(block) = source.blocks.next()? else {
                source.over = true;
                continue;
            };
            let (start, end) = (block.cursor(), block.end_cursor());
            let (bound, next) = match self.direction {
                Direction::Forward => ((block.times().0, number, start), end),
                // Nothing in it is newer than what its store had left.
                Direction::Backward => ((key.0, number, end), start),
            };
            source.at = next;
            let before = source.taken;
            source.taken += 1;
            self.tickets += 1;
            self.pending.push((self.tickets, bound));
            return Ok(Some(Taken { number, block, before, ticket: self.tickets }));
        }
        Ok(None)
    }

    /// What is not looked through yet comes behind this.
    fn rest(&self) -> Option<Key> {
        let left = self.sources.iter().enumerate().filter(|(_, source)| !source.over);
        let keys = left.map(|(number, source)| (source.blocks.bound(), number, source.at));
        self.first(keys)
    }

    fn first(&self, keys: impl Iterator<Item = Key>) -> Option<Key> {
        match self.direction {
            Direction::Forward => keys.min(),
            Direction::Backward => keys.max(),
        }
    }

    /// A block was looked through.
    pub(super) fn done(&mut self, taken: &Taken, lines: Vec<Line>) {
        self.pending.retain(|(ticket, _)| *ticket != taken.ticket);
        let direction = self.direction;
        self.found.extend(lines.into_iter().enumerate().map(|(sequence, line)| Entry {
            direction,
            key: (line.time_ns, taken.number, line.end),
            sequence,
            line,
        }));
    }

    /// The next line that nothing can come before any more.
    pub(super) fn release(&mut self) -> Option<(usize, Line)> {
        let key = self.found.peek()?.key;
        let limit = self.first(self.pending.iter().map(|(_, key)| *key).chain(self.rest()));
        let free = limit.is_none_or(|limit| match self.direction {
            Direction::Forward => key <= limit,
            Direction::Backward => key >= limit,
        });
        let entry = if free { self.found.pop()? } else { return None };
        Some((entry.key.1, entry.line))
    }

    /// What was found and not released is not wanted any more.
    pub(super) fn forget(&mut self) {
        self.found.clear();
    }

    /// All is looked through.
    pub(super) fn is_over(&self) -> bool {
        self.pending.is_empty() && self.found.is_empty() && self.sources.iter().all(|source| source.over)
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = (self.key, self.sequence).cmp(&(other.key, other.sequence));
        match self.direction {
            Direction::Forward => order.reverse(),
            Direction::Backward => order,
        }
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}
