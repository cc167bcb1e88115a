//! The sidecar `NNNNNNNN.idx` beside each segment: what stands about every 64 KiB, so that a reader can begin in the
//! midst of a segment and knows the run, the time, and which lines are half stored there.
//!
//! It is a cache. Whatever is wrong with it, missing, short, garbage, of a version to come, costs a reading of the
//! segment and nothing else: [`Index::load`] takes what is sound and scans the rest.
//!
//! All numbers are little-endian. The head: eight bytes `FORGEIDX`, the version, the segment's number. Then records of
//! 48 bytes: offset (8), time (8), run (4), checksum (4), and for stdout and for stderr the segment (4, 0: none) and
//! offset (8) at which the line began that is not yet whole.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::Cursor;
use crate::cri::{Entry, Mark};
use crate::scan::{Scan, read_at};
use crate::stamp::{STAMP_BYTES, Stamp};

/// Bytes of a segment between two records, about.
pub(crate) const INDEX_BLOCK: u64 = 64 * 1024;

const MAGIC: &[u8; 8] = b"FORGEIDX";
const VERSION: u32 = 1;
pub(crate) const HEAD_BYTES: usize = 16;
pub(crate) const RECORD_BYTES: usize = 48;

/// More than this is not read of a sidecar: some three million records.
const MAX_INDEX_BYTES: u64 = 128 << 20;

/// What one must know of all that stands before a place to read on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Track {
    /// The last stamp.
    pub(crate) time: Stamp,
    /// The run, 0 if none has begun.
    pub(crate) run: u32,
    /// Where the lines of stdout and stderr began whose last fragment is not there yet.
    pub(crate) open: [Option<Cursor>; 2],
}

impl Track {
    pub(crate) fn new() -> Self {
        Self { time: Stamp::from_nanos(0), run: 0, open: [None; 2] }
    }

    /// Goes past `entry`, which stands at `at`.
    pub(crate) fn apply(&mut self, at: Cursor, entry: &Entry<'_>) {
        self.time = self.time.max(entry.time);
        if let Some(index) = entry.stream.index() {
            let open = &mut self.open[index];
            *open = if entry.last { None } else { open.or(Some(at)) };
        } else if let Some(mark) = Mark::parse(entry.text) {
            self.apply_mark(mark);
        }
    }

    fn apply_mark(&mut self, mark: Mark) {
        if mark.breaks_lines() {
            self.open = [None; 2];
        }
        match mark {
            Mark::Started { run } | Mark::Resumed { run } => self.run = run,
            Mark::Continues { run, open } => {
                self.run = run;
                self.open = open;
            }
            Mark::NotKept => {}
        }
    }
}

/// One place of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// Where an entry begins.
    pub(crate) offset: u64,
    /// That entry's time and run, and the lines that were open before it.
    pub(crate) track: Track,
}

impl Record {
    /// The record of the entry at `at`, given what stood `before` it.
    pub(crate) fn of(at: Cursor, before: &Track, entry: Option<&Entry<'_>>) -> Self {
        let mut after = *before;
        if let Some(entry) = entry {
            after.apply(at, entry);
        }
        Self { offset: at.offset, track: Track { open: before.open, ..after } }
    }

    pub(crate) fn encode(&self, segment: u32) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.track.time.as_nanos().to_le_bytes());
        bytes[16..20].copy_from_slice(&self.track.run.to_le_bytes());
        for (bytes, open) in bytes[24..].chunks_exact_mut(12).zip(self.track.open) {
            let Cursor { segment, offset } = open.unwrap_or(Cursor { segment: 0, offset: 0 });
            bytes[..4].copy_from_slice(&segment.to_le_bytes());
            bytes[4..].copy_from_slice(&offset.to_le_bytes());
        }
        let check = checksum(&bytes, segment);
        bytes[20..24].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; RECORD_BYTES], segment: u32) -> Option<Self> {
        let mut unchecked = *bytes;
        unchecked[20..24].fill(0);
        if u32_at(bytes, 20) != checksum(&unchecked, segment) {
            return None;
        }
        let open = [24, 36].map(|at| Cursor { segment: u32_at(bytes, at), offset: u64_at(bytes, at + 4) });
        let time = Stamp::from_nanos(u64_at(bytes, 8).cast_signed());
        let open = open.map(|cursor| (cursor.segment != 0).then_some(cursor));
        Some(Self { offset: u64_at(bytes, 0), track: Track { time, run: u32_at(bytes, 16), open } })
    }
}

/// The head of the sidecar of `segment`.
pub(crate) fn head(segment: u32) -> [u8; HEAD_BYTES] {
    let mut bytes = [0; HEAD_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..].copy_from_slice(&segment.to_le_bytes());
    bytes
}

/// The records of one segment, in order.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    pub(crate) segment: u32,
    pub(crate) records: Vec<Record>,
    /// How many of the records came from the sidecar.
    pub(crate) stored: usize,
    /// The end of the last whole line that was seen, and what was known there.
    pub(crate) end: u64,
    pub(crate) track: Track,
}

impl Index {
    /// The sidecar at `path` as far as it is sound, and the rest out of the segment's `log` itself.
    pub(crate) fn load(path: &Path, segment: u32, log: &File) -> io::Result<Self> {
        let mut index = Self { segment, records: Vec::new(), stored: 0, end: 0, track: Track::new() };
        index.records = read_records(path, segment, log).unwrap_or_default();
        index.stored = index.records.len();
        if let Some(last) = index.records.last() {
            (index.end, index.track) = (last.offset, last.track);
        }
        index.extend(log)?;
        Ok(index)
    }

    /// Goes on to the end of what `log` holds now.
    pub(crate) fn extend(&mut self, log: &File) -> io::Result<()> {
        let mut scan = Scan::new(self.end);
        while let Some(line) = scan.next(log)? {
            let at = Cursor { segment: self.segment, offset: line.offset };
            let entry = Entry::parse(line.bytes);
            if self.records.last().is_none_or(|last| at.offset >= last.offset + INDEX_BLOCK) {
                self.records.push(Record::of(at, &self.track, entry.as_ref()));
            }
            if let Some(entry) = &entry {
                self.track.apply(at, entry);
            }
            self.end = line.end;
        }
        Ok(())
    }

    /// The last record at or before `offset`.
    #[cfg(feature = "read")]
    pub(crate) fn at(&self, offset: u64) -> Option<&Record> {
        let after = self.records.partition_point(|record| record.offset <= offset);
        self.records[..after].last()
    }

    /// The last record whose entry is older than `time`: no entry before it is as new as that.
    #[cfg(feature = "read")]
    pub(crate) fn before(&self, time: Stamp) -> Option<&Record> {
        let after = self.records.partition_point(|record| record.track.time < time);
        self.records[..after].last()
    }
}

/// `None` if the sidecar is not one of ours for this very segment.
fn read_records(path: &Path, segment: u32, log: &File) -> Option<Vec<Record>> {
    let length = log.metadata().ok()?.len();
    if std::fs::metadata(path).ok()?.len() > MAX_INDEX_BYTES {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    let (found, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    if *found != head(segment) {
        return None;
    }
    let mut records: Vec<Record> = Vec::new();
    let (chunks, _) = rest.as_chunks::<RECORD_BYTES>();
    for record in chunks.iter().map_while(|chunk| Record::decode(chunk, segment)) {
        let follows = records
            .last()
            .is_none_or(|last| last.offset < record.offset && last.track.time <= record.track.time);
        if !follows || record.offset >= length {
            break;
        }
        records.push(record);
    }
    stands_in(log, records.last()?).then_some(records)
}

/// Whether the segment has an entry where the record says so: a sidecar may be left from a segment that was deleted.
fn stands_in(log: &File, record: &Record) -> bool {
    let mut around = [0; 1 + STAMP_BYTES];
    let before = usize::from(record.offset > 0);
    let bytes = &mut around[1 - before..];
    match read_at(log, bytes, record.offset - before as u64) {
        Ok(read) if read == bytes.len() => {
            (before == 0 || around[0] == b'\n') && Stamp::parse(&around[1..]) == Some(record.track.time)
        }
        _ => false,
    }
}

/// FNV-1a, begun with the segment's number.
fn checksum(bytes: &[u8], segment: u32) -> u32 {
    let seed = 0x811c_9dc5 ^ segment;
    bytes.iter().fold(seed, |sum, &byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
