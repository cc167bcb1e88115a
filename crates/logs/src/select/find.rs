//! Finding what a filter wants in a block without decoding all of it.
//!
//! Most lines of most logs are entries of their own and look as they are stored: there ripgrep's searcher finds the
//! candidates in the bytes of the file, and only they are looked at. Where lines are coloured, it finds them in a copy
//! without the colours. A line with something else for a terminal in it, or that is no UTF-8, is drawn first, and matched
//! alone. A block with fragments of lines, and one whose hits need more than it
//! says (levels, where a run begins within it), is decoded.

use std::io;
use std::ops::Range;

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
    bare: Bare,
}

impl Finder {
    pub(crate) fn new(filter: Filter, options: ReaderOptions) -> Self {
        let searcher = SearcherBuilder::new().line_number(false).build();
        Self { filter, options, searcher, buffer: Vec::new(), bare: Bare::default() }
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
        let Self { filter, options, searcher, buffer, bare } = self;
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
        let Some(hits) = whole.hits(searcher, bare, block)? else { return Ok(None) };
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
    fn hits(
        &self,
        searcher: &mut Searcher,
        bare: &mut Bare,
        block: &Block,
    ) -> io::Result<Option<Vec<Range<usize>>>> {
        let at_sight = look_over(self.bytes);
        if (at_sight.fragments && has_fragments(self.bytes))
            || (block.start() == 0 && begins_within_line(self.bytes))
        {
            return Ok(None);
        }
        let mut hits = Hits { whole: self, clip: block.clip, lines: Vec::new(), foreign: false };
        let is_text = !at_sight.unusual || std::str::from_utf8(self.bytes).is_ok();
        if !at_sight.unusual || (is_text && ansi::is_plain(self.bytes)) {
            hits.search(searcher)?;
        } else {
            hits.search_bare(searcher, bare, is_text)?;
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
    lines: Vec<Range<usize>>,
    /// A line is no entry of ours.
    foreign: bool,
}

impl Hits<'_> {
    /// In the bytes as they are stored.
    fn search(&mut self, searcher: &mut Searcher) -> io::Result<()> {
        let Some(matcher) = self.whole.pattern.raw() else { return Ok(()) };
        searcher.search_slice(matcher, self.whole.bytes, Candidates(|line| self.look(line)))
    }

    /// In the lines as they are shown; those for which that takes a terminal are each looked at.
    fn search_bare(&mut self, searcher: &mut Searcher, bare: &mut Bare, is_text: bool) -> io::Result<()> {
        let Some(matcher) = self.whole.pattern.raw() else { return Ok(()) };
        let bytes = self.whole.bytes;
        bare.fill(bytes, is_text, |line| self.look(line));
        let candidates = Candidates(|found: Range<usize>| self.look(bare.line(bytes, found.start)));
        searcher.search_slice(matcher, &bare.text, candidates)?;
        self.lines.sort_unstable_by_key(|line| line.start);
        Ok(())
    }

    /// Takes a line with its newline if it is wanted. Whether to go on.
    fn look(&mut self, line: Range<usize>) -> bool {
        let Whole { bytes, cursor, filter, pattern, track } = self.whole;
        let raw = &bytes[line.start..line.end - 1];
        let Some(entry) = Entry::parse(raw) else {
            self.foreign |= !raw.is_empty();
            return !self.foreign;
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
        !self.foreign
    }
}

/// Hands the lines on in which the searcher has found something.
struct Candidates<F>(F);

impl<F: FnMut(Range<usize>) -> bool> Sink for Candidates<F> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> Result<bool, io::Error> {
        let start = usize::try_from(found.absolute_byte_offset()).unwrap_or(usize::MAX);
        Ok((self.0)(start..start.saturating_add(found.bytes().len())))
    }
}

/// Lines without their colours, one after another.
#[derive(Debug, Default)]
struct Bare {
    text: Vec<u8>,
    /// Where something was left out of the text, and how many bytes were up to there.
    gaps: Vec<(usize, usize)>,
}

impl Bare {
    /// Of all lines that it can be told of; the others are handed to `odd`, which says whether to go on. `is_text`: all
    /// of them are UTF-8.
    fn fill(&mut self, bytes: &[u8], is_text: bool, mut odd: impl FnMut(Range<usize>) -> bool) {
        self.text.clear();
        self.gaps.clear();
        // Mostly all of them at once.
        if is_text && self.push(bytes) {
            return;
        }
        self.text.clear();
        self.gaps.clear();
        let mut at = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            let line = at..end + 1;
            at = end + 1;
            let (start, gaps, left_out) = (self.text.len(), self.gaps.len(), self.left_out());
            let of_line = &bytes[line.clone()];
            // A sequence may stand within a character that is none.
            let can_be_told = !look_over(of_line).unusual || is_text || std::str::from_utf8(of_line).is_ok();
            if can_be_told && self.push(of_line) {
                continue;
            }
            self.text.truncate(start);
            self.gaps.truncate(gaps);
            self.gaps.push((start, left_out + line.len()));
            if !odd(line) {
                return;
            }
        }
    }

    /// Whether what is shown of the lines, which are UTF-8, is what they are, but for their colours.
    fn push(&mut self, lines: &[u8]) -> bool {
        let (start, mut from, mut left_out) = (self.text.len(), 0, self.left_out());
        for escape in memchr::memchr_iter(0x1b, lines) {
            let Some(length) = colour(&lines[escape..]) else { return false };
            self.text.extend_from_slice(&lines[from..escape]);
            left_out += length;
            self.gaps.push((self.text.len(), left_out));
            from = escape + length;
        }
        self.text.extend_from_slice(&lines[from..]);
        let bare = &self.text[start..];
        !look_over(bare).unusual || ansi::is_plain(bare)
    }

    fn left_out(&self) -> usize {
        self.gaps.last().map_or(0, |(_, left_out)| *left_out)
    }

    /// Where the line that the text has at this place stands in `bytes`, which it was made of.
    fn line(&self, bytes: &[u8], place: usize) -> Range<usize> {
        let gap = self.gaps.partition_point(|(at, _)| *at <= place).checked_sub(1);
        let inside = place + gap.map_or(0, |gap| self.gaps[gap].1);
        let start = memchr::memrchr(b'\n', &bytes[..inside]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &bytes[inside..]).map_or(bytes.len(), |newline| inside + newline + 1);
        start..end
    }
}

/// The length of the sequence that `bytes` begin with, if it is one that only changes how what follows looks: ESC `[`,
/// numbers, `m`. Source: ECMA-48, 8.3.117 (SGR).
fn colour(bytes: &[u8]) -> Option<usize> {
    let numbers = bytes.strip_prefix(b"\x1b[")?;
    let end = numbers.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':'))?;
    (numbers[end] == b'm').then_some(end + 3)
}

/// Whether a segment that a rotation began says that a line goes on in it.
fn begins_within_line(bytes: &[u8]) -> bool {
    const HEAD: usize = 512;
    memchr::memmem::find(&bytes[..bytes.len().min(HEAD)], b" is within a line from ").is_some()
}

/// What can be told of lines without reading them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sight {
    /// There are bytes that are no ASCII, or mean something to a terminal.
    unusual: bool,
    /// There may be fragments of lines.
    fragments: bool,
}

/// Every byte of a store that is searched comes by here, which is why it looks at as many at once as the processor can.
#[allow(unsafe_code, reason = "only the processor knows whether a function for it may be called")]
fn look_over(bytes: &[u8]) -> Sight {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { look_over_avx2(bytes) };
    }
    look_over_anywhere(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn look_over_avx2(bytes: &[u8]) -> Sight {
    look_over_anywhere(bytes)
}

/// Written so that the compiler makes vectors of it: no end within a block, and as few operations a byte as there can
/// be. Both questions are asked of a block while it is at hand.
#[inline(always)]
fn look_over_anywhere(bytes: &[u8]) -> Sight {
    const BLOCK: usize = 1024;
    let mut sight = Sight::default();
    for start in (0..bytes.len()).step_by(BLOCK) {
        let block = &bytes[start..bytes.len().min(start + BLOCK)];
        sight.unusual |= is_unusual(block);
        // ` P `, which may go on in the next block.
        let wide = &bytes[start..bytes.len().min(start + BLOCK + 2)];
        if let Some(count) = wide.len().checked_sub(2) {
            let threes = wide[..count].iter().zip(&wide[1..=count]).zip(&wide[2..count + 2]);
            let unlike = |one: u8, two: u8, three: u8| (one ^ b' ') | (two ^ b'P') | (three ^ b' ');
            let nearest =
                threes.fold(u8::MAX, |least, ((one, two), three)| least.min(unlike(*one, *two, *three)));
            sight.fragments |= nearest == 0;
        }
        if sight.unusual && sight.fragments {
            break;
        }
    }
    sight
}

/// Whether there is a byte that is neither tab, newline, nor visible ASCII. Tab is the first of what is usual and `~`
/// the last, and what lies between that is not usual is one range too: two greatest and least values tell it all.
#[inline(always)]
fn is_unusual(bytes: &[u8]) -> bool {
    const CONTROLS: u8 = b'\n' + 1;
    let (mut farthest, mut nearest) = (0, u8::MAX);
    for byte in bytes {
        farthest = farthest.max(byte.wrapping_sub(b'\t'));
        nearest = nearest.min(byte.wrapping_sub(CONTROLS));
    }
    farthest > b'~' - b'\t' || nearest < b' ' - CONTROLS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_usual_or_not_wherever_it_stands() {
        let plain = b"2026 stdout F a line, and\ta tab\n".repeat(100);
        assert_eq!([&plain[..], b""].map(look_over), [Sight::default(); 2], "nothing");
        for byte in 0..=u8::MAX {
            let unusual = !(matches!(byte, b'\n' | b'\t') || (0x20..0x7f).contains(&byte));
            for at in [0, 1, 31, 32, 1023, 1024, plain.len() - 1] {
                let mut bytes = plain.clone();
                bytes[at] = byte;
                assert_eq!(look_over(&bytes).unusual, unusual, "{byte:#x} at {at}");
                assert_eq!(look_over_anywhere(&bytes), look_over(&bytes), "{byte:#x} at {at}, anywhere");
            }
        }
    }

    #[test]
    fn a_mark_of_a_fragment_is_seen_wherever_it_stands() {
        let plain = b"2026 stdout F Plan Pa P\n".repeat(100);
        assert!(!look_over(&plain).fragments, "none");
        for at in [0, 5, 1020, 1021, 1022, 1023, 1024, 2047, plain.len() - 3] {
            let mut bytes = plain.clone();
            bytes[at..at + 3].copy_from_slice(b" P ");
            assert!(look_over(&bytes).fragments && look_over_anywhere(&bytes).fragments, "at {at}");
        }
    }

    #[test]
    fn lines_are_without_their_colours_and_each_keeps_its_place() {
        let block = b"plain\n\x1b[1;32mgreen\x1b[0m \xc3\xa4\n\x1b[2Kcleared\n\x1b[38:5:3mlast\x1b[m\n";
        let (mut bare, mut odd) = (Bare::default(), Vec::new());
        bare.fill(block, true, |line| {
            odd.push(line);
            true
        });
        let text = |line: Range<usize>| String::from_utf8_lossy(&block[line]).into_owned();
        assert_eq!(String::from_utf8_lossy(&bare.text), "plain\ngreen \u{e4}\nlast\n");
        assert_eq!(odd.drain(..).map(text).collect::<Vec<_>>(), ["\x1b[2Kcleared\n"]);
        let places: Vec<String> = [0, 6, 15].map(|place| text(bare.line(block, place))).into();
        let whole = ["plain\n", "\x1b[1;32mgreen\x1b[0m \u{e4}\n", "\x1b[38:5:3mlast\x1b[m\n"];
        assert_eq!(places, whole, "beside one that is odd");

        let tame = block.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.ends_with(b"cleared\n"));
        let tame = tame.collect::<Vec<_>>().concat();
        bare.fill(&tame, true, |_| unreachable!("none is odd"));
        assert_eq!(String::from_utf8_lossy(&bare.text), "plain\ngreen \u{e4}\nlast\n", "all at once");
        let places =
            [0, 6, 15].map(|place| String::from_utf8_lossy(&tame[bare.line(&tame, place)]).into_owned());
        assert_eq!(places, whole, "all at once");
        for (bytes, length) in [
            (&b"\x1b[m"[..], Some(3)),
            (b"\x1b[0;1mx", Some(6)),
            (b"\x1b[2J", None),
            (b"\x1b[31", None),
            (b"\x1b]8;;x\x1b\\", None),
            (b"\x1b", None),
        ] {
            assert_eq!(colour(bytes), length, "{bytes:?}");
        }
    }
}
