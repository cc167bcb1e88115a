//! A flood of lines that tell the same does not flood the history: of each kind a few are told as they come, and the
//! others together, with their number.
//!
//! By the times of the lines, not by when they are looked at: who reads them again gathers the same.

use std::collections::BTreeMap;

use forge_api::Time;
use forge_logs::events::Told;
use forge_logs::{Cursor, Level, Line};

/// What is told of one kind within this time is told together.
const WINDOW_NS: i64 = 10_000_000_000;

/// Of each kind, so many are told at once.
const AT_ONCE: u64 = 3;

/// Bytes of a text that an event keeps.
const EXCERPT: usize = 1024;

/// What becomes an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happening {
    pub level: Level,
    pub title: String,
    pub text: String,
    pub time: Time,
    /// Where the line ends.
    pub at: Cursor,
}

#[derive(Debug, Default)]
pub(super) struct Windows {
    open: BTreeMap<usize, Window>,
}

#[derive(Debug)]
struct Window {
    from_ns: i64,
    /// Where its first line begins.
    start: Cursor,
    told: u64,
    /// Not told yet, and the last of them.
    more: u64,
    last: Option<Happening>,
}

impl Windows {
    /// Takes what a line tells; returns it if it is to be told at once.
    pub(super) fn take(&mut self, told: Told, line: &Line) -> Option<Happening> {
        let rule = told.rule;
        let mut happening = super::happening(told, line);
        happening.title = excerpt(&happening.title);
        happening.text = excerpt(&happening.text);
        let window = self.open.entry(rule).or_insert(Window {
            from_ns: line.time_ns,
            start: line.cursor,
            told: 0,
            more: 0,
            last: None,
        });
        if window.told < AT_ONCE {
            window.told += 1;
            return Some(happening);
        }
        window.more += 1;
        window.last = Some(happening);
        None
    }

    /// What was gathered in windows that are over.
    pub(super) fn due(&mut self, now_ns: i64) -> Vec<Happening> {
        if self.end_ns().is_none_or(|end| end > now_ns) {
            return Vec::new();
        }
        let over = self.open.extract_if(.., |_, window| window.end_ns() <= now_ns);
        let mut gathered: Vec<Happening> = over.filter_map(|(_, window)| window.gathered()).collect();
        gathered.sort_by_key(|happening| (happening.time, happening.at));
        gathered
    }

    /// When the next window is over.
    pub(super) fn end_ns(&self) -> Option<i64> {
        self.open.values().map(Window::end_ns).min()
    }

    /// Where the first line stands that is still being gathered.
    pub(super) fn start(&self) -> Option<Cursor> {
        self.open.values().map(|window| window.start).min()
    }

    /// From where on lines must be read again by who comes after one that stands at `here`.
    pub(super) fn resume(&self, here: Cursor) -> Cursor {
        self.start().map_or(here, |start| start.min(here))
    }
}

impl Window {
    fn end_ns(&self) -> i64 {
        self.from_ns.saturating_add(WINDOW_NS)
    }

    fn gathered(self) -> Option<Happening> {
        let mut last = self.last?;
        if self.more > 1 {
            let text = if last.text.is_empty() { &last.title } else { &last.text };
            last.text = format!("{} more, the last: {text}", self.more);
        }
        Some(last)
    }
}

fn excerpt(text: &str) -> String {
    if text.len() <= EXCERPT {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(EXCERPT)])
}

#[cfg(test)]
mod tests {
    use forge_logs::Stream;
    use forge_logs::events::What;

    use super::*;

    fn line(number: u64, seconds: i64) -> Line {
        let at = |offset| Cursor { segment: 1, offset };
        Line {
            time_ns: seconds * 1_000_000_000,
            stream: Stream::Stdout,
            run: 1,
            level: None,
            text: Vec::new(),
            omitted: 0,
            partial: false,
            cursor: at(number * 10),
            end: at(number * 10 + 10),
        }
    }

    fn told(rule: usize, text: &str) -> Told {
        let (what, level) = (What::Event, Level::Info);
        Told { rule, what, level, title: format!("rule {rule}"), text: text.to_owned() }
    }

    #[test]
    fn a_flood_is_told_by_its_first_lines_and_a_count() {
        let mut windows = Windows::default();
        let mut texts = Vec::new();
        for number in 0..1000 {
            let line = line(number, 100);
            texts.extend(windows.take(told(7, &format!("line {number}")), &line).map(|one| one.text));
        }
        assert_eq!(texts, ["line 0", "line 1", "line 2"], "at once");
        assert_eq!(windows.due(109_999_999_999), [], "not over yet");
        let gathered = windows.due(110_000_000_000);
        let shown: Vec<&str> = gathered.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(shown, ["997 more, the last: line 999"], "every line is counted");
        assert_eq!(gathered[0].at, line(999, 0).end, "the place is that of the last");
        assert_eq!(windows.end_ns(), None, "nothing is left");
    }

    #[test]
    fn kinds_are_gathered_apart_and_read_again_from_the_first_of_them() {
        let mut windows = Windows::default();
        let here = line(9, 0).end;
        assert_eq!(windows.resume(here), here, "nothing is being gathered");
        assert!(windows.take(told(1, "a"), &line(3, 100)).is_some(), "one kind");
        assert!(windows.take(told(2, "b"), &line(4, 105)).is_some(), "another");
        assert_eq!(windows.resume(here), line(3, 0).cursor, "from the first line");
        assert_eq!(windows.due(110_000_000_000), [], "a window that has told all");
        assert_eq!(windows.resume(here), line(4, 0).cursor, "the other is still open");
        for number in 5..9 {
            windows.take(told(2, "b"), &line(number, 106));
        }
        let shown: Vec<String> = windows.due(120_000_000_000).into_iter().map(|one| one.text).collect();
        assert_eq!(shown, ["2 more, the last: b"]);
    }

    #[test]
    fn one_that_is_left_over_is_told_as_it_is_and_long_ones_are_cut() {
        let mut windows = Windows::default();
        let long = "é".repeat(2000);
        for number in 0..4 {
            windows.take(told(1, &long), &line(number, 100));
        }
        let gathered = windows.due(i64::MAX);
        assert_eq!(gathered.len(), 1, "one is left over");
        assert!(gathered[0].text.starts_with('é') && gathered[0].text.len() < 1100, "{}", gathered[0].text);
    }
}
