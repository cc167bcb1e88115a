//! macOS and Windows: the `sysinfo` crate, asked once for the members of all trees.
//!
//! Gaps: nothing is inherited from children here, so that what a short-lived child used between two looks is not counted.
//! On Windows the bytes are of all files and pipes, not of storage alone, and open files are handles.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};

use super::account::{Account, Disk, Look, Reading};
use super::family::Relative;
use super::{Machine, MachineSize};
#[cfg(target_os = "macos")]
use crate::process::macos::threads;
#[cfg(windows)]
use crate::process::windows::threads;
use crate::tree::{Member, Tree};

pub(super) const DISK_IS_INHERITED: bool = false;

/// Looks.
#[derive(Debug, Default)]
pub(super) struct Eye {
    system: Option<System>,
    has_seen_machine: bool,
    /// Of all processes, apart from what the trees are compared with.
    everybody: Option<System>,
}

impl Eye {
    pub(super) fn for_one_look() -> Self {
        Self::default()
    }

    pub(super) fn machine_size(&mut self) -> io::Result<MachineSize> {
        let system = self.system()?;
        system.refresh_memory();
        let cores = std::thread::available_parallelism()?.get();
        Ok(MachineSize {
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            memory_bytes: system.total_memory(),
        })
    }

    pub(super) fn everybody(&mut self) -> io::Result<Vec<Relative>> {
        let first = self.everybody.is_none();
        let mut system = match self.everybody.take() {
            Some(system) => system,
            None => System::new().map_err(io::Error::other)?,
        };
        let figures = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, figures);
        let found = system.processes().values().filter(|_| !first).map(|process| Relative {
            pid: process.pid().as_u32(),
            parent: process.parent().map_or(0, Pid::as_u32),
            since: process.start_time(),
            name: process.name().to_string_lossy().into_owned(),
            cpu_percent: f64::from(process.cpu_usage()),
            memory_bytes: process.memory(),
        });
        let found = found.collect();
        self.everybody = Some(system);
        Ok(found)
    }

    /// One look at each tree.
    pub(super) fn look<'a>(
        &mut self,
        trees: impl Iterator<Item = (&'a mut Tree, &'a Account)>,
    ) -> Vec<io::Result<Look>> {
        let mut count = 0;
        let trees = trees.map(|(tree, account)| {
            count += 1;
            tree.remember(account.members().into_iter().flatten());
            tree
        });
        let looked = Tree::members_of_each(trees).and_then(|members| self.read_all(members));
        // One error for all of them.
        looked.unwrap_or_else(|error| (0..count).map(|_| Err(error.kind().into())).collect())
    }

    fn read_all(&mut self, trees: Vec<io::Result<Vec<Member>>>) -> io::Result<Vec<io::Result<Look>>> {
        let members = trees.iter().flatten().flatten();
        let pids: Vec<u32> = members.map(|member| member.id.pid).collect();
        let at = Instant::now();
        let system = self.system()?;
        let figures =
            ProcessRefreshKind::nothing().with_cpu().with_memory().with_disk_usage().without_tasks();
        let numbers: Vec<Pid> = pids.iter().copied().map(Pid::from_u32).collect();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&numbers), true, figures);
        let threads = threads(&pids);
        let read = |members: Vec<Member>| {
            let readings = members.iter().map(|member| read(member, system, &threads));
            let members = readings.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect();
            Ok(Look { at, holder: None, members, flow: None })
        };
        Ok(trees.into_iter().map(|members| members.and_then(read)).collect())
    }

    fn system(&mut self) -> io::Result<&mut System> {
        let system = match self.system.take() {
            Some(system) => system,
            None => System::new().map_err(io::Error::other)?,
        };
        Ok(self.system.insert(system))
    }

    pub(super) fn machine(&mut self) -> io::Result<Machine> {
        let has_seen = self.has_seen_machine;
        let system = self.system()?;
        system.refresh_memory();
        system.refresh_cpu_usage();
        let machine = Machine {
            cpu_percent: has_seen.then(|| f64::from(system.global_cpu_usage())),
            memory_used_bytes: system.used_memory(),
            memory_total_bytes: system.total_memory(),
            cores: u32::try_from(system.cpus().len()).unwrap_or(u32::MAX).max(1),
        };
        self.has_seen_machine = true;
        Ok(machine)
    }
}

/// `None` if it is gone, or not ours to look at.
fn read(member: &Member, system: &System, threads: &HashMap<u32, u32>) -> io::Result<Option<Reading>> {
    let Some(process) = system.process(Pid::from_u32(member.id.pid)) else { return Ok(None) };
    let started_at = match member.id.started_at() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        other => other?.map(Duration::from_nanos),
    };
    // The figures may be of who had this PID before.
    let Some(started_at) = started_at.filter(|at| at.as_secs().abs_diff(process.start_time()) <= 1) else {
        return Ok(None);
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let zombie = member.is_zombie();
    Ok(Some(Reading {
        id: member.id,
        parent: member.parent,
        age: now.saturating_sub(started_at),
        zombie,
        cpu: Duration::from_millis(process.accumulated_cpu_time()),
        inherited: Duration::ZERO,
        disk: memory(process).map(|_| disk(process)),
        memory_bytes: memory(process),
        threads: threads.get(&member.id.pid).copied(),
        open_files_limit: process.open_files_limit().and_then(|count| u64::try_from(count).ok()),
        open_files: process.open_files().filter(|_| !zombie).and_then(|count| u32::try_from(count).ok()),
    }))
}

/// Zero stands for what was not told: nobody lives without memory.
fn memory(process: &Process) -> Option<u64> {
    Some(process.memory()).filter(|bytes| *bytes > 0)
}

fn disk(process: &Process) -> Disk {
    let usage = process.disk_usage();
    Disk { read: usage.total_read_bytes, written: usage.total_written_bytes }
}
