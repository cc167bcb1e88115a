//! Run folders on disk: made, found again, read, removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use forge_keeper::record::{Ended, Record};
use forge_keeper::spec::{RunFolder, Spec};
use forge_system::process::is_shortage;

use super::hold::HeirEnd;
use crate::home::private_folder;

/// A file of this size in a run folder is not ours to read: nothing that is written there grows like that.
const MAX_FILE: u64 = 64 << 20;

/// Makes the folder and writes the spec into it: from now on the run can be found again.
pub(crate) fn create(folder: &RunFolder, spec: &Spec) -> io::Result<()> {
    private_folder(folder.path())?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(folder.spec())?;
    file.write_all(&serde_json::to_vec(spec)?)
}

/// What the folder says of its run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// PID and start time of the child, once it was about to become the command.
    pub started: Option<(u32, u64, i64)>,
    pub ended: Option<Ended>,
    pub empty: bool,
    pub heir: Option<HeirEnd>,
}

/// Reads records and the last word. What is torn or unknown is passed over.
pub(crate) fn read(folder: &RunFolder) -> Told {
    parse(text(&folder.events()), text(&folder.exit()))
}

/// [`read`], unless the system has no room to look now: nothing would be said of a run that lives.
///
/// # Errors
/// Such a shortage.
pub(crate) fn look(folder: &RunFolder) -> io::Result<Told> {
    let pressed = |read: io::Result<String>| match read {
        Err(error) if is_shortage(&error) => Err(error),
        read => Ok(read),
    };
    Ok(parse(pressed(text(&folder.events()))?, pressed(text(&folder.exit()))?))
}

fn parse(events: io::Result<String>, exit: io::Result<String>) -> Told {
    let mut told = Told::default();
    for line in events.unwrap_or_default().lines() {
        match serde_json::from_str(line) {
            Ok(Record::Started { pid, start, time }) => told.started = Some((pid, start, time)),
            Ok(Record::Exited { exit, time }) if told.ended.is_none() => {
                told.ended = Some(Ended { exit: Some(exit), message: None, time, requested: false });
            }
            Ok(Record::Empty { heir, time }) => {
                (told.empty, told.heir) = (true, heir.map(|exit| (exit, time)));
            }
            _ => {}
        }
    }
    if let Some(ended) = exit.ok().and_then(|text| serde_json::from_str(&text).ok()) {
        told.ended = Some(ended);
    }
    told
}

fn text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The spec of a folder; `None` if it is not whole, which means that no keeper can have started from it.
pub(crate) fn spec(folder: &RunFolder) -> Option<Spec> {
    serde_json::from_str(&text(&folder.spec()).ok()?).ok()
}

/// The run folders of this boot.
pub(crate) fn all(runs: &Path) -> Vec<RunFolder> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).map(RunFolder::new).collect()
}

/// The lock of a folder whose keeper is dead. While it is held no keeper can take the run.
#[derive(Debug)]
pub(crate) struct Claim {
    _lock: File,
}

/// Whether a keeper holds the run. Makes nothing: a keeper may be about to remake what somebody deleted.
pub(crate) fn is_kept(folder: &RunFolder) -> io::Result<bool> {
    let lock = match OpenOptions::new().read(true).write(true).open(folder.lock()) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(!try_lock(&lock)?)
}

/// Claims a run whose folder is to be removed, unless a keeper lives: `None` then.
pub(crate) fn claim(folder: &RunFolder) -> io::Result<Option<Claim>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let lock = options.open(folder.lock())?;
    Ok(try_lock(&lock)?.then_some(Claim { _lock: lock }))
}

fn try_lock(lock: &File) -> io::Result<bool> {
    match lock.try_lock() {
        Ok(()) => Ok(true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Removes the folder of a run that is over, or that no keeper ever took. A keeper that was asked for and has not
/// taken the lock yet finds it gone, and ends.
pub(crate) fn remove(folder: &RunFolder, _claim: &Claim) {
    if let Err(error) = fs::remove_dir_all(folder.path()) {
        tracing::warn!("{}: {error}", folder.path().display());
    }
}

/// Folders of earlier boots, whose processes are all gone.
pub(crate) fn of_other_boots(runs: &Path, boot: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name() != boot).map(|entry| entry.path()).collect()
}
