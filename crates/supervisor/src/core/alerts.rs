//! Alerts as warnings and notices: each is told once an episode, unless the user has muted its kind.

use std::path::Path;
use std::time::{Duration, Instant};

use forge_api::{Done, Error, MuteAlert, Notice, Time, Update, Warning};
use forge_config::model::Alerts;

use super::notices::action;
use super::{Core, EnvironmentKey, Key, Message};
use crate::alerts::{Alert, HOG, Moment, News};
use crate::process::lifecycle::Phase;

/// Between two looks at what need not be looked at every second.
const NOW_AND_THEN: Duration = Duration::from_secs(10);

/// What a supervisor before this one has told, and this one has not seen for so long, is over.
const EPISODE: Duration = Duration::from_secs(30 * 60);

/// The warning of a process that has crashed too often.
pub(super) const CRASH_LOOP: &str = "crash_loop";

/// The process and the kind that the user wants to hear no more of; no process: of the environment as a whole.
pub(crate) type Muted = (Option<String>, String);

impl Core {
    pub(super) fn thresholds(&mut self, workspace: &Path) -> Alerts {
        self.loaded(workspace).map_or_else(|_| Alerts::default(), |config| config.settings.alerts.clone())
    }

    /// What was measured of a process may be worth a warning, or no longer.
    pub(super) fn watch_figures(&mut self, key: &Key, at: Instant, time: Time) {
        let limits = self.thresholds(&key.environment.workspace);
        let Some(process) = self.process_mut(key) else { return };
        let begun = *process.costs.watched_since.get_or_insert(at);
        let Some(sample) = process.costs.sample().copied() else { return };
        let moment = Moment {
            at: at.saturating_duration_since(begun),
            memory_bytes: sample.memory_bytes,
            cpu_percent: sample.cpu_percent,
            fullest: sample.fullest,
            log_bytes: process.costs.log_bytes.take(),
            errors: process.costs.errors.take(),
        };
        if moment.at > EPISODE {
            process.costs.told_before = None;
        }
        for news in process.costs.watch.step(&moment, &limits) {
            match news {
                News::Begins(alert) => self.alert_begins(key, &alert, time),
                News::Ends(kind) => self.alert_ends(key, kind),
            }
        }
    }

    fn alert_begins(&mut self, key: &Key, alert: &Alert, time: Time) {
        let Some(process) = self.process_mut(key) else { return };
        let run = process.run.as_ref().map_or("", |run| &run.id);
        let (since, told) = process.costs.alert_begins(run, alert.kind, time);
        if !told {
            self.tell_alert(&key.environment, Some(&key.process), alert, since);
        }
        self.unsaved(&key.environment);
        self.warnings_changed(&key.environment);
    }

    fn alert_ends(&mut self, key: &Key, kind: &'static str) {
        if let Some(process) = self.process_mut(key) {
            process.costs.since.remove(kind);
        }
        self.unsaved(&key.environment);
        self.close_alert(&key.environment, Some(&key.process), kind);
        self.warnings_changed(&key.environment);
    }

    pub(super) fn tell_alert(
        &mut self,
        environment: &EnvironmentKey,
        process: Option<&str>,
        alert: &Alert,
        time: Time,
    ) {
        if self.is_muted(environment, process, alert.kind) {
            return;
        }
        let who = process.map_or_else(String::new, |name| format!("{name} "));
        self.raise_alert((environment, process), alert, time, |notice| Notice {
            summary: format!("{who}{}", alert.summary),
            body: alert.text.clone(),
            actions: vec![action("show", "Show", true), action("mute", "Mute", false)],
            ..notice
        });
    }

    /// What is wrong with what is measured, for a status.
    pub(super) fn alert_warnings(&self, key: &EnvironmentKey) -> Vec<Warning> {
        let Some(environment) = self.environments.get(key) else { return Vec::new() };
        let mut warnings = Vec::new();
        for (name, process) in &environment.processes {
            for alert in process.costs.watch.alerts().iter().filter(|_| process.costs.is_measured()) {
                let since = process.costs.since.get(alert.kind).copied();
                warnings.push(Warning { since, ..Warning::new(Some(name), alert.kind, alert.text.clone()) });
            }
            if let Phase::Failed { exit: Some(_), reason, .. } = &process.machine.phase {
                let since = process.ended.map(|(_, time)| time);
                warnings.push(Warning { since, ..Warning::new(Some(name), CRASH_LOOP, reason.clone()) });
            }
        }
        if environment.processes.values().any(super::Process::is_held) {
            warnings.extend(self.hogs.warnings());
        }
        warnings
    }

    /// Hogs are the machine's: muted in one environment, they are in all.
    pub(super) fn is_muted(&self, key: &EnvironmentKey, process: Option<&str>, kind: &str) -> bool {
        let environments = self.environments.iter().filter(|(of, _)| *of == key || kind == HOG);
        let mut muted = environments.flat_map(|(_, environment)| &environment.muted);
        muted.any(|(muted, of)| muted.as_deref() == process && of == kind)
    }

    pub(super) fn muted(&self, key: &EnvironmentKey) -> Vec<forge_api::Muted> {
        let muted = self.environments.get(key).into_iter().flat_map(|environment| &environment.muted);
        muted
            .map(|(process, kind)| forge_api::Muted { process: process.clone(), kind: kind.clone() })
            .collect()
    }

    pub(super) fn mute_alert(&mut self, mute: &MuteAlert) -> Result<Done, Error> {
        let (root, known) = self.known(&mute.workspace)?;
        if known.iter().all(|one| one.name != mute.environment) {
            let text = format!("no environment is called `{}`", mute.environment);
            return Err(Error::new(forge_api::Code::NotFound, text));
        }
        if mute.muted && !Warning::is_mutable(&mute.kind) {
            let text = format!("`{}` is not muted: what it says is to be done", mute.kind);
            return Err(Error::new(forge_api::Code::Usage, text));
        }
        let key = EnvironmentKey { workspace: root, environment: mute.environment.clone() };
        self.set_muted(&key, mute.process.clone(), &mute.kind, mute.muted);
        Ok(Done {})
    }

    pub(super) fn set_muted(
        &mut self,
        key: &EnvironmentKey,
        process: Option<String>,
        kind: &str,
        muted: bool,
    ) {
        let what: Muted = (process, kind.to_owned());
        if muted {
            if kind == HOG {
                self.close_hogs();
            }
            self.close_alert(key, what.0.as_deref(), kind);
            self.environments.entry(key.clone()).or_default().muted.insert(what);
            self.unsaved(key);
        } else {
            let holders = self.environments.iter_mut().filter(|(of, _)| *of == key || kind == HOG);
            let unmuted: Vec<EnvironmentKey> =
                holders.filter_map(|(of, one)| one.muted.remove(&what).then(|| of.clone())).collect();
            unmuted.iter().for_each(|of| self.unsaved(of));
        }
        // Those of the machine stand with all environments.
        let all = || self.environments.keys().cloned().collect();
        let told: Vec<EnvironmentKey> = if kind == HOG { all() } else { vec![key.clone()] };
        told.iter().for_each(|of| self.warnings_changed(of));
    }

    /// Faces ask for the warnings again when they are told how the environment is.
    pub(super) fn warnings_changed(&mut self, key: &EnvironmentKey) {
        let config = self.loaded(&key.workspace).ok();
        let summary = self.summary(key, config.as_deref());
        self.publish(Update::Environment { summary });
    }

    /// What need not be looked at every second.
    pub(super) fn look_now_and_then(&mut self, now: Instant) {
        if self.looked_at.is_some_and(|last| now.saturating_duration_since(last) < NOW_AND_THEN) {
            return;
        }
        self.looked_at = Some(now);
        self.watch_logs();
        self.retell_alerts();
    }

    /// What is wrong is told in other words as it goes on: `now 421 MB`.
    fn retell_alerts(&mut self) {
        let is_wrong = |process: &super::Process| {
            process.costs.is_measured() && !process.costs.watch.alerts().is_empty()
        };
        let those = self.environments.iter().filter(|(_, one)| one.processes.values().any(is_wrong));
        let those: Vec<EnvironmentKey> = those.map(|(key, _)| key.clone()).collect();
        those.iter().for_each(|key| self.warnings_changed(key));
    }

    /// On another thread: how much each running process has logged.
    fn watch_logs(&self) {
        let logs = self.home.logs();
        let running: Vec<(Key, std::path::PathBuf)> = self
            .environments
            .iter()
            .flat_map(|(environment, one)| one.processes.iter().map(move |found| (environment, found)))
            .filter(|(_, (_, process))| process.is_held())
            .map(|(environment, (name, _))| Key::new(environment, name))
            .map(|key| (key.clone(), super::act::log_folder(&logs, &key)))
            .collect();
        let handle = self.handle.clone();
        tokio::task::spawn_blocking(move || {
            let found: Vec<(Key, u64)> =
                running.into_iter().filter_map(|(key, folder)| Some((key, logged(&folder)?))).collect();
            handle.tell(Message::Visit(Box::new(move |core| {
                for (key, bytes) in found {
                    if let Some(process) = core.process_mut(&key) {
                        process.costs.log_bytes = Some(bytes);
                    }
                }
            })));
        });
    }
}

/// What has ever been written to a folder of segments, as far as that can be told: they are numbered, and each but the last
/// is full. The oldest may have been deleted.
fn logged(folder: &Path) -> Option<u64> {
    let segments = std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| {
        let path = entry.path();
        let number: u64 = path.file_stem()?.to_str()?.parse().ok()?;
        (path.extension()? == "log").then_some((number, entry))
    });
    let (number, last) = segments.max_by_key(|(number, _)| *number)?;
    Some(number.saturating_mul(super::act::SEGMENT).saturating_add(last.metadata().ok()?.len()))
}
