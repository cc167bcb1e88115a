//! Reading from the end towards the beginning, a block of the index at a time.

use std::io;
use std::path::Path;

use super::{Line, ReaderOptions};
use crate::Cursor;
use crate::select::{Blocks, Direction, Range, Start};

/// The lines before a place, the newest first. It holds about one block of 64 KiB.
#[derive(Debug)]
pub struct Backward {
    options: ReaderOptions,
    blocks: Blocks,
    /// The lines of the block, in their order.
    ready: Vec<Line>,
}

impl Backward {
    pub(super) fn new(dir: &Path, options: ReaderOptions, until: Cursor) -> io::Result<Self> {
        let start = Start { dir: dir.to_owned(), at: until, end: None };
        let blocks = Blocks::new(start, Direction::Backward, Range::default(), 1)?;
        Ok(Self { options, blocks, ready: Vec::new() })
    }

    /// The next older line; `None` at the beginning of the store.
    ///
    /// # Errors
    /// A file can't be read.
    #[expect(clippy::should_implement_trait, reason = "an iterator over results would hide what stops it")]
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        while self.ready.is_empty() {
            let Some(block) = self.blocks.next()? else { return Ok(None) };
            (self.ready, _) = block.decode(&self.options)?;
        }
        Ok(self.ready.pop())
    }
}
