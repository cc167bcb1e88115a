//! A connection to a keeper over its named pipe. No descriptors travel here: a terminal ends with its keeper.

use std::io;
use std::path::Path;

use forge_keeper::frame::{self, Frames};
use forge_keeper::message::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::endpoint::{Connection, connect_to, pipe_name};

/// Bytes read at once; reports are short.
const READ: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Link {
    stream: Connection,
    pub(super) frames: Frames,
}

impl Link {
    /// Connects to the keeper that listens at `socket`, which must be the same user's.
    pub(crate) async fn connect(socket: &Path) -> io::Result<Self> {
        Ok(Self { stream: connect_to(&pipe_name(socket)).await?, frames: Frames::new() })
    }

    /// Sends one request.
    pub(crate) async fn send(&self, request: &Request) -> io::Result<()> {
        let bytes = frame::encode(request).map_err(io::Error::other)?;
        (&self.stream).write_all(&bytes).await
    }

    /// Reads what has come into `frames`; 0 once the keeper has closed the connection.
    pub(super) async fn read(&mut self) -> io::Result<usize> {
        let mut bytes = [0; READ];
        let count = (&self.stream).read(&mut bytes).await?;
        self.frames.push(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }
}
