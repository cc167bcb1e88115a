//! The FIFOs of a run: made once, found again by the keeper that replaces another.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Makes a FIFO, in place of one that is there.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let name = CString::new(path.as_os_str().as_bytes())?;
    let _ = std::fs::remove_file(path);
    // SAFETY: the name is a C string that lives through the call.
    let outcome = unsafe { libc::mkfifo(name.as_ptr(), 0o600) };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The keeper's end for reading what the child writes.
pub(super) fn reader(path: &Path) -> io::Result<OwnedFd> {
    open(path, OFlags::RDONLY | OFlags::NONBLOCK)
}

/// The keeper's end for writing what the child reads. Fails while nobody has it open for reading.
pub(super) fn writer(path: &Path) -> io::Result<OwnedFd> {
    open(path, OFlags::WRONLY | OFlags::NONBLOCK)
}

/// The child's end. For both directions whichever it uses, so that it neither gets SIGPIPE nor sees an end when the
/// keeper is killed: it waits at a full or an empty FIFO for the next one.
pub(super) fn child_end(path: &Path) -> io::Result<OwnedFd> {
    open(path, OFlags::RDWR)
}

fn open(path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    Ok(rustix::fs::open(path, flags | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())?)
}

/// Opens the FIFO that was at `path`, by the path or, if that was deleted, through a process that has it open.
pub(super) fn find(
    path: &Path,
    holders: &[u32],
    open: impl Fn(&Path) -> io::Result<OwnedFd>,
) -> io::Result<OwnedFd> {
    match open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let held = holders.iter().find_map(|&pid| held_by(pid, path));
            open(&held.ok_or(error)?)
        }
        opened => opened,
    }
}

/// The name under `/proc` of a descriptor that a process has on the deleted file `path`.
#[cfg(target_os = "linux")]
fn held_by(pid: u32, path: &Path) -> Option<std::path::PathBuf> {
    let mut deleted = path.as_os_str().to_owned();
    deleted.push(" (deleted)");
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let names = descriptors.flatten().map(|entry| entry.path());
    names.into_iter().find(|name| std::fs::read_link(name).is_ok_and(|target| target == Path::new(&deleted)))
}

/// There is no way to a file without a name here.
#[cfg(not(target_os = "linux"))]
fn held_by(_: u32, _: &Path) -> Option<std::path::PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_waits_for_the_next_reader() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.fifo");
        make(&path).unwrap();
        let first = reader(&path).unwrap();
        let child = child_end(&path).unwrap();
        drop(first);
        rustix::io::write(&child, b"kept").unwrap();

        let next = reader(&path).unwrap();
        let mut bytes = [0; 16];
        assert_eq!(rustix::io::read(&next, &mut bytes).unwrap(), 4, "written while nobody read");
        drop(child);
        assert_eq!(rustix::io::read(&next, &mut bytes).unwrap(), 0, "the child's end is the only one");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_deleted_fifo_is_found_through_who_has_it_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.fifo");
        make(&path).unwrap();
        let child = child_end(&path).unwrap();
        rustix::io::write(&child, b"kept").unwrap();
        std::fs::remove_file(&path).unwrap();

        let found = find(&path, &[1, std::process::id()], reader).unwrap();
        let mut bytes = [0; 16];
        assert_eq!(rustix::io::read(&found, &mut bytes).unwrap(), 4, "the same FIFO");
        assert!(find(&path, &[], reader).is_err(), "nobody is known to have it");
    }
}
