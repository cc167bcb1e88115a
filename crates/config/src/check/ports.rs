//! Ports that are wanted twice: by one process, or by two that start together.

use std::collections::HashMap;

use super::strings;
use crate::diagnostics::Report;
use crate::model::{Environment, Place, Process};

/// A port that a process wants.
pub(crate) struct Wanted<'p> {
    pub(crate) process: &'p Process,
    /// Its place in [`Process::ports`].
    pub(crate) index: usize,
    pub(crate) port: u16,
}

impl Wanted<'_> {
    /// Whether the file itself has the number.
    pub(crate) fn written(&self) -> bool {
        self.process.ports.get(self.index).is_some_and(|port| port.number().is_some())
    }

    pub(crate) fn place(&self) -> Place {
        place(self.process, self.index)
    }
}

/// Reports the ports that stand more than once in the list of one process.
pub(crate) fn twice(report: &mut Report, ports: impl Iterator<Item = (u16, Place)>) {
    let mut seen: HashMap<u16, Place> = HashMap::new();
    for (port, place) in ports {
        if let Some(first) = seen.get(&port) {
            report
                .error("port_twice", place, format!("port {port} stands here a second time"))
                .label("again")
                .note(*first, "first here");
        } else {
            seen.insert(port, place);
        }
    }
}

/// Warns of ports that the file gives to two processes of what starts together.
pub(super) fn check(report: &mut Report, environment: &Environment) {
    let starting = environment.starting();
    let processes = environment.processes.iter().filter(|process| starting.contains(process.name.as_str()));
    let wanted = processes.flat_map(|process| {
        let numbers = process.ports.iter().enumerate();
        numbers.filter_map(move |(index, port)| Some(Wanted { process, index, port: port.number()? }))
    });
    shared(report, wanted, |_, _| true);
}

/// Warns of two processes that want the same port, if the pair is `news`.
pub(crate) fn shared<'p>(
    report: &mut Report,
    wanted: impl Iterator<Item = Wanted<'p>>,
    news: impl Fn(&Wanted<'_>, &Wanted<'_>) -> bool,
) {
    let mut owners: HashMap<u16, Wanted<'p>> = HashMap::new();
    for second in wanted {
        let Some(first) = owners.get(&second.port) else {
            owners.insert(second.port, second);
            continue;
        };
        if first.process.name == second.process.name || !news(first, &second) {
            continue;
        }
        let (one, other, port) = (&first.process.name, &second.process.name, second.port);
        report
            .warning("shared_port", second.place(), format!("`{one}` and `{other}` both want port {port}"))
            .label(format!("`{other}`"))
            .note(first.place(), format!("`{one}`"))
            .help("whichever starts first will have it");
    }
}

/// Where the port at `index` of [`Process::ports`] stands.
pub(crate) fn place(process: &Process, index: usize) -> Place {
    strings::place(process, &path(process, index))
}

/// The path of the port at `index` of [`Process::ports`], as in [`Process::places`].
pub(crate) fn path(process: &Process, index: usize) -> String {
    let key = if process.places.contains_key("port") { "port" } else { "ports" };
    format!("{key}.{index}")
}
