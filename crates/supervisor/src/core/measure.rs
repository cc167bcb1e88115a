//! What processes cost, as the sampling thread reports it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use forge_api::{Cost, Gauge, Machine, Mark, MarkKind, MetricsAnswer, ReadMetrics, Time, Update};
use forge_config::resolve::ResolvedProcess;
use forge_system::metrics::Sample;
use serde::{Deserialize, Serialize};

use super::ask::answer;
use super::tend::context;
use super::{Core, EnvironmentKey, Key, Message, Process, Reply};
use crate::alerts::Watch;
use crate::container;
use crate::gauges;
use crate::metrics::{GaugeValue, Point, Question};
use crate::process::lifecycle::Happening;
use crate::sampling::{Change, Measured};
use crate::words;

/// After so long without a look there is no rate: the machine slept.
const NO_RATE_AFTER: Duration = Duration::from_secs(10);

/// Alerts of a run that are not over, by their kind, with when they began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ToldAlerts {
    /// The UUID.
    pub run: String,
    pub since: BTreeMap<String, Time>,
}

/// What one process costs.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    /// Whose tree is being measured: a run's UUID and its keeper.
    measured: Option<(String, Option<u32>)>,
    /// Of the last look.
    last: Option<(Instant, Sample)>,
    /// By the number of their source.
    gauges: BTreeMap<usize, Vec<Gauge>>,
    /// What came of that.
    cost: Option<Cost>,
    /// Of its container, and when the engine told them: in place of those of its client.
    container: Option<(Instant, Sample)>,
    /// [`Self::last`] is of the container.
    last_of_container: bool,
    pub(super) watch: Watch,
    /// When the first moment of that was.
    pub(super) watched_since: Option<Instant>,
    /// When each of its alerts began.
    pub(super) since: BTreeMap<&'static str, Time>,
    /// Those that a supervisor before this one has told of its run.
    pub(super) told_before: Option<ToldAlerts>,
    /// News for it: bytes logged in all, and lines of the level `error`.
    pub(super) log_bytes: Option<u64>,
    pub(super) errors: Option<u64>,
}

impl Costs {
    /// Nothing is measured yet, but an earlier supervisor has told something.
    pub(super) fn after(told_before: Option<ToldAlerts>) -> Self {
        Self { told_before, ..Self::default() }
    }

    /// When it was last looked at.
    pub(super) fn sample(&self) -> Option<&Sample> {
        self.last.as_ref().map(|(_, sample)| sample)
    }

    /// What each gauge tells now.
    pub(super) fn gauges(&self) -> Vec<Gauge> {
        self.gauges.values().flatten().cloned().collect()
    }

    /// The container's figures and their own moment, where there are any: one that counts has lived for as long as its
    /// container, so that between it and one of the client there is no rate.
    fn of_container_or(&mut self, at: Instant, of_client: Sample) -> (Instant, Sample) {
        let is_container = self.container.is_some();
        if std::mem::replace(&mut self.last_of_container, is_container) != is_container {
            self.last = None;
            self.watch.measures_another();
        }
        self.container.unwrap_or((at, of_client))
    }

    /// The alerts of a run that are not over, as far as anybody knows.
    pub(super) fn told_alerts(&self, run: &str) -> Option<ToldAlerts> {
        let before = self.told_before.iter().filter(|told| told.run == run);
        let before = before.flat_map(|told| &told.since).map(|(kind, since)| (kind.clone(), *since));
        let now = self.since.iter().map(|(kind, since)| ((*kind).to_owned(), *since));
        let since: BTreeMap<String, Time> = before.chain(now).collect();
        (!since.is_empty()).then(|| ToldAlerts { run: run.to_owned(), since })
    }

    /// An alert begins: since when, and whether it was told already.
    pub(super) fn alert_begins(&mut self, run: &str, kind: &'static str, now: Time) -> (Time, bool) {
        let before = self.told_before.as_mut().filter(|told| told.run == run);
        let before = before.and_then(|told| told.since.remove(kind));
        let since = before.unwrap_or(now);
        self.since.insert(kind, since);
        (since, before.is_some())
    }

    /// As it travels, and remembers the look. What an engine has told is the same until it tells anew.
    fn settle(&mut self, process: &str, at: Instant, sample: Sample) -> Cost {
        let known = self.cost.take().filter(|_| self.last.as_ref().is_some_and(|(then, _)| *then == at));
        let cost = known.unwrap_or_else(|| self.reckon(process, at, sample));
        self.cost = Some(cost.clone());
        Cost { gauges: self.gauges(), ..cost }
    }

    fn reckon(&mut self, process: &str, at: Instant, sample: Sample) -> Cost {
        let before = self.last.replace((at, sample));
        let before = before.as_ref().map(|(then, sample)| (at.saturating_duration_since(*then), sample));
        let before = before.filter(|(elapsed, _)| *elapsed <= NO_RATE_AFTER);
        let rate = |of: fn(&Sample) -> Option<u64>| {
            let (elapsed, before) = before?;
            let more = of(&sample)?.saturating_sub(of(before)?);
            #[expect(clippy::cast_possible_truncation, reason = "bytes a second, for people to look at")]
            Some((more as f64 / elapsed.as_secs_f64().max(0.001)).round() as f32)
        };
        #[expect(clippy::cast_possible_truncation, reason = "a percentage of cores, for people to look at")]
        let cpu_percent = sample.cpu_percent.map(|percent| ((percent * 10.0).round() / 10.0) as f32);
        Cost {
            process: process.to_owned(),
            cpu_percent,
            memory_bytes: sample.memory_bytes,
            threads: sample.threads,
            open_files: sample.open_files,
            disk_read_rate: rate(|sample| sample.disk_read_bytes),
            disk_written_rate: rate(|sample| sample.disk_written_bytes),
            net_received_rate: rate(|sample| sample.net_received_bytes),
            net_sent_rate: rate(|sample| sample.net_sent_bytes),
            gauges: Vec::new(),
        }
    }

    /// Nothing is measured any more; of what was, the log goes on with the next run.
    fn forget(&mut self) {
        let mut watch = std::mem::take(&mut self.watch);
        watch.begin_run();
        let since = watch.alerts().iter().filter_map(|alert| self.since.remove_entry(alert.kind)).collect();
        *self = Self { watch, since, watched_since: self.watched_since, ..Self::default() };
    }
}

impl Core {
    /// Has the process's tree measured while it lives, and no longer.
    pub(super) fn watch_cost(&mut self, key: &Key) {
        let Some(sampling) = self.sampling.clone() else { return };
        let Some(process) = self.process_mut(key) else { return };
        let alive = process.machine.phase.is_alive() && process.root.is_some();
        let wanted = process.run.as_ref().filter(|_| alive).map(|run| (run.id.clone(), run.keeper));
        if wanted == process.costs.measured {
            return;
        }
        let tree = wanted.as_ref().and_then(|_| process.tree());
        let change = match tree {
            Some(tree) => {
                process.costs.measured = wanted;
                Change::Watch(key.clone(), Box::new(tree))
            }
            None if process.costs.measured.is_none() => return,
            None => {
                process.costs.forget();
                Change::Forget(key.clone())
            }
        };
        let _ = sampling.send(change);
        if !self.measures() {
            // The thread sleeps from now on.
            self.machine = None;
            self.forget_hogs();
        }
    }

    /// Anything is measured.
    fn measures(&self) -> bool {
        self.environments.values().flat_map(|one| one.processes.values()).any(|one| one.costs.is_measured())
    }

    /// Asks for the gauges of a process once it is ready, and as long as it runs.
    pub(super) fn watch_gauges(&mut self, key: &Key, run: &str, definition: &ResolvedProcess) {
        let handle = self.handle.clone();
        let wanted = self.sampling.is_some();
        let Some(process) = self.process_mut(key).filter(|one| wanted && one.ready && one.gauges.is_none())
        else {
            return;
        };
        let sources = gauges::sources(definition);
        let (key, run) = (key.clone(), run.to_owned());
        process.gauges = Some(gauges::spawn(sources, &context(definition), move |source, gauges| {
            let (key, run) = (key.clone(), run.clone());
            handle.tell(Message::Visit(Box::new(move |core| {
                if let Some(process) = core.in_run(&key, &run) {
                    process.costs.gauges.insert(source, gauges);
                }
            })));
        }));
    }

    /// Asks the engine what the container costs whose client the process is.
    pub(super) fn watch_container(&mut self, key: &Key, run: &str, definition: &ResolvedProcess) {
        let handle = self.handle.clone();
        let wanted = self.sampling.is_some();
        let Some(process) = self.process_mut(key).filter(|one| wanted && one.container.is_none()) else {
            return;
        };
        let cidfile = process.run.as_ref().and_then(|run| run.cidfile.clone());
        let client = forge_config::container::container(&definition.command);
        let engine = client.and_then(|client| container::engine(&client.engine(), definition.variables()));
        let (Some(cidfile), Some(engine)) = (cidfile, engine) else { return };
        let (key, run) = (key.clone(), run.to_owned());
        process.container = Some(container::watch(engine, cidfile, move |sample| {
            let (key, run, now) = (key.clone(), run.clone(), Instant::now());
            handle.tell(Message::Visit(Box::new(move |core| {
                if let Some(process) = core.in_run(&key, &run) {
                    process.costs.container = sample.map(|sample| (now, sample));
                }
            })));
        }));
    }

    /// A look at all of them has come in.
    pub(super) fn measured(&mut self, measured: Measured) {
        let time_ms = measured.time.as_millis();
        let mut told: BTreeMap<EnvironmentKey, Vec<Cost>> =
            self.environments.keys().map(|key| (key.clone(), Vec::new())).collect();
        let mut points = Vec::new();
        for (key, sample) in measured.samples {
            let Some(process) = self.process_mut(&key).filter(|one| one.costs.is_measured()) else {
                continue;
            };
            let (at, sample) = process.costs.of_container_or(measured.at, sample);
            let cost = process.costs.settle(&key.process, at, sample);
            points.push((key.clone(), point(time_ms, &cost)));
            self.watch_figures(&key, measured.at, measured.time);
            told.entry(key.environment).or_default().push(cost);
        }
        self.look_now_and_then(measured.at);
        if let Some(machine) = measured.machine.as_ref().filter(|_| measured.hogs_are_new) {
            self.watch_machine(machine, measured.time);
        }
        self.archive.points(points, measured.machine.as_ref().map(|machine| machine_point(time_ms, machine)));
        // The last look may come in after the last process has gone.
        self.machine = measured.machine.filter(|_| self.measures());
        for (key, costs) in told {
            self.publish(Update::Metrics {
                workspace: key.workspace,
                environment: key.environment,
                time_ms,
                costs,
                machine: self.machine.clone(),
            });
        }
    }

    /// Something that belongs on the axis of time has happened.
    pub(super) fn mark(&mut self, key: &Key, happening: &Happening, time: Time) {
        let Some(process) = self.process_mut(key) else { return };
        let Some((kind, text)) = kind(process, happening) else { return };
        self.archive.mark(&key.environment, Mark { time, process: Some(key.process.clone()), kind, text });
    }

    pub(super) fn read_metrics(&self, read: ReadMetrics, reply: Reply) {
        let key = EnvironmentKey { workspace: read.workspace.clone(), environment: read.environment.clone() };
        let processes = self.environments.get(&key).map(|environment| &environment.processes);
        let order = processes.into_iter().flatten().map(|(name, _)| name.clone()).collect();
        self.archive.ask(Question {
            read,
            order,
            answer: Box::new(move |found: MetricsAnswer| answer(reply, Ok(found))),
        });
    }
}

impl Costs {
    pub(super) fn is_measured(&self) -> bool {
        self.measured.is_some()
    }
}

/// A start that follows a crash or a restart is one of those.
fn kind(process: &mut Process, happening: &Happening) -> Option<(MarkKind, String)> {
    let text = || {
        let (title, text) = words::happening(happening);
        if text.is_empty() { title.to_owned() } else { format!("{title}: {text}") }
    };
    match happening {
        Happening::Started => {
            let again = process.machine.restarts > 0;
            Some(match process.deployed.take() {
                Some(why) => (MarkKind::Deploy, format!("restarted: {why}")),
                None if again => (MarkKind::Restart, "restarted".to_owned()),
                None => (MarkKind::Start, "started".to_owned()),
            })
        }
        Happening::Crashed { .. } | Happening::NotStarted { .. } => Some((MarkKind::Crash, text())),
        Happening::Exited { .. } | Happening::Stopped => Some((MarkKind::Stop, text())),
        // Its start is told.
        Happening::Restarting | Happening::Survived { .. } => None,
    }
}

fn point(time_ms: i64, cost: &Cost) -> Point {
    let value =
        |gauge: &Gauge| Some(GaugeValue { name: gauge.name.clone(), unit: gauge.unit, value: gauge.value? });
    Point {
        time_ms,
        cpu_percent: cost.cpu_percent,
        cpu_percent_max: cost.cpu_percent,
        memory_bytes: cost.memory_bytes,
        threads: cost.threads,
        open_files: cost.open_files,
        disk_read_rate: cost.disk_read_rate,
        disk_written_rate: cost.disk_written_rate,
        net_received_rate: cost.net_received_rate,
        net_sent_rate: cost.net_sent_rate,
        gauges: cost.gauges.iter().filter_map(value).collect(),
    }
}

fn machine_point(time_ms: i64, machine: &Machine) -> Point {
    Point {
        time_ms,
        cpu_percent: machine.cpu_percent,
        cpu_percent_max: machine.cpu_percent,
        memory_bytes: Some(machine.memory_used_bytes),
        ..Point::default()
    }
}
