//! Which lines are wanted.

use crate::{Level, Line, Pattern, Stream};

/// What a line must be to be shown; the default wants all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these streams; all if empty.
    pub streams: Vec<Stream>,
    /// At least this level. A line that states none counts as [`Level::Info`], as journald has it for what programs
    /// print.
    pub level_at_least: Option<Level>,
    /// Only these levels; all if empty. A line that states none counts as [`Level::Info`].
    pub levels: Vec<Level>,
    /// Not before this time: nanoseconds since 1970, UTC.
    pub since: Option<i64>,
    /// Not after this time.
    pub until: Option<i64>,
    /// Only this run.
    pub run: Option<u32>,
    /// Found in the text that a person sees. Of a line longer than [`crate::ReaderOptions::max_line`] only that much is
    /// searched.
    pub pattern: Option<Pattern>,
    /// The pattern must *not* be found.
    pub invert: bool,
    /// And so must this: the pattern is looked for among the lines that it leaves.
    pub within: Option<Within>,
}

/// What lines must have, or must not.
#[derive(Debug, Clone)]
pub struct Within {
    pub pattern: Pattern,
    /// The pattern must *not* be found.
    pub invert: bool,
}

impl Filter {
    /// Whether `line` is wanted.
    #[must_use]
    pub fn matches(&self, line: &Line) -> bool {
        self.wants_stream(line.stream)
            && self.wants_time(line.time_ns)
            && self.run.is_none_or(|run| line.run == run)
            && self.wants_level(line.level)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(&line.text) != self.invert)
            && self.is_within(&line.text)
    }

    pub(crate) fn is_within(&self, text: &[u8]) -> bool {
        self.within.as_ref().is_none_or(|within| within.pattern.is_match(text) != within.invert)
    }

    pub(crate) fn wants_stream(&self, stream: Stream) -> bool {
        self.streams.is_empty() || self.streams.contains(&stream)
    }

    pub(crate) fn wants_time(&self, time_ns: i64) -> bool {
        self.since.is_none_or(|since| time_ns >= since) && self.until.is_none_or(|until| time_ns <= until)
    }

    fn wants_level(&self, level: Option<Level>) -> bool {
        let level = level.unwrap_or(Level::Info);
        self.level_at_least.is_none_or(|least| level >= least)
            && (self.levels.is_empty() || self.levels.contains(&level))
    }

    /// Whether a line's level matters.
    pub(crate) fn has_levels(&self) -> bool {
        self.level_at_least.is_some() || !self.levels.is_empty()
    }

    /// Whether most lines may be passed over.
    #[must_use]
    pub fn is_selective(&self) -> bool {
        self.pattern.is_some() || self.within.is_some() || self.has_levels() || !self.streams.is_empty()
    }

    /// The same range of time, run and streams, whatever the lines say: what may surround a line that is wanted.
    #[must_use]
    pub fn surroundings(&self) -> Self {
        let (streams, since, until, run) = (self.streams.clone(), self.since, self.until, self.run);
        Self { streams, since, until, run, ..Self::default() }
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
        let pattern = |text| Some(Pattern::new(text, false, false).unwrap());
        let within = |text, invert| Some(Within { pattern: pattern(text)?, invert });
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
            (Filter { levels: vec![Level::Warn], ..all.clone() }, true, "its level alone"),
            (Filter { levels: vec![Level::Info, Level::Error], ..all.clone() }, false, "other levels alone"),
            (Filter { pattern: pattern("lo+k"), ..all.clone() }, true, "found"),
            (Filter { pattern: pattern("absent"), ..all.clone() }, false, "not found"),
            (Filter { pattern: pattern("look"), invert: true, ..all.clone() }, false, "found and inverted"),
            (
                Filter { pattern: pattern("absent"), invert: true, ..all.clone() },
                true,
                "not found and inverted",
            ),
            (Filter { within: within("out", false), ..all.clone() }, true, "among those with a text"),
            (Filter { within: within("in", false), ..all.clone() }, false, "among others"),
            (Filter { within: within("out", true), ..all.clone() }, false, "among those without it"),
            (Filter { pattern: pattern("look"), within: within("out", false), ..all.clone() }, true, "both"),
            (Filter { pattern: pattern("look"), within: within("in", false), ..all }, false, "one of both"),
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
