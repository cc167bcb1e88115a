//! Finding what a filter wants in a block without decoding all of it.
//!
//! Most lines of most logs are entries of their own and look as they are stored: there ripgrep's searcher finds the
//! candidates in the bytes of the file, and only they are looked at. A line with something for a terminal in it, or that
//! is no UTF-8, is drawn first, and matched alone. A block with fragments of lines, and one whose hits need more than it
//! says (levels, where a run begins within it), is decoded.

use std::io;
use std::ops::Range;

use grep_matcher::Matcher;
use grep_searcher::{Searcher, SearcherBuilder, Sink, SinkMatch};

use super::Block;
use crate::cri::{Entry, MAX_TEXT, Mark, has_fragments};
use crate::index::Track;
use crate::pattern::Pattern;
use crate::scan::read_at;
use crate::{Cursor, Filter, Line, ReaderOptions, Stream, ansi, level};

/// Bytes of a block that are searched as they are stored; a longer one (its sidecar is missing a part) is decoded.
const MOST_BYTES: u64 = 8 << 20;

/// Lines before one that may give it its level; where it takes more, the block is decoded.
const MOST_BACK: usize = 64;

/// What a [`Finder::find`] found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Those that are wanted, in their order; none if only their number was asked for.
    pub(crate) lines: Vec<Line>,
    pub(crate) matched: u64,
    /// Where what is whole of the block and within its clip ends.
    pub(crate) end: Option<Cursor>,
}

/// Finds what a filter wants, a block at a time.
#[derive(Debug)]
pub(crate) struct Finder {
    filter: Filter,
    options: ReaderOptions,
    searcher: Searcher,
    buffer: Vec<u8>,
}

impl Finder {
    pub(crate) fn new(filter: Filter, options: ReaderOptions) -> Self {
        let searcher = SearcherBuilder::new().line_number(false).build();
        Self { filter, options, searcher, buffer: Vec::new() }
    }

    /// The lines of `block` that are wanted, or with `count_only` how many they are.
    pub(crate) fn find(&mut self, block: &Block, count_only: bool) -> io::Result<Found> {
        let found = match self.find_raw(block, count_only)? {
            Some(found) => found,
            None => {
                let (mut lines, end) = block.decode(&self.options)?;
                lines.retain(|line| self.filter.matches(line));
                Found { matched: lines.len() as u64, lines, end: Some(end) }
            }
        };
        // What was written behind that in the meantime was not looked at.
        Ok(Found { end: found.end.map(|end| end.min(block.clip.1)), ..found })
    }

    /// `None`: the block must be decoded.
    fn find_raw(&mut self, block: &Block, count_only: bool) -> io::Result<Option<Found>> {
        let Self { filter, options, searcher, buffer } = self;
        let Some(pattern) = filter.pattern.as_ref().filter(|_| !filter.invert) else { return Ok(None) };
        let track = block.track();
        if pattern.raw().is_none() || track.open != [None; 2] || options.max_line < MAX_TEXT {
            return Ok(None);
        }
        if !fill(block, buffer)? {
            return Ok(None);
        }
        let cursor = block.cursor();
        let whole = Whole { bytes: buffer, cursor, track, filter, pattern };
        let end = Cursor { offset: cursor.offset + buffer.len() as u64, ..cursor };
        let Some(hits) = whole.hits(searcher, block)? else { return Ok(None) };
        let mut found = Found { matched: hits.len() as u64, end: Some(end), ..Found::default() };
        if hits.is_empty() {
            return Ok(Some(found));
        }
        // Where a run begins within the block, and where levels matter, more must be known than the line.
        let runs = memchr::memmem::find(buffer, b" forge F run ").is_some();
        if filter.has_levels() || (runs && (!count_only || filter.run.is_some())) {
            return Ok(None);
        }
        if filter.run.is_some_and(|run| run != track.run) {
            return Ok(Some(Found { matched: 0, ..found }));
        }
        if !count_only {
            for hit in hits {
                let Some(line) = whole.line(hit) else { return Ok(None) };
                found.lines.push(line);
            }
        }
        Ok(Some(found))
    }
}

/// Reads the whole lines of a block; `false` if they are too many, or something stands behind them that is a line too.
fn fill(block: &Block, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let start = block.start();
    let wanted = match block.end() {
        Some(end) => end - start,
        None => block.place.file.metadata()?.len().saturating_sub(start),
    };
    if wanted > MOST_BYTES {
        return Ok(false);
    }
    buffer.resize(usize::try_from(wanted).unwrap_or(0), 0);
    let mut read = 0;
    while read < buffer.len() {
        match read_at(&block.place.file, &mut buffer[read..], start + read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    let lines = memchr::memrchr(b'\n', &buffer[..read]).map_or(0, |last| last + 1);
    buffer.truncate(lines);
    let rest = read > lines;
    Ok(!rest || (block.end().is_none() && !block.closed))
}

/// The whole lines of a block.
struct Whole<'a> {
    bytes: &'a [u8],
    cursor: Cursor,
    track: Track,
    filter: &'a Filter,
    pattern: &'a Pattern,
}

impl Whole<'_> {
    /// Where the wanted lines stand, but for their runs and levels; `None`: it can't be told from the bytes alone.
    fn hits(&self, searcher: &mut Searcher, block: &Block) -> io::Result<Option<Vec<Range<usize>>>> {
        if has_fragments(self.bytes) || (block.start() == 0 && begins_within_line(self.bytes)) {
            return Ok(None);
        }
        let mut hits = Hits { whole: self, clip: block.clip, base: 0, lines: Vec::new(), foreign: false };
        if is_as_shown(self.bytes) {
            hits.search(searcher, 0..self.bytes.len())?;
        } else {
            let (mut run, mut at) = (0, 0);
            for end in memchr::memchr_iter(b'\n', self.bytes) {
                let line = at..end + 1;
                if !is_as_shown(&self.bytes[line.clone()]) {
                    hits.search(searcher, run..at)?;
                    hits.look(line);
                    run = end + 1;
                }
                at = end + 1;
            }
            hits.search(searcher, run..self.bytes.len())?;
        }
        Ok((!hits.foreign).then_some(hits.lines))
    }

    fn line(&self, hit: Range<usize>) -> Option<Line> {
        let entry = Entry::parse(&self.bytes[hit.start..hit.end - 1])?;
        let place = |at: usize| Cursor { offset: self.cursor.offset + at as u64, ..self.cursor };
        Some(Line {
            time_ns: entry.time.max(self.track.time).as_nanos(),
            stream: entry.stream,
            run: self.track.run,
            level: self.level(&entry, hit.start)?,
            text: entry.text.to_vec(),
            omitted: 0,
            partial: false,
            cursor: place(hit.start),
            end: place(hit.end),
        })
    }

    /// As [`crate::read`] has it: its own, or that of the line that it continues. `None`: that is too far back.
    fn level(&self, entry: &Entry<'_>, start: usize) -> Option<Option<level::Level>> {
        if entry.stream == Stream::Forge {
            return Some(None);
        }
        let before = self.bytes[..start].strip_suffix(b"\n").unwrap_or_default();
        let older = before.rsplit(|&byte| byte == b'\n').take(MOST_BACK).map(Entry::parse);
        let of_stream = older.filter(|older| older.as_ref().is_none_or(|older| older.stream == entry.stream));
        let lines = std::iter::once(Some(entry.text)).chain(of_stream.map(|older| Some(older?.text)));
        level::looking_back(lines)
    }
}

/// Collects the lines that are wanted out of the candidates.
struct Hits<'a> {
    whole: &'a Whole<'a>,
    clip: (Cursor, Cursor),
    /// Where the slice that is searched begins.
    base: usize,
    lines: Vec<Range<usize>>,
    /// A line is no entry of ours.
    foreign: bool,
}

impl Hits<'_> {
    fn search(&mut self, searcher: &mut Searcher, lines: Range<usize>) -> io::Result<()> {
        let Some(matcher) = self.whole.pattern.raw() else { return Ok(()) };
        if lines.is_empty() || self.foreign {
            return Ok(());
        }
        self.base = lines.start;
        search_slice(searcher, matcher, &self.whole.bytes[lines], self)
    }

    /// Takes a line with its newline if it is wanted.
    fn look(&mut self, line: Range<usize>) {
        let Whole { bytes, cursor, filter, pattern, track } = self.whole;
        let raw = &bytes[line.start..line.end - 1];
        let Some(entry) = Entry::parse(raw) else {
            self.foreign |= !raw.is_empty();
            return;
        };
        let end = Cursor { offset: cursor.offset + line.end as u64, ..*cursor };
        let time = entry.time.max(track.time).as_nanos();
        let wanted = self.clip.0 < end
            && end <= self.clip.1
            && filter.wants_stream(entry.stream)
            && filter.wants_time(time)
            && pattern.is_match(entry.text)
            && filter.is_within(entry.text);
        let hidden = || {
            entry.stream == Stream::Forge && matches!(Mark::parse(entry.text), Some(Mark::Continues { .. }))
        };
        if wanted && !hidden() {
            self.lines.push(line);
        }
    }
}

fn search_slice(
    searcher: &mut Searcher,
    matcher: impl Matcher,
    slice: &[u8],
    hits: &mut Hits<'_>,
) -> io::Result<()> {
    searcher.search_slice(matcher, slice, hits)
}

impl Sink for &mut Hits<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> Result<bool, io::Error> {
        let start =
            self.base + usize::try_from(found.absolute_byte_offset()).unwrap_or(usize::MAX - self.base);
        self.look(start..start + found.bytes().len());
        Ok(!self.foreign)
    }
}

/// Whether a segment that a rotation began says that a line goes on in it.
fn begins_within_line(bytes: &[u8]) -> bool {
    const HEAD: usize = 512;
    memchr::memmem::find(&bytes[..bytes.len().min(HEAD)], b" is within a line from ").is_some()
}

/// Whether lines look as they are stored: they are UTF-8, and there is nothing in them for a terminal.
fn is_as_shown(lines: &[u8]) -> bool {
    // What an ordinary log has not, and where it has, one must look closer.
    !is_unusual(lines) || (std::str::from_utf8(lines).is_ok() && ansi::is_plain(lines))
}

/// Whether there are bytes that are no ASCII, or mean something to a terminal. Every byte of a store that is searched
/// comes by here, which is why it looks at as many at once as the processor can.
#[allow(unsafe_code, reason = "only the processor knows whether a function for it may be called")]
fn is_unusual(bytes: &[u8]) -> bool {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { is_unusual_avx2(bytes) };
    }
    is_unusual_anywhere(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn is_unusual_avx2(bytes: &[u8]) -> bool {
    is_unusual_anywhere(bytes)
}

/// Written so that the compiler makes vectors of it: no end within a block, and one comparison for both ends of ASCII.
#[inline(always)]
fn is_unusual_anywhere(bytes: &[u8]) -> bool {
    let unusual = |byte: u8| (byte.cast_signed() < 0x20) & (byte != b'\n') & (byte != b'\t') | (byte == 0x7f);
    let count = |block: &[u8]| block.iter().fold(0, |found, byte| found | u8::from(unusual(*byte)));
    bytes.chunks(1024).any(|block| count(block) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_usual_or_not_wherever_it_stands() {
        let plain = b"2026 stdout F a line, and\ta tab\n".repeat(100);
        assert!(!is_unusual(&plain) && !is_unusual(b""), "nothing");
        for byte in 0..=u8::MAX {
            let unusual = !(matches!(byte, b'\n' | b'\t') || (0x20..0x7f).contains(&byte));
            for at in [0, 1, 31, 32, 1023, 1024, plain.len() - 1] {
                let mut bytes = plain.clone();
                bytes[at] = byte;
                assert_eq!(is_unusual(&bytes), unusual, "{byte:#x} at {at}");
                assert_eq!(is_unusual_anywhere(&bytes), unusual, "{byte:#x} at {at}, a byte at a time");
            }
        }
    }
}
