//! What a search counts.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::SearchOptions;
use crate::patterns::{Message, Miner, Span};
use crate::select::Start;
use crate::{Level, Line, Reader};

/// Lines between two looks at whether the search was stopped.
const LOOK_EVERY: usize = 256;

/// Lines by level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    pub error: u64,
    pub warn: u64,
    pub info: u64,
    pub debug: u64,
    pub trace: u64,
    /// Those that state no level.
    pub unstated: u64,
}

/// What was counted of one store's lines. Forge's own are not counted.
#[derive(Debug, Clone)]
pub struct Tally {
    span: Span,
    count: Count,
    errors_over_time: Vec<u64>,
    miner: Miner,
}

impl Tally {
    pub(super) fn new(span: Span) -> Self {
        let errors_over_time = vec![0; span.parts as usize];
        Self { span, count: Count::default(), errors_over_time, miner: Miner::new(span) }
    }

    /// Counts lines of programs, in any order.
    pub(super) fn count_lines(&mut self, lines: &[Line]) {
        lines.iter().filter(|line| line.is_program()).for_each(|line| self.add_line(line));
    }

    /// Clusters messages: those of a block after those of the one before it, so that the same search gives the same
    /// patterns each time.
    pub(super) fn cluster(&mut self, messages: &[Message<'_>], stopped: &AtomicBool) {
        for messages in messages.chunks(LOOK_EVERY) {
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            messages.iter().for_each(|message| self.miner.take(message));
        }
    }

    fn add_line(&mut self, line: &Line) {
        let count = &mut self.count;
        *match line.level {
            Some(Level::Error) => &mut count.error,
            Some(Level::Warn) => &mut count.warn,
            Some(Level::Info) => &mut count.info,
            Some(Level::Debug) => &mut count.debug,
            Some(Level::Trace) => &mut count.trace,
            None => &mut count.unstated,
        } += 1;
        if line.level == Some(Level::Error)
            && let Some(part) = self.errors_over_time.get_mut(self.span.part(line.time_ns))
        {
            *part += 1;
        }
    }

    /// Lines by level.
    #[must_use]
    pub fn count(&self) -> Count {
        self.count
    }

    /// Errors in each part of the time.
    #[must_use]
    pub fn errors_over_time(&self) -> &[u64] {
        &self.errors_over_time
    }

    /// The time that the parts divide.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The patterns, if they were asked for: the worst level first, then the most frequent.
    #[must_use]
    pub fn patterns(&self) -> Vec<crate::patterns::Pattern> {
        self.miner.patterns()
    }

    /// Lines of patterns that are not among them, since there were more than are remembered.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.miner.forgotten()
    }
}

/// What is to be clustered of these lines.
pub(super) fn messages<'a>(lines: &'a [Line], stopped: &AtomicBool) -> Vec<Message<'a>> {
    let wanted = lines.chunks(LOOK_EVERY).take_while(|_| !stopped.load(Ordering::Relaxed)).flatten();
    wanted.filter(|line| line.is_program()).filter_map(Message::of).collect()
}

/// The time that is asked for, as far as the stores reach.
pub(super) fn span(starts: &[Start], options: &SearchOptions) -> io::Result<Span> {
    let (mut oldest, mut newest) = (i64::MAX, i64::MIN);
    for start in starts {
        let mut reader = Reader::open(&start.dir)?;
        if let Some(first) = reader.first_time()? {
            oldest = oldest.min(first);
            reader.seek_end()?;
            let last = reader.backward()?.next()?;
            newest = newest.max(last.map_or(first, |line| line.time_ns));
        }
    }
    if oldest > newest {
        return Ok(Span { from_ns: 0, until_ns: 0, parts: options.parts });
    }
    let from_ns = options.filter.since.map_or(oldest, |since| since.max(oldest));
    let until_ns = options.filter.until.map_or(newest, |until| until.min(newest)).max(from_ns);
    Ok(Span { from_ns, until_ns: until_ns.saturating_add(1), parts: options.parts })
}
