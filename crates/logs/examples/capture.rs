//! What it costs to keep a line: a child writes lines into a pipe, and this program stores them as a keeper does. The
//! CPU time of everything but the child is divided by the lines.
//!
//! ```sh
//! cargo run --release -p forge-logs --example capture -- 5000000
//! ```

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use forge_logs::{Stamp, Stream, Writer, WriterOptions};

const LINE_BYTES: usize = 100;
const READ_BYTES: usize = 64 * 1024;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [child, lines] if child == "--child" => write_lines(count(lines)),
        [lines] => measure(count(lines)),
        _ => measure(5_000_000),
    }
}

fn count(text: &str) -> usize {
    text.parse().unwrap_or(5_000_000)
}

fn write_lines(lines: usize) -> std::io::Result<()> {
    let mut block: Vec<u8> = Vec::new();
    let mut stdout = std::io::stdout().lock();
    for number in 0..lines {
        let text = format!("{number:010} ");
        block.extend_from_slice(text.as_bytes());
        block.resize(block.len() + LINE_BYTES - 1 - text.len(), b'x');
        block.push(b'\n');
        if block.len() >= READ_BYTES || number + 1 == lines {
            stdout.write_all(&block)?;
            block.clear();
        }
    }
    Ok(())
}

fn measure(lines: usize) -> std::io::Result<()> {
    let dir = std::env::temp_dir().join(format!("forge-capture-{}", std::process::id()));
    let options = WriterOptions { quota_bytes: 4 << 30, ..WriterOptions::default() };
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--child", &lines.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut pipe = child.stdout.take().ok_or_else(|| std::io::Error::other("the child has no stdout"))?;
    let mut writer = Writer::open(&dir, options)?;
    let mut buffer = vec![0; READ_BYTES];
    let mut reads = 0;
    let before = cpu_nanos()?;
    loop {
        let read = pipe.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        reads += 1;
        writer.write(Stream::Stdout, &buffer[..read], Stamp::now());
    }
    writer.finish(Stream::Stdout, Stamp::now());
    let spent = cpu_nanos()? - before;
    drop(writer);
    child.wait()?;
    let mut stored = 0;
    for entry in std::fs::read_dir(&dir)? {
        stored += entry?.metadata()?.len();
    }
    std::fs::remove_dir_all(&dir)?;
    let payload = (lines * LINE_BYTES) as f64;
    let mut report = std::io::stdout().lock();
    writeln!(report, "{lines} lines in {reads} reads")?;
    writeln!(report, "{:.3} µs of CPU a line", spent as f64 / 1000.0 / lines as f64)?;
    writeln!(report, "{:.3} bytes on disk for a byte of payload", stored as f64 / payload)
}

/// CPU time of this thread so far (`Documentation/scheduler/sched-stats.rst`).
fn cpu_nanos() -> std::io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let first = text.split_whitespace().next().and_then(|field| field.parse().ok());
    first.ok_or_else(|| std::io::Error::other("no CPU time in /proc/self/schedstat"))
}
