//! Measures what the processes cost: a thread that looks once a second while something runs, and sleeps while nothing
//! does.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use forge_api::{Hog, Machine, Time};
use forge_system::metrics::{self, Sample, Sampler};
use forge_system::tree::Tree;

use crate::core::Key;

/// Between two looks.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// What has just begun is looked at twice in quick succession: whoever started it wants to know what it costs.
const SOON: Duration = Duration::from_millis(100);
const SOON_LOOKS: u32 = 2;

/// Between two looks for those that use most of the machine.
const HOGS_EVERY: Duration = Duration::from_secs(10);
const MOST_HOGS: usize = 5;

/// Who takes less than this says nothing of why the machine is slow: percent of a core, and of the memory.
const LITTLE_CPU: f64 = 20.0;
const LITTLE_MEMORY: f64 = 5.0;

/// What the thread is told.
#[derive(Debug)]
pub(crate) enum Change {
    /// The process runs with this tree from now on.
    Watch(Key, Box<Tree>),
    Forget(Key),
}

/// What one look has found.
#[derive(Debug)]
pub(crate) struct Measured {
    pub time: Time,
    /// The same moment, by a clock that nobody sets.
    pub at: Instant,
    pub samples: Vec<(Key, Sample)>,
    pub machine: Option<Machine>,
    /// It was looked anew for those that use most of the machine.
    pub hogs_are_new: bool,
}

/// Starts the thread; it ends when the sender is dropped.
pub(crate) fn spawn(report: impl Fn(Measured) + Send + 'static) -> std::io::Result<Sender<Change>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().name("sampling".to_owned()).stack_size(512 * 1024).spawn(move || {
        let mut trees: Vec<(Key, Tree)> = Vec::new();
        let mut sampler = Sampler::new();
        let mut hogs = Hogs::default();
        let mut next = Instant::now();
        let mut soon = 0;
        loop {
            let received = if trees.is_empty() {
                receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                receiver.recv_timeout(next.saturating_duration_since(Instant::now()))
            };
            match received {
                Ok(change) => {
                    if matches!(change, Change::Watch(..)) {
                        soon = SOON_LOOKS;
                        let at = Instant::now() + SOON;
                        next = if trees.is_empty() { at } else { next.min(at) };
                    }
                    apply(&mut trees, change);
                    if trees.is_empty() {
                        // What it follows meanwhile is of interest to nobody.
                        (sampler, hogs) = (Sampler::new(), Hogs::default());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    let (time, at) = (Time::now(), Instant::now());
                    let samples = sampler.sample(&mut trees);
                    let machine = sampler.machine().ok();
                    let hogs_are_new = machine.is_some_and(|machine| hogs.look(&mut sampler, &machine, at));
                    let machine = machine.map(|machine| hogs.with(machine));
                    report(Measured { time, at, samples, machine, hogs_are_new });
                    let pause = if soon > 0 { SOON } else { INTERVAL };
                    soon = soon.saturating_sub(1);
                    // After a suspend there is nothing to catch up with.
                    next = (next + pause).max(Instant::now());
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    })?;
    Ok(sender)
}

/// Who uses most of the machine.
#[derive(Debug, Default)]
struct Hogs {
    looked_at: Option<Instant>,
    found: Vec<Hog>,
}

impl Hogs {
    /// Looks, if that is due: `true`.
    fn look(&mut self, sampler: &mut Sampler<Key>, machine: &metrics::Machine, now: Instant) -> bool {
        let since = self.looked_at.map(|last| now.saturating_duration_since(last));
        if since.is_some_and(|since| since < HOGS_EVERY) {
            return false;
        }
        let found = sampler.hogs(MOST_HOGS).unwrap_or_default();
        // After a suspend there is nothing recent to be compared with.
        let recent = since.is_some_and(|since| since < HOGS_EVERY * 2);
        let memory = machine.memory_total_bytes as f64 * LITTLE_MEMORY / 100.0;
        let takes = |hog: &metrics::Hog| hog.cpu_percent >= LITTLE_CPU || hog.memory_bytes as f64 >= memory;
        self.found = found.into_iter().filter(|hog| recent && takes(hog)).map(told).collect();
        self.looked_at = Some(now);
        true
    }

    fn with(&self, machine: metrics::Machine) -> Machine {
        #[expect(clippy::cast_possible_truncation, reason = "a percentage, for people to look at")]
        let cpu_percent = machine.cpu_percent.map(|percent| ((percent * 10.0).round() / 10.0) as f32);
        Machine {
            cpu_percent,
            cores: machine.cores,
            memory_used_bytes: machine.memory_used_bytes,
            memory_total_bytes: machine.memory_total_bytes,
            hogs: self.found.clone(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a percentage of cores, for people to look at")]
fn told(hog: metrics::Hog) -> Hog {
    Hog {
        pid: hog.pid,
        name: hog.name,
        processes: hog.processes,
        cpu_percent: hog.cpu_percent.round() as f32,
        memory_bytes: hog.memory_bytes,
    }
}

fn apply(trees: &mut Vec<(Key, Tree)>, change: Change) {
    let (Change::Watch(key, _) | Change::Forget(key)) = &change;
    trees.retain(|(known, _)| known != key);
    if let Change::Watch(key, tree) = change {
        trees.push((key, *tree));
    }
}
