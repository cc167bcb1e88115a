//! One process large.

use std::time::Duration;

use forge_api::{HealthState, ProcessDetails, ProcessStatus};
use ratatui::text::Line;

use super::draw::Brush;
use super::figures::{self, Graph};
use super::history::{Figure, History};
use super::model::{Details, Monitor};
use super::shown::Shown;
use crate::screen::{chart, spark};
use crate::view::style::{Ink, columns, pad};
use crate::view::{log_line, status, words};

/// Checks in the line of latencies.
const CHECKS: usize = 30;

/// Its picture in `room` lines.
pub(super) fn details(monitor: &Monitor, open: &Details, room: usize, brush: &Brush) -> Vec<Line<'static>> {
    let Some((shown, process)) = monitor.find(&open.id) else {
        return vec![Line::from(format!("{} is no longer configured. Esc goes back.", open.id.process))];
    };
    let mut lines = vec![title(shown, process, brush)];
    lines.extend(graphs(monitor, shown, process, room, brush));
    lines.extend(words_of(shown, process, open.known.as_deref(), brush));
    let left = room.saturating_sub(lines.len() + 2);
    if left > 0 {
        lines.push(Line::default());
        lines.extend(log(open, left, brush));
    }
    lines
}

fn title(shown: &Shown, process: &ProcessStatus, brush: &Brush) -> Line<'static> {
    let mut facts = vec![words::state(process).to_owned()];
    facts.extend(process.pid.map(|pid| format!("PID {pid}")));
    if let Some(age) = Shown::uptime(process, brush.now).and_then(|age| Duration::try_from_secs_f64(age).ok())
    {
        facts.push(format!("up {}", words::age(age)));
    }
    let (threads, files) = figures::counts(shown, process);
    facts.extend(threads.map(|threads| format!("{threads} threads")));
    facts.extend(files.map(|files| format!("{files} files")));
    let ports = words::ports(process);
    if !ports.is_empty() {
        facts.push(format!("port {ports}"));
    }
    if process.restarts > 0 {
        facts.push(format!("{} restarts", process.restarts));
    }
    let name = brush.cut(&process.name, 30);
    let room = brush.width.saturating_sub(columns(&name) + 4);
    Line::from(vec![
        brush.palette.mark(words::mark(process, 0)),
        brush.palette.span(Ink::Bold, format!(" {name}  ")),
        brush.palette.span(words::ink(process), brush.cut(&facts.join(brush.dot()), room)),
    ])
}

/// CPU beside memory, disk beside network.
fn graphs(
    monitor: &Monitor,
    shown: &Shown,
    process: &ProcessStatus,
    room: usize,
    brush: &Brush,
) -> Vec<Line<'static>> {
    let wide = (brush.width.saturating_sub(3) / 2).min(90);
    let span = monitor.span_ms();
    let empty = History::default();
    let history = shown.histories.get(&process.name).unwrap_or(&empty);
    let high = (room / 5).clamp(2, 8);
    let mut lines = pair(
        ("CPU", &figures::cpu(shown, process, wide, span, brush)),
        ("Memory", &figures::memory(shown, process, wide, span, brush)),
        (wide, high),
        brush,
    );
    lines.extend(pair(
        ("Disk", &figures::rate(history, Figure::Disk, wide, span, brush)),
        ("Network", &figures::rate(history, Figure::Network, wide, span, brush)),
        (wide, (high / 2).max(1)),
        brush,
    ));
    lines
}

fn pair(
    (left, one): (&str, &Graph),
    (right, other): (&str, &Graph),
    (wide, high): (usize, usize),
    brush: &Brush,
) -> Vec<Line<'static>> {
    let heading = |label: &str, graph: &Graph| {
        let words = if graph.words.is_empty() { String::new() } else { format!("  {}", graph.words) };
        pad(&brush.cut(&format!("{label} {}{words}", graph.figure), wide), wide)
    };
    let mut lines = vec![Line::from(vec![
        brush.palette.span(Ink::Plain, heading(left, one)),
        brush.palette.span(Ink::Dim, "   "),
        brush.palette.span(Ink::Plain, heading(right, other)),
    ])];
    let rows = |graph: &Graph| chart(&graph.values, graph.top, high, brush.unicode());
    let both = rows(one).into_iter().zip(rows(other));
    lines.extend(
        both.map(|(one, other)| Line::from(brush.palette.span(Ink::Busy, format!("{one}   {other}")))),
    );
    lines
}

/// Gauges, health and alerts, a line each.
fn words_of(
    shown: &Shown,
    process: &ProcessStatus,
    known: Option<&ProcessDetails>,
    brush: &Brush,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let gauges: Vec<String> =
        figures::gauges(shown, process).iter().map(|gauge| figures::gauge(gauge, brush)).collect();
    if !gauges.is_empty() {
        lines.push(Line::from(brush.cut(&gauges.join(brush.dot()), brush.width)));
    }
    if process.health.state != HealthState::None || process.health.message.is_some() {
        lines.push(health(process, known, brush));
    }
    if let Some(trouble) = status::trouble(process, brush.now) {
        lines.push(Line::from(brush.palette.span(Ink::Bad, brush.cut(&trouble, brush.width))));
    }
    let own = shown.status.warnings.iter().filter(|warning| warning.process.as_ref() == Some(&process.name));
    for warning in own {
        let muted = if warning.muted { " (muted)" } else { "" };
        let text = format!("{}{}{muted}", brush.palette.either("⚠ ", "! "), warning.text);
        let ink = if warning.muted { Ink::Dim } else { Ink::Warn };
        lines.push(Line::from(brush.palette.span(ink, brush.cut(&text, brush.width))));
    }
    lines
}

/// What the check says, how long it takes, and how long it took before.
fn health(process: &ProcessStatus, known: Option<&ProcessDetails>, brush: &Brush) -> Line<'static> {
    let text = process.health.message.as_deref().unwrap_or(match process.health.state {
        HealthState::Healthy => "healthy",
        HealthState::Unhealthy => "unhealthy",
        HealthState::Starting | HealthState::None => "not healthy yet",
    });
    let checks = known.map_or(&[][..], |known| &known.health_checks);
    let newest = &checks[checks.len().saturating_sub(CHECKS)..];
    let latencies: Vec<Option<f64>> = newest.iter().map(|check| Some(f64::from(check.latency_ms))).collect();
    let worst = latencies.iter().flatten().copied().fold(0.0, f64::max);
    let mut right = Vec::new();
    if let Some(last) = newest.last() {
        let drawn = spark(&latencies, worst.max(10.0), brush.unicode());
        right.push(brush.palette.span(Ink::Busy, format!("  {drawn}")));
        right.push(brush.palette.span(Ink::Dim, format!(" {:.0} ms, worst {worst:.0}", last.latency_ms)));
    }
    let ink = if process.health.state == HealthState::Unhealthy { Ink::Bad } else { Ink::Plain };
    brush.apart(brush.palette.span(ink, format!("Health: {text}")), right)
}

fn log(open: &Details, room: usize, brush: &Brush) -> Vec<Line<'static>> {
    let mut lines = vec![Line::from(brush.palette.span(Ink::Dim, "Log (l shows all of it)"))];
    if open.log.is_empty() {
        lines.push(Line::from(brush.palette.span(Ink::Dim, "nothing was written yet")));
    }
    for line in &open.log[open.log.len().saturating_sub(room)..] {
        let clock = status::clock(line.time, &brush.zone);
        let clock = clock.trim_matches(['[', ']']).to_owned();
        let room = brush.width.saturating_sub(columns(&clock) + 1);
        lines.push(Line::from(vec![
            brush.palette.span(Ink::Dim, format!("{clock} ")),
            brush.palette.span(log_line::ink_of(line), brush.cut(&line.text, room)),
        ]));
    }
    lines
}
