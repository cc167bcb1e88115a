#![allow(dead_code, reason = "each test program uses what it needs of this")]

use std::path::Path;

use forge_logs::{Cursor, Line, Reader, Stamp, Stream, Writer, WriterOptions};

pub(crate) const MOMENT: i64 = 1_795_271_415_000_000_000;

/// A stamp some milliseconds after a fixed moment in the future: later than any that a writer takes of the clock.
pub(crate) fn at(millis: i64) -> Stamp {
    Stamp::from_nanos(MOMENT.max(Stamp::now().as_nanos() + 3_600_000_000_000) + millis * 1_000_000)
}

pub(crate) fn options(segment_bytes: u64, run: u32) -> WriterOptions {
    WriterOptions { segment_bytes, run, ..WriterOptions::default() }
}

pub(crate) fn open(dir: &Path, segment_bytes: u64, run: u32) -> Writer {
    Writer::open(dir, options(segment_bytes, run)).expect("the writer opens")
}

/// All lines from where the reader stands, read in small steps.
pub(crate) fn read_all(reader: &mut Reader, max_bytes: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    loop {
        let batch = reader.read(max_bytes).expect("reading works");
        lines.extend(batch.lines);
        if batch.at_end {
            return lines;
        }
    }
}

pub(crate) fn lines(dir: &Path) -> Vec<Line> {
    read_all(&mut Reader::open(dir).expect("the reader opens"), 1 << 20)
}

pub(crate) fn of_stream(lines: &[Line], stream: Stream) -> Vec<Vec<u8>> {
    lines.iter().filter(|line| line.stream == stream).map(|line| line.text.clone()).collect()
}

pub(crate) fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.lossy().into_owned()).collect()
}

/// The texts of the lines that a program wrote.
pub(crate) fn program(lines: &[Line]) -> Vec<String> {
    lines.iter().filter(|line| line.is_program()).map(|line| line.lossy().into_owned()).collect()
}

pub(crate) fn segments(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".log")).collect();
    names.sort();
    names
}

/// The same lines, read by a new reader at each step.
pub(crate) fn read_by_cursor(dir: &Path, max_bytes: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let mut reader = Reader::open(dir).expect("the reader opens");
        if let Some(cursor) = cursor {
            reader.seek(cursor);
        }
        let batch = reader.read(max_bytes).expect("reading works");
        lines.extend(batch.lines);
        assert!(!batch.gap, "nothing was deleted");
        assert!(batch.at_end || cursor != Some(batch.next), "it goes on at {}", batch.next);
        cursor = Some(batch.next);
        if batch.at_end {
            return lines;
        }
    }
}
