//! Several processes' lines as one sequence.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;

use crate::{Cursor, Line, Reader};

/// Bytes that are read of one process at a time.
const READ_BYTES: usize = 64 * 1024;

/// Merges the lines of several readers by time; lines of one time come in the order of the readers, and those of one
/// reader in their own.
///
/// Like a [`Reader`] it can be read again at its end. Lines that come there are merged among themselves: one that
/// reaches its file after a later one of another process was handed out comes after it.
#[derive(Debug)]
pub struct Merge {
    sources: Vec<Source>,
    /// The time and the source of each source's first line.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
}

/// What one [`Merge::read`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedBatch {
    /// The lines, each with the number of its reader.
    pub lines: Vec<(usize, Line)>,
    /// There is nothing more for now.
    pub at_end: bool,
    /// The readers of which something was deleted before it could be read.
    pub gaps: Vec<usize>,
}

#[derive(Debug)]
struct Source {
    reader: Reader,
    queue: VecDeque<Line>,
    cursor: Cursor,
}

impl Merge {
    /// Merges from where each reader stands.
    #[must_use]
    pub fn new(readers: Vec<Reader>) -> Self {
        let source = |reader: Reader| Source { cursor: reader.cursor(), reader, queue: VecDeque::new() };
        Self { sources: readers.into_iter().map(source).collect(), heads: BinaryHeap::new() }
    }

    /// Reads on for about `max_bytes` of text.
    ///
    /// # Errors
    /// A file can't be read. No line is lost by it: reading can be tried again.
    pub fn read(&mut self, max_bytes: usize) -> io::Result<MergedBatch> {
        let mut batch = MergedBatch { lines: Vec::new(), at_end: false, gaps: Vec::new() };
        for source in 0..self.sources.len() {
            self.fill(source, &mut batch.gaps)?;
        }
        let mut used = 0;
        while used < max_bytes.max(1) {
            let Some(Reverse((_, number))) = self.heads.pop() else {
                batch.at_end = true;
                break;
            };
            let source = &mut self.sources[number];
            if let Some(line) = source.queue.pop_front() {
                source.cursor = line.end;
                used = used.saturating_add(line.text.len() + 1);
                batch.lines.push((number, line));
            }
            if let Some(next) = source.queue.front() {
                self.heads.push(Reverse((next.time_ns, number)));
            } else if self.fill(number, &mut batch.gaps).is_err() {
                // The next call meets the error again, with nothing in hand.
                break;
            }
        }
        Ok(batch)
    }

    /// Where each reader goes on behind the lines that were handed out.
    #[must_use]
    pub fn cursors(&self) -> Vec<Cursor> {
        self.sources.iter().map(|source| source.cursor).collect()
    }

    /// The lines that are stored in part at the end of each process's store: see [`Reader::partial`].
    ///
    /// # Errors
    /// A file can't be read.
    pub fn partial(&self) -> io::Result<Vec<(usize, Line)>> {
        let mut lines = Vec::new();
        for (number, source) in self.sources.iter().enumerate().filter(|(_, source)| source.queue.is_empty())
        {
            lines.extend(source.reader.partial()?.into_iter().map(|line| (number, line)));
        }
        Ok(lines)
    }

    /// The readers, in their order.
    pub fn readers(&self) -> impl Iterator<Item = &Reader> {
        self.sources.iter().map(|source| &source.reader)
    }

    /// Reads on in a source whose lines are all handed out.
    fn fill(&mut self, number: usize, gaps: &mut Vec<usize>) -> io::Result<()> {
        let source = &mut self.sources[number];
        while source.queue.is_empty() {
            let batch = source.reader.read(READ_BYTES)?;
            if batch.gap {
                gaps.push(number);
            }
            if batch.lines.is_empty() {
                source.cursor = batch.next;
            }
            source.queue.extend(batch.lines);
            if let Some(first) = source.queue.front() {
                self.heads.push(Reverse((first.time_ns, number)));
            } else if batch.at_end {
                break;
            }
        }
        Ok(())
    }
}
