//! What the supervisor knows of one process.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use forge_api::{Health, HealthState, LeftBehind, NoticeKind, ProcessStatus, State, Time};
use forge_config::Config;
use forge_config::resolve::ResolvedProcess;
use forge_keeper::message::Request;
use forge_keeper::record::Exit;
use forge_system::process::{ProcessId, Signal};
use forge_system::tree::Tree;
use indexmap::IndexMap;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::AbortHandle;

use super::alerts::Muted;
use super::loaded::FolderId;
use super::measure::Costs;
use super::save::Readiness;
use super::told::Told;
use crate::conflict::Moved;
use crate::container;
use crate::gauges;
use crate::listening::Heard;
use crate::owned::{Owned, Service};
use crate::probe;
use crate::process::lifecycle::{Machine, Phase, Rules};
use crate::watch::FileWatch;
use crate::words;

/// An environment of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EnvironmentKey {
    pub workspace: PathBuf,
    pub environment: String,
}

/// A moment, by the clock that nobody sets and as it is written down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub at: Instant,
    pub time: Time,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { at: Instant::now(), time: Time::now() }
    }

    /// One that was written down.
    pub(crate) fn of(time: Time) -> Self {
        let now = Self::now();
        let ago = Duration::from_secs_f64(now.time.seconds_since(time));
        Self { at: now.at.checked_sub(ago).unwrap_or(now.at), time }
    }
}

/// A process of an environment of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub environment: EnvironmentKey,
    pub process: String,
}

impl Key {
    pub(crate) fn new(environment: &EnvironmentKey, process: &str) -> Self {
        Self { environment: environment.clone(), process: process.to_owned() }
    }

    pub(crate) fn target(&self) -> forge_api::Target {
        forge_api::Target { environment: self.environment.environment.clone(), process: self.process.clone() }
    }
}

/// An environment that was started at some time.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    /// Of whoever started it last.
    pub variables: std::collections::BTreeMap<String, String>,
    /// The configuration that was applied by the last start; `None` for what was found running.
    pub applied: Option<Arc<Config>>,
    pub processes: IndexMap<String, Process>,
    /// Of processes that could not have theirs: declared port → the port in its place.
    pub moves: Moved,
    /// Kinds of alerts that the user wants to hear no more of.
    pub muted: std::collections::BTreeSet<Muted>,
    /// The workspace's folder as it was at the last start, however it is called now.
    pub place: Option<FolderId>,
}

/// One process.
#[derive(Debug)]
pub(crate) struct Process {
    /// As it was planned last; `None` for what only the state file knows.
    pub definition: Option<Arc<ResolvedProcess>>,
    pub machine: Machine,
    pub run: Option<LiveRun>,
    /// Number of the last run.
    pub number: u32,
    /// Of the run that the user or a change began: those behind it followed crashes. 0: not known.
    pub fresh_run: u32,
    /// What the command became.
    pub root: Option<ProcessId>,
    pub started_at: Option<Time>,
    /// The same moment, by a clock that nobody sets.
    pub since: Option<Instant>,
    pub ended: Option<(Exit, Time)>,
    pub health: Health,
    pub unhealthy_since: Option<Moment>,
    /// Incidents of this run that the user wants to hear no more of.
    pub dismissed: BTreeSet<NoticeKind>,
    /// What it cost when that was last looked at.
    pub costs: Costs,
    /// Asks for its gauges.
    pub gauges: Option<gauges::Watched>,
    /// Asks what its container costs.
    pub container: Option<container::Watched>,
    /// Why it is being restarted, if that is because it has changed.
    pub deployed: Option<String>,
    /// What its tree listened on when that was last looked at.
    pub listens: Vec<u16>,
    /// Its declared ports are held by its tree.
    pub holds_ports: bool,
    /// One of them is held by somebody else; `None` until that was looked at.
    pub port_taken: Option<bool>,
    /// Its shutdown command runs.
    pub shutting_down: bool,
    pub ready: bool,
    /// [`forge_config::resolve::fingerprint`] of what ran last.
    pub ran: Option<String>,
    /// The run whose ports are being waited for.
    pub watched_run: Option<String>,
    /// [`Self::definition`] was made a moment ago: no need to read env files again.
    pub fresh: bool,
    /// To be stopped once nothing that depends on it is alive.
    pub stop_later: Option<StopLater>,
    /// Waits until all of a restart have stopped.
    pub held_by: Option<u64>,
    pub restart_at: Option<Time>,
    pub countdown: Option<AbortHandle>,
    pub probe: Option<probe::Watched>,
    pub log_probe: Option<AbortHandle>,
    /// Follows what it writes, also the last words of a run that has ended.
    pub follower: Option<(AbortHandle, Duration)>,
    pub told: Told,
    pub nudge: Arc<Notify>,
    pub files: Option<FileWatch>,
    /// The run whose files are watched, or about to be.
    pub files_of: Option<String>,
    /// Counts the growths of its log while somebody follows.
    pub log_end: watch::Sender<u64>,
    /// What subscribers were told last.
    pub shown: Option<ProcessStatus>,
}

/// How a process whose turn to stop has not come yet will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopLater {
    Stop,
    Restart,
}

/// The run that is held at present.
#[derive(Debug)]
pub(crate) struct LiveRun {
    /// The UUID.
    pub id: String,
    pub requests: mpsc::UnboundedSender<Request>,
    /// [`forge_config::resolve::fingerprint`] of what was run.
    pub fingerprint: String,
    /// The keeper's socket.
    pub socket: PathBuf,
    pub keeper: Option<u32>,
    /// Its end was asked for although the process counts as over.
    pub cleared: bool,
    /// The command is a docker client: ports and costs are the container's.
    pub container: bool,
    /// Where the client writes the container's id.
    pub cidfile: Option<PathBuf>,
    pub tty: bool,
}

impl Default for Process {
    fn default() -> Self {
        Self {
            definition: None,
            machine: Machine::default(),
            run: None,
            number: 0,
            fresh_run: 0,
            root: None,
            started_at: None,
            since: None,
            ended: None,
            health: Health::NONE,
            unhealthy_since: None,
            dismissed: BTreeSet::new(),
            costs: Costs::default(),
            gauges: None,
            container: None,
            deployed: None,
            listens: Vec::new(),
            holds_ports: false,
            port_taken: None,
            shutting_down: false,
            ready: false,
            ran: None,
            watched_run: None,
            fresh: false,
            stop_later: None,
            held_by: None,
            restart_at: None,
            countdown: None,
            probe: None,
            log_probe: None,
            follower: None,
            told: Told::default(),
            nudge: Arc::new(Notify::new()),
            files: None,
            files_of: None,
            log_end: watch::Sender::new(0),
            shown: None,
        }
    }
}

impl Process {
    pub(crate) fn rules(&self) -> Rules {
        self.definition.as_ref().map_or_else(
            || Rules {
                restart: forge_config::model::RestartPolicy {
                    on: forge_config::model::RestartOn::Never,
                    delay: std::time::Duration::from_secs(5),
                    max_crashes: 5,
                    within: std::time::Duration::from_secs(600),
                },
                daemon: false,
                one_shot: false,
            },
            |definition| Rules {
                restart: definition.auto_restart.clone(),
                daemon: definition.daemon,
                one_shot: definition.one_shot,
            },
        )
    }

    /// Its last run ended by a crash, and not because somebody stopped it.
    pub(super) fn has_crashed(&self) -> bool {
        self.ended.is_some_and(|(_, at)| self.machine.crashes.last() == Some(&at.as_millis()))
    }

    /// Something of it is alive, or its keeper still is.
    pub(crate) fn is_held(&self) -> bool {
        self.run.is_some() || self.machine.phase.is_alive()
    }

    /// Meant to run, or something of it does.
    pub(crate) fn is_active(&self) -> bool {
        self.is_held() || matches!(self.machine.phase, Phase::Waiting | Phase::Restarting { .. })
    }

    /// Started at some time, or known to have been; the others stand in the configuration.
    pub(crate) fn is_known(&self) -> bool {
        self.definition.is_some() || self.is_active() || self.number > 0
    }

    /// A `one_shot` that has done what is still asked of it.
    pub(crate) fn is_done(&self) -> bool {
        let Some(definition) = self.definition.as_ref().filter(|definition| definition.one_shot) else {
            return false;
        };
        matches!(&self.machine.phase, Phase::Exited { .. })
            && self.ran.as_deref() == Some(forge_config::resolve::fingerprint(definition).as_str())
    }

    /// A daemon whose command has returned.
    pub(crate) fn is_detached(&self) -> bool {
        matches!(self.machine.phase, Phase::Running { detached: true })
    }

    /// Whether it is ready now, by what is known.
    pub(crate) fn compute_ready(&self) -> bool {
        let Some(definition) = &self.definition else {
            return matches!(self.machine.phase, Phase::Running { .. });
        };
        match &self.machine.phase {
            Phase::Running { .. } if definition.one_shot => false,
            Phase::Running { detached } => {
                // A check that passes may have been answered by whoever else holds the port.
                let checked = definition.health_check.is_some() && self.port_taken == Some(false);
                let ports = definition.ports.is_empty() || self.holds_ports || checked;
                let healthy = definition.health_check.is_none() || self.health.state == HealthState::Healthy;
                let returned = !definition.daemon
                    || *detached
                    || definition.health_check.is_some()
                    || !definition.ports.is_empty();
                ports && healthy && returned
            }
            Phase::Exited { .. } => definition.one_shot,
            _ => false,
        }
    }

    pub(super) fn readiness(&self) -> Readiness {
        Readiness {
            health: self.health.clone(),
            unhealthy_since: self.unhealthy_since.map(|since| since.time),
            holds_ports: self.holds_ports,
            port_taken: self.port_taken,
        }
    }

    /// What the supervisor before knew of the same run.
    pub(super) fn restore_readiness(&mut self, known: &Readiness) {
        self.health = known.health.clone();
        self.unhealthy_since = known.unhealthy_since.map(Moment::of);
        self.holds_ports = known.holds_ports;
        self.port_taken = known.port_taken;
    }

    /// Takes what was seen of its ports. Whether that changes what is written down of its readiness.
    pub(super) fn hear(&mut self, heard: &Heard) -> bool {
        let before = (self.holds_ports, self.port_taken);
        self.listens.clone_from(&heard.ports);
        self.holds_ports |= heard.complete;
        self.port_taken = Some(heard.taken);
        self.nudge.notify_one();
        before != (self.holds_ports, self.port_taken)
    }

    /// It runs, since then (ns since 1970, by the keeper's clock).
    pub(crate) fn began(&mut self, root: ProcessId, time: i64) {
        let at = Time(time).to_millis();
        self.root = Some(root);
        self.started_at = Some(at);
        self.since = Some(Moment::of(at).at);
    }

    /// Ends what runs beside it.
    pub(crate) fn untend(&mut self) {
        self.probe = None;
        self.gauges = None;
        self.container = None;
        self.files = None;
        self.files_of = None;
        if let Some(task) = self.log_probe.take() {
            task.abort();
        }
    }

    /// The tree of the present run.
    pub(crate) fn tree(&self) -> Option<Tree> {
        let run = self.run.as_ref()?;
        crate::owned::tree(&run.id, run.keeper, self.root)
    }

    /// The present run, for others to be named by.
    pub(crate) fn owned(&self, key: Key) -> Option<Owned> {
        let run = self.run.as_ref()?;
        let service = Service {
            workspace: key.environment.workspace,
            environment: key.environment.environment,
            process: key.process,
        };
        Some(Owned { service, run: run.id.clone(), keeper: run.keeper, root: self.root })
    }

    pub(crate) fn state(&self) -> State {
        match &self.machine.phase {
            Phase::Stopped => State::Stopped,
            Phase::Waiting => State::Waiting,
            Phase::Starting => State::Starting,
            Phase::Running { .. } => State::Running,
            Phase::Stopping { .. } => State::Stopping,
            Phase::Restarting { .. } => State::Restarting,
            Phase::Exited { .. } => State::Exited,
            Phase::Crashed { .. } => State::Crashed,
            Phase::Failed { .. } => State::Failed,
        }
    }

    /// What still lives of the last run, which is over.
    fn left(&self) -> Vec<LeftBehind> {
        let left = match &self.machine.phase {
            Phase::Exited { left } | Phase::Crashed { left, .. } | Phase::Failed { left, .. } => {
                left.as_slice()
            }
            _ => &[],
        };
        left.iter().map(|(pid, name)| LeftBehind { pid: *pid, name: name.clone() }).collect()
    }

    /// Fills in what it cost when that was last looked at.
    pub(crate) fn add_cost(&self, status: &mut ProcessStatus) {
        status.gauges = self.costs.gauges();
        let Some(sample) = self.costs.sample() else { return };
        status.cpu_percent = sample.cpu_percent.map(|percent| (percent * 10.0).round() / 10.0);
        status.memory_bytes = sample.memory_bytes;
        status.threads = sample.threads;
        status.open_files = sample.open_files;
        status.open_files_limit = sample.fullest.map(|fullest| fullest.limit);
        status.disk_read_bytes = sample.disk_read_bytes;
        status.disk_written_bytes = sample.disk_written_bytes;
        status.net_received_bytes = sample.net_received_bytes;
        status.net_sent_bytes = sample.net_sent_bytes;
    }

    /// How it stands, without what only a look at the system can tell, its costs among it; `uptime_seconds` is left out too.
    pub(crate) fn status(&self, name: &str, waiting_on: Vec<String>) -> ProcessStatus {
        let definition = self.definition.as_ref();
        let alive = matches!(self.machine.phase, Phase::Running { .. } | Phase::Stopping { .. });
        let ended = if alive { None } else { self.ended };
        let (exit_code, signal) = match ended.map(|(exit, _)| exit) {
            Some(Exit::Code(code)) => (Some(code), None),
            Some(Exit::Signal(number)) => (None, Some(Signal::describe(number))),
            _ => (None, None),
        };
        ProcessStatus {
            status: self.state(),
            ready: self.ready,
            health: if alive { self.health.clone() } else { Health::NONE },
            pid: self.root.filter(|_| alive && !self.is_detached()).map(|root| root.pid),
            ports: if alive { self.listens.clone() } else { Vec::new() },
            started_at: if alive { self.started_at } else { None },
            restarts: self.machine.restarts,
            exit_code,
            signal,
            message: words::phase(&self.machine.phase),
            waiting_on,
            debug: definition.is_some_and(|definition| definition.debug),
            run: self.number,
            restart_at: self.restart_at,
            declared_ports: definition.map(|definition| definition.ports.clone()).unwrap_or_default(),
            url: definition.and_then(|definition| definition.url()),
            wanted: self.machine.wanted,
            disabled: definition.is_some_and(|definition| definition.disabled),
            groups: definition.map(|definition| definition.groups.clone()).unwrap_or_default(),
            one_shot: definition.is_some_and(|definition| definition.one_shot),
            tty: definition.is_some_and(|definition| definition.tty),
            left: self.left(),
            ..ProcessStatus::stopped(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_its_readiness_is_written_down() {
        let mut process = Process::default();
        for (ports, complete, taken, changes) in [
            (vec![], false, false, true),
            (vec![], false, false, false),
            (vec![9000], false, false, false),
            (vec![9000, 8000], true, false, true),
            (vec![9000, 8000], true, false, false),
            // Held once is held: it only loses them with its run.
            (vec![9000], false, false, false),
            (vec![9000], false, true, true),
        ] {
            let heard = Heard { run: String::new(), ports: ports.clone(), complete, taken };
            assert_eq!(process.hear(&heard), changes, "{heard:?}");
            assert_eq!(process.listens, ports, "what it listens on is known either way");
        }
    }
}
