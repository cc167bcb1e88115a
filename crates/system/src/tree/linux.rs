//! Linux: `/proc/PID/task/TID/children` (proc_pid_children(5)) and `/proc/PID/environ`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use super::{Member, State};
use crate::process::linux::{gone_is_none, numbers_in, open_pidfd, pidfd_send};
use crate::process::stat::Stat;
use crate::process::unix::kill;
pub(super) use crate::process::unix::{group_led_by, group_of};
use crate::process::{ProcessId, Signal};

pub(super) const HAS_SUBREAPER: bool = true;

pub(super) fn subreaper(on: bool) -> bool {
    rustix::process::set_child_subreaper(on.then(rustix::process::getpid)).is_ok()
}

pub(super) fn is_subreaper() -> bool {
    rustix::process::child_subreaper().is_ok_and(|process| process.is_some())
}

/// One look at the processes: lazily by parent, or where the kernel lists no children (`CONFIG_PROC_CHILDREN`), all at once.
pub(super) struct Table {
    all: Option<HashMap<u32, Vec<u32>>>,
}

impl Table {
    pub(super) fn read() -> io::Result<Self> {
        if fs::exists("/proc/thread-self/children")? {
            return Ok(Self { all: None });
        }
        let mut all: HashMap<u32, Vec<u32>> = HashMap::new();
        for pid in numbers_in("/proc")? {
            if let Some(stat) = Stat::read(pid)? {
                all.entry(stat.parent).or_default().push(pid);
            }
        }
        Ok(Self { all: Some(all) })
    }

    pub(super) fn member(&self, pid: u32) -> io::Result<Option<Member>> {
        Ok(Stat::read(pid)?.map(Member::from))
    }

    /// A child belongs to the thread that forked it.
    pub(super) fn children(&self, parent: u32) -> io::Result<Vec<u32>> {
        if let Some(all) = &self.all {
            return Ok(all.get(&parent).cloned().unwrap_or_default());
        }
        let mut children = Vec::new();
        for thread in gone_is_none(numbers_in(&format!("/proc/{parent}/task")))?.unwrap_or_default() {
            let list = gone_is_none(fs::read_to_string(format!("/proc/{parent}/task/{thread}/children")))?;
            let list = list.unwrap_or_default();
            children.extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
        Ok(children)
    }
}

impl From<Stat> for Member {
    fn from(stat: Stat) -> Self {
        let state = match stat.state {
            _ if stat.is_zombie() => State::Zombie,
            'T' | 't' => State::Stopped,
            'D' => State::Uninterruptible,
            _ => State::Running,
        };
        Self { id: stat.id(), parent: stat.parent, group: stat.group, name: stat.name, state }
    }
}

/// The processes of this user that have exactly this entry in their environment.
pub(super) fn marked(mark: &str) -> io::Result<Vec<ProcessId>> {
    let me = rustix::process::geteuid().as_raw();
    let mut found = Vec::new();
    for pid in numbers_in("/proc")? {
        let folder = format!("/proc/{pid}");
        if gone_is_none(fs::metadata(&folder))?.is_none_or(|owner| owner.uid() != me) {
            continue;
        }
        let id = ProcessId::of(pid)?;
        // One that has changed its user, or is no longer dumpable, keeps its environment to itself.
        let environment = match fs::read(format!("{folder}/environ")) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => continue,
            other => gone_is_none(other)?.unwrap_or_default(),
        };
        if environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes()) {
            found.extend(id);
        }
    }
    Ok(found)
}

/// Signals the group that `root` leads, or led. `false` if that could not be done for sure: then one by one.
pub(super) fn signal_group(
    root: ProcessId,
    group: u32,
    members: &[Member],
    signal: Signal,
) -> io::Result<bool> {
    /// linux/pidfd.h, since 6.9.
    const PIDFD_SIGNAL_PROCESS_GROUP: libc::c_uint = 1 << 2;

    if let Ok(Some((leader, _))) = open_pidfd(root) {
        match pidfd_send(&leader, signal, PIDFD_SIGNAL_PROCESS_GROUP) {
            Ok(()) => return Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
            Err(_) => return Ok(false),
        }
    }
    // While a member that is proven to live is in the group, its number cannot mean another one.
    for member in members.iter().filter(|member| member.group == group) {
        if let Some(now) = Stat::read(member.id.pid)?
            && now.id() == member.id
            && now.group == group
            && !now.is_zombie()
        {
            return Ok(kill(-group.cast_signed(), signal).is_ok());
        }
    }
    Ok(false)
}
