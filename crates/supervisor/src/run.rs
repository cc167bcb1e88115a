//! One run of one process, seen from the supervisor: its folder, its keeper, and the link to it.

use std::io;

use forge_keeper::frame::FrameError;
use forge_keeper::message::Report;

pub(crate) mod folder;
mod hold;
#[cfg(unix)]
#[path = "run/link_unix.rs"]
mod link;
#[cfg(windows)]
#[path = "run/link_windows.rs"]
mod link;

pub(crate) use hold::{HeirEnd, How, Run, RunEvent, hold};
pub(crate) use link::Link;

impl Link {
    /// The next report; `None` once the keeper has closed the connection. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Report>> {
        loop {
            match self.frames.next_message() {
                Ok(Some(report)) => return Ok(Some(report)),
                Ok(None) if self.read().await? == 0 => return Ok(None),
                Ok(None) => {}
                // A newer keeper's report that this version does not know.
                Err(FrameError::Json(error)) => tracing::debug!("a keeper's report was passed over: {error}"),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use forge_keeper::frame::encode;
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn a_report_that_is_not_known_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("k.sock");
        let listener = tokio::net::UnixListener::bind(&socket).expect("a socket");
        let mut link = Link::connect(&socket).await.expect("a link");
        let (mut keeper, _) = listener.accept().await.expect("a connection");
        let mut bytes = encode(&serde_json::json!({"report": "levitating"})).expect("a frame");
        bytes.extend(encode(&Report::Empty { time: 7, heir: None }).expect("a frame"));
        keeper.write_all(&bytes).await.expect("sent");
        drop(keeper);
        assert_eq!(
            link.next().await.expect("a report"),
            Some(Report::Empty { time: 7, heir: None }),
            "the one it knows"
        );
        assert_eq!(link.next().await.expect("the end"), None, "closed");
    }
}
