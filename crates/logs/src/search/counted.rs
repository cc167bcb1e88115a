//! The tally of one store, that several threads add to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::tally::{Tally, messages};
use crate::Line;
use crate::patterns::Span;

#[derive(Debug)]
pub(super) struct Counted {
    state: Mutex<State>,
    /// The next block may be clustered, or the search was stopped.
    turn: Condvar,
}

#[derive(Debug)]
struct State {
    tally: Tally,
    /// Blocks that are clustered.
    clustered: u64,
}

impl Counted {
    pub(super) fn new(span: Span) -> Self {
        let state = State { tally: Tally::new(span), clustered: 0 };
        Self { state: Mutex::new(state), turn: Condvar::new() }
    }

    /// Counts what was found in a block, and if it has a turn clusters it after those of so many blocks. What each line
    /// alone takes is done before the wait.
    pub(super) fn add(&self, lines: &[Line], turn: Option<u64>, stopped: &AtomicBool) {
        let messages = turn.map(|turn| (turn, messages(lines, stopped)));
        let mut state = self.state();
        state.tally.count_lines(lines);
        let Some((turn, messages)) = messages else { return };
        while state.clustered != turn {
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            state = self.turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.tally.cluster(&messages, stopped);
        state.clustered += 1;
        drop(state);
        self.turn.notify_all();
    }

    /// Wakes those who wait for a turn that does not come any more: the search was stopped.
    pub(super) fn wake(&self) {
        // Who is about to wait has the lock, and has seen it, or will be woken.
        drop(self.state());
        self.turn.notify_all();
    }

    pub(super) fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
