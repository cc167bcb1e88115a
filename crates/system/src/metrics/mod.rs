//! What trees use of the machine: CPU time, memory, threads, open files, disk.
//!
//! A [`Sampler`] looks at several trees at once, about once a second, and only at their processes. What each figure means,
//! and where it comes from, stands at [`Sample`].
//!
//! # CPU time of what has ended
//!
//! A process takes its CPU time with it, and the system adds it to that of whoever waits for it. A figure made of the
//! members alone would fall when one ends; one with the time of waited-for children would count twice what was seen
//! before. So a look adds up:
//!
//! 1. what each member has used since the last look, and all of what is younger than the last look;
//! 2. what members (and the holder) have inherited from children since then, less what was counted of these already.
//!
//! A compiler that a build tool started and waited for between two looks is therefore counted in whole. Lost are the last
//! moments of a process for which nobody waits (its parent ignores SIGCHLD), and on macOS and Windows, where nothing is
//! inherited, those of every process that ends.

mod account;
mod family;

#[cfg(not(target_os = "linux"))]
mod by_sysinfo;
#[cfg(target_os = "linux")]
mod linux;

use std::collections::{BTreeMap, HashSet};
use std::io;

use account::Account;
#[cfg(not(target_os = "linux"))]
use by_sysinfo as platform;
#[cfg(target_os = "linux")]
use linux as platform;

use crate::tree::Tree;

/// What a tree uses, without its holder. A figure is of the members that told it, and `None` if none of them did: another
/// user's, or a system that has no such figure.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sample {
    /// CPU time over wall time since the last look; 100 is one core. `None` at the first look.
    pub cpu_percent: Option<f64>,
    /// The sum of the resident sets (RSS), as `ps` and `top` show them. A page that several members share counts for each:
    /// the proportional set (PSS) would not do that, but has the kernel walk every page table at every look, which takes
    /// milliseconds for a large process and holds up its own memory calls meanwhile. Before Linux 6.17 it lags behind by
    /// some pages for each core.
    pub memory_bytes: Option<u64>,
    /// Of all members.
    pub threads: Option<u32>,
    /// Open descriptors; of a file that two members have open, both count.
    pub open_files: Option<u32>,
    /// What was fetched from storage since the tree was first looked at, and before by those alive then and the children
    /// they had waited for; what the page cache answered is not in it. Never falls.
    pub disk_read_bytes: Option<u64>,
    /// What was sent to storage, likewise. On Linux it counts when a page becomes dirty.
    pub disk_written_bytes: Option<u64>,
    /// The member that is nearest to its own limit of open files.
    pub fullest: Option<OpenFiles>,
    /// TCP payload received, over the loopback too, by sockets that were open when the tree was first looked at and by
    /// those opened since. Never falls. Linux only; what a connection has moved that a member opened and closed again
    /// between two looks is not in it.
    pub net_received_bytes: Option<u64>,
    /// TCP payload sent and acknowledged, likewise.
    pub net_sent_bytes: Option<u64>,
    /// Members that live; zombies are none.
    pub processes: u32,
}

/// The open files of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OpenFiles {
    pub pid: u32,
    pub open: u32,
    /// How many it may open: the soft limit (`ulimit -n`).
    pub limit: u64,
}

impl OpenFiles {
    /// From 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        f64::from(self.open) / self.limit.max(1) as f64
    }
}

/// A program of the machine: a process with those below it that bear its name, as a browser's; and its siblings of that
/// name, as a compiler's below `make`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Hog {
    /// Of the one that has been there longest.
    pub pid: u32,
    pub name: String,
    pub processes: u32,
    /// Since the last look for hogs; 100 is one core.
    pub cpu_percent: f64,
    /// The resident sets: what several share counts for each.
    pub memory_bytes: u64,
}

/// What the whole machine uses.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Machine {
    /// Of all cores together, since the last look: 0 to 100. `None` at the first look.
    pub cpu_percent: Option<f64>,
    /// What programs could not have if they asked: all but what is free or can be freed at once (caches).
    pub memory_used_bytes: u64,
    /// The main memory.
    pub memory_total_bytes: u64,
    /// Cores that are switched on, counted as the scheduler does (hyper-threads each).
    pub cores: u32,
}

/// What there is of the machine.
#[derive(Debug, Clone, Copy)]
struct MachineSize {
    cores: u32,
    memory_bytes: u64,
}

/// Keeps what differences need from one look to the next, for each tree by its key.
#[derive(Debug)]
pub struct Sampler<K> {
    eye: platform::Eye,
    accounts: BTreeMap<K, Account>,
    opened: u64,
}

impl<K> Default for Sampler<K> {
    fn default() -> Self {
        Self { eye: platform::Eye::default(), accounts: BTreeMap::new(), opened: 0 }
    }
}

impl<K: Ord + Clone> Sampler<K> {
    /// One that has not looked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that will look once: it does not follow what happens between two looks.
    pub fn for_one_look() -> Self {
        Self { eye: platform::Eye::for_one_look(), ..Self::default() }
    }

    /// One look at these trees; those of earlier looks that are not among them are forgotten. A key whose tree has become
    /// another run's begins anew. A tree that the system would not tell about is left out of the answer this time.
    ///
    /// The cost is a few system calls for each member, and for each process that was started anywhere since the last
    /// look. Now and then, and when very many were started, trees are walked from the top ([`Tree::members`]); environments
    /// are never searched for marks.
    pub fn sample(&mut self, trees: &mut [(K, Tree)]) -> Vec<(K, Sample)> {
        let mut before = std::mem::take(&mut self.accounts);
        let mut accounts: Vec<Account> = trees
            .iter()
            .map(|(key, tree)| {
                let known = before.remove(key).filter(|account| account.is_of(tree));
                known.unwrap_or_else(|| {
                    self.opened += 1;
                    Account::new(self.opened)
                })
            })
            .collect();
        let looks = self.eye.look(trees.iter_mut().map(|(_, tree)| tree).zip(&accounts));
        let mut samples = Vec::with_capacity(trees.len());
        for (((key, tree), account), look) in trees.iter().zip(&mut accounts).zip(looks) {
            if let Ok(look) = look {
                samples.push((key.clone(), account.settle(tree, look)));
            }
        }
        let keys = trees.iter().map(|(key, _)| key.clone());
        self.accounts = keys.zip(accounts).collect();
        samples
    }

    /// What the whole machine uses.
    ///
    /// # Errors
    /// When the system could not be asked.
    pub fn machine(&mut self) -> io::Result<Machine> {
        self.eye.machine()
    }

    /// The programs of the machine that use most, at most `most` of them, the worst first: by their share of all cores
    /// since the last such look, or of the memory, whichever is greater. Without members and holders of the trees of the
    /// last look, and this process. Empty at the first look. Reads of every process of the machine: some milliseconds.
    ///
    /// # Errors
    /// When the system could not be asked.
    pub fn hogs(&mut self, most: usize) -> io::Result<Vec<Hog>> {
        let ours: HashSet<u32> =
            self.accounts.values().flat_map(Account::everybody).map(|id| id.pid).collect();
        let machine = self.eye.machine_size()?;
        let share = |hog: &Hog| {
            let cpu = hog.cpu_percent / (100.0 * f64::from(machine.cores.max(1)));
            cpu.max(hog.memory_bytes as f64 / machine.memory_bytes.max(1) as f64)
        };
        let mut others = self.eye.everybody()?;
        others.retain(|one| one.pid != std::process::id() && !ours.contains(&one.pid));
        let mut hogs = family::of(others);
        hogs.sort_by(|one, other| share(other).total_cmp(&share(one)));
        hogs.truncate(most);
        Ok(hogs)
    }
}
