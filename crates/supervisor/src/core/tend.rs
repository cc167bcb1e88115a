//! What runs beside a process while it does: health checks, file watches, the look at its ports.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use forge_api::{EventLevel, Health, HealthState, Time};
use forge_config::model::{HealthCheck, Probe};
use forge_config::resolve::ResolvedProcess;
use forge_keeper::message::Request;
use forge_system::ports::Listening;
use forge_system::tree::Tree;
use regex::Regex;
use tokio::task::AbortHandle;

use super::act::runs;
use super::inspect::why;
use super::record::Moment;
use super::{Core, Key, Message, Process};
use crate::listening::{Change, Heard, Interest, ports_of};
use crate::logs::Search;
use crate::metrics::HealthHistory;
use crate::probe;
use crate::process::lifecycle::Input;
use crate::watch::{FileWatch, WatchError};

/// After it has become ready, what a process listens on is looked at so much later.
const PORT_LOOKS: [Duration; 2] = [Duration::from_millis(1500), Duration::from_secs(8)];

/// Where a process's commands run.
pub(super) fn context(definition: &ResolvedProcess) -> probe::Context {
    probe::Context {
        cwd: definition.cwd.clone(),
        env: definition.variables().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

impl Core {
    /// Starts what belongs beside a running process, and ends what belongs beside one that no longer runs.
    pub(super) fn tend(&mut self, key: &Key) {
        self.watch_cost(key);
        let Some(process) = self.process_mut(key) else { return };
        if !runs(&process.machine.phase) {
            process.untend();
            if let Some(run) = process.run.as_ref().map(|run| run.id.clone()) {
                self.forget_ports(run);
            }
            return;
        }
        let (Some(definition), Some(run)) = (process.definition.clone(), process.run.as_ref()) else {
            return;
        };
        let run = run.id.clone();
        let unchecked = process.probe.is_none() && process.log_probe.is_none();
        if let Some(check) = definition.health_check.clone().filter(|_| unchecked) {
            self.check_health(key, &run, &definition, check);
        }
        self.watch_gauges(key, &run, &definition);
        self.watch_container(key, &run, &definition);
        self.watch_log(key, &definition);
        self.watch_files(key, &run, &definition);
        self.watch_ports(key, run, &definition);
    }

    fn check_health(&mut self, key: &Key, run: &str, definition: &ResolvedProcess, check: HealthCheck) {
        let handle = self.handle.clone();
        let Some(process) = self.process_mut(key) else { return };
        if let Probe::Log(pattern) = &check.probe {
            let task = self.search(key, pattern);
            if let Some(process) = self.process_mut(key) {
                process.log_probe = task;
            }
            return;
        }
        let report_key = key.clone();
        let report_run = run.to_owned();
        let context = context(definition);
        let started = process.since.unwrap_or_else(Instant::now);
        let (known, nudge) = (process.health.state, Arc::clone(&process.nudge));
        process.probe = Some(probe::spawn(check, context, started, known, nudge, move |report| {
            handle.tell(Message::Health { key: report_key.clone(), run: report_run.clone(), report });
        }));
    }

    /// Looks for the line in the output of the present run that makes it healthy.
    fn search(&mut self, key: &Key, pattern: &str) -> Option<AbortHandle> {
        let folder = super::act::log_folder(&self.home.logs(), key);
        let handle = self.handle.clone();
        let process = self.process_mut(key)?;
        let growth = process.log_end.subscribe();
        let _ = process.run.as_ref()?.requests.send(Request::Follow);
        // The configuration was checked: it is a regular expression.
        let pattern = Regex::new(pattern).ok()?;
        let search = Search { key: key.clone(), run: process.number, folder, pattern };
        Some(tokio::spawn(crate::logs::search(handle, search, growth)).abort_handle())
    }

    /// What a search has found.
    pub(crate) fn found(&mut self, search: &Search, line: String) {
        let key = &search.key;
        let Some(process) = self.process_mut(key).filter(|process| process.number == search.run) else {
            return;
        };
        let checked_at = Some(Time::now());
        let health = Health { state: HealthState::Healthy, message: Some(line), checked_at };
        let before = std::mem::replace(&mut process.health, health.clone()).state;
        // From its start on: so long it took. What a supervisor before has found is in the history.
        let took = process.since.map(|since| since.elapsed()).unwrap_or_default();
        if before != HealthState::Healthy {
            let (record, check) = self.health_histories.entry(key.clone()).or_default().add(&health, took);
            self.archive.health(key, record, check);
        }
        self.touched.insert(key.environment.clone());
        self.unsaved(&key.environment);
    }

    /// Finding the folders to watch takes a while in a large workspace: another thread does it.
    fn watch_files(&mut self, key: &Key, run: &str, definition: &Arc<ResolvedProcess>) {
        let handle = self.handle.clone();
        let Some(process) = self.process_mut(key) else { return };
        if definition.watch.is_empty() || process.files_of.as_deref() == Some(run) {
            return;
        }
        process.files_of = Some(run.to_owned());
        let (key, run, definition) = (key.clone(), run.to_owned(), Arc::clone(definition));
        tokio::task::spawn_blocking(move || {
            let changed = {
                let (handle, key, run) = (handle.clone(), key.clone(), run.clone());
                move |files| handle.tell(Message::FilesChanged { key: key.clone(), run: run.clone(), files })
            };
            let workspace = &key.environment.workspace;
            let watch = FileWatch::start(&definition.cwd, workspace, &definition.watch, changed);
            handle.tell(Message::Visit(Box::new(move |core| core.watched(&key, &run, watch))));
        });
    }

    fn watched(&mut self, key: &Key, run: &str, watch: Result<FileWatch, WatchError>) {
        let Some(process) = self.in_run(key, run).filter(|process| process.files_of.as_deref() == Some(run))
        else {
            return;
        };
        match watch {
            Ok(watch) => process.files = Some(watch),
            Err(error) => {
                let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
                self.record(key, EventLevel::Warn, "not watched", format!("{error}{help}"));
            }
        }
    }

    /// Somebody looks for its ports until they are held, or, where none are declared, until it is healthy.
    fn watch_ports(&mut self, key: &Key, run: String, definition: &ResolvedProcess) {
        let Some(process) = self.process_mut(key) else { return };
        let Some(live) = &process.run else { return };
        let waits_for_ports = !definition.ports.is_empty() && !process.holds_ports && !process.ready;
        let waits_for_health = definition.health_check.is_some()
            && process.health.state != HealthState::Healthy
            && definition.ports.is_empty();
        if !waits_for_ports && !waits_for_health {
            self.forget_ports(run);
            return;
        }
        if live.keeper.is_none() || process.watched_run.as_deref() == Some(run.as_str()) {
            return;
        }
        let anyone = live.container;
        let Some(tree) = process.tree() else { return };
        process.watched_run = Some(run.clone());
        let interest = Interest { run, tree, ports: definition.ports.clone(), anyone };
        let _ = self.listening.send(Change::Watch(interest));
    }

    /// A process that has just become ready is looked at a little later, and once more: nobody waits for its ports then,
    /// but the faces show them.
    pub(super) fn look_at_ports(&mut self, key: &Key) {
        // A container's ports are not its client's.
        let looks =
            |process: &Process| process.ready && process.run.as_ref().is_some_and(|run| !run.container);
        if !self.process(key).is_some_and(looks) {
            return;
        }
        for (which, pause) in PORT_LOOKS.into_iter().enumerate() {
            let due = &mut self.port_looks[which];
            due.push(key.clone());
            if due.len() == 1 {
                // Whoever becomes ready meanwhile is looked at with it: the table is read once for all.
                let handle = self.handle.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    handle.tell(Message::Visit(Box::new(move |core| core.read_ports(which))));
                });
            }
        }
    }

    fn read_ports(&mut self, which: usize) {
        let mut trees: Vec<(Key, String, Tree)> = std::mem::take(&mut self.port_looks[which])
            .into_iter()
            .filter_map(|key| {
                let process = self.process(&key)?;
                let (run, tree) = (process.run.as_ref()?.id.clone(), process.tree()?);
                Some((key, run, tree))
            })
            .collect();
        let handle = self.handle.clone();
        tokio::task::spawn_blocking(move || {
            let Ok(listening) = Listening::read() else { return };
            let found: Vec<(Key, String, Vec<u16>)> = trees
                .drain(..)
                .map(|(key, run, mut tree)| (key, run, ports_of(&listening, &mut tree)))
                .collect();
            handle.tell(Message::Visit(Box::new(move |core| {
                for (key, run, ports) in found {
                    if let Some(process) = core.in_run(&key, &run) {
                        process.listens = ports;
                        core.touched.insert(key.environment);
                    }
                }
            })));
        });
    }

    /// A health check's answer.
    pub(super) fn health(&mut self, key: &Key, run: &str, mut report: probe::Report) {
        let usual = self.health_histories.get(key).and_then(HealthHistory::usual_latency);
        let Some(process) = self.in_run(key, run) else { return };
        let before = process.health.state;
        let check = process.definition.as_ref().and_then(|one| one.health_check.as_ref());
        let known = (
            key.process.as_str(),
            process.listens.as_slice(),
            check.and_then(|one| probe::local_port(&one.probe)),
        );
        report.message = why(&report.message, report.failure, known, usual);
        let checked_at = Some(report.checked_at);
        // A failure that does not count yet stands in the history; the words stay those of what holds.
        let excused = report.state == HealthState::Healthy && !report.healthy;
        let said = if excused { HealthState::Unhealthy } else { report.state };
        let one = Health { state: said, message: Some(report.message.clone()), checked_at };
        let message = process.health.message.take().filter(|_| excused);
        process.health = Health {
            state: report.state,
            message: message.or_else(|| Some(report.message.clone())),
            checked_at,
        };
        let unhealthy = report.state == HealthState::Unhealthy;
        let begins = unhealthy && process.unhealthy_since.is_none();
        process.unhealthy_since = process.unhealthy_since.filter(|_| unhealthy).or(begins.then(Moment::now));
        if begins {
            self.watch_unhealthy(key);
        }
        let history = self.health_histories.entry(key.clone()).or_default();
        let (record, check) = history.add(&one, report.latency);
        self.archive.health(key, record, check);
        self.touched.insert(key.environment.clone());
        if before != report.state {
            self.unsaved(&key.environment);
        }
        match (before, report.state) {
            (HealthState::Healthy, HealthState::Unhealthy)
            | (HealthState::Starting, HealthState::Unhealthy) => {
                self.record(key, EventLevel::Error, "unhealthy", report.message);
            }
            (HealthState::Unhealthy, HealthState::Healthy) => {
                self.record(key, EventLevel::Info, "healthy again", report.message);
            }
            _ => {}
        }
    }

    pub(super) fn heard(&mut self, heard: &Heard) {
        let found = self.environments.iter().find_map(|(environment, one)| {
            let process = one.processes.iter().find(|(_, process)| is_run(process, &heard.run))?;
            Some(Key::new(environment, process.0))
        });
        let Some(key) = found else { return };
        let changed = self.process_mut(&key).is_some_and(|process| process.hear(heard));
        self.touched.insert(key.environment.clone());
        if changed {
            self.unsaved(&key.environment);
        }
        self.tend(&key);
    }

    pub(super) fn files_changed(&mut self, key: &Key, run: &str, files: &[PathBuf]) {
        // A stop that was asked for meanwhile stands.
        let runs_on = |process: &mut Process| process.machine.wanted && runs(&process.machine.phase);
        if !self.in_run(key, run).is_some_and(runs_on) {
            return;
        }
        let workspace = &key.environment.workspace;
        let shown =
            files.first().map(|file| file.strip_prefix(workspace).unwrap_or(file).display().to_string());
        let more = files.len().saturating_sub(1);
        let mut text = shown.unwrap_or_default();
        if more > 0 {
            text = format!("{text} and {more} more");
        }
        if let Some(process) = self.process_mut(key) {
            process.deployed = Some(format!("{text} changed"));
        }
        self.record(key, EventLevel::Info, "files changed", format!("{text}; restarting"));
        self.input(key, Input::Restart);
    }

    pub(super) fn forget_ports(&mut self, run: String) {
        let watched =
            self.environments.values_mut().flat_map(|environment| environment.processes.values_mut());
        if let Some(process) =
            watched.into_iter().find(|process| process.watched_run.as_deref() == Some(run.as_str()))
        {
            process.watched_run = None;
            let _ = self.listening.send(Change::Forget(run));
        }
    }
}

fn is_run(process: &Process, run: &str) -> bool {
    process.run.as_ref().is_some_and(|live| live.id == run)
}
