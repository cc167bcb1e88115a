//! Lines that have no end yet.

use std::io;
use std::path::Path;

use super::{Line, Reader, ReaderOptions};
use crate::cri::has_fragments;
use crate::scan::read_at;
use crate::segments::{list, log_path};

/// Bytes before the end of a store within which their last fragment must lie: what one looks at is not far away.
const NEAR: u64 = 64 << 10;

/// The lines of a store that are there in part: a prompt, a bar that is drawn anew. They come again when they are whole.
///
/// # Errors
/// The folder can't be listed, or a file can't be read.
pub fn open_lines(dir: &Path, options: ReaderOptions) -> io::Result<Vec<Line>> {
    if !may_be_open(dir)? {
        return Ok(Vec::new());
    }
    let mut reader = Reader::open_with(dir, options)?;
    reader.seek_end()?;
    // What it stands within is known once it has read.
    while !reader.read(NEAR as usize)?.at_end {}
    reader.partial()
}

/// Whether one of the last entries is a fragment: that is soon told, and mostly none is.
fn may_be_open(dir: &Path) -> io::Result<bool> {
    let Some(newest) = list(dir)?.pop() else { return Ok(false) };
    let file = match std::fs::File::open(log_path(dir, newest)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let near = length.min(NEAR);
    let mut end = vec![0; usize::try_from(near).unwrap_or(0)];
    let read = read_at(&file, &mut end, length - near)?;
    Ok(has_fragments(&end[..read]))
}
