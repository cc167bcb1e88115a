//! How fast the page is, in a browser: `ui/e2e/figures.mjs` takes the figures.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Bench;
use super::report::Row;
use crate::console::output;
use crate::setup::{self, Tool, find};
use crate::ui;

/// How a line begins whose figure has a goal.
const GOALS: [(&str, &str); 2] = [("an event's stamp", "≤ 150 ms"), ("a click", "≤ 100 ms")];

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    setup::ensure(&[Tool::Node, Tool::Npm, Tool::Chromium])?;
    ui::build()?;
    let npm = find("npm").context("npm is not found")?;
    let mut command = Command::new(npm);
    command.current_dir(ui::folder()).args(["run", "--silent", "figures"]).stdout(Stdio::piped());
    let text = output(command.env("FORGE_BIN", &bench.forge).env("NASTY_BIN", &bench.nasty))?;
    let rows: Vec<Row> = text.lines().filter_map(row).collect();
    ensure!(!rows.is_empty(), "`npm run figures` printed none:\n{text}");
    Ok(rows)
}

/// Of `WHAT   median  N ms   LOW to HIGH`.
fn row(line: &str) -> Option<Row> {
    let (work, figures) = line.split_once(" median ")?;
    let (median, _) = figures.split_once(" ms")?;
    let (work, median) = (work.trim(), median.trim());
    let goal = GOALS.iter().find(|(start, _)| work.starts_with(start)).map_or("–", |(_, goal)| goal);
    let mut row = Row::new(format!("the page: {work}"), goal);
    row.here(format!("{median} ms"));
    Some(row)
}
