//! Starts that were clicked: what is in their way, and how they end.

use std::time::Duration;

use forge_api::{Error, Notice, NoticeKind, PortHolder, Request, StartOutcome, StartWait, Started, Time};
use forge_system::ports::Listening;

use super::{action, is_in, is_of};
use crate::conflict::Conflict;
use crate::core::{Core, EnvironmentKey, Key, Message, Reply};
use crate::owned::Service;
use crate::prepare::Wish;
use crate::words;

/// Between two looks for those who hold a port that somebody wants.
const HOLDERS_EVERY: Duration = Duration::from_secs(2);

/// A start that took this long is told when it is done: its user has turned to something else.
const LONG_START: Duration = Duration::from_secs(10);

/// Who was in the way of a start when that was told.
#[derive(Debug, Clone, Default)]
pub(super) struct Holders {
    pub(super) foreign: Vec<PortHolder>,
    /// Processes that Forge runs: they are stopped like any other, never killed.
    pub(super) own: Vec<Key>,
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
        [] => conflicts.iter().all(|one| one.holder.id.is_some()).then(|| {
            if conflicts.len() == 1 { "Stop it and start" } else { "Stop them and start" }.to_owned()
        }),
        [one] if conflicts.len() == 1 => Some(format!("Stop {}/{} and start", one.environment, one.process)),
        _ => {
            let known = |one: &Conflict| one.holder.service.is_some() || one.holder.id.is_some();
            conflicts.iter().all(known).then(|| "Stop them and start".to_owned())
        }
    }
}

/// What cannot be looked at is taken for held.
fn are_free(ports: &[u16]) -> bool {
    let Ok(listening) = Listening::read() else { return false };
    ports.iter().all(|port| listening.on(*port).next().is_none())
}

impl Core {
    /// A start that was asked for with a click, and could not begin.
    pub(in crate::core) fn start_refused(&mut self, wish: &Wish, error: &Error, conflicts: &[Conflict]) {
        let Ok(root) = self.workspace_of(&wish.workspace) else { return };
        let known = self.known(&root).map(|(_, known)| known).unwrap_or_default();
        let named = crate::plan::targets(&wish.names, &known, crate::plan::Purpose::Start);
        let Some(target) = named.ok().and_then(|targets| targets.into_iter().next()) else { return };
        let key = EnvironmentKey { workspace: root, environment: target.environment };
        // It was asked for again: what is told is news, also where it says the same as before.
        self.close_start_incidents(&key.workspace, &key.environment);
        if conflicts.is_empty() {
            self.raise(&key, None, NoticeKind::StartFailed, Time::now(), |notice| Notice {
                summary: format!("{} could not be started", key.environment),
                body: error.help.iter().fold(error.message.clone(), |body, help| format!("{body}\n{help}")),
                actions: vec![action("show", "Show", true)],
                ..notice
            });
        } else {
            self.tell_conflicts(&key, wish, conflicts);
        }
    }

    /// Who is in the way, and the ways out.
    fn tell_conflicts(&mut self, key: &EnvironmentKey, wish: &Wish, conflicts: &[Conflict]) {
        let Some(conflict) = conflicts.first() else { return };
        let mut actions = Vec::new();
        if let Some(label) = kill_label(conflicts) {
            actions.push(action("kill", label, false));
        }
        match (conflict.next, conflicts.len()) {
            (Some(next), 1) => actions.push(action("next", format!("Use port {next}"), false)),
            // There is none above it.
            (None, 1) => {}
            _ => actions.push(action("next", "Use other ports", false)),
        }
        actions.push(action("show", "Show", true));
        let lines: Vec<String> = conflicts
            .iter()
            .map(|one| format!("{} needs {}: {}", one.target.process, one.port, one.holder.in_full()))
            .collect();
        let mut ports: Vec<String> = conflicts.iter().map(|one| one.port.to_string()).collect();
        ports.dedup();
        let summary = match ports.as_slice() {
            [port] => format!("Port {port} is in use"),
            _ => format!("Ports {} are in use", ports.join(", ")),
        };
        self.raise(key, None, NoticeKind::PortConflict, Time::now(), |notice| Notice {
            summary,
            body: lines.join("\n"),
            actions,
            ..notice
        });
        let holders = Holders {
            foreign: conflicts
                .iter()
                .filter(|one| one.holder.service.is_none())
                .filter_map(|one| one.holder.told())
                .collect(),
            own: conflicts.iter().filter_map(|one| one.holder.service.as_ref()).map(key_of).collect(),
        };
        let incident = self.incidents.iter_mut().find(|incident| {
            is_in(&incident.notice, key) && incident.notice.kind == NoticeKind::PortConflict
        });
        if let Some(incident) = incident {
            incident.start = Some((wish.clone(), holders));
            let id = incident.notice.id.clone();
            self.watch_held_ports(id, conflicts.iter().map(|one| one.port).collect());
        }
    }

    /// Closes a conflict as soon as nobody holds its ports any more.
    fn watch_held_ports(&self, id: String, ports: Vec<u16>) {
        let handle = self.handle.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(HOLDERS_EVERY).await;
                let ports = ports.clone();
                let free = tokio::task::spawn_blocking(move || are_free(&ports)).await.unwrap_or(false);
                let id = id.clone();
                let goes_on = handle.visit(move |core| {
                    if free {
                        core.close(&id);
                    }
                    core.incidents.iter().any(|incident| incident.notice.id == id && !incident.dismissed)
                });
                if !goes_on.await.unwrap_or(false) {
                    return;
                }
            }
        });
    }

    /// Follows a start that nobody waits for at a terminal.
    pub(in crate::core) fn follow_start(&self, started: &Started) {
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
            self.close_start_incidents(&key.workspace, &key.environment);
            self.raise(key, None, NoticeKind::StartFailed, Time::now(), |notice| Notice {
                summary: format!("{} is not ready", key.environment),
                body: lines.join("\n"),
                actions: vec![action("show", "Show", true)],
                ..notice
            });
            let is_it = |incident: &&mut super::Incident| {
                is_in(&incident.notice, key) && incident.notice.kind == NoticeKind::StartFailed
            };
            if let Some(incident) = self.incidents.iter_mut().find(is_it) {
                let unready = outcome.failures.iter().map(|failure| Key::new(key, &failure.target.process));
                incident.unready = unready.collect();
            }
        }
    }

    /// Starts once these, which held its ports, are stopped.
    pub(super) fn start_after_stop(&mut self, keys: Vec<Key>, wish: Wish, reply: Reply) {
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
}
