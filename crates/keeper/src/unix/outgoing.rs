//! What waits to be sent to one client: bounded, so that a client that does not read costs nobody anything.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

/// Bytes of a terminal's output that wait for a client, at most; then it is no longer attached.
const OUTPUT_LIMIT: usize = 256 << 10;

/// Bytes of anything that wait for a client, at most; then it is dropped.
const LIMIT: usize = 1 << 20;

/// One frame, and how much of it is sent.
#[derive(Debug)]
pub(super) struct Frame {
    bytes: Vec<u8>,
    sent: usize,
    /// Goes with the first byte.
    descriptor: Option<OwnedFd>,
}

impl Frame {
    /// What is left to send.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    /// The descriptor to send beside it.
    pub(super) fn descriptor(&self) -> Option<&OwnedFd> {
        self.descriptor.as_ref()
    }
}

/// The client has not read for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// Frames in the order in which they are sent.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Adds a frame.
    pub(super) fn push(&mut self, bytes: Vec<u8>, descriptor: Option<OwnedFd>) -> Result<(), Full> {
        self.push_within(LIMIT, bytes, descriptor)
    }

    /// Adds a frame of a terminal's output, which may be refused sooner than others.
    pub(super) fn push_output(&mut self, bytes: Vec<u8>) -> Result<(), Full> {
        self.push_within(OUTPUT_LIMIT, bytes, None)
    }

    fn push_within(&mut self, limit: usize, bytes: Vec<u8>, descriptor: Option<OwnedFd>) -> Result<(), Full> {
        if self.bytes + bytes.len() > limit {
            return Err(Full);
        }
        self.bytes += bytes.len();
        self.frames.push_back(Frame { bytes, sent: 0, descriptor });
        Ok(())
    }

    /// What is to be sent next.
    pub(super) fn front(&self) -> Option<&Frame> {
        self.frames.front()
    }

    /// So many bytes of [`Outgoing::front`] are sent, and its descriptor with them.
    pub(super) fn sent(&mut self, count: usize) {
        let Some(frame) = self.frames.front_mut() else { return };
        frame.descriptor = None;
        frame.sent += count;
        self.bytes = self.bytes.saturating_sub(count);
        if frame.rest().is_empty() {
            self.frames.pop_front();
        }
        if self.frames.is_empty() {
            self.frames = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_go_out_in_order_however_they_are_cut() {
        let mut outgoing = Outgoing::default();
        for frame in [b"one".as_slice(), b"two", b"three"] {
            outgoing.push(frame.to_vec(), None).unwrap();
        }
        let mut seen = Vec::new();
        while let Some(frame) = outgoing.front() {
            let piece = frame.rest().len().min(2);
            seen.extend_from_slice(&frame.rest()[..piece]);
            outgoing.sent(piece);
        }
        assert_eq!(seen, b"onetwothree", "in pieces of two");
        assert!(outgoing.is_empty() && outgoing.bytes == 0, "nothing is left");
    }

    #[test]
    fn a_client_that_does_not_read_is_bounded() {
        let mut outgoing = Outgoing::default();
        let piece = vec![0; 100 << 10];
        assert_eq!(outgoing.push_output(piece.clone()), Ok(()), "the first");
        assert_eq!(outgoing.push_output(piece.clone()), Ok(()), "the second");
        assert_eq!(outgoing.push_output(piece.clone()), Err(Full), "output over 256 KiB");
        for _ in 0..8 {
            assert_eq!(outgoing.push(piece.clone(), None), Ok(()), "reports have more room");
        }
        assert_eq!(outgoing.push(piece, None), Err(Full), "anything over 1 MiB");
    }
}
