//! Figures of one process as texts.

use std::time::Duration;

use forge_api::{Gauge, GaugeUnit, ProcessStatus, Time};

use super::draw::Brush;
use super::history::{Figure, History, float};
use super::shown::Shown;
use super::trend;
use crate::view::words;

/// Percent of a core: what is below is drawn as if it were nothing, so that an idle process looks idle.
const CPU_FLOOR: f64 = 10.0;
/// Of the highest value: less than this is drawn as no change of memory.
const MEMORY_FLOOR: f64 = 0.2;
/// Words about memory are about all that is kept.
const MEMORY_SPAN_MS: i64 = 15 * 60 * 1000;

/// A graph's values, the top of its scale, and the words about it.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) values: Vec<Option<f64>>,
    pub(crate) top: f64,
    /// Now.
    pub(crate) figure: String,
    /// `avg 14.1%, spike to 45%`; empty while too little is known.
    pub(crate) words: String,
    /// It is as much as it should not be for long.
    pub(crate) high: bool,
}

/// The last `span_ms` of CPU in so many columns.
pub(crate) fn cpu(shown: &Shown, process: &ProcessStatus, wide: usize, span_ms: i64, brush: &Brush) -> Graph {
    let empty = History::default();
    let history = shown.histories.get(&process.name).unwrap_or(&empty);
    let values = history.columns(Figure::Cpu, wide, span_ms);
    let (all, _) = history.values(Figure::Cpu, span_ms);
    let now = shown.figures(process).0;
    let average = trend::average(&all).map(|average| format!("avg {}", words::percent(average)));
    let said: Vec<String> =
        average.into_iter().chain(Some(trend::cpu(&all))).filter(|text| !text.is_empty()).collect();
    Graph {
        top: highest(&values).max(CPU_FLOOR),
        values,
        figure: now.map_or(brush.nothing().to_owned(), words::percent),
        words: said.join(", "),
        high: now.is_some_and(|now| now >= 90.0),
    }
}

/// The same of memory. What is drawn is how it changed: the bottom is the lowest value.
pub(crate) fn memory(
    shown: &Shown,
    process: &ProcessStatus,
    wide: usize,
    span_ms: i64,
    brush: &Brush,
) -> Graph {
    let empty = History::default();
    let history = shown.histories.get(&process.name).unwrap_or(&empty);
    let mut values = history.columns(Figure::Memory, wide, span_ms);
    let (all, seconds) = history.values(Figure::Memory, MEMORY_SPAN_MS);
    let lowest = values.iter().flatten().copied().fold(f64::MAX, f64::min);
    let high = highest(&values);
    values.iter_mut().flatten().for_each(|value| *value -= lowest);
    Graph {
        top: (high - lowest).max(high * MEMORY_FLOOR),
        values,
        figure: shown.figures(process).1.map_or(brush.nothing().to_owned(), words::bytes),
        words: trend::memory(&all, seconds),
        high: false,
    }
}

/// A rate in bytes a second, of disk or network.
pub(crate) fn rate(history: &History, figure: Figure, wide: usize, span_ms: i64, brush: &Brush) -> Graph {
    let values = history.columns(figure, wide, span_ms);
    let point = history.last_point();
    let now = point.and_then(|point| if figure == Figure::Disk { point.disk } else { point.network });
    let highest = highest(&values);
    Graph {
        top: highest.max(10_000.0),
        figure: now.map_or(brush.nothing().to_owned(), per_second),
        words: if highest > 0.0 { format!("up to {}", per_second(highest)) } else { String::new() },
        values,
        high: false,
    }
}

fn highest(values: &[Option<f64>]) -> f64 {
    values.iter().flatten().copied().fold(0.0, f64::max)
}

/// `4.0 kB/s`.
pub(crate) fn per_second(rate: f64) -> String {
    format!("{}/s", words::bytes_of(rate))
}

/// `Connections 5/100`, `Cache hit rate 94.2%`.
pub(crate) fn gauge(gauge: &Gauge, brush: &Brush) -> String {
    let mut name = gauge.name.chars();
    let name: String = name.next().into_iter().flat_map(char::to_uppercase).chain(name).collect();
    let one = |value: f64| match gauge.unit {
        GaugeUnit::Percent => words::percent(value),
        GaugeUnit::Bytes => words::bytes_of(value),
        GaugeUnit::Number => number(value),
    };
    let text = match (gauge.value, gauge.maximum, &gauge.problem) {
        (Some(value), Some(most), _) => format!("{name} {}/{}", one(value), one(most)),
        (Some(value), None, _) => format!("{name} {}", one(value)),
        (None, _, Some(problem)) => format!("{name} {} ({problem})", brush.nothing()),
        (None, _, None) => format!("{name} {}", brush.nothing()),
    };
    brush.cut(&text, 60)
}

/// Whole as a whole one, else with two digits.
fn number(value: f64) -> String {
    if (value - value.round()).abs() < 0.005 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// Those that a process has now.
pub(crate) fn gauges<'a>(shown: &'a Shown, process: &'a ProcessStatus) -> &'a [Gauge] {
    match shown.histories.get(&process.name).and_then(History::now) {
        Some(cost) => &cost.gauges,
        None => &process.gauges,
    }
}

/// Threads and open files now.
pub(crate) fn counts(shown: &Shown, process: &ProcessStatus) -> (Option<u32>, Option<u32>) {
    match shown.histories.get(&process.name).and_then(History::now) {
        Some(cost) => (cost.threads, cost.open_files),
        None => (process.threads, process.open_files),
    }
}

/// `3m ago`.
pub(crate) fn ago(then: Time, now: Time) -> String {
    let age = Duration::try_from_secs_f64(now.seconds_since(then)).unwrap_or_default();
    format!("{} ago", words::age(age))
}

/// Between 0 and 1.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}
