//! What a writer does when its files are not as it left them, or do not take what it writes.

use std::io;
use std::time::Duration;

use super::Writer;
use super::loss::Loss;
use super::segment::{self, Presence, Segment};
use crate::scan::read_at;
use crate::segments::list;

impl Writer {
    /// A write failed after `written` bytes. What is whole of them stays, since a reader may have seen it; the rest is
    /// taken back and counted.
    pub(super) fn lose(&mut self, written: usize, error: &io::Error) {
        let bytes = &self.batch.bytes;
        let whole = memchr::memrchr(b'\n', &bytes[..written]).map_or(0, |at| at + 1);
        let stored = |end: usize| (1..=whole).contains(&end);
        self.torn &= !stored(self.preamble.newline);
        if stored(self.preamble.announce) {
            self.announce = None;
        }
        if stored(self.preamble.loss) {
            self.loss = None;
        }
        let tried = self.checked;
        let loss = self.loss.get_or_insert_with(|| Loss::new(error, tried));
        loss.set_reason(error);
        loss.count(&bytes[whole..]);
        let end = self.segment.length + whole as u64;
        if self.segment.cut(end).is_err() {
            self.torn |= written > whole;
            self.segment.length += written as u64;
        }
        self.retrying = false;
        self.discard(end);
    }

    /// Drops the batch but for the records before `end`. Lines that were stored in part end with the marker to come.
    pub(super) fn discard(&mut self, end: u64) {
        self.batch.records.retain(|record| record.offset < end);
        self.segment.append_records(&self.batch.records);
        self.batch.clear();
        self.batch.force_record();
        self.batch.track.open = [None; 2];
    }

    /// Looks whether the segment is still there, as it was left.
    pub(super) fn verify(&mut self) {
        if self.detached {
            return;
        }
        match self.segment.presence() {
            Presence::Intact => {}
            Presence::Changed { length } => {
                self.segment.length = length;
                self.torn = length > 0 && !self.ends_with_newline();
                self.segment.forget_records(&self.dir);
                self.restart("another program changed the log: what is missing before this line is not kept");
            }
            Presence::Gone => self.reattach(),
        }
    }

    fn ends_with_newline(&self) -> bool {
        let mut last = [0];
        matches!(read_at(self.segment.file(), &mut last, self.segment.length - 1), Ok(1)) && last == [b'\n']
    }

    /// After the segment was deleted: makes the folder anew, and a segment in it.
    fn reattach(&mut self) {
        match self.new_segment() {
            Ok(segment) => {
                self.segment = segment;
                self.limit = self.options.segment_bytes;
                (self.torn, self.detached) = (false, false);
                self.restart("the log was deleted while it was written; what it held is gone");
            }
            Err(error) => {
                self.detached = true;
                let tried = self.checked;
                self.loss.get_or_insert_with(|| Loss::new(&error, tried)).set_reason(&error);
            }
        }
    }

    fn new_segment(&mut self) -> io::Result<Segment> {
        segment::create_folder(&self.dir)?;
        // If another writer was quicker in the new folder, both go on, each in segments of its own.
        if let Ok(lock) = segment::lock(&self.dir, Duration::ZERO) {
            self.lock = lock;
        }
        let last = list(&self.dir)?.last().copied().unwrap_or(0);
        Segment::create(&self.dir, last.max(self.segment.number) + 1)
    }

    /// Whether there is a segment to write to.
    pub(super) fn reattach_if_detached(&mut self) -> bool {
        if self.detached {
            self.reattach();
        }
        !self.detached
    }

    /// The segment is not the one that was written to: nothing before is continued.
    fn restart(&mut self, why: &str) {
        self.batch.clear();
        self.batch.track.open = [None; 2];
        self.batch.force_record();
        self.announce_segment();
        self.retrying = self.loss.is_some();
        self.mark(why);
    }
}
