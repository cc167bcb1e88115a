//! Twenty children that do nothing: what holding them costs. All contestants hold theirs during the same minute.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use super::forge::Forge;
use super::measure::{cpu, pss, wait_for_pids};
use super::report::Row;

const CHILDREN: usize = 20;
const SAMPLING: &str = "Forge that measures them each second";

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let period = Duration::from_secs(if bench.quick { 5 } else { 60 });
    let file = bench.folder("idle")?.join("pids");
    let child = bench.child(&format!("append {} %p forever", file.display()));
    let processes = (0..CHILDREN).map(|number| format!("  - {{ name: p{number}, command: {child} }}\n"));
    let configuration = format!("dev:\n{}", processes.collect::<String>());
    let forge = Forge::new(bench, &configuration)?;
    // What measuring adds is told beside it: the others measure nothing.
    forge.settings("sampling: false\n")?;
    forge.run(&["start"])?;
    let configuration = configuration.replace(&file.display().to_string(), "/dev/null");
    let sampling = Forge::named(bench, "forge-sampling", &configuration)?;
    sampling.run(&["start"])?;
    let mut held = vec![("forge", forge.own_processes("dev")?), (SAMPLING, sampling.own_processes("dev")?)];

    let mut running = Vec::new();
    for rival in &bench.rivals {
        let marks = bench.folder(rival.name())?.join("pids");
        let child = bench.child(&format!("append {} %p forever", marks.display()));
        running.push((
            rival,
            marks.clone(),
            rival.launch(&bench.folder(&format!("{}-idle", rival.name()))?, &child, CHILDREN)?,
        ));
        wait_for_pids(&marks, CHILDREN)?;
    }
    for (rival, marks, running) in &running {
        let children = wait_for_pids(marks, CHILDREN)?;
        held.push((rival.name(), running.own_processes(&children)));
    }

    let before: Vec<Duration> = held.iter().map(|(_, pids)| total(pids)).collect();
    std::thread::sleep(period);
    let mut memory =
        Row::new(format!("{CHILDREN} idle children: memory (PSS) of what holds them"), "≤ 25 MB");
    let mut time = Row::new(format!("{CHILDREN} idle children: CPU in {} s", period.as_secs()), "≤ 0.05 s");
    for ((name, pids), before) in held.iter().zip(before) {
        let megabytes = format!("{:.1} MB", pids.iter().map(|pid| pss(*pid)).sum::<u64>() as f64 / 1e6);
        let seconds = format!("{:.3} s", total(pids).saturating_sub(before).as_secs_f64());
        memory.figure(name, megabytes);
        time.figure(name, seconds);
    }
    for (_, _, running) in running {
        running.stop()?;
    }
    Ok(vec![memory, time])
}

fn total(pids: &[u32]) -> Duration {
    pids.iter().map(|pid| cpu(*pid)).sum()
}
