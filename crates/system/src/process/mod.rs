//! Who a process is, whether it lives, and how it ended.
//!
//! A PID alone says nothing: it is used again as soon as its process is reaped. [`ProcessId`] is a PID with the
//! start time that the kernel recorded, and every call here proves that pair before it says or does anything.

mod signal;

#[cfg(target_os = "linux")]
pub(crate) mod linux;
#[cfg(target_os = "macos")]
pub(crate) mod macos;
#[cfg(target_os = "linux")]
pub(crate) mod stat;
#[cfg(unix)]
pub(crate) mod unix;
#[cfg(windows)]
pub(crate) mod windows;

use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(target_os = "macos")]
use macos as platform;
pub use signal::{Signal, UnknownSignal};
#[cfg(windows)]
use windows as platform;

/// A process and no other: its PID, and when it started.
///
/// `start` is in the platform's own unit, compared for equality only: clock ticks since boot on Linux
/// (`/proc/PID/stat`, field 22), microseconds since the epoch on macOS (`proc_pidinfo`), 100 ns since 1601 on
/// Windows (`GetProcessTimes`). A pair is unique within one boot: store [`boot_id`] beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProcessId {
    pub pid: u32,
    pub start: u64,
}

/// The owner of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct User {
    /// The effective user id; `None` on Windows, which has none.
    pub uid: Option<u32>,
    /// The account's name; `None` if the uid has no entry.
    pub name: Option<String>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(Signal),
}

impl ProcessId {
    /// The process that has this PID now, a zombie included. `None` if there is none.
    ///
    /// # Errors
    /// When the system could not be asked (no descriptor left, say): that is not the same as "gone".
    pub fn of(pid: u32) -> io::Result<Option<Self>> {
        platform::identity(pid)
    }

    /// This process.
    ///
    /// # Errors
    /// As [`ProcessId::of`].
    pub fn current() -> io::Result<Self> {
        Self::of(std::process::id())?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    /// Whether exactly this process still runs. A zombie is dead, and so is a PID that somebody else has now.
    ///
    /// # Errors
    /// When the system could not be asked: do not take that for death.
    pub fn is_alive(self) -> io::Result<bool> {
        platform::is_alive(self)
    }

    /// The short name that the kernel keeps (15 bytes on Linux). `None` if it is gone.
    ///
    /// # Errors
    /// As [`ProcessId::is_alive`], as for all below.
    pub fn name(self) -> io::Result<Option<String>> {
        self.proven(platform::name(self.pid))
    }

    /// Its arguments, the program first; bytes that are no UTF-8 are replaced. Empty for a zombie; `None` if it is gone or
    /// not ours to look at.
    pub fn command_line(self) -> io::Result<Option<Vec<String>>> {
        self.proven(platform::command_line(self.pid))
    }

    /// Who runs it. `None` if it is gone.
    pub fn user(self) -> io::Result<Option<User>> {
        self.proven(platform::user(self.pid))
    }

    /// When it started, in nanoseconds since the Unix epoch by the present clock; as fine as the platform's unit (10 ms on
    /// Linux). `None` if it is gone.
    pub fn started_at(self) -> io::Result<Option<u64>> {
        self.proven(platform::started_at(self).map(Some))
    }

    /// The process that it is a child of now. `None` if either is gone.
    pub fn parent(self) -> io::Result<Option<Self>> {
        let Some(parent) = self.proven(platform::parent(self.pid))? else { return Ok(None) };
        let Some(parent) = Self::of(parent)? else { return Ok(None) };
        // It may have been given another parent, and the old parent's PID another owner, between the two looks.
        Ok((platform::parent(self.pid)? == Some(parent.pid)).then_some(parent))
    }

    /// Sends a signal to exactly this process. `Ok(false)`: it has ended, nobody was signalled.
    ///
    /// Linux proves the identity on a pidfd, so no reuse can slip in between. macOS has no such handle: the start time is
    /// compared right before `kill`. Windows knows no signals: [`Signal::KILL`] ends it with exit code 1,
    /// [`Signal::INT`] and [`Signal::TERM`] send CTRL_BREAK to its console group, anything else is `Unsupported`.
    ///
    /// # Errors
    /// `PermissionDenied` for another user's process; else when the system could not be asked.
    pub fn signal(self, signal: Signal) -> io::Result<bool> {
        platform::signal(self, signal)
    }

    /// `answer`, if it was about this process: asked for by PID, it may have been somebody else's.
    fn proven<T>(self, answer: io::Result<Option<T>>) -> io::Result<Option<T>> {
        let answer = answer?;
        Ok(if Self::of(self.pid)? == Some(self) { answer } else { None })
    }
}

impl std::fmt::Display for ProcessId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.pid)
    }
}

impl Exit {
    /// From the status that `waitpid` gives.
    #[cfg(unix)]
    pub fn from_wait_status(status: i32) -> Option<Self> {
        if libc::WIFEXITED(status) {
            Some(Self::Code(libc::WEXITSTATUS(status)))
        } else if libc::WIFSIGNALED(status) {
            Signal::from_raw(libc::WTERMSIG(status)).map(Self::Signal)
        } else {
            None
        }
    }

    /// Whether it returned 0.
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl From<std::process::ExitStatus> for Exit {
    fn from(status: std::process::ExitStatus) -> Self {
        #[cfg(unix)]
        let ended = std::os::unix::process::ExitStatusExt::into_raw(status);
        #[cfg(unix)]
        return Self::from_wait_status(ended).unwrap_or(Self::Code(-1));
        #[cfg(windows)]
        Self::Code(status.code().unwrap_or(-1))
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "{signal}"),
        }
    }
}

/// A handle on a process that need not be a child: it tells when the process ends, and where the kernel allows it, how.
///
/// On Unix the handle has a descriptor (`AsFd`) for an event loop, readable from the moment of the end. On Windows it has
/// a handle (`AsHandle`) that is signalled then.
#[derive(Debug)]
pub struct Watch {
    id: ProcessId,
    inner: platform::Watch,
}

impl Watch {
    /// Watches `id`. `None` if it is gone already (a zombie can still be watched).
    ///
    /// # Errors
    /// When the system could not be asked. `Unsupported` on Linux before 5.3.
    pub fn open(id: ProcessId) -> io::Result<Option<Self>> {
        Ok(platform::Watch::open(id)?.map(|inner| Self { id, inner }))
    }

    /// Whom this watches.
    pub fn id(&self) -> ProcessId {
        self.id
    }

    /// Whether it has ended, reaped or not.
    ///
    /// # Errors
    /// When the system could not be asked.
    pub fn has_ended(&self) -> io::Result<bool> {
        self.wait(Duration::ZERO)
    }

    /// Waits until it has ended, at most for `limit`. Whether it has.
    ///
    /// # Errors
    /// When the system could not be asked.
    pub fn wait(&self, limit: Duration) -> io::Result<bool> {
        self.inner.wait(limit)
    }

    /// How it ended. `None` while it runs, and where the system cannot tell a non-parent.
    ///
    /// Linux 6.15 and later keep it with the handle (`PIDFD_INFO_EXIT`), for as long as the handle is open; before that
    /// it can be had only between the end and the reaping by the parent. macOS tells it once with the event, for
    /// processes of the same user, and this remembers it. Windows always knows.
    ///
    /// # Errors
    /// When the system could not be asked.
    pub fn exit(&self) -> io::Result<Option<Exit>> {
        self.inner.exit()
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for Watch {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

#[cfg(windows)]
impl std::os::windows::io::AsHandle for Watch {
    fn as_handle(&self) -> std::os::windows::io::BorrowedHandle<'_> {
        self.inner.as_handle()
    }
}

/// Whether the system refused something only for now: it is out of descriptors, processes or memory, and the same may
/// work a moment later.
///
/// Unix: `EMFILE`, `ENFILE`, `EAGAIN`, `ENOMEM` (open(2), fork(2)); Windows: their counterparts of `GetLastError`.
pub fn is_shortage(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| platform::SHORTAGES.contains(&code))
}

/// What is the same for as long as this boot lasts, and different in the next.
///
/// Linux: `/proc/sys/kernel/random/boot_id`; macOS: `kern.bootsessionuuid`; Windows: the time of the boot in seconds.
///
/// # Errors
/// When the system does not say.
pub fn boot_id() -> io::Result<String> {
    platform::boot_id()
}
