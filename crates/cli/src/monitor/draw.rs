//! The monitor's picture: a function of what is known, the size, and the time.

use forge_api::{HealthState, Mood, ProcessStatus, Time};
use jiff::tz::TimeZone;
use ratatui::text::{Line, Span};

use super::figures::{self, share};
use super::model::{Monitor, Overlay, Sort};
use super::shown::Shown;
use super::{details, keys, list};
use crate::screen::{Palette, View, bar};
use crate::view::style::{Ink, columns, pad, pad_left, wrap};
use crate::view::{clean, words};

/// Less than this cannot show anything that makes sense.
pub(crate) const LEAST: (usize, usize) = (50, 12);

/// Of those that take the most of the machine, so many are named.
const HOGS: usize = 3;

/// What a part of the picture is drawn with.
#[derive(Debug, Clone)]
pub(crate) struct Brush {
    pub(crate) palette: Palette,
    pub(crate) width: usize,
    pub(crate) now: Time,
    pub(crate) zone: TimeZone,
}

impl Brush {
    /// `text` in at most `width` columns, harmless.
    pub(crate) fn cut(&self, text: &str, width: usize) -> String {
        self.palette.surface.cut(&clean::line(text), width).into_owned()
    }

    pub(crate) fn dot(&self) -> &'static str {
        self.palette.surface.dot()
    }

    pub(crate) fn nothing(&self) -> &'static str {
        self.palette.surface.nothing()
    }

    pub(crate) fn unicode(&self) -> bool {
        self.palette.surface.unicode
    }

    /// Something on the left, something at the right edge; the left gives way.
    pub(crate) fn apart(&self, left: Span<'static>, right: Vec<Span<'static>>) -> Line<'static> {
        let taken: usize = right.iter().map(|span| columns(&span.content)).sum();
        let room = self.width.saturating_sub(taken + 1);
        let text = pad(&self.cut(&left.content, room), room + 1);
        let mut spans = vec![Span::styled(text, left.style)];
        spans.extend(right);
        Line::from(spans)
    }
}

/// The whole picture.
pub(crate) fn picture(monitor: &Monitor, height: usize, brush: &Brush) -> View {
    if brush.width < LEAST.0 || height < LEAST.1 {
        return too_small(brush, height);
    }
    let mut lines = head(monitor, brush);
    let (footer, cursor) = footer(monitor, brush);
    if monitor.overlay == Some(Overlay::Help) {
        lines.extend(help(brush));
    } else if let Some(open) = &monitor.details {
        let room = height - lines.len() - 2;
        lines.extend(details::details(monitor, open, room, brush));
    } else {
        let alerts = alerts(monitor, (height / 5).max(3), brush);
        let room = height.saturating_sub(lines.len() + alerts.len() + 2);
        lines.extend(list::list(monitor, room, brush));
        lines.truncate(height.saturating_sub(alerts.len() + 2));
        lines.resize(height.saturating_sub(alerts.len() + 2), Line::default());
        lines.push(Line::default());
        lines.extend(alerts);
    }
    lines.truncate(height - 1);
    lines.resize(height - 1, Line::default());
    let row = u16::try_from(height - 1).unwrap_or(0);
    lines.push(footer);
    View { lines, cursor: cursor.and_then(|column| Some((u16::try_from(column).ok()?, row))) }
}

/// The same for where no terminal is: all of it, as high as it gets.
pub(crate) fn page(monitor: &Monitor, brush: &Brush) -> String {
    let mut lines = head(monitor, brush);
    lines.extend(list::list(monitor, usize::MAX, brush));
    let alerts = alerts(monitor, usize::MAX, brush);
    if !alerts.is_empty() {
        lines.extend(alerts);
    }
    let texts =
        lines.iter().map(|line| line.spans.iter().map(|span| span.content.as_ref()).collect::<String>());
    texts.map(|text| format!("{}\n", text.trim_end())).collect()
}

fn too_small(brush: &Brush, height: usize) -> View {
    let by = brush.palette.either("×", "x");
    let text = format!(
        "The terminal is {}{by}{height}; the monitor needs {}{by}{}. q quits.",
        brush.width, LEAST.0, LEAST.1
    );
    View { lines: wrap(&text, brush.width).into_iter().map(Line::from).collect(), cursor: None }
}

/// What is shown, and the machine.
fn head(monitor: &Monitor, brush: &Brush) -> Vec<Line<'static>> {
    let visible: Vec<&Shown> = monitor.visible().collect();
    let names: Vec<&str> = visible.iter().map(|shown| shown.status.environment.as_str()).collect();
    let mut title = "forge monitor".to_owned();
    if !names.is_empty() {
        title.push_str(&format!("{}{}", brush.dot(), names.join(", ")));
    }
    if let Some(shown) = visible.first() {
        title.push_str(&format!("{}{}", brush.dot(), shown.status.workspace.display()));
    }
    let processes: Vec<&ProcessStatus> = visible.iter().flat_map(|shown| &shown.status.processes).collect();
    let meant = processes.iter().filter(|process| process.wanted).count();
    let ready = processes.iter().filter(|process| process.wanted && process.ready).count();
    let mut right = vec![brush.palette.span(mood_ink(&processes), format!("{ready} of {meant} ready"))];
    if meant == 0 {
        right = vec![brush.palette.span(Ink::Dim, "nothing runs")];
    }
    if monitor.sort != Sort::Order {
        right.push(brush.palette.span(Ink::Plain, format!("{}{}", brush.dot(), monitor.sort.label())));
    }
    if !monitor.filter.is_empty() {
        right.push(brush.palette.span(Ink::Plain, format!("{}filter: {}", brush.dot(), monitor.filter)));
    }
    right.push(brush.palette.span(Ink::Dim, format!("{}last {}", brush.dot(), monitor.span_label())));
    if monitor.lost {
        let text = if brush.unicode() {
            "supervisor lost, reconnecting…"
        } else {
            "supervisor lost, reconnecting"
        };
        right = vec![brush.palette.reversed(format!(" {text} "))];
    }
    let mut lines = vec![brush.apart(brush.palette.span(Ink::Bold, title), right)];
    lines.extend(machine(monitor, &visible, brush));
    lines.push(hogs(monitor, brush));
    lines
}

/// Who else takes the machine, in the line that is empty otherwise.
fn hogs(monitor: &Monitor, brush: &Brush) -> Line<'static> {
    let hogs = monitor.machine.iter().flat_map(|machine| &machine.hogs).take(HOGS);
    let texts: Vec<String> = hogs
        .map(|hog| {
            format!(
                "{hog} {}, {}",
                words::percent(f64::from(hog.cpu_percent)),
                words::bytes(hog.memory_bytes)
            )
        })
        .collect();
    if texts.is_empty() {
        return Line::default();
    }
    let text = format!("Others: {}", texts.join(", "));
    Line::from(brush.palette.span(Ink::Dim, brush.cut(&text, brush.width)))
}

fn mood_ink(processes: &[&ProcessStatus]) -> Ink {
    let mood = processes.iter().map(|process| match words::ink(process) {
        Ink::Bad => Mood::Trouble,
        _ if process.health.state == HealthState::Unhealthy => Mood::Trouble,
        Ink::Busy => Mood::Busy,
        _ => Mood::Ready,
    });
    match mood.max() {
        Some(Mood::Trouble) => Ink::Bad,
        Some(Mood::Busy) => Ink::Busy,
        _ => Ink::Good,
    }
}

/// Two bars of the whole machine, and beside them what of that is ours.
fn machine(monitor: &Monitor, visible: &[&Shown], brush: &Brush) -> Vec<Line<'static>> {
    let ours: Vec<_> = visible
        .iter()
        .flat_map(|shown| shown.status.processes.iter().map(|process| shown.figures(process)))
        .collect();
    // A sum of nothing would be -0.
    let cpu = ours.iter().filter_map(|(cpu, _)| *cpu).fold(0.0, |sum, cpu| sum + cpu);
    let memory = ours.iter().filter_map(|(_, memory)| *memory).fold(0, u64::saturating_add);
    let (cpu, memory) = (words::percent(cpu), words::bytes(memory));
    let Some(machine) = &monitor.machine else {
        let text = |label, figure| Line::from(format!("{} {figure} by these processes", pad(label, 6)));
        return vec![text("CPU", cpu), text("Memory", memory)];
    };
    let figures = [
        machine.cpu_percent.map_or(brush.nothing().to_owned(), |all| words::percent(f64::from(all))),
        format!("{} / {}", words::bytes(machine.memory_used_bytes), words::bytes(machine.memory_total_bytes)),
    ];
    let notes = [format!("processes {cpu}, {} cores", machine.cores), format!("processes {memory}")];
    let shares = [
        machine.cpu_percent.map_or(0.0, |all| f64::from(all) / 100.0),
        share(machine.memory_used_bytes, machine.memory_total_bytes),
    ];
    let widest = figures.iter().map(|figure| columns(figure)).max().unwrap_or(0);
    let note = notes.iter().map(|note| columns(note)).max().unwrap_or(0);
    let room = brush.width.saturating_sub(widest + note + 11).min(50);
    ["CPU", "Memory"]
        .iter()
        .zip(figures.iter().zip(shares).zip(&notes))
        .map(|(label, ((figure, share), note))| {
            let ink = if share > 0.9 { Ink::Warn } else { Ink::Plain };
            let mut spans = vec![
                brush.palette.span(Ink::Plain, format!("{} ", pad(label, 6))),
                brush.palette.span(ink, pad_left(figure, widest)),
            ];
            if room >= 8 {
                spans.push(brush.palette.span(ink, format!(" {}", bar(share, room, brush.unicode()))));
            }
            spans.push(brush.palette.span(Ink::Dim, format!("  {note}")));
            Line::from(spans)
        })
        .collect()
}

/// `most` lines at most, its title included.
fn alerts(monitor: &Monitor, most: usize, brush: &Brush) -> Vec<Line<'static>> {
    let alerts = monitor.alerts();
    if alerts.is_empty() {
        return Vec::new();
    }
    let heard = alerts.iter().filter(|(_, warning)| !warning.muted).count();
    let ink = if heard > 0 { Ink::Warn } else { Ink::Dim };
    let sign = brush.palette.either("⚠ ", "! ");
    let mut lines = vec![Line::from(brush.palette.span(ink, format!("{sign}Alerts")))];
    let room = most.saturating_sub(1);
    // The last line tells of those that have none.
    let shown = if alerts.len() > room { room.saturating_sub(1) } else { alerts.len() };
    let who = |index: usize| {
        let (shown, warning) = &alerts[index];
        warning.process.clone().unwrap_or_else(|| shown.status.environment.clone())
    };
    let widest = (0..shown).map(|index| columns(&who(index))).max().unwrap_or(0).min(24);
    for (index, (_, warning)) in alerts.iter().take(shown).enumerate() {
        let since = warning.since.map(|since| figures::ago(since, brush.now)).unwrap_or_default();
        let muted = if warning.muted { " (muted)" } else { "" };
        let left = format!(
            "  {}  {}{muted}",
            pad(&brush.cut(&who(index), widest), widest),
            clean::line(&warning.text)
        );
        let ink = if warning.muted { Ink::Dim } else { Ink::Plain };
        lines.push(brush.apart(brush.palette.span(ink, left), vec![brush.palette.span(Ink::Dim, since)]));
    }
    if shown < alerts.len() {
        lines.push(Line::from(brush.palette.span(Ink::Dim, format!("  and {} more", alerts.len() - shown))));
    }
    lines
}

fn help(brush: &Brush) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = keys::HELP
        .iter()
        .map(|(keys, what)| {
            Line::from(vec![
                brush.palette.span(Ink::Bold, format!("  {}", pad(keys, 14))),
                brush.palette.span(Ink::Plain, brush.cut(what, brush.width.saturating_sub(17))),
            ])
        })
        .collect();
    lines.push(Line::default());
    lines.push(Line::from(brush.palette.span(Ink::Dim, "  any key goes back")));
    lines
}

/// The last line, and the column of the cursor if something is typed there.
fn footer(monitor: &Monitor, brush: &Brush) -> (Line<'static>, Option<usize>) {
    match &monitor.overlay {
        Some(Overlay::Filter(prompt)) => {
            let text = format!("filter: {}", prompt.text());
            let cursor = columns(&text);
            let hint = if brush.width > 70 { "  Enter keeps it, Esc clears it" } else { "" };
            let spans = vec![brush.palette.span(Ink::Bold, text), brush.palette.span(Ink::Dim, hint)];
            return (Line::from(spans), Some(cursor));
        }
        Some(Overlay::Kill(id)) => {
            let text = format!(" Kill {} with all that it started? y / n ", id.process);
            return (Line::from(brush.palette.reversed(text)), None);
        }
        Some(Overlay::Help) | None => {}
    }
    if let Some(note) = &monitor.note {
        let ink = if note.bad { Ink::Bad } else { Ink::Plain };
        return (Line::from(brush.palette.span(ink, brush.cut(&note.text, brush.width))), None);
    }
    (Line::from(hints(monitor, brush)), None)
}

/// As many keys as fit, the most useful first.
fn hints(monitor: &Monitor, brush: &Brush) -> Vec<Span<'static>> {
    let enter = if monitor.details.is_some() { "back" } else { "details" };
    let all = [
        (brush.palette.either("↑↓", "j/k"), "select"),
        ("Enter", enter),
        ("l", "log"),
        ("r", "restart"),
        ("s", "start/stop"),
        ("?", "help"),
        ("q", "quit"),
        ("m", "mute"),
        ("/", "filter"),
        ("Tab", "sort"),
        ("o", "open"),
        ("K", "kill"),
    ];
    let mut spans = Vec::new();
    let mut used = 0;
    for (key, what) in all {
        let apart = if used > 0 { "  " } else { "" };
        let wide = columns(apart) + columns(key) + 1 + columns(what);
        if used + wide > brush.width {
            break;
        }
        used += wide;
        spans.push(brush.palette.span(Ink::Bold, format!("{apart}{key}")));
        spans.push(brush.palette.span(Ink::Dim, format!(" {what}")));
    }
    spans
}
