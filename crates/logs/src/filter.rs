//! Which lines are wanted.

use regex::bytes::Regex;

use crate::{Level, Line, Stream};

/// What a line must be to be shown; the default wants all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these streams; all if empty.
    pub streams: Vec<Stream>,
    /// At least this level. A line that states none counts as [`Level::Info`], as journald has it for what programs
    /// print.
    pub level_at_least: Option<Level>,
    /// Not before this time: nanoseconds since 1970, UTC.
    pub since: Option<i64>,
    /// Not after this time.
    pub until: Option<i64>,
    /// Only this run.
    pub run: Option<u32>,
    /// Found in the text. Of a line longer than [`crate::ReaderOptions::max_line`] only that much is searched.
    pub regex: Option<Regex>,
    /// The regex must *not* be found.
    pub invert: bool,
}

impl Filter {
    /// Whether `line` is wanted.
    #[must_use]
    pub fn matches(&self, line: &Line) -> bool {
        (self.streams.is_empty() || self.streams.contains(&line.stream))
            && self.since.is_none_or(|since| line.time_ns >= since)
            && self.until.is_none_or(|until| line.time_ns <= until)
            && self.run.is_none_or(|run| line.run == run)
            && self.level_at_least.is_none_or(|least| line.level.unwrap_or(Level::Info) >= least)
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(&line.text) != self.invert)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cursor;

    fn line(text: &str, level: Option<Level>) -> Line {
        let cursor = Cursor { segment: 1, offset: 0 };
        let text = text.as_bytes().to_vec();
        let stream = Stream::Stderr;
        Line { time_ns: 100, stream, run: 3, level, text, omitted: 0, partial: false, cursor, end: cursor }
    }

    #[test]
    fn each_condition_can_refuse_a_line() {
        let regex = |pattern| Some(Regex::new(pattern).unwrap());
        let all = Filter::default();
        let table = [
            (all.clone(), true, "no condition"),
            (Filter { streams: vec![Stream::Stderr], ..all.clone() }, true, "its stream"),
            (Filter { streams: vec![Stream::Stdout], ..all.clone() }, false, "another stream"),
            (Filter { since: Some(100), until: Some(100), ..all.clone() }, true, "its time"),
            (Filter { since: Some(101), ..all.clone() }, false, "too early"),
            (Filter { until: Some(99), ..all.clone() }, false, "too late"),
            (Filter { run: Some(3), ..all.clone() }, true, "its run"),
            (Filter { run: Some(2), ..all.clone() }, false, "another run"),
            (Filter { level_at_least: Some(Level::Warn), ..all.clone() }, true, "its level"),
            (Filter { level_at_least: Some(Level::Error), ..all.clone() }, false, "not grave enough"),
            (Filter { regex: regex("lo+k"), ..all.clone() }, true, "found"),
            (Filter { regex: regex("absent"), ..all.clone() }, false, "not found"),
            (Filter { regex: regex("look"), invert: true, ..all.clone() }, false, "found and inverted"),
            (Filter { regex: regex("absent"), invert: true, ..all }, true, "not found and inverted"),
        ];
        for (filter, expected, why) in table {
            assert_eq!(filter.matches(&line("look out", Some(Level::Warn))), expected, "{why}");
        }
    }

    #[test]
    fn a_line_without_level_counts_as_info() {
        let at_least = |level| Filter { level_at_least: Some(level), ..Filter::default() };
        assert!(at_least(Level::Info).matches(&line("plain", None)), "info shows it");
        assert!(!at_least(Level::Warn).matches(&line("plain", None)), "warn does not");
    }
}
