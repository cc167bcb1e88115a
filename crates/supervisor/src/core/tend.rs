//! What runs beside a process while it does: health checks, file watches, the look at its ports.

use std::sync::Arc;
use std::time::Instant;

use forge_api::{EventLevel, HealthState, Time};
use forge_config::model::{EventLevel as RuleLevel, EventRule, HealthCheck, Probe};
use forge_config::resolve::ResolvedProcess;
use forge_keeper::message::Request;

use regex::bytes::Regex;
use tokio::task::AbortHandle;

use super::act::runs;
use super::{Core, Key, Message};
use crate::listening::{Change, Interest};
use crate::logs::Next;
use crate::probe;
use crate::watch::{FileWatch, WatchError};

impl Core {
    /// Starts what belongs beside a running process, and ends what belongs beside one that no longer runs.
    pub(super) fn tend(&mut self, key: &Key) {
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
        self.watch_log(key, &run, &definition);
        self.watch_files(key, &run, &definition);
        self.watch_ports(key, run, &definition);
    }

    fn check_health(&mut self, key: &Key, run: &str, definition: &ResolvedProcess, check: HealthCheck) {
        let handle = self.handle.clone();
        let Some(process) = self.process_mut(key) else { return };
        let report_key = key.clone();
        let report_run = run.to_owned();
        if let Probe::Log(pattern) = &check.probe {
            let found = move |_, line, _| {
                handle.tell(Message::LogMatched { key: report_key.clone(), run: report_run.clone(), line });
                Next::Enough
            };
            let task = self.follow(key, std::slice::from_ref(pattern), found);
            if let Some(process) = self.process_mut(key) {
                process.log_probe = task;
            }
            return;
        }
        let context = probe::Context {
            cwd: definition.cwd.clone(),
            env: definition.variables().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        };
        let started = process.since.unwrap_or_else(Instant::now);
        let nudge = Arc::clone(&process.nudge);
        process.probe = Some(probe::spawn(check, context, started, nudge, move |report| {
            handle.tell(Message::Health { key: report_key.clone(), run: report_run.clone(), report });
        }));
    }

    /// Turns the lines that the configuration names into events.
    fn watch_log(&mut self, key: &Key, run: &str, definition: &Arc<ResolvedProcess>) {
        let Some(process) = self.process_mut(key) else { return };
        if definition.events.is_empty() || process.log_events.is_some() {
            return;
        }
        let patterns: Vec<String> = definition.events.iter().map(|rule| rule.pattern.clone()).collect();
        let (handle, run, rules) = (self.handle.clone(), run.to_owned(), Arc::clone(definition));
        let found_key = key.clone();
        let found = move |which: usize, line: String, time: Time| {
            if let Some(rule) = rules.events.get(which).cloned() {
                let (key, run) = (found_key.clone(), run.clone());
                handle.tell(Message::Visit(Box::new(move |core| {
                    core.log_event(&key, &run, &rule, line, time)
                })));
            }
            Next::More
        };
        let task = self.follow(key, &patterns, found);
        if let Some(process) = self.process_mut(key) {
            process.log_events = task;
        }
    }

    fn log_event(&mut self, key: &Key, run: &str, rule: &EventRule, line: String, time: Time) {
        if self.in_run(key, run).is_none() {
            return;
        }
        let level = match rule.level {
            RuleLevel::Info => EventLevel::Info,
            RuleLevel::Warn => EventLevel::Warn,
            RuleLevel::Error => EventLevel::Error,
        };
        let (title, text) =
            if rule.title.is_empty() { (line.as_str(), "") } else { (rule.title.as_str(), line.as_str()) };
        if !self.is_recorded(key, title, time.to_millis()) {
            self.record_at(key, time.to_millis(), level, title, text.to_owned());
        }
    }

    /// Follows the output of the present run for lines that match.
    fn follow(
        &mut self,
        key: &Key,
        patterns: &[String],
        found: impl Fn(usize, String, Time) -> Next + Send + 'static,
    ) -> Option<AbortHandle> {
        let patterns: Result<Vec<Regex>, _> = patterns.iter().map(|pattern| Regex::new(pattern)).collect();
        let folder = super::act::log_folder(&self.home.logs(), key);
        let process = self.process_mut(key)?;
        let growth = process.log_end.subscribe();
        let _ = process.run.as_ref()?.requests.send(Request::Follow);
        // The configuration was checked: they are regular expressions.
        let following = crate::logs::matches(folder, process.number, patterns.ok()?, growth, found);
        Some(tokio::spawn(following).abort_handle())
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
        let waits_for_ports = !definition.ports.is_empty() && !process.holds_ports;
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

    fn forget_ports(&mut self, run: String) {
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
