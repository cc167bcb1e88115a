//! `depends_on`: read, and checked against the other processes.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::fields::{self, Fields};
use super::suggest;
use crate::diagnostics::Report;
use crate::model::{Condition, Environment, Place, Process};
use crate::schema::keys;
use crate::tree::{Node, Value};

/// Our conditions, and what docker compose and process-compose call them.
const CONDITIONS: [(&str, Condition); 11] = [
    ("started", Condition::Started),
    ("ready", Condition::Ready),
    ("completed", Condition::Completed),
    ("service_started", Condition::Started),
    ("service_healthy", Condition::Ready),
    ("service_completed_successfully", Condition::Completed),
    ("process_started", Condition::Started),
    ("process_healthy", Condition::Ready),
    ("process_log_ready", Condition::Ready),
    ("process_completed", Condition::Completed),
    ("process_completed_successfully", Condition::Completed),
];

pub(super) fn read(report: &mut Report, fields: &Fields<'_>) -> IndexMap<String, Condition> {
    let Some(node) = fields.get("depends_on") else { return IndexMap::new() };
    match &node.value {
        Value::Map(entries) => entries
            .iter()
            .filter_map(|(name, entry)| Some((name.clone(), dependency(report, name, &entry.value)?)))
            .collect(),
        _ => {
            let names = fields::texts(report, node, "depends_on");
            names.into_iter().map(|(name, _)| (name, Condition::Ready)).collect()
        }
    }
}

fn dependency(report: &mut Report, name: &str, node: &Node) -> Option<Condition> {
    match &node.value {
        Value::Null => Some(Condition::Ready),
        // `postgres: ready` says all there is to say.
        Value::Scalar(_) => condition(report, node),
        Value::Map(_) => {
            let fields = Fields::open(report, node, &keys::DEPENDENCY, "a dependency")?;
            fields.get("condition").map_or(Some(Condition::Ready), |node| condition(report, node))
        }
        _ => {
            fields::bad_type(report, node, &format!("the dependency `{name}`"), "`condition: …`");
            None
        }
    }
}

fn condition(report: &mut Report, node: &Node) -> Option<Condition> {
    let text = fields::text(report, node, "condition")?;
    let found = CONDITIONS.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        report
            .error("bad_condition", node.place, format!("`{text}` is no condition"))
            .help(suggest::did_you_mean(&text, &["started", "ready", "completed"], "conditions"));
    }
    found.map(|(_, condition)| *condition)
}

/// Checks the dependencies of an environment. `declared` holds all its names, also of processes that are wrong.
pub(super) fn check(report: &mut Report, environment: &Environment, declared: &[&str]) {
    for process in &environment.processes {
        of_process(report, environment, process, declared);
    }
    cycles(report, environment);
}

/// Checks the dependencies of one process, which need not be one of the environment's.
pub(super) fn of_process(
    report: &mut Report,
    environment: &Environment,
    process: &Process,
    declared: &[&str],
) {
    for (name, condition) in &process.depends_on {
        let place = if report.is_full() { Place::default() } else { place_of(report, process, name) };
        if *name == process.name {
            report
                .error("dependency_cycle", place, format!("`{name}` depends on itself"))
                .help("remove it from its own `depends_on`");
        } else if let Some(dependency) = environment.process(name) {
            doubtful(report, process, dependency, *condition, place);
        } else if !declared.contains(&name.as_str()) {
            unknown(report, environment, process, name, place, declared);
        }
    }
}

fn unknown(
    report: &mut Report,
    environment: &Environment,
    process: &Process,
    name: &str,
    place: Place,
    declared: &[&str],
) {
    let message =
        format!("`{}` depends on `{name}`, which `{}` does not have", process.name, environment.name);
    if report.is_full() {
        report.error("unknown_dependency", place, message);
        return;
    }
    let others: Vec<&str> = declared.iter().copied().filter(|other| *other != process.name).collect();
    report.error("unknown_dependency", place, message).label("no such process").help(suggest::did_you_mean(
        name,
        &others,
        "other processes",
    ));
}

/// What can be meant, but hardly is.
fn doubtful(
    report: &mut Report,
    process: &Process,
    dependency: &Process,
    condition: Condition,
    place: Place,
) {
    let (name, other) = (&process.name, &dependency.name);
    if dependency.disabled && !process.disabled {
        let own = dependency.places.get("disabled").copied().unwrap_or_default();
        report
            .warning(
                "disabled_dependency",
                place,
                format!("`{other}` is disabled, and starts all the same: `{name}` depends on it"),
            )
            .note(own, "disabled here")
            .help("leave out `disabled`, or the dependency");
    }
    if condition == Condition::Completed && !dependency.one_shot {
        report
            .warning(
                "never_completes",
                place,
                format!("`{name}` waits for `{other}` to end, which is no `one_shot`"),
            )
            .help(format!("add `one_shot: true` to `{other}`, or wait until it is `ready`"));
    }
}

/// Where the name stands in the `depends_on` of a process.
fn place_of(report: &Report, process: &Process, name: &str) -> Place {
    let whole = process.places.get("depends_on").copied().unwrap_or_default();
    report.word_after(whole, name).unwrap_or(whole)
}

/// Reports each circle of dependencies once.
fn cycles(report: &mut Report, environment: &Environment) {
    let mut done: HashMap<&str, bool> = HashMap::new();
    for process in &environment.processes {
        // An explicit stack: as deep as the file has processes.
        let mut path: Vec<(&Process, usize)> = Vec::new();
        if !done.contains_key(process.name.as_str()) {
            done.insert(&process.name, false);
            path.push((process, 0));
        }
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            let Some((name, _)) = at.depends_on.get_index(*next) else {
                done.insert(&at.name, true);
                path.pop();
                continue;
            };
            *next += 1;
            let Some(dependency) = environment.process(name).filter(|other| other.name != at.name) else {
                continue;
            };
            match done.get(dependency.name.as_str()) {
                Some(true) => {}
                Some(false) => report_cycle(report, &path, dependency),
                None => {
                    done.insert(&dependency.name, false);
                    path.push((dependency, 0));
                }
            }
        }
    }
}

fn report_cycle(report: &mut Report, path: &[(&Process, usize)], first: &Process) {
    let from = path.iter().position(|(process, _)| process.name == first.name).unwrap_or_default();
    let circle: Vec<&Process> = path[from..].iter().map(|(process, _)| *process).collect();
    let names: Vec<&str> = circle.iter().chain([&first]).map(|process| process.name.as_str()).collect();
    let steps: Vec<(Place, &str)> = circle
        .iter()
        .zip(circle.iter().skip(1).chain([&first]))
        .map(|(process, next)| (place_of(report, process, &next.name), next.name.as_str()))
        .collect();
    let Some(((place, _), others)) = steps.split_first() else { return };
    let diagnostic = report.error(
        "dependency_cycle",
        *place,
        format!("each of these waits for the next: {}", names.join(" → ")),
    );
    diagnostic.label(format!("`{}` waits for `{}`", names[0], names[1]));
    for ((place, _), pair) in others.iter().zip(names[1..].windows(2)) {
        diagnostic.note(*place, format!("`{}` waits for `{}`", pair[0], pair[1]));
    }
    diagnostic.help("take one of them out of its `depends_on`");
}
