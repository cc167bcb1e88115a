//! What was measured of one process, as far back as a picture shows it.

use std::collections::{BTreeSet, VecDeque};

use forge_api::{Cost, Series};

/// A sample a second of the last 15 minutes.
const KEPT: usize = 900;
/// Points that are no more milliseconds apart are of one look.
const SAME_MS: i64 = 400;
/// Milliseconds.
pub(super) const KEPT_MS: i64 = 15 * 60 * 1000;

/// One look at a process.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Point {
    pub(crate) time_ms: i64,
    pub(crate) cpu: Option<f64>,
    pub(crate) memory: Option<f64>,
    /// Bytes a second, read and written together.
    pub(crate) disk: Option<f64>,
    /// Bytes a second, both ways together.
    pub(crate) network: Option<f64>,
}

/// Points, oldest first, and the newest cost whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    points: VecDeque<Point>,
    /// While it runs.
    newest: Option<Cost>,
}

/// A column of [`Point`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Cpu,
    Memory,
    Disk,
    Network,
}

impl Figure {
    fn of(self, point: &Point) -> Option<f64> {
        match self {
            Self::Cpu => point.cpu,
            Self::Memory => point.memory,
            Self::Disk => point.disk,
            Self::Network => point.network,
        }
    }
}

impl History {
    /// What was measured while we did not look; points that came to us stay.
    pub(crate) fn fill(&mut self, series: &Series) {
        let at = |column: &[Option<f32>], index: usize| column.get(index).copied().flatten().map(f64::from);
        let seen: BTreeSet<i64> = self.points.iter().map(|point| point.time_ms).collect();
        let near = |time: i64| seen.range(time - SAME_MS..=time + SAME_MS).next().is_some();
        let missed = series.times_ms.iter().enumerate().filter(|(_, time)| !near(**time));
        let missed = missed.map(|(index, time)| Point {
            time_ms: *time,
            cpu: at(&series.cpu_percent, index),
            memory: series.memory_bytes.get(index).copied().flatten().map(float),
            disk: sum(at(&series.disk_read_rate, index), at(&series.disk_written_rate, index)),
            network: sum(at(&series.net_received_rate, index), at(&series.net_sent_rate, index)),
        });
        self.points.extend(missed);
        self.points.make_contiguous().sort_by_key(|point| point.time_ms);
        self.trim();
    }

    pub(crate) fn push(&mut self, time_ms: i64, cost: Cost) {
        self.points.push_back(Point {
            time_ms,
            cpu: cost.cpu_percent.map(f64::from),
            memory: cost.memory_bytes.map(float),
            disk: sum(cost.disk_read_rate.map(f64::from), cost.disk_written_rate.map(f64::from)),
            network: sum(cost.net_received_rate.map(f64::from), cost.net_sent_rate.map(f64::from)),
        });
        self.newest = Some(cost);
        self.trim();
    }

    fn trim(&mut self) {
        let newest = self.points.back().map_or(0, |point| point.time_ms);
        while self.points.len() > KEPT
            || self.points.front().is_some_and(|point| point.time_ms < newest - KEPT_MS)
        {
            self.points.pop_front();
        }
    }

    /// What it costs now; `None` if nothing of it runs, or that was not measured yet.
    pub(crate) fn now(&self) -> Option<&Cost> {
        self.newest.as_ref()
    }

    /// The newest look, while it runs.
    pub(crate) fn last_point(&self) -> Option<&Point> {
        self.points.back().filter(|_| self.newest.is_some())
    }

    /// It no longer runs, and costs nothing.
    pub(crate) fn rest(&mut self) {
        self.newest = None;
    }

    /// The last `span_ms` in so many columns, the highest value of each; a column in which nothing was measured is
    /// empty. The last column ends with the newest point.
    pub(crate) fn columns(&self, figure: Figure, columns: usize, span_ms: i64) -> Vec<Option<f64>> {
        let mut values = vec![None; columns];
        let Some(end) = self.points.back().map(|point| point.time_ms + 1) else { return values };
        let Ok(count) = i64::try_from(columns) else { return values };
        let width = (span_ms / count.max(1)).max(1);
        for point in &self.points {
            let back = (end - 1 - point.time_ms) / width;
            let Some(column) = usize::try_from(count - 1 - back).ok().filter(|column| *column < columns)
            else {
                continue;
            };
            let higher = |known: Option<f64>, value: f64| Some(known.map_or(value, |known| known.max(value)));
            if let Some(value) = figure.of(point) {
                values[column] = higher(values[column], value);
            }
        }
        values
    }

    /// Each value of the last `span_ms`, and the seconds that they span.
    pub(crate) fn values(&self, figure: Figure, span_ms: i64) -> (Vec<Option<f64>>, f64) {
        let newest = self.points.back().map_or(0, |point| point.time_ms);
        let within = || self.points.iter().filter(|point| point.time_ms > newest - span_ms);
        let first = within().next().map_or(newest, |point| point.time_ms);
        let seconds = std::time::Duration::from_millis((newest - first).unsigned_abs()).as_secs_f64();
        (within().map(|point| figure.of(point)).collect(), seconds)
    }
}

/// What is known of both.
fn sum(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (None, None) => None,
        _ => Some(one.unwrap_or(0.0) + other.unwrap_or(0.0)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "three figures are shown")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(cpu: f32) -> Cost {
        Cost { process: "api".to_owned(), cpu_percent: Some(cpu), ..Cost::default() }
    }

    #[test]
    fn what_was_before_is_put_before_what_came_meanwhile() {
        let mut history = History::default();
        history.push(3000, cost(3.0));
        history.fill(&Series {
            process: "api".to_owned(),
            times_ms: vec![1000, 2000, 3000],
            cpu_percent: vec![Some(1.0), None, Some(9.0)],
            ..Series::default()
        });
        assert_eq!(
            history.values(Figure::Cpu, KEPT_MS),
            (vec![Some(1.0), None, Some(3.0)], 2.0),
            "each second once"
        );
    }

    #[test]
    fn what_was_missed_in_between_is_put_there() {
        let mut history = History::default();
        history.push(1000, cost(1.0));
        history.push(5000, cost(5.0));
        history.fill(&Series {
            process: "api".to_owned(),
            times_ms: vec![1001, 2001, 3001, 4001, 5001, 6001],
            cpu_percent: [9.0, 2.0, 3.0, 4.0, 9.0, 6.0].map(Some).to_vec(),
            ..Series::default()
        });
        let all = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(Some).to_vec();
        assert_eq!(history.values(Figure::Cpu, KEPT_MS).0, all, "as it was measured");
    }

    #[test]
    fn a_column_is_the_highest_of_its_time() {
        let mut history = History::default();
        for (second, cpu) in [(0, 1.0), (1, 5.0), (2, 2.0), (6, 7.0), (7, 3.0)] {
            history.push(second * 1000, cost(cpu));
        }
        assert_eq!(
            history.columns(Figure::Cpu, 4, 8000),
            [Some(5.0), Some(2.0), None, Some(7.0)],
            "two seconds each, a gap in the third"
        );
        assert_eq!(History::default().columns(Figure::Cpu, 2, 8000), [None, None], "nothing yet");
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut history = History::default();
        for second in 0..2000 {
            history.push(second * 1000, cost(1.0));
        }
        assert_eq!(history.values(Figure::Cpu, i64::MAX / 2).0.len(), KEPT, "15 minutes");
    }
}
