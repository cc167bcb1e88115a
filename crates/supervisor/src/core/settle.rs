//! After each message: whose conditions hold now, what changed, and who can be answered.

use std::collections::BTreeSet;

use forge_api::Update;
use forge_config::model::Condition;

use super::look::{is_outdated, is_shown};
use super::{Core, EnvironmentKey, Key, Process, StopLater};
use crate::process::lifecycle::{Input, Phase};

impl Core {
    /// Lets everything happen that can, then tells.
    pub(super) fn settle(&mut self) {
        let mut changed = BTreeSet::new();
        while let Some(environment) = self.touched.pop_first() {
            self.update_readiness(&environment);
            self.stop_in_order(&environment);
            self.release_restarts();
            self.let_go(&environment);
            self.settle_incidents(&environment);
            changed.insert(environment);
        }
        for environment in &changed {
            self.tell(environment);
        }
        if !changed.is_empty() {
            self.answer_starts();
            self.answer_stops();
        }
    }

    fn update_readiness(&mut self, key: &EnvironmentKey) {
        let Some(environment) = self.environments.get_mut(key) else { return };
        let mut news = Vec::new();
        for (name, process) in &mut environment.processes {
            let ready = process.compute_ready();
            if ready != process.ready {
                process.ready = ready;
                news.push(Key::new(key, name));
            }
        }
        for key in news {
            // Nobody needs to look for its ports any more, or somebody does again.
            self.tend(&key);
            self.look_at_ports(&key);
        }
    }

    /// Stops those whose dependents are gone.
    fn stop_in_order(&mut self, key: &EnvironmentKey) {
        let Some(environment) = self.environments.get(key) else { return };
        let turn = |name: &str| {
            !environment.processes.values().any(|other| other.is_held() && depends_on(other, name))
        };
        let due: Vec<(Key, StopLater)> = environment
            .processes
            .iter()
            .filter_map(|(name, process)| Some((name, process.stop_later?)))
            .filter(|(name, _)| turn(name))
            .map(|(name, later)| (Key::new(key, name), later))
            .collect();
        for (key, later) in due {
            if let Some(process) = self.process_mut(&key) {
                process.stop_later = None;
            }
            let input = match later {
                StopLater::Stop => Input::Stop,
                StopLater::Restart => Input::Restart,
            };
            self.input(&key, input);
        }
    }

    /// A restart's processes may start once the last of them has stopped.
    fn release_restarts(&mut self) {
        let stopping = |key: &Key| {
            self.process(key).is_some_and(|process| {
                process.stop_later.is_some() || matches!(process.machine.phase, Phase::Stopping { .. })
            })
        };
        let done: Vec<u64> = self
            .restarts
            .iter()
            .filter(|(_, keys)| !keys.iter().any(stopping))
            .map(|(number, _)| *number)
            .collect();
        for number in done {
            for key in self.restarts.remove(&number).unwrap_or_default() {
                if let Some(process) =
                    self.process_mut(&key).filter(|process| process.held_by == Some(number))
                {
                    process.held_by = None;
                    self.touched.insert(key.environment);
                }
            }
        }
    }

    /// Starts those whose dependencies' conditions hold.
    fn let_go(&mut self, key: &EnvironmentKey) {
        let Some(environment) = self.environments.get(key) else { return };
        let ready: Vec<Key> = environment
            .processes
            .iter()
            .filter(|(_, process)| process.machine.phase == Phase::Waiting && process.machine.wanted)
            .filter(|(_, process)| process.held_by.is_none() && process.stop_later.is_none())
            .filter(|(_, process)| !process.shutting_down)
            .filter(|(name, _)| self.waiting_on(&Key::new(key, name)).is_empty())
            .map(|(name, _)| Key::new(key, name))
            .collect();
        for key in ready {
            if self.process(&key).is_some_and(|process| process.run.is_some()) {
                // The keeper of the run before stores the last of its output, or still holds somebody.
                self.clear(&key, false);
            } else {
                self.input(&key, Input::Go);
            }
        }
    }

    /// The dependencies of a waiting process whose conditions do not hold.
    pub(super) fn waiting_on(&self, key: &Key) -> Vec<String> {
        let Some(process) = self.process(key) else { return Vec::new() };
        let Some(definition) =
            process.definition.as_ref().filter(|_| process.machine.phase == Phase::Waiting)
        else {
            return Vec::new();
        };
        let holds = |name: &str, condition: Condition| {
            self.process(&Key::new(&key.environment, name))
                .is_some_and(|other| condition_holds(other, condition))
        };
        let open = definition.depends_on.iter().filter(|(name, condition)| !holds(name, **condition));
        open.map(|(name, _)| name.clone()).collect()
    }

    /// Tells subscribers whose status is not what they were told last.
    fn tell(&mut self, key: &EnvironmentKey) {
        let config = self.loaded(&key.workspace).ok();
        let fingerprints = config.as_ref().and_then(|config| self.fingerprints(key, config).ok());
        let Some(environment) = self.environments.get(key) else { return };
        let news: Vec<_> = environment
            .processes
            .iter()
            .map(|(name, process)| {
                let mut status = process.status(name, self.waiting_on(&Key::new(key, name)));
                status.outdated = is_outdated(process, name, fingerprints.as_deref());
                (name.clone(), status)
            })
            .filter(|(name, status)| {
                environment.processes.get(name).is_some_and(|process| process.shown.as_ref() != Some(status))
            })
            .collect();
        let quiet = news.is_empty();
        let is_gone = |(name, _): &(String, _)| {
            let process = environment.processes.get(name);
            process.is_some_and(|process| !is_shown(process, name, key, config.as_deref()))
        };
        // Where somebody still shows it, it is there no more.
        let gone = news.iter().any(is_gone);
        for (name, mut status) in news {
            if let Some(process) = self.process_mut(&Key::new(key, &name)) {
                process.shown = Some(status.clone());
                process.add_cost(&mut status);
            }
            self.publish(Update::Process {
                workspace: key.workspace.clone(),
                environment: key.environment.clone(),
                process: Box::new(status),
            });
        }
        if gone {
            self.publish(Update::Workspaces {});
        }
        if !quiet {
            let summary = self.summary(key, config.as_deref());
            self.publish(Update::Environment { summary });
        }
    }
}

pub(super) fn depends_on(process: &Process, name: &str) -> bool {
    process.definition.as_ref().is_some_and(|definition| definition.depends_on.contains_key(name))
}

fn condition_holds(process: &Process, condition: Condition) -> bool {
    match condition {
        Condition::Started => matches!(process.machine.phase, Phase::Running { .. } | Phase::Exited { .. }),
        Condition::Ready => process.ready,
        Condition::Completed => {
            matches!(process.machine.phase, Phase::Exited { .. })
                || (process.rules().daemon
                    && matches!(process.machine.phase, Phase::Running { detached: true }))
        }
    }
}
