use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tokio::net::{UnixListener, UnixStream};

use crate::home::{Home, private_folder};

/// A connection; both sides have checked that the other is the same user.
pub type Connection = UnixStream;

/// Connects to the supervisor of this home.
///
/// # Errors
/// `NotFound` or `ConnectionRefused`: none listens. `PermissionDenied`: what listens is not ours.
pub async fn connect(home: &Home) -> io::Result<Connection> {
    let stream = UnixStream::connect(home.socket()).await?;
    same_user(&stream)?;
    Ok(stream)
}

pub(crate) fn same_user(stream: &UnixStream) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    let own = rustix::process::getuid().as_raw();
    if peer == own {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("the other side is user {peer}, this is user {own}"),
        ))
    }
}

/// The supervisor's side.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Binds the socket. Only for whoever holds the supervisor's lock: a socket that is in the way is then stale, or
    /// not a supervisor's, and is removed.
    ///
    /// # Errors
    /// The folder is not ours, or the socket cannot be made.
    pub fn bind(home: &Home) -> io::Result<Self> {
        private_folder(&home.runtime)?;
        let path = home.socket();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// The next client of the same user; others are turned away.
    ///
    /// # Errors
    /// The system has no descriptors left, or the like: worth another try after a moment.
    pub async fn accept(&mut self) -> io::Result<Connection> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            match same_user(&stream) {
                Ok(()) => return Ok(stream),
                Err(error) => tracing::warn!("a client was turned away: {error}"),
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A supervisor that took over may have bound its own by now only after we released the lock, which comes later.
        let _ = fs::remove_file(&self.path);
    }
}
