//! Reading `/proc`, waiting for moments, medians.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::DEADLINE;

/// CPU time that a process has used: its living threads, to the nanosecond; a zombie's too.
/// Source: `Documentation/scheduler/sched-stats.rst`, "/proc/<pid>/schedstat".
pub(super) fn cpu(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanoseconds: u64 = threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(nanoseconds)
}

/// Memory in bytes, what is shared divided by how many share it.
pub(super) fn pss(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// State letter and parent. Source: proc_pid_stat(5); the name may hold anything, so fields count from its `)`.
fn stat(pid: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(") ")?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

pub(super) fn parent(pid: u32) -> Option<u32> {
    stat(pid).map(|(_, parent)| parent)
}

/// Whether it has not ended; a zombie has.
pub(super) fn alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z')
}

/// A process and all below it.
pub(super) fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>()
            && let Some(parent) = parent(pid)
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    found
}

/// Looks every 200 µs until `condition` holds.
pub(super) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
    let begun = Instant::now();
    while !condition() {
        if begun.elapsed() > DEADLINE {
            bail!("waited {} s for {what}", DEADLINE.as_secs());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

/// The PIDs that children have appended to `file`, a line each.
pub(super) fn pids_in(file: &Path) -> Vec<u32> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .filter_map(|line| line.trim().parse().ok())
        .collect()
}

/// Waits until `count` children have written theirs.
pub(super) fn wait_for_pids(file: &Path, count: usize) -> Result<Vec<u32>> {
    wait_for(&format!("{count} children"), || pids_in(file).len() >= count)?;
    Ok(pids_in(file))
}

pub(super) fn signal(pid: u32, signal: rustix::process::Signal) -> Result<()> {
    let raw = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).context("no PID")?;
    rustix::process::kill_process(raw, signal).with_context(|| format!("cannot signal {pid}"))
}

/// Of an odd count, or of what is there.
pub(super) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        let times = [9, 1, 5].map(Duration::from_millis).to_vec();
        assert_eq!(median(times), Duration::from_millis(5), "in whatever order they come");
        assert_eq!(median(Vec::new()), Duration::ZERO, "of nothing");
    }

    #[test]
    fn this_process_can_be_measured() {
        let pid = std::process::id();
        assert!(
            alive(pid) && pss(pid) > 0 && tree(pid).contains(&pid),
            "it lives, has memory and is its own root"
        );
        wait_for("some CPU time", || cpu(pid) > Duration::ZERO).unwrap();
    }
}
