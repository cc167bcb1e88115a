//! Programs that are not ours and take most of the machine: told once an episode, also across supervisors.

use forge_api::{Machine, Time, Warning};
use serde::{Deserialize, Serialize};

use super::{Core, EnvironmentKey};
use crate::alerts::{self, Alert, HOG};

/// Those of the machine's processes that take most of it.
#[derive(Debug, Default)]
pub(super) struct Hogs {
    alerts: Vec<(Alert, Time)>,
    /// Seen once: it is told if it is there at the next look too.
    suspects: Vec<Alert>,
    /// Those that a supervisor before this one has told of, and looks since: the first ones have no figures yet.
    told_before: Vec<ToldHog>,
    looks: u32,
}

/// Looks after which what an earlier supervisor has told is over, if it is not there again.
const LOOKS: u32 = 3;

/// A hog that was told of and is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToldHog {
    pid: u32,
    name: String,
    since: Time,
}

impl Hogs {
    /// An earlier supervisor has told of these, in this boot.
    pub(super) fn after(&mut self, told: Vec<ToldHog>) {
        let new = told.into_iter().filter(|one| !self.told_before.contains(one)).collect::<Vec<_>>();
        self.told_before.extend(new);
    }

    /// Those that are told, for the next supervisor.
    pub(super) fn told(&self) -> Vec<ToldHog> {
        let told = |(alert, since): &(Alert, Time)| {
            let name = alert.text.split(" (PID ").next().unwrap_or_default().to_owned();
            Some(ToldHog { pid: alert.about?, name, since: *since })
        };
        self.alerts.iter().filter_map(told).chain(self.told_before.iter().cloned()).collect()
    }

    /// What was told before and is here again is no longer needed, and after some looks none of it is. Whether anything
    /// went.
    fn forget_told(&mut self) -> bool {
        let Self { alerts, told_before, looks, .. } = self;
        let count = told_before.len();
        *looks += u32::from(count > 0);
        let here = |told: &ToldHog| alerts.iter().any(|(alert, _)| alert.about == Some(told.pid));
        told_before.retain(|told| *looks < LOOKS && !here(told));
        told_before.len() < count
    }

    /// Since when an earlier supervisor has told of it.
    fn told_since(&self, alert: &Alert) -> Option<Time> {
        let same = |told: &&ToldHog| {
            alert.about == Some(told.pid) && alert.text.starts_with(&format!("{} (PID ", told.name))
        };
        self.told_before.iter().find(same).map(|told| told.since)
    }

    pub(super) fn warnings(&self) -> impl Iterator<Item = Warning> {
        self.alerts.iter().map(|(alert, since)| Warning {
            since: Some(*since),
            ..Warning::new(None, HOG, alert.text.clone())
        })
    }
}

impl Core {
    /// Who takes most of the machine, when that was looked at.
    pub(super) fn watch_machine(&mut self, machine: &Machine, time: Time) {
        let running = |one: &&EnvironmentKey| {
            let environment = self.environments.get(*one);
            environment.is_some_and(|environment| environment.processes.values().any(super::Process::is_held))
        };
        let running: Vec<EnvironmentKey> = self.environments.keys().filter(running).cloned().collect();
        let Some(environment) = running.first().cloned() else { return };
        // As whoever of them wants to hear the soonest has it.
        let mut limits = self.thresholds(&environment.workspace);
        for other in &running {
            let other = self.thresholds(&other.workspace);
            limits.hog_cpu = limits.hog_cpu.min(other.hog_cpu);
            limits.hog_memory = limits.hog_memory.min(other.hog_memory);
        }
        let told = self.hogs.alerts.iter().map(|(alert, _)| alert.about);
        let told: Vec<Option<u32>> =
            told.chain(self.hogs.told_before.iter().map(|one| Some(one.pid))).collect();
        let found = alerts::hogs(machine, &limits, &told);
        let before = std::mem::replace(&mut self.hogs.suspects, found.clone());
        let open = std::mem::take(&mut self.hogs.alerts);
        let mut news = Vec::new();
        for alert in found {
            let known = open.iter().find(|(one, _)| one.about == alert.about).map(|(_, since)| *since);
            match known.or_else(|| self.hogs.told_since(&alert)) {
                Some(since) => self.hogs.alerts.push((alert, since)),
                None if before.iter().any(|one| one.about == alert.about) => {
                    self.hogs.alerts.push((alert.clone(), time));
                    news.push(alert);
                }
                None => {}
            }
        }
        let is_over =
            |(one, _): &&(Alert, Time)| !self.hogs.alerts.iter().any(|(now, _)| now.about == one.about);
        let over: Vec<Option<u32>> = open.iter().filter(is_over).map(|(alert, _)| alert.about).collect();
        let of_before = self.hogs.forget_told();
        if news.is_empty() && over.is_empty() && !of_before {
            return;
        }
        for pid in over {
            self.close_hog(pid);
        }
        for alert in news {
            // Once, not for each environment.
            self.tell_alert(&environment, None, &alert, time);
        }
        for environment in &running {
            self.warnings_changed(environment);
            self.unsaved(environment);
        }
    }

    /// Nobody looks for them any more.
    pub(super) fn forget_hogs(&mut self) {
        if !self.hogs.told().is_empty() {
            let all: Vec<EnvironmentKey> = self.environments.keys().cloned().collect();
            all.iter().for_each(|environment| self.unsaved(environment));
        }
        self.hogs = Hogs::default();
        self.close_hogs();
    }

    /// In whichever environment it was told.
    pub(super) fn close_hogs(&mut self) {
        let environments: Vec<EnvironmentKey> = self.environments.keys().cloned().collect();
        for environment in environments {
            self.close_alert(&environment, None, HOG);
        }
    }
}
