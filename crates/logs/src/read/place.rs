//! Where a reader stands, and how it gets there.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use super::{Batch, Joiner, Reader};
use crate::cri::Entry;
use crate::index::{Index, Record, Track};
use crate::scan::{Scan, read_at};
use crate::segments::{index_path, list, log_path};
use crate::stamp::STAMP_BYTES;
use crate::{Cursor, Stamp};

/// An open segment.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) file: File,
}

/// The segment to go on with.
#[derive(Debug, Clone, Copy)]
pub(super) struct After {
    pub(super) segment: u32,
    /// It does not follow the one before: something is missing between them.
    pub(super) gap: bool,
}

impl Place {
    /// `None` if there is no such segment.
    pub(crate) fn open(dir: &Path, segment: u32) -> io::Result<Option<Self>> {
        match File::open(log_path(dir, segment)) {
            Ok(file) => Ok(Some(Self { segment, file })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn index(&self, dir: &Path) -> io::Result<Index> {
        Index::load(&index_path(dir, self.segment), self.segment, &self.file)
    }

    /// What comes after the end of this segment, of which `position` bytes are read; `None`: wait for more of it.
    pub(super) fn after(&self, dir: &Path, position: u64) -> io::Result<Option<After>> {
        let next = self.segment + 1;
        let presence = self.presence(dir, position)?;
        let same_store = matches!(presence, Presence::Intact | Presence::Gone);
        if same_store && std::fs::exists(log_path(dir, next))? {
            return Ok(Some(After { segment: next, gap: false }));
        }
        if presence == Presence::Intact {
            return Ok(None);
        }
        let segments = list(dir)?;
        let later = segments.iter().copied().find(|&segment| segment > self.segment);
        let first = match presence {
            Presence::Intact => None,
            Presence::Cut => Some(self.segment),
            Presence::Gone => later.or(segments.first().copied()),
            Presence::Replaced => segments.first().copied(),
        };
        Ok(first.map(|segment| After { segment, gap: true }))
    }

    /// Whether the open file is the one that has its name, and holds what was read of it.
    fn presence(&self, dir: &Path, position: u64) -> io::Result<Presence> {
        match std::fs::metadata(log_path(dir, self.segment)) {
            Ok(found) if !same_file(&found, &self.file.metadata()?) => Ok(Presence::Replaced),
            Ok(found) if found.len() < position => Ok(Presence::Cut),
            Ok(_) => Ok(Presence::Intact),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Presence::Gone),
            Err(error) => Err(error),
        }
    }
}

/// What became of an open segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Intact,
    /// Deleted: by the quota, or with its folder.
    Gone,
    /// Another program made it shorter than what was read of it.
    Cut,
    /// Another store has a segment of that number.
    Replaced,
}

#[cfg(unix)]
fn same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The file's number is not to be had from std.
#[cfg(windows)]
fn same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::windows::fs::MetadataExt;
    one.creation_time() == other.creation_time()
}

impl Reader {
    /// Goes to the oldest line.
    ///
    /// # Errors
    /// The folder can't be listed.
    pub fn seek_start(&mut self) -> io::Result<()> {
        let first = list(&self.dir)?.first().copied().unwrap_or(0);
        self.seek(Cursor { segment: first, offset: 0 });
        Ok(())
    }

    /// Goes behind the newest line: only what comes is read.
    ///
    /// # Errors
    /// The folder can't be listed, or a file can't be read.
    pub fn seek_end(&mut self) -> io::Result<()> {
        let mut end = Cursor { segment: 0, offset: 0 };
        for segment in list(&self.dir)?.into_iter().rev() {
            if let Some(place) = Place::open(&self.dir, segment)? {
                end = Cursor { segment, offset: place.index(&self.dir)?.end };
                break;
            }
        }
        self.seek(end);
        Ok(())
    }

    /// The time of the oldest line (nanoseconds since 1970, UTC); `None`: there is none.
    ///
    /// # Errors
    /// The folder can't be listed, or a file can't be read.
    pub fn first_time(&self) -> io::Result<Option<i64>> {
        for segment in list(&self.dir)? {
            if let Some(first) = first_time(&self.dir, segment)? {
                return Ok(Some(first.as_nanos()));
            }
        }
        Ok(None)
    }

    /// Goes to `cursor`. If its segment was deleted, the next [`Reader::read`] begins with what follows, and says that
    /// there is a gap.
    pub fn seek(&mut self, cursor: Cursor) {
        (self.target, self.place, self.successor) = (cursor, None, None);
        self.joiner = Joiner::new(&self.options, Track::new());
    }

    /// Goes to the first line that ended at `time_ns` (nanoseconds since 1970, UTC) or later.
    ///
    /// # Errors
    /// The folder can't be listed, or a file can't be read.
    pub fn seek_time(&mut self, time_ns: i64) -> io::Result<()> {
        let time = Stamp::from_nanos(time_ns);
        let segments = list(&self.dir)?;
        let (mut low, mut high) = (0, segments.len());
        // The last segment that begins before `time`, or the first.
        while high - low > 1 {
            let middle = low.midpoint(high);
            if first_time(&self.dir, segments[middle])?.is_some_and(|first| first < time) {
                low = middle;
            } else {
                high = middle;
            }
        }
        let Some(&segment) = segments.get(low) else { return self.seek_start() };
        let offset = match Place::open(&self.dir, segment)? {
            Some(place) => offset_of(&place, &place.index(&self.dir)?, time)?,
            None => 0,
        };
        self.seek(Cursor { segment, offset });
        Ok(())
    }

    /// Goes so far back from the end that `lines` lines of the program follow; Forge's own are not counted.
    ///
    /// # Errors
    /// The folder can't be listed, or a file can't be read.
    pub fn seek_tail(&mut self, lines: usize) -> io::Result<()> {
        self.seek_end()?;
        let mut backward = self.backward()?;
        let mut left = lines;
        let mut target = if lines == 0 { Some(self.target) } else { None };
        while target.is_none() {
            match backward.next()? {
                Some(line) if line.is_program() && left == 0 => target = Some(line.end),
                Some(line) => left -= usize::from(line.is_program()),
                None => break,
            }
        }
        match target {
            Some(target) => self.seek(target),
            None => self.seek_start()?,
        }
        Ok(())
    }

    /// Opens the segment of the target, and gets to know what stands before it. `false` if there is no segment.
    pub(super) fn enter(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let Some((place, index)) = self.find_target(batch)? else { return Ok(false) };
        let offset = self.target.offset;
        // Begun one record earlier, for the level that the first lines may inherit.
        let record = index.at(offset).and_then(|record| index.at(record.offset.saturating_sub(1))).copied();
        let record = record.or(index.records.first().copied()).filter(|record| record.offset <= offset);
        let (from, track) = record.map_or((0, Track::new()), |Record { offset, track }| (offset, track));
        self.known_from = Cursor { segment: place.segment, offset: from };
        self.joiner = Joiner::new(&self.options, track);
        self.scan = Scan::new(from);
        while self.scan.offset() < offset {
            let Some(raw) = self.scan.next(&place.file)? else { break };
            let before = batch.lines.len();
            self.joiner.feed(place.segment, &raw, &mut batch.lines);
            if raw.end <= offset {
                batch.lines.truncate(before);
            }
        }
        self.place = Some(place);
        Ok(true)
    }

    /// The segment of the target; where it is gone, the target is moved to the nearest that is there.
    fn find_target(&mut self, batch: &mut Batch) -> io::Result<Option<(Place, Index)>> {
        let segments = list(&self.dir)?;
        let wanted = self.target;
        let later = segments.iter().copied().find(|&segment| segment >= wanted.segment);
        let Some(mut segment) = later.or(segments.first().copied()) else { return Ok(None) };
        if segment != wanted.segment {
            self.target = Cursor { segment, offset: 0 };
            // Nobody has seen anything of a store whose beginning was asked for before it was there.
            batch.gap = wanted.segment != 0;
        }
        let Some(mut place) = Place::open(&self.dir, segment)? else { return Ok(None) };
        let mut index = place.index(&self.dir)?;
        if self.target.offset > index.end.max(place.file.metadata()?.len()) {
            // It is another store than the cursor's.
            batch.gap = true;
            segment = segments.first().copied().unwrap_or(segment);
            self.target = Cursor { segment, offset: 0 };
            let Some(first) = Place::open(&self.dir, segment)? else { return Ok(None) };
            place = first;
            index = place.index(&self.dir)?;
        }
        Ok(Some((place, index)))
    }
}

/// The stamp of a segment's first entry; `None` if it has none, or is gone.
fn first_time(dir: &Path, segment: u32) -> io::Result<Option<Stamp>> {
    let Some(place) = Place::open(dir, segment)? else { return Ok(None) };
    let mut head = [0; STAMP_BYTES];
    if read_at(&place.file, &mut head, 0)? == STAMP_BYTES
        && let Some(stamp) = Stamp::parse(&head)
    {
        return Ok(Some(stamp));
    }
    let mut scan = Scan::new(0);
    while let Some(raw) = scan.next(&place.file)? {
        if let Some(entry) = Entry::parse(raw.bytes) {
            return Ok(Some(entry.time));
        }
    }
    Ok(None)
}

/// Where in a segment the first entry stands that is not older than `time`.
fn offset_of(place: &Place, index: &Index, time: Stamp) -> io::Result<u64> {
    let mut scan = Scan::new(index.before(time).map_or(0, |record| record.offset));
    while let Some(raw) = scan.next(&place.file)? {
        if Entry::parse(raw.bytes).is_some_and(|entry| entry.time >= time) {
            return Ok(raw.offset);
        }
    }
    Ok(scan.offset())
}
