//! Starting, stopping, restarting: how long until it is so.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::Bench;
use super::forge::Forge;
use super::measure::{alive, median, pids_in, signal, wait_for, wait_for_pids};
use super::report::Row;
use super::rivals::Rival;

const CHILDREN: usize = 50;

pub(super) fn start_stop(bench: &Bench) -> Result<Vec<Row>> {
    let mut start =
        Row::new(format!("start {CHILDREN}, until all run (Forge: with a running supervisor)"), "≤ 250 ms");
    let mut stop = Row::new(format!("stop {CHILDREN}, until all are gone"), "≤ 100 ms");
    let mut add = |name: &str, (begun, ended): (Duration, Duration)| {
        start.figure(name, milliseconds(begun));
        stop.figure(name, milliseconds(ended));
    };
    add("`sh &`", rounds(bench, |marks| by_shell(bench, marks))?);
    for rival in &bench.rivals {
        match rounds(bench, |marks| by_rival(bench, *rival, marks)) {
            Ok(times) => add(rival.name(), times),
            Err(error) => println!("   {} left out: {error:#}", rival.name()),
        }
    }
    let marks = bench.folder("marks")?.join("pids");
    let child = bench.child(&format!("append {} %p forever", marks.display()));
    let processes = (0..CHILDREN).map(|number| format!("  - {{ name: p{number}, command: {child} }}\n"));
    let alone = format!("warm:\n  - {{ name: one, command: {} }}\n", bench.child("forever"));
    let forge = Forge::new(bench, &format!("dev:\n{}{alone}", processes.collect::<String>()))?;
    forge.run(&["start", "warm"])?;
    let mut times = Vec::new();
    for _ in 0..bench.rounds() {
        let _ = std::fs::remove_file(&marks);
        times.push(by_forge(&forge, &marks)?);
    }
    add("forge", medians(times));
    Ok(vec![start, stop])
}

type Times = (Duration, Duration);

/// Between start and stop: some lose track of children when they are stopped while they still start.
fn settle() {
    std::thread::sleep(Duration::from_secs(1));
}

fn rounds(bench: &Bench, mut round: impl FnMut(&Path) -> Result<Times>) -> Result<Times> {
    let mut times = Vec::new();
    for _ in 0..bench.rounds() {
        times.push(round(&bench.folder("marks")?.join("pids"))?);
    }
    Ok(medians(times))
}

fn medians(times: Vec<Times>) -> Times {
    let (starts, stops) = times.into_iter().unzip();
    (median(starts), median(stops))
}

fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    if milliseconds < 10.0 { format!("{milliseconds:.1} ms") } else { format!("{milliseconds:.0} ms") }
}

fn all_gone(pids: &[u32]) -> Result<()> {
    wait_for("the children's end", || !pids.iter().any(|pid| alive(*pid)))
}

fn by_forge(forge: &Forge, marks: &Path) -> Result<Times> {
    let begun = Instant::now();
    // As with the others, whoever starts them does not stay to see whether they do.
    forge.run(&["start", "-d", "dev"])?;
    let pids = wait_for_pids(marks, CHILDREN)?;
    let start = begun.elapsed();
    settle();
    let begun = Instant::now();
    forge.run(&["stop", "dev"])?;
    all_gone(&pids)?;
    Ok((start, begun.elapsed()))
}

fn by_shell(bench: &Bench, marks: &Path) -> Result<Times> {
    let child = bench.child(&format!("append {} %p forever", marks.display()));
    let script = format!("{}wait", format!("{child} & ").repeat(CHILDREN));
    let begun = Instant::now();
    let mut shell = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).spawn().context("sh")?;
    let pids = wait_for_pids(marks, CHILDREN)?;
    let start = begun.elapsed();
    settle();
    let begun = Instant::now();
    pids.iter().try_for_each(|pid| signal(*pid, Signal::TERM))?;
    all_gone(&pids)?;
    let stop = begun.elapsed();
    shell.wait()?;
    Ok((start, stop))
}

fn by_rival(bench: &Bench, rival: Rival, marks: &Path) -> Result<Times> {
    let child = bench.child(&format!("append {} %p forever", marks.display()));
    let folder = bench.folder(rival.name())?;
    let begun = Instant::now();
    let running = rival.launch(&folder, &child, CHILDREN)?;
    let pids = wait_for_pids(marks, CHILDREN)?;
    let start = begun.elapsed();
    settle();
    let begun = Instant::now();
    running.stop()?;
    all_gone(&pids)?;
    Ok((start, begun.elapsed()))
}

/// A child is killed: how long until the next one runs?
pub(super) fn restart(bench: &Bench) -> Result<Vec<Row>> {
    let mut row = Row::new("crash to the next exec (Forge: `delay: 0s`)", "≤ 20 ms");
    for rival in bench.rivals.iter().filter(|rival| rival.restarts()) {
        let marks = bench.folder("marks")?.join("pids");
        let child = bench.child(&format!("append {} %p forever", marks.display()));
        let running = rival.launch(&bench.folder(rival.name())?, &child, 1)?;
        let time = crashes(bench, &marks);
        running.stop()?;
        row.beside(rival.name(), milliseconds(time?));
    }
    let marks = bench.folder("marks")?.join("pids");
    let child = bench.child(&format!("append {} %p forever", marks.display()));
    let policy = "{ delay: 0s, max_crashes: 100 }";
    let forge =
        Forge::new(bench, &format!("dev:\n  - {{ name: one, command: {child}, auto_restart: {policy} }}\n"))?;
    forge.run(&["start"])?;
    row.here(milliseconds(crashes(bench, &marks)?));
    Ok(vec![row])
}

fn crashes(bench: &Bench, marks: &Path) -> Result<Duration> {
    let mut times = Vec::new();
    for round in 1..=bench.rounds() {
        let pids = wait_for_pids(marks, round)?;
        let last = *pids.last().context("no child")?;
        // Some hold a child for good only when it has lived for a second.
        std::thread::sleep(Duration::from_millis(1200));
        let begun = Instant::now();
        signal(last, Signal::KILL)?;
        wait_for_pids(marks, round + 1)?;
        times.push(begun.elapsed());
    }
    Ok(median(times))
}

/// How a link of a chain gets ready.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    Exec,
    Port,
    Check,
}

/// A chain in which each waits for the one before, without a probe, with a port, and with a health check of it that
/// takes next to no time: the time of one link.
pub(super) fn chain(bench: &Bench) -> Result<Vec<Row>> {
    const LINKS: u32 = 20;
    let mut rows = Vec::new();
    for (what, link) in [
        ("exec'd", Link::Exec),
        ("listening on its port", Link::Port),
        ("healthy by its TCP check", Link::Check),
    ] {
        let mut row =
            Row::new(format!("a link of a chain of {LINKS}, each ready when it is {what}"), "≤ 20 ms");
        let mut times = Vec::new();
        let marks = bench.folder("marks")?.join("pids");
        let forge = Forge::new(bench, &chain_of(bench, &marks, LINKS, link)?)?;
        forge.run(&["start", "warm"])?;
        for _ in 0..bench.rounds() {
            let _ = std::fs::remove_file(&marks);
            let mut start =
                forge.command(&["start", "dev"]).stderr(Stdio::null()).spawn().context("forge start")?;
            wait_for("the first", || !pids_in(&marks).is_empty())?;
            let begun = Instant::now();
            wait_for_pids(&marks, LINKS as usize)?;
            times.push(begun.elapsed() / (LINKS - 1));
            start.wait()?;
            forge.run(&["stop", "dev"])?;
        }
        row.here(milliseconds(median(times)));
        rows.push(row);
    }
    Ok(rows)
}

fn chain_of(bench: &Bench, marks: &Path, links: u32, link: Link) -> Result<String> {
    let mut text = format!("warm:\n  - {{ name: one, command: {} }}\ndev:\n", bench.child("forever"));
    // All are held until all are known, so that no two are the same.
    let listeners: Vec<_> =
        (0..links).map(|_| std::net::TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    for (number, listener) in listeners.iter().enumerate() {
        let port = listener.local_addr()?.port();
        let (listen, declared) = match link {
            Link::Exec => Default::default(),
            Link::Port => (format!("listen {port} "), format!(", port: {port}")),
            Link::Check => {
                (format!("listen {port} "), format!(", port: {port}, health_check: 'tcp://127.0.0.1:{port}'"))
            }
        };
        let child = bench.child(&format!("{listen}append {} %p forever", marks.display()));
        let before =
            number.checked_sub(1).map(|before| format!(", depends_on: [p{before}]")).unwrap_or_default();
        text.push_str(&format!("  - {{ name: p{number}, command: {child}{declared}{before} }}\n"));
    }
    Ok(text)
}

/// `forge status`, from its start to its end.
pub(super) fn status(bench: &Bench) -> Result<Vec<Row>> {
    let mut row = Row::new("`forge status` with 20 processes", "≤ 15 ms");
    let processes =
        (0..20).map(|number| format!("  - {{ name: p{number}, command: {} }}\n", bench.child("forever")));
    let forge = Forge::new(bench, &format!("dev:\n{}", processes.collect::<String>()))?;
    forge.run(&["start"])?;
    let mut times = Vec::new();
    for _ in 0..bench.rounds() * 4 {
        let begun = Instant::now();
        forge.run(&["status"])?;
        times.push(begun.elapsed());
    }
    row.here(milliseconds(median(times)));
    Ok(vec![row])
}
