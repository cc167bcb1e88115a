//! Twenty trees of three processes: what it costs to look at them once a second, and whether what is told of a busy one
//! is what the system says.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Bench;
use super::forge::{Forge, pid_of};
use super::measure::{cpu, tree};
use super::report::Row;

const TREES: usize = 20;

/// The threads of the supervisor that measure, and keep what was measured.
const THREADS: [&str; 3] = ["sampling", "sockets", "history"];

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let period = Duration::from_secs(if bench.quick { 5 } else { 30 });
    let processes = (0..TREES)
        .map(|number| format!("  - {{ name: p{number}, command: 'sleep 1000 & sleep 1000 & wait' }}\n"));
    let busy = "  - { name: busy, command: 'while true; do :; done' }\n";
    let forge = Forge::new(bench, &format!("dev:\n{}load:\n{busy}", processes.collect::<String>()))?;
    forge.run(&["start", "dev"])?;
    let supervisor = pid_of(&forge.status("dev")?["supervisor"]["pid"]).context("a supervisor")?;
    let (before, begun) = (threads(supervisor), Instant::now());
    std::thread::sleep(period);
    let percent = 100.0 * (threads(supervisor) - before).as_secs_f64() / begun.elapsed().as_secs_f64();
    let mut cost = Row::new(format!("{TREES} trees of 3 processes looked at once a second: CPU"), "≤ 0.5 %");
    cost.figure("forge", format!("{percent:.2} %"));
    forge.run(&["stop", "dev"])?;

    forge.run(&["start", "load"])?;
    let off = accuracy(&forge, period)?;
    forge.run(&["stop", "load"])?;
    let mut accuracy = Row::new(format!("CPU of a known load for {} s: off by", period.as_secs()), "≤ 5 %");
    accuracy.figure("forge", format!("{off:.1} %"));
    Ok(vec![cost, accuracy])
}

/// CPU time of the threads that measure, in nanoseconds (schedstat of proc(5)).
fn threads(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of = |task: fs::DirEntry| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let used = fs::read_to_string(task.path().join("schedstat")).ok()?;
        let used: u64 = used.split_ascii_whitespace().next()?.parse().ok()?;
        THREADS.contains(&name.trim()).then_some(Duration::from_nanos(used))
    };
    tasks.filter_map(of).sum()
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
