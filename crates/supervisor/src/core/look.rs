//! How an environment stands, for faces.

use std::collections::BTreeMap;
use std::path::Path;

use forge_api::{Error, HealthState, ProcessStatus, Status, Warning};
use forge_config::Config;
use forge_config::model::Port;
use forge_system::metrics::Sampler;
use forge_system::ports::Listening;
use forge_system::process::ProcessId;
use forge_system::tree::Tree;

use super::loaded::Fingerprints;
use super::{Core, EnvironmentKey, Key, Process};
use crate::listening::{is_held, ports_of};
use crate::process::lifecycle::Phase;
use crate::words;

/// Events in a status.
const RECENT: usize = 20;

/// How an environment stands; ports are still to be looked up.
pub(crate) struct Look {
    status: Status,
    /// The trees of those that run, by their place in the status.
    trees: Vec<(usize, Tree, Option<Vec<u16>>)>,
    /// The user wants costs measured.
    sampling: bool,
}

impl Look {
    /// Looks up what the trees listen on. Reads the system's tables: not for the core's own thread.
    pub(crate) fn status(mut self) -> Status {
        let listening = if self.trees.is_empty() { Ok(Listening::default()) } else { Listening::read() };
        for (index, mut tree, container) in self.trees {
            let (Ok(listening), Some(process)) = (&listening, self.status.processes.get_mut(index)) else {
                continue;
            };
            if process.pid.is_none() {
                // The command of a daemon has returned; what it left is the process.
                process.pid = chief(&mut tree).filter(|_| process.status.is_alive()).map(|chief| chief.pid);
            }
            // An engine may know one figure of a container and not the other: what it does not know is not its client's.
            let is_measured = process.memory_bytes.is_some() || process.threads.is_some();
            if !is_measured && self.sampling {
                add_memory(process, &tree);
            }
            let mut ports = ports_of(listening, &mut tree);
            for port in container.unwrap_or_default() {
                if !ports.contains(&port) && is_held(listening, port) {
                    ports.push(port);
                }
            }
            // It was ready, and has closed its port since.
            if process.health.state == HealthState::None && !process.one_shot {
                process.ready &= process.declared_ports.iter().all(|port| ports.contains(port));
            }
            process.ports = ports;
        }
        let meant = |process: &&ProcessStatus| process.wanted || process.status.is_alive();
        self.status.ready = self.status.processes.iter().any(|process| meant(&process))
            && self.status.processes.iter().filter(meant).all(|process| process.ready);
        self.status
    }
}

impl Core {
    pub(super) fn looks(&mut self, folder: Option<&Path>) -> Vec<Look> {
        let keys = match folder.map(|folder| self.workspace_of(folder)) {
            None => self.shown_environments(),
            Some(root) => {
                let wanted = |key: &&EnvironmentKey| root.as_ref().is_ok_and(|root| key.workspace == *root);
                self.environments.keys().filter(wanted).cloned().collect()
            }
        };
        keys.iter().map(|key| self.look(key)).collect()
    }

    /// How the environment stands.
    pub(crate) fn look(&mut self, key: &EnvironmentKey) -> Look {
        let config = self.loaded(&key.workspace);
        let fingerprints = config.as_ref().ok().and_then(|config| self.fingerprints(key, config).ok());
        let mut processes = Vec::new();
        let mut trees = Vec::new();
        if let Some(environment) = self.environments.get(key) {
            let shown =
                |(name, process): &(&String, &Process)| is_shown(process, name, key, config.as_deref().ok());
            for (name, process) in environment.processes.iter().filter(shown) {
                let mut status = process.status(name, self.waiting_on(&Key::new(key, name)));
                let message = status.message.or_else(|| self.waiting_message(key, &status.waiting_on));
                status.message = message.or_else(|| super::cause::keeps_its_old_port(process));
                let running = process.since.filter(|_| status.started_at.is_some());
                status.uptime_seconds =
                    running.map(|since| (since.elapsed().as_secs_f64() * 1000.0).round() / 1000.0);
                process.add_cost(&mut status);
                status.outdated = is_outdated(process, name, fingerprints.as_deref());
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
        let mut warnings =
            warnings(&processes, config.as_ref().err(), self.environments.get(key).map(|one| &one.processes));
        warnings.extend(self.told_warnings(key));
        warnings.extend(self.alert_warnings(key));
        for warning in &mut warnings {
            warning.muted = self.is_muted(key, warning.process.as_deref(), &warning.kind);
        }
        let status = Status {
            workspace: key.workspace.clone(),
            environment: key.environment.clone(),
            // Said once the ports are looked up.
            ready: false,
            supervisor: self.supervisor.clone(),
            processes,
            events: self.recent(key),
            warnings,
            muted: self.muted(key),
            url: self.environments.get(key).and_then(url),
            machine: self.machine.clone(),
        };
        Look { status, trees, sampling: self.sampling.is_some() }
    }

    /// By time: what a log tells has its line's, and is heard a moment later.
    fn recent(&self, key: &EnvironmentKey) -> Vec<forge_api::Event> {
        let all = self.history.of(key);
        let skip = all.len().saturating_sub(RECENT);
        let mut recent: Vec<forge_api::Event> = all.skip(skip).cloned().collect();
        recent.sort_by_key(|event| event.time);
        recent
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
}

/// What to open of those that are meant to run.
pub(super) fn url(environment: &super::Environment) -> Option<String> {
    let wanted = environment.processes.values().filter(|process| process.machine.wanted);
    forge_config::front(wanted.filter_map(|process| process.definition.as_deref()))?.url()
}

/// It has begun since the last look at what it costs: of that, only CPU time needs two looks.
fn add_memory(process: &mut ProcessStatus, tree: &Tree) {
    if let [((), sample)] = Sampler::for_one_look().sample(&mut [((), tree.clone())]).as_slice() {
        process.memory_bytes = sample.memory_bytes;
        process.threads = sample.threads;
        process.open_files = sample.open_files;
        process.open_files_limit = sample.fullest.map(|fullest| fullest.limit);
        process.disk_read_bytes = sample.disk_read_bytes;
        process.disk_written_bytes = sample.disk_written_bytes;
        process.net_received_bytes = sample.net_received_bytes;
        process.net_sent_bytes = sample.net_sent_bytes;
    }
}

/// The oldest live process of a tree.
pub(super) fn chief(tree: &mut Tree) -> Option<ProcessId> {
    let members = tree.members().unwrap_or_default();
    members
        .iter()
        .filter(|member| !member.is_zombie())
        .map(|member| member.id)
        .min_by_key(|id| (id.start, id.pid))
}

pub(super) fn is_outdated(process: &Process, name: &str, now: Option<&Fingerprints>) -> bool {
    let (Some(run), Some(now)) = (&process.run, now) else { return false };
    now.get(name) != Some(&run.fingerprint)
}

/// What is configured and was never started.
pub(super) fn is_configured(config: &Config, environment: &str, process: &str) -> bool {
    let environment = config.environments.get(environment);
    environment.is_some_and(|environment| environment.processes.iter().any(|one| one.name == process))
}

/// What is neither configured nor active is gone: it can't be started.
pub(super) fn is_shown(process: &Process, name: &str, key: &EnvironmentKey, config: Option<&Config>) -> bool {
    let configured = |config: &Config| is_configured(config, &key.environment, name);
    process.is_known() && (process.is_active() || config.is_none_or(configured))
}

pub(super) fn add_configured(
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
        warnings.push(Warning::new(process, kind, text));
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
