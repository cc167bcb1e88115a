//! What a new supervisor finds: what was wanted, and what runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use forge_api::Time;
use forge_config::resolve::{Origin, ResolvedProcess};
use forge_keeper::message::{PROTOCOL, Request};
use forge_keeper::record::Exit;
use forge_keeper::spec::{RunFolder, Spec};
use forge_system::process::ProcessId;
use tokio::sync::mpsc;

use super::act::remove_folder;
use super::save::{Saved, SavedPhase, SavedProcess};
use super::{Core, Environment, EnvironmentKey, Key, Message};
use crate::prepare;
use crate::process::lifecycle::{AfterCrash, Happening, Phase, Then};
use crate::run::folder::{self, Told};
use crate::run::{How, Run, hold};

/// A run folder that is worth holding.
struct Found {
    folder: RunFolder,
    spec: Spec,
}

/// What is left of a countdown that a supervisor before us began, and after which exit.
fn countdown(saved: &SavedProcess) -> Option<(Duration, Exit)> {
    let (due, exit) = saved.restarts_at?;
    let now = Time::now().as_millis();
    // A clock that was set back says nothing of how long it was to be.
    let is_past = saved.ended.is_none_or(|(_, ended)| ended <= now);
    let left = u64::try_from(due.saturating_sub(now)).ok().filter(|left| *left > 0 && is_past)?;
    Some((Duration::from_millis(left), exit))
}

/// The last crash of what was saved.
fn crashed(saved: &SavedProcess, exit: Exit, next: AfterCrash) -> Happening {
    Happening::Crashed { exit, count: u32::try_from(saved.crashes.len()).unwrap_or(u32::MAX), next }
}

impl Core {
    /// Takes over what an earlier supervisor has left. Before anything else happens, so that nothing is started that
    /// runs already.
    pub(crate) fn adopt(&mut self, saved: Vec<Saved>, restore_after_boot: bool) {
        let mut runs = self.find_runs();
        for environment in saved {
            let key = EnvironmentKey {
                workspace: environment.workspace.clone(),
                environment: environment.environment.clone(),
            };
            let same_boot = environment.boot == self.boot;
            if same_boot {
                self.hogs.after(environment.hogs);
            }
            let entry = Environment {
                variables: environment.variables,
                moves: environment.moves,
                muted: environment.muted,
                place: environment.place,
                ..Environment::default()
            };
            self.environments.insert(key.clone(), entry);
            for (name, process) in environment.processes {
                let process_key = Key::new(&key, &name);
                let found =
                    runs.remove(&process_key).or_else(|| self.find_unreadable(&process_key, &process));
                let resume = same_boot || (restore_after_boot && self.is_confirmed(&key.workspace));
                self.adopt_process(&process_key, &process, found, resume);
            }
        }
        // Their state was lost, and they run: they were wanted.
        for (key, found) in runs {
            let number = found.spec.number;
            let saved = SavedProcess {
                wanted: true,
                restarts: 0,
                crashes: Vec::new(),
                number,
                fresh_run: 0,
                ended: None,
                ran: None,
                run: None,
                told: super::told::SavedTold::default(),
                readiness: None,
                alerts: None,
                dismissed: BTreeSet::new(),
                phase: SavedPhase::Alive,
                restarts_at: None,
            };
            self.adopt_process(&key, &saved, Some(found), true);
        }
        self.define_the_rest();
        self.watch_configurations();
        self.settle();
    }

    /// What does not run is known by its configuration alone, where that can still be read.
    fn define_the_rest(&mut self) {
        let keys: Vec<EnvironmentKey> = self.environments.keys().cloned().collect();
        for key in keys {
            let Ok(config) = self.loaded(&key.workspace) else { continue };
            let Some(environment) = self.environments.get_mut(&key) else { continue };
            let (variables, moves) = (environment.variables.clone(), environment.moves.clone());
            let nothing = Some(std::collections::BTreeSet::new());
            let Ok(resolved) = prepare::resolve(&config, &key.environment, variables, nothing, moves) else {
                continue;
            };
            for definition in resolved.processes {
                if let Some(process) = environment.processes.get_mut(&definition.name) {
                    process.definition.get_or_insert(definition);
                }
            }
        }
    }

    fn adopt_process(&mut self, key: &Key, saved: &SavedProcess, found: Option<Found>, resume: bool) {
        let environment = self.environments.entry(key.environment.clone()).or_default();
        environment.processes.insert(key.process.clone(), saved.restore());
        match found {
            Some(found) => self.adopt_run(key, saved, found),
            None => self.adopt_standstill(key, saved, resume),
        }
        self.touched.insert(key.environment.clone());
        self.unsaved(&key.environment);
    }

    fn adopt_run(&mut self, key: &Key, saved: &SavedProcess, found: Found) {
        let definition: Option<ResolvedProcess> = serde_json::from_value(found.spec.note.clone()).ok();
        // Where the state was lost: what the caller had, less what the configuration has changed since.
        let callers = definition.iter().flat_map(|definition| &definition.env);
        let callers = callers.filter(|variable| variable.origin == Origin::Caller);
        let variables: BTreeMap<String, String> =
            callers.map(|variable| (variable.name.clone(), variable.value.clone())).collect();
        if let Some(environment) = self.environments.get_mut(&key.environment)
            && environment.variables.is_empty()
        {
            environment.variables = variables;
        }
        let Some(process) = self.process_mut(key) else { return };
        process.definition = definition.map(Arc::new);
        process.number = process.number.max(found.spec.number);
        process.ended = None;
        let mut told = folder::read(&found.folder);
        // A PID that is somebody else's by now is no news of our process.
        told.started = told
            .started
            .filter(|(pid, start, _)| ProcessId { pid: *pid, start: *start }.is_alive().unwrap_or(false));
        if let Some((pid, start, time)) = told.started {
            process.began(ProcessId { pid, start }, time);
        }
        // A run that was begun after the state was written was wanted, whatever stands there.
        let stale = found.spec.number > saved.number;
        process.machine.wanted = saved.wanted || stale;
        let known_end = told.ended.as_ref().map(|ended| Time(ended.time).as_millis());
        let is_counted = known_end.is_some() && known_end == saved.ended.map(|(_, time)| time);
        let counting = countdown(saved).filter(|_| is_counted && process.machine.wanted);
        process.machine.phase = match (&saved.phase, process.machine.wanted) {
            (SavedPhase::Stopping, true) if !stale => Phase::Stopping { then: Then::Start, forced: false },
            (_, false) => Phase::Stopping { then: Then::Stay, forced: false },
            // Its end is known and counted; what is left of its tree is still held.
            (SavedPhase::Exited | SavedPhase::Crashed { .. } | SavedPhase::Failed { .. }, true)
                if is_counted =>
            {
                process.ended = saved.ended.map(|(exit, time)| (exit, Time::from_millis(time)));
                saved.phase.at_rest()
            }
            (SavedPhase::Waiting, true) if counting.is_some() => {
                process.ended = saved.ended.map(|(exit, time)| (exit, Time::from_millis(time)));
                Phase::Waiting
            }
            _ => phase_by(&told, process.rules().daemon),
        };
        if process.definition.as_ref().is_some_and(|definition| definition.health_check.is_some()) {
            process.health.state = forge_api::HealthState::Starting;
        }
        if let Some(readiness) = &saved.readiness
            && saved.run.as_ref() == Some(&found.spec.run)
            && told.started.is_some()
        {
            process.restore_readiness(readiness);
        }
        let stopping = matches!(process.machine.phase, Phase::Stopping { .. });
        let running = matches!(process.machine.phase, Phase::Running { .. });
        let keeper = self.keeper.clone();
        self.hold(key, Run { folder: found.folder, spec: found.spec, keeper }, How::Found);
        if running {
            // The supervisor before may have been killed before it could say so.
            self.happened(key, &Happening::Started);
            // If that lasts, and was not told.
            self.watch_unhealthy(key);
        }
        if stopping {
            self.end(key, false);
        }
        match counting {
            Some(counting) => self.count_on(key, saved, counting),
            None if is_counted => self.tell_of_crash(key, saved),
            None => {}
        }
    }

    /// Nothing of it runs: what was alive has ended unseen, what waited is started.
    fn adopt_standstill(&mut self, key: &Key, saved: &SavedProcess, resume: bool) {
        let alive = matches!(saved.phase, SavedPhase::Alive | SavedPhase::Waiting | SavedPhase::Stopping);
        if !(alive && saved.wanted) {
            // One of before the last boot is nobody's business any more where nothing is restored.
            if resume {
                self.tell_of_crash(key, saved);
            }
            return;
        }
        if !resume {
            if let Some(process) = self.process_mut(key) {
                process.machine.wanted = false;
            }
            return;
        }
        match self.defined_now(key) {
            Ok(definition) => {
                if let Some(process) = self.process_mut(key) {
                    process.definition = Some(definition);
                    // Its counts go on.
                    process.machine.phase = Phase::Waiting;
                }
                if let Some(counting) = countdown(saved) {
                    self.count_on(key, saved, counting);
                }
            }
            Err(reason) => {
                if let Some(process) = self.process_mut(key) {
                    process.machine.phase =
                        Phase::Failed { reason, exit: Some(Exit::Unknown), left: Vec::new() };
                }
            }
        }
    }

    /// What the supervisor before told of a crash that nobody has done anything about is told by us.
    fn tell_of_crash(&mut self, key: &Key, saved: &SavedProcess) {
        let within = self.process(key).map(|process| process.rules().restart.within).unwrap_or_default();
        let (exit, next) = match &saved.phase {
            SavedPhase::Crashed { exit } => (*exit, AfterCrash::Stay),
            SavedPhase::Failed { exit: Some(exit), .. } => (*exit, AfterCrash::GiveUp(within)),
            _ => return,
        };
        self.tell_crash(key, &crashed(saved, exit, next));
    }

    /// A countdown goes on where it was: whoever wants to keep it stopped has as long as was said.
    fn count_on(&mut self, key: &Key, saved: &SavedProcess, (delay, exit): (Duration, Exit)) {
        if let Some(process) = self.process_mut(key) {
            process.machine.phase = Phase::Restarting { delay, exit };
        }
        self.count_down(key, delay);
        if exit == Exit::Code(0) {
            // It restarts whatever it ends with.
            return;
        }
        self.tell_crash(key, &crashed(saved, exit, AfterCrash::Restart(delay)));
    }

    fn defined_now(&mut self, key: &Key) -> Result<Arc<ResolvedProcess>, String> {
        let config = self.loaded(&key.environment.workspace).map_err(|error| error.message)?;
        let environment = self.environments.get_mut(&key.environment).ok_or("unknown environment")?;
        environment.applied = Some(Arc::clone(&config));
        let (variables, moves) = (environment.variables.clone(), environment.moves.clone());
        prepare::resolve_one(&config, &key.environment.environment, &key.process, variables, moves)
    }

    /// The newest run folder of each process; what is over or was never taken is cleared away.
    fn find_runs(&self) -> BTreeMap<Key, Found> {
        let runs = self.home.runs();
        for stale in folder::of_other_boots(&runs, &self.boot) {
            if let Err(error) = std::fs::remove_dir_all(&stale) {
                tracing::warn!("{}: {error}", stale.display());
            }
        }
        let mut found: BTreeMap<Key, Found> = BTreeMap::new();
        for folder in folder::all(&runs.join(&self.boot)) {
            let Some((key, one)) = self.look_into(folder) else { continue };
            match found.get(&key) {
                Some(other) if other.spec.number >= one.spec.number => self.end_older(&key, one),
                _ => {
                    if let Some(older) = found.insert(key.clone(), one) {
                        self.end_older(&key, older);
                    }
                }
            }
        }
        found
    }

    /// A run that was held and whose keeper lives, although its folder is gone or cannot be read: it is not started a
    /// second time. A keeper mends its folder by itself.
    fn find_unreadable(&self, key: &Key, saved: &SavedProcess) -> Option<Found> {
        let run = saved.run.clone()?;
        let folder = RunFolder::new(self.home.runs().join(&self.boot).join(&run));
        let socket = self.keeper_socket(&run);
        if !folder::is_kept(&folder).unwrap_or(false) && !is_listening(&socket) {
            return None;
        }
        let environment = &key.environment;
        let spec = Spec {
            protocol: PROTOCOL,
            run,
            number: saved.number,
            workspace: environment.workspace.clone(),
            environment: environment.environment.clone(),
            process: key.process.clone(),
            argv: Vec::new(),
            cwd: environment.workspace.clone(),
            env: Vec::new(),
            tty: false,
            shell_status: false,
            stdin: true,
            logs: super::act::log_folder(&self.home.logs(), key),
            segment_bytes: 0,
            quota_bytes: 0,
            socket,
            container: None,
            supervisor: None,
            asked_at_ms: 0,
            fingerprint: saved.ran.clone().unwrap_or_default(),
            note: serde_json::Value::Null,
        };
        Some(Found { folder, spec })
    }

    /// Returns once every keeper that was found has said how its run stands, or `limit` is over.
    pub(crate) async fn hear_keepers(
        &mut self,
        messages: &mut mpsc::UnboundedReceiver<Message>,
        limit: Duration,
    ) {
        let deadline = tokio::time::Instant::now() + limit;
        let silent = |core: &Self| {
            let processes = core.environments.values().flat_map(|environment| environment.processes.values());
            processes.filter_map(|process| process.run.as_ref()).any(|run| run.keeper.is_none())
        };
        while silent(self) {
            match tokio::time::timeout_at(deadline, messages.recv()).await {
                Ok(Some(message)) => {
                    self.hear(message);
                    self.settle();
                }
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// A run beside a newer one of the same process: over, and not cleared away yet; or, which must not be, alive.
    fn end_older(&self, key: &Key, older: Found) {
        tracing::warn!("run {} of {} beside a newer one is ended", older.spec.number, key.process);
        let (requests, receiver) = mpsc::unbounded_channel();
        let _ = requests.send(Request::End { signal: 15, grace_ms: 0, force: true });
        let folder = older.folder.clone();
        let run = Run { folder: older.folder, spec: older.spec, keeper: self.keeper.clone() };
        tokio::spawn(async move {
            hold(run, How::Found, receiver, |_| {}).await;
            drop(requests);
            let _ = tokio::task::spawn_blocking(move || remove_folder(&folder)).await;
        });
    }

    fn look_into(&self, run: RunFolder) -> Option<(Key, Found)> {
        let spec = folder::spec(&run);
        let told = folder::read(&run);
        if spec.is_none() || (told.started.is_none() && told.ended.is_none()) {
            match folder::claim(&run) {
                // A keeper lives, and is just about to start it.
                Ok(None) => {}
                Ok(Some(claim)) => {
                    folder::remove(&run, &claim);
                    return None;
                }
                Err(error) => {
                    tracing::warn!("{}: {error}", run.path().display());
                    return None;
                }
            }
        }
        let spec = spec?;
        let environment = EnvironmentKey {
            workspace: PathBuf::from(&spec.workspace),
            environment: spec.environment.clone(),
        };
        Some((Key::new(&environment, &spec.process), Found { folder: run, spec }))
    }
}

/// The phase of a run by what is written in its folder.
fn phase_by(told: &Told, daemon: bool) -> Phase {
    match (&told.started, &told.ended) {
        (Some(_), None) => Phase::Running { detached: false },
        (Some(_), Some(ended)) if daemon && ended.exit == Some(Exit::Code(0)) && !told.empty => {
            Phase::Running { detached: true }
        }
        // How it ended is told in a moment, as if it had just been started.
        _ => Phase::Starting,
    }
}

/// Somebody listens at a keeper's socket.
#[cfg(unix)]
fn is_listening(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}

/// Somebody listens at a keeper's socket: not told here, where a keeper's folder cannot go while it lives.
#[cfg(not(unix))]
fn is_listening(_socket: &Path) -> bool {
    false
}
