//! The files a writer holds: the segment it appends to, that segment's sidecar, and the lock of the folder.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io;
#[cfg(unix)]
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::index::{self, HEAD_BYTES, Index, RECORD_BYTES, Record};
use crate::segments::{index_path, list, log_path};

const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// The segment that is appended to.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    /// Bytes that are stored.
    pub(super) length: u64,
    file: File,
    path: PathBuf,
    identity: Identity,
    sidecar: Sidecar,
}

/// What became of a segment while it was open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Intact,
    /// Another program made it this long.
    Changed {
        length: u64,
    },
    /// It is not there any more, or another file is in its place.
    Gone,
}

impl Segment {
    /// A new segment with the first free number from `number` on.
    pub(super) fn create(dir: &Path, mut number: u32) -> io::Result<Self> {
        loop {
            let path = log_path(dir, number);
            match open_private(&path, OpenOptions::new().create_new(true)) {
                Ok(file) => {
                    let identity = Identity::of(&file.metadata()?);
                    let sidecar = Sidecar::create(dir, number, &[]);
                    return Ok(Self { number, length: 0, file, path, identity, sidecar });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// An old segment, to be continued, and what it holds.
    pub(super) fn resume(dir: &Path, number: u32) -> io::Result<(Self, Index)> {
        let path = log_path(dir, number);
        let file = open_private(&path, &mut OpenOptions::new())?;
        let metadata = file.metadata()?;
        let index = Index::load(&index_path(dir, number), number, &file)?;
        let identity = Identity::of(&metadata);
        let sidecar = Sidecar::resume(dir, &index);
        Ok((Self { number, length: metadata.len(), file, path, identity, sidecar }, index))
    }

    /// The segment's file, for reading.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Appends `bytes`. After an error [`Segment::length`] has not moved, but some of them may be in the file: the
    /// number of these is returned with the error.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let mut written = 0;
        while written < bytes.len() {
            match write_at_end(&self.file, &bytes[written..], self.length + written as u64) {
                Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((written, error)),
            }
        }
        self.length += written as u64;
        Ok(())
    }

    /// Makes the file this long.
    pub(super) fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.length = length;
        Ok(())
    }

    pub(super) fn append_records(&mut self, records: &[Record]) {
        self.sidecar.append(records);
    }

    /// Begins the sidecar anew: the segment is not what it was.
    pub(super) fn forget_records(&mut self, dir: &Path) {
        self.sidecar = Sidecar::create(dir, self.number, &[]);
    }

    pub(super) fn presence(&self) -> Presence {
        match std::fs::metadata(&self.path) {
            Ok(found) if Identity::of(&found) != self.identity => Presence::Gone,
            Ok(found) if found.len() != self.length => Presence::Changed { length: found.len() },
            Ok(_) => Presence::Intact,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Presence::Gone
            }
            // What can't be told may be as it was.
            Err(_) => Presence::Intact,
        }
    }
}

/// What tells a file from another under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(metadata.dev(), metadata.ino())
    }

    /// The file's number is not to be had from std. The time of creation does, but for a file that is made anew under
    /// its old name within 15 s: NTFS gives it the old time.
    #[cfg(windows)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::windows::fs::MetadataExt;
        Self(metadata.creation_time(), 0)
    }
}

/// Records that are collected for one write: a megabyte of the segment, which readers scan meanwhile.
const COLLECTED: usize = 16;

/// The sidecar; a failure ends it for this segment, and readers scan what it does not cover.
#[derive(Debug)]
struct Sidecar {
    file: Option<File>,
    number: u32,
    length: u64,
    /// Encoded, and not written yet.
    pending: Vec<u8>,
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.write_pending();
    }
}

impl Sidecar {
    fn create(dir: &Path, number: u32, records: &[Record]) -> Self {
        let path = index_path(dir, number);
        let file = open_private(&path, OpenOptions::new().create(true));
        let file = file.and_then(|file| file.set_len(0).map(|()| file)).ok();
        let mut new = Self { file, number, length: 0, pending: Vec::new() };
        new.append_bytes(&index::head(number));
        new.append(records);
        new
    }

    /// Goes on behind the records that were sound.
    fn resume(dir: &Path, index: &Index) -> Self {
        let number = index.segment;
        if index.stored == 0 {
            return Self::create(dir, number, &index.records);
        }
        let length = (HEAD_BYTES + index.stored * RECORD_BYTES) as u64;
        let file = open_private(&index_path(dir, number), &mut OpenOptions::new());
        let file = file.and_then(|file| file.set_len(length).map(|()| file)).ok();
        let mut resumed = Self { file, number, length, pending: Vec::new() };
        resumed.append(&index.records[index.stored..]);
        resumed
    }

    fn append(&mut self, records: &[Record]) {
        for record in records {
            self.pending.extend_from_slice(&record.encode(self.number));
        }
        if self.pending.len() >= COLLECTED * RECORD_BYTES {
            self.write_pending();
        }
    }

    fn write_pending(&mut self) {
        let bytes = std::mem::take(&mut self.pending);
        if !bytes.is_empty() {
            self.append_bytes(&bytes);
        }
    }

    fn append_bytes(&mut self, bytes: &[u8]) {
        let Some(file) = &self.file else { return };
        match write_at_end(file, bytes, self.length) {
            Ok(written) if written == bytes.len() => self.length += written as u64,
            // A record that is there in part would hide those behind it.
            _ => {
                if file.set_len(self.length).is_err() {
                    self.file = None;
                }
            }
        }
    }
}

/// One write at the end of the file, which is `length` bytes long. On Unix the system finds the end, so that a file
/// cut short by another program does not become one with a hole.
fn write_at_end(file: &File, bytes: &[u8], length: u64) -> io::Result<usize> {
    #[cfg(unix)]
    let written = {
        let (mut file, _) = (file, length);
        file.write(bytes)
    };
    #[cfg(windows)]
    let written = std::os::windows::fs::FileExt::seek_write(file, bytes, length);
    written
}

/// Opens a file of ours for reading and appending; a new one is for its owner only. On Windows the state folder's
/// access list is what keeps others out.
fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.append(true).mode(0o600);
    }
    #[cfg(windows)]
    options.write(true);
    options.read(true).open(path)
}

/// Creates the folder and those above it, for their owner only.
pub(super) fn create_folder(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Takes the folder's lock, waiting at most `wait` for another writer to let go of it.
pub(super) fn lock(dir: &Path, wait: Duration) -> io::Result<File> {
    let deadline = Instant::now() + wait;
    let path = dir.join("writer.lock");
    loop {
        let file = open_private(&path, OpenOptions::new().create(true))?;
        match file.try_lock() {
            // Who removes the folder removes the lock's name: the file that is locked must be the one that is found.
            Ok(()) if Identity::of(&std::fs::metadata(&path)?) == Identity::of(&file.metadata()?) => {
                return Ok(file);
            }
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => {
                let message = format!("{} is held by another writer", path.display());
                return Err(io::Error::new(io::ErrorKind::WouldBlock, message));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Deletes the oldest segments until those that stay, with a full one to come, are within `quota` bytes. The newest is
/// never deleted.
pub(super) fn apply_quota(dir: &Path, quota: u64, segment_bytes: u64) -> io::Result<()> {
    let segments = list(dir)?;
    let Some((_, closed)) = segments.split_last() else { return Ok(()) };
    let size = |segment: &u32| std::fs::metadata(log_path(dir, *segment)).map_or(0, |found| found.len());
    let mut total = closed.iter().map(size).sum::<u64>().saturating_add(segment_bytes);
    for segment in closed {
        if total <= quota {
            break;
        }
        total = total.saturating_sub(size(segment));
        std::fs::remove_file(log_path(dir, *segment))?;
        // Without its segment it means nothing to anybody, and the next one of that number begins it anew.
        let _ = std::fs::remove_file(index_path(dir, *segment));
    }
    Ok(())
}
