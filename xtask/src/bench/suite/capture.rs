//! Capturing output: CPU of everything but the writer, and whether every line arrived.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::forge::Forge;
use super::measure::{alive, cpu, wait_for};
use super::report::Row;
use super::{Bench, measure};
use crate::setup::find;

/// With the line feed.
const BYTES: u64 = 100;

pub(super) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let lines: u64 = if bench.quick { 500_000 } else { 5_000_000 };
    let mut row =
        Row::new(format!("capture of a {BYTES}-byte line, CPU of everything but the writer"), "≤ 0.15 µs");
    let (all, tenth) = (written(bench, lines)?, written(bench, lines / 10)?);
    let file = bench.folder("cat")?.join("out");
    let cat = piped(bench, &all, Command::new("sh").args(["-c", "exec cat >\"$0\""]).arg(&file))?;
    // Emptied: what nobody reads again need not be written to the disk while the others are measured.
    bench.folder("cat")?;
    row.beside("`cat >file`", per_line(cat, lines));
    if let Some(s6_log) = find("s6-log") {
        let folder = bench.folder("s6-log")?;
        let time = piped(bench, &all, Command::new(s6_log).args(["T", "s2000000000"]).arg(&folder))?;
        row.beside("s6-log", per_line(time, lines));
        bench.folder("s6-log")?;
    }
    let mut lost = Row::new(format!("lines lost, doubled, split or merged: {lines} of one child"), "0");
    let mut disk = Row::new("disk, as a multiple of the payload", "≤ 1.45");
    let one = captured(bench, (1, lines), &all)?;
    row.here(per_line(one.cpu, lines));
    lost.here(one.faults.to_string());
    disk.here(format!("{:.2}", one.disk as f64 / (lines * BYTES) as f64));

    let mut many =
        Row::new(format!("the same of ten children with {} lines each: CPU a line", lines / 10), "≤ 0.15 µs");
    let mut many_lost = Row::new(format!("lines lost, doubled, split or merged: 10 × {}", lines / 10), "0");
    let ten = captured(bench, (10, lines / 10), &tenth)?;
    many.here(per_line(ten.cpu, lines));
    many_lost.here(ten.faults.to_string());
    Ok(vec![row, lost, disk, many, many_lost])
}

fn per_line(time: Duration, lines: u64) -> String {
    format!("{:.3} µs", time.as_secs_f64() * 1e6 / lines as f64)
}

/// Numbered lines in a file: who writes them is to be quicker than any reader, else it is the waiting that is measured.
fn written(bench: &Bench, lines: u64) -> Result<PathBuf> {
    let path = bench.folder(&format!("lines-{lines}"))?.join("lines");
    let mut counting = Command::new(&bench.nasty);
    counting.args(["count", &lines.to_string(), "--bytes", &BYTES.to_string()]);
    let file = File::create(&path)?;
    let status = counting.stdout(file.try_clone()?).status().context("nasty")?;
    ensure!(status.success(), "the lines were not written");
    // What the system still has to write costs whoever writes next.
    file.sync_all()?;
    Ok(path)
}

/// The CPU time of `reader`, which gets the lines on its stdin.
fn piped(bench: &Bench, lines: &Path, reader: &mut Command) -> Result<Duration> {
    let mut writer =
        Command::new(&bench.nasty).arg("pour").arg(lines).stdout(Stdio::piped()).spawn().context("nasty")?;
    let pipe = writer.stdout.take().context("no pipe")?;
    let mut reader = reader.stdin(pipe).spawn().context("the reader")?;
    let time = cpu_at_end(&mut reader);
    writer.wait()?;
    time
}

/// A child that has ended keeps its figures until it is waited for.
fn cpu_at_end(child: &mut Child) -> Result<Duration> {
    wait_for("the reader's end", || !alive(child.id()))?;
    let time = cpu(child.id());
    child.wait()?;
    Ok(time)
}

struct Captured {
    cpu: Duration,
    faults: u64,
    disk: u64,
}

/// So many children that write so many lines each, those of `file`, held by Forge.
fn captured(bench: &Bench, (children, lines): (u64, u64), file: &Path) -> Result<Captured> {
    let names: Vec<String> = (0..children).map(|number| format!("writer{number}")).collect();
    let go = bench.folder("go")?.join("now");
    let steps = format!("wait-for {} pour {} forever", go.display(), file.display());
    let processes =
        names.iter().map(|name| format!("  - {{ name: {name}, command: {} }}\n", bench.child(&steps)));
    let forge = Forge::new(bench, &format!("dev:\n{}", processes.collect::<String>()))?;
    forge.run(&["start"])?;
    let own = forge.own_processes("dev")?;
    let before: Duration = own.iter().map(|pid| cpu(*pid)).sum();
    std::fs::write(&go, "")?;
    let folders = names.iter().map(|name| forge.segments("dev", name)).collect::<Result<Vec<_>>>()?;
    let last = format!("line {:08} ", lines - 1);
    wait_for("the last lines", || folders.iter().all(|folder| ends_with(folder, &last).unwrap_or(false)))?;
    let after: Duration = own.iter().map(|pid| measure::cpu(*pid)).sum();
    let mut captured = Captured { cpu: after.saturating_sub(before), faults: 0, disk: 0 };
    for folder in &folders {
        captured.faults += faults(folder, lines)?;
        captured.disk += disk(folder)?;
    }
    Ok(captured)
}

fn segment_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    files.sort();
    Ok(files)
}

/// Whether the last line that is stored begins with `text`.
fn ends_with(folder: &Path, text: &str) -> Result<bool> {
    let files = segment_files(folder)?;
    let mut file = File::open(files.last().context("no segment")?)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(4 * BYTES)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let end = String::from_utf8_lossy(&end);
    Ok(end.ends_with('\n') && end.lines().next_back().is_some_and(|line| line.contains(text)))
}

/// Lines that are not the next one, or not as long as they were written.
fn faults(folder: &Path, lines: u64) -> Result<u64> {
    let (mut next, mut faults) = (0_u64, 0_u64);
    for path in segment_files(folder)? {
        for line in BufReader::with_capacity(1 << 20, File::open(path)?).lines() {
            let line = line?;
            // TIME STREAM F|P TEXT
            let mut fields = line.splitn(4, ' ');
            let (stream, tag, text) = (fields.nth(1), fields.next(), fields.next().unwrap_or_default());
            if stream == Some("forge") {
                continue;
            }
            let number = text.split(' ').nth(1).and_then(|number| number.parse().ok());
            let whole = tag == Some("F") && text.len() as u64 == BYTES - 1;
            faults += u64::from(number != Some(next) || !whole);
            next = number.unwrap_or(next) + 1;
        }
    }
    ensure!(next > 0, "nothing was captured in {}", folder.display());
    Ok(faults + lines.abs_diff(next))
}

/// What the folder takes on disk, its index included.
fn disk(folder: &Path) -> Result<u64> {
    let entries = std::fs::read_dir(folder)?.flatten();
    Ok(entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.blocks() * 512).sum())
}
