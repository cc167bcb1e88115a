//! The app beside a bare one of one button and a tray icon. `tests/desktop/watch/figures.rs` takes the figures, of both in
//! the same way.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use super::Bench;
use super::report::Row;
use crate::console::output;
use crate::{desktop, workspace};

/// What the figure is called in the JSON, what it is, what it may be of the bare app's.
const FIGURES: [(&str, &str, &str); 6] = [
    ("tray_ms", "the app: from exec to the icon in the tray", "≤ 1.5 ×"),
    ("content_ms", "the app: from exec to the first text in its window", "≤ 1.5 ×"),
    ("first_on_display_bytes", "the app: memory (PSS) of all its processes, no window yet", "≤ 1.15 ×"),
    ("without_window_bytes", "the same on a display where a GTK program has been", "≤ 1.15 ×"),
    ("with_window_bytes", "the same with its window", "–"),
    ("after_window_bytes", "the same after the window was ended", "–"),
];

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    desktop::build()?;
    let mut command = Command::new(desktop::example("desktop-watch"));
    command
        .arg("figures")
        .arg(workspace::built("release", "forge-desktop"))
        .arg(desktop::example("bare-tauri"));
    let text = output(command.arg(bench.rounds().to_string()).stdout(Stdio::piped()))?;
    let told: Value = serde_json::from_str(&text).context("what desktop-watch prints")?;
    FIGURES.iter().map(|(key, work, goal)| row(&told, key, work, goal)).collect()
}

fn row(told: &Value, key: &str, work: &str, goal: &'static str) -> Result<Row> {
    let figure = |whose: &str| told[whose][key].as_f64().with_context(|| format!("no {key} of {whose}"));
    let (forge, bare) = (figure("forge")?, figure("bare")?);
    let shown = |value: f64| {
        if key.ends_with("_ms") { format!("{value:.0} ms") } else { format!("{:.1} MB", value / 1e6) }
    };
    let mut row = Row::new(work, goal);
    row.beside("bare app", shown(bare));
    row.here(format!("{}, {:.2} ×", shown(forge), forge / bare));
    Ok(row)
}
