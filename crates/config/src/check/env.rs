//! `env` and `env_file`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use indexmap::IndexMap;

use super::environments::EnvScope;
use super::fields;
use crate::diagnostics::Report;
use crate::model::Place;
use crate::tree::{Entry, Node, Value};

/// Variables as one `env` has them: `None` takes one away.
type Variables = IndexMap<String, Option<String>>;

/// All that was said about the variables of a process, in one: a later word replaces an earlier one. Besides, which
/// of them the environment said, and where each stands (`env.KEY`).
pub(super) fn merged(
    report: &mut Report,
    layers: &[(EnvScope, Rc<Node>)],
) -> (Variables, BTreeSet<String>, BTreeMap<String, Place>) {
    let mut merged = Variables::new();
    let mut of_environment = BTreeSet::new();
    let mut places = BTreeMap::new();
    for (scope, node) in layers {
        for (name, value, place) in read(report, node) {
            match scope {
                EnvScope::Environment => of_environment.insert(name.clone()),
                EnvScope::Process => of_environment.remove(&name),
            };
            places.insert(format!("env.{name}"), place);
            merged.insert(name, value);
        }
    }
    (merged, of_environment, places)
}

/// The variables of one `env`.
pub(super) fn variables(report: &mut Report, node: &Node) -> Variables {
    read(report, node).into_iter().map(|(name, value, _)| (name, value)).collect()
}

fn read(report: &mut Report, node: &Node) -> Vec<(String, Option<String>, Place)> {
    match &node.value {
        Value::Map(entries) => {
            entries.iter().filter_map(|(name, entry)| variable(report, name, entry)).collect()
        }
        Value::List(items) => items.iter().filter_map(|item| assignment(report, item)).collect(),
        Value::Null => Vec::new(),
        _ => {
            fields::bad_type(report, node, "`env`", "a mapping, or a list of `KEY=value`");
            Vec::new()
        }
    }
}

fn variable(report: &mut Report, name: &str, entry: &Entry) -> Option<(String, Option<String>, Place)> {
    if !valid(report, name, entry.place) {
        return None;
    }
    let value = match entry.value.value {
        Value::Null => None,
        _ => Some(fields::text(report, &entry.value, name)?),
    };
    Some((name.to_owned(), value, entry.value.place))
}

fn assignment(report: &mut Report, node: &Node) -> Option<(String, Option<String>, Place)> {
    let Some(text) = node.text() else {
        fields::bad_type(report, node, "an entry of an `env` list", "`KEY=value`");
        return None;
    };
    let text = fields::text(report, node, text)?;
    // A bare `KEY` hands on what the name has outside, as docker compose does.
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, value.to_owned()),
        None => (text.as_str(), crate::interpolate::handed_on(&text)),
    };
    valid(report, name, node.place).then(|| (name.to_owned(), Some(value), node.place))
}

fn valid(report: &mut Report, name: &str, place: Place) -> bool {
    let valid = !name.is_empty() && !name.contains(|c: char| c == '=' || c.is_whitespace() || c.is_control());
    if !valid {
        let message = match name {
            "" => "a variable without a name".to_owned(),
            name => format!("`{name}` can't be the name of a variable"),
        };
        report
            .error("bad_name", place, message)
            .help("in a list, an entry is `KEY=value`, without spaces around the `=`");
    }
    valid
}

/// The paths of all `env_file`s, the one that wins last, and where each stands (`env_file.PATH`).
pub(super) fn files(report: &mut Report, layers: &[Rc<Node>]) -> (Vec<String>, Vec<(String, Place)>) {
    let mut files: Vec<String> = Vec::new();
    let mut places = Vec::new();
    for node in layers.iter().filter(|node| !matches!(node.value, Value::Null)) {
        for (file, place) in fields::texts(report, node, "env_file") {
            if file.trim().is_empty() {
                report
                    .error("bad_type", place, "`env_file` names no file")
                    .help("give a path against the workspace");
                continue;
            }
            // Named again, it wins again.
            files.retain(|other| *other != file);
            places.push((format!("env_file.{file}"), place));
            files.push(file);
        }
    }
    (files, places)
}
