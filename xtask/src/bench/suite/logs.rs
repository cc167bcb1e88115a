//! Looking into large logs: searching beside `rg` over the same files, and paging. What is measured is
//! `crates/logs/examples/search.rs`; the store is made by the log store's own writer.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use super::report::Row;
use super::{Bench, wire};
use crate::console::{self, cargo, output};
use crate::setup::find;
use crate::workspace;

const RARE: &str = "needle-[0-9]+";
pub(super) const RARE_LITERAL: &str = "needle-";
/// One line in a hundred.
const COMMON: &str = "took [0-9]{4}ms";

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    console::run(&mut cargo(["build", "--release", "--package", "forge-logs", "--example", "search"]))?;
    let (searched, browsed) = if bench.quick { (100, 500) } else { (1024, 5 * 1024) };
    let store = bench.folder("searched")?;
    fill(&store, searched, &[])?;
    let mut rows = vec![
        search(
            bench,
            &store,
            RARE_LITERAL,
            &format!("search of {searched} MiB for a rare text"),
            "≤ 1.3 × rg",
        )?,
        search(
            bench,
            &store,
            RARE,
            &format!("search of {searched} MiB for a rare expression"),
            "≤ 1.3 × rg",
        )?,
        search(
            bench,
            &store,
            COMMON,
            &format!("search of {searched} MiB, 1 % of the lines match"),
            "≤ 1.5 × rg",
        )?,
    ];
    std::fs::remove_dir_all(&store)?;
    let store = bench.folder("coloured")?;
    fill(&store, searched, &["coloured"])?;
    let work = format!("search of {searched} MiB of coloured lines for a rare text");
    rows.push(search(bench, &store, RARE_LITERAL, &work, "–")?);
    std::fs::remove_dir_all(&store)?;
    let store = bench.folder("browsed")?;
    fill(&store, browsed, &[])?;
    let text = output(example().arg("browse").arg(&store).stdout(Stdio::piped()))?;
    for (name, work, goal) in [
        ("tail", "the last 500 lines", "≤ 100 ms"),
        ("time", "500 lines from a time on", "≤ 100 ms"),
        ("page", "the next 500 lines", "≤ 100 ms"),
        ("progress", "a changed search's first progress", "≤ 100 ms"),
        ("cancel", "the end of a search that is stopped", "≤ 50 ms"),
    ] {
        let figure = text.lines().find_map(|line| line.strip_prefix(name)).context("no figure")?;
        let mut row = Row::new(format!("{work}, in a store of {browsed} MiB"), goal);
        row.here(format!("{} ms", figure.trim()));
        rows.push(row);
    }
    std::fs::remove_dir_all(&store)?;
    rows.extend(wire::run(bench)?);
    Ok(rows)
}

fn example() -> Command {
    Command::new(workspace::target().join("release/examples/search"))
}

/// Writes a store of about so many megabytes: times that are spread over it.
pub(super) fn fill(folder: &Path, megabytes: u64, how: &[&str]) -> Result<Vec<String>> {
    let mut command = example();
    command.arg("fill").arg(folder).arg(megabytes.to_string()).args(how);
    let text = output(command.stdout(Stdio::piped()))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// By turns, the first round of each not counted: it fills the page cache.
fn search(bench: &Bench, store: &Path, pattern: &str, work: &str, goal: &'static str) -> Result<Row> {
    let mut row = Row::new(work.to_owned(), goal);
    let rg = find("rg");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut found, mut lines) = (String::new(), String::new());
    for round in 0..=bench.rounds() {
        let text = output(example().arg("find").arg(store).arg(pattern).stdout(Stdio::piped()))?;
        let (count, millis) = text.trim().split_once(' ').context("no figure")?;
        found = count.to_owned();
        let millis: f64 = millis.parse().context("no figure")?;
        if round > 0 {
            ours.push(millis);
        }
        let Some(rg) = &rg else { continue };
        let begun = Instant::now();
        let mut command = Command::new(rg);
        command.args(["--no-config", "--no-filename", "--threads", "2", "--glob", "*.log", pattern]);
        let text = output(command.arg(store).stdout(Stdio::piped()))?;
        lines = text.lines().count().to_string();
        if round > 0 {
            theirs.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    let ours = median(ours);
    if rg.is_some() {
        let theirs = median(theirs);
        row.beside("rg", format!("{theirs:.0} ms ({lines} lines)"));
        row.here(format!("{ours:.0} ms ({found} lines), {:.2} ×", ours / theirs));
    } else {
        row.here(format!("{ours:.0} ms ({found} lines)"));
    }
    Ok(row)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}
