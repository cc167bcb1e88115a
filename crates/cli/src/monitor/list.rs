//! The processes below each other: large where there is room, else a line each.

use std::time::Duration;

use forge_api::{ProcessStatus, State};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::draw::Brush;
use super::figures::{self, Graph};
use super::history::{Figure, History};
use super::model::{Id, Monitor};
use super::shown::Shown;
use crate::screen::spark;
use crate::view::style::{Ink, columns, pad, pad_left};
use crate::view::{status, words};

/// How much a process takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Density {
    /// Name, CPU, memory, counts and rates, gauges, and a line between two.
    Full,
    /// Name, CPU and memory, gauges if there are any.
    Short,
    /// One line.
    Table,
}

/// The list in `room` lines: as large as all fit, and if none does, those around the selected one.
pub(super) fn list(monitor: &Monitor, room: usize, brush: &Brush) -> Vec<Line<'static>> {
    let rows = monitor.rows();
    if rows.is_empty() {
        return empty(monitor, brush);
    }
    for density in [Density::Full, Density::Short] {
        let blocks: Vec<Vec<Line<'static>>> =
            rows.iter().map(|id| block(monitor, id, density, brush)).collect();
        // The last block needs no line behind it.
        let slack = usize::from(density == Density::Full);
        if blocks.iter().map(Vec::len).sum::<usize>() <= room.saturating_add(slack) {
            return blocks.into_iter().flatten().collect();
        }
    }
    let selected = rows.iter().position(|id| monitor.selected.as_ref() == Some(id)).unwrap_or(0);
    let fitting = room.saturating_sub(1).max(1);
    let first = (selected + 1).saturating_sub(fitting).min(rows.len().saturating_sub(fitting));
    let names = rows.iter().map(|id| columns(&label(monitor, id))).max().unwrap_or(0).clamp(8, 20);
    let mut lines = vec![titles(names, brush)];
    lines.extend(rows.iter().skip(first).take(fitting).map(|id| row(monitor, id, names, brush)));
    lines
}

fn empty(monitor: &Monitor, brush: &Brush) -> Vec<Line<'static>> {
    let text = if !monitor.filter.is_empty() {
        format!("No process is called like `{}`. Esc clears the filter.", monitor.filter)
    } else if monitor.environments.is_empty() {
        "Nothing runs. Start something with: forge start".to_owned()
    } else {
        "No processes are configured in this environment.".to_owned()
    };
    vec![Line::from(brush.palette.span(Ink::Dim, brush.cut(&text, brush.width)))]
}

/// With its environment where there are several.
fn label(monitor: &Monitor, id: &Id) -> String {
    if monitor.visible().nth(1).is_some() { id.name() } else { id.process.clone() }
}

/// The name with its mark; what is selected is told without a colour.
fn name(
    monitor: &Monitor,
    id: &Id,
    process: &ProcessStatus,
    width: usize,
    brush: &Brush,
) -> Vec<Span<'static>> {
    let selected = monitor.selected.as_ref() == Some(id);
    let pointer = if selected { brush.palette.either("▸", ">") } else { " " };
    let text = pad(&brush.cut(&label(monitor, id), width), width);
    let mut span = brush.palette.span(Ink::Bold, text);
    if selected {
        span.style = span.style.add_modifier(Modifier::REVERSED);
    }
    vec![
        brush.palette.span(Ink::Bold, format!("{pointer} ")),
        brush.palette.mark(words::mark(process, 0)),
        Span::raw(" "),
        span,
    ]
}

fn block(monitor: &Monitor, id: &Id, density: Density, brush: &Brush) -> Vec<Line<'static>> {
    let Some((shown, process)) = monitor.find(id) else { return Vec::new() };
    let width = columns(&label(monitor, id)).min(30);
    let mut head = name(monitor, id, process, width, brush);
    let alerts = shown
        .status
        .warnings
        .iter()
        .any(|warning| !warning.muted && warning.process.as_ref() == Some(&process.name));
    if alerts {
        head.push(brush.palette.span(Ink::Warn, brush.palette.either(" ⚠", " !")));
    }
    let used: usize = head.iter().map(|span| columns(&span.content)).sum();
    let facts = brush.cut(&facts(shown, process, density, brush), brush.width.saturating_sub(used + 2));
    let ink = if process.status.is_alive() { Ink::Dim } else { words::ink(process) };
    head.push(brush.palette.span(ink, format!("  {facts}")));
    let mut lines = vec![Line::from(head)];
    if process.status.is_alive() {
        let wide = brush.width.saturating_sub(52).clamp(8, 60);
        let span = monitor.span_ms();
        lines.push(graph("CPU", &figures::cpu(shown, process, wide, span, brush), brush));
        lines.push(graph("Memory", &figures::memory(shown, process, wide, span, brush), brush));
        if density == Density::Full {
            lines.push(below(&counts(shown, process, brush), brush));
        }
        let gauges = figures::gauges(shown, process);
        if !gauges.is_empty() {
            let texts: Vec<String> = gauges.iter().map(|gauge| figures::gauge(gauge, brush)).collect();
            lines.push(below(&texts.join(brush.dot()), brush));
        }
    }
    // Those that do not run are a list of their own.
    if density == Density::Full && process.status.is_alive() {
        lines.push(Line::default());
    }
    lines
}

/// What stands behind the name.
fn facts(shown: &Shown, process: &ProcessStatus, density: Density, brush: &Brush) -> String {
    let mut facts = Vec::new();
    // What it waits for says that it waits.
    let said = process.status == State::Waiting && !process.waiting_on.is_empty();
    if (!process.status.is_alive() || !process.ready) && !said {
        facts.push(words::state(process).to_owned());
    }
    if !process.status.is_alive() {
        facts.extend(status::trouble(process, brush.now));
        return facts.join(brush.dot());
    }
    facts.extend(process.pid.map(|pid| format!("PID {pid}")));
    if let Some(age) = Shown::uptime(process, brush.now).and_then(|age| Duration::try_from_secs_f64(age).ok())
    {
        facts.push(format!("up {}", words::age(age)));
    }
    let ports = words::ports(process);
    if !ports.is_empty() {
        facts.push(format!("{} {ports}", if process.ports.len() > 1 { "ports" } else { "port" }));
    }
    if density == Density::Short {
        let (threads, _) = figures::counts(shown, process);
        facts.extend(
            threads.map(|threads| words::count(usize::try_from(threads).unwrap_or(0), "thread", "threads")),
        );
    }
    if process.restarts > 0 {
        let restarts = usize::try_from(process.restarts).unwrap_or(usize::MAX);
        facts.push(words::count(restarts, "restart", "restarts"));
    }
    facts.extend(status::trouble(process, brush.now));
    facts.join(brush.dot())
}

/// `    CPU     [▁▂▃]   15.2%  avg 14.1%, spike to 45%`.
fn graph(label: &str, graph: &Graph, brush: &Brush) -> Line<'static> {
    let drawn = spark(&graph.values, graph.top, brush.unicode());
    let ink = if graph.high { Ink::Warn } else { Ink::Plain };
    let room = brush.width.saturating_sub(columns(&drawn) + 22);
    Line::from(vec![
        brush.palette.span(Ink::Dim, format!("    {} ", pad(label, 7))),
        brush.palette.span(Ink::Busy, drawn),
        brush.palette.span(ink, format!(" {}", pad_left(&graph.figure, 7))),
        brush.palette.span(Ink::Dim, format!("  {}", brush.cut(&graph.words, room))),
    ])
}

fn below(text: &str, brush: &Brush) -> Line<'static> {
    Line::from(brush.palette.span(Ink::Dim, brush.cut(&format!("    {text}"), brush.width)))
}

/// `Threads 12 · files 40 · disk 4.0 kB/s · network 0 B/s`.
fn counts(shown: &Shown, process: &ProcessStatus, brush: &Brush) -> String {
    let (threads, files) = figures::counts(shown, process);
    let empty = History::default();
    let history = shown.histories.get(&process.name).unwrap_or(&empty);
    let count = |count: Option<u32>| count.map_or(brush.nothing().to_owned(), |count| count.to_string());
    let rate = |figure| figures::rate(history, figure, 1, 1, brush).figure;
    [
        format!("Threads {}", count(threads)),
        format!("files {}", count(files)),
        format!("disk {}", rate(Figure::Disk)),
        format!("network {}", rate(Figure::Network)),
    ]
    .join(brush.dot())
}

/// Columns of a sparkline in the table.
fn sparks(brush: &Brush) -> usize {
    (brush.width.saturating_sub(60) / 3).clamp(6, 24)
}

fn titles(names: usize, brush: &Brush) -> Line<'static> {
    let wide = sparks(brush);
    let text = format!(
        "    {} {} {} {} {} {} Ports",
        pad("Name", names),
        pad_left("CPU", 7),
        " ".repeat(wide),
        pad_left("Memory", 7),
        " ".repeat(wide),
        pad_left("Thr", 4)
    );
    Line::from(brush.palette.span(Ink::Dim, brush.cut(&text, brush.width)))
}

fn row(monitor: &Monitor, id: &Id, names: usize, brush: &Brush) -> Line<'static> {
    let Some((shown, process)) = monitor.find(id) else { return Line::default() };
    let mut spans = name(monitor, id, process, names, brush);
    if !process.status.is_alive() {
        let facts = facts(shown, process, Density::Table, brush);
        let room = brush.width.saturating_sub(names + 5);
        spans.push(brush.palette.span(words::ink(process), format!(" {}", brush.cut(&facts, room))));
        return Line::from(spans);
    }
    let (wide, span) = (sparks(brush), monitor.span_ms());
    let cpu = figures::cpu(shown, process, wide, span, brush);
    let memory = figures::memory(shown, process, wide, span, brush);
    let drawn = |graph: &Graph| {
        brush.palette.span(Ink::Busy, format!(" {} ", spark(&graph.values, graph.top, brush.unicode())))
    };
    let threads =
        figures::counts(shown, process).0.map_or(brush.nothing().to_owned(), |threads| threads.to_string());
    let ink = if cpu.high { Ink::Warn } else { Ink::Plain };
    spans.push(brush.palette.span(ink, format!(" {}", pad_left(&cpu.figure, 7))));
    spans.push(drawn(&cpu));
    spans.push(brush.palette.span(Ink::Plain, pad_left(&memory.figure, 7)));
    spans.push(drawn(&memory));
    spans.push(brush.palette.span(Ink::Plain, pad_left(&threads, 4)));
    let used: usize = spans.iter().map(|span| columns(&span.content)).sum();
    let rest = [words::ports(process), memory.words].into_iter().filter(|text| !text.is_empty());
    let rest = rest.collect::<Vec<_>>().join("  ");
    spans.push(
        brush.palette.span(Ink::Dim, format!(" {}", brush.cut(&rest, brush.width.saturating_sub(used + 1)))),
    );
    Line::from(spans)
}
