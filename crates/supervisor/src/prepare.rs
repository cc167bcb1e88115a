//! Everything that is looked at before anything starts: the configuration, env files, folders, binaries, ports.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use forge_api::{Code, Error, OnConflict, PortHolder, Target};
use forge_config::model::{Config, Port, Process};
use forge_config::resolve::{Context, ResolvedProcess};
use forge_config::{Diagnostics, Workspace};
use serde_json::json;

use crate::conflict::{self, Conflict, Moved, Moves};
use crate::machine;
use crate::owned::Owned;
use crate::plan::{self, Known, KnownProcess, Purpose};

/// How long a login shell may take.
const LOGIN_SHELL: Duration = Duration::from_secs(5);

/// What the supervisor knows and the preparation needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Present {
    /// The folder of the user's own settings.
    pub settings: PathBuf,
    /// Of environments that run, by name.
    pub running: Vec<String>,
    /// Of processes with a live tree.
    pub alive: HashMap<Target, Alive>,
    /// What runs, of all workspaces.
    pub owned: Vec<Owned>,
    /// Ports that were moved before.
    pub moves: Moves,
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
    /// The user has typed it in the workspace: that is trust in what it runs.
    pub typed: bool,
    pub on_conflict: OnConflict,
    /// Those whom the user has agreed to end; `None`: whoever holds the ports.
    pub shown: Option<Vec<PortHolder>>,
}

/// Why nothing is started.
#[derive(Debug)]
pub(crate) struct Refused {
    pub error: Error,
    /// Empty, unless ports are in use.
    pub conflicts: Vec<Conflict>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, conflicts: Vec::new() }
    }
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
    pub moves: Moved,
    pub processes: Vec<Arc<ResolvedProcess>>,
}

/// The workspace around `folder`.
pub(crate) fn find(folder: &Path) -> Result<Workspace, Error> {
    forge_config::find(folder).ok_or_else(|| {
        Error::new(Code::NoWorkspace, format!("no .forge/processes.yml in {} or above", folder.display()))
            .help("make one there, or name a folder with `-C DIR`")
    })
}

/// Its configuration, over the user's own settings in Forge's configuration folder.
pub(crate) fn load(workspace: &Workspace, settings: &Path) -> Result<Config, Error> {
    forge_config::load_settings(settings)
        .and_then(|user| forge_config::load_over(workspace, &user))
        .map_err(|diagnostics| configuration(&diagnostics))
}

/// What is wrong with a configuration, as an answer.
pub fn configuration(diagnostics: &Diagnostics) -> Error {
    Error::new(Code::Configuration, diagnostics.summary())
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
pub(crate) async fn prepare(wish: Wish, present: Present) -> Result<Prepared, Refused> {
    let loaded = blocking({
        let (folder, settings) = (wish.workspace.clone(), present.settings.clone());
        move || {
            let workspace = find(&folder)?;
            let config = load(&workspace, &settings)?;
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
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
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
) -> Result<Prepared, Refused> {
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
    let scope = Scope { wish, present, config: &config, named: &named, targets: &targets, variables };
    let (environments, restart) = scope.resolved(&workspace.root)?;
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

/// What a start is about, and everything that is known before ports are looked at.
struct Scope<'a> {
    wish: &'a Wish,
    present: &'a Present,
    config: &'a Config,
    named: &'a [Target],
    targets: &'a [Target],
    variables: Option<BTreeMap<String, String>>,
}

type Resolved = BTreeMap<String, PreparedEnvironment>;

impl Scope<'_> {
    /// All that is touched, with what is to be restarted; ports are moved, or made free, as was wished.
    fn resolved(&self, root: &Path) -> Result<(Resolved, Vec<Target>), Refused> {
        let mut moves = self.present.moves.clone();
        let mut on_conflict = self.wish.on_conflict;
        loop {
            let environments = self.environments(&moves)?;
            let restart = to_restart(self.wish, self.present, self.named, self.targets, &environments);
            let alive = |target: &&Target| self.present.alive.contains_key(target);
            let fresh: Vec<&Target> =
                self.targets.iter().filter(|target| !alive(target) || restart.contains(target)).collect();
            check(self.config, &fresh, &environments)?;
            let wanted = self.targets.iter().filter(|target| !alive(target));
            let wanted =
                wanted.filter_map(|target| Some((target, definition(&environments, target)?.as_ref())));
            let spoken_for = spoken_for(self.config, &environments, &moves);
            let conflicts = conflict::find(wanted, root, &self.present.owned, spoken_for)?;
            if conflicts.is_empty() {
                return Ok((environments, restart));
            }
            match on_conflict {
                OnConflict::Fail => {
                    return Err(Refused { error: conflict::refusal(&conflicts, root), conflicts });
                }
                OnConflict::Kill => conflict::end_holders(&conflicts, root, self.wish.shown.as_deref())?,
                OnConflict::Next => conflict::move_on(&conflicts, root, &mut moves)?,
            }
            // Once is enough: whoever is there again would be so for ever.
            on_conflict = OnConflict::Fail;
        }
    }

    fn environments(&self, moves: &Moves) -> Result<Resolved, Error> {
        let mut environments = Resolved::new();
        for target in self.targets {
            let name = &target.environment;
            if environments.contains_key(name) {
                continue;
            }
            let variables = self.variables.clone();
            let variables = variables
                .or_else(|| self.present.variables.get(name).cloned())
                .unwrap_or_else(crate::environment::own);
            let concerned = self.targets.iter().filter(|other| other.environment == *name);
            let only = concerned.map(|other| other.process.clone()).collect();
            let ports = moves.get(name).cloned().unwrap_or_default();
            let resolved = resolve(self.config, name, variables.clone(), Some(only), ports)
                .map_err(|error| with_the_rest(error, self.config, self.targets, &variables))?;
            environments.insert(name.clone(), resolved);
        }
        Ok(environments)
    }
}

/// Every port that something in the workspace asks for, or was moved to.
fn spoken_for(config: &Config, resolved: &Resolved, moves: &Moves) -> BTreeSet<u16> {
    let declared = config.environments.values().flat_map(|environment| &environment.processes);
    let declared = declared.flat_map(|process| &process.ports).filter_map(Port::number);
    let resolved = resolved.values().flat_map(|environment| &environment.processes);
    let resolved = resolved.flat_map(|process| process.ports.iter().copied());
    let moved = moves.values().flat_map(BTreeMap::values).flat_map(BTreeMap::values).copied();
    declared.chain(resolved).chain(moved).collect()
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
    ports: Moved,
) -> Result<PreparedEnvironment, Error> {
    let context = Context { variables, only, ports, ..Context::default() };
    let resolved =
        forge_config::resolve(config, environment, &context).map_err(|errors| configuration(&errors))?;
    let processes = resolved.processes.into_iter().map(Arc::new).collect();
    Ok(PreparedEnvironment { variables: context.variables, processes, moves: context.ports })
}

/// An error of some processes' configuration, and what the others miss: all of it at once.
fn with_the_rest(
    mut error: Error,
    config: &Config,
    targets: &[Target],
    variables: &BTreeMap<String, String>,
) -> Error {
    // For none of them its errors count: what the others and they themselves need is looked for all the same.
    let names: BTreeSet<&str> = targets.iter().map(|target| target.environment.as_str()).collect();
    let resolved: Resolved = names
        .into_iter()
        .filter_map(|name| {
            let none = Some(BTreeSet::new());
            Some((name.to_owned(), resolve(config, name, variables.clone(), none, Moved::new()).ok()?))
        })
        .collect();
    let problems: Vec<Problem> = targets
        .iter()
        .filter_map(|target| Some((target, definition(&resolved, target)?)))
        .flat_map(|(target, process)| missing(config, target, process))
        .collect();
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
    moves: Moved,
) -> Result<Arc<ResolvedProcess>, String> {
    let only = Some(BTreeSet::from([process.to_owned()]));
    let resolved = resolve(config, environment, variables, only, moves).map_err(|error| error.message)?;
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
) -> Result<(), Error> {
    let mut problems = Vec::new();
    for target in targets {
        let Some(process) = definition(environments, target) else { continue };
        problems.extend(missing(config, target, process));
    }
    if problems.is_empty() { Ok(()) } else { Err(not_there(config, &problems)) }
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
