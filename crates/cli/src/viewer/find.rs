//! Search, next and previous, next error: in what is at hand, and then in all that was ever written.

use forge_api::{Level, LogAnchor, LogLine, LogsRead, LogsReadAnswer, LogsScan, LogsScanAnswer};

use super::model::{Effect, Question, Viewer};
use super::pattern::Pattern;
use super::scroll::Position;
use super::window::{Entry, anchor_of};

/// After so many milliseconds a look through much tells that it goes on.
const BUDGET_MS: u32 = 200;
/// Lines of a page in which we look ourselves, because the supervisor already looks for something else.
const PAGE_LINES: usize = 1000;
/// Parts of the time over which trends are counted.
const BUCKETS: u32 = 40;

/// What is searched for, and how often it is there.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) pattern: Pattern,
    /// Matches so far, and whether these are all.
    pub(crate) matched: Option<(u64, bool)>,
    scan: Option<u64>,
}

impl Search {
    /// The scan that counts.
    pub(super) const SLOT: &'static str = "search";
}

/// A look through what is not at hand.
#[derive(Debug)]
pub(crate) struct Finding {
    number: u64,
    pub(super) wanted: Wanted,
    backward: bool,
}

/// What a line must be to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Match,
    Error,
}

impl Wanted {
    fn what(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Error => "error",
        }
    }
}

impl Viewer {
    /// Begins a search: the newest match above the end of the screen.
    pub(super) fn search(&mut self, typed: &str) -> Vec<Effect> {
        if typed.is_empty() {
            self.search = None;
            return Vec::new();
        }
        let pattern = match Pattern::parse(typed) {
            Ok(pattern) => pattern,
            Err(why) => {
                self.complain(why);
                return Vec::new();
            }
        };
        self.search = Some(Search { pattern: pattern.clone(), matched: None, scan: None });
        self.mark = None;
        let mut effects = self.find(Wanted::Match, true);
        let mut query = self.query();
        if query.grep.is_none() {
            pattern.ask(&mut query);
            let scan = LogsScan { query, slot: Search::SLOT.to_owned(), ..LogsScan::default() };
            effects.push(Effect::Ask(Question::Scan(Box::new(scan))));
        }
        effects
    }

    /// The next one from the marked line on, else from the end of the screen; `backward`: older.
    pub(super) fn find(&mut self, wanted: Wanted, backward: bool) -> Vec<Effect> {
        if wanted == Wanted::Match && self.search.is_none() {
            self.say("nothing is searched for: / searches".to_owned());
            return Vec::new();
        }
        let ids = self.window.ids();
        let fits = |id: &i64| self.window.get(*id).is_some_and(|entry| self.fits(wanted, &entry.line));
        let found = match (self.mark, backward) {
            (Some(mark), false) => (mark + 1..ids.end).find(fits),
            (Some(mark), true) => (ids.start..mark).rev().find(fits),
            // At first the newest one that one may have seen, whichever way was asked for.
            (None, _) => (ids.start..self.on_screen().end).rev().find(fits),
        };
        if let Some(id) = found {
            self.mark_at_screen(id);
            return Vec::new();
        }
        let backward = backward || self.mark.is_none();
        let over = if backward { self.window.is_at_start() } else { self.window.is_live() };
        if over {
            self.not_found(wanted, backward);
            return Vec::new();
        }
        let edge = if backward { ids.start } else { ids.end - 1 };
        let anchor = self.window.get(edge).map_or(LogAnchor::End, |entry| anchor_of(&entry.line));
        self.look_farther(wanted, backward, LogsRead { anchor: Some(anchor), ..LogsRead::default() })
    }

    fn fits(&self, wanted: Wanted, line: &LogLine) -> bool {
        match wanted {
            Wanted::Error => line.level == Some(Level::Error),
            Wanted::Match => self
                .search
                .as_ref()
                .is_some_and(|search| search.pattern.is_match(&super::layout::shown(line))),
        }
    }

    fn not_found(&mut self, wanted: Wanted, backward: bool) {
        let what = wanted.what();
        let (older, newer) = match wanted {
            Wanted::Match => ("N", "n"),
            Wanted::Error => ("E", "e"),
        };
        let text = match (self.mark.is_some(), backward) {
            (false, _) => format!("no {what}"),
            (true, true) => format!("no older {what}: {newer} goes to newer ones"),
            (true, false) => format!("no newer {what}: {older} goes to older ones"),
        };
        self.say(text);
    }

    fn look_farther(&mut self, wanted: Wanted, backward: bool, from: LogsRead) -> Vec<Effect> {
        let number = self.next_number();
        self.finding = Some(Finding { number, wanted, backward });
        let mut query = self.query();
        let mut lines = 2;
        match (wanted, &self.search) {
            (Wanted::Error, _) => query.levels = vec![Level::Error],
            (Wanted::Match, Some(search)) if query.grep.is_none() => search.pattern.ask(&mut query),
            // Two questions cannot be asked at once.
            (Wanted::Match, _) => lines = PAGE_LINES,
        }
        query.context = 0;
        let request = LogsRead {
            query,
            backward,
            max_lines: Some(lines),
            budget_ms: Some(BUDGET_MS),
            wait: false,
            ..from
        };
        vec![Effect::Ask(Question::Find { number, request: Box::new(request) })]
    }

    /// A page of what a look farther away found.
    pub(super) fn found(&mut self, number: u64, answer: &LogsReadAnswer) -> Vec<Effect> {
        let Some(finding) = self.finding.take_if(|finding| finding.number == number) else {
            return Vec::new();
        };
        let (wanted, backward) = (finding.wanted, finding.backward);
        // Pages begin at the edge of what is at hand, and may hold a line of it.
        let fits = |line: &&LogLine| self.fits(wanted, line) && self.window.find(&anchor_of(line)).is_none();
        let found =
            if backward { answer.lines.iter().rev().find(fits) } else { answer.lines.iter().find(fits) };
        if let Some(line) = found {
            self.open_around(anchor_of(line));
            return Vec::new();
        }
        if answer.at_end {
            self.not_found(wanted, backward);
            return Vec::new();
        }
        let cursor = Some(answer.cursor.clone());
        self.look_farther(wanted, backward, LogsRead { cursor, ..LogsRead::default() })
    }

    /// The line is marked, and on the screen.
    fn mark_at_screen(&mut self, id: i64) {
        self.mark = Some(id);
        if self.position == Position::Follow {
            self.pause();
        }
        self.held = None;
        let screen = self.on_screen();
        if id < screen.start || id + 1 >= screen.end {
            self.position = Position::Centre(id);
        }
    }

    /// The marked line, or the last one on the screen.
    pub(super) fn marked(&self) -> Option<&Entry> {
        self.window.get(self.mark?)
    }

    /// Counts errors and warnings over time, of all that the filter lets through.
    pub(super) fn count_trends(&mut self) -> Vec<Effect> {
        self.trends = None;
        self.trends_scan = None;
        let scan = LogsScan {
            query: self.query(),
            slot: "trends".to_owned(),
            counts: true,
            buckets: BUCKETS,
            ..LogsScan::default()
        };
        vec![Effect::Ask(Question::Scan(Box::new(scan)))]
    }

    pub(super) fn scan_started(&mut self, slot: &str, id: u64) -> Vec<Effect> {
        match &mut self.search {
            Some(search) if slot == Search::SLOT => search.scan = Some(id),
            _ => self.trends_scan = Some(id),
        }
        vec![Effect::Ask(Question::ScanNext(id))]
    }

    pub(super) fn scanned(&mut self, id: u64, answer: Box<LogsScanAnswer>) -> Vec<Effect> {
        let done = answer.done;
        match &mut self.search {
            Some(search) if search.scan == Some(id) => search.matched = Some((answer.matched, done)),
            _ if self.trends_scan == Some(id) => self.trends = Some(answer),
            _ => return Vec::new(),
        }
        if done { Vec::new() } else { vec![Effect::Ask(Question::ScanNext(id))] }
    }
}
