//! `${…}` in the strings of an environment: its syntax, and the processes that it names.

use crate::diagnostics::Report;
use crate::interpolate::{Found, Part, Problem, Source, interpolate};
use crate::model::{Command, Environment, Place, Port, Process};
use crate::texts;

use super::suggest;

/// Why a port that is itself filled in can't be asked for.
pub(crate) const EARLY: &str =
    "env files and ports are filled in first: there, only a port that is written as a number is known";

/// Takes every variable for set; which are is known only when the process starts.
struct Names<'e> {
    environment: &'e Environment,
    declared: &'e [&'e str],
    /// For env files and ports, which are filled in before anything else.
    early: bool,
}

impl Source for Names<'_> {
    fn variable(&self, _: &str) -> Option<String> {
        Some("set".to_owned())
    }

    fn inherited(&self, _: &str) -> bool {
        true
    }

    fn process(&self, name: &str, part: Part) -> Found {
        match self.environment.process(name) {
            Some(process) if part != Part::Host => match process.ports.first() {
                None => Found::NoPort,
                Some(Port::Text(_)) if self.early => Found::Undecided(EARLY),
                Some(_) => Found::Value(String::new()),
            },
            None if !self.declared.contains(&name) => Found::NoProcess,
            _ => Found::Value(String::new()),
        }
    }

    fn unknown_process(&self, name: &str) -> String {
        suggest::did_you_mean(name, self.declared, "processes")
    }
}

/// Reports what is wrong in the strings of all processes.
pub(super) fn check(report: &mut Report, environment: &Environment, declared: &[&str]) {
    for process in &environment.processes {
        of_process(report, environment, process, declared);
    }
}

/// Reports what is wrong in the strings of one process, which need not be one of the environment's.
pub(super) fn of_process(
    report: &mut Report,
    environment: &Environment,
    process: &Process,
    declared: &[&str],
) {
    let early = Names { environment, declared, early: true };
    let names = Names { environment, declared, early: false };
    let mut look = |names: &Names<'_>, path: &str, text: &str, mode| {
        let mut problems = Vec::new();
        interpolate(text, mode, names, &mut problems);
        for problem in problems {
            self::report(report, &problem, place(process, path));
        }
    };
    let mut copy = process.clone();
    texts::walk_early(&mut copy, &mut |path, text, mode| look(&early, path, text, mode));
    texts::walk_variables(&mut copy, &mut |path, text, mode| look(&names, path, text, mode));
    texts::walk(&mut copy, &mut |path, text, mode| look(&names, path, text, mode));
    if let Command::Shell(command) = &process.command {
        unfinished(report, command, process);
    }
}

/// Warns of quotes that the shell will miss.
fn unfinished(report: &mut Report, command: &str, process: &Process) {
    if let Some(reason) = crate::shell::unfinished(command) {
        let place = place(process, "command");
        report.warning("bad_command", place, format!("the shell will not understand this: {reason}"));
    }
}

/// The place of a value, or of the nearest thing around it that has one.
pub(crate) fn place(process: &Process, path: &str) -> Place {
    let mut path = path;
    loop {
        if let Some(place) = process.places.get(path) {
            return *place;
        }
        match path.rsplit_once('.') {
            Some((outer, _)) => path = outer,
            None => return process.places.get("").copied().unwrap_or_default(),
        }
    }
}

/// Reports a problem at its expression, inside the value at `place`.
pub(crate) fn report(report: &mut Report, problem: &Problem, place: Place) {
    let place = report.inside(place, &problem.expression).unwrap_or(place);
    let diagnostic = if problem.warning {
        report.warning(problem.code, place, problem.message.as_str())
    } else {
        report.error(problem.code, place, problem.message.as_str())
    };
    if let Some(help) = &problem.help {
        diagnostic.help(help.as_str());
    }
}
