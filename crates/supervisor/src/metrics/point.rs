//! Points of a series, and how many become few.

use forge_api::{GaugeSeries, GaugeUnit, MachineSeries, Series};
use serde::{Deserialize, Serialize};

/// What was measured of one process, or of the machine, at a moment or over a step. `None`: it could not be.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Point {
    /// Milliseconds since 1970; of a step its last moment, as it travels its first: [`Point::at_step`].
    pub time_ms: i64,
    /// 100 is one core; of the machine, all of them.
    pub cpu_percent: Option<f32>,
    pub cpu_percent_max: Option<f32>,
    pub memory_bytes: Option<u64>,
    pub threads: Option<u32>,
    pub open_files: Option<u32>,
    /// Bytes a second.
    pub disk_read_rate: Option<f32>,
    pub disk_written_rate: Option<f32>,
    pub net_received_rate: Option<f32>,
    pub net_sent_rate: Option<f32>,
    pub gauges: Vec<GaugeValue>,
}

/// A gauge at that moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GaugeValue {
    pub name: String,
    pub unit: GaugeUnit,
    pub value: f64,
}

impl Point {
    /// At the beginning of its step: so those of one step have one time, whichever process they are of.
    pub(super) fn at_step(self, step_ms: i64) -> Self {
        let step_ms = step_ms.max(1);
        Self { time_ms: self.time_ms.div_euclid(step_ms) * step_ms, ..self }
    }
}

/// The point of each step of so many milliseconds, at its beginning: means, of gauges the last.
pub(crate) fn thinned(points: impl IntoIterator<Item = Point>, step_ms: i64) -> Vec<Point> {
    let mut steps = Vec::new();
    let mut step: Vec<Point> = Vec::new();
    for point in points {
        let slot = |point: &Point| point.time_ms.div_euclid(step_ms.max(1));
        if step.first().is_some_and(|first| slot(first) != slot(&point)) {
            steps.extend(merged(&step).map(|point| point.at_step(step_ms)));
            step.clear();
        }
        step.push(point);
    }
    steps.extend(merged(&step).map(|point| point.at_step(step_ms)));
    steps
}

/// Several points as one.
pub(crate) fn merged(points: &[Point]) -> Option<Point> {
    let last = points.last()?;
    if points.len() == 1 {
        return Some(last.clone());
    }
    let rate = |of: fn(&Point) -> Option<f32>| mean(points.iter().filter_map(of).map(f64::from));
    let count = |of: fn(&Point) -> Option<u32>| mean(points.iter().filter_map(of).map(f64::from));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "means of what was a float, or a count, of that size"
    )]
    #[expect(clippy::cast_sign_loss, reason = "nothing measured is below zero")]
    Some(Point {
        time_ms: last.time_ms,
        cpu_percent: rate(|point| point.cpu_percent).map(|mean| mean as f32),
        cpu_percent_max: points.iter().filter_map(|point| point.cpu_percent_max).reduce(f32::max),
        memory_bytes: mean(points.iter().filter_map(|point| point.memory_bytes).map(|bytes| bytes as f64))
            .map(|mean| mean as u64),
        threads: count(|point| point.threads).map(|mean| mean.round() as u32),
        open_files: count(|point| point.open_files).map(|mean| mean.round() as u32),
        disk_read_rate: rate(|point| point.disk_read_rate).map(|mean| mean as f32),
        disk_written_rate: rate(|point| point.disk_written_rate).map(|mean| mean as f32),
        net_received_rate: rate(|point| point.net_received_rate).map(|mean| mean as f32),
        net_sent_rate: rate(|point| point.net_sent_rate).map(|mean| mean as f32),
        gauges: last.gauges.clone(),
    })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// Points, oldest first, as they travel.
pub(crate) fn series(process: &str, points: &[Point]) -> Series {
    let mut names: Vec<(&str, GaugeUnit)> = Vec::new();
    for gauge in points.iter().flat_map(|point| &point.gauges) {
        if !names.iter().any(|(name, _)| *name == gauge.name) {
            names.push((gauge.name.as_str(), gauge.unit));
        }
    }
    let gauge = |name: &str| {
        let named = |gauge: &&GaugeValue| gauge.name == name;
        points.iter().map(|point| point.gauges.iter().find(named).map(|gauge| gauge.value)).collect()
    };
    Series {
        process: process.to_owned(),
        times_ms: points.iter().map(|point| point.time_ms).collect(),
        cpu_percent: points.iter().map(|point| point.cpu_percent).collect(),
        cpu_percent_max: points.iter().map(|point| point.cpu_percent_max).collect(),
        memory_bytes: points.iter().map(|point| point.memory_bytes).collect(),
        threads: points.iter().map(|point| point.threads).collect(),
        open_files: points.iter().map(|point| point.open_files).collect(),
        disk_read_rate: points.iter().map(|point| point.disk_read_rate).collect(),
        disk_written_rate: points.iter().map(|point| point.disk_written_rate).collect(),
        net_received_rate: points.iter().map(|point| point.net_received_rate).collect(),
        net_sent_rate: points.iter().map(|point| point.net_sent_rate).collect(),
        gauges: names
            .iter()
            .map(|(name, unit)| GaugeSeries { name: (*name).to_owned(), unit: *unit, values: gauge(name) })
            .collect(),
    }
}

pub(crate) fn machine_series(points: &[Point]) -> MachineSeries {
    MachineSeries {
        times_ms: points.iter().map(|point| point.time_ms).collect(),
        cpu_percent: points.iter().map(|point| point.cpu_percent).collect(),
        memory_used_bytes: points.iter().map(|point| point.memory_bytes).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(time_ms: i64, cpu: f32, memory: Option<u64>) -> Point {
        Point {
            time_ms,
            cpu_percent: Some(cpu),
            cpu_percent_max: Some(cpu),
            memory_bytes: memory,
            ..Point::default()
        }
    }

    #[test]
    fn a_step_is_the_mean_of_its_points_and_the_most_of_their_cpu() {
        let points =
            [point(10_000, 10.0, Some(100)), point(19_999, 30.0, None), point(20_000, 50.0, Some(7))];
        let thin = thinned(points, 10_000);
        let told: Vec<_> = thin
            .iter()
            .map(|one| (one.time_ms, one.cpu_percent, one.cpu_percent_max, one.memory_bytes))
            .collect();
        assert_eq!(
            told,
            [(10_000, Some(20.0), Some(30.0), Some(100)), (20_000, Some(50.0), Some(50.0), Some(7))],
            "what could not be measured weighs nothing"
        );
        assert_eq!(thinned([], 10), [], "nothing is nothing");
    }

    #[test]
    fn a_gauge_that_is_not_always_there_has_gaps() {
        let gauge = |name: &str, value| GaugeValue { name: name.into(), unit: GaugeUnit::Percent, value };
        let at = |time_ms, gauges| Point { time_ms, gauges, ..Point::default() };
        let points =
            [at(1, vec![gauge("a", 1.0)]), at(2, vec![]), at(3, vec![gauge("b", 2.0), gauge("a", 3.0)])];
        let series = series("api", &points);
        let told: Vec<_> = series.gauges.iter().map(|one| (one.name.as_str(), one.values.clone())).collect();
        assert_eq!(
            told,
            [("a", vec![Some(1.0), None, Some(3.0)]), ("b", vec![None, None, Some(2.0)])],
            "as long as the times"
        );
    }
}
