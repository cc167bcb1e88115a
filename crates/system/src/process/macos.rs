//! macOS: `libproc` (bsd/sys/proc_info.h), `sysctl`, and `kqueue` for ends.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Exit, ProcessId, Signal, User, unix};

/// What the kernel tells of a process, zombies included. `None` if there is none.
pub(crate) fn look_up(pid: u32) -> io::Result<Option<libc::proc_bsdinfo>> {
    /// Zombies too (`proc_pidinfo` in bsd/kern/proc_info.c).
    const ZOMBIES: u64 = 1;

    let Ok(pid) = i32::try_from(pid) else { return Ok(None) };
    // SAFETY: plain integers and arrays of them, for which zero is a value.
    let mut told: libc::proc_bsdinfo = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::proc_bsdinfo>() as i32;
    // SAFETY: the buffer is as large as is said.
    let filled =
        unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, ZOMBIES, (&raw mut told).cast(), size) };
    if filled == size {
        return Ok(Some(told));
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        error => Err(error),
    }
}

/// How many threads each of these processes has, as far as it is told: not of another user's.
#[cfg(feature = "metrics")]
pub(crate) fn threads(pids: &[u32]) -> std::collections::HashMap<u32, u32> {
    let count = |pid: u32| {
        let number = i32::try_from(pid).ok()?;
        // SAFETY: plain integers, for which zero is a value.
        let mut told: libc::proc_taskinfo = unsafe { std::mem::zeroed() };
        let size = size_of::<libc::proc_taskinfo>() as i32;
        // SAFETY: the buffer is as large as is said.
        let filled =
            unsafe { libc::proc_pidinfo(number, libc::PROC_PIDTASKINFO, 0, (&raw mut told).cast(), size) };
        if filled == size { Some((pid, u32::try_from(told.pti_threadnum).ok()?)) } else { None }
    };
    pids.iter().filter_map(|pid| count(*pid)).collect()
}

pub(crate) fn id_of(told: &libc::proc_bsdinfo) -> ProcessId {
    ProcessId { pid: told.pbi_pid, start: told.pbi_start_tvsec * 1_000_000 + told.pbi_start_tvusec }
}

pub(crate) fn name_of(told: &libc::proc_bsdinfo) -> String {
    // The longer one is empty for what was never exec'd.
    let name: &[libc::c_char] = if told.pbi_name[0] == 0 { &told.pbi_comm } else { &told.pbi_name };
    let bytes: Vec<u8> =
        name.iter().take_while(|byte| **byte != 0).map(|byte| byte.cast_unsigned()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) use unix::SHORTAGES;

pub(super) fn identity(pid: u32) -> io::Result<Option<ProcessId>> {
    Ok(look_up(pid)?.map(|told| id_of(&told)))
}

pub(super) fn is_alive(id: ProcessId) -> io::Result<bool> {
    Ok(look_up(id.pid)?.is_some_and(|told| id_of(&told) == id && told.pbi_status != libc::SZOMB))
}

pub(super) fn name(pid: u32) -> io::Result<Option<String>> {
    Ok(look_up(pid)?.map(|told| name_of(&told)))
}

pub(super) fn parent(pid: u32) -> io::Result<Option<u32>> {
    Ok(look_up(pid)?.map(|told| told.pbi_ppid))
}

pub(super) fn command_line(pid: u32) -> io::Result<Option<Vec<String>>> {
    let Some(strings) = Strings::read(pid)? else { return Ok(None) };
    Ok(Some(strings.arguments().map(|word| String::from_utf8_lossy(word).into_owned()).collect()))
}

pub(super) fn user(pid: u32) -> io::Result<Option<User>> {
    let told = look_up(pid)?;
    Ok(told.map(|told| User { uid: Some(told.pbi_uid), name: unix::account(told.pbi_uid) }))
}

pub(super) fn started_at(id: ProcessId) -> io::Result<u64> {
    Ok(id.start.saturating_mul(1000))
}

pub(super) fn boot_id() -> io::Result<String> {
    let mut text = [0_u8; 64];
    let mut length = text.len();
    // SAFETY: the name is NUL-terminated, and the buffer as large as is said.
    let done = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            text.as_mut_ptr().cast(),
            &raw mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// There is no handle on a process that `kill` would take: between the look and the signal lies a system call.
pub(super) fn signal(id: ProcessId, signal: Signal) -> io::Result<bool> {
    if !is_alive(id)? {
        return Ok(false);
    }
    match unix::kill(i32::try_from(id.pid).unwrap_or(0), signal) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(false),
        Err(error) => Err(error),
    }
}

/// `KERN_PROCARGS2`: the number of arguments, the path of the program, padding, the arguments, the environment.
pub(crate) struct Strings {
    arguments: usize,
    strings: Vec<Vec<u8>>,
}

impl Strings {
    /// `None` if there is no such process, or it is not ours to look at.
    pub(crate) fn read(pid: u32) -> io::Result<Option<Self>> {
        let Ok(pid) = i32::try_from(pid) else { return Ok(None) };
        let mut query = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
        // SAFETY: a query without side effects.
        let limit = unsafe { libc::sysconf(libc::_SC_ARG_MAX) };
        let mut block = vec![0_u8; usize::try_from(limit).unwrap_or(1 << 20)];
        let mut length = block.len();
        // SAFETY: the query has the length that is said, and so has the buffer.
        let done = unsafe {
            libc::sysctl(
                query.as_mut_ptr(),
                query.len() as u32,
                block.as_mut_ptr().cast(),
                &raw mut length,
                std::ptr::null_mut(),
                0,
            )
        };
        if done != 0 {
            let error = io::Error::last_os_error();
            // EINVAL: gone, a zombie, or another user's.
            return match error.raw_os_error() {
                Some(libc::EINVAL | libc::ESRCH | libc::EPERM) => Ok(None),
                _ => Err(error),
            };
        }
        block.truncate(length);
        Ok(Self::parse(&block))
    }

    fn parse(block: &[u8]) -> Option<Self> {
        let (count, rest) = block.split_at_checked(4)?;
        let arguments = usize::try_from(i32::from_ne_bytes(count.try_into().ok()?)).ok()?;
        let path_ends = rest.iter().position(|byte| *byte == 0)?;
        let rest = &rest[path_ends..];
        let padding = rest.iter().take_while(|byte| **byte == 0).count();
        let strings = rest[padding..].split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
        Some(Self { arguments, strings })
    }

    fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        self.strings.iter().take(self.arguments).map(Vec::as_slice)
    }

    pub(crate) fn environment(&self) -> impl Iterator<Item = &[u8]> {
        self.strings.iter().skip(self.arguments).map(Vec::as_slice).take_while(|entry| !entry.is_empty())
    }
}

/// A kqueue with one filter: the end of the process. Reading the event takes it away, so it is read only to learn the
/// status, and remembered.
#[derive(Debug)]
pub(super) struct Watch {
    queue: OwnedFd,
    ended: OnceLock<Option<Exit>>,
}

impl Watch {
    pub(super) fn open(id: ProcessId) -> io::Result<Option<Self>> {
        // SAFETY: makes a descriptor, and takes nothing.
        let queue = unsafe { libc::kqueue() };
        if queue < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: nobody else has it.
        let watch = Self { queue: unsafe { OwnedFd::from_raw_fd(queue) }, ended: OnceLock::new() };
        rustix::io::fcntl_setfd(&watch.queue, rustix::io::FdFlags::CLOEXEC)?;
        let event = change(id.pid as usize, libc::EVFILT_PROC, libc::NOTE_EXIT | libc::NOTE_EXITSTATUS);
        let registered = watch.register(&event);
        // Only now: from here on the filter cannot mean anybody else.
        if identity(id.pid)? != Some(id) {
            return Ok(None);
        }
        match registered {
            Ok(()) => Ok(Some(watch)),
            // A zombie has no filter to offer: it has ended, and does not say how.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
                watch.register(&change(0, libc::EVFILT_USER, 0))?;
                watch.register(&change(0, libc::EVFILT_USER, libc::NOTE_TRIGGER))?;
                let _ = watch.ended.set(None);
                Ok(Some(watch))
            }
            Err(error) => Err(error),
        }
    }

    fn register(&self, event: &libc::kevent) -> io::Result<()> {
        // SAFETY: one change is read, and no event written.
        let done = unsafe {
            libc::kevent(self.queue.as_raw_fd(), event, 1, std::ptr::null_mut(), 0, std::ptr::null())
        };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }

    pub(super) fn wait(&self, limit: Duration) -> io::Result<bool> {
        if self.ended.get().is_some() {
            return Ok(true);
        }
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&self.queue, PollFlags::IN)], Some(&limit)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn exit(&self) -> io::Result<Option<Exit>> {
        if self.ended.get().is_none()
            && let Some(event) = self.next_event()?
        {
            let told = event.fflags & libc::NOTE_EXITSTATUS != 0;
            let status = event.data as i32 & libc::NOTE_PDATAMASK.cast_signed();
            let _ = self.ended.set(if told { Exit::from_wait_status(status) } else { None });
        }
        Ok(self.ended.get().copied().flatten())
    }

    fn next_event(&self) -> io::Result<Option<libc::kevent>> {
        let mut event = change(0, 0, 0);
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: no change is read, and one event written.
        let got = unsafe {
            libc::kevent(self.queue.as_raw_fd(), std::ptr::null(), 0, &raw mut event, 1, &raw const at_once)
        };
        match got {
            0 => Ok(None),
            1.. => Ok(Some(event)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn change(ident: usize, filter: i16, fflags: u32) -> libc::kevent {
    libc::kevent { ident, filter, flags: libc::EV_ADD, fflags, data: 0, udata: std::ptr::null_mut() }
}
