//! One process.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::environments::{EnvScope, Layers, Variables};
use super::fields::{self, Fields};
use super::{depends, env, health, names, patterns, policy, ports, suggest};
use crate::diagnostics::Report;
use crate::model::{Command, Debug, EventLevel, EventRule, Place, Port, Process, Requirement};
use crate::schema::keys;
use crate::tree::{Node, Value};
use crate::url::Url;

/// Checks what can't become a process of its environment, as if it could. `partial`: what it extends is not known.
pub(super) fn alone(report: &mut Report, node: &Rc<Node>, partial: bool) -> Option<Process> {
    let name = node.get("name").and_then(|name| name.text()).unwrap_or("unnamed").to_owned();
    let mut variables = Variables::default();
    variables.env.extend(node.get("env").map(|node| (EnvScope::Process, Rc::clone(node))));
    variables.env_file.extend(node.get("env_file").map(Rc::clone));
    let layers = Layers { name, node: Rc::clone(node), variables, partial };
    process(report, &layers)
}

/// Checks a process. `None` only if it has no command.
pub(super) fn process(report: &mut Report, layers: &Layers) -> Option<Process> {
    let fields = Fields::open(report, &layers.node, &keys::PROCESS, "a process")?;
    let command = command(report, &fields, layers);
    let (env, environment_env, env_places) = env::merged(report, &layers.variables.env);
    let (env_files, file_places) = env::files(report, &layers.variables.env_file);
    let ports = declared_ports(report, &fields);
    let depends_on = depends::read(report, &fields);
    let health_check = fields.get("health_check").and_then(|node| health::health_check(report, node));
    let auto_restart = policy::auto_restart(report, fields.get("auto_restart").map(|node| &**node));
    let shutdown = policy::shutdown(report, fields.get("shutdown").map(|node| &**node));
    let process = Process {
        name: layers.name.clone(),
        command: command.clone().unwrap_or(Command::Exec(Vec::new())),
        cwd: fields.text(report, "cwd").filter(|cwd| !cwd.is_empty()),
        ports,
        env,
        environment_env,
        env_files,
        depends_on,
        health_check,
        auto_restart,
        daemon: fields.boolean(report, "daemon").unwrap_or(false),
        one_shot: fields.boolean(report, "one_shot").unwrap_or(false),
        shutdown,
        tty: fields.boolean(report, "tty").unwrap_or(false),
        watch: watch(report, &fields),
        requires: requires(report, &fields),
        debug: debug(report, &fields),
        metrics: metrics(report, &fields),
        events: events(report, &fields),
        groups: groups(report, &fields),
        disabled: fields.boolean(report, "disabled").unwrap_or(false),
        open: open(report, &fields),
        places: places(&fields, env_places.into_iter().chain(file_places)),
    };
    contradictions(report, &fields, &process);
    command.map(|_| process)
}

fn command(report: &mut Report, fields: &Fields<'_>, layers: &Layers) -> Option<Command> {
    if fields.get("command").is_some() {
        return fields.command(report, "command");
    }
    // A key that is meant as `command` is reported already.
    let mistyped = fields.places().any(|(key, _)| {
        ["image", "cmd", "run"].contains(&key) || suggest::closest(key, &keys::PROCESS) == Some("command")
    });
    if !mistyped && !layers.partial {
        report
            .error("missing_key", fields.place, format!("the process `{}` has no `command`", layers.name))
            .help("add `command: …`");
    }
    None
}

fn declared_ports(report: &mut Report, fields: &Fields<'_>) -> Vec<Port> {
    if let (Some(first), Some(second)) = (fields.key_place("port"), fields.key_place("ports")) {
        report
            .error("conflicting_keys", second, "`port` and `ports` are two names of one key")
            .label("the second")
            .note(first, "the first")
            .help("put all of them into `ports`; the first is the one that `PORT` gets");
    }
    let mut read: Vec<(Port, Place)> = Vec::new();
    for (key, node) in ["port", "ports"].into_iter().filter_map(|key| Some((key, fields.get(key)?))) {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if items.is_empty() {
            report
                .error("no_port", node.place, format!("`{key}` lists no port"))
                .help(format!("name one, as in `{key}: 3000`, or leave the key out"));
        }
        let ports = items.iter().filter_map(|item| Some((fields::port(report, item, key)?, item.place)));
        read.extend(ports);
    }
    ports::twice(report, read.iter().filter_map(|(port, place)| Some((port.number()?, *place))));
    read.into_iter().map(|(port, _)| port).collect()
}

fn watch(report: &mut Report, fields: &Fields<'_>) -> Vec<String> {
    let patterns = fields.texts(report, "watch");
    patterns
        .into_iter()
        .filter(|(pattern, place)| patterns::glob(report, pattern, *place))
        .map(|(pattern, _)| pattern)
        .collect()
}

fn requires(report: &mut Report, fields: &Fields<'_>) -> Vec<Requirement> {
    let texts = fields.texts(report, "requires");
    texts.into_iter().filter_map(|(text, place)| requirement(report, &text, place)).collect()
}

fn requirement(report: &mut Report, text: &str, place: Place) -> Option<Requirement> {
    let (binary, version) = match text.split_once(">=") {
        Some((binary, version)) => (binary.trim(), Some(version.trim())),
        None => (text.trim(), None),
    };
    let version_valid = version.is_none_or(|version| {
        let digits = version.trim_start_matches('v');
        digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_'))
    });
    let binary_valid = !binary.is_empty()
        && (binary.contains("${") || !binary.contains(|c: char| c.is_whitespace() || "<>=~^@".contains(c)));
    if !version_valid || !binary_valid {
        report
            .error("bad_requirement", place, format!("`{text}` does not say what is required"))
            .help("a program, or a program and its least version: `node`, `node>=20.1`");
        return None;
    }
    Some(Requirement {
        binary: binary.to_owned(),
        version: version.map(|version| version.trim_start_matches('v').to_owned()),
    })
}

fn debug(report: &mut Report, fields: &Fields<'_>) -> Option<Debug> {
    let node = fields.get("debug")?;
    let fields = Fields::open(report, node, &keys::DEBUG, "`debug`")?;
    Some(Debug {
        command: fields.command(report, "command"),
        env: fields.get("env").map(|node| env::variables(report, node)).unwrap_or_default(),
    })
}

fn metrics(report: &mut Report, fields: &Fields<'_>) -> BTreeMap<String, serde_json::Value> {
    let mut metrics = BTreeMap::new();
    let Some(node) = fields.get("metrics") else { return metrics };
    for (name, entry) in fields::mapping(report, node, "`metrics`").into_iter().flatten() {
        let Some(metric) = Fields::open(report, &entry.value, &keys::METRIC, "a metric") else { continue };
        let exec = metric.command(report, "exec").is_some();
        let prometheus = metric.text(report, "prometheus").is_some();
        let series = metric.text(report, "series").is_some();
        let _ = metric.duration(report, "interval");
        let (code, wrong) = match (exec, prometheus, series) {
            (true, false, false) | (false, true, true) => {
                metrics.insert(name.clone(), entry.value.json());
                continue;
            }
            (true, _, _) => ("conflicting_keys", "two sources"),
            (false, true, false) => ("missing_key", "no `series`"),
            (false, false, true) => ("missing_key", "no `prometheus`"),
            (false, false, false) => ("missing_key", "no source"),
        };
        report
            .error(code, entry.place, format!("the metric `{name}` has {wrong}"))
            .help("either `exec: COMMAND`, or `prometheus: URL` and `series: NAME`");
    }
    metrics
}

fn events(report: &mut Report, fields: &Fields<'_>) -> Vec<EventRule> {
    let Some(node) = fields.get("events") else { return Vec::new() };
    let Value::List(items) = &node.value else {
        fields::bad_type(report, node, "`events`", "a list of mappings with `match` and `title`");
        return Vec::new();
    };
    items.iter().filter_map(|item| event(report, item)).collect()
}

fn event(report: &mut Report, node: &Node) -> Option<EventRule> {
    let fields = Fields::open(report, node, &keys::EVENT, "an event")?;
    let level = match fields.text(report, "level").as_deref() {
        None | Some("info") => EventLevel::Info,
        Some("warn" | "warning") => EventLevel::Warn,
        Some("error") => EventLevel::Error,
        Some(other) => {
            let place = fields.get("level").map_or(fields.place, |node| node.place);
            report
                .error("bad_type", place, format!("`{other}` is no level of an event"))
                .help("one of `info`, `warn` and `error`");
            EventLevel::Info
        }
    };
    let title = fields.text(report, "title").unwrap_or_default();
    let Some(node) = fields.get("match") else {
        report
            .error("missing_key", fields.place, "an event without `match`")
            .help("add `match: …`, a regular expression for lines of the log");
        return None;
    };
    let pattern = fields.text(report, "match")?;
    patterns::regex(report, &pattern, node.place).then_some(EventRule { pattern, title, level })
}

fn groups(report: &mut Report, fields: &Fields<'_>) -> Vec<String> {
    let groups = fields.texts(report, "group");
    groups
        .into_iter()
        .filter(|(name, place)| names::valid(report, name, *place, "group"))
        .map(|(name, _)| name)
        .collect()
}

fn open(report: &mut Report, fields: &Fields<'_>) -> Option<String> {
    let text = fields.text(report, "open")?;
    match Url::parse(&text) {
        Err(reason) if !text.contains("${") => {
            let place = fields.get("open").map_or(fields.place, |node| node.place);
            report
                .error("bad_url", place, format!("`{text}` is nothing to open: {reason}"))
                .help("a URL, for example `http://localhost:3000/admin`");
            None
        }
        _ => Some(text),
    }
}

fn places(fields: &Fields<'_>, env: impl Iterator<Item = (String, Place)>) -> BTreeMap<String, Place> {
    let mut places: BTreeMap<String, Place> =
        fields.places().map(|(key, place)| (key.to_owned(), place)).collect();
    let deep = ["port", "ports", "health_check", "shutdown", "debug", "watch"];
    for (key, inner) in deep.iter().filter_map(|key| Some((*key, fields.get(key)?))) {
        collect(&mut places, key, inner);
    }
    places.extend(env);
    places.insert(String::new(), fields.place);
    places
}

/// Notes the places below a key: `health_check.http`, `debug.env.KEY`, `watch.0`.
fn collect(places: &mut BTreeMap<String, Place>, path: &str, node: &Node) {
    places.insert(path.to_owned(), node.place);
    match &node.value {
        Value::Map(entries) => {
            for (key, entry) in entries {
                collect(places, &format!("{path}.{key}"), &entry.value);
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(places, &format!("{path}.{index}"), item);
            }
        }
        _ => {}
    }
}

/// Keys that are right alone and make no sense together.
fn contradictions(report: &mut Report, fields: &Fields<'_>, process: &Process) {
    let place = |key: &str| fields.key_place(key).unwrap_or(fields.place);
    if process.daemon && process.one_shot {
        report
            .error("conflicting_keys", place("one_shot"), "a process is either `one_shot` or a `daemon`")
            .note(place("daemon"), "its command leaves a service running");
    }
    if process.daemon && process.tty {
        report
            .error(
                "conflicting_keys",
                place("tty"),
                "a `daemon` leaves the terminal that `tty` would give it",
            )
            .note(place("daemon"), "its command leaves a service running");
    }
    if !process.daemon
        && crate::container::container(&process.command).is_some_and(|client| client.detached())
    {
        report
            .warning("detached_container", place("command"), "`-d` leaves the container and ends the command")
            .help("leave out `-d`, so that its output and its end are seen; or add `daemon: true`");
    }
    if process.one_shot && process.health_check.is_some() {
        report
            .warning("unused_key", place("health_check"), "a `one_shot` process is ready when it exits 0")
            .label("never asked");
    }
    if process.one_shot && process.auto_restart.on == crate::model::RestartOn::Always {
        report
            .error(
                "conflicting_keys",
                place("auto_restart"),
                "a `one_shot` process that restarts `always` never ends",
            )
            .help("leave out `one_shot`, or restart it `on: crash`");
    }
}
