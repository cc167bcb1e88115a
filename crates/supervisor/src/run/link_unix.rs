//! A connection to a keeper, over which descriptors can travel too.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use forge_keeper::frame::{self, Frames};
use forge_keeper::message::Request;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Descriptors that come are not for what the supervisor starts.
#[cfg(not(target_vendor = "apple"))]
const CLOSE_ON_EXEC: RecvFlags = RecvFlags::CMSG_CLOEXEC;
/// There is no such flag; it is set as soon as they are there.
#[cfg(target_vendor = "apple")]
const CLOSE_ON_EXEC: RecvFlags = RecvFlags::empty();

/// Bytes read at once; reports are short.
const READ: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Link {
    stream: UnixStream,
    pub(super) frames: Frames,
    descriptors: VecDeque<OwnedFd>,
}

impl Link {
    /// Connects to the keeper that listens at `socket`, which must be the same user's.
    pub(crate) async fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket).await?;
        crate::endpoint::same_user(&stream)?;
        Ok(Self { stream, frames: Frames::new(), descriptors: VecDeque::new() })
    }

    /// Sends one request.
    pub(crate) async fn send(&self, request: &Request) -> io::Result<()> {
        self.send_bytes(request, None).await
    }

    /// Sends one request with a descriptor beside it.
    pub(crate) async fn send_with(&self, request: &Request, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        self.send_bytes(request, Some(descriptor)).await
    }

    async fn send_bytes(&self, request: &Request, mut descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let bytes = frame::encode(request).map_err(io::Error::other)?;
        let mut sent = 0;
        while sent < bytes.len() {
            sent += self
                .stream
                .async_io(Interest::WRITABLE, || {
                    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                    let mut ancillary = SendAncillaryBuffer::new(&mut space);
                    let carried: Vec<BorrowedFd<'_>> = descriptor.into_iter().collect();
                    if !carried.is_empty() {
                        ancillary.push(SendAncillaryMessage::ScmRights(&carried));
                    }
                    let parts = [IoSlice::new(&bytes[sent..])];
                    Ok(rustix::net::sendmsg(&self.stream, &parts, &mut ancillary, SendFlags::empty())?)
                })
                .await?;
            descriptor = None;
        }
        Ok(())
    }

    /// Reads what has come into `frames`; 0 once the keeper has closed the connection.
    pub(super) async fn read(&mut self) -> io::Result<usize> {
        let stream = &self.stream;
        let mut bytes = [0; READ];
        let (count, descriptors) = stream
            .async_io(Interest::READABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
                let mut ancillary = RecvAncillaryBuffer::new(&mut space);
                let mut parts = [IoSliceMut::new(&mut bytes)];
                let received = rustix::net::recvmsg(stream, &mut parts, &mut ancillary, CLOSE_ON_EXEC)?;
                let mut descriptors = Vec::new();
                for message in ancillary.drain() {
                    if let RecvAncillaryMessage::ScmRights(rights) = message {
                        descriptors.extend(rights);
                    }
                }
                Ok((received.bytes, descriptors))
            })
            .await?;
        #[cfg(target_vendor = "apple")]
        for descriptor in &descriptors {
            rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC)?;
        }
        self.descriptors.extend(descriptors);
        self.frames.push(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    /// The oldest descriptor that came and was not taken yet.
    pub(crate) fn take_descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }
}
