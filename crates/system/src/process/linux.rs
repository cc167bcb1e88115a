//! Linux: `/proc` (proc_pid_stat(5)) and pidfds (pidfd_open(2)).

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, pidfd_open};

use super::{Exit, ProcessId, Signal, User, unix};
use crate::process::stat::Stat;

pub(super) use unix::SHORTAGES;

pub(super) fn identity(pid: u32) -> io::Result<Option<ProcessId>> {
    Ok(Stat::read(pid)?.map(|stat| stat.id()))
}

pub(super) fn is_alive(id: ProcessId) -> io::Result<bool> {
    Ok(Stat::read(id.pid)?.is_some_and(|stat| stat.start == id.start && !stat.is_zombie()))
}

pub(super) fn name(pid: u32) -> io::Result<Option<String>> {
    Ok(Stat::read(pid)?.map(|stat| stat.name))
}

pub(super) fn parent(pid: u32) -> io::Result<Option<u32>> {
    Ok(Stat::read(pid)?.map(|stat| stat.parent))
}

pub(super) fn command_line(pid: u32) -> io::Result<Option<Vec<String>>> {
    let Some(bytes) = gone_is_none(fs::read(format!("/proc/{pid}/cmdline")))? else { return Ok(None) };
    // One that writes its own title leaves the rest of its arguments as zeros.
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = &bytes[..end];
    if text.is_empty() {
        return Ok(Some(Vec::new()));
    }
    Ok(Some(text.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()))
}

pub(super) fn user(pid: u32) -> io::Result<Option<User>> {
    let owner = gone_is_none(fs::metadata(format!("/proc/{pid}")))?;
    Ok(owner.map(|owner| User { uid: Some(owner.uid()), name: unix::account(owner.uid()) }))
}

pub(super) fn started_at(id: ProcessId) -> io::Result<u64> {
    use rustix::time::{ClockId, clock_gettime};
    let nanoseconds = |clock| {
        let now = clock_gettime(clock);
        i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
    };
    // SAFETY: a query without side effects.
    let ticks_per_second = i128::from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.max(1));
    let since_boot = i128::from(id.start) * 1_000_000_000 / ticks_per_second;
    // `btime` in /proc/stat has whole seconds only.
    let boot = nanoseconds(ClockId::Realtime) - nanoseconds(ClockId::Boottime);
    u64::try_from(boot + since_boot).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

pub(super) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

pub(super) fn signal(id: ProcessId, signal: Signal) -> io::Result<bool> {
    let sent = match open_pidfd(id) {
        Ok(Some((fd, now))) if !now.is_zombie() => pidfd_send(&fd, signal, 0),
        Ok(_) => return Ok(false),
        // A kernel before 5.3: the next best is to look right before.
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
            if !is_alive(id)? {
                return Ok(false);
            }
            unix::kill(id.pid.cast_signed(), signal)
        }
        Err(error) => return Err(error),
    };
    Ok(gone_is_none(sent)?.is_some())
}

/// Signals the process behind a pidfd; `flags` as in pidfd_send_signal(2).
pub(crate) fn pidfd_send(fd: &OwnedFd, signal: Signal, flags: libc::c_uint) -> io::Result<()> {
    // SAFETY: the descriptor is open, and a null siginfo asks for what kill(2) would send.
    let done = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            fd.as_raw_fd(),
            signal.as_raw(),
            std::ptr::null::<libc::siginfo_t>(),
            flags,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A pidfd of exactly this process, and what it was doing. The start time is compared while the descriptor is open: from
/// then on it cannot mean anybody else.
pub(crate) fn open_pidfd(id: ProcessId) -> io::Result<Option<(OwnedFd, Stat)>> {
    let Some(pid) = unix::pid(id.pid) else { return Ok(None) };
    let opened = pidfd_open(pid, PidfdFlags::empty()).map_err(io::Error::from);
    let Some(fd) = gone_is_none(opened)? else { return Ok(None) };
    let now = Stat::read(id.pid)?.filter(|now| now.id() == id);
    Ok(now.map(|now| (fd, now)))
}

/// `None` for the ways in which a system call says that the process is no more.
pub(crate) fn gone_is_none<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.raw_os_error() {
            Some(libc::ENOENT | libc::ESRCH | libc::ENOTDIR) => Ok(None),
            _ => Err(error),
        },
    }
}

/// The entries of a folder that are numbers: processes, or threads of one.
pub(crate) fn numbers_in(folder: &str) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        // A thread or process that ends while the folder is read ends the reading of a task folder.
        let Some(entry) = gone_is_none(entry)? else { break };
        numbers.extend(entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(numbers)
}

#[derive(Debug)]
pub(super) struct Watch {
    id: ProcessId,
    fd: OwnedFd,
}

impl Watch {
    pub(super) fn open(id: ProcessId) -> io::Result<Option<Self>> {
        Ok(open_pidfd(id)?.map(|(fd, _)| Self { id, fd }))
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(super) fn wait(&self, limit: Duration) -> io::Result<bool> {
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        match poll(&mut fds, Some(&limit)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn exit(&self) -> io::Result<Option<Exit>> {
        // The kernel attaches the status to the pidfd when the parent reaps; before that, a zombie still carries it.
        Ok(match exit_of_reaped(&self.fd)? {
            Some(status) => Exit::from_wait_status(status),
            None => self.exit_of_zombie()?,
        })
    }

    fn exit_of_zombie(&self) -> io::Result<Option<Exit>> {
        let Some(stat) = Stat::read(self.id.pid)? else { return Ok(None) };
        if stat.id() != self.id || !stat.is_zombie() {
            return Ok(None);
        }
        // To those who may not ask, the field is 0, which would read as success.
        let owner = gone_is_none(fs::metadata(format!("/proc/{}", self.id.pid)))?;
        let me = rustix::process::geteuid();
        let ours = owner.is_some_and(|owner| me.is_root() || owner.uid() == me.as_raw());
        Ok(if ours { stat.exit_status.and_then(Exit::from_wait_status) } else { None })
    }
}

/// `PIDFD_GET_INFO` of linux/pidfd.h (6.13; the exit status since 6.15).
fn exit_of_reaped(fd: &OwnedFd) -> io::Result<Option<i32>> {
    // SAFETY: plain integers, for which zero is a value.
    let mut told: libc::pidfd_info = unsafe { std::mem::zeroed() };
    told.mask = libc::PIDFD_INFO_EXIT.into();
    // SAFETY: the request's size is that of the structure that is pointed to.
    let done = unsafe { libc::ioctl(fd.as_raw_fd(), libc::PIDFD_GET_INFO, &mut told) };
    if done == 0 {
        return Ok((told.mask & u64::from(libc::PIDFD_INFO_EXIT) != 0).then_some(told.exit_code));
    }
    match io::Error::last_os_error() {
        // ESRCH: reaped, and this kernel did not keep it. The others: a kernel that does not know the question.
        error if matches!(error.raw_os_error(), Some(libc::ESRCH | libc::ENOTTY | libc::EINVAL)) => Ok(None),
        error => Err(error),
    }
}
