//! Pages of matches with the lines around them.
//!
//! Near a match every line is read, since it may belong to it. Where none came for a while, the next one is looked for as
//! if there were no context, and the reading goes on so far before it as its context reaches.

use std::collections::VecDeque;
use std::io;

use forge_logs::{Cursor, Direction, Line, Step};

use super::bookmark::ContextState;
use super::page::{Anchor, Page, PageEnd, Pager, place_before};
use super::shown::wire_bytes;

/// Lines and bytes that are held for the context of a match that may come; the last line in any case.
pub(super) const MOST_CONTEXT: u32 = 10_000;
const MOST_HELD: usize = 4 << 20;

/// Lines without a match after which the next one is looked for.
pub(super) const QUIET: u32 = 1000;

/// One page, while it is read.
pub(super) struct Surrounded<'a> {
    pager: &'a Pager,
    direction: Direction,
    ends: Option<&'a [Cursor]>,
    state: ContextState,
    page: Page,
    /// Lines that were passed over, a match may come next; each with its log and the place before it.
    held: VecDeque<(usize, Cursor, Line)>,
    held_bytes: usize,
    /// Lines that were passed over in a row.
    quiet: u32,
}

/// What looking for the next match came to.
enum Sought {
    Match,
    /// There is none up to the end.
    End,
    /// None was found in the time that there was.
    Over,
}

impl<'a> Surrounded<'a> {
    pub(super) fn new(
        pager: &'a Pager,
        direction: Direction,
        ends: Option<&'a [Cursor]>,
        state: ContextState,
    ) -> Self {
        let (page, held) = (Page::default(), VecDeque::new());
        Self { pager, direction, ends, state, page, held, held_bytes: 0, quiet: 0 }
    }

    pub(super) fn read(mut self, starts: &[Cursor]) -> io::Result<PageEnd> {
        let Self { pager, direction, ends, .. } = self;
        let surroundings = pager.filter.surroundings();
        let read_on = |starts: &[Cursor]| pager.select(starts, ends, direction, surroundings.clone());
        let mut selection = read_on(starts)?;
        let mut lines = 0;
        loop {
            let is_between = selection.is_between();
            // What is held is read again by who goes on: each page comes further than that.
            let is_over = || lines > pager.context() && pager.is_over();
            if is_between && (pager.is_full(&self.page) || is_over()) {
                return Ok(self.end(selection.cursors(), false));
            }
            if is_between && self.quiet > pager.quiet.max(pager.context()) {
                let places = self.put_back(selection.cursors());
                match self.seek(&places)? {
                    (Sought::Match, places) => selection = read_on(&places)?,
                    (sought, places) => return Ok(self.end(places, matches!(sought, Sought::End))),
                }
            }
            let places = selection.cursors();
            match selection.step()? {
                Step::Line(number, line) => {
                    lines += 1;
                    self.take(number, places[number], line);
                }
                Step::Searched => {}
                Step::End => return Ok(self.end(selection.cursors(), true)),
            }
        }
    }

    fn end(mut self, places: Vec<Cursor>, at_end: bool) -> PageEnd {
        let places = self.put_back(places);
        PageEnd { page: self.page, state: self.state, places, at_end }
    }

    /// What is held may be the context of a match that is still to come: it is read again.
    fn put_back(&mut self, mut places: Vec<Cursor>) -> Vec<Cursor> {
        for (number, place, _) in self.held.drain(..).rev() {
            places[number] = place;
        }
        (self.held_bytes, self.quiet) = (0, 0);
        places
    }

    fn take(&mut self, number: usize, place: Cursor, line: Line) {
        if self.pager.filter.matches(&line) {
            self.lead_in();
            self.page.push(self.pager.show(number, &line));
            self.state.after = self.pager.context();
        } else if self.state.after > 0 {
            self.state.after -= 1;
            self.page.push(self.pager.show(number, &line));
        } else {
            self.hold(number, place, line);
        }
    }

    /// Shows what is held before a match, as much as a message has room for.
    fn lead_in(&mut self) {
        let (mut lead, mut bytes) = (Vec::new(), 0);
        for (number, _, line) in self.held.drain(..).rev() {
            let line = self.pager.show(number, &line);
            bytes += wire_bytes(&line);
            if bytes > MOST_HELD && !lead.is_empty() {
                self.state.passed = true;
                break;
            }
            lead.push(line);
        }
        (self.held_bytes, self.quiet) = (0, 0);
        if std::mem::replace(&mut self.state.shown, true) && std::mem::take(&mut self.state.passed) {
            self.page.gap();
        }
        self.state.passed = false;
        lead.into_iter().rev().for_each(|line| self.page.push(line));
    }

    fn hold(&mut self, number: usize, place: Cursor, line: Line) {
        self.quiet = self.quiet.saturating_add(1);
        self.held_bytes += line.text.len();
        self.held.push_back((number, place, line));
        let most = self.pager.context() as usize;
        while self.held.len() > most || (self.held_bytes > MOST_HELD && self.held.len() > 1) {
            let Some((_, _, passed)) = self.held.pop_front() else { break };
            self.held_bytes -= passed.text.len();
            self.state.passed = true;
        }
    }

    /// Looks for the next match behind `from`; and where to read on.
    fn seek(&self, from: &[Cursor]) -> io::Result<(Sought, Vec<Cursor>)> {
        let filter = self.pager.filter.clone();
        let mut selection = self.pager.select(from, self.ends, self.direction, filter)?;
        let (sought, places) = loop {
            match selection.step()? {
                Step::Line(number, line) => {
                    break (Sought::Match, self.pager.around(number, &line, self.direction)?);
                }
                Step::End => {
                    break (Sought::End, self.pager.lead(selection.cursors(), self.direction)?);
                }
                Step::Searched if self.pager.is_over() && selection.is_between() => {
                    break (Sought::Over, self.pager.lead(selection.cursors(), self.direction)?);
                }
                Step::Searched => {}
            }
        };
        // What lies before `from` was read already.
        let places = places.into_iter().zip(from).map(|(place, from)| match self.direction {
            Direction::Forward => place.max(*from),
            Direction::Backward => place.min(*from),
        });
        Ok((sought, places.collect()))
    }
}

impl Pager {
    /// So far before a line (backward: behind it) that its context and it follow.
    pub(super) fn around(&self, number: usize, line: &Line, direction: Direction) -> io::Result<Vec<Cursor>> {
        // Of lines of one time, those of other logs may stand before it or behind it: they are taken along.
        let time = match direction {
            Direction::Forward => line.time_ns,
            Direction::Backward => line.time_ns.saturating_add(1),
        };
        let mut places = self.anchored(&Anchor::Time(time))?;
        places[number] = match direction {
            Direction::Forward => place_before(line.end),
            Direction::Backward => line.end,
        };
        self.lead(places, direction)
    }

    /// So far before places (backward: behind them) that the context of what follows there lies between.
    fn lead(&self, mut places: Vec<Cursor>, direction: Direction) -> io::Result<Vec<Cursor>> {
        let opposite = match direction {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        };
        let mut selection = self.select(&places, None, opposite, self.filter.surroundings())?;
        let mut left = self.context();
        while left > 0 && !self.is_gone() {
            match selection.step()? {
                Step::Line(number, line) => {
                    left -= 1;
                    places[number] = match direction {
                        Direction::Forward => place_before(line.end),
                        Direction::Backward => line.end,
                    };
                }
                Step::Searched => {}
                Step::End => break,
            }
        }
        Ok(places)
    }
}
