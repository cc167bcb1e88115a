//! What it writes.

use std::io::{self, BufWriter, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::steps::Arguments;

/// Where lines go.
fn sink(stderr: bool) -> Box<dyn Write> {
    if stderr { Box::new(io::stderr()) } else { Box::new(io::stdout()) }
}

pub(crate) fn line(text: &str, stderr: bool) -> Result<(), Failure> {
    let mut sink = sink(stderr);
    writeln!(sink, "{text}")?;
    Ok(sink.flush()?)
}

/// `limit` numbered lines, or lines for ever: `TAG 00000042 xxxx…`, each of the same length. A reader tells from the
/// numbers what is missing or doubled, and from the lengths what was split or merged.
pub(crate) fn count(limit: Option<u64>, rest: &mut Arguments<'_>) -> Result<(), Failure> {
    let (mut from, mut bytes, mut rate, mut tag, mut stderr) = (0_u64, 100_usize, None, "line", false);
    while let Some(option) = rest.option() {
        match option {
            "--from" => from = rest.value(option)?,
            "--bytes" => bytes = rest.value(option)?,
            "--rate" => rate = Some(rest.value::<u32>(option)?),
            "--tag" => tag = rest.text(option)?,
            "--stderr" => stderr = true,
            _ => return Err(format!("count does not know {option}").into()),
        }
    }
    let mut sink = BufWriter::with_capacity(1 << 16, sink(stderr));
    let begun = Instant::now();
    let until = limit.map_or(u64::MAX, |limit| from.saturating_add(limit));
    for number in from..until {
        let head = format!("{tag} {number:08} ");
        let padding = bytes.saturating_sub(head.len() + 1);
        writeln!(sink, "{head}{:x<padding$}", "")?;
        // A hundred times a second, if it is to be many: a wake-up for each line would be what it costs.
        if let Some(rate) = rate
            && (number - from + 1).is_multiple_of(u64::from(rate / 100).max(1))
        {
            sink.flush()?;
            let due = Duration::from_secs(number - from + 1) / rate.max(1);
            thread::sleep(due.saturating_sub(begun.elapsed()));
        }
    }
    Ok(sink.flush()?)
}

pub(crate) fn long_line(bytes: usize) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let chunk = [b'y'; 1 << 16];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(chunk.len());
        out.write_all(&chunk[..now])?;
        left -= now;
    }
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

pub(crate) fn garbage() -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(b"nul \0 in the middle\n")?;
    out.write_all(b"bad \xff\xfe\xc3( utf-8\n")?;
    out.write_all(b"progress 10%\rprogress 90%\r\n")?;
    out.write_all(b"\x1b[31mred\x1b[0m and \x1b]0;title\x07\n")?;
    out.write_all(b"\n")?;
    out.write_all(b"after the empty one\n")?;
    Ok(out.flush()?)
}

/// What is in a file, byte for byte, on stdout.
pub(crate) fn pour(file: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    io::copy(&mut std::fs::File::open(file)?, &mut out)?;
    Ok(out.flush()?)
}

/// Both of its outputs are gone; it lives on.
pub(crate) fn close() -> Result<(), Failure> {
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// The named variables, or all, as JSON objects of one member.
pub(crate) fn environment(rest: &mut Arguments<'_>) -> Result<(), Failure> {
    let names = rest.while_upper();
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        if names.is_empty() || names.contains(&&*name) {
            line(&serde_json::json!({ &*name: &*value }).to_string(), false)?;
        }
    }
    for name in names.into_iter().filter(|name| std::env::var_os(name).is_none()) {
        line(&serde_json::json!({ name: null }).to_string(), false)?;
    }
    Ok(())
}
