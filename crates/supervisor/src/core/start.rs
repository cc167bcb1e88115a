//! Starting: what was prepared is applied, and whoever waits for readiness is answered.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use forge_api::{Code, Error, HealthState, StartOutcome, Started, Target};

use super::cause::{Cause, Reason, failures, not_ready};
use super::loaded::folder_id;
use super::stop::key_of;
use super::{Core, EnvironmentKey, Key, Message, Process, Reply, StopLater};
use crate::owned::Owned;
use crate::prepare::{self, Prepared, Present, Refused, Wish};
use crate::process::lifecycle::{Input, Phase};
use crate::words;

/// Tickets that are remembered for a `start.wait` that may come.
const TICKETS: usize = 256;

/// A start that somebody may wait for.
pub(super) struct Ticket {
    root: PathBuf,
    environment: String,
    keys: Vec<Key>,
    started: Vec<Key>,
    /// Ended by themselves with 0 after they had been ready.
    done: BTreeSet<Key>,
    waiters: Vec<(u64, Reply)>,
}

/// A start or restart whose preparation is under way.
pub(crate) struct Preparation {
    wish: Wish,
    /// By the counter.
    begun: u64,
    /// It may be prepared once more.
    again: bool,
    /// What ran when it began.
    alive: BTreeSet<Target>,
}

/// What happened while a start was prepared.
enum Overtaken {
    ByStop,
    ByStart,
}

/// How a process of a start stands.
enum Standing {
    Pending,
    Ready,
    /// It will not get ready by itself.
    Failed(String),
    /// It waits for one that will not.
    Blocked,
}

impl Core {
    /// Looks at everything first, on another thread; [`Core::prepared`] goes on.
    pub(super) fn start(&mut self, wish: Wish, reply: Reply) {
        let allowed = self.stays_put(&wish.workspace).and_then(|()| self.trusted(&wish));
        if let Err(error) = allowed {
            let _ = reply.send(Err(error));
            return;
        }
        let begun = self.next_number();
        self.prepare(Preparation { wish, begun, again: true, alive: BTreeSet::new() }, reply);
    }

    /// Before anything of the workspace is run, if only to ask for a version.
    fn trusted(&mut self, wish: &Wish) -> Result<(), Error> {
        // What cannot be read is told by the preparation, which runs nothing then.
        let Ok(root) = self.workspace_of(&wish.workspace) else { return Ok(()) };
        let Ok(config) = self.loaded(&root) else { return Ok(()) };
        self.check_trust(&root, &config, wish.typed)
    }

    fn prepare(&mut self, mut start: Preparation, reply: Reply) {
        let present = self.present(&start.wish.workspace);
        start.alive = present.alive.keys().cloned().collect();
        let handle = self.handle.clone();
        tokio::spawn(async move {
            let result = prepare::prepare(start.wish.clone(), present).await;
            handle.tell(Message::Prepared { start: Box::new(start), result, reply });
        });
    }

    /// What was prepared does not hold any more: `None` where it does.
    fn overtaken(&mut self, start: &Preparation, result: &Result<Prepared, Refused>) -> Option<Overtaken> {
        match result {
            Err(refused) if !refused.conflicts.is_empty() && start.again => {
                // The port may be that of a process which another start has begun meanwhile.
                let now = self.present(&start.wish.workspace).alive;
                now.keys().any(|target| !start.alive.contains(target)).then_some(Overtaken::ByStart)
            }
            Err(_) => None,
            Ok(prepared) => {
                let stopped = |target: &Target| {
                    let key = key_of(&prepared.root, target.clone());
                    self.stop_marks.get(&key).is_some_and(|mark| *mark > start.begun)
                };
                prepared.targets.iter().any(stopped).then_some(Overtaken::ByStop)
            }
        }
    }

    fn present(&self, folder: &std::path::Path) -> Present {
        let settings = self.home.config.clone();
        let Ok(root) = self.workspace_of(folder) else {
            return Present { settings, ..Present::default() };
        };
        let mut present =
            Present { settings, running: self.running(&root), owned: self.owned(), ..Present::default() };
        for (key, environment) in self.environments.iter().filter(|(key, _)| key.workspace == root) {
            present.moves.insert(key.environment.clone(), environment.moves.clone());
            if !environment.variables.is_empty() {
                present.variables.insert(key.environment.clone(), environment.variables.clone());
            }
            for (name, process) in environment.processes.iter().filter(|(_, process)| process.is_held()) {
                if let Some(run) = &process.run {
                    let alive = prepare::Alive { fingerprint: run.fingerprint.clone() };
                    present.alive.insert(Key::new(key, name).target(), alive);
                }
            }
        }
        present
    }

    /// What runs, of all workspaces.
    fn owned(&self) -> Vec<Owned> {
        let environments = self.environments.iter();
        let processes = environments.flat_map(|(key, environment)| {
            environment.processes.iter().map(move |(name, process)| (Key::new(key, name), process))
        });
        processes.filter_map(|(key, process)| process.owned(key)).collect()
    }

    /// Applies a preparation.
    pub(super) fn prepared(&mut self, start: Preparation, result: Result<Prepared, Refused>, reply: Reply) {
        match self.overtaken(&start, &result) {
            Some(Overtaken::ByStart) => return self.prepare(Preparation { again: false, ..start }, reply),
            Some(Overtaken::ByStop) => {
                let text = "it was stopped while its start was being prepared";
                let _ = reply.send(Err(Error::new(Code::NotReady, text)));
                return;
            }
            None => {}
        }
        let prepared = match result {
            Ok(prepared) => prepared,
            Err(Refused { error, conflicts }) => {
                if start.wish.variables.is_none() {
                    self.start_refused(&start.wish, &error, &conflicts);
                }
                let _ = reply.send(Err(error));
                return;
            }
        };
        let gone = self.define(&prepared);
        if !gone.is_empty() {
            self.begin_stop(&gone);
        }
        let root = prepared.root.clone();
        let keys: Vec<Key> = prepared.targets.iter().cloned().map(|target| key_of(&root, target)).collect();
        let restarting: Vec<Key> =
            prepared.restart.iter().cloned().map(|target| key_of(&root, target)).collect();
        let idle = |key: &&Key| {
            self.process(key)
                .is_some_and(|process| !(process.is_active() || process.is_done()) || !process.machine.wanted)
        };
        let started: Vec<Key> =
            keys.iter().filter(|key| idle(key) || restarting.contains(key)).cloned().collect();
        self.begin_restart(&restarting);
        let done = |key: &Key| {
            !prepared.named.contains(&key.target()) && self.process(key).is_some_and(Process::is_done)
        };
        let keys_to_start: Vec<Key> =
            keys.iter().filter(|key| !restarting.contains(key) && !done(key)).cloned().collect();
        for key in &keys_to_start {
            if let Some(process) = self.process_mut(key) {
                process.stop_later = None;
            }
            self.input(key, Input::Start);
        }
        let environment =
            prepared.targets.first().map(|target| target.environment.clone()).unwrap_or_default();
        let all: BTreeSet<&String> = prepared.targets.iter().map(|target| &target.environment).collect();
        for environment in all {
            self.close_start_incidents(&root, environment);
        }
        let answer = self.issue_ticket(root, environment, keys, started);
        if start.wish.variables.is_none() {
            self.follow_start(&answer);
        }
        self.save_all();
        let _ = reply.send(serde_json::to_value(answer).map_err(|error| Error::system("the answer", error)));
    }

    /// Takes over the definitions; the processes that run and are no longer configured come back.
    fn define(&mut self, prepared: &Prepared) -> Vec<Key> {
        let mut gone = Vec::new();
        for (name, defined) in &prepared.environments {
            let key = EnvironmentKey { workspace: prepared.root.clone(), environment: name.clone() };
            let environment = self.environments.entry(key.clone()).or_default();
            environment.variables.clone_from(&defined.variables);
            environment.moves.clone_from(&defined.moves);
            environment.applied = Some(Arc::clone(&prepared.config));
            environment.place = folder_id(&prepared.root);
            for definition in &defined.processes {
                let process = environment.processes.entry(definition.name.clone()).or_default();
                let target = Target { environment: name.clone(), process: definition.name.clone() };
                if process.is_held() && !prepared.targets.contains(&target) {
                    // It goes on as it was started, until somebody starts it again.
                    continue;
                }
                let changed =
                    process.definition.as_ref().is_some_and(|old| supervised_otherwise(old, definition));
                process.definition = Some(Arc::clone(definition));
                process.fresh = prepared.targets.contains(&target);
                if changed {
                    // Begun anew, by the new rules.
                    process.untend();
                    if let Some((task, _)) = process.follower.take() {
                        task.abort();
                    }
                }
            }
            let configured = |name: &str| defined.processes.iter().any(|process| process.name == name);
            if prepared.whole.contains(name) {
                let left =
                    environment.processes.iter().filter(|(name, one)| !configured(name) && one.is_active());
                gone.extend(left.map(|(name, _)| Key::new(&key, name)));
            }
            environment.processes.retain(|name, process| configured(name) || process.is_active());
            let order =
                |name: &str| defined.processes.iter().position(|one| one.name == name).unwrap_or(usize::MAX);
            environment.processes.sort_by(|one, _, other, _| order(one).cmp(&order(other)));
            self.touched.insert(key);
        }
        self.forget_fingerprints(&prepared.root);
        gone
    }

    /// Stops these, dependents first, and starts them again once all of them have stopped.
    fn begin_restart(&mut self, keys: &[Key]) {
        if keys.is_empty() {
            return;
        }
        let number = self.next_number();
        self.restarts.insert(number, keys.to_vec());
        for key in keys {
            let later = self.is_needed_by(key, keys);
            let Some(process) = self.process_mut(key) else { continue };
            process.held_by = Some(number);
            process.stop_later = None;
            if later && process.is_held() {
                process.stop_later = Some(StopLater::Restart);
            } else {
                self.input(key, Input::Restart);
            }
            self.touched.insert(key.environment.clone());
        }
    }

    fn issue_ticket(
        &mut self,
        root: PathBuf,
        environment: String,
        keys: Vec<Key>,
        started: Vec<Key>,
    ) -> Started {
        let ticket = self.next_number();
        let answer = Started {
            ticket,
            workspace: root.clone(),
            environment: environment.clone(),
            processes: keys.iter().map(Key::target).collect(),
            starting: started.iter().map(Key::target).collect(),
        };
        self.tickets.insert(
            ticket,
            Ticket { root, environment, keys, started, done: BTreeSet::new(), waiters: Vec::new() },
        );
        let unwaited =
            self.tickets.iter().find(|(_, ticket)| ticket.waiters.is_empty()).map(|(number, _)| *number);
        if let Some(oldest) = unwaited.filter(|_| self.tickets.len() > TICKETS) {
            self.tickets.remove(&oldest);
        }
        answer
    }

    pub(super) fn start_wait(&mut self, ticket: u64, timeout_ms: Option<u64>, reply: Reply) {
        let waiter = self.next_number();
        let Some(known) = self.tickets.get_mut(&ticket) else {
            let _ = reply.send(Err(Error::new(Code::NotFound, "no such start is waited for")));
            return;
        };
        known.waiters.push((waiter, reply));
        let environments: BTreeSet<_> = known.keys.iter().map(|key| key.environment.clone()).collect();
        self.touched.extend(environments);
        if let Some(millis) = timeout_ms {
            let handle = self.handle.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                handle.tell(Message::StartTimedOut { ticket, waiter });
            });
        }
    }

    pub(super) fn start_timed_out(&mut self, ticket: u64, waiter: u64) {
        let Some(known) = self.tickets.get_mut(&ticket) else { return };
        let Some(at) = known.waiters.iter().position(|(number, _)| *number == waiter) else { return };
        let (_, reply) = known.waiters.remove(at);
        let causes = self.causes(ticket, true);
        self.answer_start(ticket, causes, true, vec![reply]);
    }

    pub(super) fn start_cancel(&mut self, ticket: u64, reply: Reply) {
        let Some(known) = self.tickets.remove(&ticket) else {
            let _ = reply.send(Err(Error::new(Code::NotFound, "no such start is known")));
            return;
        };
        for (_, waiter) in known.waiters {
            let _ = waiter.send(Err(Error::new(Code::Interrupted, "the start was cancelled")));
        }
        self.stop_keys(known.started, reply);
    }

    /// Answers the waiters of each start whose processes stand fast.
    pub(super) fn answer_starts(&mut self) {
        let waited: Vec<u64> = self
            .tickets
            .iter()
            .filter(|(_, ticket)| !ticket.waiters.is_empty())
            .map(|(number, _)| *number)
            .collect();
        for number in waited {
            self.remember_done(number);
            let Some(ticket) = self.tickets.get(&number) else { continue };
            let pending =
                ticket.keys.iter().any(|key| matches!(self.standing(ticket, key), Standing::Pending));
            if pending {
                continue;
            }
            let causes = self.causes(number, false);
            let waiters = self.tickets.get_mut(&number).map(|ticket| std::mem::take(&mut ticket.waiters));
            let replies = waiters.unwrap_or_default().into_iter().map(|(_, reply)| reply).collect();
            self.answer_start(number, causes, false, replies);
        }
    }

    fn remember_done(&mut self, number: u64) {
        let Some(ticket) = self.tickets.get(&number) else { return };
        let ready: Vec<Key> = ticket
            .keys
            .iter()
            .filter(|key| self.process(key).is_some_and(|process| process.ready))
            .cloned()
            .collect();
        if let Some(ticket) = self.tickets.get_mut(&number) {
            ticket.done.extend(ready);
        }
    }

    fn standing(&self, ticket: &Ticket, key: &Key) -> Standing {
        let Some(process) = self.process(key) else {
            return Standing::Failed("it is not configured any more".into());
        };
        let stands = |since: &Instant| since.elapsed() >= super::act::STANDS;
        if process.ready && has_no_check(process) && !process.since.as_ref().is_some_and(stands) {
            return if process.rules().one_shot { Standing::Ready } else { Standing::Pending };
        }
        if process.ready {
            return Standing::Ready;
        }
        match &process.machine.phase {
            Phase::Exited { .. } if ticket.done.contains(key) => Standing::Ready,
            Phase::Exited { .. } if has_no_check(process) => Standing::Ready,
            Phase::Exited { .. } => Standing::Failed("exited with 0 before it was ready".to_owned()),
            Phase::Crashed { .. } | Phase::Failed { .. } => {
                Standing::Failed(words::phase(&process.machine.phase).unwrap_or_default())
            }
            Phase::Stopped => Standing::Failed("was stopped".to_owned()),
            Phase::Running { .. } if process.health.state == HealthState::Unhealthy => {
                let text = process.health.message.clone().unwrap_or_default();
                Standing::Failed(format!("unhealthy: {text}"))
            }
            Phase::Waiting => {
                let stuck = self.waiting_on(key).into_iter().any(|name| {
                    // A dependency is always part of the start.
                    let dependency = Key::new(&key.environment, &name);
                    !matches!(self.standing(ticket, &dependency), Standing::Pending | Standing::Ready)
                });
                if stuck { Standing::Blocked } else { Standing::Pending }
            }
            _ => Standing::Pending,
        }
    }

    /// The causes; with `pending`, what is not ready yet is one too.
    fn causes(&self, number: u64, pending: bool) -> Vec<Cause> {
        let Some(ticket) = self.tickets.get(&number) else { return Vec::new() };
        let mut causes = Vec::new();
        for key in &ticket.keys {
            let reason = match self.standing(ticket, key) {
                Standing::Failed(reason) => Reason::Known(reason),
                Standing::Pending if pending => match self.pending_reason(key) {
                    Some(reason) => reason,
                    None => continue,
                },
                _ => continue,
            };
            let blocked = ticket.keys.iter().filter(|other| self.waits_for(other, key));
            causes.push(Cause {
                target: key.target(),
                reason,
                blocks: blocked.map(|other| other.process.clone()).collect(),
                log: super::act::log_folder(&self.home.logs(), key),
                run: self.process(key).map_or(0, |process| process.number),
            });
        }
        causes
    }

    /// What a process that is not ready is at; `None` if it only waits for others.
    fn pending_reason(&self, key: &Key) -> Option<Reason> {
        let process = self.process(key)?;
        match &process.machine.phase {
            Phase::Waiting => None,
            Phase::Running { .. } => Some(not_ready(process)),
            phase => Some(Reason::Known(words::phase(phase).unwrap_or_else(|| "is not ready".to_owned()))),
        }
    }

    fn waits_for(&self, key: &Key, cause: &Key) -> bool {
        if key.environment != cause.environment {
            return false;
        }
        let waits = self.waiting_on(key);
        waits.contains(&cause.process)
            || waits.iter().any(|name| self.waits_for(&Key::new(&key.environment, name), cause))
    }

    fn answer_start(&mut self, number: u64, causes: Vec<Cause>, timed_out: bool, replies: Vec<Reply>) {
        let Some(ticket) = self.tickets.get(&number) else { return };
        let environment =
            EnvironmentKey { workspace: ticket.root.clone(), environment: ticket.environment.clone() };
        let look = self.look(&environment);
        let owned = self.owned();
        tokio::spawn(async move {
            let answer = tokio::task::spawn_blocking(move || {
                let ready = causes.is_empty();
                let failures = failures(causes, &environment.workspace, &owned);
                let status = look.status();
                let url = status.url.clone().filter(|_| ready);
                StartOutcome { ready: ready && !timed_out, timed_out, status, failures, url }
            })
            .await;
            let value = answer.map_err(|error| Error::system("the answer", error)).and_then(|answer| {
                serde_json::to_value(answer).map_err(|error| Error::system("the answer", error))
            });
            for reply in replies {
                let _ = reply.send(value.clone());
            }
        });
    }
}

fn supervised_otherwise(
    old: &forge_config::resolve::ResolvedProcess,
    new: &forge_config::resolve::ResolvedProcess,
) -> bool {
    let of = forge_config::resolve::supervision_fingerprint;
    of(old) != of(new)
}

fn has_no_check(process: &Process) -> bool {
    process
        .definition
        .as_ref()
        .is_none_or(|definition| definition.health_check.is_none() && definition.ports.is_empty())
}
