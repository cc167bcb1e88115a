//! The lines that end in a part of a segment.

use std::io;
use std::path::Path;

use super::place::Place;
use super::{Joiner, Line, ReaderOptions, text};
use crate::Cursor;
use crate::index::Track;
use crate::scan::{RawLine, Scan};

/// What of a segment is decoded.
pub(crate) struct Part {
    /// Where to begin, and what is known there: early enough that the level is known which the first lines inherit.
    pub(crate) lead: (u64, Track),
    pub(crate) start: u64,
    /// `None`: up to the segment's end.
    pub(crate) end: Option<u64>,
    /// The segment grows no more: what stands at its end without a newline is a line.
    pub(crate) closed: bool,
}

/// The lines that end in a part of a segment, and where what is whole of it ends.
pub(crate) fn decode(
    dir: &Path,
    place: &Place,
    options: &ReaderOptions,
    part: &Part,
) -> io::Result<(Vec<Line>, u64)> {
    let (segment, (from, track)) = (place.segment, part.lead);
    let mut joiner = Joiner::new(options, track);
    let mut scan = Scan::new(from);
    let mut lines = Vec::new();
    let end = part.end.unwrap_or(u64::MAX);
    while scan.offset() < end {
        let Some(raw) = scan.next(&place.file)? else { break };
        joiner.feed(segment, &raw, &mut lines);
        if raw.end <= part.start {
            lines.clear();
        }
    }
    if part.end.is_none() && part.closed {
        let offset = scan.offset();
        let raw = RawLine { offset, end: offset + scan.rest().len() as u64, bytes: scan.rest() };
        joiner.feed(segment, &raw, &mut lines);
        scan.skip_rest();
    }
    let known_from = Cursor { segment, offset: from };
    for line in lines.iter_mut().filter(|line| line.cursor < known_from) {
        text::complete(dir, options, line)?;
    }
    Ok((lines, scan.offset().max(part.start)))
}
