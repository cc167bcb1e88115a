//! Incidents that a person is told of although nobody asked. Each is told once, changes in place while it lasts, and is
//! closed when it is over.

mod crashes;
mod starts;

use std::path::Path;
use std::time::Duration;

use forge_api::{
    ActOnNotice, Code, DismissNotice, Done, Error, HealthState, Notice, NoticeAction, NoticeKind,
    NoticesAnswer, OnConflict, Time, Update,
};

use self::starts::Holders;
use super::alerts::CRASH_LOOP;
use super::look::is_configured;
use super::{Core, EnvironmentKey, Key, Message, Reply};
use crate::alerts::{Alert, HOG};
use crate::prepare::Wish;
use crate::process::lifecycle::{Input, Phase};
use crate::words;

/// An incident is over when the process has stayed up for this long.
const STEADY: Duration = Duration::from_secs(10);

/// What tells one alert of a process, or of the machine, from others.
type Alerted = (&'static str, Option<u32>);

/// A notice that is not over.
#[derive(Debug)]
pub(super) struct Incident {
    notice: Notice,
    /// The user has seen it, and wants to hear no more of it.
    dismissed: bool,
    /// What could not be started, to be tried again.
    start: Option<(Wish, Holders)>,
    /// Who did not get ready, if that is what it tells: it is over once they are.
    unready: Vec<Key>,
    /// Of which kind and about whom, if it is an alert: a process may have several, the machine several of one kind.
    alert: Option<Alerted>,
}

pub(super) fn action(id: &str, label: impl Into<String>, shows: bool) -> NoticeAction {
    NoticeAction { id: id.to_owned(), label: label.into(), shows }
}

impl Core {
    pub(super) fn notices(&self) -> NoticesAnswer {
        let open = self.incidents.iter().filter(|incident| !incident.dismissed);
        NoticesAnswer { notices: open.map(|incident| incident.notice.clone()).collect() }
    }

    /// Tells of an incident, or of news of one that is open.
    fn raise(
        &mut self,
        environment: &EnvironmentKey,
        process: Option<&str>,
        kind: NoticeKind,
        time: Time,
        fill: impl FnOnce(Notice) -> Notice,
    ) {
        self.raise_one((environment, process), kind, None, time, fill);
    }

    /// Tells of an alert.
    pub(super) fn raise_alert(
        &mut self,
        whose: (&EnvironmentKey, Option<&str>),
        alert: &Alert,
        time: Time,
        fill: impl FnOnce(Notice) -> Notice,
    ) {
        self.raise_one(whose, NoticeKind::Alert, Some((alert.kind, alert.about)), time, fill);
    }

    /// Somebody no longer takes so much of the machine, in whichever environment that was told.
    pub(super) fn close_hog(&mut self, pid: Option<u32>) {
        self.close_those(|_, incident| incident.alert == Some((HOG, pid)));
    }

    /// An alert is over, or muted.
    pub(super) fn close_alert(&mut self, environment: &EnvironmentKey, process: Option<&str>, alert: &str) {
        self.close_those(|_, incident| {
            is_in(&incident.notice, environment)
                && incident.notice.process.as_deref() == process
                && (incident.alert.is_some_and(|(kind, _)| kind == alert)
                    || (alert == CRASH_LOOP && incident.notice.kind == NoticeKind::CrashLoop))
        });
    }

    fn raise_one(
        &mut self,
        (environment, process): (&EnvironmentKey, Option<&str>),
        kind: NoticeKind,
        alert: Option<Alerted>,
        time: Time,
        fill: impl FnOnce(Notice) -> Notice,
    ) {
        let same = |incident: &&mut Incident| {
            let notice = &incident.notice;
            notice.workspace == environment.workspace
                && notice.environment == environment.environment
                && notice.process.as_deref() == process
                && family(notice.kind) == family(kind)
                && incident.alert == alert
        };
        let number = self.next_number();
        let blank = |id| Notice {
            id,
            time,
            workspace: environment.workspace.clone(),
            environment: environment.environment.clone(),
            process: process.map(str::to_owned),
            kind,
            summary: String::new(),
            body: String::new(),
            actions: Vec::new(),
            until: None,
            settled: false,
        };
        let notice = match self.incidents.iter_mut().find(same) {
            Some(incident) => {
                let worse = incident.notice.kind != kind;
                incident.notice = fill(blank(incident.notice.id.clone()));
                incident.dismissed &= !worse;
                if incident.dismissed {
                    return;
                }
                incident.notice.clone()
            }
            None => {
                let notice = fill(blank(format!("{}-{number}", self.supervisor.pid)));
                let dismissed = process.is_some_and(|name| {
                    let process = self.process(&Key::new(environment, name));
                    process.is_some_and(|process| process.dismissed.contains(&family(kind)))
                });
                let (start, unready) = (None, Vec::new());
                let incident = Incident { notice: notice.clone(), dismissed, start, unready, alert };
                if kind.is_trouble() {
                    self.incidents.push(incident);
                }
                if dismissed {
                    return;
                }
                notice
            }
        };
        self.publish(Update::Notice { notice: Box::new(notice) });
    }

    /// A process that has crashed runs again: nothing is to be decided any more, least of all that it stays down.
    pub(super) fn settle_crash(&mut self, key: &Key) {
        let crash = |incident: &&mut Incident| {
            let notice = &incident.notice;
            is_of(notice, key) && family(notice.kind) == NoticeKind::Crash && !notice.settled
        };
        let Some(incident) = self.incidents.iter_mut().find(crash) else { return };
        let notice = &mut incident.notice;
        let what = notice.body.lines().next().unwrap_or_default().to_owned();
        notice.summary = format!("{} runs again", key.process);
        notice.body = format!("It had crashed: {what}");
        notice.actions.retain(|action| action.shows);
        notice.until = None;
        notice.settled = true;
        if !incident.dismissed {
            let notice = Box::new(notice.clone());
            self.publish(Update::Notice { notice });
        }
    }

    /// Closes what is over in an environment.
    pub(super) fn settle_incidents(&mut self, environment: &EnvironmentKey) {
        self.close_those(|core, incident| {
            is_in(&incident.notice, environment)
                && (core.is_over(&incident.notice) || core.has_got_ready(&incident.unready))
        });
    }

    /// Whether all of those are ready by now, that are still wanted.
    fn has_got_ready(&self, unready: &[Key]) -> bool {
        let ready = |key: &Key| {
            let process = self.process(key);
            process.is_none_or(|process| process.ready || process.is_done() || !process.machine.wanted)
        };
        !unready.is_empty() && unready.iter().all(ready)
    }

    /// Closes what is about an environment or a process that is not there any more.
    pub(super) fn close_gone(&mut self) {
        let listed = self.shown_workspaces();
        let about: Vec<(String, EnvironmentKey, Option<String>)> = self
            .incidents
            .iter()
            .map(|Incident { notice, .. }| (notice.id.clone(), key_of(notice), notice.process.clone()))
            .collect();
        for (id, key, process) in about {
            // What cannot be read now was not taken away.
            let config = self.loaded(&key.workspace);
            let configured = config.as_ref().map_or(true, |config| match &process {
                Some(name) => is_configured(config, &key.environment, name),
                None => config.environments.contains_key(&key.environment),
            });
            let of_key = self.environments.get(&key).into_iter().flat_map(|one| &one.processes);
            let named = |name: &str| process.as_ref().is_none_or(|process| process == name);
            let active = of_key.into_iter().any(|(name, one)| named(name) && one.is_active());
            if !active && (!configured || !listed.contains(&key.workspace)) {
                self.close(&id);
            }
        }
    }

    fn is_over(&self, notice: &Notice) -> bool {
        let Some(name) = &notice.process else { return false };
        let Some(process) = self.process(&Key::new(&key_of(notice), name)) else { return true };
        match family(notice.kind) {
            NoticeKind::Crash => match process.machine.phase {
                Phase::Stopped | Phase::Exited { .. } => true,
                Phase::Running { .. } => process.since.is_some_and(|since| since.elapsed() >= STEADY),
                _ => false,
            },
            NoticeKind::Alert => !process.machine.phase.is_alive(),
            NoticeKind::Unhealthy => {
                process.health.state != HealthState::Unhealthy || !process.machine.phase.is_alive()
            }
            _ => false,
        }
    }

    fn close(&mut self, id: &str) {
        if let Some(at) = self.incidents.iter().position(|incident| incident.notice.id == id) {
            self.incidents.remove(at);
            self.publish(Update::NoticeClosed { id: id.to_owned() });
        }
    }

    fn close_those(&mut self, which: impl Fn(&Self, &Incident) -> bool) {
        let those = self.incidents.iter().filter(|incident| which(self, incident));
        let ids: Vec<String> = those.map(|incident| incident.notice.id.clone()).collect();
        for id in ids {
            self.close(&id);
        }
    }

    /// A start of the environment got through: what was in its way no longer is.
    pub(super) fn close_start_incidents(&mut self, root: &Path, environment: &str) {
        self.close_those(|_, Incident { notice, .. }| {
            matches!(notice.kind, NoticeKind::PortConflict | NoticeKind::StartFailed)
                && notice.workspace == root
                && notice.environment == environment
        });
    }

    /// A process that has come up is looked at once more when it has stayed up.
    pub(super) fn look_when_steady(&self, key: &Key) {
        if self.incidents.iter().any(|incident| is_of(&incident.notice, key)) {
            self.touch_later(&key.environment, STEADY);
        }
    }

    pub(super) fn touch_later(&self, environment: &EnvironmentKey, after: Duration) {
        let (handle, environment) = (self.handle.clone(), environment.clone());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            handle.tell(Message::Visit(Box::new(move |core| _ = core.touched.insert(environment))));
        });
    }

    /// A process that is unhealthy: if it stays so, that is told.
    pub(super) fn watch_unhealthy(&mut self, key: &Key) {
        let alerts = self.thresholds(&key.environment.workspace);
        let (handle, key) = (self.handle.clone(), key.clone());
        let Some(process) = self.process(&key) else { return };
        let (run, since) = (process.number, process.unhealthy_since);
        let Some(since) = since else { return };
        // What has lasted as long already stands among this supervisor's notices at once.
        let left = alerts.unhealthy.saturating_sub(since.at.elapsed());
        tokio::spawn(async move {
            tokio::time::sleep(left).await;
            handle.tell(Message::Visit(Box::new(move |core| {
                core.still_unhealthy(&key, run, alerts.unhealthy)
            })));
        });
    }

    fn still_unhealthy(&mut self, key: &Key, run: u32, limit: Duration) {
        let Some(process) = self.process(key).filter(|process| process.number == run) else { return };
        let long = process.unhealthy_since.is_some_and(|since| since.at.elapsed() >= limit);
        if !long || !process.machine.phase.is_alive() {
            return;
        }
        let message = process.health.message.clone().unwrap_or_default();
        let for_long = words::duration(limit);
        self.raise(&key.environment, Some(&key.process), NoticeKind::Unhealthy, Time::now(), |notice| {
            Notice {
                summary: format!("{} is unhealthy", key.process),
                body: format!("for {for_long} now: {message}"),
                actions: vec![action("restart", "Restart", false), action("show-log", "Show log", true)],
                ..notice
            }
        });
    }

    pub(super) fn act_on_notice(&mut self, act: &ActOnNotice, reply: Reply) {
        let Some(incident) = self.incidents.iter_mut().find(|incident| incident.notice.id == act.id) else {
            let _ =
                reply.send(Err(Error::new(Code::NotFound, "that is over; nothing is to be done about it")));
            return;
        };
        let Some(action) = incident.notice.actions.iter().find(|action| action.id == act.action).cloned()
        else {
            let text = format!("`{}` is not what the notice offers", act.action);
            let _ = reply.send(Err(Error::new(Code::Usage, text)));
            return;
        };
        let key = key_of(&incident.notice);
        if let (Some((alert, _)), "mute") = (incident.alert, action.id.as_str()) {
            let process = incident.notice.process.clone();
            self.set_muted(&key, process, alert, true);
            return super::ask::answer(reply, Ok(Done {}));
        }
        let process = incident.notice.process.clone().map(|name| Key::new(&key, &name));
        match (action.id.as_str(), process, incident.start.clone()) {
            ("restart", Some(process), _) => {
                self.close(&act.id);
                self.input(&process, Input::Restart);
            }
            ("keep-stopped", Some(process), _) => {
                self.close(&act.id);
                self.stop_keys(vec![process], reply);
                return;
            }
            ("kill", _, Some((wish, holders))) => {
                let on_conflict = OnConflict::Kill;
                self.close(&act.id);
                let wish = Wish { on_conflict, shown: Some(holders.foreign), ..wish };
                self.start_after_stop(holders.own, wish, reply);
                return;
            }
            ("next", _, Some((wish, _))) => {
                self.close(&act.id);
                self.start(Wish { on_conflict: OnConflict::Next, ..wish }, reply);
                return;
            }
            // What only shows something is the face's to do.
            _ => {}
        }
        super::ask::answer(reply, Ok(Done {}));
    }

    /// Nor is the next supervisor to tell it anew.
    fn remember_dismissed(&mut self, notice: &Notice) {
        let lasts = matches!(family(notice.kind), NoticeKind::Crash | NoticeKind::Unhealthy);
        let Some(name) = notice.process.as_ref().filter(|_| lasts) else { return };
        let key = Key::new(&key_of(notice), name);
        if let Some(process) = self.process_mut(&key) {
            process.dismissed.insert(family(notice.kind));
            self.unsaved(&key.environment);
        }
    }

    pub(super) fn dismiss_notice(&mut self, dismiss: &DismissNotice) -> Done {
        // An incident that goes on is remembered, so that it is not told anew.
        if let Some(incident) = self.incidents.iter_mut().find(|incident| incident.notice.id == dismiss.id) {
            incident.dismissed = true;
            let notice = incident.notice.clone();
            self.remember_dismissed(&notice);
        }
        self.publish(Update::NoticeClosed { id: dismiss.id.clone() });
        Done {}
    }
}

fn key_of(notice: &Notice) -> EnvironmentKey {
    EnvironmentKey { workspace: notice.workspace.clone(), environment: notice.environment.clone() }
}

fn is_in(notice: &Notice, key: &EnvironmentKey) -> bool {
    notice.workspace == key.workspace && notice.environment == key.environment
}

fn is_of(notice: &Notice, key: &Key) -> bool {
    is_in(notice, &key.environment) && notice.process.as_deref() == Some(key.process.as_str())
}

/// It is stopped, or runs again.
fn is_well(process: &super::Process) -> bool {
    matches!(process.machine.phase, Phase::Stopped | Phase::Running { .. })
}

/// A crash that becomes a loop is the same incident.
const fn family(kind: NoticeKind) -> NoticeKind {
    match kind {
        NoticeKind::CrashLoop => NoticeKind::Crash,
        NoticeKind::StartFailed => NoticeKind::PortConflict,
        kind => kind,
    }
}
