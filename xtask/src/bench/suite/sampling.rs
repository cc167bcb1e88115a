//! Twenty trees of three processes: what it costs to look at them once a second, and whether what is told of a busy one
//! is what the system says.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Bench;
use super::forge::{Forge, pid_of};
use super::measure::{cpu, tree};
use super::report::Row;

const TREES: usize = 20;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let period = Duration::from_secs(if bench.quick { 5 } else { 30 });
    let processes = (0..TREES)
        .map(|number| format!("  - {{ name: p{number}, command: 'sleep 1000 & sleep 1000 & wait' }}\n"));
    let busy = "  - { name: busy, command: 'while true; do :; done' }\n";
    let forge = Forge::new(bench, &format!("dev:\n{}load:\n{busy}", processes.collect::<String>()))?;
    forge.run(&["start", "dev"])?;
    let supervisor = pid_of(&forge.status("dev")?["supervisor"]["pid"]).context("a supervisor")?;
    // All of the supervisor: idle and without sampling it takes nothing, as another row says.
    let (before, begun) = (cpu(supervisor), Instant::now());
    std::thread::sleep(period);
    let percent =
        100.0 * cpu(supervisor).saturating_sub(before).as_secs_f64() / begun.elapsed().as_secs_f64();
    let mut cost = Row::new(
        format!("{TREES} trees of 3 processes looked at once a second: CPU of the supervisor"),
        "≤ 0.5 %",
    );
    cost.figure("forge", format!("{percent:.2} %"));
    forge.run(&["stop", "dev"])?;

    forge.run(&["start", "load"])?;
    let off = accuracy(&forge, period)?;
    forge.run(&["stop", "load"])?;
    let mut accuracy = Row::new(format!("CPU of a known load for {} s: off by", period.as_secs()), "≤ 5 %");
    accuracy.figure("forge", format!("{off:.1} %"));
    Ok(vec![cost, accuracy])
}

/// The mean of what was told each second against what `/proc` says, in percent.
fn accuracy(forge: &Forge, period: Duration) -> Result<f64> {
    let process = |status: serde_json::Value| status["processes"][0].clone();
    let root = pid_of(&process(forge.status("load")?)["pid"]).context("the load runs")?;
    let used = || tree(root).into_iter().map(cpu).sum::<Duration>();
    let (before, begun) = (used(), Instant::now());
    let mut told = Vec::new();
    while begun.elapsed() < period {
        std::thread::sleep(Duration::from_secs(1));
        told.extend(process(forge.status("load")?)["cpu_percent"].as_f64());
    }
    let really = 100.0 * (used() - before).as_secs_f64() / begun.elapsed().as_secs_f64();
    let mean = told.iter().sum::<f64>() / told.len().max(1) as f64;
    Ok(100.0 * (mean - really).abs() / really)
}
