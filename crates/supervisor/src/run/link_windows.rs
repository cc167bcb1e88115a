//! A connection to a keeper over its named pipe. No descriptors travel here: a terminal ends with its keeper.

use std::io;
use std::path::Path;

use forge_keeper::frame::{self, Frames};
use forge_keeper::message::{Report, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::endpoint::{Connection, connect_to, pipe_name};

/// Bytes read at once; reports are short.
const READ: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Link {
    stream: Connection,
    frames: Frames,
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

    /// The next report; `None` once the keeper has closed the connection. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Report>> {
        loop {
            match self.frames.next_message::<Report>() {
                Ok(Some(report)) => return Ok(Some(report)),
                Ok(None) => {}
                // A newer keeper's report that this version does not know.
                Err(frame::FrameError::Json(error)) => {
                    tracing::debug!("a keeper's report was passed over: {error}");
                    continue;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
            let mut bytes = [0; READ];
            let count = (&self.stream).read(&mut bytes).await?;
            if count == 0 {
                return Ok(None);
            }
            self.frames.push(bytes.get(..count).unwrap_or_default());
        }
    }
}
