//! The supervisor as a whole, inside whatever program hosts it.

mod install;
mod lock;
mod own_log;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use forge_api::{Code, Error, Host};

use crate::core::{Core, Parts, restored};
use crate::endpoint::Listener;
use crate::home::{Home, private_folder};
use crate::server;

pub use crate::core::Ending;

/// A background supervisor with nothing to hold and no client leaves after this long.
const IDLE: Duration = Duration::from_secs(600);

/// How long the keepers that are found may take to say how things stand, before clients are let in all the same.
const HELLOS: Duration = Duration::from_secs(2);

/// How often it looks whether that is so.
const IDLE_CHECK: Duration = Duration::from_secs(60);

/// How the supervisor is hosted.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    pub host: Host,
    /// Started by a command, not by a person: a foreground one may take over, and it leaves when it is idle.
    pub background: bool,
    pub version: String,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeEnd {
    pub reason: Ending,
    /// Processes that go on.
    pub running: usize,
}

/// A way in for faces inside the host's own process: the window, the web page. They say the same as at the socket.
#[derive(Clone)]
pub struct Entrance {
    core: crate::core::Handle,
    clients: Arc<AtomicUsize>,
    before: Option<u32>,
}

impl std::fmt::Debug for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entrance").finish_non_exhaustive()
    }
}

/// Bytes on their way between a face in this process and its connection, in each direction.
const IN_PROCESS: usize = 256 * 1024;

impl Entrance {
    /// A new connection: JSON-RPC, one message a line ([`forge_api::wire`]). It lasts until the returned end is
    /// dropped. Must be called within the host's tokio runtime.
    #[must_use]
    pub fn connect(&self) -> tokio::io::DuplexStream {
        let (ours, theirs) = tokio::io::duplex(IN_PROCESS);
        tokio::spawn(attend(ours, self.core.clone(), Arc::clone(&self.clients)));
        theirs
    }

    /// PID of the background supervisor that this one took over from.
    #[must_use]
    pub fn took_over_from(&self) -> Option<u32> {
        self.before
    }
}

/// Serves one client, and counts it while it is there.
async fn attend<S>(stream: S, core: crate::core::Handle, clients: Arc<AtomicUsize>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + 'static,
{
    clients.fetch_add(1, Ordering::Relaxed);
    server::serve(stream, core).await;
    clients.fetch_sub(1, Ordering::Relaxed);
}

/// Runs the supervisor of `home` until it is told to leave (by `stop`, by a client), hands over, or is idle. The
/// processes go on in any case. `on_ready` is called once clients can connect.
///
/// A foreground supervisor takes over from a background one.
///
/// # Errors
/// Another foreground supervisor runs, or the folders, the lock or the socket cannot be had.
pub async fn serve(
    home: Home,
    options: ServeOptions,
    stop: impl Future<Output = ()>,
    on_ready: impl FnOnce(Entrance),
) -> Result<ServeEnd, Error> {
    for folder in [&home.state, &home.data, &home.runtime] {
        private_folder(folder).map_err(|error| Error::system(folder.display(), error))?;
    }
    let lock = lock::acquire(&home, options.background).await?;
    own_log::start(&home.own_log());
    tracing::info!("forge {} supervises as {}", options.version, std::process::id());
    let keeper = install::keeper(&home, &options.version)?;
    let boot = forge_system::process::boot_id().map_err(|error| Error::system("the boot's id", error))?;
    let host = options.host;
    let settings = forge_config::load_settings(&home.config).unwrap_or_default();
    let parts = Parts {
        home: home.clone(),
        host,
        background: options.background,
        version: options.version,
        keeper,
        boot,
        sampling: settings.sampling,
    };
    let (mut core, mut messages) =
        Core::new(parts).map_err(|error| Error::system("the supervisor", error))?;
    // Without a word of the user's the desktop app brings back what ran before the boot, `serve` does not.
    let restore = !options.background && settings.restore.unwrap_or(host == Host::Desktop);
    core.adopt(restored(&home.state), restore);
    // Whoever asks first is to hear how things stand, not how they are found.
    core.hear_keepers(&mut messages, HELLOS).await;
    let listener = Listener::bind(&home).map_err(|error| Error::system(home.socket().display(), error))?;
    let clients = Arc::new(AtomicUsize::new(0));
    let quota = tokio::spawn(crate::logs::keep_within(home.logs(), home.config.clone()));
    let accepting = tokio::spawn(accept(listener, core.handle(), Arc::clone(&clients)));
    let handle = core.handle();
    on_ready(Entrance { core: core.handle(), clients: Arc::clone(&clients), before: lock.before });
    let idle = idle(options.background, handle.clone(), clients);
    let leave = async {
        tokio::select! {
            () = stop => {}
            () = idle => tracing::info!("idle: nothing runs and nobody asks"),
        }
        let _ = handle.visit(|core| core.ending = Some(Ending::Left)).await;
        std::future::pending::<()>().await;
    };
    let reason = tokio::select! {
        reason = core.run(messages) => reason,
        () = leave => Ending::Left,
    };
    let running = core.held();
    // The answer to whoever asked us to leave is on its way through a few tasks.
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
    quota.abort();
    accepting.abort();
    let _ = accepting.await;
    tracing::info!("the supervisor ends ({reason:?}); {running} processes go on");
    drop(lock);
    Ok(ServeEnd { reason, running })
}

async fn accept(mut listener: Listener, core: crate::core::Handle, clients: Arc<AtomicUsize>) {
    let mut refusing = false;
    loop {
        match listener.accept().await {
            Ok(stream) => {
                refusing = false;
                tokio::spawn(attend(stream, core.clone(), Arc::clone(&clients)));
            }
            Err(error) => {
                // Out of descriptors, say: those who are connected go on, and others get their turn.
                if !std::mem::replace(&mut refusing, true) {
                    tracing::warn!("a client could not be accepted: {error}");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Returns once nothing has been held and nobody connected for long.
async fn idle(background: bool, core: crate::core::Handle, clients: Arc<AtomicUsize>) {
    if !background {
        return std::future::pending().await;
    }
    let mut rest = Rest { since: Instant::now() };
    loop {
        tokio::time::sleep(IDLE_CHECK).await;
        let held = core.visit(|core| core.held()).await.unwrap_or(0);
        if rest.is_over(Instant::now(), held > 0 || clients.load(Ordering::Relaxed) > 0) {
            return;
        }
    }
}

/// How long nothing has been to do.
struct Rest {
    since: Instant,
}

impl Rest {
    /// Whether there has been nothing to do for [`IDLE`].
    fn is_over(&mut self, now: Instant, busy: bool) -> bool {
        if busy {
            self.since = now;
        }
        now.duration_since(self.since) >= IDLE
    }
}

/// A message for when another supervisor is in the way.
fn already_running(pid: u32) -> Error {
    Error::new(Code::AlreadyRunning, format!("a supervisor runs already (PID {pid})"))
        .help("end that one first; its processes go on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_leaves_after_ten_minutes_without_anything_to_do() {
        let start = Instant::now();
        for (busy, leaves_at) in [
            (&[][..], Some(10)),
            (&[3], Some(13)),
            // A client each five minutes.
            (&[5, 10, 15], Some(25)),
            (&[9, 18, 27, 36], None),
        ] {
            let mut rest = Rest { since: start };
            let left = (1..=40)
                .find(|minute| rest.is_over(start + Duration::from_secs(minute * 60), busy.contains(minute)));
            assert_eq!(left, leaves_at, "something to do in the minutes {busy:?}");
        }
    }
}
