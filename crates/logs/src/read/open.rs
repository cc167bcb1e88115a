//! Lines that have no end yet.

use std::io;
use std::path::Path;

use super::{Joiner, Line, Place, ReaderOptions};
use crate::Cursor;
use crate::cri::has_fragments;
use crate::index::Track;
use crate::scan::{Scan, read_at};
use crate::segments::list;

/// Bytes before the end of a store within which their last fragment must lie: what one looks at is not far away.
const NEAR: u64 = 32 << 10;

/// The lines of a store that are there in part: a prompt, a bar that is drawn anew. They come again when they are whole.
///
/// Of one that is longer than what is looked at, its end is told: there a bar is as it is now. Right after a rotation of
/// segments they are told when more of them comes.
///
/// # Errors
/// The folder can't be listed, or a file can't be read.
pub fn open_lines(dir: &Path) -> io::Result<Vec<Line>> {
    let Some(newest) = list(dir)?.pop() else { return Ok(Vec::new()) };
    let Some(place) = Place::open(dir, newest)? else { return Ok(Vec::new()) };
    let length = place.file.metadata()?.len();
    if !may_be_open(&place, length)? {
        return Ok(Vec::new());
    }
    let index = place.index(dir)?;
    let record = index.at(length.saturating_sub(NEAR)).copied();
    let (from, track) = record.map_or((0, Track::new()), |record| (record.offset, record.track));
    let mut joiner = Joiner::new(&ReaderOptions { max_line: usize::MAX }, track);
    let (mut scan, mut ended) = (Scan::new(from), Vec::new());
    while let Some(raw) = scan.next(&place.file)? {
        joiner.feed(newest, &raw, &mut ended);
        ended.clear();
    }
    let mut open = joiner.partial(Cursor { segment: newest, offset: scan.offset() });
    open.retain(|line| !line.text.is_empty());
    Ok(open)
}

/// Whether one of the last entries is a fragment: that is soon told, and mostly none is.
fn may_be_open(place: &Place, length: u64) -> io::Result<bool> {
    let near = length.min(NEAR);
    let mut end = vec![0; usize::try_from(near).unwrap_or(0)];
    let read = read_at(&place.file, &mut end, length - near)?;
    Ok(has_fragments(&end[..read]))
}
