//! Entries on their way to a segment, assembled in one buffer.

use crate::cri::{MAX_TEXT, Stream};
use crate::index::{INDEX_BLOCK, Record, Track};
use crate::stamp::{STAMP_BYTES, Stamp, StampText};
use crate::{Cursor, writer::BATCH_BYTES};

const HEAD_BYTES: usize = STAMP_BYTES + " stdout F ".len();

/// What stands before the text of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    bytes: [u8; HEAD_BYTES],
    length: usize,
}

impl Head {
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The entries of one write, and the index records that go with them.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) records: Vec<Record>,
    /// The stamp of all entries to come, the run, and the lines that are stored in part.
    pub(super) track: Track,
    stamp: StampText,
    /// The place from which on the next entry gets a record.
    next_record: u64,
}

impl Batch {
    pub(super) fn new(track: Track) -> Self {
        let mut stamp = StampText::new();
        stamp.set(track.time);
        // The memory is not touched, and so not ours, before it is used.
        Self { bytes: Vec::with_capacity(BATCH_BYTES), records: Vec::new(), track, stamp, next_record: 0 }
    }

    pub(super) fn set_time(&mut self, time: Stamp) {
        self.track.time = time;
        self.stamp.set(time);
    }

    /// The next entry gets an index record, wherever it stands.
    pub(super) fn force_record(&mut self) {
        self.next_record = 0;
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
    }

    pub(super) fn head(&self, stream: Stream, last: bool) -> Head {
        let tail: &[u8] = match (stream, last) {
            (Stream::Stdout, true) => b" stdout F ",
            (Stream::Stdout, false) => b" stdout P ",
            (Stream::Stderr, true) => b" stderr F ",
            (Stream::Stderr, false) => b" stderr P ",
            (Stream::Forge, _) => b" forge F ",
        };
        let length = STAMP_BYTES + tail.len();
        let mut bytes = [0; HEAD_BYTES];
        bytes[..STAMP_BYTES].copy_from_slice(self.stamp.text());
        bytes[STAMP_BYTES..length].copy_from_slice(tail);
        Head { bytes, length }
    }

    /// Bytes of an entry with a text of this length.
    pub(super) fn entry_bytes(text: usize) -> usize {
        HEAD_BYTES + text + 1
    }

    /// Adds one entry, whose text comes in two parts. The batch begins at `base`.
    pub(super) fn push(&mut self, base: Cursor, stream: Stream, last: bool, text: [&[u8]; 2]) {
        let at = Cursor { offset: base.offset + self.bytes.len() as u64, ..base };
        if at.offset >= self.next_record {
            self.records.push(Record { offset: at.offset, track: self.track });
            self.next_record = at.offset + INDEX_BLOCK;
        }
        let head = self.head(stream, last);
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(text[0]);
        self.bytes.extend_from_slice(text[1]);
        self.bytes.push(b'\n');
        if let Some(index) = stream.index() {
            let open = &mut self.track.open[index];
            *open = if last { None } else { open.or(Some(at)) };
        }
    }

    /// Adds whole lines out of `text` as long as they need no thought: no fragment, no record, no full buffer, nothing
    /// at or beyond `limit` in the segment. Returns what is left, from the beginning of a line on.
    ///
    /// This is where a flood is spent, so that it does nothing for a line but find its end and copy it.
    pub(super) fn push_lines<'a>(
        &mut self,
        base: u64,
        limit: u64,
        stream: Stream,
        text: &'a [u8],
    ) -> &'a [u8] {
        let head = self.head(stream, true);
        let head = head.as_bytes();
        let offset = base + self.bytes.len() as u64;
        let in_segment = limit.min(self.next_record).saturating_sub(offset);
        let in_buffer = BATCH_BYTES.saturating_sub(self.bytes.len());
        let mut room = in_buffer.min(usize::try_from(in_segment).unwrap_or(usize::MAX));
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            let length = head.len() + (end + 1 - start);
            if length > room || end - start > MAX_TEXT {
                break;
            }
            room -= length;
            self.bytes.extend_from_slice(head);
            self.bytes.extend_from_slice(&text[start..=end]);
            start = end + 1;
        }
        &text[start..]
    }
}
