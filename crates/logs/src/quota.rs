//! What all stores together may take.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::segments::{index_path, list, log_path};

/// How deep below the root a store may lie: workspace, environment, process.
const DEPTH: usize = 3;

/// A segment that may be deleted.
#[derive(Debug)]
struct Closed {
    dir: PathBuf,
    segment: u32,
    bytes: u64,
    /// When it was last written to.
    written: SystemTime,
    newest: bool,
}

/// Deletes the oldest segments of all stores below `root` until those that stay are within `quota` bytes, and returns
/// how many bytes were freed. What a writer writes to, and so the newest segment of every process that runs, stays.
///
/// # Errors
/// A folder can't be listed. What can't be deleted is left, and others go in its place.
pub fn apply_total_quota(root: &Path, quota: u64) -> io::Result<u64> {
    let (mut closed, mut total) = (Vec::new(), 0);
    collect(root, DEPTH, &mut closed)?;
    for segment in &closed {
        total += segment.bytes;
    }
    closed.sort_by_key(|segment| segment.written);
    let mut freed = 0;
    for segment in closed {
        if total - freed <= quota {
            break;
        }
        if remove(&segment) {
            freed += segment.bytes;
        }
    }
    Ok(freed)
}

fn collect(dir: &Path, depth: usize, closed: &mut Vec<Closed>) -> io::Result<()> {
    if depth > 0 {
        let entries = match std::fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                collect(&entry.path(), depth - 1, closed)?;
            }
        }
        return Ok(());
    }
    let segments = list(dir)?;
    let newest = segments.last().copied();
    for segment in segments {
        let Ok(found) = std::fs::metadata(log_path(dir, segment)) else { continue };
        let written = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let newest = newest == Some(segment);
        closed.push(Closed { dir: dir.to_owned(), segment, bytes: found.len(), written, newest });
    }
    Ok(())
}

/// Whether it is gone now.
fn remove(closed: &Closed) -> bool {
    // While the lock is ours nobody begins to write to it.
    let _lock = if closed.newest {
        let lock = File::open(closed.dir.join("writer.lock"));
        match lock.map(|lock| lock.try_lock().map(|()| lock)) {
            Ok(Ok(lock)) => Some(lock),
            _ => return false,
        }
    } else {
        None
    };
    let gone = std::fs::remove_file(log_path(&closed.dir, closed.segment)).is_ok();
    if gone {
        let _ = std::fs::remove_file(index_path(&closed.dir, closed.segment));
    }
    gone
}
