//! Typed reading of nodes: what does not fit is reported where it stands, and reading goes on.

use std::rc::Rc;
use std::time::Duration;

use indexmap::IndexMap;

use super::suggest;
use crate::diagnostics::Report;
use crate::duration::parse_duration;
use crate::interpolate::bare_variables;
use crate::model::{Command, Place, Port};
use crate::tree::{Entry, Node, Value};

/// The keys of one mapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'n> {
    entries: &'n IndexMap<String, Entry>,
    pub(super) place: Place,
}

impl<'n> Fields<'n> {
    /// Opens a mapping that has the keys `known`; reports the others. `what` is its name in messages.
    pub(super) fn open(report: &mut Report, node: &'n Node, known: &[String], what: &str) -> Option<Self> {
        let entries = mapping(report, node, what)?;
        for (key, entry) in entries {
            if !known.contains(key) && !key.starts_with("x-") {
                suggest::unknown_key(report, entry.place, key, known, what);
            }
        }
        Some(Self { entries, place: node.place })
    }

    /// The value of a key; `None` also for `null`, which means "as if the key were not there".
    pub(super) fn get(&self, key: &str) -> Option<&'n Rc<Node>> {
        let value = &self.entries.get(key)?.value;
        (!matches!(value.value, Value::Null)).then_some(value)
    }

    /// Where the key itself stands.
    pub(super) fn key_place(&self, key: &str) -> Option<Place> {
        self.entries.get(key).map(|entry| entry.place)
    }

    /// The places of all its values, by key.
    pub(super) fn places(&self) -> impl Iterator<Item = (&'n str, Place)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), entry.value.place))
    }

    pub(super) fn text(&self, report: &mut Report, key: &str) -> Option<String> {
        text(report, self.get(key)?, key)
    }

    pub(super) fn boolean(&self, report: &mut Report, key: &str) -> Option<bool> {
        boolean(report, self.get(key)?, key)
    }

    pub(super) fn texts(&self, report: &mut Report, key: &str) -> Vec<(String, Place)> {
        self.get(key).map(|node| texts(report, node, key)).unwrap_or_default()
    }

    pub(super) fn duration(&self, report: &mut Report, key: &str) -> Option<Duration> {
        duration(report, self.get(key)?, key)
    }

    pub(super) fn count(&self, report: &mut Report, key: &str) -> Option<u32> {
        count(report, self.get(key)?, key)
    }

    pub(super) fn command(&self, report: &mut Report, key: &str) -> Option<Command> {
        command(report, self.get(key)?, key)
    }
}

/// Reports that `node` is not what is wanted there.
pub(super) fn bad_type(report: &mut Report, node: &Node, what: &str, wanted: &str) {
    if !matches!(node.value, Value::Broken) {
        report
            .error("bad_type", node.place, format!("{what} is {wanted}, not {}", node.kind()))
            .label(format!("expected {wanted}"));
    }
}

pub(super) fn mapping<'n>(
    report: &mut Report,
    node: &'n Node,
    what: &str,
) -> Option<&'n IndexMap<String, Entry>> {
    match &node.value {
        Value::Map(entries) => Some(entries),
        _ => {
            bad_type(report, node, what, "a mapping");
            None
        }
    }
}

/// A text, which may also look like a number or a boolean: `command: true` is a program.
pub(super) fn text(report: &mut Report, node: &Node, key: &str) -> Option<String> {
    match node.text() {
        Some(text) if text.contains('\0') => {
            report.error("bad_type", node.place, format!("`{key}` holds a NUL character")).help("remove it");
            None
        }
        Some(text) => Some(text.to_owned()),
        None => {
            bad_type(report, node, &format!("`{key}`"), "a text");
            None
        }
    }
}

/// One text, or a list of them.
pub(super) fn texts(report: &mut Report, node: &Node, key: &str) -> Vec<(String, Place)> {
    match &node.value {
        Value::List(items) => {
            items.iter().filter_map(|item| Some((text(report, item, key)?, item.place))).collect()
        }
        Value::Scalar(_) => text(report, node, key).map(|text| (text, node.place)).into_iter().collect(),
        _ => {
            bad_type(report, node, &format!("`{key}`"), "a text or a list of texts");
            Vec::new()
        }
    }
}

pub(super) fn boolean(report: &mut Report, node: &Node, key: &str) -> Option<bool> {
    let Value::Scalar(scalar) = &node.value else {
        bad_type(report, node, &format!("`{key}`"), "`true` or `false`");
        return None;
    };
    if let Some(value) = scalar.boolean() {
        return Some(value);
    }
    let meant = match scalar.text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "true" | "1" => Some("true"),
        "no" | "off" | "n" | "false" | "0" => Some("false"),
        _ => None,
    };
    let diagnostic = report
        .error("bad_type", node.place, format!("`{key}` is `true` or `false`, not {}", node.kind()))
        .label("expected `true` or `false`");
    if let Some(meant) = meant {
        diagnostic.help(format!("write `{key}: {meant}`"));
    }
    None
}

pub(super) fn duration(report: &mut Report, node: &Node, key: &str) -> Option<Duration> {
    let Some(text) = node.text() else {
        bad_type(report, node, &format!("`{key}`"), "a duration");
        return None;
    };
    match parse_duration(text) {
        Ok(duration) => Some(duration),
        Err(help) => {
            report
                .error("bad_duration", node.place, format!("`{key}`: {} is no duration", node.kind()))
                .help(help);
            None
        }
    }
}

/// A number from 1.
pub(super) fn count(report: &mut Report, node: &Node, key: &str) -> Option<u32> {
    match node.text().and_then(|text| text.parse::<u32>().ok()) {
        Some(count) if count > 0 => Some(count),
        _ => {
            bad_type(report, node, &format!("`{key}`"), "a whole number from 1");
            None
        }
    }
}

/// A text for the shell, or a list of program and arguments.
pub(super) fn command(report: &mut Report, node: &Node, key: &str) -> Option<Command> {
    let command = match &node.value {
        Value::List(items) => {
            let argv: Vec<String> = items.iter().filter_map(|item| text(report, item, key)).collect();
            if argv.len() < items.len() {
                return None;
            }
            Command::Exec(argv)
        }
        Value::Scalar(_) => Command::Shell(text(report, node, key)?),
        _ => {
            bad_type(report, node, &format!("`{key}`"), "a text or a list of texts");
            return None;
        }
    };
    let empty = match &command {
        Command::Shell(text) => text.trim().is_empty(),
        Command::Exec(argv) => argv.first().is_none_or(|program| program.trim().is_empty()),
    };
    if empty {
        report.error("bad_command", node.place, format!("`{key}` is empty")).help("say what to run");
        return None;
    }
    Some(command)
}

/// A number, or a text that will be one.
pub(super) fn port(report: &mut Report, node: &Node, key: &str) -> Option<Port> {
    let Some(text) = node.text() else {
        bad_type(report, node, &format!("`{key}`"), "a number from 1 to 65535");
        return None;
    };
    if text.contains("${") {
        return self::text(report, node, key).map(Port::Text);
    }
    if let Some(number) = Port::parse(text) {
        return Some(Port::Number(number));
    }
    let diagnostic = report
        .error("bad_port", node.place, format!("{} is no port", node.kind()))
        .label("expected a number from 1 to 65535");
    if let Some(name) = bare_variables(text).first() {
        diagnostic.help(format!("a variable is written `${{{name}}}`"));
    } else if let Some((host, _)) = text.split_once(':') {
        diagnostic.help(format!("only the port of this machine: `{key}: {host}`"));
    } else if key == "port" && text.contains(',') {
        diagnostic.help("several ports are a list: `ports: [3000, 9229]`");
    }
    None
}
