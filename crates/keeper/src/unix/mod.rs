//! The keeper on Linux and macOS: one thread around poll(2).
//!
//! [`keeper`] is the loop; [`begin`] takes a run, [`serve`] answers clients, [`end`] does what follows the end of the
//! main process and what [`crate::ending`] decides. What a keeper needs of the system is around them: [`hygiene`],
//! [`spawn`], [`hold`] (the tree), [`output`], [`input`], [`terminal`], [`fifo`], [`clients`], and [`guard`] for what is
//! deleted under it.

mod begin;
mod clients;
mod end;
mod explain;
mod fifo;
mod guard;
mod hold;
mod hygiene;
mod input;
mod keeper;
mod outgoing;
mod output;
mod serve;
mod spawn;
mod terminal;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use forge_keeper::message::PROTOCOL;
use forge_keeper::spec::{RunFolder, Spec};
use rustix::fs::FlockOperation;

use keeper::Keeper;

/// Another keeper has the run, or the folder is gone: nothing to do, and nothing to say.
const TAKEN: u8 = 3;

/// Holds the run of `folder` until nothing of it is left.
pub(crate) fn hold(folder: &Path, adopt: bool) -> ExitCode {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| PathBuf::from(folder));
    let run = RunFolder::new(folder);
    let umask = hygiene::leave_home();
    hygiene::limit_heap();
    let Ok(Some(lock)) = take_lock(&run.lock()) else { return ExitCode::from(TAKEN) };
    if let Err(error) = hygiene::redirect_streams(&run.log()) {
        complain(&format!("cannot open {}: {error}", run.log().display()));
    }
    let kept = read_spec(&run.spec()).and_then(|spec| {
        let keeper = Keeper::new(run, spec, lock, umask)?;
        if adopt { keeper.adopt() } else { keeper.start() }
    });
    match kept {
        Ok(Some(keeper)) => {
            // Where it could not listen it has not been said yet, and nobody is to wait for it.
            let _ = hygiene::say_ready();
            keeper.keep();
            ExitCode::SUCCESS
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Takes the run's lock. `None`: somebody else has it.
fn take_lock(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(None);
    }
    // A supervisor may have removed the folder of this run between the opening and the locking.
    Ok(names(path, &file).then_some(file))
}

/// Whether `path` still leads to this open file.
fn names(path: &Path, file: &File) -> bool {
    match (fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(here)) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
        _ => false,
    }
}

fn read_spec(path: &Path) -> io::Result<Spec> {
    let fault = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
    let bytes = fs::read(path).map_err(|error| fault(&error))?;
    let spec: Spec = serde_json::from_slice(&bytes).map_err(|error| fault(&error))?;
    if spec.protocol > PROTOCOL {
        return Err(fault(&format!("protocol {} is newer than this keeper's {PROTOCOL}", spec.protocol)));
    }
    Ok(spec)
}

/// A line in `keeper.log`.
fn complain(text: &str) {
    // If not even this can be written, there is nobody to tell.
    let _ = writeln!(io::stderr(), "{} {text}", spawn::now() / 1_000_000_000);
}

/// A pipe that no child inherits.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(target_os = "linux")]
    let ends = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    #[cfg(not(target_os = "linux"))]
    let ends = {
        let ends = rustix::pipe::pipe()?;
        rustix::io::fcntl_setfd(&ends.0, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::fcntl_setfd(&ends.1, rustix::io::FdFlags::CLOEXEC)?;
        ends
    };
    Ok(ends)
}
