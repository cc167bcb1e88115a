//! The log segments, read by the format's description alone (`TIME STREAM F|P TEXT`), independent of Forge's code.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One line of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// RFC 3339 with nanoseconds, UTC: compares as text does.
    pub time: String,
    pub stream: String,
    /// The last fragment of a line of the program (`F`), or a part of one (`P`).
    pub full: bool,
    pub text: Vec<u8>,
}

/// One line of a program, its fragments joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub stream: String,
    pub text: Vec<u8>,
}

impl Line {
    /// The text; what is no UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// All entries of the segments in `folder`, oldest first; none if there is no such folder. An entry that is being
/// written, and so has no line feed yet, is left out.
///
/// # Panics
/// A line is not of the format.
#[must_use]
pub fn entries(folder: &Path) -> Vec<Entry> {
    let mut segments: Vec<PathBuf> = fs::read_dir(folder)
        .map(|files| files.flatten().map(|file| file.path()).collect())
        .unwrap_or_default();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    segments.sort();
    let mut entries = Vec::new();
    for segment in segments {
        let bytes = fs::read(&segment).unwrap_or_default();
        let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in bytes[..complete].split_inclusive(|byte| *byte == b'\n') {
            let line = &line[..line.len() - 1];
            let entry = parse(line);
            entries.push(entry.unwrap_or_else(|| {
                panic!("{}: not of the CRI format: {:?}", segment.display(), String::from_utf8_lossy(line))
            }));
        }
    }
    entries
}

fn parse(line: &[u8]) -> Option<Entry> {
    let mut parts = line.splitn(4, |byte| *byte == b' ');
    let (time, stream) = (text(parts.next()?)?, text(parts.next()?)?);
    let full = match parts.next()? {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    let known = matches!(stream.as_str(), "stdout" | "stderr" | "forge");
    // 2026-11-21T14:30:15.123456789Z
    let stamp =
        time.len() == 30 && time.ends_with('Z') && time.as_bytes()[10] == b'T' && time.as_bytes()[19] == b'.';
    (known && stamp).then(|| Entry { time, stream, full, text: parts.next().unwrap_or_default().to_vec() })
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// Joins fragments of a line, each stream for itself.
#[must_use]
pub fn join(entries: &[Entry]) -> Vec<Line> {
    let mut open: Vec<Line> = Vec::new();
    let mut lines = Vec::new();
    for entry in entries {
        let at = open.iter().position(|line| line.stream == entry.stream);
        let mut line = match at {
            Some(at) => open.swap_remove(at),
            None => Line { stream: entry.stream.clone(), text: Vec::new() },
        };
        line.text.extend_from_slice(&entry.text);
        if entry.full { lines.push(line) } else { open.push(line) }
    }
    lines
}

/// The numbers of the lines of `nasty count --tag TAG`, in the order in which they were stored.
///
/// # Panics
/// A line of that tag was split or merged: it has not the length of the first.
#[must_use]
pub fn sequence(lines: &[Line], tag: &str) -> Vec<u64> {
    let head = format!("{tag} ");
    let mut length = None;
    let numbered = lines.iter().filter(|line| line.text.starts_with(head.as_bytes()));
    numbered
        .map(|line| {
            let expected = *length.get_or_insert(line.text.len());
            assert_eq!(line.text.len(), expected, "a line was split or merged: {:?}", line.text());
            let number =
                line.text.get(head.len()..head.len() + 8).and_then(|digits| std::str::from_utf8(digits).ok());
            number
                .and_then(|digits| digits.parse().ok())
                .unwrap_or_else(|| panic!("no number in {:?}", line.text()))
        })
        .collect()
}

/// Checks that the numbers of `tag` are those of `expected`: none missing, none twice, in order.
///
/// # Panics
/// They are not; says which and how many.
#[track_caller]
pub fn assert_sequence(lines: &[Line], tag: &str, expected: Range<u64>) {
    let found = sequence(lines, tag);
    let count = usize::try_from(expected.end - expected.start).expect("it fits");
    let first_wrong = found.iter().zip(expected.clone()).find(|(found, expected)| **found != *expected);
    assert!(
        found.len() == count && first_wrong.is_none(),
        "{tag}: {} lines of {count}; the first that is wrong (found, expected): {first_wrong:?}",
        found.len()
    );
}
