//! Incidents that a person is told of although nobody asked. Each is told once, changes in place while it lasts, and is
//! closed when it is over.

use std::path::Path;
use std::time::Duration;

use forge_api::{
    ActOnNotice, Code, DismissNotice, Done, Error, HealthState, Notice, NoticeAction, NoticeKind,
    NoticesAnswer, OnConflict, Request, StartOutcome, StartWait, Started, Time, Update,
};
use forge_system::process::ProcessId;

use super::alerts::CRASH_LOOP;
use super::{Core, EnvironmentKey, Key, Message, Reply};
use crate::conflict::Conflict;
use crate::owned::Service;
use crate::prepare::Wish;
use crate::process::lifecycle::{AfterCrash, Happening, Input, Phase};
use crate::words;

/// An incident is over when the process has stayed up for this long.
const STEADY: Duration = Duration::from_secs(10);

/// A start that took this long is told when it is done: its user has turned to something else.
const LONG_START: Duration = Duration::from_secs(10);

/// Lines of output in which the last one that says something is looked for.
const OUTPUT: u64 = 60;

/// A notice that is not over.
#[derive(Debug)]
pub(super) struct Incident {
    notice: Notice,
    /// The user has seen it, and wants to hear no more of it.
    dismissed: bool,
    /// What could not be started, to be tried again.
    start: Option<(Wish, Holders)>,
    /// Of which kind, if it is an alert: a process may have several.
    alert: Option<&'static str>,
}

/// Who was in the way of a start when that was told.
#[derive(Debug, Clone, Default)]
struct Holders {
    foreign: Vec<ProcessId>,
    /// Processes that Forge runs: they are stopped like any other, never killed.
    own: Vec<Key>,
}

fn key_of(service: &Service) -> Key {
    let environment =
        EnvironmentKey { workspace: service.workspace.clone(), environment: service.environment.clone() };
    Key::new(&environment, &service.process)
}

/// What ending those who hold the ports is called; `None` if that cannot be done.
fn kill_label(conflicts: &[Conflict]) -> Option<String> {
    let own: Vec<&Service> = conflicts.iter().filter_map(|one| one.holder.service.as_ref()).collect();
    match own.as_slice() {
        [] => conflicts.iter().all(|one| one.holder.id.is_some()).then(|| "Stop it and start".to_owned()),
        [one] if conflicts.len() == 1 => Some(format!("Stop {}/{} and start", one.environment, one.process)),
        _ => {
            let known = |one: &Conflict| one.holder.service.is_some() || one.holder.id.is_some();
            conflicts.iter().all(known).then(|| "Stop them and start".to_owned())
        }
    }
}

pub(super) fn action(id: &str, label: impl Into<String>, shows: bool) -> NoticeAction {
    NoticeAction { id: id.to_owned(), label: label.into(), shows }
}

impl Core {
    pub(super) fn notices(&self) -> NoticesAnswer {
        let open = self.incidents.iter().filter(|incident| !incident.dismissed);
        NoticesAnswer { notices: open.map(|incident| incident.notice.clone()).collect() }
    }

    /// A crash is told with the last line of its output, which another thread looks up.
    pub(super) fn tell_crash(&mut self, key: &Key, happening: &Happening) {
        let Happening::Crashed { exit, count, next } = *happening else { return };
        let Some(process) = self.process(key) else { return };
        let number = process.number;
        let time = process.ended.map_or_else(Time::now, |(_, time)| time);
        let folder = super::act::log_folder(&self.home.logs(), key);
        let (handle, key) = (self.handle.clone(), key.clone());
        tokio::task::spawn_blocking(move || {
            let lines = crate::logs::last_lines(&folder, &key.target(), number, OUTPUT);
            let last = lines.into_iter().rev().map(|line| line.text).find(|text| says_something(text));
            let (kind, summary) = match next {
                AfterCrash::GiveUp => (NoticeKind::CrashLoop, format!("{} keeps crashing", key.process)),
                _ => (NoticeKind::Crash, format!("{} crashed", key.process)),
            };
            let body = crash_body(&words::exit(exit), last.as_deref(), count, next);
            let actions = match next {
                AfterCrash::Restart(_) => vec![
                    action("restart", "Restart now", false),
                    action("keep-stopped", "Keep stopped", false),
                    action("show-log", "Show log", true),
                ],
                _ => vec![action("restart", "Restart", false), action("show-log", "Show log", true)],
            };
            handle.tell(Message::Visit(Box::new(move |core| {
                let until = core.process(&key).and_then(|process| process.restart_at);
                if kind == NoticeKind::CrashLoop
                    && core.is_muted(&key.environment, Some(&key.process), CRASH_LOOP)
                {
                    core.close_crash(&key);
                    return;
                }
                // Restarted or stopped meanwhile: nothing to decide any more.
                if core.process(&key).is_some_and(|process| process.number == number && !is_well(process)) {
                    core.raise(&key.environment, Some(&key.process), kind, time, |notice| Notice {
                        summary,
                        body,
                        actions,
                        until,
                        ..notice
                    });
                }
            })));
        });
    }

    /// The user wants to hear no more of what a crash came to.
    fn close_crash(&mut self, key: &Key) {
        self.close_those(|_, incident| {
            is_of(&incident.notice, key) && family(incident.notice.kind) == NoticeKind::Crash
        });
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
        environment: &EnvironmentKey,
        process: Option<&str>,
        alert: &'static str,
        time: Time,
        fill: impl FnOnce(Notice) -> Notice,
    ) {
        self.raise_one((environment, process), NoticeKind::Alert, Some(alert), time, fill);
    }

    /// An alert is over, or muted.
    pub(super) fn close_alert(&mut self, environment: &EnvironmentKey, process: Option<&str>, alert: &str) {
        self.close_those(|_, incident| {
            is_in(&incident.notice, environment)
                && incident.notice.process.as_deref() == process
                && (incident.alert == Some(alert)
                    || (alert == CRASH_LOOP && incident.notice.kind == NoticeKind::CrashLoop))
        });
    }

    fn raise_one(
        &mut self,
        (environment, process): (&EnvironmentKey, Option<&str>),
        kind: NoticeKind,
        alert: Option<&'static str>,
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
                let incident = Incident { notice: notice.clone(), dismissed: false, start: None, alert };
                if kind.is_trouble() {
                    self.incidents.push(incident);
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
        self.close_those(|core, Incident { notice, .. }| is_in(notice, environment) && core.is_over(notice));
    }

    fn is_over(&self, notice: &Notice) -> bool {
        let Some(name) = &notice.process else { return false };
        let key =
            EnvironmentKey { workspace: notice.workspace.clone(), environment: notice.environment.clone() };
        let Some(process) = self.process(&Key::new(&key, name)) else { return true };
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

    /// A process has become unhealthy: if it stays so, that is told.
    pub(super) fn watch_unhealthy(&mut self, key: &Key) {
        let alerts = self.thresholds(&key.environment.workspace);
        let (handle, key) = (self.handle.clone(), key.clone());
        let Some(run) = self.process(&key).map(|process| process.number) else { return };
        tokio::spawn(async move {
            tokio::time::sleep(alerts.unhealthy).await;
            handle.tell(Message::Visit(Box::new(move |core| {
                core.still_unhealthy(&key, run, alerts.unhealthy)
            })));
        });
    }

    fn still_unhealthy(&mut self, key: &Key, run: u32, limit: Duration) {
        let Some(process) = self.process(key).filter(|process| process.number == run) else { return };
        let long = process.unhealthy_since.is_some_and(|since| since.elapsed() >= limit);
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

    /// A start that was asked for with a click, and could not begin.
    pub(super) fn start_refused(&mut self, wish: &Wish, error: &Error, conflicts: &[Conflict]) {
        let Ok(root) = self.workspace_of(&wish.workspace) else { return };
        let known = self.known(&root).map(|(_, known)| known).unwrap_or_default();
        let named = crate::plan::targets(&wish.names, &known, crate::plan::Purpose::Start);
        let Some(target) = named.ok().and_then(|targets| targets.into_iter().next()) else { return };
        let key = EnvironmentKey { workspace: root, environment: target.environment };
        let Some(conflict) = conflicts.first() else {
            self.raise(&key, None, NoticeKind::StartFailed, Time::now(), |notice| Notice {
                summary: format!("{} could not be started", key.environment),
                body: error.help.iter().fold(error.message.clone(), |body, help| format!("{body}\n{help}")),
                actions: vec![action("show", "Show", true)],
                ..notice
            });
            return;
        };
        let mut actions = Vec::new();
        if let Some(label) = kill_label(conflicts) {
            actions.push(action("kill", label, false));
        }
        match (conflict.next, conflicts.len()) {
            (Some(next), 1) => actions.push(action("next", format!("Use port {next}"), false)),
            _ => actions.push(action("next", "Use other ports", false)),
        }
        actions.push(action("show", "Show", true));
        let lines: Vec<String> = conflicts
            .iter()
            .map(|one| format!("{} needs {}: {}", one.target.process, one.port, one.holder.in_full()))
            .collect();
        let summary = format!("Port {} is in use", conflict.port);
        self.raise(&key, None, NoticeKind::PortConflict, Time::now(), |notice| Notice {
            summary,
            body: lines.join("\n"),
            actions,
            ..notice
        });
        let holders = Holders {
            foreign: conflicts
                .iter()
                .filter(|one| one.holder.service.is_none())
                .filter_map(|one| one.holder.id)
                .collect(),
            own: conflicts.iter().filter_map(|one| one.holder.service.as_ref()).map(key_of).collect(),
        };
        let incident = self.incidents.iter_mut().find(|incident| {
            is_in(&incident.notice, &key) && incident.notice.kind == NoticeKind::PortConflict
        });
        if let Some(incident) = incident {
            incident.start = Some((wish.clone(), holders));
        }
    }

    /// Follows a start that nobody waits for at a terminal.
    pub(super) fn follow_start(&self, started: &Started) {
        let handle = self.handle.clone();
        let key =
            EnvironmentKey { workspace: started.workspace.clone(), environment: started.environment.clone() };
        let (ticket, begun) = (started.ticket, tokio::time::Instant::now());
        tokio::spawn(async move {
            let wait = Request::StartWait(StartWait { ticket, timeout_ms: None });
            let Ok(answer) = handle.request(wait).await else { return };
            let Ok(outcome) = serde_json::from_value::<StartOutcome>(answer) else { return };
            let took = begun.elapsed();
            handle.tell(Message::Visit(Box::new(move |core| core.start_ended(&key, &outcome, took))));
        });
    }

    fn start_ended(&mut self, key: &EnvironmentKey, outcome: &StartOutcome, took: Duration) {
        if outcome.ready {
            if took >= LONG_START {
                self.raise(key, None, NoticeKind::Ready, Time::now(), |notice| Notice {
                    summary: format!("{} is ready", key.environment),
                    body: format!("after {}", words::duration(took)),
                    actions: outcome.url.iter().map(|_| action("open", "Open", true)).collect(),
                    ..notice
                });
            }
            return;
        }
        let told = |name: &str| {
            let key = Key::new(key, name);
            self.incidents.iter().any(|incident| is_of(&incident.notice, &key))
                // Its crash is about to be.
                || self.process(&key).is_some_and(|process| process.ended.is_some())
        };
        // What the user stopped is no failure.
        let wanted =
            |name: &str| self.process(&Key::new(key, name)).is_some_and(|process| process.machine.wanted);
        let lines: Vec<String> = outcome
            .failures
            .iter()
            .filter(|failure| wanted(&failure.target.process) && !told(&failure.target.process))
            .map(|failure| format!("{} {}", failure.target.process, failure.reason))
            .collect();
        if !lines.is_empty() {
            self.raise(key, None, NoticeKind::StartFailed, Time::now(), |notice| Notice {
                summary: format!("{} is not ready", key.environment),
                body: lines.join("\n"),
                actions: vec![action("show", "Show", true)],
                ..notice
            });
        }
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
        let key = EnvironmentKey {
            workspace: incident.notice.workspace.clone(),
            environment: incident.notice.environment.clone(),
        };
        if let (Some(alert), "mute") = (incident.alert, action.id.as_str()) {
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

    /// Starts once these, which held its ports, are stopped.
    fn start_after_stop(&mut self, keys: Vec<Key>, wish: Wish, reply: Reply) {
        if keys.is_empty() {
            return self.start(wish, reply);
        }
        let (stopped, wait) = tokio::sync::oneshot::channel();
        self.stop_keys(keys, stopped);
        let handle = self.handle.clone();
        tokio::spawn(async move {
            match wait.await {
                Ok(Ok(_)) => handle.tell(Message::Visit(Box::new(move |core| core.start(wish, reply)))),
                Ok(Err(error)) => _ = reply.send(Err(error)),
                // The supervisor ends.
                Err(_) => {}
            }
        });
    }

    pub(super) fn dismiss_notice(&mut self, dismiss: &DismissNotice) -> Done {
        // An incident that goes on is remembered, so that it is not told anew.
        if let Some(incident) = self.incidents.iter_mut().find(|incident| incident.notice.id == dismiss.id) {
            incident.dismissed = true;
        }
        self.publish(Update::NoticeClosed { id: dismiss.id.clone() });
        Done {}
    }
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

/// Not a blank line, a frame of a stack, or Node's version below one: the line above says what happened.
fn says_something(line: &str) -> bool {
    let line = line.trim();
    !(line.is_empty() || line.starts_with("at ") || line.starts_with("Node.js v"))
}

/// `exit 1: panic: nil pointer`, and what comes next.
fn crash_body(exit: &str, last_line: Option<&str>, count: u32, next: AfterCrash) -> String {
    let mut body = exit.to_owned();
    if let Some(line) = last_line {
        let line: String = line.trim().chars().take(200).collect();
        body.push_str(&format!(": {line}"));
    }
    let after = match next {
        AfterCrash::Restart(delay) if delay.is_zero() => "Restarting".to_owned(),
        AfterCrash::Restart(delay) => format!("Restarts in {}", words::duration(delay)),
        AfterCrash::Stay => "Stays down, as configured".to_owned(),
        AfterCrash::GiveUp => format!("Crash {count} in a row, not restarted any more"),
    };
    body.push('\n');
    body.push_str(&after);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_says_something_is_the_one_that_is_told() {
        for (line, says) in [
            ("Error: boom", true),
            ("    at Object.<anonymous> (/app/server.js:3:9)", false),
            ("", false),
            ("Node.js v20.20.2", false),
            ("attached", true),
        ] {
            assert_eq!(says_something(line), says, "{line}");
        }
    }

    #[test]
    fn a_crash_is_told_with_its_exit_its_last_line_and_what_comes_next() {
        let five = AfterCrash::Restart(Duration::from_secs(5));
        for (line, count, next, body) in [
            (Some("panic: nil"), 1, five, "exit 1: panic: nil\nRestarts in 5 s"),
            (None, 1, AfterCrash::Restart(Duration::ZERO), "exit 1\nRestarting"),
            (None, 1, AfterCrash::Stay, "exit 1\nStays down, as configured"),
            (Some("  x  "), 5, AfterCrash::GiveUp, "exit 1: x\nCrash 5 in a row, not restarted any more"),
        ] {
            assert_eq!(crash_body("exit 1", line, count, next), body, "{line:?} {next:?}");
        }
    }
}
