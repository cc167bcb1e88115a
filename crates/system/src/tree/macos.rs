//! macOS: `libproc` tells parents; there is no subreaper, so what has left is known only if it was seen, or by its mark.
//!
//! Gap: a process that forks twice between two looks, and that the system does not let us read the environment of (a program of
//! Apple's own under System Integrity Protection), is lost.

use std::collections::HashMap;
use std::io;

use super::{Member, State};
use crate::process::macos::{Strings, id_of, look_up, name_of};
use crate::process::unix::kill;
pub(super) use crate::process::unix::{group_led_by, group_of};
use crate::process::{ProcessId, Signal};

pub(super) const HAS_SUBREAPER: bool = false;

pub(super) fn subreaper(_on: bool) -> bool {
    false
}

pub(super) fn is_subreaper() -> bool {
    false
}

/// Every process at one moment.
pub(super) struct Table {
    all: HashMap<u32, Member>,
    children: HashMap<u32, Vec<u32>>,
}

impl Table {
    pub(super) fn read() -> io::Result<Self> {
        let mut table = Self { all: HashMap::new(), children: HashMap::new() };
        for pid in all_pids()? {
            if let Some(member) = look_at(pid)? {
                table.children.entry(member.parent).or_default().push(pid);
                table.all.insert(pid, member);
            }
        }
        Ok(table)
    }

    pub(super) fn member(&self, pid: u32) -> io::Result<Option<Member>> {
        Ok(self.all.get(&pid).cloned())
    }

    pub(super) fn children(&self, parent: u32) -> io::Result<Vec<u32>> {
        Ok(self.children.get(&parent).cloned().unwrap_or_default())
    }
}

/// `None` if it is gone, or another user's of whom nothing is told.
fn look_at(pid: u32) -> io::Result<Option<Member>> {
    let told = match look_up(pid) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        other => other?,
    };
    Ok(told.map(|told| Member {
        id: id_of(&told),
        parent: told.pbi_ppid,
        group: told.pbi_pgid,
        name: name_of(&told),
        state: match told.pbi_status {
            libc::SZOMB => State::Zombie,
            libc::SSTOP => State::Stopped,
            _ => State::Running,
        },
    }))
}

pub(crate) fn all_pids() -> io::Result<Vec<u32>> {
    // SAFETY: without a buffer it only says how many there are.
    let count = unsafe { libc::proc_listallpids(std::ptr::null_mut(), 0) };
    // Some may be started meanwhile.
    let room = usize::try_from(count).map_err(|_| io::Error::last_os_error())? + 64;
    let mut pids = vec![0_i32; room];
    let bytes = i32::try_from(room * size_of::<i32>()).unwrap_or(i32::MAX);
    // SAFETY: the buffer is as large as is said.
    let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), bytes) };
    pids.truncate(usize::try_from(count).map_err(|_| io::Error::last_os_error())?);
    Ok(pids.into_iter().filter_map(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0).collect())
}

/// The processes of this user that have exactly this entry in their environment.
pub(super) fn marked(mark: &str) -> io::Result<Vec<ProcessId>> {
    let me = rustix::process::geteuid().as_raw();
    let mut found = Vec::new();
    for pid in all_pids()? {
        let Ok(Some(told)) = look_up(pid) else { continue };
        if told.pbi_uid == me
            && let Some(strings) = Strings::read(pid)?
            && strings.environment().any(|entry| entry == mark.as_bytes())
        {
            found.push(id_of(&told));
        }
    }
    Ok(found)
}

/// Signals the group that `root` leads, or led. `false` if that could not be done for sure: then one by one.
pub(super) fn signal_group(
    _root: ProcessId,
    group: u32,
    members: &[Member],
    signal: Signal,
) -> io::Result<bool> {
    // While a member that is proven to live is in the group, its number cannot mean another one.
    for member in members.iter().filter(|member| member.group == group) {
        let proven = look_at(member.id.pid)?
            .is_some_and(|now| now.id == member.id && now.group == group && !now.is_zombie());
        if proven {
            return Ok(i32::try_from(group).is_ok_and(|group| kill(-group, signal).is_ok()));
        }
    }
    Ok(false)
}
