//! What was sent to the child, until it takes it.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

/// Bytes that wait for a child that does not read, at most.
const LIMIT: usize = 1 << 20;

/// The way to the child's standard input or terminal.
#[derive(Debug, Default)]
pub(super) struct Input {
    fd: Option<OwnedFd>,
    queue: VecDeque<u8>,
}

/// Why input was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is nobody to read it.
    Closed,
    /// The child does not read what was sent before.
    Full,
}

impl Refusal {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Closed => "its standard input is not open",
            Self::Full => "it does not read: what was sent before still waits",
        }
    }
}

impl Input {
    /// Writes to `fd`, which does not block.
    pub(super) fn new(fd: Option<OwnedFd>) -> Self {
        Self { fd, queue: VecDeque::new() }
    }

    /// The descriptor, while something waits to be written to it.
    pub(super) fn waiting(&self) -> Option<BorrowedFd<'_>> {
        if self.queue.is_empty() { None } else { self.fd.as_ref().map(AsFd::as_fd) }
    }

    /// Takes bytes, all of them or none, and writes what can be written.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if self.fd.is_none() {
            return Err(Refusal::Closed);
        }
        if self.queue.len() + bytes.len() > LIMIT {
            return Err(Refusal::Full);
        }
        self.queue.extend(bytes);
        self.write();
        if self.fd.is_none() { Err(Refusal::Closed) } else { Ok(()) }
    }

    /// Writes what can be written.
    pub(super) fn write(&mut self) {
        let Some(fd) = &self.fd else { return };
        while !self.queue.is_empty() {
            match rustix::io::write(fd, self.queue.as_slices().0) {
                Ok(0) | Err(Errno::AGAIN) => return,
                Ok(written) => drop(self.queue.drain(..written)),
                Err(Errno::INTR) => {}
                Err(_) => return self.close(),
            }
        }
        self.queue = VecDeque::new();
    }

    /// Nobody reads any more.
    pub(super) fn close(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipe() -> (OwnedFd, OwnedFd) {
        let (read, write) = rustix::pipe::pipe().unwrap();
        rustix::io::ioctl_fionbio(&write, true).unwrap();
        (read, write)
    }

    #[test]
    fn what_a_child_does_not_read_is_bounded() {
        let (_read, write) = pipe();
        let mut input = Input::new(Some(write));
        let piece = vec![b'x'; 300 << 10];
        let taken = (0..100).take_while(|_| input.push(&piece).is_ok()).count();
        assert!((3..=6).contains(&taken), "about 1 MiB is taken, not {taken} pieces");
        assert_eq!(input.push(&piece), Err(Refusal::Full), "the queue is full");
        assert!(input.waiting().is_some(), "the rest waits for the child");
    }

    #[test]
    fn a_child_that_is_gone_refuses() {
        let (read, write) = pipe();
        drop(read);
        let mut input = Input::new(Some(write));
        assert_eq!(input.push(b"hello\n"), Err(Refusal::Closed), "SIGPIPE's place");
        assert_eq!(Input::new(None).push(b"hello\n"), Err(Refusal::Closed), "no standard input at all");
    }
}
