//! The text of one line, read again from its fragments.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::{Line, ReaderOptions};
use crate::cri::Entry;
use crate::level;
use crate::scan::{RawLine, Scan};
use crate::segments::{list, log_path};
use crate::{Cursor, Stream};

/// Writes the text of the line of `stream` that lies between two places to `sink`, with bounded memory. What is
/// deleted of it meanwhile is left out.
pub(super) fn copy(
    dir: &Path,
    stream: Stream,
    from: Cursor,
    until: Cursor,
    sink: &mut dyn Write,
) -> io::Result<()> {
    let segments = list(dir)?;
    for segment in segments.into_iter().filter(|number| (from.segment..=until.segment).contains(number)) {
        let file = match File::open(log_path(dir, segment)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let start = if segment == from.segment { from.offset } else { 0 };
        let end = if segment == until.segment { until.offset } else { u64::MAX };
        copy_segment(&file, stream, start..end, sink)?;
    }
    Ok(())
}

fn copy_segment(
    file: &File,
    stream: Stream,
    range: std::ops::Range<u64>,
    sink: &mut dyn Write,
) -> io::Result<()> {
    let mut scan = Scan::new(range.start);
    while let Some(raw) = scan.next(file)? {
        if raw.end > range.end {
            return Ok(());
        }
        copy_entry(&raw, stream, &range, sink)?;
    }
    // A writer that was killed may have left the last entry of a segment without its newline.
    let offset = scan.offset();
    let rest = RawLine { offset, end: offset + scan.rest().len() as u64, bytes: scan.rest() };
    if rest.bytes.is_empty() || rest.end > range.end {
        Ok(())
    } else {
        copy_entry(&rest, stream, &range, sink)
    }
}

fn copy_entry(
    raw: &RawLine<'_>,
    stream: Stream,
    range: &std::ops::Range<u64>,
    sink: &mut dyn Write,
) -> io::Result<()> {
    match Entry::parse(raw.bytes) {
        Some(entry) if entry.stream == stream => sink.write_all(entry.text),
        // The line is one that is no entry: it stands alone in its range.
        None if raw.offset == range.start && raw.end == range.end => sink.write_all(raw.bytes),
        _ => Ok(()),
    }
}

/// Gives `line` its whole text, of which only what was stored behind some later place is known.
pub(super) fn complete(dir: &Path, options: &ReaderOptions, line: &mut Line) -> io::Result<()> {
    let mut bounded = Bounded { text: Vec::new(), omitted: 0, limit: options.max_line };
    copy(dir, line.stream, line.cursor, line.end, &mut bounded)?;
    // Less than what is known means that its beginning was deleted.
    if bounded.text.len() as u64 + bounded.omitted > line.text.len() as u64 + line.omitted {
        (line.text, line.omitted) = (bounded.text, bounded.omitted);
        line.level = level::detect(&line.text);
    }
    Ok(())
}

struct Bounded {
    text: Vec<u8>,
    omitted: u64,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let kept = bytes.len().min(self.limit - self.text.len());
        self.text.extend_from_slice(&bytes[..kept]);
        self.omitted += (bytes.len() - kept) as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
