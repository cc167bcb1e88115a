//! The child's output: read as fast as it is written, stored as it is read.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use forge_logs::{Position, Stamp, Stream, Writer};
use rustix::io::Errno;

use crate::partial::Partial;

/// The buffer of a keeper whose child says little; one page of a terminal's output at least.
const SMALL_BUFFER: usize = 16 << 10;

/// The buffer under a flood.
const LARGE_BUFFER: usize = 64 << 10;

/// The pipe under a flood: the child can go on writing while the keeper stores.
#[cfg(target_os = "linux")]
const LARGE_PIPE: usize = 1 << 20;

/// The pipe that Linux makes by itself.
#[cfg(target_os = "linux")]
const USUAL_PIPE: usize = 64 << 10;

/// What a flood took is given back after this much silence.
const TRIM_AFTER: Duration = Duration::from_secs(1);

/// What one read gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<'a> {
    /// These bytes, which are stored.
    Bytes(&'a [u8]),
    /// Nothing is there now.
    Nothing,
    /// Nobody can write any more: the source is closed.
    End,
}

/// One FIFO, or the terminal.
#[derive(Debug)]
struct Source {
    stream: Stream,
    fd: OwnedFd,
    last_read: Instant,
    partial: Partial,
    /// Not found empty since [`Output::drain_all`].
    draining: bool,
    /// The kernel hands a terminal's last output over some time after it was written: empty does not mean the end.
    terminal: bool,
}

/// All the sources of a run, and the log that they go to.
#[derive(Debug)]
pub(super) struct Output {
    writer: Writer,
    sources: Vec<Source>,
    buffer: Vec<u8>,
    /// The last read filled the buffer.
    flooded: bool,
}

impl Output {
    pub(super) fn new(writer: Writer) -> Self {
        Self { writer, sources: Vec::new(), buffer: vec![0; SMALL_BUFFER], flooded: false }
    }

    /// Reads from this FIFO, opened so that it does not block, too.
    pub(super) fn add_fifo(&mut self, stream: Stream, fd: OwnedFd) {
        self.add(stream, fd, false);
    }

    /// Reads from this terminal, which does not block, too.
    pub(super) fn add_terminal(&mut self, fd: OwnedFd) {
        self.add(Stream::Stdout, fd, true);
    }

    fn add(&mut self, stream: Stream, fd: OwnedFd, terminal: bool) {
        let (last_read, partial) = (Instant::now(), Partial::default());
        self.sources.push(Source { stream, fd, last_read, partial, draining: false, terminal });
    }

    pub(super) fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    /// A line of Forge's own in the log.
    pub(super) fn mark(&mut self, text: &str) {
        self.writer.marker(text, Stamp::now());
    }

    /// The open sources, in the order of the index that [`Output::take`] wants.
    pub(super) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sources.iter().map(|source| source.fd.as_fd())
    }

    /// Reads once from a source, and stores what came.
    pub(super) fn take(&mut self, index: usize) -> Taken<'_> {
        let Some(source) = self.sources.get_mut(index) else { return Taken::Nothing };
        if self.flooded && self.buffer.len() < LARGE_BUFFER {
            enlarge_pipe(&source.fd);
            self.buffer = vec![0; LARGE_BUFFER];
        }
        let read = match rustix::io::read(&source.fd, &mut self.buffer[..]) {
            Ok(0) => return self.close(index),
            Ok(read) => read,
            Err(Errno::AGAIN) => {
                source.draining = source.draining && source.terminal;
                return Taken::Nothing;
            }
            Err(Errno::INTR) => return Taken::Nothing,
            // A terminal says EIO when its last user has gone.
            Err(_) => return self.close(index),
        };
        source.last_read = Instant::now();
        let bytes = &self.buffer[..read];
        self.writer.write(source.stream, bytes, Stamp::now());
        source.partial.read(bytes, self.writer.has_partial(source.stream), source.last_read);
        self.flooded = read == self.buffer.len();
        Taken::Bytes(&self.buffer[..read])
    }

    fn close(&mut self, index: usize) -> Taken<'_> {
        let source = self.sources.remove(index);
        self.writer.finish(source.stream, Stamp::now());
        Taken::End
    }

    /// From now on, [`Output::is_drained`] once every FIFO was found empty, and every terminal at its end.
    pub(super) fn drain_all(&mut self) {
        for source in &mut self.sources {
            source.draining = true;
        }
    }

    /// The sources to be read now, whether or not the system says that there is something.
    pub(super) fn due(&self) -> Vec<usize> {
        let due = |source: &Source| source.draining && !source.terminal;
        (0..self.sources.len()).filter(|&index| due(&self.sources[index])).collect()
    }

    /// All that had been written at [`Output::drain_all`] is stored.
    pub(super) fn is_drained(&self) -> bool {
        !self.sources.iter().any(|source| source.draining)
    }

    /// When [`Output::act`] is due next, if nothing comes before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let partial = self.sources.iter().filter_map(|source| source.partial.due()).min();
        let trim = self.trim_at();
        partial.into_iter().chain(trim).min()
    }

    fn trim_at(&self) -> Option<Instant> {
        let last_read = self.sources.iter().map(|source| source.last_read).max();
        let grown = self.buffer.len() > SMALL_BUFFER;
        grown.then_some(last_read.map_or_else(Instant::now, |read| read + TRIM_AFTER))
    }

    /// Does what is due at `now`: shows prompts, gives memory back.
    pub(super) fn act(&mut self, now: Instant) {
        for source in &mut self.sources {
            if source.partial.due().is_some_and(|due| now >= due) {
                self.writer.flush_partial(source.stream, Stamp::now());
                source.partial.stored();
            }
        }
        if self.trim_at().is_some_and(|at| now >= at) {
            self.buffer = vec![0; SMALL_BUFFER];
            for source in &self.sources {
                restore_pipe(&source.fd);
            }
        }
    }

    /// The run is over: stores the rest of what came. Where the log ends.
    pub(super) fn finish(mut self) -> Position {
        for source in &self.sources {
            self.writer.finish(source.stream, Stamp::now());
        }
        self.writer.position()
    }
}

/// Refused beyond the user's share of pipe memory, then the usual size must do; and for a terminal.
#[cfg(target_os = "linux")]
fn enlarge_pipe(fd: &OwnedFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(fd, LARGE_PIPE);
}

/// All of a user's pipes share one limit (pipe-user-pages-soft of pipe(7)): a keeper takes of it what it needs now.
#[cfg(target_os = "linux")]
fn restore_pipe(fd: &OwnedFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(fd, USUAL_PIPE);
}

/// Pipes grow by themselves here.
#[cfg(not(target_os = "linux"))]
fn enlarge_pipe(_: &OwnedFd) {}

#[cfg(not(target_os = "linux"))]
fn restore_pipe(_: &OwnedFd) {}
