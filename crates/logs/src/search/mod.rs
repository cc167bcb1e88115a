//! Looking through all that several stores hold, on several threads, with what is found handed out bit by bit.

mod counted;
mod order;
mod tally;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::segments::{list, log_path};
use crate::select::{Direction, Finder, Start};
use crate::{Cursor, Filter, Line, Reader, ReaderOptions};

use counted::Counted;
use order::{Order, Taken};
pub use tally::{Count, Tally};

/// Bytes of found lines that wait to be taken before the search waits too.
const MOST_WAITING: usize = 4 << 20;

/// Bytes of found lines that are taken at once, but for the last of them: whoever takes them sends them on.
const MOST_TAKEN: usize = 2 << 20;

/// What is looked for, and how.
#[derive(Debug, Clone)]
pub struct SearchOptions {
    /// The order of what is found.
    pub direction: Direction,
    /// What is wanted.
    pub filter: Filter,
    /// How lines are read.
    pub reader: ReaderOptions,
    /// Lines to hand out, at most; 0: what is found is only counted.
    pub most: usize,
    /// Count by level, and in parts of time; see [`Tally`].
    pub counts: bool,
    /// Cluster lines into patterns.
    pub patterns: bool,
    /// Equal parts of the time that the stores span; 0: none.
    pub parts: u32,
}

/// What was found since the last [`Search::take`], and how far the search is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// In the order that was asked for, merged by time as by [`crate::Selection`]; each with the number of its store.
    pub lines: Vec<(usize, Line)>,
    /// Lines that matched so far.
    pub matched: u64,
    /// Bytes that were looked through or passed over, and those that there are.
    pub scanned_bytes: u64,
    pub total_bytes: u64,
    /// That was all: nothing more will be found.
    pub done: bool,
}

/// A search, shared by the threads that [`Search::work`] on it and whoever takes what they find.
///
/// Each thread looks through one block of a store after the other, in the order of what is asked for. What it finds
/// waits until nothing that is still looked through can come before it. Memory is bounded by the blocks that are looked
/// through at once, and by what waits to be taken.
pub struct Search {
    options: SearchOptions,
    state: Mutex<State>,
    /// What waits was taken, or the search was stopped.
    room: Condvar,
    stopped: AtomicBool,
    counted: Vec<Counted>,
    total_bytes: u64,
    /// Called when there is something new to take.
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Debug)]
struct State {
    order: Order,
    /// Handed out or waiting to be.
    found: usize,
    ready: VecDeque<(usize, Line)>,
    ready_bytes: usize,
    matched: u64,
    scanned_bytes: u64,
    /// Why the search ended before its time.
    failure: Option<io::Error>,
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Search {
    /// A search of these stores from their places on; nothing happens before somebody works on it. `wake` is called
    /// from the working threads whenever there is something to take.
    ///
    /// # Errors
    /// A folder can't be listed, or a file in it not be read.
    pub fn new(
        starts: Vec<Start>,
        options: SearchOptions,
        wake: Box<dyn Fn() + Send + Sync>,
    ) -> io::Result<Self> {
        let mut total_bytes = 0;
        for start in &starts {
            total_bytes += wanted_bytes(start, &options)?;
        }
        let span = tally::span(&starts, &options)?;
        let counted = starts.iter().map(|_| Counted::new(span)).collect();
        let state = State {
            order: Order::new(starts, options.direction, &options.filter)?,
            found: 0,
            ready: VecDeque::new(),
            ready_bytes: 0,
            matched: 0,
            scanned_bytes: 0,
            failure: None,
        };
        let (room, stopped) = (Condvar::new(), AtomicBool::new(false));
        Ok(Self { options, state: Mutex::new(state), room, stopped, counted, total_bytes, wake })
    }

    /// Works until all is looked through, or the search is stopped. Any number of threads may, each with this call.
    pub fn work(&self) {
        let _stops = StopsOnPanic(self);
        let mut finder = Finder::new(self.options.filter.clone(), self.options.reader);
        while let Some(taken) = self.next_block() {
            if let Err(error) = self.look_through(&taken, &mut finder) {
                self.state().failure.get_or_insert(error);
                self.stop();
            }
        }
        // What waited for a store that turned out to have no more.
        self.state().release(self.options.most);
        self.room.notify_all();
        if self.stopped.load(Ordering::Relaxed) {
            self.counted.iter().for_each(Counted::wake);
        }
        (self.wake)();
    }

    fn look_through(&self, taken: &Taken, finder: &mut Finder) -> io::Result<()> {
        let counts = self.options.counts || self.options.patterns;
        let count_only = !counts && self.state().found >= self.options.most;
        let found = finder.find(&taken.block, count_only)?;
        if counts && let Some(counted) = self.counted.get(taken.number) {
            let turn = self.options.patterns.then_some(taken.before);
            counted.add(&found.lines, turn, &self.stopped);
        }
        let mut state = self.state();
        state.matched += found.matched;
        state.scanned_bytes += taken.block.bytes();
        let left = self.options.most.saturating_sub(state.found);
        let lines = if left == 0 { Vec::new() } else { found.lines };
        state.order.done(taken, lines);
        let ready = state.release(self.options.most);
        drop(state);
        if ready {
            (self.wake)();
        }
        Ok(())
    }

    /// Waits while too much is found and not taken.
    fn next_block(&self) -> Option<Taken> {
        let mut state = self.state();
        loop {
            if self.stopped.load(Ordering::Relaxed) {
                return None;
            }
            if state.ready_bytes <= MOST_WAITING {
                break;
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.order.take().unwrap_or_else(|error| {
            state.failure.get_or_insert(error);
            self.stopped.store(true, Ordering::Relaxed);
            None
        })
    }

    /// Ends the search: the threads that work on it return within a block.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Who is about to wait has the lock, and has seen it, or will be woken.
        drop(self.state());
        self.room.notify_all();
        self.counted.iter().for_each(Counted::wake);
    }

    /// What was found since the last call, or the first part of it.
    ///
    /// # Errors
    /// A file could not be read; the search is over.
    pub fn take(&self) -> io::Result<Progress> {
        let mut state = self.state();
        if let Some(error) = state.failure.take() {
            return Err(error);
        }
        let lines = state.take();
        let stopped = self.stopped.load(Ordering::Relaxed);
        let done = stopped || (state.order.is_over() && state.ready.is_empty());
        let scanned_bytes = if done { self.total_bytes } else { state.scanned_bytes.min(self.total_bytes) };
        let progress =
            Progress { lines, matched: state.matched, scanned_bytes, total_bytes: self.total_bytes, done };
        drop(state);
        self.room.notify_all();
        Ok(progress)
    }

    /// Whether [`Search::take`] has something new.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let state = self.state();
        !state.ready.is_empty()
            || state.failure.is_some()
            || state.order.is_over()
            || self.stopped.load(Ordering::Relaxed)
    }

    /// What was counted of a store so far, by its number.
    #[must_use]
    pub fn tally(&self, number: usize) -> Option<Tally> {
        Some(self.counted.get(number)?.tally())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Others may wait for the block of a thread that does not come to its end.
struct StopsOnPanic<'a>(&'a Search);

impl Drop for StopsOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

impl State {
    /// The first of what is ready.
    fn take(&mut self) -> Vec<(usize, Line)> {
        let (mut lines, mut taken) = (Vec::new(), 0);
        while taken < MOST_TAKEN
            && let Some((number, line)) = self.ready.pop_front()
        {
            taken += held_bytes(&line);
            lines.push((number, line));
        }
        self.ready_bytes -= taken;
        lines
    }

    /// Makes ready what nothing can come before any more. Whether there was any.
    fn release(&mut self, most: usize) -> bool {
        let mut any = self.order.is_over();
        while self.found < most {
            let Some((number, line)) = self.order.release() else { return any };
            self.found += 1;
            self.ready_bytes += held_bytes(&line);
            self.ready.push_back((number, line));
            any = true;
        }
        self.order.forget();
        any
    }
}

fn held_bytes(line: &Line) -> usize {
    line.text.len() + size_of::<Line>()
}

/// Bytes of a store that lie within the time that is asked for, from where the search begins on.
fn wanted_bytes(start: &Start, options: &SearchOptions) -> io::Result<u64> {
    let place = |time_ns| -> io::Result<Cursor> {
        let mut reader = Reader::open(&start.dir)?;
        reader.seek_time(time_ns)?;
        Ok(reader.cursor())
    };
    let Filter { since, until, .. } = &options.filter;
    let (from, until) = match options.direction {
        Direction::Forward => {
            let until = until.map(|until| place(until.saturating_add(1))).transpose()?;
            (start.at, until.or(start.end))
        }
        Direction::Backward => {
            let from = since.map(place).transpose()?;
            (from.unwrap_or(Cursor { segment: 0, offset: 0 }), Some(start.at))
        }
    };
    let bytes = |segment: u32| {
        let length = std::fs::metadata(log_path(&start.dir, segment)).map_or(0, |found| found.len());
        let begin = if segment == from.segment { from.offset } else { 0 };
        let end = until.filter(|until| until.segment == segment).map_or(length, |until| until.offset);
        end.min(length).saturating_sub(begin)
    };
    let last = until.map_or(u32::MAX, |until| until.segment);
    let within = list(&start.dir)?.into_iter().filter(|segment| (from.segment..=last).contains(segment));
    Ok(within.map(bytes).sum())
}
