//! Pages of matches with the lines around them.
//!
//! Near a match every line is read, since it may belong to it. Where none came for a while, the next one is looked for as
//! if there were no context, and the reading goes on so far before it as its context reaches.

use std::collections::VecDeque;
use std::io;

use forge_logs::{Cursor, Direction, Line, Step};

use super::bookmark::ContextState;
use super::page::{Anchor, Page, PageEnd, Pager};
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
    /// The page has come further than where it began.
    progressed: bool,
    /// A match was found, and is not shown yet.
    owed: bool,
}

/// Why reading near a match, or looking for the next one, has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// A match was found.
    Match,
    /// None came for a while.
    Quiet,
    /// There is no more.
    End,
    /// The page is full, or its time is over.
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
        Self {
            pager,
            direction,
            ends,
            state,
            page,
            held,
            held_bytes: 0,
            quiet: 0,
            progressed: false,
            owed: false,
        }
    }

    /// Reads on from where the lines begin that were not shown; what lies before `sought` has no match.
    pub(super) fn read(mut self, from: &[Cursor], mut sought: Option<Vec<Cursor>>) -> io::Result<PageEnd> {
        let mut from = from.to_vec();
        loop {
            let mut starts = from.clone();
            if let Some(places) = sought.take() {
                let (ended, places) = self.seek(&from, &places)?;
                if ended != Ended::Match {
                    return Ok(self.end(from, Some(places), ended));
                }
                starts = places;
            }
            let (ended, reached) = self.read_near(&starts)?;
            // Only what is passed over for good need not be read again: a gap would be told otherwise, or not told.
            let is_passed = self.state.passed && !self.held.is_empty();
            from = self.put_back(reached.clone());
            sought = is_passed.then_some(reached);
            if ended != Ended::Quiet {
                return Ok(self.end(from, sought, ended));
            }
        }
    }

    fn end(self, places: Vec<Cursor>, sought: Option<Vec<Cursor>>, ended: Ended) -> PageEnd {
        PageEnd { page: self.page, state: self.state, places, sought, at_end: ended == Ended::End }
    }

    /// Reads line by line. Why it ended, and where.
    fn read_near(&mut self, starts: &[Cursor]) -> io::Result<(Ended, Vec<Cursor>)> {
        let surroundings = self.pager.filter.surroundings();
        let mut selection = self.pager.select(starts, self.ends, self.direction, surroundings)?;
        let quiet = self.pager.quiet.max(self.pager.context());
        loop {
            let places = selection.cursors();
            if selection.is_between() {
                self.progressed |= places != starts;
                if self.is_over() {
                    return Ok((Ended::Over, places));
                }
                if self.quiet > quiet {
                    return Ok((Ended::Quiet, places));
                }
            }
            match selection.step()? {
                Step::Line(number, line) => self.take(number, places[number], line),
                Step::Searched => {}
                Step::End => return Ok((Ended::End, selection.cursors())),
            }
        }
    }

    /// Each page comes further than the one before: what is held and put back does not count, and what was found is shown.
    fn is_over(&self) -> bool {
        let may_end = self.progressed && !self.owed && (self.held.is_empty() || self.state.passed);
        self.pager.is_full(&self.page) || (may_end && self.pager.is_over())
    }

    /// What is held may be the context of a match that is still to come: where it begins.
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
        self.owed = false;
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

    /// Looks for the next match behind `sought`. Of one, where to read on, but not before `from`; else how far it came.
    fn seek(&mut self, from: &[Cursor], sought: &[Cursor]) -> io::Result<(Ended, Vec<Cursor>)> {
        let filter = self.pager.filter.clone();
        let mut selection = self.pager.select(sought, self.ends, self.direction, filter)?;
        loop {
            let places = selection.cursors();
            self.progressed |= places != sought;
            if selection.is_between() && self.progressed && self.pager.is_over() {
                return Ok((Ended::Over, places));
            }
            match selection.step()? {
                Step::Line(number, line) => {
                    self.owed = true;
                    let near = self.pager.around(number, &line, self.direction, from)?;
                    // What was written meanwhile to a log that had no more was not looked at.
                    let unseen = selection.cursors();
                    let places = near.into_iter().zip(unseen).zip(from);
                    let places = places.map(|((near, unseen), from)| match self.direction {
                        Direction::Forward => near.min(unseen).max(*from),
                        Direction::Backward => near.max(unseen).min(*from),
                    });
                    return Ok((Ended::Match, places.collect()));
                }
                Step::End => return Ok((Ended::End, selection.cursors())),
                Step::Searched => {}
            }
        }
    }
}

impl Pager {
    /// So far before a line (backward: behind it) that its context and it follow; what lies before `from` is not wanted.
    pub(super) fn around(
        &self,
        number: usize,
        line: &Line,
        direction: Direction,
        from: &[Cursor],
    ) -> io::Result<Vec<Cursor>> {
        // Of lines of one time, those of other logs may stand before it or behind it: they are taken along.
        let time = match direction {
            Direction::Forward => line.time_ns,
            Direction::Backward => line.time_ns.saturating_add(1),
        };
        let mut places = self.anchored(&Anchor::Time(time))?;
        places[number] = side_of(line, direction);
        self.lead(places, direction, from)
    }

    /// So far before places (backward: behind them) that the context of what follows there lies between.
    fn lead(
        &self,
        mut places: Vec<Cursor>,
        direction: Direction,
        from: &[Cursor],
    ) -> io::Result<Vec<Cursor>> {
        let opposite = match direction {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        };
        let is_beyond = |(at, from): (Cursor, &Cursor)| match direction {
            Direction::Forward => at <= *from,
            Direction::Backward => at >= *from,
        };
        let mut selection = self.select(&places, None, opposite, self.filter.surroundings())?;
        let mut left = self.context();
        while left > 0 && !self.is_gone() {
            match selection.step()? {
                Step::Line(number, line) => {
                    left -= 1;
                    places[number] = side_of(&line, direction);
                }
                // Lines of a stream may be few and far between.
                Step::Searched if selection.cursors().into_iter().zip(from).all(is_beyond) => break,
                Step::Searched => {}
                Step::End => break,
            }
        }
        Ok(places)
    }
}

/// From where a line is read.
fn side_of(line: &Line, direction: Direction) -> Cursor {
    match direction {
        Direction::Forward => line.end.before(),
        Direction::Backward => line.end,
    }
}
