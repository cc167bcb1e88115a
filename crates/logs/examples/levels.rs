//! How well levels and patterns are found in logs of real programs, and what finding them costs: a table for the
//! benchmark (`cargo xtask bench levels`).

#![expect(clippy::print_stdout, reason = "it prints a table")]

#[path = "../tests/common/corpus.rs"]
mod corpus;

use std::time::{Duration, Instant};

use forge_logs::events::Watch;
use forge_logs::patterns::{Miner, Span};
use forge_logs::{Line, ansi, level};

fn main() {
    let corpora = corpus::all();
    println!("| format | lines | precision | recall | grouping | of pairs: precision | recall |");
    println!("| --- | --: | --: | --: | --: | --: | --: |");
    for corpus in &corpora {
        let (score, grouping) = (corpus.score(), corpus.grouping());
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let of_pairs = |share: Option<f64>| share.map_or("–".to_owned(), percent);
        let cells = [
            percent(score.precision()),
            percent(score.recall()),
            percent(grouping.accuracy()),
            of_pairs(grouping.precision()),
            of_pairs(grouping.recall()),
        ];
        println!("| {} | {} | {} |", corpus.name, score.lines, cells.join(" | "));
    }
    let lines: Vec<Line> = corpora.iter().flat_map(corpus::Corpus::lines).collect();
    println!("\n| what | ns of CPU a line |\n| --- | --: |");
    println!("| level | {} |", each(&lines, |line| _ = level::detect(&line.text)));
    println!("| text and styles | {} |", each(&lines, |line| _ = ansi::shown(&line.text)));
    let watch = Watch::new(Vec::new(), Duration::from_secs(1));
    println!("| events | {} |", each(&lines, |line| _ = watch.look(line)));
    let mut miner = Miner::new(Span::default());
    println!("| patterns | {} |", each(&lines, |line| miner.feed(line)));
}

/// Nanoseconds of CPU for a line, over half a second.
fn each(lines: &[Line], mut what: impl FnMut(&Line)) -> u128 {
    // The first round fills caches.
    lines.iter().for_each(&mut what);
    let (begun, used) = (Instant::now(), cpu_time());
    let mut done = 0;
    while begun.elapsed() < Duration::from_millis(500) {
        lines.iter().for_each(&mut what);
        done += lines.len() as u128;
    }
    let used = cpu_time().zip(used).map_or(begun.elapsed(), |(now, before)| now - before);
    used.as_nanos() / done.max(1)
}

/// What this thread has used; `None` where the system does not say so.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
