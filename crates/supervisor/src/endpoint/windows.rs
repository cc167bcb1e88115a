//! A named pipe. Its access list names the owner alone, remote clients are refused, and each side looks whose process
//! the other is: a pipe's name can be taken by anybody who comes first.

use std::io;
use std::path::Path;

use forge_system::process::ProcessId;
use interprocess::os::windows::named_pipe::tokio::{DuplexPipeStream, PipeListener};
use interprocess::os::windows::named_pipe::{PipeListenerOptions, pipe_mode};
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use widestring::u16cstr;

use crate::home::{Home, short_hash};

/// A connection; both sides have checked that the other is the same user.
pub type Connection = DuplexPipeStream<pipe_mode::Bytes>;

/// Connects to the supervisor of this home.
///
/// # Errors
/// `NotFound`: none listens. `PermissionDenied`: what listens is not ours.
pub async fn connect(home: &Home) -> io::Result<Connection> {
    connect_to(&pipe_name(&home.socket())).await
}

/// Connects to a pipe of the same user.
pub(crate) async fn connect_to(name: &str) -> io::Result<Connection> {
    let stream = Connection::connect_by_path(name).await?;
    same_user(stream.server_process_id()?)?;
    Ok(stream)
}

/// The pipe's name for what is a socket's path elsewhere. The path lies in the user's own profile, so that its hash
/// differs between users.
pub(crate) fn pipe_name(socket: &Path) -> String {
    format!(r"\\.\pipe\forge-{}", short_hash(socket.as_os_str().as_encoded_bytes()))
}

fn same_user(pid: u32) -> io::Result<()> {
    let user = |id: ProcessId| id.user().map(|user| user.and_then(|user| user.name));
    let peer = ProcessId::of(pid)?.map_or(Ok(None), user)?;
    if peer.is_some() && peer == user(ProcessId::current()?)? {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("process {pid} at the other side is another user's"),
    ))
}

/// The supervisor's side.
#[derive(Debug)]
pub struct Listener {
    listener: PipeListener<pipe_mode::Bytes, pipe_mode::Bytes>,
}

impl Listener {
    /// Makes the pipe. Only for whoever holds the supervisor's lock.
    ///
    /// # Errors
    /// The name is taken, or the system refuses.
    pub fn bind(home: &Home) -> io::Result<Self> {
        // Protected, full access for the owner, nobody else.
        let access = SecurityDescriptor::deserialize(u16cstr!("D:P(A;;GA;;;OW)"))?;
        let name = pipe_name(&home.socket());
        let mut options = PipeListenerOptions::new().path(name.as_str());
        options.accept_remote = false;
        options.security_descriptor = Some(access);
        Ok(Self { listener: options.create_tokio_duplex()? })
    }

    /// The next client of the same user; others are turned away.
    ///
    /// # Errors
    /// The system refuses for now: worth another try after a moment.
    pub async fn accept(&mut self) -> io::Result<Connection> {
        loop {
            let stream = self.listener.accept().await?;
            match stream.client_process_id().and_then(same_user) {
                Ok(()) => return Ok(stream),
                Err(error) => tracing::warn!("a client was turned away: {error}"),
            }
        }
    }
}
