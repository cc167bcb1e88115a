//! Linux: `/proc/PID/{stat,statm,io}` (proc_pid_stat(5) and so on), one read each, and the size of `/proc/PID/fd`. They
//! are kept open while a member is looked at.

mod births;
mod elsewhere;
mod hogs;
mod kept;
mod network;
mod sock_diag;

use std::collections::HashSet;
use std::fmt::Write;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use births::Births;
use elsewhere::Elsewhere;
use kept::{Files, Kept};
use network::Network;
use rustix::fs::{Mode, OFlags};

use super::account::{Account, Disk, Look, Reading};
use super::family::Relative;
use super::{Machine, MachineSize};
use crate::process::ProcessId;
use crate::process::linux::{gone_is_none, numbers_in};
use crate::process::stat::Stat;
use crate::tree::Tree;

/// `/proc/PID/io` has what waited-for children have done (`wait_task_zombie` in kernel/exit.c).
pub(super) const DISK_IS_INHERITED: bool = true;

/// Every so many looks the trees are walked from the top, whatever the PIDs say: who was given a PID of choice
/// (`clone3` with `set_tid`: CRIU) is found then.
const WALK_EVERY: u32 = 30;

/// Looks, and knows the units of what it sees.
#[derive(Debug)]
pub(super) struct Eye {
    proc: Proc,
    births: Births,
    kept: Kept,
    looks: u32,
    ticks_per_second: u64,
    page: u64,
    machine: Option<Busy>,
    hogs: hogs::Hogs,
    /// `None`: not looked at yet, or it cannot be.
    network: Option<Network>,
    elsewhere: Elsewhere,
    /// What ends between two looks is of interest.
    follows: bool,
}

impl Default for Eye {
    fn default() -> Self {
        Self {
            proc: Proc::default(),
            births: Births::default(),
            kept: Kept::default(),
            looks: 0,
            ticks_per_second: rustix::param::clock_ticks_per_second().max(1),
            page: rustix::param::page_size() as u64,
            machine: None,
            hogs: hogs::Hogs::default(),
            network: None,
            elsewhere: Elsewhere::default(),
            follows: true,
        }
    }
}

impl Eye {
    pub(super) fn for_one_look() -> Self {
        Self { follows: false, ..Self::default() }
    }

    /// One look at each tree, with what is known of it from the last one.
    pub(super) fn look<'a>(
        &mut self,
        trees: impl Iterator<Item = (&'a mut Tree, &'a Account)>,
    ) -> Vec<io::Result<Look>> {
        let born = self.births.since_last(&mut self.proc).ok().flatten();
        self.looks = self.looks.wrapping_add(1);
        let born = born.filter(|_| !self.looks.is_multiple_of(WALK_EVERY));
        let mut numbers = Vec::new();
        let mut looks: Vec<io::Result<Look>> = trees
            .map(|(tree, account)| {
                numbers.push(account.number());
                self.look_at(tree, account, born.as_deref())
            })
            .collect();
        self.kept.close_others(self.looks);
        self.look_at_network(&numbers, &mut looks);
        looks
    }

    /// Fills in what the trees' sockets have moved; a system that does not tell (a sandbox) is asked again now and then.
    fn look_at_network(&mut self, numbers: &[u64], looks: &mut [io::Result<Look>]) {
        if self.network.is_none() && self.looks % WALK_EVERY == 1 {
            self.network = Network::open(self.follows).ok();
        }
        let Some(network) = &mut self.network else { return };
        let pids: Vec<(u64, Vec<u32>)> = numbers
            .iter()
            .zip(looks.iter())
            .map(|(number, look)| {
                let members = look.iter().flat_map(|look| &look.members);
                (*number, members.filter(|member| !member.zombie).map(|member| member.id.pid).collect())
            })
            .collect();
        let trees: Vec<_> = pids.iter().map(|(number, pids)| (*number, pids.as_slice())).collect();
        match network.look(&trees) {
            Ok(flows) => {
                for ((number, pids), look) in pids.iter().zip(looks) {
                    let Ok(look) = look else { continue };
                    let flow = flows.get(number).copied();
                    look.flow = if flow.is_none() && !network.knows(*number) && self.elsewhere.any_of(pids) {
                        None
                    } else {
                        Some(flow.unwrap_or_default())
                    };
                }
            }
            Err(_) => self.network = None,
        }
        self.elsewhere.forget_but(&pids);
    }

    fn look_at(&mut self, tree: &mut Tree, account: &Account, born: Option<&[Stat]>) -> io::Result<Look> {
        let at = Instant::now();
        let since_boot = since_boot();
        let holder = match tree.holder() {
            Some(id) => self.proc.stat(id.pid)?.filter(|stat| stat.id() == id),
            None => None,
        };
        let members = match (account.members(), born) {
            (Some(known), Some(born)) if !tree.spares_somebody() => {
                self.follow(known, holder.as_ref(), born)?
            }
            (known, _) => self.walk(tree, known.into_iter().flatten())?,
        };
        let members =
            members.into_iter().map(|stat| self.read(&stat, since_boot)).collect::<io::Result<_>>()?;
        let holder = holder.map(|stat| (stat.id(), self.time(stat.reaped_ticks)));
        Ok(Look { at, holder, members, flow: None })
    }

    /// From the top.
    fn walk(&mut self, tree: &mut Tree, known: impl Iterator<Item = ProcessId>) -> io::Result<Vec<Stat>> {
        tree.remember(known);
        let mut members = Vec::new();
        for member in tree.members()? {
            members.extend(self.proc.stat(member.id.pid)?.filter(|stat| stat.id() == member.id));
        }
        Ok(members)
    }

    /// Those of the last look that are still there, and the newcomers below them or the holder.
    fn follow(
        &mut self,
        known: impl Iterator<Item = ProcessId>,
        holder: Option<&Stat>,
        born: &[Stat],
    ) -> io::Result<Vec<Stat>> {
        let mut members = Vec::new();
        for id in known {
            let stat = self.proc.stat_of(id.pid, self.kept.get(id))?;
            members.extend(stat.filter(|stat| stat.id() == id));
        }
        let mut parents: HashSet<u32> = members.iter().chain(holder).map(|stat| stat.pid).collect();
        for stat in born {
            if parents.contains(&stat.parent) && parents.insert(stat.pid) {
                members.push(stat.clone());
            }
        }
        Ok(members)
    }

    fn read(&mut self, stat: &Stat, since_boot: Duration) -> io::Result<Reading> {
        let zombie = stat.is_zombie();
        if self.follows && !zombie {
            self.kept.open(stat, self.looks, &mut self.proc)?;
        }
        let files = self.kept.get(stat.id());
        let memory = if zombie { None } else { self.proc.resident_pages(stat.pid, files)? };
        let limit = || match files {
            Some(files) => files.limit,
            None => open_files_limit(stat.pid),
        };
        Ok(Reading {
            id: stat.id(),
            parent: stat.parent,
            age: since_boot.saturating_sub(self.time(stat.start)),
            zombie,
            cpu: self.time(stat.own_ticks),
            inherited: self.time(stat.reaped_ticks),
            disk: self.proc.disk(stat.pid, files)?,
            memory_bytes: memory.map(|pages| pages.saturating_mul(self.page)),
            threads: Some(stat.threads),
            open_files: if zombie { None } else { self.proc.open_files(stat.pid, files)? },
            open_files_limit: if zombie { None } else { limit() },
        })
    }

    fn time(&self, ticks: u64) -> Duration {
        let whole = Duration::from_secs(ticks / self.ticks_per_second);
        whole + Duration::from_nanos(ticks % self.ticks_per_second * 1_000_000_000 / self.ticks_per_second)
    }

    pub(super) fn machine(&mut self) -> io::Result<Machine> {
        let unreadable =
            |file: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{file} has another form"));
        let busy = Busy::parse(self.proc.text("/proc/stat")?).ok_or_else(|| unreadable("/proc/stat"))?;
        let last = self.machine.replace(busy);
        let memory = self.proc.text("/proc/meminfo")?;
        let total = kilobytes(memory, "MemTotal:").ok_or_else(|| unreadable("/proc/meminfo"))?;
        let available = kilobytes(memory, "MemAvailable:").ok_or_else(|| unreadable("/proc/meminfo"))?;
        Ok(Machine {
            cpu_percent: last.and_then(|last| busy.percent_since(last)),
            memory_used_bytes: total.saturating_sub(available),
            memory_total_bytes: total,
            cores: cores(),
        })
    }

    pub(super) fn machine_size(&mut self) -> io::Result<MachineSize> {
        let memory = kilobytes(self.proc.text("/proc/meminfo")?, "MemTotal:");
        Ok(MachineSize { cores: cores(), memory_bytes: memory.unwrap_or(u64::MAX) })
    }

    pub(super) fn everybody(&mut self) -> io::Result<Vec<Relative>> {
        self.hogs.look(&mut self.proc, self.ticks_per_second, self.page)
    }
}

fn cores() -> u32 {
    // SAFETY: a query without side effects.
    let cores = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    u32::try_from(cores).unwrap_or(1).max(1)
}

/// prlimit(2). `None` if it is gone, or not ours to ask about.
fn open_files_limit(pid: u32) -> Option<u64> {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: nothing is set, and the place for the answer is there to be written to.
    let done =
        unsafe { libc::prlimit64(pid.cast_signed(), libc::RLIMIT_NOFILE, std::ptr::null(), &raw mut limit) };
    (done == 0).then_some(limit.rlim_cur)
}

fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

/// Clock ticks of all cores since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Busy {
    busy: u64,
    all: u64,
}

impl Busy {
    /// The first line of `/proc/stat` (proc_stat(5)). What guests use is in `user` and `nice` already.
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> =
            line.split_ascii_whitespace().take(8).filter_map(|word| word.parse().ok()).collect();
        let [_user, _nice, _system, idle, waiting, ..] = ticks[..] else { return None };
        let all = ticks.iter().sum::<u64>();
        Some(Self { busy: all.saturating_sub(idle + waiting), all })
    }

    /// `None` if no tick has passed. The kernel's idle times may step back a little.
    fn percent_since(self, last: Self) -> Option<f64> {
        let all = self.all.saturating_sub(last.all);
        let busy = self.busy.saturating_sub(last.busy).min(all);
        (all > 0).then(|| 100.0 * busy as f64 / all as f64)
    }
}

/// A line of `/proc/meminfo`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Small files of `/proc`, each with one `open` and one `read`, or what is open with one `pread`: the kernel writes each of them in one go, and nothing here
/// needs more than a page of one.
#[derive(Debug)]
pub(super) struct Proc {
    path: String,
    text: Box<[u8; 4096]>,
}

impl Default for Proc {
    fn default() -> Self {
        Self { path: String::new(), text: Box::new([0; 4096]) }
    }
}

impl Proc {
    /// `None` if the process is gone.
    fn stat(&mut self, pid: u32) -> io::Result<Option<Stat>> {
        self.stat_of(pid, None)
    }

    fn stat_of(&mut self, pid: u32, files: Option<&Files>) -> io::Result<Option<Stat>> {
        let unreadable =
            || io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/stat has another form"));
        let Some(line) = self.of(pid, "stat", files.map(|files| &files.stat))? else { return Ok(None) };
        Stat::parse(line).map(Some).ok_or_else(unreadable)
    }

    /// `statm` rather than the field of `stat`: that one is a running counter that lags behind by up to 32 pages for each
    /// core. Since 6.17 `statm` adds up what each core still keeps for itself.
    fn resident_pages(&mut self, pid: u32, files: Option<&Files>) -> io::Result<Option<u64>> {
        let line = self.of(pid, "statm", files.map(|files| &files.statm))?;
        Ok(line
            .and_then(|line| std::str::from_utf8(line).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()))
    }

    /// `None` if it is gone, or not ours to look at.
    fn disk(&mut self, pid: u32, files: Option<&Files>) -> io::Result<Option<Disk>> {
        let told = match self.of(pid, "io", files.map(|files| &files.io)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
            other => other?,
        };
        Ok(told.and_then(|text| {
            let lines = || std::str::from_utf8(text).unwrap_or_default().lines();
            let bytes = |name| lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
            Some(Disk { read: bytes("read_bytes:")?, written: bytes("write_bytes:")? })
        }))
    }

    /// `None` if it is gone, or not ours to look at.
    fn open_files(&mut self, pid: u32, files: Option<&Files>) -> io::Result<Option<u32>> {
        // Since 6.2 the size of the folder is the number of its entries; before it was 0.
        if let Some(count) = files.map(Files::count).transpose()?.flatten().filter(|count| *count > 0) {
            return Ok(u32::try_from(count).ok());
        }
        self.name(pid, "fd");
        let Some(folder) = gone_is_none(rustix::fs::stat(self.path.as_str()).map_err(io::Error::from))?
        else {
            return Ok(None);
        };
        if folder.st_size > 0 {
            return Ok(u32::try_from(folder.st_size).ok());
        }
        let listed = match numbers_in(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
            other => gone_is_none(other)?,
        };
        Ok(listed.and_then(|entries| u32::try_from(entries.len()).ok()))
    }

    /// What is in a file of a process: the one that is kept open, where it is.
    fn of(&mut self, pid: u32, file: &str, open: Option<&OwnedFd>) -> io::Result<Option<&[u8]>> {
        if let Some(open) = open {
            return self.read_open(open);
        }
        self.name(pid, file);
        let path = std::mem::take(&mut self.path);
        let length = self.fill(&path);
        self.path = path;
        Ok(length?.map(|length| &self.text[..length]))
    }

    fn name(&mut self, pid: u32, file: &str) {
        self.path.clear();
        let _ = write!(self.path, "/proc/{pid}/{file}");
    }

    /// `None` if there is no such file.
    fn read(&mut self, path: &str) -> io::Result<Option<&[u8]>> {
        Ok(self.fill(path)?.map(|length| &self.text[..length]))
    }

    /// What is open, from its beginning. `None` if the process is gone.
    fn read_open(&mut self, file: &OwnedFd) -> io::Result<Option<&[u8]>> {
        let read = rustix::io::pread(file, &mut self.text[..], 0).map_err(io::Error::from);
        Ok(gone_is_none(read)?.map(|length| &self.text[..length]))
    }

    fn text(&mut self, path: &str) -> io::Result<&str> {
        let text = self.read(path)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        std::str::from_utf8(text).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
    }

    fn fill(&mut self, path: &str) -> io::Result<Option<usize>> {
        let opened = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let Some(file) = gone_is_none(opened.map_err(io::Error::from))? else { return Ok(None) };
        // One that ends between the two is no longer there to be read.
        gone_is_none(rustix::io::read(&file, &mut self.text[..]).map_err(io::Error::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_busy_with_all_but_idling_and_waiting_for_a_disk() {
        let at = |line: &str| Busy::parse(line).unwrap();
        let before = at("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 2 3\n");
        assert_eq!(before, Busy { busy: 200, all: 1000 }, "guests are not counted twice");
        let after = at("cpu  120 10 110 750 110 0 0 0 50 0\n");
        assert_eq!(after.percent_since(before), Some(40.0), "40 of 100 ticks");
        assert_eq!(after.percent_since(after), None, "no time has passed");
        assert_eq!(before.percent_since(after), None, "never negative");
        for line in ["", "cpu", "cpu 1 2 3", "intr 1 2 3 4 5 6"] {
            assert_eq!(Busy::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_line_of_meminfo_is_in_bytes() {
        let text = "MemTotal:       24684092 kB\nMemAvailable:   1 kB\nHugePages_Total:       0\n";
        assert_eq!(kilobytes(text, "MemTotal:"), Some(24_684_092 * 1024), "kB are KiB");
        assert_eq!(kilobytes(text, "HugePages_Total:"), None, "a count is no size");
        assert_eq!(kilobytes(text, "SwapTotal:"), None, "not there");
    }
}
