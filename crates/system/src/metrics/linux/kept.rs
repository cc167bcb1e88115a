//! The files of members, kept open from one look to the next: what is open is read with one system call in the place of
//! three, and of a PID that somebody else has by now nothing is read at all.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};

use super::{Proc, WALK_EVERY, open_files_limit};
use crate::process::ProcessId;
use crate::process::linux::gone_is_none;
use crate::process::stat::Stat;

/// A quarter of the files that this process may have open, of which one member takes four.
const PART: u64 = 16;
/// Members, however many files it may have open.
const MOST: usize = 1000;

/// What is open, by whose it is.
#[derive(Debug)]
pub(super) struct Kept {
    files: HashMap<ProcessId, Files>,
    most: usize,
}

impl Default for Kept {
    fn default() -> Self {
        let limit = open_files_limit(std::process::id()).unwrap_or(0);
        Self { files: HashMap::new(), most: usize::try_from(limit / PART).unwrap_or(MOST).min(MOST) }
    }
}

/// Of one member.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) stat: OwnedFd,
    pub(super) statm: OwnedFd,
    pub(super) io: OwnedFd,
    /// The folder of its descriptors, not to be listed.
    pub(super) fd: OwnedFd,
    /// How many it may open: what hardly ever changes.
    pub(super) limit: Option<u64>,
    opened: u32,
    used: u32,
}

impl Files {
    /// `None`: it has ended, or is not ours to look at.
    fn open(stat: &Stat, look: u32, proc: &mut Proc) -> io::Result<Option<Self>> {
        let open = |file: &str, flags| {
            let path = format!("/proc/{}/{file}", stat.pid);
            rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty())
        };
        let all = || {
            rustix::io::Result::Ok(Self {
                stat: open("stat", OFlags::RDONLY)?,
                statm: open("statm", OFlags::RDONLY)?,
                io: open("io", OFlags::RDONLY)?,
                fd: open("fd", OFlags::PATH)?,
                limit: open_files_limit(stat.pid),
                opened: look,
                used: look,
            })
        };
        let Ok(files) = all() else { return Ok(None) };
        // Between the look at it and this the PID may have become another's: then all four are.
        let still = proc.read_open(&files.stat)?.and_then(Stat::parse);
        Ok(Some(files).filter(|_| still.is_some_and(|still| still.id() == stat.id())))
    }

    /// `None` if the process is gone.
    pub(super) fn count(&self) -> io::Result<Option<u64>> {
        let folder = gone_is_none(rustix::fs::fstat(&self.fd).map_err(io::Error::from))?;
        Ok(folder.and_then(|folder| u64::try_from(folder.st_size).ok()))
    }
}

impl Kept {
    pub(super) fn get(&self, id: ProcessId) -> Option<&Files> {
        self.files.get(&id)
    }

    /// Opens the files of a member that is looked at from now on, while there is room.
    pub(super) fn open(&mut self, stat: &Stat, look: u32, proc: &mut Proc) -> io::Result<()> {
        let id = stat.id();
        if let Some(files) = self.files.get_mut(&id) {
            files.used = look;
            if look.wrapping_sub(files.opened).is_multiple_of(WALK_EVERY) {
                files.limit = open_files_limit(id.pid);
            }
        } else if self.files.len() < self.most {
            self.files.extend(Files::open(stat, look, proc)?.map(|files| (id, files)));
        }
        Ok(())
    }

    /// Closes those of all who were not members at this look.
    pub(super) fn close_others(&mut self, look: u32) {
        self.files.retain(|_, files| files.used == look);
    }
}
