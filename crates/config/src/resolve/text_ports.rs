//! Ports written as texts: the number that each becomes.

use crate::check::{ports, strings};
use crate::diagnostics::Report;
use crate::interpolate::{Mode, Source, handed_on, interpolate, variables};
use crate::model::{Place, Port, Process};
use crate::tree::quoted;

use super::{masked, secret};

/// Makes numbers of a process's ports. Those that become none are reported, and stay texts.
pub(super) fn fill(process: &mut Process, source: &dyn Source, report: &mut Report) {
    if process.ports.iter().all(|port| port.number().is_some()) {
        return;
    }
    let mut filled = std::mem::take(&mut process.ports);
    for (index, port) in filled.iter_mut().enumerate() {
        if let Port::Text(text) = port
            && let Some(number) = number(text, ports::place(process, index), process, source, report)
        {
            *port = Port::Number(number);
        }
    }
    let numbers = filled.iter().enumerate();
    let numbers = numbers.filter_map(|(index, port)| Some((port.number()?, ports::place(process, index))));
    ports::twice(report, numbers);
    process.ports = filled;
}

fn number(
    text: &str,
    place: Place,
    process: &Process,
    source: &dyn Source,
    report: &mut Report,
) -> Option<u16> {
    let mut problems = Vec::new();
    let value = interpolate(text, Mode::Text, source, &mut problems);
    let failed = problems.iter().any(|problem| !problem.warning);
    let number = Port::parse(&value).filter(|_| !failed);
    if failed || number.is_some() {
        for problem in &problems {
            strings::report(report, problem, place);
        }
        return number;
    }
    // Only what is unset can be left among the problems, and that is the reason.
    let unset = problems.first();
    let message = match unset {
        Some(unset) if value.is_empty() => format!("{} is no port: {}", quoted(text), unset.message),
        _ => format!("{} became {}, which is no port", quoted(text), shown(text, &value)),
    };
    let diagnostic = report.error("bad_port", place, message);
    diagnostic.label("expected a number from 1 to 65535");
    if let Some(name) = set_too_late(text, process) {
        diagnostic.help(format!(
            "`env` is filled in after ports: set `{name}` in an `env_file`, or write the number here"
        ));
    } else if let Some(help) = unset.and_then(|unset| unset.help.as_ref()) {
        diagnostic.help(help.as_str());
    }
    None
}

/// What a text became, as far as a face may show it.
fn shown(text: &str, value: &str) -> String {
    if value.is_empty() {
        return "empty".to_owned();
    }
    let name = variables(text).find(|name| secret(name)).unwrap_or_default();
    quoted(&masked(name, value))
}

/// A variable of a port's text that the process's own `env` sets, which may itself ask for ports.
fn set_too_late<'t>(text: &'t str, process: &Process) -> Option<&'t str> {
    variables(text).find(|name| {
        let value = process.env.get(*name).and_then(Option::as_ref);
        value.is_some_and(|value| *value != handed_on(name))
    })
}
