//! What faces ask: each operation, and how things stand.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use forge_api::{
    Code, Done, EnvironmentSummary, EnvironmentsAnswer, Error, EventLevel, GetStatus, HealthState,
    ProcessStatus, Request, Status, Subscribed, Target, Warning,
};
use forge_config::Config;
use forge_config::model::Port;
use forge_keeper::message::Request as KeeperRequest;
use forge_system::ports::Listening;
use forge_system::process::Signal;
use forge_system::tree::Tree;
use serde::Serialize;

use super::stop::key_of;
use super::{Core, Ending, EnvironmentKey, Key, Process, Reply};
use crate::listening::ports_of;
use crate::plan::{self, Purpose};
use crate::prepare::{self, Wish};
use crate::process::lifecycle::Phase;
use crate::words;

/// Events in a status.
const RECENT: usize = 20;

/// Bytes of input that one request to a keeper carries.
const INPUT: usize = 256 * 1024;

/// A configuration that was read, and by what it is known to have changed since.
pub(crate) struct Loaded {
    stamps: Vec<(PathBuf, Stamp)>,
    result: Result<Arc<Config>, Error>,
    /// What would be run now, by environment and process.
    fingerprints: HashMap<String, HashMap<String, String>>,
}

type Stamp = Option<(SystemTime, u64)>;

/// How an environment stands; ports are still to be looked up.
pub(crate) struct Look {
    status: Status,
    /// The trees of those that run, by their place in the status.
    trees: Vec<(usize, Tree, Option<Vec<u16>>)>,
}

impl Look {
    /// Looks up what the trees listen on. Reads the system's tables: not for the core's own thread.
    pub(crate) fn status(mut self) -> Status {
        let listening = if self.trees.is_empty() { Ok(Listening::default()) } else { Listening::read() };
        for (index, mut tree, container) in self.trees {
            let (Ok(listening), Some(process)) = (&listening, self.status.processes.get_mut(index)) else {
                continue;
            };
            let mut ports = ports_of(listening, &mut tree);
            for port in container.unwrap_or_default() {
                if !ports.contains(&port) && listening.on(port).next().is_some() {
                    ports.push(port);
                }
            }
            process.ports = ports;
        }
        self.status
    }
}

impl Core {
    pub(super) fn asked(&mut self, request: Request, reply: Reply) {
        match request {
            Request::Start(start) => {
                let wish = Wish {
                    workspace: start.workspace,
                    names: start.names,
                    variables: start.variables,
                    restart: false,
                };
                self.start(wish, reply);
            }
            Request::Restart(restart) => {
                let wish = Wish {
                    workspace: restart.workspace,
                    names: restart.names,
                    variables: restart.variables,
                    restart: true,
                };
                self.start(wish, reply);
            }
            Request::StartWait(wait) => self.start_wait(wait.ticket, wait.timeout_ms, reply),
            Request::StartCancel(cancel) => self.start_cancel(cancel.ticket, reply),
            Request::Stop(stop) => self.stop(&stop.workspace, &stop.names, stop.all, reply),
            Request::Kill(kill) => self.kill(&kill.workspace, &kill.names, reply),
            Request::GetStatus(get) => self.get_status(&get, reply),
            Request::Environments(_) => answer(reply, Ok(self.summaries())),
            Request::Signal(signal) => answer(reply, self.signal(&signal)),
            Request::SendText(send) => answer(reply, self.send_text(&send)),
            Request::HandOver(_) => {
                self.ending = Some(Ending::HandedOver);
                answer(reply, Ok(Done {}));
            }
            Request::Leave(_) => {
                self.ending = Some(Ending::Left);
                answer(reply, Ok(Done {}));
            }
            Request::Subscribe(subscribe) => {
                let looks = self.looks(subscribe.workspace.as_deref());
                tokio::task::spawn_blocking(move || {
                    let environments = looks.into_iter().map(Look::status).collect();
                    answer(reply, Ok(Subscribed { environments }));
                });
            }
            // A connection answers these by itself.
            Request::Hello(_)
            | Request::Attach(_)
            | Request::AttachInput(_)
            | Request::AttachResize(_)
            | Request::Detach(_)
            | Request::LogsRead(_)
            | Request::Unsubscribe(_) => answer(reply, Ok(Done {})),
        }
    }

    /// The workspace around a folder: by its configuration, or, where that is gone, by what was started there.
    pub(crate) fn workspace_of(&self, folder: &Path) -> Result<PathBuf, Error> {
        let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
        let found = prepare::find(&folder);
        if let Ok(workspace) = found {
            return Ok(workspace.root);
        }
        let known = self.environments.keys().map(|key| &key.workspace);
        let around = known.filter(|root| folder.starts_with(root)).max_by_key(|root| root.as_os_str().len());
        match around {
            Some(root) => Ok(root.clone()),
            None => found.map(|workspace| workspace.root),
        }
    }

    /// Environments of the workspace with something active.
    pub(super) fn running(&self, root: &Path) -> Vec<String> {
        let environments = self.environments.iter().filter(|(key, _)| key.workspace == root);
        let active = environments.filter(|(_, one)| one.processes.values().any(Process::is_active));
        active.map(|(key, _)| key.environment.clone()).collect()
    }

    /// The configuration as it stands in the file now; read again only when a file of it has changed.
    pub(crate) fn loaded(&mut self, root: &Path) -> Result<Arc<Config>, Error> {
        if let Some(loaded) = self.loaded.get(root)
            && loaded.stamps.iter().all(|(path, stamp)| stamp_of(path) == *stamp)
        {
            return loaded.result.clone();
        }
        let workspace = prepare::find(root).and_then(|workspace| {
            // One further up is another workspace.
            if workspace.root == root {
                Ok(workspace)
            } else {
                prepare::find(&root.join(".forge")).map(|_| workspace)
            }
        });
        let mut paths =
            vec![root.join(".forge/processes.yml"), root.join(".forge/processes.yaml"), root.join(".env")];
        let result = workspace.and_then(|workspace| prepare::load(&workspace)).map(Arc::new);
        if let Ok(config) = &result {
            let processes = config.environments.values().flat_map(|environment| &environment.processes);
            paths.extend(processes.flat_map(|process| &process.env_files).map(|file| root.join(file)));
        }
        let stamps = paths.into_iter().map(|path| (path.clone(), stamp_of(&path))).collect();
        let loaded = Loaded { stamps, result: result.clone(), fingerprints: HashMap::new() };
        self.loaded.insert(root.to_path_buf(), loaded);
        result
    }

    /// What would be run now, to compare with what runs.
    fn fingerprints(&mut self, key: &EnvironmentKey) -> Result<HashMap<String, String>, Error> {
        let config = self.loaded(&key.workspace)?;
        if let Some(known) =
            self.loaded.get(&key.workspace).and_then(|one| one.fingerprints.get(&key.environment))
        {
            return Ok(known.clone());
        }
        let variables =
            self.environments.get(key).map(|environment| environment.variables.clone()).unwrap_or_default();
        let resolved = prepare::resolve(&config, &key.environment, variables, Some(BTreeSet::new()))?;
        let fingerprints: HashMap<String, String> = resolved
            .processes
            .iter()
            .map(|process| (process.name.clone(), forge_config::resolve::fingerprint(process)))
            .collect();
        if let Some(loaded) = self.loaded.get_mut(&key.workspace) {
            loaded.fingerprints.insert(key.environment.clone(), fingerprints.clone());
        }
        Ok(fingerprints)
    }

    /// Variables of an environment have changed: compare anew.
    pub(super) fn forget_fingerprints(&mut self, root: &Path) {
        if let Some(loaded) = self.loaded.get_mut(root) {
            loaded.fingerprints.clear();
        }
    }

    pub(super) fn log_quota(&mut self, root: &Path) -> u64 {
        self.loaded(root).map_or_else(
            |_| forge_config::model::Settings::default().log_quota,
            |config| config.settings.log_quota,
        )
    }

    fn get_status(&mut self, get: &GetStatus, reply: Reply) {
        match self.status_key(get) {
            Ok(key) => {
                let look = self.look(&key);
                tokio::task::spawn_blocking(move || answer(reply, Ok(look.status())));
            }
            Err(error) => answer::<Status>(reply, Err(error)),
        }
    }

    fn status_key(&mut self, get: &GetStatus) -> Result<EnvironmentKey, Error> {
        let (root, known) = self.known(&get.workspace)?;
        let environment = match &get.environment {
            Some(name) => {
                known.iter().find(|one| one.name == name.trim_end_matches('/')).ok_or_else(|| {
                    let names: Vec<&str> = known.iter().map(|one| one.name.as_str()).collect();
                    Error::new(Code::NotFound, format!("no environment is called `{name}`"))
                        .help(format!("there are: {}", names.join(", ")))
                })?
            }
            None => match plan::default_environment(&known, Purpose::Other) {
                Ok(environment) => environment,
                // With a file that says nothing of environments, it is the file that is to be mended.
                Err(error) => return Err(self.loaded(&root).err().unwrap_or(error)),
            },
        };
        Ok(EnvironmentKey { workspace: root, environment: environment.name.clone() })
    }

    fn looks(&mut self, folder: Option<&Path>) -> Vec<Look> {
        let root = folder.and_then(|folder| self.workspace_of(folder).ok());
        let wanted = |key: &&EnvironmentKey| root.as_ref().is_none_or(|root| key.workspace == *root);
        let keys: Vec<EnvironmentKey> = self.environments.keys().filter(wanted).cloned().collect();
        keys.iter().map(|key| self.look(key)).collect()
    }

    /// How the environment stands.
    pub(crate) fn look(&mut self, key: &EnvironmentKey) -> Look {
        let config = self.loaded(&key.workspace);
        let fingerprints = self.fingerprints(key);
        let mut processes = Vec::new();
        let mut trees = Vec::new();
        if let Some(environment) = self.environments.get(key) {
            for (name, process) in environment.processes.iter().filter(|(_, process)| is_known(process)) {
                let mut status = process.status(name, self.waiting_on(&Key::new(key, name)));
                status.message = status.message.or_else(|| self.waiting_message(key, &status.waiting_on));
                let running = process.since.filter(|_| status.started_at.is_some());
                status.uptime_seconds = running.map(|since| since.elapsed().as_secs_f64());
                status.outdated = is_outdated(process, name, fingerprints.as_ref().ok());
                if let Some(tree) = process.tree() {
                    let container = process.run.as_ref().is_some_and(|run| run.container);
                    trees.push((processes.len(), tree, container.then(|| status.declared_ports.clone())));
                }
                processes.push(status);
            }
        }
        if let Ok(config) = &config {
            add_configured(config, &key.environment, &mut processes, &mut trees);
        }
        let warnings =
            warnings(&processes, config.as_ref().err(), self.environments.get(key).map(|one| &one.processes));
        let meant = |process: &&ProcessStatus| process.wanted || process.status.is_alive();
        let ready = processes.iter().any(|process| meant(&process))
            && processes.iter().filter(meant).all(|process| process.ready);
        let status = Status {
            workspace: key.workspace.clone(),
            environment: key.environment.clone(),
            ready,
            supervisor: self.supervisor.clone(),
            processes,
            events: self.recent(key),
            warnings,
            url: self.environments.get(key).and_then(url),
        };
        Look { status, trees }
    }

    fn recent(&self, key: &EnvironmentKey) -> Vec<forge_api::Event> {
        match self.environments.get(key) {
            Some(environment) => {
                let skip = environment.events.len().saturating_sub(RECENT);
                environment.events.iter().skip(skip).cloned().collect()
            }
            None => {
                let all = self.history.of(key);
                all.iter().skip(all.len().saturating_sub(RECENT)).cloned().collect()
            }
        }
    }

    /// "waiting for db, which failed".
    fn waiting_message(&self, key: &EnvironmentKey, waiting_on: &[String]) -> Option<String> {
        if waiting_on.is_empty() {
            return None;
        }
        let parts: Vec<String> = waiting_on
            .iter()
            .map(|name| match self.process(&Key::new(key, name)) {
                None => format!("{name}, which is not configured"),
                Some(process) => match process.machine.phase {
                    Phase::Failed { .. } => format!("{name}, which failed"),
                    Phase::Crashed { .. } => format!("{name}, which crashed"),
                    Phase::Exited { .. } => format!("{name}, which has exited"),
                    Phase::Stopped => format!("{name}, which is stopped"),
                    Phase::Restarting { .. } => format!("{name}, which crashed and restarts"),
                    Phase::Running { .. } if process.health.state == HealthState::Unhealthy => {
                        format!("{name}, which is unhealthy")
                    }
                    _ => name.clone(),
                },
            })
            .collect();
        Some(format!("waiting for {}", parts.join(" and ")))
    }

    fn summaries(&self) -> EnvironmentsAnswer {
        let environments = self
            .environments
            .iter()
            .map(|(key, environment)| EnvironmentSummary {
                workspace: key.workspace.clone(),
                environment: key.environment.clone(),
                processes: count(environment.processes.len()),
                running: count(environment.processes.values().filter(|process| process.is_held()).count()),
                ready: count(environment.processes.values().filter(|process| process.ready).count()),
            })
            .collect();
        EnvironmentsAnswer { environments }
    }

    /// The one process that a name means.
    pub(crate) fn one(&mut self, folder: &Path, name: &str) -> Result<Key, Error> {
        let (root, known) = self.known(folder)?;
        let targets = plan::targets(&[name.to_owned()], &known, Purpose::Other)?;
        match targets.as_slice() {
            [target] => Ok(key_of(&root, target.clone())),
            many => {
                let choices: Vec<String> = many.iter().map(shown).collect();
                Err(Error::new(
                    Code::Ambiguous,
                    format!("`{name}` is more than one process: {}", choices.join(", ")),
                )
                .help("name one of them")
                .details(serde_json::json!({ "choices": choices })))
            }
        }
    }

    /// The one process that a name means, running.
    pub(crate) fn one_running(&mut self, folder: &Path, name: &str) -> Result<Key, Error> {
        let key = self.one(folder, name)?;
        let running = self.process(&key).is_some_and(|process| {
            process.run.is_some()
                && matches!(
                    process.machine.phase,
                    Phase::Starting | Phase::Running { .. } | Phase::Stopping { .. }
                )
        });
        if running {
            return Ok(key);
        }
        Err(Error::new(Code::NotRunning, format!("{} does not run", key.process))
            .help(format!("start it with `forge start {}`", key.process)))
    }

    fn signal(&mut self, signal: &forge_api::Signal) -> Result<Done, Error> {
        let number: Signal = signal.signal.parse().map_err(|_| {
            Error::new(Code::Usage, format!("`{}` is no signal", signal.signal))
                .help("a name as in `kill -l`, e.g. SIGHUP, or a number")
        })?;
        let key = self.one_running(&signal.workspace, &signal.name)?;
        self.to_keeper(&key, KeeperRequest::Signal { signal: number.as_raw() });
        self.record(&key, EventLevel::Info, "signalled", words::signal(number.as_raw()));
        Ok(Done {})
    }

    fn send_text(&mut self, send: &forge_api::SendText) -> Result<Done, Error> {
        let key = self.one_running(&send.workspace, &send.name)?;
        for part in send.text.as_bytes().chunks(INPUT) {
            self.to_keeper(&key, KeeperRequest::Input { data: forge_keeper::base64::encode(part) });
        }
        Ok(Done {})
    }

    fn to_keeper(&self, key: &Key, request: KeeperRequest) {
        if let Some(run) = self.process(key).and_then(|process| process.run.as_ref()) {
            let _ = run.requests.send(request);
        }
    }
}

/// Answers with `result`.
pub(super) fn answer<T: Serialize>(reply: Reply, result: Result<T, Error>) {
    let result = result.and_then(|answer| {
        serde_json::to_value(answer).map_err(|error| Error::system("the answer could not be written", error))
    });
    // Whoever asked may have gone.
    let _ = reply.send(result);
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn shown(target: &Target) -> String {
    format!("{}/{}", target.environment, target.process)
}

fn stamp_of(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// What to open of those that are meant to run.
fn url(environment: &super::Environment) -> Option<String> {
    let wanted = environment.processes.values().filter(|process| process.machine.wanted);
    forge_config::front(wanted.filter_map(|process| process.definition.as_deref()))?.url()
}

/// Started at some time, or known to have been; the others stand in the configuration.
fn is_known(process: &Process) -> bool {
    process.definition.is_some() || process.is_active() || process.number > 0
}

fn is_outdated(process: &Process, name: &str, now: Option<&HashMap<String, String>>) -> bool {
    let (Some(run), Some(now)) = (&process.run, now) else { return false };
    now.get(name) != Some(&run.fingerprint)
}

/// What is configured and was never started.
fn add_configured(
    config: &Config,
    environment: &str,
    processes: &mut Vec<ProcessStatus>,
    trees: &mut [(usize, Tree, Option<Vec<u16>>)],
) {
    let Some(configured) = config.environments.get(environment) else { return };
    let blank = Process::default();
    for process in &configured.processes {
        if processes.iter().any(|known| known.name == process.name) {
            continue;
        }
        let mut status = blank.status(&process.name, Vec::new());
        status.declared_ports = process.ports.iter().filter_map(Port::number).collect();
        status.disabled = process.disabled;
        status.groups.clone_from(&process.groups);
        status.one_shot = process.one_shot;
        status.tty = process.tty;
        processes.push(status);
    }
    let order: BTreeMap<&str, usize> = configured
        .processes
        .iter()
        .enumerate()
        .map(|(index, process)| (process.name.as_str(), index))
        .collect();
    let place = |name: &str| order.get(name).copied().unwrap_or(usize::MAX);
    let names: Vec<String> = processes.iter().map(|process| process.name.clone()).collect();
    processes.sort_by_key(|process| place(&process.name));
    for (index, ..) in trees {
        let name = names.get(*index);
        *index = processes.iter().position(|process| Some(&process.name) == name).unwrap_or(*index);
    }
}

fn warnings(
    processes: &[ProcessStatus],
    configuration: Option<&Error>,
    known: Option<&indexmap::IndexMap<String, Process>>,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |process: Option<&str>, kind: &str, text: String| {
        warnings.push(Warning { process: process.map(str::to_owned), kind: kind.to_owned(), text });
    };
    if let Some(error) = configuration {
        warn(
            None,
            "configuration",
            format!("the configuration cannot be used; what runs is left alone: {}", error.message),
        );
    }
    for process in processes {
        if process.outdated {
            let text =
                "its configuration has changed since it was started; `forge start` applies it".to_owned();
            warn(Some(&process.name), "outdated", text);
        }
        if process.health.state == HealthState::Unhealthy && process.status.is_alive() {
            let text = process.health.message.clone().unwrap_or_else(|| "its health check fails".to_owned());
            warn(Some(&process.name), "unhealthy", text);
        }
        let left = known.and_then(|known| known.get(&process.name)).map(|process| &process.machine.phase);
        if let Some(Phase::Exited { left } | Phase::Crashed { left, .. } | Phase::Failed { left, .. }) = left
            && !left.is_empty()
        {
            warn(Some(&process.name), "left_running", format!("{} still runs", words::left(left)));
        }
    }
    warnings
}

impl Core {
    /// The logs that a query is about.
    pub(crate) fn log_sources(
        &mut self,
        query: &forge_api::LogQuery,
        follow: bool,
    ) -> Result<Vec<crate::logs::Source>, Error> {
        let (root, known) = self.known(&query.workspace)?;
        let targets = plan::targets(&query.names, &known, Purpose::Other)?;
        let mut sources = Vec::new();
        for target in targets {
            let key = key_of(&root, target.clone());
            let folder = super::act::log_folder(&self.home.logs(), &key);
            let growth = match self.process(&key) {
                Some(process) => process.log_end.subscribe(),
                None => self.never_started(&key).log_end.subscribe(),
            };
            if follow {
                self.to_keeper(&key, KeeperRequest::Follow);
            }
            sources.push(crate::logs::Source { target, folder, growth });
        }
        Ok(sources)
    }

    /// A place for a process that is configured, so that whoever follows it hears when it is started.
    fn never_started(&mut self, key: &Key) -> &Process {
        let history = self.history.of(&key.environment);
        let environment = self.environments.entry(key.environment.clone()).or_default();
        if environment.events.is_empty() {
            environment.events = history;
        }
        environment.processes.entry(key.process.clone()).or_default()
    }

    /// The keeper's socket of a process with a terminal; `None` while it is being started.
    pub(crate) fn terminal_of(
        &mut self,
        folder: &Path,
        name: &str,
    ) -> Result<Option<(Target, PathBuf)>, Error> {
        let key = self.one_running(folder, name)?;
        let Some(process) = self.process(&key) else { return Ok(None) };
        match &process.run {
            Some(run) if !run.tty => {
                Err(Error::new(Code::Unsupported, format!("{} has no terminal to attach to", key.process))
                    .help(format!(
                        "give it `tty: true` in processes.yml, then `forge start {}`",
                        key.process
                    )))
            }
            Some(run) if process.pid.is_some() => Ok(Some((key.target(), run.socket.clone()))),
            _ => Ok(None),
        }
    }
}
