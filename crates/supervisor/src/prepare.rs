//! Everything that is looked at before anything starts: the configuration, env files, folders, binaries, ports.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use forge_api::{Code, Error, Target};
use forge_config::model::{Config, Process};
use forge_config::resolve::{Context, ResolvedProcess};
use forge_config::{Diagnostics, Workspace};
use forge_system::ports::Listening;
use serde_json::json;

use crate::machine;
use crate::plan::{self, Known, KnownProcess, Purpose};

/// How long a login shell may take.
const LOGIN_SHELL: Duration = Duration::from_secs(5);

/// What the supervisor knows and the preparation needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Present {
    /// Of environments that run, by name.
    pub running: Vec<String>,
    /// Of processes with a live tree.
    pub alive: HashMap<Target, Alive>,
    /// What each environment was started with.
    pub variables: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Alive {
    /// Of what runs.
    pub fingerprint: String,
}

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub workspace: PathBuf,
    pub names: Vec<String>,
    pub variables: Option<BTreeMap<String, String>>,
    /// Restart what is named, changed or not.
    pub restart: bool,
}

/// Ready to be started.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub root: PathBuf,
    pub config: Arc<Config>,
    /// All processes of each environment that is touched, as they are configured now.
    pub environments: BTreeMap<String, PreparedEnvironment>,
    /// What was named and all it depends on, dependencies first.
    pub targets: Vec<Target>,
    /// What was named as a process or by its group.
    pub named: Vec<Target>,
    /// Those of them whose run is not what is configured any more, or that are to be restarted.
    pub restart: Vec<Target>,
    /// Whole environments were named: what runs in them and is no longer configured goes.
    pub whole: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct PreparedEnvironment {
    pub variables: BTreeMap<String, String>,
    pub processes: Vec<Arc<ResolvedProcess>>,
}

/// The workspace around `folder`.
pub(crate) fn find(folder: &Path) -> Result<Workspace, Error> {
    forge_config::find(folder).ok_or_else(|| {
        Error::new(Code::NoWorkspace, format!("no .forge/processes.yml in {} or above", folder.display()))
            .help("make one there, or name a folder with `-C DIR`")
    })
}

/// Its configuration.
pub(crate) fn load(workspace: &Workspace) -> Result<Config, Error> {
    forge_config::load(workspace).map_err(|diagnostics| configuration(&diagnostics))
}

/// What is wrong with a configuration, as an answer.
pub(crate) fn configuration(diagnostics: &Diagnostics) -> Error {
    let count = diagnostics.len();
    let message = match diagnostics.iter().next() {
        Some(first) if count == 1 => {
            format!("{}:{}:{}: {}", first.file.display(), first.line, first.column, first.message)
        }
        Some(first) => format!(
            "{count} errors in {}; the first, in line {}: {}",
            first.file.display(),
            first.line,
            first.message
        ),
        None => "the configuration has errors".to_owned(),
    };
    Error::new(Code::Configuration, message)
        .details(json!({ "diagnostics": diagnostics, "text": diagnostics.render(false, true) }))
}

/// The names in a configuration.
pub(crate) fn names(config: &Config, running: &[String]) -> Vec<Known> {
    let environments = config.environments.values();
    environments
        .map(|environment| Known {
            name: environment.name.clone(),
            running: running.contains(&environment.name),
            processes: environment.processes.iter().map(name_of).collect(),
        })
        .collect()
}

fn name_of(process: &Process) -> KnownProcess {
    KnownProcess {
        name: process.name.clone(),
        groups: process.groups.clone(),
        disabled: process.disabled,
        depends_on: process.depends_on.keys().cloned().collect(),
    }
}

/// Looks at everything; blocks only threads made for that.
pub(crate) async fn prepare(wish: Wish, present: Present) -> Result<Prepared, Error> {
    let loaded = blocking({
        let folder = wish.workspace.clone();
        move || {
            let workspace = find(&folder)?;
            let config = load(&workspace)?;
            Ok((workspace, config))
        }
    })
    .await;
    let (workspace, config) = loaded?;
    let variables = match &wish.variables {
        Some(variables) => Some(variables.clone()),
        None if present.variables.is_empty() => Some(login_shell(&workspace.root).await),
        None => None,
    };
    blocking(move || plan(&wish, &present, &workspace, config, variables)).await
}

async fn login_shell(folder: &Path) -> BTreeMap<String, String> {
    match crate::environment::login_shell(folder, LOGIN_SHELL).await {
        Ok(variables) => variables,
        Err(error) => {
            tracing::warn!("{error}; the supervisor's own environment is used");
            crate::environment::own()
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::system("a step of the preparation", error))?
}

fn plan(
    wish: &Wish,
    present: &Present,
    workspace: &Workspace,
    config: Config,
    variables: Option<BTreeMap<String, String>>,
) -> Result<Prepared, Error> {
    let known = names(&config, &present.running);
    let purpose = if wish.restart { Purpose::Other } else { Purpose::Start };
    let mut named = plan::targets(&wish.names, &known, purpose)?;
    if wish.restart {
        // A restart of an environment leaves alone what was never started of it, unless nothing runs at all.
        let running: Vec<Target> =
            named.iter().filter(|target| present.alive.contains_key(target)).cloned().collect();
        if named.len() > wish.names.len() && !running.is_empty() {
            named = running;
        }
    }
    let targets = plan::with_dependencies(&named, &known);
    let mut environments = BTreeMap::new();
    for target in &targets {
        if !environments.contains_key(&target.environment) {
            let variables = variables
                .clone()
                .or_else(|| present.variables.get(&target.environment).cloned())
                .unwrap_or_else(crate::environment::own);
            let concerned = targets.iter().filter(|other| other.environment == target.environment);
            let only = concerned.map(|other| other.process.clone()).collect();
            let resolved = resolve(&config, &target.environment, variables.clone(), Some(only))
                .map_err(|error| with_the_rest(error, &config, &targets, &variables))?;
            environments.insert(target.environment.clone(), resolved);
        }
    }
    let restart = to_restart(wish, present, &named, &targets, &environments);
    let fresh: Vec<&Target> = targets
        .iter()
        .filter(|target| !present.alive.contains_key(target) || restart.contains(target))
        .collect();
    check(&config, &fresh, &environments, present)?;
    let whole = whole(wish, &known);
    named.retain(|target| !whole.contains(&target.environment));
    Ok(Prepared {
        root: workspace.root.clone(),
        config: Arc::new(config),
        environments,
        targets,
        named,
        restart,
        whole,
    })
}

/// The environments that were named as such.
fn whole(wish: &Wish, known: &[Known]) -> Vec<String> {
    if wish.restart {
        return Vec::new();
    }
    if wish.names.is_empty() {
        let default = plan::default_environment(known, Purpose::Start);
        return default.map(|environment| vec![environment.name.clone()]).unwrap_or_default();
    }
    let named = wish.names.iter().map(|name| name.trim_end_matches('/'));
    named
        .filter(|name| known.iter().any(|environment| environment.name == *name))
        .map(str::to_owned)
        .collect()
}

/// Fills in what an environment's configuration leaves open. What is wrong with other processes than `only` is no error.
pub(crate) fn resolve(
    config: &Config,
    environment: &str,
    variables: BTreeMap<String, String>,
    only: Option<BTreeSet<String>>,
) -> Result<PreparedEnvironment, Error> {
    let context = Context { variables, only, ..Context::default() };
    let resolved =
        forge_config::resolve(config, environment, &context).map_err(|errors| configuration(&errors))?;
    let processes = resolved.processes.into_iter().map(Arc::new).collect();
    Ok(PreparedEnvironment { variables: context.variables, processes })
}

/// An error of some processes' configuration, and what the others miss: all of it at once.
fn with_the_rest(
    mut error: Error,
    config: &Config,
    targets: &[Target],
    variables: &BTreeMap<String, String>,
) -> Error {
    let mut problems = Vec::new();
    for target in targets {
        let resolved = resolve_one(config, &target.environment, &target.process, variables.clone());
        if let Ok(process) = resolved {
            problems.extend(missing(config, target, &process));
        }
    }
    if !problems.is_empty() {
        let rest = not_there(config, &problems);
        error.message = format!("{}\n{}", error.message, rest.message);
        if let (Some(serde_json::Value::Object(details)), Some(serde_json::Value::Object(more))) =
            (&mut error.details, rest.details)
        {
            details.extend(more);
        }
    }
    error
}

/// One process as it would be started now.
///
/// # Errors
/// It is not configured, or something that it needs to be resolved is missing; in words.
pub(crate) fn resolve_one(
    config: &Config,
    environment: &str,
    process: &str,
    variables: BTreeMap<String, String>,
) -> Result<Arc<ResolvedProcess>, String> {
    let only = Some(BTreeSet::from([process.to_owned()]));
    let resolved = resolve(config, environment, variables, only).map_err(|error| error.message)?;
    let found = resolved.processes.into_iter().find(|one| one.name == process);
    found.ok_or_else(|| "it is not configured any more".to_owned())
}

fn definition<'a>(
    environments: &'a BTreeMap<String, PreparedEnvironment>,
    target: &Target,
) -> Option<&'a Arc<ResolvedProcess>> {
    let environment = environments.get(&target.environment)?;
    environment.processes.iter().find(|process| process.name == target.process)
}

fn to_restart(
    wish: &Wish,
    present: &Present,
    named: &[Target],
    targets: &[Target],
    environments: &BTreeMap<String, PreparedEnvironment>,
) -> Vec<Target> {
    let changed = |target: &Target| {
        let Some(alive) = present.alive.get(target) else { return false };
        if wish.restart {
            return named.contains(target);
        }
        definition(environments, target)
            .is_some_and(|process| forge_config::resolve::fingerprint(process) != alive.fingerprint)
    };
    let mut restart: Vec<Target> = targets.iter().filter(|target| changed(target)).cloned().collect();
    if wish.restart {
        // What is named and does not run is started, and counts as restarted.
        restart.extend(named.iter().filter(|target| !present.alive.contains_key(target)).cloned());
    }
    restart
}

/// Something that is missing.
struct Problem {
    target: Target,
    text: String,
    help: Option<String>,
    place: Option<forge_config::model::Place>,
}

fn check(
    config: &Config,
    targets: &[&Target],
    environments: &BTreeMap<String, PreparedEnvironment>,
    present: &Present,
) -> Result<(), Error> {
    let mut problems = Vec::new();
    for target in targets {
        let Some(process) = definition(environments, target) else { continue };
        problems.extend(missing(config, target, process));
    }
    if !problems.is_empty() {
        return Err(not_there(config, &problems));
    }
    conflicts(targets, environments, present)
}

/// What a process needs and this machine does not have.
fn missing(config: &Config, target: &Target, process: &ResolvedProcess) -> Vec<Problem> {
    let declared = config.environments.get(&target.environment).and_then(|one| one.process(&target.process));
    let place = |key: &str| declared.and_then(|declared| declared.places.get(key).copied());
    let findings = machine::programs(process, None).into_iter().filter(|finding| !finding.ok);
    findings
        .map(|finding| Problem {
            target: target.clone(),
            place: place(finding.kind),
            text: finding.text,
            help: finding.help,
        })
        .collect()
}

fn not_there(config: &Config, problems: &[Problem]) -> Error {
    let file = config.file.strip_prefix(&config.root).unwrap_or(&config.file).display();
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| match problem.place {
            Some(place) => format!(
                "{}: {} ({file}:{}:{})",
                problem.target.process, problem.text, place.line, place.column
            ),
            None => format!("{}: {}", problem.target.process, problem.text),
        })
        .collect();
    let details: Vec<serde_json::Value> = problems
        .iter()
        .map(|problem| json!({ "process": problem.target.process, "message": problem.text }))
        .collect();
    let error = Error::new(Code::Missing, lines.join("\n")).details(json!({ "problems": details }));
    match problems.iter().find_map(|problem| problem.help.clone()) {
        Some(help) => error.help(help),
        None => error.help("nothing was started"),
    }
}

/// Ports that something else holds already.
fn conflicts(
    targets: &[&Target],
    environments: &BTreeMap<String, PreparedEnvironment>,
    present: &Present,
) -> Result<(), Error> {
    let wanted: Vec<(&Target, u16)> = targets
        .iter()
        .filter(|target| !present.alive.contains_key(target))
        .filter_map(|target| definition(environments, target).map(|process| (*target, process)))
        .flat_map(|(target, process)| process.ports.iter().map(move |port| (target, *port)))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let listening = Listening::read().map_err(|error| Error::system("the table of listeners", error))?;
    let mut texts = Vec::new();
    let mut details = Vec::new();
    for (target, port) in wanted {
        if let Some((pid, name)) = machine::holder(&listening, port) {
            texts.push(format!("port {port}, which {} needs, is in use by {name}", target.process));
            details.push(json!({ "process": target.process, "port": port, "pid": pid, "holder": name }));
        }
    }
    if texts.is_empty() {
        return Ok(());
    }
    Err(Error::new(Code::PortConflict, texts.join("\n"))
        .help("stop what holds it, or change `port`; nothing was started")
        .details(json!({ "conflicts": details })))
}
