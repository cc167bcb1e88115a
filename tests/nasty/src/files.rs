//! Files by which a test and its programs tell each other how far they are.

use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::Failure;

/// `%p` becomes the PID.
pub(crate) fn fill(text: &str) -> String {
    text.replace("%p", &std::process::id().to_string())
}

/// One write a line: several programs may append to one file.
pub(crate) fn append(file: &str, text: &str) -> Result<(), Failure> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    Ok(file.write_all(format!("{}\n", fill(text)).as_bytes())?)
}

pub(crate) fn wait_for(file: &str) {
    while !Path::new(file).exists() {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Counts this call in `file`; true for the first `times` of them.
pub(crate) fn one_less_than(file: &str, times: usize) -> Result<bool, Failure> {
    append(file, "%p")?;
    Ok(std::fs::read_to_string(file)?.lines().count() <= times)
}

/// Holds a lock on `file` for life. Whoever comes second says so in `file`, and goes on: a test wants to see both.
pub(crate) fn alone(file: &str) -> Result<(), Failure> {
    let lock = std::fs::OpenOptions::new().create(true).append(true).open(file)?;
    if lock.try_lock().is_err() {
        append(file, "%p is not alone")?;
    }
    std::mem::forget(lock);
    Ok(())
}
