//! Notices when the tree of a process begins to listen.
//!
//! No system tells of that as an event, so a thread looks at the table of listeners, often while something has just
//! been started, seldom later, and not at all while nobody waits. A table that is the same as before is seldom looked
//! into.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use forge_system::ports::{Listener, Listening, Protocol};
use forge_system::tree::Tree;

/// A table that stays the same is looked into again after this long: a process may have joined a tree since.
const ANEW: Duration = Duration::from_millis(250);

/// A run whose ports somebody waits for.
#[derive(Debug)]
pub(crate) struct Interest {
    /// The run's UUID.
    pub run: String,
    pub tree: Tree,
    /// What it is to listen on; empty: anything.
    pub ports: Vec<u16>,
    /// Whoever listens there will do: the port is a container's.
    pub anyone: bool,
}

#[derive(Debug)]
pub(crate) enum Change {
    Watch(Interest),
    Forget(String),
}

/// What a run listens on, told whenever that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub run: String,
    pub ports: Vec<u16>,
    /// All of its ports are held.
    pub complete: bool,
    /// One of them is held by somebody else.
    pub taken: bool,
}

/// Starts the thread; it ends when the sender is dropped.
pub(crate) fn spawn(report: impl Fn(Heard) + Send + 'static) -> std::io::Result<Sender<Change>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new().name("listening".to_owned()).stack_size(256 * 1024).spawn(move || {
        let mut watch = Watch { interests: Vec::new(), last: None, report };
        loop {
            let received = match watch.pause() {
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(pause) => receiver.recv_timeout(pause),
            };
            match received {
                Ok(change) => watch.change(change),
                Err(RecvTimeoutError::Timeout) => watch.look(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    })?;
    Ok(sender)
}

struct Watch<F> {
    /// With what was told last.
    interests: Vec<(Interest, Instant, Option<Heard>)>,
    /// The table that was looked into last, and when.
    last: Option<(Vec<Listener>, Instant)>,
    report: F,
}

impl<F: Fn(Heard)> Watch<F> {
    fn pause(&self) -> Option<Duration> {
        let youngest = self.interests.iter().map(|(_, since, _)| since.elapsed()).min()?;
        Some(match youngest.as_secs() {
            0..=2 => Duration::from_millis(5),
            3..=30 => Duration::from_millis(20),
            _ => Duration::from_millis(100),
        })
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Watch(interest) => {
                self.interests.retain(|(known, ..)| known.run != interest.run);
                self.interests.push((interest, Instant::now(), None));
                // It may listen already.
                self.last = None;
            }
            Change::Forget(run) => self.interests.retain(|(interest, ..)| interest.run != run),
        }
    }

    fn look(&mut self) {
        let listening = match Listening::read() {
            Ok(listening) => listening,
            Err(error) => {
                tracing::warn!("the table of listeners: {error}");
                return;
            }
        };
        let same = |(table, at): &(Vec<Listener>, Instant)| table == listening.all() && at.elapsed() < ANEW;
        if self.last.as_ref().is_some_and(same) {
            return;
        }
        self.last = Some((listening.all().to_vec(), Instant::now()));
        for (interest, _, told) in &mut self.interests {
            let ports = ports_of(&listening, &mut interest.tree);
            let held = |port: &u16| ports.contains(port) || (interest.anyone && is_held(&listening, *port));
            let complete = !interest.ports.is_empty() && interest.ports.iter().all(held);
            let taken = |port: &u16| !held(port) && is_held(&listening, *port);
            let taken = interest.ports.iter().any(taken);
            let heard = Heard { run: interest.run.clone(), ports, complete, taken };
            if told.as_ref() != Some(&heard) {
                *told = Some(heard.clone());
                (self.report)(heard);
            }
        }
    }
}

/// Somebody listens on this TCP port.
pub(crate) fn is_held(listening: &Listening, port: u16) -> bool {
    listening.on(port).any(|listener| listener.protocol == Protocol::Tcp)
}

/// The ports that a tree listens on, sorted.
pub(crate) fn ports_of(listening: &Listening, tree: &mut Tree) -> Vec<u16> {
    let members = tree.members().unwrap_or_default();
    let pids: Vec<u32> =
        members.iter().filter(|member| !member.is_zombie()).map(|member| member.id.pid).collect();
    let listeners = listening.of(&pids).unwrap_or_default();
    let tcp = listeners.iter().filter(|listener| listener.protocol == Protocol::Tcp);
    let mut ports: Vec<u16> = tcp.map(|listener| listener.port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}
