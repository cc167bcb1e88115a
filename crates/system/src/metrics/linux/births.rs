//! Who was started since the last look, anywhere on the machine.

use std::io;

use super::Proc;
use crate::process::stat::Stat;

/// More than so many, and walking the trees is cheaper.
const MANY: u32 = 512;

/// Who is being forked has a PID, but is not in `/proc` yet. Where the PIDs since the last look were not gone through, so
/// many are tried again at the next.
const BEING_FORKED: u32 = 8;

/// The kernel gives out PIDs in rising order, and `/proc/loadavg` tells the last one (proc_loadavg(5)): whoever is new has
/// one after that. So newcomers are found without asking every thread of every member for its children.
#[derive(Debug, Default)]
pub(super) struct Births {
    last: Option<u32>,
    /// Given out before, but nobody had it yet, or any more.
    absent: Vec<u32>,
}

impl Births {
    /// The processes that were started since the last call and still exist, parents before their children. `None` where
    /// that cannot be told, and when there are too many to look at.
    pub(super) fn since_last(&mut self, proc: &mut Proc) -> io::Result<Option<Vec<Stat>>> {
        let now = last_pid(proc)?;
        let before = std::mem::replace(&mut self.last, now);
        let absent = std::mem::take(&mut self.absent);
        let (Some(before), Some(now)) = (before, now) else { return Ok(None) };
        // Smaller than before: they begin again at the bottom.
        if now < before || now - before > MANY {
            self.absent = (now.saturating_sub(BEING_FORKED)..=now).collect();
            return Ok(None);
        }
        let mut born = Vec::new();
        for pid in absent {
            born.extend(proc.stat(pid)?);
        }
        // In this order: when one is found gone, its children have their new parent already.
        for pid in before + 1..=now {
            match proc.stat(pid)? {
                Some(stat) => born.push(stat),
                None => self.absent.push(pid),
            }
        }
        born.retain(|stat| !stat.is_thread);
        Ok(Some(born))
    }
}

/// The last PID of this process's namespace. `None` if `/proc` shows another one's.
fn last_pid(proc: &mut Proc) -> io::Result<Option<u32>> {
    let Some(own) = proc.read("/proc/self/stat")?.and_then(Stat::parse) else { return Ok(None) };
    if own.pid != std::process::id() {
        return Ok(None);
    }
    let text = proc.read("/proc/loadavg")?.and_then(|text| std::str::from_utf8(text).ok());
    Ok(text.and_then(|text| text.split_ascii_whitespace().next_back()?.parse().ok()))
}
