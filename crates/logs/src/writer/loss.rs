//! What could not be kept.

use std::fmt;
use std::io;

use crate::Stamp;
use crate::cri::{Entry, Stream};

/// Lines and bytes that were read and could not be stored, and why.
#[derive(Debug)]
pub(super) struct Loss {
    lines: u64,
    /// Of text, with the newlines, as the program wrote them.
    bytes: u64,
    reason: String,
    /// When a write was last tried.
    pub(super) tried: Stamp,
}

impl Loss {
    pub(super) fn new(error: &io::Error, tried: Stamp) -> Self {
        Self { lines: 0, bytes: 0, reason: reason(error), tried }
    }

    /// Another error is what keeps the output from being stored now.
    pub(super) fn set_reason(&mut self, error: &io::Error) {
        self.reason = reason(error);
    }

    /// Counts the program's lines among these entries. Those of Forge's own are not what a user would miss.
    pub(super) fn count(&mut self, entries: &[u8]) {
        for line in entries.split_inclusive(|&byte| byte == b'\n') {
            let Some(entry) = Entry::parse(line.strip_suffix(b"\n").unwrap_or(line)) else { continue };
            if entry.stream != Stream::Forge {
                self.lines += u64::from(entry.last);
                self.bytes += entry.text.len() as u64 + u64::from(entry.last);
            }
        }
    }

    /// Whether there is something to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = if self.lines == 1 { "line" } else { "lines" };
        let bytes = if self.bytes == 1 { "byte" } else { "bytes" };
        write!(f, "{} {lines} ({} {bytes}) not kept: {}", self.lines, self.bytes, self.reason)
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "no space left on device".into(),
        io::ErrorKind::QuotaExceeded => "disk quota exceeded".into(),
        io::ErrorKind::FileTooLarge => "file too large".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        _ => error.to_string(),
    }
}
