//! From entries to lines: fragments are joined, runs and levels are known.

use super::{Line, ReaderOptions};
use crate::cri::{Entry, Mark};
use crate::index::Track;
use crate::level::{self, Block};
use crate::scan::RawLine;
use crate::{Cursor, Level, Stream};

/// A line whose last fragment has not come.
#[derive(Debug)]
pub(super) struct Pending {
    start: Cursor,
    pub(super) text: Vec<u8>,
    pub(super) omitted: u64,
}

/// What is known where a reader stands.
#[derive(Debug)]
pub(super) struct Joiner {
    max_line: usize,
    track: Track,
    pending: [Option<Pending>; 2],
    /// The blocks of lines that each stream is in.
    blocks: [Block; 2],
}

impl Joiner {
    /// Begins where `track` holds. Of lines that began before, the text up to there is not known here.
    pub(super) fn new(options: &ReaderOptions, track: Track) -> Self {
        let pending =
            track.open.map(|open| open.map(|start| Pending { start, text: Vec::new(), omitted: 0 }));
        Self { max_line: options.max_line, track, pending, blocks: Default::default() }
    }

    /// Takes one line of the file and adds the lines that end with it to `lines`.
    pub(super) fn feed(&mut self, segment: u32, raw: &RawLine<'_>, lines: &mut Vec<Line>) {
        let at = Cursor { segment, offset: raw.offset };
        let end = Cursor { segment, offset: raw.end };
        let Some(entry) = Entry::parse(raw.bytes) else {
            if !raw.bytes.is_empty() {
                lines.push(self.line(Stream::Stdout, Pending::of(at, raw.bytes, self.max_line), end));
            }
            return;
        };
        self.track.time = self.track.time.max(entry.time);
        let Some(index) = entry.stream.index() else {
            return self.feed_own(at, end, &entry, lines);
        };
        if entry.last && self.pending[index].is_none() {
            let line = self.line(entry.stream, Pending::of(at, entry.text, self.max_line), end);
            return lines.push(line);
        }
        let pending = self.pending[index].get_or_insert_with(|| Pending::of(at, b"", self.max_line));
        pending.push(entry.text, self.max_line);
        if entry.last {
            self.close(index, end, lines);
        }
    }

    /// Whether something was fed whose rest is still to come.
    pub(super) fn is_within_line(&self) -> bool {
        self.pending.iter().any(Option::is_some)
    }

    /// A line on the stream `forge`.
    fn feed_own(&mut self, at: Cursor, end: Cursor, entry: &Entry<'_>, lines: &mut Vec<Line>) {
        let mark = Mark::parse(entry.text);
        let open = match mark {
            Some(Mark::Continues { open, .. }) => open,
            Some(_) => [None; 2],
            None => [0, 1].map(|index| self.pending[index].as_ref().map(|pending| pending.start)),
        };
        for (index, open) in open.into_iter().enumerate() {
            match open {
                None => self.close(index, end, lines),
                // It began in a segment that is deleted.
                Some(start) if self.pending[index].is_none() => {
                    self.pending[index] = Some(Pending::of(start, b"", self.max_line));
                }
                Some(_) => {}
            }
        }
        self.track.apply(at, entry);
        // How a segment begins is nothing to show.
        if !matches!(mark, Some(Mark::Continues { .. })) {
            lines.push(self.line(Stream::Forge, Pending::of(at, entry.text, self.max_line), end));
        }
    }

    /// All lines end here: what follows does not continue them.
    pub(super) fn break_lines(&mut self, end: Cursor, lines: &mut Vec<Line>) {
        for index in 0..self.pending.len() {
            self.close(index, end, lines);
        }
        self.track.open = [None; 2];
    }

    /// The lines that are not whole, as far as they are known.
    pub(super) fn partial(&self, end: Cursor) -> Vec<Line> {
        let streams = [Stream::Stdout, Stream::Stderr];
        let pending = streams.into_iter().zip(&self.pending);
        let copy = |(stream, pending): (Stream, &Option<Pending>)| {
            let pending = pending.as_ref()?;
            Some(Line {
                time_ns: self.track.time.as_nanos(),
                stream,
                run: self.track.run,
                level: level::detect(&pending.text),
                text: pending.text.clone(),
                omitted: pending.omitted,
                partial: true,
                cursor: pending.start,
                end,
            })
        };
        pending.filter_map(copy).collect()
    }

    fn close(&mut self, index: usize, end: Cursor, lines: &mut Vec<Line>) {
        if let Some(pending) = self.pending[index].take() {
            let stream = if index == 0 { Stream::Stdout } else { Stream::Stderr };
            let line = self.line(stream, pending, end);
            lines.push(line);
        }
    }

    fn line(&mut self, stream: Stream, whole: Pending, end: Cursor) -> Line {
        Line {
            time_ns: self.track.time.as_nanos(),
            stream,
            run: self.track.run,
            level: self.level(stream, &whole.text),
            text: whole.text,
            omitted: whole.omitted,
            partial: false,
            cursor: whole.start,
            end,
        }
    }

    fn level(&mut self, stream: Stream, text: &[u8]) -> Option<Level> {
        self.blocks[stream.index()?].level(text)
    }
}

impl Pending {
    pub(super) fn of(start: Cursor, text: &[u8], max_line: usize) -> Self {
        let mut new = Self { start, text: Vec::new(), omitted: 0 };
        new.push(text, max_line);
        new
    }

    pub(super) fn push(&mut self, text: &[u8], max_line: usize) {
        let (kept, omitted) = text.split_at(text.len().min(max_line.saturating_sub(self.text.len())));
        self.text.extend_from_slice(kept);
        self.omitted += omitted.len() as u64;
    }
}
