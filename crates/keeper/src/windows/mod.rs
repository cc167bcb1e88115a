//! The keeper on Windows: one thread decides, others wait for what blocks (two pipes of the child, its end, clients).
//!
//! What differs from Unix, and why:
//! - There are no FIFOs: output goes through anonymous pipes, and the child's Job Object ends with the keeper. A keeper
//!   that is killed takes its tree along; to adopt such a run is to record that its end is unknown.
//! - `tty` is refused: a pseudoconsole's child can't be started suspended by the standard library, and outside of the
//!   job it could leave things behind.
//! - There are no signals but two: what asks to end is CTRL_BREAK, what forces is the end of the job. The supervisor
//!   starts a keeper with `CREATE_NO_WINDOW`, so that there is a console for CTRL_BREAK to go through.

mod clients;
mod keeper;
mod pipe;
mod spawn;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use forge_keeper::record::{Ended, Exit, Record};
use forge_keeper::spec::{RunFolder, Spec};

use crate::journal::Journal;

/// Another keeper has the run, or the folder is gone.
const TAKEN: u8 = 3;

/// Holds the run of `folder` until nothing of it is left.
pub(crate) fn hold(folder: &Path, adopt: bool) -> ExitCode {
    let run = RunFolder::new(std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()));
    spawn::ignore_console_events();
    // Held until this process ends.
    let Ok(Some(_lock)) = take_lock(&run.lock()) else { return ExitCode::from(TAKEN) };
    let outcome = if adopt { record_unknown_end(&run) } else { keep(&run) };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&run, &error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn keep(run: &RunFolder) -> io::Result<()> {
    let bytes = fs::read(run.spec())?;
    let spec: Spec = serde_json::from_slice(&bytes)?;
    let journal = Journal::open(run)?;
    let story = journal.story();
    if story.child.is_some() || story.not_started.is_some() {
        return Err(io::Error::other("this run was started before"));
    }
    keeper::keep(run.clone(), spec, journal)
}

/// The keeper before was killed, and its job with it.
fn record_unknown_end(run: &RunFolder) -> io::Result<()> {
    let mut journal = Journal::open(run)?;
    let story = journal.story();
    if story.empty.is_some() {
        return Ok(());
    }
    let time = now();
    let message = "its keeper was killed before it could start the command".to_owned();
    match (story.child, story.exited) {
        (None, _) if story.not_started.is_none() => {
            journal.append(Record::NotStarted { errno: None, message: message.clone(), time });
            journal.end(Ended { exit: None, message: Some(message), time, requested: false });
        }
        (Some(_), None) => {
            journal.append(Record::Exited { exit: Exit::Unknown, time });
            journal.end(Ended { exit: Some(Exit::Unknown), message: None, time, requested: story.ending });
        }
        _ => {}
    }
    journal.append(Record::Empty { time, heir: None });
    Ok(())
}

fn take_lock(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// A line in `keeper.log`.
fn complain(run: &RunFolder, text: &str) {
    if let Ok(mut log) = OpenOptions::new().append(true).create(true).open(run.log()) {
        // If not even this can be written, there is nobody to tell.
        let _ = writeln!(log, "{} {text}", now() / 1_000_000_000);
    }
}

/// Nanoseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
