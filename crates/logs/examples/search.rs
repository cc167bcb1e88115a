//! What it costs to look into a large store: made by the crate's own writer, of lines as a web service writes them.
//!
//! ```sh
//! cargo run --release -p forge-logs --example search -- fill DIR 1024 [coloured]
//! cargo run --release -p forge-logs --example search -- find DIR 'needle-[0-9]+'
//! cargo run --release -p forge-logs --example search -- browse DIR
//! ```
//!
//! `fill` prints times that are spread over the store, a line each; `find` the lines that match and the milliseconds;
//! `browse` a line `NAME MILLISECONDS` for each figure, medians.
#![expect(clippy::print_stdout, reason = "what it prints is what the benchmark reads")]

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use forge_logs::{
    Cursor, Direction, Filter, Pattern, Reader, ReaderOptions, Search, SearchOptions, Selection, Stamp,
    Start, Step, Stream, Writer, WriterOptions,
};

/// Lines in a page.
const PAGE: usize = 500;
const ROUNDS: u64 = 31;
/// Between two lines of the store: nanoseconds.
const APART: i64 = 50_000;
const THREADS: usize = 2;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["fill", dir, megabytes] => fill(Path::new(dir), megabytes.parse().unwrap_or(1024) << 20, "INFO"),
        ["fill", dir, megabytes, "coloured"] => {
            fill(Path::new(dir), megabytes.parse().unwrap_or(1024) << 20, "\x1b[1;32mINFO\x1b[0m")
        }
        ["find", dir, pattern] => find(Path::new(dir), pattern),
        ["browse", dir] => browse(Path::new(dir)),
        _ => Err(io::Error::other("fill DIR MEGABYTES [coloured], find DIR PATTERN, or browse DIR")),
    }
}

/// One line in a hundred is slow, and one in a million has a needle.
fn fill(dir: &Path, bytes: u64, level: &str) -> io::Result<()> {
    let options = WriterOptions { quota_bytes: u64::MAX, ..WriterOptions::default() };
    let mut writer = Writer::open(dir, options)?;
    let (mut number, mut written, mut time, mut told) = (0_u64, 0, Stamp::now().as_nanos(), 0);
    let mut text = Vec::new();
    while written < bytes {
        text.clear();
        for _ in 0..200 {
            number += 1;
            let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
            let took = if number.is_multiple_of(100) {
                format!("{}ms slow", 1000 + mixed % 900)
            } else {
                format!("{}ms", mixed % 90)
            };
            write!(text, "{level} request {number} GET /api/users/{mixed} status=200 took {took}")?;
            if number.is_multiple_of(1_000_000) {
                write!(text, " needle-{number}")?;
            }
            text.push(b'\n');
        }
        time += 200 * APART;
        writer.write(Stream::Stdout, &text, Stamp::from_nanos(time));
        if written >= told * (bytes / ROUNDS) {
            println!("{}", Stamp::from_nanos(time));
            told += 1;
        }
        written += text.len() as u64 + 200 * 40;
    }
    Ok(())
}

fn search(dir: &Path, direction: Direction, filter: Filter, most: usize) -> io::Result<Search> {
    let mut reader = Reader::open(dir)?;
    if direction == Direction::Backward {
        reader.seek_end()?;
    }
    let start = Start { dir: dir.to_owned(), at: reader.cursor(), end: None };
    let options = SearchOptions {
        direction,
        filter,
        reader: ReaderOptions::default(),
        most,
        counts: false,
        patterns: false,
        parts: 0,
    };
    Search::new(vec![start], options, Box::new(|| ()))
}

fn pattern(text: &str) -> io::Result<Filter> {
    let pattern = Pattern::new(text, false, false).map_err(io::Error::other)?;
    Ok(Filter { pattern: Some(pattern), ..Filter::default() })
}

fn find(dir: &Path, text: &str) -> io::Result<()> {
    let begun = Instant::now();
    let search = search(dir, Direction::Forward, pattern(text)?, usize::MAX)?;
    let mut found = 0;
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| search.work());
        }
        loop {
            let progress = search.take()?;
            found += progress.lines.len();
            if progress.done {
                return io::Result::Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    })?;
    println!("{found} {:.1}", begun.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

fn browse(dir: &Path) -> io::Result<()> {
    let mut reader = Reader::open(dir)?;
    let first = reader.first_time()?.unwrap_or_default();
    reader.seek_end()?;
    let last = reader.backward()?.next()?.map_or(first, |line| line.time_ns);
    figure("tail", |_| {
        let mut reader = Reader::open(dir)?;
        reader.seek_end()?;
        page(dir, reader.cursor(), Direction::Backward).map(drop)
    })?;
    figure("time", |round| {
        let mut reader = Reader::open(dir)?;
        reader.seek_time(first + (last - first) / ROUNDS.cast_signed() * round.cast_signed())?;
        page(dir, reader.cursor(), Direction::Forward).map(drop)
    })?;
    let mut at = Cursor { segment: 1, offset: 0 };
    figure("page", |_| {
        at = page(dir, at, Direction::Forward)?;
        Ok(())
    })?;
    // As when somebody types: begun, first answer, and the next letter ends it.
    let (mut firsts, mut ends) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let begun = Instant::now();
        let search =
            Arc::new(search(dir, Direction::Backward, pattern(&format!("no such thing {round}"))?, 100)?);
        let worker = Arc::clone(&search);
        let thread = std::thread::spawn(move || worker.work());
        while search.take()?.scanned_bytes == 0 {
            std::thread::yield_now();
        }
        firsts.push(begun.elapsed());
        let stopped = Instant::now();
        search.stop();
        thread.join().map_err(|_| io::Error::other("a thread of the search failed"))?;
        ends.push(stopped.elapsed());
    }
    print("progress", firsts);
    print("cancel", ends);
    Ok(())
}

fn page(dir: &Path, at: Cursor, direction: Direction) -> io::Result<Cursor> {
    let start = Start { dir: PathBuf::from(dir), at, end: None };
    let mut selection = Selection::new(vec![start], direction, Filter::default(), ReaderOptions::default())?;
    let mut lines = 0;
    while lines < PAGE {
        match selection.step()? {
            Step::Line(..) => lines += 1,
            Step::Searched => {}
            Step::End => break,
        }
    }
    Ok(selection.cursors()[0])
}

fn figure(name: &str, mut work: impl FnMut(u64) -> io::Result<()>) -> io::Result<()> {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let begun = Instant::now();
        work(round)?;
        times.push(begun.elapsed());
    }
    print(name, times);
    Ok(())
}

fn print(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!("{name} {:.2}", median.as_secs_f64() * 1e3);
}
