//! The log view's picture: a function of what is known and of the size.

use forge_api::LogsScanAnswer;
use jiff::tz::TimeZone;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::keys;
use super::layout;
use super::model::{Overlay, Viewer};
use super::scroll::Position;
use super::window::Entry;
use crate::screen::{Palette, View, spark};
use crate::view::style::{Ink, columns, pad, pad_left, wrap};
use crate::view::{log_line, words};

/// Less than this cannot show a line that makes sense.
const LEAST: (usize, usize) = (40, 6);

/// Rows of a line without an end, its last ones.
const PARTIAL_ROWS: usize = 3;

/// What pictures are drawn with.
#[derive(Debug, Clone)]
pub(crate) struct Brush {
    pub(crate) palette: Palette,
    pub(crate) zone: TimeZone,
}

/// The whole picture: lines, and below them how it stands.
pub(crate) fn picture(viewer: &Viewer, brush: &Brush) -> View {
    let (width, height) = (viewer.size.width, viewer.size.height);
    if width < LEAST.0 || height + 1 < LEAST.1 {
        let text = format!("The terminal is too small: {width} columns, {} rows. q quits.", height + 1);
        return View { lines: wrap(&text, width.max(1)).into_iter().map(Line::from).collect(), cursor: None };
    }
    let mut lines = match &viewer.overlay {
        Some(Overlay::Help) => help(width, brush),
        Some(Overlay::Trends) => trends(viewer, brush),
        _ => body(viewer, brush),
    };
    lines.truncate(height);
    lines.resize(height, Line::default());
    let (footer, cursor) = footer(viewer, brush);
    lines.push(footer);
    let row = u16::try_from(height).unwrap_or(0);
    View {
        lines,
        cursor: cursor
            .and_then(|column| Some((u16::try_from(column).ok()?.min(u16::try_from(width).ok()? - 1), row))),
    }
}

fn body(viewer: &Viewer, brush: &Brush) -> Vec<Line<'static>> {
    let (top, skipped) = viewer.top();
    let height = viewer.size.height;
    let mut lines: Vec<Line<'static>> = Vec::with_capacity(height);
    let mut id = top;
    while lines.len() < height + skipped && viewer.held.is_none_or(|held| id < held) {
        let Some(entry) = viewer.window.get(id) else { break };
        lines.extend(entry_lines(viewer, Some(id), entry, brush));
        id += 1;
    }
    lines.drain(..skipped.min(lines.len()));
    if viewer.position == Position::Follow && viewer.held.is_none() {
        lines.truncate(height);
        for line in viewer.window.partial() {
            let entry = Entry { line: line.clone(), gap: false };
            let rows = entry_lines(viewer, None, &entry, brush);
            lines.extend(rows.into_iter().rev().take(PARTIAL_ROWS).rev());
        }
        // What is newest is in sight.
        lines.drain(..lines.len().saturating_sub(height));
    }
    if lines.is_empty() {
        lines.push(Line::from(brush.palette.span(Ink::Dim, empty(viewer))));
    }
    lines
}

fn empty(viewer: &Viewer) -> String {
    if viewer.cleared {
        return "Cleared; new lines come here, scrolling up shows the old ones.".to_owned();
    }
    if viewer.window.is_reading() || !viewer.window.is_at_start() {
        return "looking …".to_owned();
    }
    if viewer.filter.is_empty() {
        "Nothing was written yet.".to_owned()
    } else {
        format!("No line is as `{}` wants it. f and an empty filter show all.", viewer.filter.typed())
    }
}

fn entry_lines(viewer: &Viewer, id: Option<i64>, entry: &Entry, brush: &Brush) -> Vec<Line<'static>> {
    let line = &entry.line;
    let palette = brush.palette;
    let mut lines = Vec::new();
    if entry.gap {
        lines.push(Line::from(palette.span(Ink::Dim, "--")));
    }
    let marked = id.is_some() && viewer.mark == id;
    let style = palette.style(log_line::ink_of(line));
    let base = if line.styles.is_empty() { style } else { Style::new() };
    let pattern = viewer.search.as_ref().map(|search| &search.pattern);
    let cells = layout::cells(line, base, palette.surface.color, pattern);
    let wide = viewer.text_width();
    let prefix = prefix(viewer, entry, marked, brush);
    let indent: usize = prefix.iter().map(|span| columns(&span.content)).sum();
    let mut spans = prefix;
    if viewer.wrap {
        for (index, row) in layout::rows(&cells, wide).into_iter().enumerate() {
            if index > 0 {
                lines.push(Line::from(std::mem::take(&mut spans)));
                spans.push(Span::raw(" ".repeat(indent)));
            }
            spans.extend(layout::spans(row));
        }
    } else {
        let ellipsis = if palette.surface.unicode { '…' } else { '~' };
        spans.extend(layout::spans(&layout::cut(&cells, viewer.shift, wide, ellipsis)));
    }
    lines.push(Line::from(spans));
    lines
}

/// `[backend]  14:30:15 | `.
fn prefix(viewer: &Viewer, entry: &Entry, marked: bool, brush: &Brush) -> Vec<Span<'static>> {
    let line = &entry.line;
    let width = viewer.name_width();
    let plain = crate::view::style::Style { color: false, ..brush.palette.surface };
    let label = viewer.names.label(&line.environment, &line.process);
    let name = format!("[{}]", plain.cut(&label, width.saturating_sub(2)));
    let ink = viewer.names.ink(&line.environment, &line.process).unwrap_or(Ink::Plain);
    let mut name = brush.palette.span(ink, pad(&name, width));
    if marked {
        name.style = name.style.add_modifier(Modifier::REVERSED | Modifier::BOLD);
    }
    let stamp =
        jiff::Timestamp::from_nanosecond(i128::from(line.time.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let form = if viewer.has_date() { "%Y-%m-%d %H:%M:%S" } else { "%H:%M:%S" };
    let clock = stamp.to_zoned(brush.zone.clone()).strftime(form).to_string();
    let sign = if marked { ">" } else { "|" };
    vec![name, brush.palette.span(Ink::Dim, format!(" {clock} {sign} "))]
}

fn help(width: usize, brush: &Brush) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = keys::HELP
        .iter()
        .map(|(keys, what)| {
            Line::from(vec![
                brush.palette.span(Ink::Bold, format!("  {}", pad(keys, 19))),
                Span::raw(brush.palette.surface.cut(what, width.saturating_sub(22)).into_owned()),
            ])
        })
        .collect();
    lines.push(Line::from(brush.palette.span(Ink::Dim, "  any key goes back")));
    lines
}

/// Errors and warnings of each process, and when the errors were.
fn trends(viewer: &Viewer, brush: &Brush) -> Vec<Line<'static>> {
    let palette = brush.palette;
    let mut lines = vec![Line::from(palette.span(Ink::Bold, "Error trends")), Line::default()];
    let Some(trends) = &viewer.trends else {
        lines.push(Line::from(palette.span(Ink::Dim, "counting …")));
        return lines;
    };
    let label = |index: usize| {
        let counts = &trends.counts[index];
        viewer.names.label(&counts.environment, &counts.process)
    };
    let names = (0..trends.counts.len()).map(|index| columns(&label(index))).max().unwrap_or(0).clamp(7, 24);
    let heads = format!(
        "  {} {} {} {}  errors over time",
        pad("Process", names),
        pad_left("Errors", 8),
        pad_left("Warnings", 8),
        pad_left("Lines", 10)
    );
    lines.push(Line::from(palette.span(Ink::Dim, heads)));
    let mut order: Vec<usize> = (0..trends.counts.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse((trends.counts[*index].error, trends.counts[*index].warn)));
    for index in order {
        lines.push(trend(trends, index, &label(index), names, viewer.size.width, brush));
    }
    lines.push(Line::default());
    lines.push(Line::from(palette.span(Ink::Dim, span_of(trends, brush))));
    lines
}

fn trend(
    trends: &LogsScanAnswer,
    index: usize,
    label: &str,
    names: usize,
    width: usize,
    brush: &Brush,
) -> Line<'static> {
    let counts = &trends.counts[index];
    let all = counts.error + counts.warn + counts.info + counts.debug + counts.trace + counts.unstated;
    let room = width.saturating_sub(names + 34);
    let over_time: Vec<Option<f64>> = counts
        .errors_over_time
        .iter()
        .map(|count| if *count == 0 { None } else { u32::try_from(*count).ok().map(f64::from) })
        .collect();
    let over_time = &over_time[over_time.len().saturating_sub(room)..];
    let top = over_time.iter().flatten().copied().fold(1.0, f64::max);
    let inks = (
        if counts.error > 0 { Ink::Bad } else { Ink::Dim },
        if counts.warn > 0 { Ink::Warn } else { Ink::Dim },
    );
    let palette = brush.palette;
    Line::from(vec![
        Span::raw(format!("  {} ", pad(&palette.surface.cut(label, names), names))),
        palette.span(inks.0, pad_left(&counts.error.to_string(), 8)),
        palette.span(inks.1, pad_left(&counts.warn.to_string(), 9)),
        Span::raw(pad_left(&all.to_string(), 11)),
        palette.span(Ink::Bad, format!("  {}", spark(over_time, top, palette.surface.unicode))),
    ])
}

/// The time that the parts cover, and how far the count is.
fn span_of(trends: &LogsScanAnswer, brush: &Brush) -> String {
    let clock = |millis: &i64| {
        let stamp = jiff::Timestamp::from_millisecond(*millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        stamp.to_zoned(brush.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let mut text = match (trends.edges_ms.first(), trends.edges_ms.last()) {
        (Some(first), Some(last)) => format!("  from {} to {}", clock(first), clock(last)),
        _ => String::new(),
    };
    if !trends.done {
        text.push_str(&format!(
            "  {} of {} looked through",
            words::bytes(trends.scanned_bytes),
            words::bytes(trends.total_bytes)
        ));
    }
    text
}

/// The last line, and the column of the cursor if something is typed there.
fn footer(viewer: &Viewer, brush: &Brush) -> (Line<'static>, Option<usize>) {
    let palette = brush.palette;
    let typed = |label: &str, text: &str, hint: &str| {
        let text = format!("{label}{text}");
        let cursor = columns(&text);
        let room = viewer.size.width.saturating_sub(cursor + 3);
        let hint = if columns(hint) <= room { format!("   {hint}") } else { String::new() };
        (Line::from(vec![palette.span(Ink::Bold, text), palette.span(Ink::Dim, hint)]), Some(cursor))
    };
    match &viewer.overlay {
        Some(Overlay::Search(prompt)) => return typed("/", prompt.text(), "a text, or /regex/"),
        Some(Overlay::Filter(prompt)) => {
            return typed("filter: ", prompt.text(), "process, level or text; empty: all");
        }
        Some(Overlay::Save(prompt)) => {
            return typed("save to: ", prompt.text(), ".log, .jsonl, either with .gz");
        }
        Some(Overlay::Restart(target)) => {
            let text = format!(" Restart {}? y / n ", target.process);
            return (Line::from(palette.reversed(text)), None);
        }
        Some(Overlay::Stop) => {
            let text = " Leave: s stops what was started, k keeps it running, Esc stays ";
            return (Line::from(palette.reversed(text)), None);
        }
        Some(Overlay::Trends) => return (Line::from(palette.span(Ink::Dim, "Esc goes back")), None),
        Some(Overlay::Help) | None => {}
    }
    if let Some(note) = &viewer.note {
        let ink = if note.bad { Ink::Bad } else { Ink::Plain };
        let text = crate::view::clean::line(&note.text);
        return (
            Line::from(palette.span(ink, palette.surface.cut(&text, viewer.size.width).into_owned())),
            None,
        );
    }
    (status(viewer, brush), None)
}

/// How it stands: follow or pause, filter, search; and as many keys as there is room for.
fn status(viewer: &Viewer, brush: &Brush) -> Line<'static> {
    let palette = brush.palette;
    let mut spans = vec![state(viewer, brush)];
    let mut facts = Vec::new();
    if viewer.context_of.is_some() {
        facts.push("context, Esc goes back".to_owned());
    }
    if !viewer.filter.is_empty() {
        facts.push(format!("filter: {}", viewer.filter.typed()));
    }
    if let Some(search) = &viewer.search {
        let count = match search.matched {
            Some((count, done)) => {
                let count = words::count(usize::try_from(count).unwrap_or(usize::MAX), "match", "matches");
                format!(" {count}{}", if done { "" } else { " so far" })
            }
            None => String::new(),
        };
        facts.push(format!("/{}{count}", search.pattern.typed()));
    }
    if viewer.finding.is_some() || (viewer.window.is_reading() && !viewer.window.is_empty()) {
        facts.push(palette.either("looking …", "looking ...").to_owned());
    }
    let dot = palette.surface.dot();
    for fact in facts {
        spans.push(Span::raw(format!("{dot}{fact}")));
    }
    let used: usize = spans.iter().map(|span| columns(&span.content)).sum();
    spans.extend(hints(viewer.size.width.saturating_sub(used + 2), palette));
    Line::from(spans)
}

fn state(viewer: &Viewer, brush: &Brush) -> Span<'static> {
    let palette = brush.palette;
    if viewer.lost {
        return palette.reversed(" supervisor lost, reconnecting ");
    }
    if viewer.position == Position::Follow {
        return palette.span(Ink::Good, "following");
    }
    let live = viewer.window.is_live();
    let behind = match (viewer.counting, viewer.new_lines) {
        (false, _) if !live => ", more below".to_owned(),
        (false, _) | (true, 0) => String::new(),
        (true, count) => {
            let more = if !live || viewer.window.is_overfull() { "+" } else { "" };
            format!(", {count}{more} new {}", if count == 1 { "line" } else { "lines" })
        }
    };
    palette.reversed(format!(" paused{behind} "))
}

fn hints(room: usize, palette: Palette) -> Vec<Span<'static>> {
    let all = [
        ("/", "search"),
        ("f", "filter"),
        ("p", "pause"),
        ("?", "help"),
        ("q", "quit"),
        ("e", "error"),
        ("s", "save"),
        ("c", "clear"),
        ("t", "trends"),
    ];
    let mut spans = Vec::new();
    let mut used = 0;
    for (key, what) in all {
        let wide = columns(key) + columns(what) + 3;
        if used + wide > room {
            break;
        }
        used += wide;
        spans.push(palette.span(Ink::Bold, format!("  {key}")));
        spans.push(palette.span(Ink::Dim, format!(" {what}")));
    }
    if used > 0 {
        spans.insert(0, Span::raw(" ".repeat(room - used + 1)));
    }
    spans
}
