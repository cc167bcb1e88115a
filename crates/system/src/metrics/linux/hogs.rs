//! What each process of the machine uses.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use super::super::family::Relative;
use super::Proc;
use crate::process::ProcessId;
use crate::process::linux::numbers_in;

/// What everybody had used at the last look.
#[derive(Debug, Default)]
pub(super) struct Hogs {
    last: Option<(Instant, HashMap<ProcessId, u64>)>,
}

impl Hogs {
    /// Everybody who was there at the last look too. One read for each process.
    pub(super) fn look(
        &mut self,
        proc: &mut Proc,
        ticks_per_second: u64,
        page: u64,
    ) -> io::Result<Vec<Relative>> {
        let at = Instant::now();
        let mut used = HashMap::new();
        let mut found = Vec::new();
        for pid in numbers_in("/proc")? {
            let Ok(Some(stat)) = proc.stat(pid) else { continue };
            let ticks = stat.own_ticks;
            used.insert(stat.id(), ticks);
            let Some((before, then)) = &self.last else { continue };
            let Some(had) = then.get(&stat.id()) else { continue };
            let seconds = at.saturating_duration_since(*before).as_secs_f64().max(0.001);
            let spent = ticks.saturating_sub(*had) as f64 / ticks_per_second as f64;
            found.push(Relative {
                pid,
                parent: stat.parent,
                since: stat.start,
                cpu_percent: 100.0 * spent / seconds,
                memory_bytes: stat.resident_pages.saturating_mul(page),
                name: stat.name,
            });
        }
        self.last = Some((at, used));
        Ok(found)
    }
}
