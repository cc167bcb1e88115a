//! The top of the file: environments, and how one extends another.

use std::rc::Rc;

use indexmap::IndexMap;

use super::fields::{self, Fields};
use super::{depends, names, ports, process, strings, suggest};
use crate::diagnostics::Report;
use crate::model::{Environment, Place};
use crate::schema::keys;
use crate::tree::{Entry, Node, Value};

/// An environment as its own text has it, before `extends`.
struct Written<'n> {
    description: Option<String>,
    extends: Option<(String, Place)>,
    processes: Vec<Layer<'n>>,
    /// What can't become processes: without a name, with an impossible one, or with that of another.
    odd: Vec<&'n Rc<Node>>,
    /// The environment's own `env` and `env_file`.
    env: Option<&'n Rc<Node>>,
    env_file: Option<&'n Rc<Node>>,
}

/// What one environment says about one process.
struct Layer<'n> {
    name: String,
    node: &'n Rc<Node>,
}

/// A process with everything that was said about it.
pub(super) struct Layers {
    pub(super) name: String,
    /// The mapping, `extends` merged in; what it says of variables is below.
    pub(super) node: Rc<Node>,
    pub(super) variables: Variables,
    /// What it extends is not known: what it lacks may stand there.
    pub(super) partial: bool,
}

/// All that was said about the variables of a process, in the order in which it applies.
#[derive(Clone, Default)]
pub(super) struct Variables {
    pub(super) env: Vec<(EnvScope, Rc<Node>)>,
    pub(super) env_file: Vec<Rc<Node>>,
}

/// Whose `env` it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EnvScope {
    Environment,
    Process,
}

/// Processes of all environments together, those that `extends` brings counted each time.
const MOST_PROCESSES: usize = 2_000;

/// Environments that extend each other.
const LONGEST_CHAIN: usize = 16;

const EXAMPLE: &str = "for example:\n\ndev:\n  - name: web\n    command: npm run dev\n    port: 3000";

/// Says that the file holds nothing.
pub(super) fn empty(report: &mut Report) {
    report.error("empty_file", Place::default(), "the file declares no environment").help(EXAMPLE);
}

/// All environments of the file, those without mistakes complete.
pub(super) fn environments(report: &mut Report, tree: &Node) -> IndexMap<String, Environment> {
    let entries = match &tree.value {
        Value::Map(entries) => entries,
        Value::Null => {
            empty(report);
            return IndexMap::new();
        }
        Value::List(_) => {
            report
                .error("bad_type", tree.place, "the file is a mapping of environments, not a list")
                .help("put the name of an environment above the list: `dev:`");
            return IndexMap::new();
        }
        _ => {
            fields::bad_type(report, tree, "the file", "a mapping of environments");
            return IndexMap::new();
        }
    };
    let written = written(report, entries);
    if written.is_empty() && !report.has_errors() {
        empty(report);
    }
    let mut environments = IndexMap::new();
    let mut count = 0;
    for name in written.keys() {
        let Some(layers) = layers(report, &written, name) else {
            // What it extends is wrong, so that nothing is known of its processes but their keys.
            let own = written.get(name).into_iter().flat_map(|environment| &environment.processes);
            own.for_each(|layer| drop(process::alone(report, layer.node, true)));
            continue;
        };
        count += layers.len() + 1;
        if count > MOST_PROCESSES {
            too_many(report, tree.place);
            break;
        }
        let processes = layers.iter().filter_map(|layers| process::process(report, layers)).collect();
        let description = written.get(name).and_then(|environment| environment.description.clone());
        let environment = Environment { name: name.clone(), description, processes };
        let declared: Vec<&str> = layers.iter().map(|layers| layers.name.as_str()).collect();
        depends::check(report, &environment, &declared);
        ports::check(report, &environment);
        strings::check(report, &environment, &declared);
        for node in written.get(name).into_iter().flat_map(|environment| &environment.odd) {
            // Its other keys are checked all the same.
            if let Some(odd) = process::alone(report, node, false) {
                depends::of_process(report, &environment, &odd, &declared);
                strings::of_process(report, &environment, &odd, &declared);
            }
        }
        environments.insert(name.clone(), environment);
    }
    environments
}

fn written<'n>(report: &mut Report, entries: &'n IndexMap<String, Entry>) -> IndexMap<String, Written<'n>> {
    let mut written = IndexMap::new();
    for (name, entry) in entries {
        if name == "settings" || name.starts_with("x-") {
            continue;
        }
        if !names::valid(report, name, entry.place, "environment") {
            continue;
        }
        if let Some(environment) = environment(report, name, entry) {
            written.insert(name.clone(), environment);
        }
    }
    written
}

fn environment<'n>(report: &mut Report, name: &str, entry: &'n Entry) -> Option<Written<'n>> {
    let node = &entry.value;
    match &node.value {
        Value::List(items) => {
            let (processes, odd) = processes(report, items, name);
            Some(Written { description: None, extends: None, processes, odd, env: None, env_file: None })
        }
        Value::Map(_) => long(report, name, node),
        Value::Null => {
            report
                .error("bad_type", entry.place, format!("the environment `{name}` is empty"))
                .help("a list of processes belongs below it, or the key `processes` with one");
            None
        }
        _ => {
            fields::bad_type(
                report,
                node,
                &format!("the environment `{name}`"),
                "a list of processes or a mapping",
            );
            None
        }
    }
}

fn long<'n>(report: &mut Report, name: &str, node: &'n Rc<Node>) -> Option<Written<'n>> {
    let single_process = node.get("command").is_some() && node.get("processes").is_none();
    if single_process {
        report
            .error(
                "bad_type",
                node.place,
                format!("the environment `{name}` is a list of processes, not one process"),
            )
            .help("begin the process with `- `");
        process::alone(report, node, false);
        return None;
    }
    let fields = Fields::open(report, node, &keys::LONG_ENVIRONMENT, "an environment")?;
    let (listed, odd) = match fields.get("processes").map(|node| (node, &node.value)) {
        Some((_, Value::List(items))) => processes(report, items, name),
        Some((node, Value::Map(entries))) => {
            report
                .error("bad_type", node.place, "`processes` is a list, not a mapping")
                .help("each process is an entry `- name: …`");
            for entry in entries.values() {
                process::alone(report, &entry.value, false);
            }
            (Vec::new(), Vec::new())
        }
        Some((node, _)) => {
            fields::bad_type(report, node, "`processes`", "a list");
            (Vec::new(), Vec::new())
        }
        None => (Vec::new(), Vec::new()),
    };
    let extends =
        fields.get("extends").and_then(|node| Some((fields::text(report, node, "extends")?, node.place)));
    if fields.get("processes").is_none() && extends.is_none() {
        report
            .error("missing_key", node.place, format!("the environment `{name}` has no `processes`"))
            .help("a list of processes, or `extends:` another environment");
    }
    Some(Written {
        description: fields.text(report, "description"),
        extends,
        processes: listed,
        odd,
        env: fields.get("env"),
        env_file: fields.get("env_file"),
    })
}

fn too_many(report: &mut Report, place: Place) {
    report.error("too_large", place, format!("more than {MOST_PROCESSES} processes, `extends` counted"));
}

/// The processes that are named; the others are reported, and come beside them.
fn processes<'n>(
    report: &mut Report,
    items: &'n [Rc<Node>],
    environment: &str,
) -> (Vec<Layer<'n>>, Vec<&'n Rc<Node>>) {
    let mut layers: Vec<Layer<'n>> = Vec::new();
    let mut odd = Vec::new();
    if let Some(beyond) = items.get(MOST_PROCESSES) {
        too_many(report, beyond.place);
        return (layers, odd);
    }
    for node in items {
        if fields::mapping(report, node, "a process").is_none() {
            continue;
        }
        let Some(name_node) = node.get("name").filter(|name| !matches!(name.value, Value::Null)) else {
            report
                .error("missing_key", node.place, "a process without `name`")
                .help("add `name: …`, unique in the environment");
            odd.push(node);
            continue;
        };
        let name = fields::text(report, name_node, "name");
        let Some(name) = name.filter(|name| names::valid(report, name, name_node.place, "process")) else {
            odd.push(node);
            continue;
        };
        let first = layers.iter().find(|layer| layer.name == name);
        if let Some(place) = first.and_then(|layer| layer.node.get("name")).map(|node| node.place) {
            report
                .error(
                    "duplicate_name",
                    name_node.place,
                    format!("`{environment}` has two processes named `{name}`"),
                )
                .label("the second")
                .note(place, "the first")
                .help("rename one of them");
            odd.push(node);
            continue;
        }
        layers.push(Layer { name, node });
    }
    (layers, odd)
}

/// The processes of an environment with those that it extends below them. `None` if `extends` is wrong.
fn layers(report: &mut Report, written: &IndexMap<String, Written<'_>>, name: &str) -> Option<Vec<Layers>> {
    let chain = chain(report, written, name)?;
    let mut result: Vec<Layers> = Vec::new();
    // What the environments below say for every process holds for those that come in above them, too.
    let mut shared = Variables::default();
    for environment in chain.iter().rev().filter_map(|name| written.get(*name)) {
        for layer in &environment.processes {
            let found = result.iter().position(|process| process.name == layer.name);
            let index = found.unwrap_or_else(|| {
                let (name, node) = (layer.name.clone(), Rc::clone(layer.node));
                result.push(Layers { name, node, variables: shared.clone(), partial: false });
                result.len() - 1
            });
            if found.is_some() {
                result[index].node = over(&result[index].node, layer.node);
            }
        }
        for process in &mut result {
            let own = environment.processes.iter().find(|layer| layer.name == process.name);
            process.variables.add(environment, own.map(|layer| layer.node));
        }
        shared.add(environment, None);
    }
    Some(result)
}

impl Variables {
    /// Adds what one environment says: for all of its processes, then for this one.
    fn add(&mut self, environment: &Written<'_>, own: Option<&Rc<Node>>) {
        let own_env = own.and_then(|node| node.get("env"));
        let own_file = own.and_then(|node| node.get("env_file"));
        self.env.extend(environment.env.map(|node| (EnvScope::Environment, Rc::clone(node))));
        self.env.extend(own_env.map(|node| (EnvScope::Process, Rc::clone(node))));
        self.env_file.extend(environment.env_file.into_iter().chain(own_file).map(Rc::clone));
    }
}

/// The environment and those that it extends, itself first.
fn chain<'w>(
    report: &mut Report,
    written: &'w IndexMap<String, Written<'_>>,
    name: &'w str,
) -> Option<Vec<&'w str>> {
    let mut chain = vec![name];
    let mut at = name;
    while let Some((base, place)) = &written.get(at)?.extends {
        let Some((base_name, _)) = written.get_key_value(base) else {
            let known: Vec<&String> = written.keys().filter(|other| *other != at).collect();
            report
                .error("unknown_environment", *place, format!("there is no environment `{base}` to extend"))
                .help(suggest::did_you_mean(base, &known, "environments of this file"));
            return None;
        };
        if chain.contains(&base_name.as_str()) {
            let from = chain.iter().position(|name| name == base_name).unwrap_or_default();
            // Told once, at its first environment in the file, not from each of its members.
            let first = chain[from..].iter().min_by_key(|name| written.get_index_of(**name));
            if from == 0 && first == Some(&name) {
                let path: Vec<&str> = chain.iter().copied().chain([base_name.as_str()]).collect();
                report
                    .error("extends_cycle", *place, format!("`{name}` extends itself: {}", path.join(" → ")))
                    .help("take one `extends` out of the circle");
            }
            return None;
        }
        if chain.len() >= LONGEST_CHAIN {
            report.error(
                "too_deep",
                *place,
                format!("more than {LONGEST_CHAIN} environments extend each other"),
            );
            return None;
        }
        chain.push(base_name);
        at = base_name;
    }
    Some(chain)
}

/// Keys whose mappings merge key by key; of all others the extending process's value replaces the base's.
const MERGING: [&str; 4] = ["auto_restart", "shutdown", "debug", "metrics"];

fn over(base: &Rc<Node>, own: &Rc<Node>) -> Rc<Node> {
    own.merged_over(base, |key| MERGING.contains(&key))
}
