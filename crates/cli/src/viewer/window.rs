//! The lines at hand: a part of the log, as long as memory allows, with the places where it goes on.

use std::collections::VecDeque;

use forge_api::{LogAnchor, LogLine, LogsRead, LogsReadAnswer};

/// Lines at hand; what is farther away is read again when it is looked at.
const MOST: usize = 20_000;
/// Bytes of text at hand.
const MOST_BYTES: usize = 16 << 20;

/// Bytes of text in a page.
const PAGE_BYTES: usize = 256 << 10;
/// Lines in a page.
const PAGE_LINES: usize = 1000;
/// After so many milliseconds a search through much that does not fit tells how far it is.
const BUDGET_MS: u32 = 200;

/// Where reading goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Cursor(String),
    Anchor(LogAnchor),
    /// The oldest line.
    Beginning,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) line: LogLine,
    /// Lines were passed over before it.
    pub(crate) gap: bool,
}

/// Entries have numbers that never change: what is put before the first one is numbered downwards.
#[derive(Debug)]
pub(crate) struct Window {
    entries: VecDeque<Entry>,
    first: i64,
    bytes: usize,
    before: Place,
    behind: Place,
    /// Behind the last one, lines without an end: as far as they are written.
    partial: Vec<LogLine>,
    /// There is nothing older.
    at_start: bool,
    /// The last one is the newest that there is.
    live: bool,
    /// The line behind is here already: the anchor stands right before it.
    repeated: Option<String>,
    /// Number of the page that is under way, on either side.
    older: Option<u64>,
    newer: Option<u64>,
    /// Pages asked for so far, also by the windows before this one: what they asked for is not for us.
    pages: u64,
}

/// Which side of the window a page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Older,
    Newer,
}

/// A page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) side: Side,
    pub(crate) number: u64,
    pub(crate) request: LogsRead,
}

impl Page {
    /// It waits for what is not written yet.
    pub(crate) fn is_live(&self) -> bool {
        self.side == Side::Newer && self.request.budget_ms.is_none()
    }
}

impl Window {
    /// At the newest lines.
    pub(crate) fn at_tail() -> Self {
        Self::at(Place::Anchor(LogAnchor::End), Place::Anchor(LogAnchor::End), false)
    }

    /// At the oldest line.
    pub(crate) fn at_beginning() -> Self {
        Self::at(Place::Beginning, Place::Beginning, true)
    }

    /// Around a line, or a time.
    pub(crate) fn around(anchor: LogAnchor) -> Self {
        Self::at(Place::Anchor(anchor.clone()), Place::Anchor(anchor), false)
    }

    fn at(before: Place, behind: Place, at_start: bool) -> Self {
        Self {
            entries: VecDeque::new(),
            first: 0,
            bytes: 0,
            before,
            behind,
            partial: Vec::new(),
            at_start,
            live: false,
            repeated: None,
            older: None,
            newer: None,
            pages: 0,
        }
    }

    /// This one, in the place of another.
    pub(crate) fn instead_of(self, other: &Self) -> Self {
        Self { pages: other.pages, ..self }
    }

    pub(crate) fn is_at_start(&self) -> bool {
        self.at_start
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A page is under way that may have more of what was written long ago.
    pub(crate) fn is_reading(&self) -> bool {
        self.older.is_some() || (self.newer.is_some() && !self.live)
    }

    /// Lines without an end, if the last entry is the newest line.
    pub(crate) fn partial(&self) -> &[LogLine] {
        if self.live { &self.partial } else { &[] }
    }

    /// Numbers of the entries: from the first up to and without the last.
    pub(crate) fn ids(&self) -> std::ops::Range<i64> {
        self.first..self.first + i64::try_from(self.entries.len()).unwrap_or(0)
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Entry> {
        self.entries.get(usize::try_from(id - self.first).ok()?)
    }

    /// The number of a line.
    pub(crate) fn find(&self, anchor: &LogAnchor) -> Option<i64> {
        let index = self.entries.iter().position(|entry| anchor_of(&entry.line) == *anchor)?;
        Some(self.first + i64::try_from(index).ok()?)
    }

    /// The next page of older lines, unless one is under way or there are none.
    pub(crate) fn ask_older(&mut self, lines: usize) -> Option<Page> {
        if self.at_start || self.older.is_some() {
            return None;
        }
        self.pages += 1;
        self.older = Some(self.pages);
        let mut request = request(&self.before);
        request.backward = true;
        request.max_lines = Some(lines.min(PAGE_LINES));
        request.budget_ms = Some(BUDGET_MS);
        Some(Page { side: Side::Older, number: self.pages, request })
    }

    /// The next page of newer lines, unless one is under way. At the end it comes when there is more.
    pub(crate) fn ask_newer(&mut self) -> Option<Page> {
        // Until the tail was found nobody knows what is behind it.
        let unknown = self.behind == Place::Anchor(LogAnchor::End) && !self.live;
        if self.newer.is_some() || unknown {
            return None;
        }
        self.pages += 1;
        self.newer = Some(self.pages);
        let mut request = request(&self.behind);
        request.wait = true;
        request.partial = true;
        request.max_lines = Some(PAGE_LINES);
        request.budget_ms = (!self.live).then_some(BUDGET_MS);
        Some(Page { side: Side::Newer, number: self.pages, request })
    }

    /// Nothing is under way any more: the supervisor is gone.
    pub(crate) fn forget_asked(&mut self) {
        (self.older, self.newer) = (None, None);
    }

    /// A page that did not come.
    pub(crate) fn failed(&mut self, side: Side, number: u64) {
        let asked = if side == Side::Older { &mut self.older } else { &mut self.newer };
        if *asked == Some(number) {
            *asked = None;
        }
    }

    /// Takes a page: how many lines came at the end. `None`: it is one that nobody waits for any more.
    pub(crate) fn take(&mut self, side: Side, number: u64, answer: LogsReadAnswer) -> Option<usize> {
        match side {
            Side::Older if self.older == Some(number) => {
                self.older = None;
                self.prepend(answer);
                Some(0)
            }
            Side::Newer if self.newer == Some(number) => {
                self.newer = None;
                Some(self.append(answer))
            }
            _ => None,
        }
    }

    fn prepend(&mut self, answer: LogsReadAnswer) {
        self.at_start = answer.at_end;
        if self.behind == Place::Anchor(LogAnchor::End) {
            self.behind = Place::Cursor(answer.next);
            self.live = true;
        }
        self.before = Place::Cursor(answer.cursor);
        for (index, line) in answer.lines.into_iter().enumerate().rev() {
            self.bytes += line.text.len();
            self.entries.push_front(Entry { line, gap: answer.gaps.contains(&index) });
            self.first -= 1;
        }
        // The newest ones go: who looks at old lines finds them again below.
        while self.is_full() {
            let Some(entry) = self.entries.pop_back() else { break };
            self.bytes -= entry.line.text.len();
            self.live = false;
            self.newer = None;
            if let Some(last) = self.entries.back() {
                self.behind = Place::Anchor(anchor_of(&last.line));
                self.repeated = Some(last.line.at.clone());
            }
        }
    }

    fn append(&mut self, answer: LogsReadAnswer) -> usize {
        self.live = answer.at_end;
        self.behind = Place::Cursor(answer.cursor);
        self.partial = answer.partial;
        let mut lines = answer.lines;
        let mut skipped = 0;
        // A page may come to its time before it comes to a line.
        if let Some(first) = lines.first()
            && self.repeated.take().is_some_and(|known| known == first.at)
        {
            lines.remove(0);
            skipped = 1;
        }
        let count = lines.len();
        for (index, line) in lines.into_iter().enumerate() {
            self.bytes += line.text.len();
            self.entries.push_back(Entry { line, gap: answer.gaps.contains(&(index + skipped)) });
        }
        count
    }

    /// More than is kept of what nobody looks at.
    fn is_full(&self) -> bool {
        self.is_beyond(1)
    }

    /// More than is read on while somebody looks at other lines.
    pub(crate) fn is_overfull(&self) -> bool {
        self.is_beyond(2)
    }

    fn is_beyond(&self, times: usize) -> bool {
        self.entries.len() > MOST * times || (self.bytes > MOST_BYTES * times && self.entries.len() > 1)
    }

    /// The oldest ones go: who follows finds them again above.
    pub(crate) fn trim_front(&mut self) {
        while self.is_full() {
            let Some(entry) = self.entries.pop_front() else { return };
            self.bytes -= entry.line.text.len();
            self.first += 1;
            self.at_start = false;
            self.older = None;
            if let Some(first) = self.entries.front() {
                self.before = Place::Anchor(anchor_of(&first.line));
            }
        }
    }

    /// Shows nothing of what there is. It is still there, above.
    pub(crate) fn clear(&mut self) {
        if let Some(last) = self.entries.back() {
            // Right behind the last line: the cursor says so exactly, where there is one.
            self.before = match &self.behind {
                Place::Cursor(cursor) => Place::Cursor(cursor.clone()),
                _ => Place::Anchor(LogAnchor::Time(last.line.time)),
            };
        }
        self.first = self.ids().end;
        self.entries.clear();
        self.bytes = 0;
        self.at_start = false;
        self.older = None;
    }
}

/// The place right before a line.
pub(crate) fn anchor_of(line: &LogLine) -> LogAnchor {
    LogAnchor::Line {
        environment: line.environment.clone(),
        process: line.process.clone(),
        at: line.at.clone(),
    }
}

fn request(place: &Place) -> LogsRead {
    let (cursor, anchor) = match place {
        Place::Cursor(cursor) => (Some(cursor.clone()), None),
        Place::Anchor(anchor) => (None, Some(anchor.clone())),
        Place::Beginning => (None, None),
    };
    LogsRead { cursor, anchor, max_bytes: Some(PAGE_BYTES), ..LogsRead::default() }
}
