//! A program that is run for what it says: bounded in time and output, and nothing of it stays.

use std::collections::VecDeque;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use forge_system::ProcessId;
use forge_system::tree::Tree;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// For what is in the pipes after the end, and for the kernel to end what was killed.
const AFTERMATH: Duration = Duration::from_millis(100);

/// How it went.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None`: it had not ended at the limit, and was killed.
    pub(crate) status: Option<ExitStatus>,
    /// The end of its output, at most as much as was to be kept.
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Which group a program's processes are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// It is given one of its own.
    Own,
    /// It makes one, or a session, by itself.
    #[cfg(unix)]
    Makes,
}

/// Runs `command` with nothing to read, keeps the last `keep` bytes of each stream, and takes no longer than `limit`
/// (and a moment). What is in its process group or below it is then killed, however it ended; and also if this is dropped.
/// What has left both (a daemon with a session of its own, whose parent is gone) is not found.
pub(crate) async fn run(
    mut command: Command,
    group: Group,
    limit: Duration,
    keep: usize,
) -> io::Result<Ended> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    if group == Group::Own {
        command.process_group(0);
    }
    #[cfg(not(unix))]
    let _ = group;
    let mut child = command.spawn()?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut running = Running { child };
    let (mut stdout, mut stderr) = (Tail::new(keep), Tail::new(keep));
    let status = {
        let mut reading = std::pin::pin!(async { tokio::join!(stdout.fill(out), stderr.fill(err)) });
        let mut at_end = false;
        let ended = timeout(limit, async {
            let mut ended = std::pin::pin!(running.ended());
            loop {
                tokio::select! {
                    ended = &mut ended => return ended,
                    _ = &mut reading, if !at_end => at_end = true,
                }
            }
        })
        .await;
        running.kill();
        let status = timeout(AFTERMATH, running.child.wait()).await;
        if !at_end {
            let _ = timeout(AFTERMATH, reading).await;
        }
        match (ended, status) {
            (Ok(ended), Ok(status)) => ended.and(status).map(Some)?,
            _ => None,
        }
    };
    Ok(Ended { status, stdout: stdout.kept(), stderr: stderr.kept() })
}

/// A program and what it has started, killed when this goes.
struct Running {
    child: Child,
}

impl Running {
    /// Waits for its end and leaves it unreaped: its number, and with it its group's, is not given to another until then.
    #[cfg(unix)]
    async fn ended(&mut self) -> io::Result<()> {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        use tokio::signal::unix::{SignalKind, signal};

        // Heard from now on, so that no end is missed between the look and the wait.
        let mut children = signal(SignalKind::child())?;
        let Some(pid) = pid(&self.child) else { return Ok(()) };
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        loop {
            // macOS reports stopped children too.
            let ended = waitid(WaitId::Pid(pid), look)?.is_some_and(|status| !status.stopped());
            if ended {
                return Ok(());
            }
            children.recv().await;
        }
    }

    #[cfg(not(unix))]
    async fn ended(&mut self) -> io::Result<()> {
        self.child.wait().await.map(drop)
    }

    /// Everything in its group, and everything below it.
    fn kill(&mut self) {
        // Reaped: its number may be another's by now.
        let Some(number) = self.child.id() else { return };
        // What refuses to die or to be looked at cannot be helped here: nothing waits for it.
        if let Ok(Some(id)) = ProcessId::of(number) {
            let _ = Tree::of(id).kill_round();
        }
        #[cfg(unix)]
        if let Some(pid) = pid(&self.child) {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        let _ = self.child.start_kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(unix)]
fn pid(child: &Child) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(child.id()?).ok()?)
}

/// The end of a stream of any length.
struct Tail {
    bytes: VecDeque<u8>,
    keep: usize,
}

impl Tail {
    fn new(keep: usize) -> Self {
        Self { bytes: VecDeque::new(), keep }
    }

    async fn fill(&mut self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut chunk = [0; 8192];
        while let Ok(read @ 1..) = from.read(&mut chunk).await {
            self.bytes.extend(&chunk[..read]);
            let excess = self.bytes.len().saturating_sub(self.keep);
            self.bytes.drain(..excess);
        }
    }

    fn kept(self) -> Vec<u8> {
        self.bytes.into()
    }
}
