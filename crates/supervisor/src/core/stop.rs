//! Stopping, in order, and the answer once everything is gone.

use std::collections::BTreeSet;
use std::path::Path;

use forge_api::{Error, Stopped, Survivor, Target};

use super::settle::depends_on;
use super::{Core, EnvironmentKey, Key, Process, Reply, StopLater};
use crate::plan::{self, Known, KnownProcess, Purpose};
use crate::prepare;
use crate::process::lifecycle::{Input, Phase};

/// Somebody who waits until processes are gone.
pub(super) struct Waiter {
    /// With the number of the run that was meant.
    keys: Vec<(Key, u32)>,
    stopped: Vec<Target>,
    reply: Reply,
}

impl Core {
    /// Stops what `names` mean, dependents first.
    pub(super) fn stop(&mut self, folder: &Path, names: &[String], all: bool, reply: Reply) {
        match self.meant_to_stop(folder, names, all) {
            Ok(keys) => self.stop_keys(keys, reply),
            Err(error) => {
                let _ = reply.send(Err(error));
            }
        }
    }

    /// Kills at once.
    pub(super) fn kill(&mut self, folder: &Path, names: &[String], reply: Reply) {
        let keys = match self.meant_to_stop(folder, names, false) {
            Ok(keys) => keys,
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        self.mark_stop(&keys);
        let active = self.active(keys);
        for key in &active {
            if let Some(process) = self.process_mut(key) {
                process.stop_later = None;
                process.held_by = None;
            }
            self.input(key, Input::Kill);
            self.clear(key, true);
        }
        self.save_all();
        self.wait_for_stop(active, reply);
    }

    fn meant_to_stop(&mut self, folder: &Path, names: &[String], all: bool) -> Result<Vec<Key>, Error> {
        if all {
            let environments = self.environments.iter();
            return Ok(environments
                .flat_map(|(key, environment)| environment.processes.keys().map(|name| Key::new(key, name)))
                .collect());
        }
        let (root, known) = self.known(folder)?;
        let targets = match plan::targets(names, &known, Purpose::Other) {
            Ok(targets) => targets,
            // Nothing was named and nothing runs: whatever could be meant is stopped.
            Err(_) if names.is_empty() && !known.iter().any(|environment| environment.running) => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(targets.into_iter().map(|target| key_of(&root, target)).collect())
    }

    /// The names of a workspace: what is configured, as far as that can be read, and what runs.
    pub(crate) fn known(&mut self, folder: &Path) -> Result<(std::path::PathBuf, Vec<Known>), Error> {
        let root = self.workspace_of(folder)?;
        let running = self.running(&root);
        let config = self.loaded(&root);
        let mut known = config.as_ref().map(|config| prepare::names(config, &running)).unwrap_or_default();
        for (key, environment) in self.environments.iter().filter(|(key, _)| key.workspace == root) {
            let present =
                environment.processes.iter().filter(|(_, process)| config.is_err() || process.is_active());
            if !known.iter().any(|one| one.name == key.environment) {
                let running = running.contains(&key.environment);
                known.push(Known { name: key.environment.clone(), running, processes: Vec::new() });
            }
            let Some(one) = known.iter_mut().find(|one| one.name == key.environment) else { continue };
            for (name, process) in present {
                if !one.processes.iter().any(|known| known.name == *name) {
                    one.processes.push(known_process(name, process));
                }
            }
        }
        Ok((root, known))
    }

    /// A start that is being prepared does not bring these back.
    fn mark_stop(&mut self, keys: &[Key]) {
        let now = self.next_number();
        self.stop_marks.extend(keys.iter().map(|key| (key.clone(), now)));
    }

    /// A stop lets go of ports that were moved; restarts and crashes keep them.
    fn forget_moves(&mut self, keys: &[Key]) {
        for key in keys {
            let moved = self.environments.get_mut(&key.environment).map(|one| one.moves.remove(&key.process));
            if moved.flatten().is_some() {
                self.forget_fingerprints(&key.environment.workspace);
                self.unsaved(&key.environment);
            }
        }
    }

    fn active(&self, keys: Vec<Key>) -> Vec<Key> {
        let active = |key: &Key| self.process(key).is_some_and(Process::is_active);
        keys.into_iter().filter(active).collect()
    }

    /// Stops these, each once nothing of them that depends on it is left.
    pub(super) fn stop_keys(&mut self, keys: Vec<Key>, reply: Reply) {
        self.mark_stop(&keys);
        let environments: BTreeSet<&EnvironmentKey> = keys.iter().map(|key| &key.environment).collect();
        for environment in environments {
            // Whoever stops it waits for no start any more.
            self.close_start_incidents(&environment.workspace, &environment.environment);
        }
        self.forget_moves(&keys);
        // What ended by itself and is not alive becomes `stopped`, with nothing to wait for.
        for key in &keys {
            if self.process(key).is_some_and(|process| !process.is_active()) {
                self.input(key, Input::Stop);
            }
        }
        let active = self.active(keys);
        self.begin_stop(&active);
        // The user's word is kept even if we are killed now.
        self.save_all();
        self.wait_for_stop(active, reply);
    }

    /// Marks and stops in order; see `stop_in_order` for those whose turn comes later.
    pub(super) fn begin_stop(&mut self, keys: &[Key]) {
        for key in keys {
            let later = self.is_needed_by(key, keys);
            let Some(process) = self.process_mut(key) else { continue };
            process.held_by = None;
            if later && process.is_held() {
                process.machine.wanted = false;
                process.stop_later = Some(StopLater::Stop);
            } else {
                process.stop_later = None;
                self.input(key, Input::Stop);
                self.clear(key, false);
            }
            self.unsaved(&key.environment);
            self.touched.insert(key.environment.clone());
        }
    }

    /// One of `keys` depends on this process, and has something alive.
    pub(super) fn is_needed_by(&self, key: &Key, keys: &[Key]) -> bool {
        let needs = |other: &&Key| {
            other.environment == key.environment
                && self
                    .process(other)
                    .is_some_and(|process| process.is_held() && depends_on(process, &key.process))
        };
        keys.iter().any(|other| needs(&other))
    }

    fn wait_for_stop(&mut self, keys: Vec<Key>, reply: Reply) {
        let stopped = keys.iter().map(Key::target).collect();
        let keys = keys
            .into_iter()
            .map(|key| {
                let number = self.process(&key).map_or(0, |process| process.number);
                (key, number)
            })
            .collect();
        self.stops.push(Waiter { keys, stopped, reply });
        self.answer_stops();
    }

    /// Answers those whose processes are gone, or cannot be ended.
    pub(super) fn answer_stops(&mut self) {
        let waiters = std::mem::take(&mut self.stops);
        for waiter in waiters {
            if waiter.keys.iter().any(|(key, number)| self.is_stopping(key, *number)) {
                self.stops.push(waiter);
                continue;
            }
            let survivors = waiter.keys.iter().flat_map(|(key, _)| self.survivors(key)).collect();
            let answer = Stopped { stopped: waiter.stopped, survivors };
            let _ = waiter
                .reply
                .send(serde_json::to_value(answer).map_err(|error| Error::system("the answer", error)));
        }
    }

    fn is_stopping(&self, key: &Key, number: u32) -> bool {
        let Some(process) = self.process(key) else { return false };
        if process.number != number {
            return false;
        }
        match process.machine.phase {
            _ if process.shutting_down => true,
            Phase::Stopping { .. } => true,
            Phase::Failed { .. } => false,
            _ => process.stop_later.is_some() || (process.run.is_some() && !process.machine.wanted),
        }
    }

    fn survivors(&self, key: &Key) -> Vec<Survivor> {
        match self.process(key).map(|process| &process.machine.phase) {
            Some(Phase::Failed { left, exit: None, .. }) => left
                .iter()
                .map(|(pid, name)| Survivor { target: key.target(), pid: *pid, name: name.clone() })
                .collect(),
            _ => Vec::new(),
        }
    }
}

pub(super) fn key_of(root: &Path, target: Target) -> Key {
    Key {
        environment: super::EnvironmentKey { workspace: root.to_path_buf(), environment: target.environment },
        process: target.process,
    }
}

fn known_process(name: &str, process: &Process) -> KnownProcess {
    let definition = process.definition.as_ref();
    KnownProcess {
        name: name.to_owned(),
        groups: definition.map(|definition| definition.groups.clone()).unwrap_or_default(),
        disabled: false,
        depends_on: definition.map(|one| one.depends_on.keys().cloned().collect()).unwrap_or_default(),
    }
}
