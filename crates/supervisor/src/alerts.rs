//! From what is measured to what is worth a warning: pure. A [`Watch`] is fed with a [`Moment`] a second of one run, and
//! says what begins and what ends. It knows no clock but that of the moments.
//!
//! What begins at a threshold ends only well below it, so that a figure that sways around it is one episode.

use std::collections::VecDeque;
use std::time::Duration;

use forge_api::{Hog, Machine};
use forge_config::model::Alerts;
use forge_system::metrics::OpenFiles;

use crate::words;

/// Kinds, as in [`forge_api::Warning::kind`].
pub(crate) const MEMORY_GROWTH: &str = "memory_growth";
pub(crate) const CPU: &str = "cpu";
pub(crate) const OPEN_FILES: &str = "open_files";
pub(crate) const LOG_GROWTH: &str = "log_growth";
pub(crate) const ERROR_RATE: &str = "error_rate";
pub(crate) const HOG: &str = "hog";

/// Parts of the memory window: the lowest point of each counts, since a collector lets memory rise and fall.
const PARTS: usize = 10;

/// Memory that grows by less than this share of what it was is no leak that anybody would notice.
const LEAST_SHARE: f64 = 0.1;

/// A log that grows faster than its alert within this time.
const LOG_WINDOW: Duration = Duration::from_secs(3600);

/// Errors of the last minute are compared with those of so many minutes before.
const ERROR_WINDOW: Duration = Duration::from_secs(60);
const ERROR_MINUTES: u32 = 10;
/// So many in a minute at least, and so many times as many as before.
const LEAST_ERRORS: u64 = 10;
const ERROR_JUMP: f64 = 5.0;

/// A hog is over when it uses less than this share of what made it one.
const HOG_ENDS: f64 = 0.75;

/// What was measured of a process at a moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moment {
    /// Since any beginning, by a clock that does not go back.
    pub at: Duration,
    pub memory_bytes: Option<u64>,
    pub cpu_percent: Option<f64>,
    pub fullest: Option<OpenFiles>,
    /// What it has written to its log in all; told now and then.
    pub log_bytes: Option<u64>,
    /// Lines of the level `error` since the last moment.
    pub errors: Option<u64>,
}

/// Something is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alert {
    pub kind: &'static str,
    /// Which of the machine's processes, where it is not about one of ours: its PID.
    pub about: Option<u32>,
    /// For a list under the process's name: `memory +50 MB in 10 min, now 421 MB (possible leak?)`.
    pub text: String,
    /// To follow the process's name: `+50 MB in 10 min`.
    pub summary: String,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    Begins(Alert),
    Ends(&'static str),
}

/// What can be said of a figure.
#[derive(Debug, PartialEq)]
enum Verdict {
    Holds {
        text: String,
        summary: String,
    },
    /// Neither enough to begin nor little enough to end.
    Sways,
    Over,
}

/// The memory of one run's figures.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    begun: Option<Duration>,
    /// Of what is measured now: the first moment.
    measured: Option<Duration>,
    memory: VecDeque<(Duration, u64)>,
    cpu: VecDeque<(Duration, f64)>,
    log: VecDeque<(Duration, u64)>,
    errors: VecDeque<(Duration, u64)>,
    alerts: Vec<Alert>,
}

impl Watch {
    /// What is wrong now.
    pub(crate) fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// What comes is of the next run. Its log is the same one, and so is an episode of that.
    pub(crate) fn begin_run(&mut self) {
        let log = std::mem::take(&mut self.log);
        let mut alerts = std::mem::take(&mut self.alerts);
        alerts.retain(|alert| alert.kind == LOG_GROWTH);
        *self = Self { log, alerts, ..Self::default() };
    }

    /// From here on something else is measured: a container in place of its client, or the other way round.
    pub(crate) fn measures_another(&mut self) {
        self.measured = None;
        self.memory.clear();
        self.cpu.clear();
    }

    /// One moment later.
    pub(crate) fn step(&mut self, moment: &Moment, limits: &Alerts) -> Vec<News> {
        let begun = *self.begun.get_or_insert(moment.at);
        let measured = *self.measured.get_or_insert(moment.at);
        let at = moment.at;
        remember(&mut self.memory, at, moment.memory_bytes, limits.memory_window);
        remember(&mut self.cpu, at, moment.cpu_percent, limits.cpu_window);
        remember(&mut self.log, at, moment.log_bytes, LOG_WINDOW);
        remember(&mut self.errors, at, moment.errors, ERROR_WINDOW * (ERROR_MINUTES + 1));
        let verdicts = [
            (MEMORY_GROWTH, self.memory_growth(measured, limits)),
            (CPU, self.busy(limits)),
            (OPEN_FILES, files(moment.fullest, limits)),
            (LOG_GROWTH, self.log_growth(limits)),
            (ERROR_RATE, self.error_rate(begun, at)),
        ];
        verdicts.into_iter().filter_map(|(kind, verdict)| settle(&mut self.alerts, kind, verdict)).collect()
    }

    /// The lowest point of the last part of the window against that of the first, without the warm-up: as long as two
    /// parts after the start.
    fn memory_growth(&self, measured: Duration, limits: &Alerts) -> Verdict {
        let part = limits.memory_window / u32::try_from(PARTS).unwrap_or(1);
        let warm = measured + part * 2;
        let mut points = self.memory.iter().filter(|(at, _)| *at >= warm).peekable();
        let (Some((first, _)), Some((last, _))) = (points.peek(), self.memory.back()) else {
            return Verdict::Over;
        };
        // Fewer parts than these say nothing.
        if last.saturating_sub(*first) < part * 4 {
            return Verdict::Sways;
        }
        let (early, late) = (*first + part * 2, last.saturating_sub(part * 2));
        let lowest = |from: Duration, until: Duration| {
            let within = self.memory.iter().filter(move |(at, _)| *at >= from && *at <= until);
            within.copied()
        };
        // The ends of the longest time between them. What steadily grows is lowest when each part begins: of ten parts
        // its growth over eight is seen.
        let before = lowest(*first, early).min_by_key(|(at, bytes)| (*bytes, *at));
        let now = lowest(late, *last).min_by_key(|(at, bytes)| (*bytes, std::cmp::Reverse(*at)));
        let (Some((from, before)), Some((until, now))) = (before, now) else { return Verdict::Sways };
        let looked_at = last.saturating_sub(*first).min(limits.memory_window);
        let span = until.saturating_sub(from).as_secs_f64() / looked_at.as_secs_f64().max(0.001);
        let grown = (now.saturating_sub(before) as f64 / span.clamp(0.8, 1.0)) as u64;
        let enough = limits.memory_growth.max((before as f64 * LEAST_SHARE) as u64);
        if grown < enough / 2 {
            return Verdict::Over;
        }
        if grown < enough {
            return Verdict::Sways;
        }
        let summary = format!("+{} in {}", words::bytes(grown), words::duration(rounded(looked_at)));
        let text = format!("memory {summary}, now {} (possible leak?)", words::bytes(now));
        Verdict::Holds { text, summary }
    }

    /// All through the window, but for a look or two in which others had the core.
    fn busy(&self, limits: &Alerts) -> Verdict {
        let (Some((first, _)), Some((last, _))) = (self.cpu.front(), self.cpu.back()) else {
            return Verdict::Over;
        };
        let limit = f64::from(limits.cpu);
        let whole = last.saturating_sub(*first) + Duration::from_secs(2) >= limits.cpu_window;
        let count = self.cpu.len().max(1) as f64;
        let mean = self.cpu.iter().map(|(_, percent)| percent).sum::<f64>() / count;
        let below = self.cpu.iter().filter(|(_, percent)| *percent < limit).count() as f64;
        let since = last.saturating_sub(limits.cpu_window / 3);
        let lately: Vec<f64> = self.cpu.iter().filter(|(at, _)| *at >= since).map(|(_, one)| *one).collect();
        if lately.iter().sum::<f64>() / (lately.len().max(1) as f64) < limit * 0.8 {
            return Verdict::Over;
        }
        if !whole || mean < limit || below > count * 0.1 {
            return Verdict::Sways;
        }
        let within = words::duration(limits.cpu_window);
        let summary = format!("uses {mean:.0} % of a core");
        Verdict::Holds { text: format!("{summary} for over {within}"), summary }
    }

    fn log_growth(&self, limits: &Alerts) -> Verdict {
        let (Some((_, first)), Some((_, last))) = (self.log.front(), self.log.back()) else {
            return Verdict::Over;
        };
        let grown = last.saturating_sub(*first);
        if grown < limits.log_growth / 2 {
            return Verdict::Over;
        }
        if grown < limits.log_growth {
            return Verdict::Sways;
        }
        let (from, until) = (self.log.front(), self.log.back());
        let took = from.zip(until).map_or(LOG_WINDOW, |((from, _), (until, _))| until.saturating_sub(*from));
        let summary = format!("has logged {} in {}", words::bytes(grown), words::duration(took));
        Verdict::Holds { text: format!("{summary}; the oldest lines make room for them"), summary }
    }

    fn error_rate(&self, begun: Duration, now: Duration) -> Verdict {
        let border = now.saturating_sub(ERROR_WINDOW);
        let sum = |late: bool| {
            let within = self.errors.iter().filter(|(at, _)| (*at > border) == late);
            within.map(|(_, count)| *count).sum::<u64>()
        };
        let (recent, before) = (sum(true), sum(false));
        let minutes = border.saturating_sub(begun).min(ERROR_WINDOW * ERROR_MINUTES).as_secs_f64() / 60.0;
        // In the first minutes nobody knows what is usual: then only the number counts.
        let usual = if minutes >= 1.0 { before as f64 / minutes } else { 0.0 };
        let enough = (usual * ERROR_JUMP).max(LEAST_ERRORS as f64);
        if (recent as f64) < enough / 2.0 {
            return Verdict::Over;
        }
        if (recent as f64) < enough {
            return Verdict::Sways;
        }
        let summary = format!("{recent} errors in a minute");
        let text = if minutes >= 1.0 {
            format!("{recent} errors in the last minute, {usual:.0} a minute before")
        } else {
            format!("{recent} errors in the last minute")
        };
        Verdict::Holds { text, summary }
    }
}

/// For people: whole minutes, or of a short time whole seconds.
fn rounded(time: Duration) -> Duration {
    let step = if time >= Duration::from_secs(60) { 60.0 } else { 1.0 };
    Duration::from_secs_f64((time.as_secs_f64() / step).round() * step)
}

fn files(fullest: Option<OpenFiles>, limits: &Alerts) -> Verdict {
    let Some(fullest) = fullest else { return Verdict::Over };
    let (percent, limit) = (fullest.share() * 100.0, f64::from(limits.open_files));
    if percent < limit - 10.0 {
        return Verdict::Over;
    }
    if percent < limit {
        return Verdict::Sways;
    }
    let summary = format!("has {} of {} files open", fullest.open, fullest.limit);
    Verdict::Holds { text: format!("PID {} {summary} (`ulimit -n`)", fullest.pid), summary }
}

/// Those of the machine's programs that are worth a warning, by what they use of it. Who is told of already is so until
/// it uses much less.
pub(crate) fn hogs(machine: &Machine, limits: &Alerts, told: &[Option<u32>]) -> Vec<Alert> {
    let most_cpu = f64::from(limits.hog_cpu) * f64::from(machine.cores);
    let most_memory = f64::from(limits.hog_memory) / 100.0 * machine.memory_total_bytes as f64;
    let alert = |hog: &Hog| {
        let share = if told.contains(&Some(hog.pid)) { HOG_ENDS } else { 1.0 };
        let cpu = f64::from(hog.cpu_percent) >= most_cpu * share;
        let memory = hog.memory_bytes as f64 >= most_memory * share;
        let uses = match (cpu, memory) {
            (true, true) => {
                format!("{:.0} % CPU and {}", hog.cpu_percent, words::bytes(hog.memory_bytes))
            }
            (true, false) => format!("{:.0} % CPU", hog.cpu_percent),
            (false, true) => words::bytes(hog.memory_bytes),
            (false, false) => return None,
        };
        let text = format!("{hog}, not Forge's, uses {uses}");
        Some(Alert { kind: HOG, about: Some(hog.pid), summary: text.clone(), text })
    };
    machine.hogs.iter().filter_map(alert).collect()
}

/// Within the window, with one more in front.
fn remember<T>(points: &mut VecDeque<(Duration, T)>, at: Duration, value: Option<T>, window: Duration) {
    if let Some(value) = value {
        points.push_back((at, value));
    }
    while points.get(1).is_some_and(|(second, _)| at.saturating_sub(*second) >= window) {
        points.pop_front();
    }
}

/// Begins, goes on or ends.
fn settle(alerts: &mut Vec<Alert>, kind: &'static str, verdict: Verdict) -> Option<News> {
    let open = alerts.iter().position(|alert| alert.kind == kind);
    match (verdict, open) {
        (Verdict::Holds { text, summary }, Some(open)) => {
            alerts[open] = Alert { kind, about: None, text, summary };
            None
        }
        (Verdict::Holds { text, summary }, None) => {
            alerts.push(Alert { kind, about: None, text, summary });
            alerts.last().cloned().map(News::Begins)
        }
        (Verdict::Over, Some(open)) => {
            alerts.remove(open);
            Some(News::Ends(kind))
        }
        (Verdict::Sways, _) | (Verdict::Over, None) => None,
    }
}

#[cfg(test)]
#[path = "alerts_tests.rs"]
mod tests;
