//! Measures what the processes cost: a thread that looks once a second while something runs, and sleeps while nothing
//! does.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use forge_api::Time;
use forge_system::metrics::{Sample, Sampler};
use forge_system::tree::Tree;

use crate::core::Key;

/// Between two looks.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// What has just begun is looked at twice in quick succession: whoever started it wants to know what it costs.
const SOON: Duration = Duration::from_millis(100);
const SOON_LOOKS: u32 = 2;

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
    pub samples: Vec<(Key, Sample)>,
}

/// Starts the thread; it ends when the sender is dropped.
pub(crate) fn spawn(report: impl Fn(Measured) + Send + 'static) -> std::io::Result<Sender<Change>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().name("sampling".to_owned()).stack_size(512 * 1024).spawn(move || {
        let mut trees: Vec<(Key, Tree)> = Vec::new();
        let mut sampler = Sampler::new();
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
                }
                Err(RecvTimeoutError::Timeout) => {
                    let time = Time::now();
                    report(Measured { time, samples: sampler.sample(&mut trees) });
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

fn apply(trees: &mut Vec<(Key, Tree)>, change: Change) {
    let (Change::Watch(key, _) | Change::Forget(key)) = &change;
    trees.retain(|(known, _)| known != key);
    if let Change::Watch(key, tree) = change {
        trees.push((key, *tree));
    }
}
