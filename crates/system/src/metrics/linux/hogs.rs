//! What each process of the machine uses.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use super::super::family::Relative;
use super::Proc;
use crate::process::ProcessId;
use crate::process::linux::numbers_in;
use crate::process::stat::Stat;

/// What everybody had used at the last look.
#[derive(Debug, Default)]
pub(super) struct Hogs {
    last: Option<(Instant, HashMap<ProcessId, Used>)>,
}

/// CPU time in clock ticks.
#[derive(Debug, Clone, Copy)]
struct Used {
    parent: u32,
    own: u64,
    /// Of the children that it has waited for: what a build uses is mostly theirs.
    reaped: u64,
}

impl Used {
    fn of(stat: &Stat) -> Self {
        // Whoever has lost its parent is waited for by the first process, which has nothing to do with it.
        let reaped = if stat.pid == 1 { 0 } else { stat.reaped_ticks };
        Self { parent: stat.parent, own: stat.own_ticks, reaped }
    }

    fn all(&self) -> u64 {
        self.own + self.reaped
    }
}

impl Hogs {
    /// Everybody, with what it has used since the last look, and what those of its children had that it has waited for.
    /// One read for each process.
    pub(super) fn look(
        &mut self,
        proc: &mut Proc,
        ticks_per_second: u64,
        page: u64,
    ) -> io::Result<Vec<Relative>> {
        let at = Instant::now();
        let stats = numbers_in("/proc")?.into_iter().filter_map(|pid| proc.stat(pid).ok().flatten());
        let stats: Vec<Stat> = stats.collect();
        let used: HashMap<ProcessId, Used> = stats.iter().map(|stat| (stat.id(), Used::of(stat))).collect();
        let Some((before, then)) = self.last.replace((at, used)) else { return Ok(Vec::new()) };
        let now = self.last.as_ref().map(|(_, now)| now);
        let seconds = at.saturating_duration_since(before).as_secs_f64().max(0.001);
        let lost = lost(&then, |id| now.is_some_and(|now| now.contains_key(id)));
        let relative = |stat: Stat| {
            let spent = spent(&Used::of(&stat), then.get(&stat.id()), lost.get(&stat.pid).copied());
            Relative {
                pid: stat.pid,
                parent: stat.parent,
                since: stat.start,
                cpu_percent: 100.0 * (spent as f64 / ticks_per_second as f64) / seconds,
                memory_bytes: stat.resident_pages.saturating_mul(page),
                name: stat.name,
            }
        };
        Ok(stats.into_iter().map(relative).collect())
    }
}

/// By parent, what those had used at the last look that are gone by now: their parents have it among theirs since.
fn lost(then: &HashMap<ProcessId, Used>, is_there: impl Fn(&ProcessId) -> bool) -> HashMap<u32, u64> {
    let mut lost = HashMap::new();
    for (_, used) in then.iter().filter(|(id, _)| !is_there(id)) {
        *lost.entry(used.parent).or_default() += used.all();
    }
    lost
}

/// Since the last look; of one that was not there then, all.
fn spent(now: &Used, then: Option<&Used>, lost: Option<u64>) -> u64 {
    let Some(then) = then else { return now.all() };
    let reaped = now.reaped.saturating_sub(then.reaped).saturating_sub(lost.unwrap_or(0));
    now.own.saturating_sub(then.own) + reaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_children_use_that_come_and_go_is_their_parents_and_counted_once() {
        let id = |pid| ProcessId { pid, start: 1 };
        let used = |parent, own, reaped| Used { parent, own, reaped };
        let then = HashMap::from([(id(10), used(1, 100, 50)), (id(11), used(10, 30, 0))]);
        let lost = lost(&then, |one| *one == id(10));
        assert_eq!(lost, HashMap::from([(10, 30)]), "the second is gone");
        // It had used 30 at the last look, and 45 when it ended; another one came and went, with 7.
        assert_eq!(spent(&used(1, 101, 50 + 45 + 7), then.get(&id(10)), lost.get(&10).copied()), 1 + 15 + 7);
        assert_eq!(spent(&used(1, 101, 50), then.get(&id(10)), Some(30)), 1, "nobody has waited for it yet");
        assert_eq!(spent(&used(10, 5, 2), None, None), 7, "who has come since");
    }
}
