//! Who lives in a network namespace of its own (namespaces(7)): of its sockets nothing is told here.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

/// Looks after which somebody is looked at again: it may have moved.
const AGAIN: u32 = 30;

/// What is known of processes, by their PIDs.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    known: HashMap<u32, (bool, u32)>,
    looks: u32,
}

impl Elsewhere {
    /// Whether one of these is not where we are.
    pub(super) fn any_of(&mut self, pids: &[u32]) -> bool {
        pids.iter().any(|pid| self.is_elsewhere(*pid))
    }

    fn is_elsewhere(&mut self, pid: u32) -> bool {
        let (known, seen) = self.known.entry(pid).or_insert((false, self.looks.wrapping_sub(AGAIN)));
        if self.looks.wrapping_sub(*seen) >= AGAIN {
            // Gone, or not ours to look at: then it is as we are.
            *known = network_of(&pid.to_string()).is_some_and(|its| Some(its) != network_of("self"));
            *seen = self.looks;
        }
        *known
    }

    /// Ends a look: of whoever is gone nothing is kept.
    pub(super) fn forget_but(&mut self, trees: &[(u64, Vec<u32>)]) {
        self.looks = self.looks.wrapping_add(1);
        self.known.retain(|pid, _| trees.iter().any(|(_, pids)| pids.contains(pid)));
    }
}

fn network_of(pid: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/net")).ok()
}
