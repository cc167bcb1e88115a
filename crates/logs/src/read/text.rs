//! The text of one line, read again from its fragments.

use std::fs::File;
use std::io;
use std::path::Path;

use super::join::Pending;
use super::{Line, ReaderOptions};
use crate::cri::Entry;
use crate::level;
use crate::scan::{RawLine, Scan};
use crate::segments::{list, log_path};
use crate::{Cursor, Stream};

/// Takes a part of a line's text, and where it stands; whether to go on.
type Visit<'a> = &'a mut dyn FnMut(Cursor, &[u8]) -> io::Result<bool>;

/// About so many bytes of the text of a line, from a place within it on, and where it goes on; `None`: that was its end.
/// `from` is [`Line::cursor`] at first, `until` [`Line::end`]. What is deleted of it meanwhile is left out.
///
/// # Errors
/// The folder can't be listed, or a file can't be read.
pub fn text_piece(
    dir: &Path,
    stream: Stream,
    from: Cursor,
    until: Cursor,
    most: usize,
) -> io::Result<(Vec<u8>, Option<Cursor>)> {
    let (mut piece, mut next) = (Vec::new(), None);
    walk(dir, stream, (from, until), &mut |at, text| {
        if piece.len() >= most.max(1) {
            next = Some(at);
            return Ok(false);
        }
        piece.extend_from_slice(text);
        Ok(true)
    })?;
    Ok((piece, next))
}

/// Hands over the text of the line of `stream` that lies between two places, part by part. What is deleted of it meanwhile
/// is left out.
fn walk(dir: &Path, stream: Stream, (from, until): (Cursor, Cursor), visit: Visit<'_>) -> io::Result<()> {
    let segments = list(dir)?;
    for segment in segments.into_iter().filter(|number| (from.segment..=until.segment).contains(number)) {
        let file = match File::open(log_path(dir, segment)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let start = if segment == from.segment { from.offset } else { 0 };
        let end = if segment == until.segment { until.offset } else { u64::MAX };
        if !walk_segment(&file, segment, stream, start..end, visit)? {
            return Ok(());
        }
    }
    Ok(())
}

fn walk_segment(
    file: &File,
    segment: u32,
    stream: Stream,
    range: std::ops::Range<u64>,
    visit: Visit<'_>,
) -> io::Result<bool> {
    let mut scan = Scan::new(range.start);
    while let Some(raw) = scan.next(file)? {
        if raw.end > range.end {
            return Ok(true);
        }
        if !walk_entry(&raw, segment, stream, &range, visit)? {
            return Ok(false);
        }
    }
    // A writer that was killed may have left the last entry of a segment without its newline.
    let offset = scan.offset();
    let rest = RawLine { offset, end: offset + scan.rest().len() as u64, bytes: scan.rest() };
    if rest.bytes.is_empty() || rest.end > range.end {
        Ok(true)
    } else {
        walk_entry(&rest, segment, stream, &range, visit)
    }
}

fn walk_entry(
    raw: &RawLine<'_>,
    segment: u32,
    stream: Stream,
    range: &std::ops::Range<u64>,
    visit: Visit<'_>,
) -> io::Result<bool> {
    let at = Cursor { segment, offset: raw.offset };
    match Entry::parse(raw.bytes) {
        Some(entry) if entry.stream == stream => visit(at, entry.text),
        // The line is one that is no entry: it stands alone in its range.
        None if raw.offset == range.start && raw.end == range.end => visit(at, raw.bytes),
        _ => Ok(true),
    }
}

/// Gives `line` its whole text, of which only what was stored behind some later place is known.
pub(super) fn complete(dir: &Path, options: &ReaderOptions, line: &mut Line) -> io::Result<()> {
    let mut whole = Pending::of(line.cursor, b"", options.max_line);
    walk(dir, line.stream, (line.cursor, line.end), &mut |_, text| {
        whole.push(text, options.max_line);
        Ok(true)
    })?;
    // Less than what is known means that its beginning was deleted.
    if whole.text.len() as u64 + whole.omitted > line.text.len() as u64 + line.omitted {
        (line.text, line.omitted) = (whole.text, whole.omitted);
        line.level = level::detect(&line.text);
    }
    Ok(())
}
