//! What will really run: `${…}`, env files and moved ports filled in.
//!
//! A variable in a string is what the process itself would see, and where it sees none, what the workspace's `.env`
//! says. (`.env` is only for filling in, as in docker compose; a process gets it if an `env_file` names it.)

mod debug;
mod fingerprint;
mod ports;
mod process;
mod secret;
mod text_ports;
mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::check::suggest;
use crate::diagnostics::{Diagnostic, Diagnostics, Report, Severity};
use crate::model::{
    Command, Condition, Config, EventRule, HealthCheck, Place, Probe, Requirement, RestartPolicy, Shutdown,
};
pub use fingerprint::{fingerprint, supervision_fingerprint};
use process::{Begun, Scope};
pub use secret::{masked, secret};

/// What the configuration itself can't know.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The caller's environment, or a login shell's.
    pub variables: BTreeMap<String, String>,
    /// Moved ports: process → declared port → the port to use instead.
    pub ports: BTreeMap<String, BTreeMap<u16, u16>>,
    /// The processes that run in debug mode.
    pub debug: BTreeSet<String>,
    /// The processes that are about to start. What is wrong with others (a missing env file, say) becomes a warning.
    /// `None`: all that start with the environment.
    pub only: Option<BTreeSet<String>>,
}

/// Where a variable's value comes from. A later one wins over an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Origin {
    /// The environment of the one who started it.
    Caller,
    /// The workspace's `.env`, taken over by a bare `KEY` in an `env` list or an env file.
    DotEnv { file: PathBuf },
    /// An `env_file`; line from 1.
    EnvFile { file: PathBuf, line: usize },
    /// `PORT`, from the first port.
    Port,
    /// `env` of the environment.
    Environment,
    /// `env` of the process.
    Process,
    /// The process runs in debug mode: `debug.env`, or what fits the command's ecosystem.
    Debug,
}

/// One variable of a process's environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    pub name: String,
    pub value: String,
    pub origin: Origin,
}

/// An environment as it would be started now.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedEnvironment {
    pub name: String,
    pub description: Option<String>,
    /// In the file's order, the disabled ones included.
    pub processes: Vec<ResolvedProcess>,
    /// E.g. a variable that is not set and became empty. In the order of the file.
    pub warnings: Vec<Diagnostic>,
}

impl ResolvedEnvironment {
    /// The process of this name.
    #[must_use]
    pub fn process(&self, name: &str) -> Option<&ResolvedProcess> {
        self.processes.iter().find(|process| process.name == name)
    }
}

/// A process as it would be started now: no `${…}` of Forge's is left in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedProcess {
    pub name: String,
    /// Debug mode's, where that is on and says so.
    pub command: Command,
    /// Absolute. Need not exist.
    pub cwd: PathBuf,
    /// After moves; as many, in the same order, as [`Self::declared_ports`].
    pub ports: Vec<u16>,
    /// As the file has them, `${…}` filled in.
    pub declared_ports: Vec<u16>,
    /// The whole environment, sorted by name.
    pub env: Vec<Variable>,
    /// Variables of the caller's or of env files that `env` takes away, sorted.
    pub removed: Vec<String>,
    pub depends_on: IndexMap<String, Condition>,
    /// URLs name their port, unless it is HTTP's own.
    pub health_check: Option<HealthCheck>,
    pub auto_restart: RestartPolicy,
    pub daemon: bool,
    pub one_shot: bool,
    pub shutdown: Shutdown,
    pub tty: bool,
    /// Globs, against `cwd`.
    pub watch: Vec<String>,
    pub requires: Vec<Requirement>,
    pub metrics: BTreeMap<String, serde_json::Value>,
    pub events: Vec<EventRule>,
    pub groups: Vec<String>,
    pub disabled: bool,
    /// What "Open" opens, if the file says so.
    pub open: Option<String>,
    /// Runs in debug mode.
    pub debug: bool,
    /// The processes whose port, host or URL went into this one (itself left out): when one of their ports moves,
    /// this one runs with the old value.
    pub refers_to: BTreeSet<String>,
}

impl ResolvedProcess {
    /// Its environment as pairs, for a child.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.env.iter().map(|variable| (variable.name.as_str(), variable.value.as_str()))
    }

    /// What to open in a browser: `open`, or its first port where that speaks HTTP, as far as can be told.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        if self.open.is_some() {
            return self.open.clone();
        }
        let port = self.ports.first()?;
        let scheme = match self.health_check.as_ref().map(|check| &check.probe) {
            Some(Probe::Http { url, .. }) if url.starts_with("https:") => "https",
            Some(Probe::Http { .. }) => "http",
            Some(Probe::Exec(_) | Probe::Log(_)) | None if !speaks_otherwise(*port) => "http",
            _ => return None,
        };
        Some(format!("{scheme}://localhost:{port}"))
    }

    /// The value of a variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let index = self.env.binary_search_by(|variable| variable.name.as_str().cmp(name)).ok()?;
        Some(&self.env[index].value)
    }
}

/// The process whose URL an environment is opened by: one that says what to open, else the first that nothing else
/// depends on, else the first with a URL at all.
pub fn front<'a>(
    processes: impl Iterator<Item = &'a ResolvedProcess> + Clone,
) -> Option<&'a ResolvedProcess> {
    let with_url = || processes.clone().filter(|process| process.url().is_some());
    let needed = |process: &ResolvedProcess| {
        processes.clone().any(|other| other.depends_on.contains_key(&process.name))
    };
    let explicit = with_url().find(|process| process.open.is_some());
    explicit.or_else(|| with_url().find(|process| !needed(process))).or_else(|| with_url().next())
}

/// Ports whose services nobody opens in a browser.
fn speaks_otherwise(port: u16) -> bool {
    matches!(
        port,
        22 | 25 | 53 | 1433 | 1521 | 3306 | 4222 | 5432 | 5672 | 6379 | 9042 | 9092 | 11211 | 27017
    )
}

/// What would be started now. Reads the env files; starts nothing and checks nothing else of the machine.
///
/// # Errors
/// An unknown environment, a missing or broken env file, a `${VAR:?message}` that is not set: all of them.
pub fn resolve(
    config: &Config,
    environment: &str,
    context: &Context,
) -> Result<ResolvedEnvironment, Diagnostics> {
    let Some(declared) = config.environments.get(environment) else {
        return Err(unknown_environment(config, environment));
    };
    let mut findings = Findings::default();
    let dot_env = variables::dot_env(&config.root, context, &mut findings);
    // A string may ask for the port of any process: all ports come before all else.
    let mut scope = Scope::early(config, declared, context, &dot_env);
    let begun: Vec<Begun<'_>> = declared.processes.iter().map(|process| scope.begin(process)).collect();
    let starting = declared.starting();
    findings.add(scope.shared_ports(&begun, &starting));
    scope.know_ports(&begun);
    let mut processes = Vec::new();
    for one in begun {
        let (process, mut own) = one.finish(&scope);
        let name = process.name.as_str();
        let wanted = context.only.as_ref().map_or(starting.contains(name), |only| only.contains(name));
        if !wanted {
            own.soften();
        }
        findings.merge(own);
        processes.push(process);
    }
    let warnings = findings.finish()?;
    Ok(ResolvedEnvironment {
        name: declared.name.clone(),
        description: declared.description.clone(),
        processes,
        warnings,
    })
}

fn unknown_environment(config: &Config, name: &str) -> Diagnostics {
    let known: Vec<&String> = config.environments.keys().collect();
    let mut report = Report::new(&config.file, "");
    report
        .error("unknown_environment", Place::default(), format!("there is no environment `{name}`"))
        .help(suggest::did_you_mean(name, &known, "environments of this file"));
    report.into_errors()
}

/// What was found wrong, in whichever file.
#[derive(Default)]
struct Findings {
    list: Vec<Diagnostic>,
}

impl Findings {
    fn add(&mut self, report: Report) {
        self.list.extend(report.into_list());
    }

    fn merge(&mut self, other: Self) {
        self.list.extend(other.list);
    }

    /// Makes warnings of errors.
    fn soften(&mut self) {
        for diagnostic in &mut self.list {
            diagnostic.severity = Severity::Warning;
        }
    }

    fn finish(self) -> Result<Vec<Diagnostic>, Diagnostics> {
        crate::diagnostics::sorted(self.list)
    }
}

/// A path of the configuration: against the workspace, without `.` and `..` where they can be left out.
fn path_in(root: &Path, path: &str) -> PathBuf {
    let mut joined = PathBuf::new();
    for component in root.join(path).components() {
        match component {
            std::path::Component::CurDir => {}
            other => joined.push(other),
        }
    }
    joined
}
