//! Looking through several blocks at once where little is found in them.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::{Block, Finder, Found};
use crate::{Filter, Line, ReaderOptions};

/// Threads that look through the blocks of one step.
const MOST_THREADS: usize = 4;

/// Blocks of one step, and how long it may take before the next one is shorter: who asked is told, and asks whether
/// there is time for more, only between two.
const MOST_BLOCKS: usize = 64;
const LONG: Duration = Duration::from_millis(8);

/// Where more than this part of what was looked through is wanted, the next page is full before much is read: one block
/// after the other is enough.
const DENSE: u64 = 8;

/// Bytes that a line takes in its store beside its text, about.
const STAMP: u64 = 48;

/// Finds what a filter wants in as many blocks at once as are worth it.
#[derive(Debug)]
pub(super) struct Ahead {
    filter: Filter,
    options: ReaderOptions,
    /// One for each thread, made when it is needed.
    finders: Vec<Finder>,
    blocks: usize,
}

impl Ahead {
    pub(super) fn new(filter: Filter, options: ReaderOptions) -> Self {
        Self { filter, options, finders: Vec::new(), blocks: 1 }
    }

    /// How many blocks to look through in the next step.
    pub(super) fn blocks(&self) -> usize {
        self.blocks
    }

    /// What is found in each block.
    ///
    /// # Errors
    /// A file can't be read.
    pub(super) fn find(&mut self, blocks: &[Block]) -> io::Result<Vec<Found>> {
        let began = Instant::now();
        let threads = threads(blocks.len());
        while self.finders.len() < threads {
            self.finders.push(Finder::new(self.filter.clone(), self.options));
        }
        // Of each `threads` blocks in a row, a thread looks through one: what is costly often lies side by side.
        let share = |finder: &mut Finder, first: usize| -> io::Result<Vec<Found>> {
            blocks.iter().skip(first).step_by(threads).map(|block| finder.find(block, false)).collect()
        };
        let shares: io::Result<Vec<Vec<Found>>> = thread::scope(|scope| {
            let (mine, others) = self.finders.split_at_mut(1);
            let spawn = |(at, finder)| scope.spawn(move || share(finder, at + 1));
            let others: Vec<_> = others.iter_mut().take(threads - 1).enumerate().map(spawn).collect();
            let mine: Vec<_> = mine.iter_mut().map(|finder| share(finder, 0)).collect();
            let joined = others.into_iter().map(|other| match other.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            mine.into_iter().chain(joined).collect()
        });
        let mut shares: Vec<_> = shares?.into_iter().map(Vec::into_iter).collect();
        let found: Vec<Found> = (0..blocks.len()).filter_map(|at| shares[at % threads].next()).collect();
        self.adapt(blocks, &found, began.elapsed());
        Ok(found)
    }

    fn adapt(&mut self, blocks: &[Block], found: &[Found], took: Duration) {
        let looked_through: u64 = blocks.iter().map(Block::bytes).sum();
        let stored = |line: &Line| line.text.len() as u64 + STAMP;
        let wanted: u64 = found.iter().flat_map(|found| &found.lines).map(stored).sum();
        self.blocks = if wanted * DENSE > looked_through {
            1
        } else if took < LONG / 2 {
            (self.blocks * 2).min(MOST_BLOCKS)
        } else if took > LONG {
            (self.blocks / 2).max(1)
        } else {
            self.blocks
        };
    }
}

/// Threads for so many blocks. How many processors there are is asked only for several: it takes a while.
fn threads(blocks: usize) -> usize {
    if blocks < 2 {
        return 1;
    }
    let processors = thread::available_parallelism().map_or(1, usize::from);
    blocks.min(processors).min(MOST_THREADS)
}
