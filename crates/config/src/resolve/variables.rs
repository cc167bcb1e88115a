//! The environment of a process, each variable with its origin.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Context, Findings, Origin, Variable};
use crate::check::strings;
use crate::diagnostics::Report;
use crate::dotenv;
use crate::interpolate::{Found, Mode, Part, Source, handed_on, interpolate};
use crate::workspace;

/// Variables by name.
pub(super) type Variables = BTreeMap<String, Variable>;

/// Sets a variable. On Windows, where the case of names says nothing, `PATH` replaces `Path`.
pub(super) fn set(variables: &mut Variables, variable: Variable) {
    remove(variables, &variable.name);
    variables.insert(variable.name.clone(), variable);
}

/// Takes a variable away; whether it was there.
pub(super) fn remove(variables: &mut Variables, name: &str) -> bool {
    let before = variables.len();
    if cfg!(windows) {
        variables.retain(|other, _| !other.eq_ignore_ascii_case(name));
    } else {
        variables.remove(name);
    }
    variables.len() < before
}

/// The workspace's `.env`.
#[derive(Debug, Default)]
pub(super) struct DotEnv {
    pub(super) file: PathBuf,
    pub(super) values: BTreeMap<String, String>,
}

/// The caller's variables.
pub(super) fn callers(context: &Context) -> Variables {
    let pairs = context.variables.iter();
    pairs.map(|(name, value)| (name.clone(), variable(name, value.clone(), Origin::Caller))).collect()
}

pub(super) fn variable(name: &str, value: String, origin: Origin) -> Variable {
    Variable { name: name.to_owned(), value, origin }
}

/// Reads the workspace's `.env`, if there is one. The caller's variables win over it.
pub(super) fn dot_env(root: &Path, context: &Context, findings: &mut Findings) -> DotEnv {
    let file = root.join(".env");
    let missing = file.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    if missing || file.is_dir() {
        return DotEnv { file, ..DotEnv::default() };
    }
    let mut variables = callers(context);
    let nothing = DotEnv::default();
    match workspace::read(&file) {
        Ok(text) => {
            let mut report = Report::new(&file, text);
            for assignment in dotenv::parse(&mut report) {
                let source = Plain { variables: &variables, dot_env: &nothing };
                let value = evaluate(&assignment, &source, &mut report);
                let outside =
                    variables.get(&assignment.name).is_some_and(|known| known.origin == Origin::Caller);
                if let Some(value) = value.filter(|_| !outside) {
                    let origin = Origin::DotEnv { file: file.clone() };
                    set(&mut variables, variable(&assignment.name, value, origin));
                }
            }
            findings.add(report);
        }
        Err(errors) => findings.list.extend(errors.iter().cloned()),
    }
    let own = variables.into_values().filter(|variable| variable.origin != Origin::Caller);
    DotEnv { file, values: own.map(|variable| (variable.name, variable.value)).collect() }
}

/// Adds the variables of an env file, read into `report`. They win over those that are there.
pub(super) fn add_file(variables: &mut Variables, dot_env: &DotEnv, file: &Path, report: &mut Report) {
    for assignment in dotenv::parse(report) {
        let value = evaluate(&assignment, &Plain { variables, dot_env }, report);
        let bare = assignment.value == handed_on(&assignment.name);
        let origin = Origin::EnvFile { file: file.to_path_buf(), line: assignment.place.line };
        let name = assignment.name;
        match value {
            Some(_) if bare => hand_on(variables, dot_env, &name),
            Some(value) => set(variables, variable(&name, value, origin)),
            None => {}
        }
    }
}

/// What a bare `KEY` means: the variable stays, or is taken from `.env`, or there is none.
pub(super) fn hand_on(variables: &mut Variables, dot_env: &DotEnv, name: &str) {
    if let (false, Some(value)) = (variables.contains_key(name), dot_env.values.get(name)) {
        let origin = Origin::DotEnv { file: dot_env.file.clone() };
        set(variables, variable(name, value.clone(), origin));
    }
}

/// The value of a line, with all that is wrong in it told. `None` if it has none.
fn evaluate(assignment: &dotenv::Assignment, source: &dyn Source, report: &mut Report) -> Option<String> {
    let mut problems = Vec::new();
    let value = interpolate(&assignment.value, Mode::Text, source, &mut problems);
    let failed = problems.iter().any(|problem| !problem.warning);
    for problem in problems {
        strings::report(report, &problem, assignment.place);
    }
    (!failed).then_some(value)
}

/// Variables alone: env files know no processes.
struct Plain<'v> {
    variables: &'v Variables,
    dot_env: &'v DotEnv,
}

impl Source for Plain<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        let value = self.variables.get(name).map(|variable| &variable.value);
        value.or_else(|| self.dot_env.values.get(name)).cloned()
    }

    fn inherited(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    fn process(&self, _: &str, _: Part) -> Found {
        Found::NoProcess
    }

    fn unknown_process(&self, _: &str) -> String {
        "env files know no processes: set this variable by `env` in processes.yml".to_owned()
    }
}
