//! The app beside a bare one of one button and a tray icon, then the page in its window. `tests/desktop/watch` takes the
//! figures, of both apps in the same way.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::report::Row;
use crate::console::output;
use crate::{desktop, workspace};

/// What the figure is called in the JSON, what it is, what it may be of the bare app's.
const FIGURES: [(&str, &str, &str); 7] = [
    ("tray_ms", "the app: from exec to the icon in the tray", "≤ 1.5 ×"),
    ("content_ms", "the app: from exec to the first text in its window", "≤ 1.5 ×"),
    ("first_on_display_bytes", "the app: memory (PSS) of all its processes, no window yet", "≤ 1.15 ×"),
    ("without_window_bytes", "the same on a display where a GTK program has been", "≤ 1.15 ×"),
    ("with_window_bytes", "the same with its window", "–"),
    ("after_window_bytes", "the same after the window was ended", "–"),
    ("kept_bytes", "what each of 20 further windows leaves behind", "–"),
];

/// The same of the page in the app's window.
const PAGE: [(&str, &str, &str); 4] = [
    ("event_ms", "the window: an event's stamp to the frame that shows it, 20 starts and stops", "≤ 150 ms"),
    ("command_ms", "the window: the command that causes it to that frame (its own start included)", "–"),
    ("age_ms", "the window: the age of the newest line at 10,000 lines/s", "–"),
    (
        "click_ms",
        "the window: a click of the mouse to the pixels that show it, at 10,000 lines/s",
        "≤ 100 ms",
    ),
];

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    desktop::build()?;
    let (forge, bare) = (workspace::built("release", "forge-desktop"), desktop::example("bare-tauri"));
    let told = watch(&["figures".into(), forge.into(), bare.into(), bench.rounds().to_string().into()])?;
    let page = watch(&["page".into()])?;
    let beside = FIGURES.iter().map(|(key, work, goal)| row(&told, key, work, goal));
    beside.chain(PAGE.iter().map(|(key, work, goal)| page_row(&page, key, work, goal))).collect()
}

/// What `desktop-watch` prints.
fn watch(arguments: &[OsString]) -> Result<Value> {
    let mut command = Command::new(desktop::example("desktop-watch"));
    let text = output(command.args(arguments).stdout(Stdio::piped()))?;
    serde_json::from_str(&text).context("what desktop-watch prints")
}

fn page_row(told: &Value, key: &str, work: &str, goal: &'static str) -> Result<Row> {
    let figure = told[key].as_f64().with_context(|| format!("no {key}"))?;
    let mut row = Row::new(work, goal);
    row.here(format!("{figure:.0} ms"));
    Ok(row)
}

fn row(told: &Value, key: &str, work: &str, goal: &'static str) -> Result<Row> {
    let figure = |whose: &str| told[whose][key].as_f64().with_context(|| format!("no {key} of {whose}"));
    let (forge, bare) = (figure("forge")?, figure("bare")?);
    let shown = |value: f64| match key {
        "kept_bytes" => format!("{:.0} KB", value / 1e3),
        _ if key.ends_with("_ms") => format!("{value:.0} ms"),
        _ => format!("{:.1} MB", value / 1e6),
    };
    let mut row = Row::new(work, goal);
    row.beside("bare app", shown(bare));
    row.here(match key {
        // Each may be nothing, or less.
        "kept_bytes" => shown(forge),
        _ => format!("{}, {:.2} ×", shown(forge), forge / bare),
    });
    Ok(row)
}
