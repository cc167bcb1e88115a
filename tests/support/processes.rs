//! Processes of this machine, straight from `/proc`.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// A process, told from a later one with the same PID by its start time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// Clock ticks since boot: field 22 of `/proc/PID/stat`.
    pub start: u64,
    /// The arguments, separated by spaces.
    pub command: String,
}

impl Process {
    /// The one that has `pid` now; `None` if there is none, or only its remains.
    #[must_use]
    pub fn find(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything, a parenthesis too.
        let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
        let state = fields.next()?;
        // Of several threads the first may be gone while the others, and the open files, are still there.
        let threads = || fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
        if matches!(state, "Z" | "X") && threads() <= 1 {
            return None;
        }
        let start = fields.nth(18)?.parse().ok()?;
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ").trim_end().to_owned();
        Some(Self { pid, start, command })
    }

    /// This one and not another, and it has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Self::find(self.pid).is_some_and(|now| now.start == self.start)
    }

    /// Its parent's PID.
    #[must_use]
    pub fn parent(&self) -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        stat[stat.rfind(')')? + 1..].split_ascii_whitespace().nth(1)?.parse().ok()
    }

    /// A variable of the environment that it was started with.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        let environment = fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        environment.split(|byte| *byte == 0).find_map(|entry| {
            let value = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            Some(String::from_utf8_lossy(value).into_owned())
        })
    }

    /// Memory in bytes, what is shared divided by how many share it; 0 once it has ended.
    /// Source: `Documentation/filesystems/proc.rst`, "smaps_rollup".
    #[must_use]
    pub fn pss(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
    }

    /// CPU time that it has used, in clock ticks of a hundredth of a second; 0 once it has ended. Source: proc(5), fields
    /// 14 and 15 of `stat`.
    #[must_use]
    pub fn cpu_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
        fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
    }

    /// Sends `signal`, unless it has ended.
    pub fn signal(&self, signal: Signal) {
        if self.is_alive() {
            send_signal(self.pid, signal);
        }
    }
}

/// Sends `signal` to `pid`, if that exists.
pub fn send_signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended meanwhile.
        let _sent = kill_process(pid, signal);
    }
}

/// Every live process whose environment has one of `marks` (`NAME=value`).
#[must_use]
pub fn marked(marks: &[String]) -> Vec<Process> {
    let Ok(folder) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
            environment
                .split(|byte| *byte == 0)
                .any(|entry| marks.iter().any(|mark| mark.as_bytes() == entry))
        })
    })
    .filter_map(Process::find)
    .collect()
}
