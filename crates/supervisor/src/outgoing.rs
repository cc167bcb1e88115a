//! What is on its way to one client: lines in order, bounded by their bytes.

use std::sync::Arc;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Bytes that wait for a slow client before whoever has more for it waits too.
const ROOM: usize = 8 << 20;

/// What a line costs beside its bytes, so that many short ones are bounded as well.
const OVERHEAD: usize = 256;

/// The way to one client. Clones share its room.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    lines: mpsc::UnboundedSender<(String, Room)>,
    room: Arc<Semaphore>,
}

/// A part of the room, kept until the line that it was taken for is written, or nothing comes of it.
#[derive(Debug)]
pub(crate) struct Room {
    _permit: Option<OwnedSemaphorePermit>,
}

/// Nobody is there any more.
#[derive(Debug)]
pub(crate) struct Gone;

impl Outgoing {
    /// The way to whoever reads the other end of `write`, and the task that writes. It ends with the last clone, or
    /// with the client.
    pub(crate) fn to<W: AsyncWrite + Unpin>(mut write: W) -> (Self, impl Future<Output = ()>) {
        let (lines, mut receiver) = mpsc::unbounded_channel::<(String, Room)>();
        let carry = async move {
            while let Some((mut line, _room)) = receiver.recv().await {
                line.push('\n');
                if write.write_all(line.as_bytes()).await.is_err() {
                    return;
                }
            }
        };
        (Self { lines, room: Arc::new(Semaphore::new(ROOM)) }, carry)
    }

    /// Sends a line once there is room for it. What is longer than all of the room waits until it is empty.
    pub(crate) async fn send(&self, line: String) -> Result<(), Gone> {
        let room = self.reserve(line.len()).await;
        self.send_in(room, line)
    }

    /// Takes room for a line that is still to be made: what is made meanwhile is bounded too.
    pub(crate) async fn reserve(&self, bytes: usize) -> Room {
        let bytes = u32::try_from(bytes.saturating_add(OVERHEAD).min(ROOM)).unwrap_or(u32::MAX);
        Room { _permit: Arc::clone(&self.room).acquire_many_owned(bytes).await.ok() }
    }

    /// Sends a line for which room was taken.
    pub(crate) fn send_in(&self, room: Room, line: String) -> Result<(), Gone> {
        self.lines.send((line, room)).map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::Poll;

    use tokio::io::{AsyncBufReadExt, BufReader};

    use super::*;

    /// Whether `work` is done at the first look.
    async fn is_done<T>(mut work: Pin<&mut impl Future<Output = T>>) -> bool {
        std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_holds_only_so_many_bytes() {
        let (write, read) = tokio::io::duplex(64 * 1024);
        let (outgoing, carry) = Outgoing::to(write);
        let long = "x".repeat(ROOM / 4 - OVERHEAD);
        for _ in 0..4 {
            outgoing.send(long.clone()).await.expect("there is room");
        }
        let mut late = pin!(outgoing.send("late".to_owned()));
        assert!(!is_done(late.as_mut()).await, "the room is full");
        let carry = tokio::spawn(carry);
        let mut lines = BufReader::new(read).lines();
        assert_eq!(lines.next_line().await.expect("a line"), Some(long), "the first");
        late.await.expect("sent, once something was read");
        drop(lines);
        carry.await.expect("its end, with the client");
        outgoing.send("more".to_owned()).await.expect_err("nobody is there");
    }

    #[tokio::test]
    async fn a_line_longer_than_the_room_goes_alone() {
        let (write, _read) = tokio::io::duplex(16);
        let (outgoing, _carry) = Outgoing::to(write);
        outgoing.send("x".repeat(2 * ROOM)).await.expect("there is room");
        assert!(!is_done(pin!(outgoing.send(String::new()))).await, "the room is full");
    }

    #[tokio::test]
    async fn room_that_nothing_came_of_is_free_again() {
        let (write, _read) = tokio::io::duplex(16);
        let (outgoing, _carry) = Outgoing::to(write);
        drop(outgoing.reserve(ROOM).await);
        assert!(is_done(pin!(outgoing.reserve(ROOM))).await, "there is room");
    }
}
