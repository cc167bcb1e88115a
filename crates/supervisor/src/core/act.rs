//! Inputs to a process's machine, and its effects carried out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use forge_api::{Event, EventLevel, Health, HealthState, Time};
use forge_config::resolve::ResolvedProcess;
use forge_keeper::message::{PROTOCOL, Request};
use forge_keeper::record::Exit;
use forge_keeper::spec::{Container, RunFolder, Spec};
use forge_system::process::{ProcessId, Signal};
use tokio::sync::mpsc;

use super::{Core, Handle, Key, LiveRun, Message};
use crate::home::short_hash;
use crate::prepare;
use crate::process::lifecycle::{Effect, Happening, Input, Phase};
use crate::run::{HeirEnd, How, Run, RunEvent, folder, hold};
use crate::words;

/// Bytes of one log segment.
pub(super) const SEGMENT: u64 = 16 << 20;

/// A process that nothing is known of but that it was exec'd counts as started for good after this long.
pub(super) const STANDS: Duration = Duration::from_millis(100);

/// The least grace that a keeper is asked to give.
const LEAST_GRACE_MS: u64 = 1;

impl Core {
    /// Steps the process's machine and carries out what follows.
    pub(super) fn input(&mut self, key: &Key, input: Input) {
        self.input_at(key, input, Time::now());
    }

    fn input_at(&mut self, key: &Key, input: Input, at: Time) {
        let Some(process) = self.process_mut(key) else { return };
        let rules = process.rules();
        let before = process.machine.clone();
        let machine = std::mem::take(&mut process.machine);
        let (machine, effects) = machine.step(input, &rules, at.as_millis());
        let changed = machine != before;
        process.machine = machine;
        for effect in effects {
            self.carry_out(key, effect);
        }
        if changed {
            self.unsaved(&key.environment);
        }
        self.touched.insert(key.environment.clone());
        self.tend(key);
    }

    fn carry_out(&mut self, key: &Key, effect: Effect) {
        match effect {
            Effect::Launch => self.launch(key),
            Effect::End { force } => self.end(key, force),
            Effect::Countdown(delay) => self.count_down(key, delay),
            Effect::CancelCountdown => self.cancel_countdown(key),
            Effect::Happened(happening) => self.happened(key, &happening),
        }
    }

    pub(super) fn happened(&mut self, key: &Key, happening: &Happening) {
        let level = match happening {
            Happening::Started | Happening::Stopped | Happening::Restarting => EventLevel::Info,
            Happening::Exited { left } if left.is_empty() => EventLevel::Info,
            Happening::Exited { .. } => EventLevel::Warn,
            Happening::Crashed { .. } | Happening::NotStarted { .. } | Happening::Survived { .. } => {
                EventLevel::Error
            }
        };
        let (title, text) = words::happening(happening);
        let process = self.process(key);
        // When it really happened, which may be before this supervisor was there.
        let time = match happening {
            Happening::Started => process.and_then(|process| process.started_at),
            Happening::Exited { .. } | Happening::Crashed { .. } => {
                process.and_then(|process| process.ended).map(|(_, time)| time)
            }
            _ => None,
        };
        let news = match time {
            Some(time) => {
                let event = Event { level, ..super::event(key, time, title, text) };
                let news = self.record_once(&key.environment, event);
                // What only a supervisor before us has told is told by nobody now.
                if news || time < self.begun {
                    self.tell_crash(key, happening);
                }
                news
            }
            None => {
                self.record(key, level, title, text);
                true
            }
        };
        if news {
            self.mark(key, happening, time.unwrap_or_else(Time::now));
        }
    }

    pub(super) fn count_down(&mut self, key: &Key, delay: Duration) {
        let handle = self.handle.clone();
        let Some(process) = self.process_mut(key) else { return };
        let millis = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        process.restart_at = Some(Time::from_millis(Time::now().as_millis().saturating_add(millis)));
        let key = key.clone();
        if delay.is_zero() {
            handle.tell(Message::Due { key });
            return;
        }
        let timer = tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            handle.tell(Message::Due { key });
        });
        process.countdown = Some(timer.abort_handle());
    }

    fn cancel_countdown(&mut self, key: &Key) {
        if let Some(process) = self.process_mut(key) {
            process.restart_at = None;
            if let Some(timer) = process.countdown.take() {
                timer.abort();
            }
        }
    }

    /// Starts a run. The folder is written before anything is started, so that a supervisor that comes after us finds it.
    fn launch(&mut self, key: &Key) {
        let Some(process) = self.process_mut(key) else { return };
        process.restart_at = None;
        process.countdown = None;
        process.number += 1;
        if !process.has_crashed() {
            process.fresh_run = process.number;
        }
        process.root = None;
        process.ended = None;
        process.ready = false;
        process.holds_ports = false;
        process.port_taken = None;
        process.listens.clear();
        process.unhealthy_since = None;
        process.dismissed.clear();
        let number = process.number;
        let Some(definition) = process.definition.clone() else {
            self.input(key, Input::Refused("it is not configured any more".to_owned()));
            return;
        };
        let definition = match self.refreshed(key, &definition) {
            Ok(definition) => definition,
            Err(reason) => {
                self.input(key, Input::Refused(reason));
                return;
            }
        };
        let id = uuid::Uuid::new_v4().to_string();
        let folder = RunFolder::new(self.home.runs().join(&self.boot).join(&id));
        let spec = self.spec(key, &definition, &id, number, folder.path());
        let fresh = health_at_start(&definition);
        if let Some(process) = self.process_mut(key) {
            process.definition = Some(definition);
            process.health = fresh;
        }
        self.hold(key, Run { folder, spec, keeper: self.keeper.clone() }, How::New);
    }

    /// Puts a task beside the run.
    pub(super) fn hold(&mut self, key: &Key, run: Run, how: How) {
        let (requests, receiver) = mpsc::unbounded_channel();
        let id = run.spec.run.clone();
        let live = LiveRun {
            id: id.clone(),
            requests,
            fingerprint: run.spec.fingerprint.clone(),
            socket: run.spec.socket.clone(),
            keeper: None,
            cleared: false,
            container: run.spec.container.is_some(),
            cidfile: run.spec.container.as_ref().and_then(|container| container.cidfile.clone()),
            tty: run.spec.tty,
        };
        self.launched |= how == How::New;
        tokio::spawn(hold(run, how, receiver, reporter(self.handle.clone(), key.clone(), id)));
        let Some(process) = self.process_mut(key) else { return };
        if process.log_end.receiver_count() > 0 {
            let _ = live.requests.send(Request::Follow);
        }
        let before = process.ran.replace(live.fingerprint.clone());
        if how == How::New && before.is_some_and(|before| before != live.fingerprint) {
            process.deployed.get_or_insert_with(|| "its configuration has changed".to_owned());
        }
        process.run = Some(live);
    }

    /// The definition with env files read anew, as each start does.
    fn refreshed(
        &mut self,
        key: &Key,
        definition: &Arc<ResolvedProcess>,
    ) -> Result<Arc<ResolvedProcess>, String> {
        let fresh = self.process_mut(key).is_some_and(|process| std::mem::replace(&mut process.fresh, false));
        let Some(environment) = self.environments.get(&key.environment) else {
            return Ok(Arc::clone(definition));
        };
        let Some(config) = environment.applied.as_ref().filter(|_| !fresh) else {
            return Ok(Arc::clone(definition));
        };
        let variables = environment.variables.clone();
        let moves = environment.moves.clone();
        prepare::resolve_one(config, &key.environment.environment, &key.process, variables, moves)
    }

    fn spec(
        &mut self,
        key: &Key,
        definition: &ResolvedProcess,
        id: &str,
        number: u32,
        folder: &Path,
    ) -> Spec {
        let (command, container) = match forge_config::container::container(&definition.command) {
            Some(client) => {
                let (command, end) =
                    client.prepare(&folder.join("cid"), &definition.cwd, definition.shutdown.timeout);
                (command, Some(Container { cidfile: end.cidfile, stop: end.stop, kill: end.kill }))
            }
            None => (definition.command.clone(), None),
        };
        let argv = forge_config::shell::argv(&command);
        Spec {
            protocol: PROTOCOL,
            run: id.to_owned(),
            number,
            workspace: key.environment.workspace.clone(),
            environment: key.environment.environment.clone(),
            process: key.process.clone(),
            argv: argv.argv,
            cwd: definition.cwd.clone(),
            env: definition.variables().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            tty: definition.tty,
            shell_status: argv.shell_status,
            stdin: true,
            logs: log_folder(&self.home.logs(), key),
            segment_bytes: SEGMENT,
            quota_bytes: self.log_quota(&key.environment.workspace),
            socket: self.keeper_socket(id),
            container,
            supervisor: std::env::current_exe()
                .ok()
                .and_then(|program| program.into_os_string().into_string().ok())
                .map(|program| vec![program, "serve".to_owned(), "--background".to_owned()]),
            asked_at_ms: Time::now().as_millis(),
            fingerprint: forge_config::resolve::fingerprint(definition),
            note: serde_json::to_value(definition).unwrap_or_default(),
        }
    }

    /// Ends what a keeper still holds although the process counts as over: something that nobody saw when it ended.
    pub(super) fn clear(&mut self, key: &Key, force: bool) {
        let Some(process) = self.process_mut(key) else { return };
        let over = !matches!(
            process.machine.phase,
            Phase::Starting | Phase::Running { .. } | Phase::Stopping { .. }
        );
        if let Some(run) = process.run.as_mut().filter(|run| over && (force || !run.cleared)) {
            run.cleared = true;
            let _ = run.requests.send(Request::End { signal: 15, grace_ms: 10_000, force });
        }
    }

    /// Where the keeper of a run listens: a short name, since addresses of sockets are.
    pub(super) fn keeper_socket(&self, run: &str) -> PathBuf {
        self.home.runtime.join(format!("k-{}.sock", short_hash(run.as_bytes())))
    }

    /// Asks the keeper to end the tree; a shutdown command runs first.
    pub(super) fn end(&mut self, key: &Key, force: bool) {
        let handle = self.handle.clone();
        let Some(process) = self.process_mut(key) else { return };
        process.restart_at = None;
        let Some(run) = &process.run else {
            // Nothing was ever started, or it is gone already.
            self.input(key, Input::Empty { heir: None });
            return;
        };
        let shutdown = process.definition.as_ref().map(|definition| definition.shutdown.clone());
        let grace_ms = shutdown.as_ref().map_or(10_000, |shutdown| grace(shutdown.timeout));
        let signal = shutdown
            .as_ref()
            .and_then(|shutdown| shutdown.signal.parse::<Signal>().ok())
            .map_or(15, Signal::as_raw);
        let command = shutdown.and_then(|shutdown| shutdown.command).filter(|_| !force);
        match (command, &process.definition) {
            (Some(command), Some(definition)) => {
                let work = shut_down(command, definition.clone(), signal, run.requests.clone());
                let key = key.clone();
                process.shutting_down = true;
                tokio::spawn(async move {
                    work.await;
                    handle.tell(Message::Visit(Box::new(move |core| core.shut_down(&key))));
                });
            }
            _ => {
                let _ = run.requests.send(Request::End { signal, grace_ms, force });
            }
        }
    }

    /// The shutdown command has ended.
    fn shut_down(&mut self, key: &Key) {
        if let Some(process) = self.process_mut(key) {
            process.shutting_down = false;
        }
        self.touched.insert(key.environment.clone());
    }

    /// What a run's task reports.
    pub(super) fn run_event(&mut self, key: &Key, run: &str, event: RunEvent) {
        let Some(process) = self.in_run(key, run) else { return };
        match event {
            RunEvent::Launched { pid, start, time } => {
                process.began(ProcessId { pid, start }, time);
                self.touch_later(&key.environment, STANDS);
                self.settle_crash(key);
                self.look_when_steady(key);
                self.input(key, Input::Launched);
            }
            RunEvent::NotLaunched(reason) => self.input(key, Input::NotLaunched(reason)),
            RunEvent::Delayed(reason) => {
                let text = format!("{reason}; it is started as soon as the system has room for it");
                self.record(key, EventLevel::Warn, "start delayed", text);
            }
            RunEvent::Ended { exit, time, left } => {
                let at = Time(time).to_millis();
                process.ended = Some((exit, at));
                self.input_at(key, Input::Ended { exit, left }, at);
            }
            RunEvent::Empty(heir) => self.run_over(key, heir),
            RunEvent::Survivors(left) => self.input(key, Input::Survivors(left)),
            RunEvent::Written => {
                process.log_end.send_modify(|count| *count += 1);
                if let (0, Some(run)) = (process.log_end.receiver_count(), &process.run) {
                    let _ = run.requests.send(Request::Unfollow);
                }
                // Nothing to show has changed, and there are many of these.
                return;
            }
            RunEvent::Keeper(pid) => {
                if let Some(run) = &mut process.run {
                    let another = run.keeper.replace(pid).is_some_and(|before| before != pid);
                    let run = run.id.clone();
                    if another {
                        // Its tree is found by way of the keeper.
                        self.forget_ports(run);
                    }
                }
                self.tend(key);
            }
            RunEvent::KeeperReplaced => {
                self.record(
                    key,
                    EventLevel::Warn,
                    "keeper replaced",
                    "its keeper was gone; the process went on".to_owned(),
                );
            }
        }
        self.touched.insert(key.environment.clone());
    }

    fn run_over(&mut self, key: &Key, heir: Option<HeirEnd>) {
        let boot = self.home.runs().join(&self.boot);
        let mut over = None;
        if let Some(process) = self.process_mut(key) {
            // Readers at the end of the log may see the last lines now.
            process.log_end.send_modify(|count| *count += 1);
            if let Some(run) = process.run.take() {
                over = Some(RunFolder::new(boot.join(&run.id)));
            }
            if process.is_detached() {
                let (exit, time) =
                    heir.map_or((Exit::Unknown, Time::now()), |(exit, time)| (exit, Time(time)));
                process.ended = Some((exit, time.to_millis()));
            }
        }
        self.input(key, Input::Empty { heir: heir.map(|(exit, _)| exit) });
        if let Some(folder) = over {
            self.read_out.push(folder);
            self.unsaved(&key.environment);
        }
    }
}

fn reporter(handle: Handle, key: Key, run: String) -> impl Fn(RunEvent) + Send {
    move |event| handle.tell(Message::Run { key: key.clone(), run: run.clone(), event })
}

fn health_at_start(definition: &Arc<ResolvedProcess>) -> Health {
    match definition.health_check {
        Some(_) => Health { state: HealthState::Starting, message: None, checked_at: None },
        None => Health::NONE,
    }
}

/// The keeper has said its last word and ends; its folder has nothing more to tell.
pub(super) fn remove_folder(run: &RunFolder) {
    for _ in 0..200 {
        match folder::claim(run) {
            Ok(Some(claim)) => return folder::remove(run, &claim),
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Err(_) => return,
        }
    }
}

/// How long a keeper is to wait between the signal and SIGKILL, in milliseconds.
fn grace(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX).max(LEAST_GRACE_MS)
}

/// Runs a shutdown command, then asks for the end of what is left. Both share the timeout: it is the time after which
/// nothing of the process is left, as a container's grace period is, whose hooks count too.
async fn shut_down(
    command: forge_config::model::Command,
    definition: Arc<ResolvedProcess>,
    signal: i32,
    requests: mpsc::UnboundedSender<Request>,
) {
    let begun = Instant::now();
    let timeout = definition.shutdown.timeout;
    let context = super::tend::context(&definition);
    if let Err(reason) = crate::probe::run(&command, timeout, &context).await {
        tracing::warn!("{}: its shutdown command {reason}", definition.name);
    }
    let grace_ms = grace(timeout.saturating_sub(begun.elapsed()));
    let _ = requests.send(Request::End { signal, grace_ms, force: false });
}

/// The folder of a process's segments.
pub(crate) fn log_folder(logs: &Path, key: &Key) -> PathBuf {
    let workspace = &key.environment.workspace;
    let name = workspace.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let clean: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' })
        .take(40)
        .collect();
    let hash = short_hash(workspace.as_os_str().as_encoded_bytes());
    let short = hash.get(..8).unwrap_or(&hash);
    logs.join(format!("{clean}-{short}"))
        .join(file_name(&key.environment.environment))
        .join(file_name(&key.process))
}

/// A name that a file can have; environments are named freely.
fn file_name(name: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || "._- ".contains(c);
    if name.chars().all(harmless) && !name.starts_with('.') && name.len() <= 100 {
        return name.to_owned();
    }
    let clean: String = name.chars().map(|c| if harmless(c) { c } else { '_' }).take(40).collect();
    format!("_{clean}-{}", short_hash(name.as_bytes()))
}

/// Whether a machine's phase has a live main process.
pub(super) fn runs(phase: &Phase) -> bool {
    matches!(phase, Phase::Running { .. })
}
