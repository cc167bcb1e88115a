//! What whoever looks at logs waits for: asked over the supervisor's socket, as the faces ask.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Bench;
use super::forge::{Forge, pid_of};
use super::logs;
use super::measure::{median, pss, wait_for};
use super::report::Row;
use crate::console;
use crate::setup::find;

/// As many lines as a screen or two hold.
const PAGE: usize = 500;

/// How often each is asked.
const ROUNDS: usize = 31;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let megabytes = if bench.quick { 500 } else { 5 * 1024 };
    let processes = "  - { name: app, command: 'echo ready' }\n  - { name: small, command: 'echo ready' }\n";
    let forge = Forge::named(bench, "wire", &format!("dev:\n{processes}"))?;
    forge.run(&["start", "-d"])?;
    let supervisor = pid_of(&forge.status("dev")?["supervisor"]["pid"]).context("a supervisor")?;
    let query = |process: &str| json!({"workspace": forge.workspace(), "names": [format!("dev/{process}")]});
    let mut socket = Socket::connect(&forge.socket())?;
    // What reading takes at all is there before.
    browse(&mut socket, &query("app"), &[])?;
    let before = pss(supervisor);
    let grown = || pss(supervisor).saturating_sub(before) as f64 / 1e6;
    let fifth = megabytes / 5;
    let times = logs::fill(&forge.segments("dev", "small")?, fifth, &[])?;
    let in_small = browse(&mut socket, &query("small"), &times)?;
    let of_small = grown();
    let commands = commands(&forge, &forge.segments("dev", "small")?, fifth)?;
    let times = logs::fill(&forge.segments("dev", "app")?, megabytes, &[])?;
    let in_large = browse(&mut socket, &query("app"), &times)?;
    let of_large = grown();
    let mut rows = Vec::new();
    for ((work, goal, times), (.., before)) in in_large.into_iter().zip(in_small) {
        let mut row = Row::new(format!("{work}, in a store of {megabytes} MiB, over the socket"), goal);
        row.beside(&format!("in one of {fifth} MiB"), milliseconds(before));
        row.here(milliseconds(times));
        rows.push(row);
    }
    let work = format!("memory (PSS) that a store of {megabytes} MiB adds, looked through");
    let mut memory = Row::new(work, "does not grow with it");
    memory.beside(&format!("one of {fifth} MiB before it"), format!("{of_small:.1} MB"));
    memory.here(format!("{of_large:.1} MB"));
    rows.push(memory);
    rows.extend(commands);
    rows.push(follow(bench)?);
    Ok(rows)
}

/// `forge logs --grep` from its start to its end, by turns with `rg` over the same files.
fn commands(forge: &Forge, segments: &Path, megabytes: u64) -> Result<Vec<Row>> {
    const TURNS: usize = 5;
    let rg = find("rg");
    let mut rows = Vec::new();
    for (more, of_rg, with) in
        [(&[][..], &[][..], ""), (&["--context", "3"][..], &["-C", "3"][..], ", 3 lines around each")]
    {
        let (mut here, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            let mut command = forge.command(&["logs", "small", "--grep", logs::RARE_LITERAL]);
            command.args(more).stdout(Stdio::null());
            timed(&mut here, || console::run_quietly(&mut command))?;
            if let Some(rg) = &rg {
                let mut command = Command::new(rg);
                command.args(["--no-config", logs::RARE_LITERAL]).args(of_rg).arg(segments);
                timed(&mut beside, || console::run_quietly(command.stdout(Stdio::null())))?;
            }
        }
        let mut row = Row::new(format!("`forge logs --grep` for a rare text in {megabytes} MiB{with}"), "–");
        if !beside.is_empty() {
            row.beside("rg", milliseconds(beside));
        }
        row.here(milliseconds(here));
        rows.push(row);
    }
    Ok(rows)
}

type Figure = (&'static str, &'static str, Vec<Duration>);

fn browse(socket: &mut Socket, query: &Value, times: &[String]) -> Result<Vec<Figure>> {
    let read = |socket: &mut Socket, place: Value| {
        let mut request = json!({"query": query, "max_lines": PAGE});
        for (key, value) in place.as_object().into_iter().flatten() {
            request[key] = value.clone();
        }
        socket.call("logs.read", &request)
    };
    let (mut tails, mut jumps, mut pages): (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut cursor = read(socket, json!({"anchor": "end", "backward": true}))?["previous"].take();
    for round in 0..ROUNDS {
        timed(&mut tails, || read(socket, json!({"anchor": "end", "backward": true})))?;
        if let Some(time) = times.get(round) {
            timed(&mut jumps, || read(socket, json!({"anchor": {"time": time}})))?;
        }
        let mut page = timed(&mut pages, || read(socket, json!({"cursor": cursor, "backward": true})))?;
        cursor = page["previous"].take();
    }
    let (texts, ends) = search(socket, query, |round| json!({"grep": format!("no such thing {round}")}))?;
    // No line of the store is one of these.
    let levels = ["error", "warn", "debug", "trace"];
    let (filters, _) = search(socket, query, |round| json!({"levels": [levels[round % levels.len()]]}))?;
    Ok(vec![
        ("the last 500 lines", "≤ 100 ms", tails),
        ("500 lines from a time on", "≤ 100 ms", jumps),
        ("the 500 lines before", "≤ 100 ms", pages),
        ("a changed search's first find or progress", "≤ 100 ms", texts),
        ("a changed level's first find or progress", "≤ 100 ms", filters),
        ("the end of a search that is cancelled", "≤ 50 ms", ends),
    ])
}

/// As when somebody types: another question each time, and before it has ended the next letter ends it. How long until
/// the first answers, and until the ends.
fn search(
    socket: &mut Socket,
    query: &Value,
    question: impl Fn(usize) -> Value,
) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let (mut firsts, mut ends) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut wanted = query.clone();
        for (key, value) in question(round).as_object().into_iter().flatten() {
            wanted[key] = value.clone();
        }
        let request = json!({"query": wanted, "slot": "search", "newest_first": true, "max_hits": 100});
        let scan = timed(&mut firsts, || {
            let scan = socket.call("logs.scan", &request)?["scan"].clone();
            socket.call("logs.scan.next", &json!({"scan": scan}))?;
            Ok(scan)
        })?;
        timed(&mut ends, || socket.call("logs.scan.cancel", &json!({"scan": scan})))?;
    }
    Ok((firsts, ends))
}

/// From a child's clock, which it writes, to the line that `forge logs -f` prints.
fn follow(bench: &Bench) -> Result<Row> {
    let child = "sh -c 'while :; do date +%s%N; sleep 0.05; done'";
    let forge = Forge::named(bench, "follow", &format!("dev:\n  - {{ name: app, command: \"{child}\" }}\n"))?;
    forge.run(&["start", "-d"])?;
    let mut following = forge
        .command(&["logs", "app", "-f", "-n", "0", "--stream", "stdout"])
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(following.stdout.take().context("a pipe")?).lines();
    let mut times = Vec::new();
    for line in lines.take(if bench.quick { 20 } else { 200 }) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let line = line?;
        let written = line.split_whitespace().next_back().and_then(|stamp| stamp.parse().ok());
        let written = Duration::from_nanos(written.with_context(|| format!("no clock in `{line}`"))?);
        times.push(now.saturating_sub(written));
    }
    following.kill()?;
    following.wait()?;
    let mut row = Row::new("follow latency: from a child's write to `forge logs -f`", "≤ 30 ms");
    row.here(milliseconds(times));
    Ok(row)
}

/// Their median.
fn milliseconds(times: Vec<Duration>) -> String {
    format!("{:.1} ms", median(times).as_secs_f64() * 1e3)
}

fn timed<T>(times: &mut Vec<Duration>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    let done = work()?;
    times.push(begun.elapsed());
    Ok(done)
}

/// A client of the supervisor.
struct Socket {
    stream: BufReader<UnixStream>,
    id: u64,
}

impl Socket {
    fn connect(path: &Path) -> Result<Self> {
        wait_for("the socket", || path.exists())?;
        let mut socket = Self { stream: BufReader::new(UnixStream::connect(path)?), id: 0 };
        socket.call("hello", &json!({"protocol": 1, "version": "bench"}))?;
        Ok(socket)
    }

    fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.id += 1;
        let request = json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params});
        writeln!(self.stream.get_mut(), "{request}")?;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                bail!("the supervisor went away");
            }
            let mut answer: Value = serde_json::from_str(&line)?;
            if answer["id"] == self.id {
                if !answer["error"].is_null() {
                    bail!("{method}: {}", answer["error"]);
                }
                return Ok(answer["result"].take());
            }
        }
    }
}
