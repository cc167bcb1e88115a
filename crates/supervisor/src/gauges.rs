//! Gauges beside CPU and memory: what the configuration's `metrics` say, and what a database tells that may be asked.
//!
//! A source of the configuration that cannot be had is shown with the reason. A database that nobody asked to be measured
//! is only shown if it answers: what it does not let in is not tried again, so that its log does not fill up with that.

mod postgres;
mod prometheus;
mod redis;
#[cfg(test)]
mod tests;

use std::time::Duration;

use forge_api::{Gauge, GaugeUnit};
use forge_config::model::{Command, Probe};
use forge_config::resolve::ResolvedProcess;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::probe::{self, Context, text};
use prometheus::Selector;

/// Between two questions, where the configuration does not say.
const INTERVAL: Duration = Duration::from_secs(5);

/// However often it is to be asked.
const LEAST_INTERVAL: Duration = Duration::from_millis(500);

/// An answer takes no longer.
const LIMIT: Duration = Duration::from_secs(5);

/// What is asked, and how often.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    interval: Duration,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Exec { name: String, command: Command },
    Prometheus { name: String, url: String, series: String },
    Postgres(String),
    Redis(String),
}

/// Why there is no gauge.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    /// It may be otherwise the next time.
    Now(String),
    /// It lets nobody in who has no (other) password.
    ForGood,
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        Self::Now(text::error(&error))
    }
}

/// The sources of a process.
pub(crate) fn sources(process: &ResolvedProcess) -> Vec<Source> {
    let mut sources: Vec<Source> =
        process.metrics.iter().filter_map(|(name, metric)| source(name, metric)).collect();
    let database = match process.health_check.as_ref().map(|check| &check.probe) {
        Some(Probe::Postgres(url)) => Some(Kind::Postgres(url.clone())),
        Some(Probe::Redis(url)) => Some(Kind::Redis(url.clone())),
        _ => None,
    };
    sources.extend(database.map(|kind| Source { interval: INTERVAL, kind }));
    sources
}

/// As written; it was checked.
fn source(name: &str, metric: &serde_json::Value) -> Option<Source> {
    let text = |key: &str| metric.get(key)?.as_str().map(str::to_owned);
    let interval = text("interval").and_then(|text| forge_config::parse_duration(&text).ok());
    let name = name.to_owned();
    let kind = match metric.get("exec") {
        Some(command) => Kind::Exec { name, command: serde_json::from_value(command.clone()).ok()? },
        None => Kind::Prometheus { name, url: text("prometheus")?, series: text("series")? },
    };
    Some(Source { interval: interval.unwrap_or(INTERVAL).max(LEAST_INTERVAL), kind })
}

/// Questions that go on until this is dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    tasks: Vec<AbortHandle>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Asks each source at once, then at its interval, and reports its number and its gauges.
pub(crate) fn spawn(
    sources: Vec<Source>,
    context: &Context,
    report: impl Fn(usize, Vec<Gauge>) + Clone + Send + 'static,
) -> Watched {
    let tasks = sources.into_iter().enumerate().map(|(number, source)| {
        let (context, report) = (context.clone(), report.clone());
        let task = tokio::spawn(async move {
            loop {
                let next = Instant::now() + source.interval;
                let gauges = source.ask(&context).await;
                let refused = gauges.is_none();
                report(number, gauges.unwrap_or_default());
                if refused {
                    return;
                }
                sleep_until(next).await;
            }
        });
        task.abort_handle()
    });
    Watched { tasks: tasks.collect() }
}

impl Source {
    /// `None`: it is of no use to ask again.
    async fn ask(&self, context: &Context) -> Option<Vec<Gauge>> {
        match &self.kind {
            Kind::Exec { name, command } => Some(vec![declared(name, exec(command, context).await)]),
            Kind::Prometheus { name, url, series } => {
                let value = limited(scrape(url, series)).await;
                Some(vec![declared(name, value.map(|value| (value, GaugeUnit::Number)))])
            }
            Kind::Postgres(url) => told(timeout(LIMIT, postgres::ask(url)).await),
            Kind::Redis(url) => told(timeout(LIMIT, redis::ask(url)).await),
        }
    }
}

fn told(answer: Result<Result<Vec<Gauge>, Refused>, tokio::time::error::Elapsed>) -> Option<Vec<Gauge>> {
    match answer {
        Ok(Ok(gauges)) => Some(gauges),
        Ok(Err(Refused::ForGood)) => None,
        Ok(Err(Refused::Now(_))) | Err(_) => Some(Vec::new()),
    }
}

async fn limited<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    timeout(LIMIT, work).await.unwrap_or_else(|_| Err(format!("no answer within {}", text::duration(LIMIT))))
}

fn declared(name: &str, answer: Result<(f64, GaugeUnit), String>) -> Gauge {
    let (value, unit, problem) = match answer {
        Ok((value, unit)) => (Some(value), unit, None),
        Err(problem) => (None, GaugeUnit::Number, Some(problem)),
    };
    Gauge { name: name.to_owned(), unit, value, maximum: None, problem }
}

/// A gauge of something that has been asked.
fn gauge(name: &str, unit: GaugeUnit, value: f64, maximum: Option<f64>) -> Gauge {
    Gauge { name: name.to_owned(), unit, value: Some(value), maximum, problem: None }
}

/// The last number that the command prints.
async fn exec(command: &Command, context: &Context) -> Result<(f64, GaugeUnit), String> {
    let output =
        probe::output(command, LIMIT, context).await.map_err(|reason| format!("its command {reason}"))?;
    last_number(&text::plain(&output)).ok_or_else(|| {
        let line = text::last_line(&output);
        if line.is_empty() {
            "its command printed nothing".to_owned()
        } else {
            format!("its command printed no number: {line}")
        }
    })
}

/// Of `queue length: 12`, `12`; of `hits = 93.5 %`, `93.5` and percent; of `1,234 jobs`, `1234`.
fn last_number(text: &str) -> Option<(f64, GaugeUnit)> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || "=:;\"'".contains(c))
        .flat_map(|word| match is_grouped(word) {
            true => vec![word],
            false => word.split(|c: char| ",()[]{}".contains(c)).collect(),
        })
        .filter(|word| !word.is_empty())
        .collect();
    words.iter().enumerate().rev().find_map(|(at, word)| {
        let bare = word.trim_end_matches('%').trim_end_matches('.').replace(',', "");
        let number: f64 = bare.parse().ok().filter(|number: &f64| number.is_finite())?;
        let percent = word.contains('%') || words.get(at + 1).is_some_and(|next| *next == "%");
        Some((number, if percent { GaugeUnit::Percent } else { GaugeUnit::Number }))
    })
}

/// `1,234`, `12,345,678.9`, `1,234%`.
fn is_grouped(word: &str) -> bool {
    let number = word.trim_end_matches(['%', '.', ',']).trim_start_matches('-');
    let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    (1..=3).contains(&first.len())
        && digits(first)
        && whole.contains(',')
        && groups.all(|group| group.len() == 3 && digits(group))
}

async fn scrape(url: &str, series: &str) -> Result<f64, String> {
    let selector = Selector::parse(series).ok_or_else(|| format!("`{series}` is no series"))?;
    let body = probe::fetch(url).await?;
    match selector.value_in(&String::from_utf8_lossy(&body)) {
        Some(value) if value.is_finite() => Ok(value),
        Some(value) => Err(format!("{series} is {value} at {url}")),
        None => Err(format!("{url} has no series {series}")),
    }
}
