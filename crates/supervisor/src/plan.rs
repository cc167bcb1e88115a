//! Which processes a command means, and in which order they come: pure functions over names.

use std::collections::BTreeSet;

use forge_api::{Code, Error, Target};
use serde_json::json;

/// One environment as far as names go: what the configuration has and what runs without it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub name: String,
    /// Something of it is meant to run, or does.
    pub running: bool,
    pub processes: Vec<KnownProcess>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnownProcess {
    pub name: String,
    pub groups: Vec<String>,
    pub disabled: bool,
    /// The names of its dependencies.
    pub depends_on: Vec<String>,
}

impl Known {
    fn process(&self, name: &str) -> Option<&KnownProcess> {
        self.processes.iter().find(|process| process.name == name)
    }

    fn target(&self, process: &str) -> Target {
        Target { environment: self.name.clone(), process: process.to_owned() }
    }
}

/// What a command does with an environment that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Disabled processes only by their own name; without a name the default environment.
    Start,
    /// Every process; without a name what runs.
    Other,
}

/// The environment that `names` is about when there is none: `dev` or the only one for a start, what runs otherwise.
pub(crate) fn default_environment(known: &[Known], purpose: Purpose) -> Result<&Known, Error> {
    if purpose == Purpose::Other {
        let running: Vec<&Known> = known.iter().filter(|environment| environment.running).collect();
        match running.as_slice() {
            [one] => return Ok(one),
            [] => {}
            many => {
                return Err(ambiguous("several environments run", many.iter().map(|one| one.name.clone())));
            }
        }
    }
    if let Some(dev) = known.iter().find(|environment| environment.name == "dev") {
        return Ok(dev);
    }
    match known {
        [one] => Ok(one),
        [] => {
            Err(Error::new(Code::NotFound, "there is no environment").help("add one to .forge/processes.yml"))
        }
        many => Err(ambiguous("which environment is meant", many.iter().map(|one| one.name.clone()))),
    }
}

/// The processes that `names` mean, in the order of the configuration, without repetition.
pub(crate) fn targets(names: &[String], known: &[Known], purpose: Purpose) -> Result<Vec<Target>, Error> {
    let mut found = Vec::new();
    if names.is_empty() {
        found.extend(all_of(default_environment(known, purpose)?, purpose));
    }
    for name in names {
        found.extend(by_name(name, known, purpose)?);
    }
    let mut seen = BTreeSet::new();
    found.retain(|target| seen.insert(target.clone()));
    Ok(found)
}

fn all_of(environment: &Known, purpose: Purpose) -> Vec<Target> {
    let wanted =
        environment.processes.iter().filter(|process| purpose == Purpose::Other || !process.disabled);
    wanted.map(|process| environment.target(&process.name)).collect()
}

/// Those whose `group` has this name.
fn group(environment: &Known, name: &str, purpose: Purpose) -> Vec<Target> {
    let in_group =
        environment.processes.iter().filter(|process| process.groups.iter().any(|group| group == name));
    let wanted = in_group.filter(|process| purpose == Purpose::Other || !process.disabled);
    wanted.map(|process| environment.target(&process.name)).collect()
}

/// What a bare name means in one environment.
///
/// # Errors
/// It is a process and a group, and they are not the same.
fn members(environment: &Known, name: &str, purpose: Purpose) -> Result<Vec<Target>, Error> {
    let group = group(environment, name, purpose);
    if environment.process(name).is_none() {
        return Ok(group);
    }
    let process = vec![environment.target(name)];
    if group.is_empty() || group == process {
        return Ok(process);
    }
    let path = format!("{}/{name}", environment.name);
    Err(ambiguous(
        &format!("`{name}` is a process and a group"),
        [path.clone(), format!("{path}/")].into_iter(),
    )
    .help(format!("`{path}` is the process, `{path}/` the group")))
}

fn by_name(name: &str, known: &[Known], purpose: Purpose) -> Result<Vec<Target>, Error> {
    if let Some((environment, rest)) = name.split_once('/') {
        let Some(environment) = known.iter().find(|one| one.name == environment) else {
            return Err(not_found(name, known));
        };
        let found = by_path(environment, rest, purpose);
        return if found.is_empty() { Err(not_found(name, known)) } else { Ok(found) };
    }
    let environment = known.iter().find(|one| one.name == name);
    let has = |one: &&Known| one.process(name).is_some() || !group(one, name, purpose).is_empty();
    let inside: Vec<&Known> = known.iter().filter(has).collect();
    match (environment, inside.as_slice()) {
        (Some(environment), []) => Ok(all_of(environment, purpose)),
        (Some(environment), inside) => {
            let choices = inside.iter().map(|one| format!("{}/{name}", one.name));
            Err(ambiguous(
                &format!("`{name}` is an environment, and a process or group too"),
                std::iter::once(format!("{}/", environment.name)).chain(choices),
            ))
        }
        (None, []) => Err(not_found(name, known)),
        (None, inside) => members(choose(name, inside)?, name, purpose),
    }
}

/// What stands behind `ENV/`: nothing for all of it, `NAME` for a process before a group, `NAME/` for a group.
fn by_path(environment: &Known, rest: &str, purpose: Purpose) -> Vec<Target> {
    match rest.strip_suffix('/') {
        _ if rest.is_empty() => all_of(environment, purpose),
        Some(name) => group(environment, name, purpose),
        None if environment.process(rest).is_some() => vec![environment.target(rest)],
        None => group(environment, rest, purpose),
    }
}

/// The environment of a bare process name: the one that runs, else the default one, else the only one.
fn choose<'a>(name: &str, inside: &[&'a Known]) -> Result<&'a Known, Error> {
    if let [one] = inside {
        return Ok(one);
    }
    let running: Vec<&&Known> = inside.iter().filter(|environment| environment.running).collect();
    if let [one] = running.as_slice() {
        return Ok(one);
    }
    if let (true, Some(dev)) =
        (running.is_empty(), inside.iter().find(|environment| environment.name == "dev"))
    {
        return Ok(dev);
    }
    let choices = inside.iter().map(|environment| format!("{}/{name}", environment.name));
    Err(ambiguous(&format!("`{name}` is in several environments"), choices))
}

/// `wanted` and all that it depends on, dependencies first.
pub(crate) fn with_dependencies(wanted: &[Target], known: &[Known]) -> Vec<Target> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for target in wanted {
        if let Some(environment) = known.iter().find(|one| one.name == target.environment) {
            visit(environment, &target.process, &mut seen, &mut order);
        }
    }
    order
}

fn visit(environment: &Known, name: &str, seen: &mut BTreeSet<Target>, order: &mut Vec<Target>) {
    let target = environment.target(name);
    // A cycle cannot come out of a checked configuration; if one did, this ends all the same.
    if !seen.insert(target.clone()) {
        return;
    }
    let Some(process) = environment.process(name) else { return };
    for dependency in &process.depends_on {
        visit(environment, dependency, seen, order);
    }
    order.push(target);
}

fn ambiguous(what: &str, choices: impl Iterator<Item = String>) -> Error {
    let choices: Vec<String> = choices.collect();
    Error::new(Code::Ambiguous, format!("{what}: {}", choices.join(", ")))
        .help("name one of them")
        .details(json!({ "choices": choices }))
}

fn not_found(name: &str, known: &[Known]) -> Error {
    let mut names = BTreeSet::new();
    for environment in known {
        names.insert(environment.name.clone());
        for process in &environment.processes {
            names.insert(process.name.clone());
            names.extend(process.groups.iter().cloned());
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    let error = Error::new(Code::NotFound, format!("no environment, process or group is called `{name}`"));
    if names.is_empty() { error } else { error.help(format!("there are: {}", names.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(name: &str, groups: &[&str], depends_on: &[&str]) -> KnownProcess {
        let strings = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        KnownProcess {
            name: name.into(),
            groups: strings(groups),
            disabled: false,
            depends_on: strings(depends_on),
        }
    }

    fn known() -> Vec<Known> {
        let mut tool = process("tool", &[], &[]);
        tool.disabled = true;
        vec![
            Known {
                name: "dev".into(),
                running: false,
                processes: vec![
                    process("web", &[], &["api"]),
                    process("api", &["back"], &["db", "cache"]),
                    process("db", &["back"], &[]),
                    process("cache", &[], &[]),
                    process("front", &["page"], &[]),
                    process("page", &["page", "extra"], &[]),
                    process("extra", &[], &[]),
                    process("alone", &["alone"], &[]),
                    tool,
                ],
            },
            Known {
                name: "test".into(),
                running: false,
                processes: vec![process("db", &[], &[]), process("test", &[], &[])],
            },
        ]
    }

    fn shown(targets: Result<Vec<Target>, Error>) -> String {
        match targets {
            Ok(targets) => {
                let names: Vec<String> = targets
                    .iter()
                    .map(|target| format!("{}/{}", target.environment, target.process))
                    .collect();
                names.join(" ")
            }
            Err(error) => format!("{:?}: {}", error.code, error.message),
        }
    }

    #[test]
    fn names_mean_what_people_expect() {
        for (names, running, purpose, expected) in [
            (
                "",
                "",
                Purpose::Start,
                "dev/web dev/api dev/db dev/cache dev/front dev/page dev/extra dev/alone",
            ),
            (
                "",
                "test",
                Purpose::Start,
                "dev/web dev/api dev/db dev/cache dev/front dev/page dev/extra dev/alone",
            ),
            ("", "test", Purpose::Other, "test/db test/test"),
            ("", "dev test", Purpose::Other, "Ambiguous: several environments run: dev, test"),
            ("api", "", Purpose::Start, "dev/api"),
            ("back", "", Purpose::Start, "dev/api dev/db"),
            ("db", "", Purpose::Start, "dev/db"),
            ("db", "test", Purpose::Other, "test/db"),
            ("db", "dev test", Purpose::Other, "Ambiguous: `db` is in several environments: dev/db, test/db"),
            ("test/db api", "", Purpose::Start, "test/db dev/api"),
            ("tool", "", Purpose::Start, "dev/tool"),
            (
                "test",
                "",
                Purpose::Start,
                "Ambiguous: `test` is an environment, and a process or group too: test/, test/test",
            ),
            ("test/", "", Purpose::Start, "test/db test/test"),
            ("nothing", "", Purpose::Start, "NotFound: no environment, process or group is called `nothing`"),
            ("prod/db", "", Purpose::Start, "NotFound: no environment, process or group is called `prod/db`"),
            ("api api back", "", Purpose::Start, "dev/api dev/db"),
            ("page", "", Purpose::Start, "Ambiguous: `page` is a process and a group: dev/page, dev/page/"),
            (
                "page",
                "dev",
                Purpose::Other,
                "Ambiguous: `page` is a process and a group: dev/page, dev/page/",
            ),
            ("dev/page", "", Purpose::Start, "dev/page"),
            ("dev/page/", "", Purpose::Start, "dev/front dev/page"),
            ("alone", "", Purpose::Start, "dev/alone"),
            (
                "dev/web/",
                "",
                Purpose::Start,
                "NotFound: no environment, process or group is called `dev/web/`",
            ),
        ] {
            let mut known = known();
            for environment in &mut known {
                environment.running = running.split_whitespace().any(|name| name == environment.name);
            }
            let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
            assert_eq!(shown(targets(&names, &known, purpose)), expected, "{names:?} while `{running}` runs");
        }
    }

    #[test]
    fn dependencies_come_first_and_once() {
        let known = known();
        let wanted = targets(&["web".into(), "db".into()], &known, Purpose::Start).expect("known names");
        assert_eq!(shown(Ok(with_dependencies(&wanted, &known))), "dev/db dev/cache dev/api dev/web");
    }

    #[test]
    fn a_cycle_does_not_hang_the_order() {
        let known = vec![Known {
            name: "dev".into(),
            running: false,
            processes: vec![process("a", &[], &["b"]), process("b", &[], &["a"])],
        }];
        let wanted = targets(&[], &known, Purpose::Start).expect("the only environment");
        assert_eq!(with_dependencies(&wanted, &known).len(), 2, "both, once");
    }
}
