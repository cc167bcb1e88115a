//! One desktop app for each home: a second launch shows the first one's window.
//!
//! A lock and a socket of our own rather than the session bus: there may be no bus, and two homes are two apps.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use forge_api::{Code, Error};
use forge_supervisor::home::{Home, private_folder};
use interprocess::local_socket::traits::{ListenerExt as _, Stream as _};
use interprocess::local_socket::{Listener, ListenerOptions, Name, Stream};

/// How long the first one may take to show its window, or to end: it may just be starting, or stopping everything.
const SHOWN: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_millis(50);

#[cfg(unix)]
const SOCKET: &str = "desktop.sock";

/// What the first one says when it has been asked to show itself.
const DONE: &[u8] = b"shown\n";

/// What a launch turned out to be.
pub(crate) enum Launch {
    First(Instance),
    /// Another one is there.
    Second,
}

/// The first one: holds the lock for life.
pub(crate) struct Instance {
    listener: Listener,
    _lock: File,
}

/// Finds out whether we are the first of this home. If not, the first one is asked for its window where one is wanted; if
/// it leaves just now, we are the next.
///
/// # Errors
/// The folders, the lock or the socket cannot be had, or the first one does not answer.
pub(crate) fn launch(home: &Home, wants_window: bool) -> Result<Launch, Error> {
    for folder in [&home.state, &home.runtime] {
        private_folder(folder).map_err(|error| Error::system(folder.display(), error))?;
    }
    let path = home.state.join("desktop.lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let lock = options.open(&path).map_err(|error| Error::system(path.display(), error))?;
    let deadline = Instant::now() + SHOWN;
    let mut shown = None;
    loop {
        match lock.try_lock() {
            Ok(()) => return first(home, lock).map(Launch::First),
            Err(TryLockError::WouldBlock) if !wants_window => return Ok(Launch::Second),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(Error::system(path.display(), error)),
        }
        let shown = match &shown {
            Some(shown) => shown,
            None => shown.insert(show_other(home)?),
        };
        match shown.recv_timeout(RETRY) {
            Ok(()) => return Ok(Launch::Second),
            Err(_) if Instant::now() < deadline => {}
            Err(_) => {
                return Err(Error::new(
                    Code::AlreadyRunning,
                    "the desktop app runs already, but does not answer",
                )
                .help("end it and start it again; the processes go on meanwhile"));
            }
        }
    }
}

fn first(home: &Home, lock: File) -> Result<Instance, Error> {
    let listener = name(home)
        .and_then(|name| ListenerOptions::new().name(name).try_overwrite(true).create_sync())
        .map_err(|error| Error::system("the desktop app's socket", error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let socket = home.runtime.join(SOCKET);
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))
            .map_err(|error| Error::system(socket.display(), error))?;
    }
    Ok(Instance { listener, _lock: lock })
}

impl Instance {
    /// From now on calls `show` when another launch asks for the window; `false`: we are leaving, and it gets no answer.
    pub(crate) fn listen(self, show: impl Fn() -> bool + Send + 'static) {
        let work = move || {
            // The lock goes with this thread, that is, with the program.
            let Self { listener, _lock } = self;
            for stream in listener.incoming() {
                match stream {
                    Ok(mut stream) => {
                        if show() {
                            let _ = stream.write_all(DONE);
                        }
                    }
                    Err(error) => {
                        tracing::warn!("another launch could not be answered: {error}");
                        std::thread::sleep(RETRY);
                    }
                }
            }
        };
        if let Err(error) = std::thread::Builder::new().name("instance".to_owned()).spawn(work) {
            tracing::error!("other launches will not be answered: {error}");
        }
    }
}

/// Asks the one that is there for its window, until it answers.
fn show_other(home: &Home) -> Result<mpsc::Receiver<()>, Error> {
    let socket = name(home).map_err(|error| Error::system("the desktop app's socket", error))?;
    let (done, answered) = mpsc::channel();
    // Not every platform's socket has a time limit, so the thread is left behind if need be.
    std::thread::spawn(move || {
        while !ask(socket.borrow()) {
            std::thread::sleep(RETRY);
        }
        let _ = done.send(());
    });
    Ok(answered)
}

fn ask(socket: Name<'_>) -> bool {
    let Ok(mut stream) = Stream::connect(socket) else { return false };
    let mut answer = [0; DONE.len()];
    stream.read_exact(&mut answer).is_ok() && answer == DONE
}

#[cfg(unix)]
fn name(home: &Home) -> std::io::Result<Name<'static>> {
    use interprocess::local_socket::{GenericFilePath, ToFsName};
    home.runtime.join(SOCKET).to_fs_name::<GenericFilePath>()
}

#[cfg(windows)]
fn name(home: &Home) -> std::io::Result<Name<'static>> {
    use interprocess::local_socket::{GenericNamespaced, ToNsName};
    let place = forge_supervisor::home::short_hash(home.runtime.as_os_str().as_encoded_bytes());
    format!("forge-desktop-{place}").to_ns_name::<GenericNamespaced>()
}
