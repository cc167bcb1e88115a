//! What processes cost, as the sampling thread reports it, and the last minutes of it.

use std::collections::{BTreeMap, VecDeque};

use forge_api::{Cost, MetricsAnswer, ReadMetrics, Series, Update};
use forge_system::metrics::Sample;

use super::{Core, EnvironmentKey, Key};
use crate::sampling::{Change, Measured};

/// Samples kept of each process: 15 minutes.
const KEPT: usize = 900;

/// The samples of one process, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    points: VecDeque<Point>,
    /// Whose tree is being measured: a run's UUID and its keeper.
    measured: Option<(String, Option<u32>)>,
}

#[derive(Debug, Clone, Copy)]
struct Point {
    time_ms: i64,
    cpu_percent: Option<f32>,
    memory_bytes: Option<u64>,
}

impl Ring {
    fn push(&mut self, point: Point) {
        if self.points.len() >= KEPT {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }

    fn series(&self, process: &str, after_ms: i64) -> Series {
        let mut series = Series { process: process.to_owned(), ..Series::default() };
        for point in self.points.iter().filter(|point| point.time_ms > after_ms) {
            series.times_ms.push(point.time_ms);
            series.cpu_percent.push(point.cpu_percent);
            series.memory_bytes.push(point.memory_bytes);
        }
        series
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
                process.costs.measured = None;
                process.sample = None;
                Change::Forget(key.clone())
            }
        };
        let _ = sampling.send(change);
    }

    /// A look at all of them has come in.
    pub(super) fn measured(&mut self, measured: Measured) {
        let time_ms = measured.time.as_millis();
        let mut told: BTreeMap<EnvironmentKey, Vec<Cost>> = BTreeMap::new();
        for (key, sample) in measured.samples {
            let Some(process) = self.process_mut(&key).filter(|one| one.costs.measured.is_some()) else {
                continue;
            };
            let cost = cost(&key, &sample);
            process.costs.push(Point {
                time_ms,
                cpu_percent: cost.cpu_percent,
                memory_bytes: cost.memory_bytes,
            });
            process.sample = Some(sample);
            told.entry(key.environment).or_default().push(cost);
        }
        for (key, costs) in told {
            self.publish(Update::Metrics {
                workspace: key.workspace,
                environment: key.environment,
                time_ms,
                costs,
                machine: None,
            });
        }
    }

    pub(super) fn read_metrics(&self, read: &ReadMetrics) -> MetricsAnswer {
        let key = EnvironmentKey { workspace: read.workspace.clone(), environment: read.environment.clone() };
        let processes = self.environments.get(&key).map(|environment| &environment.processes);
        let series = processes.into_iter().flatten().map(|(name, one)| one.costs.series(name, read.after_ms));
        let series = series.filter(|series| !series.times_ms.is_empty()).collect();
        MetricsAnswer { series, machine: None, marks: Vec::new() }
    }
}

/// As it travels: to a tenth of a percent.
fn cost(key: &Key, sample: &Sample) -> Cost {
    #[expect(clippy::cast_possible_truncation, reason = "a percentage of cores, for people to look at")]
    let cpu_percent = sample.cpu_percent.map(|percent| ((percent * 10.0).round() / 10.0) as f32);
    Cost { process: key.process.clone(), cpu_percent, memory_bytes: sample.memory_bytes, ..Cost::default() }
}
