//! The names before lines of logs: a column that only grows, and a colour for each process.

use crate::view::style::{Ink, columns};

/// Longer names stick out rather than push everybody's text away.
const WIDEST: usize = 40;

/// The processes that were met so far.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Few, so that looking through them beats hashing.
    known: Vec<Name>,
    taken: [bool; Ink::PROCESSES],
    several: bool,
    widest: usize,
}

#[derive(Debug)]
struct Name {
    environment: String,
    process: String,
    ink: Ink,
}

impl Names {
    /// The process's colour; a new process takes one.
    pub(crate) fn meet(&mut self, environment: &str, process: &str) -> Ink {
        if let Some(ink) = self.ink(environment, process) {
            return ink;
        }
        self.several |= self.known.first().is_some_and(|first| first.environment != environment);
        let ink = self.pick(environment, process);
        self.known.push(Name { environment: environment.to_owned(), process: process.to_owned(), ink });
        let several = self.several;
        let width =
            |name: &Name| columns(&name.process) + if several { columns(&name.environment) + 1 } else { 0 };
        self.widest = self.known.iter().map(width).max().unwrap_or(0).min(WIDEST);
        ink
    }

    /// The colour of a process that was met.
    pub(crate) fn ink(&self, environment: &str, process: &str) -> Option<Ink> {
        let known = |name: &&Name| name.process == process && name.environment == environment;
        self.known.iter().find(known).map(|name| name.ink)
    }

    /// `api`, or `dev/api` once there are several environments.
    pub(crate) fn label(&self, environment: &str, process: &str) -> String {
        if self.several { format!("{environment}/{process}") } else { process.to_owned() }
    }

    /// Columns of the widest label.
    pub(crate) fn widest(&self) -> usize {
        self.widest
    }

    /// By a hash of the name, so that a process has the same colour tomorrow; the next free one if that is taken.
    fn pick(&mut self, environment: &str, process: &str) -> Ink {
        let hash = environment
            .bytes()
            .chain([b'/'])
            .chain(process.bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            });
        let first = usize::try_from(hash % Ink::PROCESSES as u64).unwrap_or(0);
        let free =
            (0..Ink::PROCESSES).map(|step| (first + step) % Ink::PROCESSES).find(|index| !self.taken[*index]);
        let index = free.unwrap_or(first);
        self.taken[index] = true;
        Ink::Process(index)
    }
}
