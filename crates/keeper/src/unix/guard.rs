//! Notices when somebody deletes or moves what the keeper needs: the run folder, the log's folder, the socket.

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// From the first sign to the mending: whoever deletes a folder is given the time to finish.
const SETTLE: Duration = Duration::from_millis(250);

/// From one attempt to the next while something can't be mended, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(8);

/// Without signs (a user has 128 inotify instances on many systems) it is looked this often.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// When to look after the files.
#[derive(Debug)]
pub(super) struct Guard {
    signs: signs::Signs,
    due: Option<Instant>,
    pause: Duration,
}

impl Guard {
    pub(super) fn new() -> Self {
        let mut guard = Self { signs: signs::Signs::new(), due: None, pause: FIRST_PAUSE };
        guard.is_well(Instant::now());
        guard
    }

    /// What to wait for; readable when there is a sign.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.signs.descriptor()
    }

    /// Notices changes of these files and folders from now on.
    pub(super) fn watch<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) {
        self.signs.watch(paths);
    }

    /// [`Guard::descriptor`] is readable.
    pub(super) fn noticed(&mut self, now: Instant) {
        if self.signs.take() {
            self.look_at(now + SETTLE);
        }
    }

    /// Something could not be done, and may be possible later.
    pub(super) fn try_later(&mut self, now: Instant) {
        if self.due.is_none() {
            self.due = Some(now + self.pause);
            self.pause = (self.pause * 2).min(LAST_PAUSE);
        }
    }

    /// Everything is as it should be.
    pub(super) fn is_well(&mut self, now: Instant) {
        self.pause = FIRST_PAUSE;
        if self.descriptor().is_none() {
            self.look_at(now + LOOK_EVERY);
        }
    }

    fn look_at(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Whether it is time to look after the files.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = self.due.is_some_and(|at| now >= at);
        if due {
            self.due = None;
        }
        due
    }
}

/// The folder that holds all of Forge's state: what the run's folder and the logs have in common. If it is gone, Forge
/// was removed, and nothing is made anew.
pub(super) fn state_folder(run: &Path, logs: &Path) -> PathBuf {
    let same = run.components().zip(logs.components()).take_while(|(one, other)| one == other);
    same.map(|(component, _)| component).collect()
}

#[cfg(target_os = "linux")]
mod signs {
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::path::Path;

    use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
    use rustix::io::Errno;

    /// inotify(7).
    #[derive(Debug)]
    pub(super) struct Signs(Option<OwnedFd>);

    impl Signs {
        pub(super) fn new() -> Self {
            Self(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok())
        }

        pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
            self.0.as_ref().map(AsFd::as_fd)
        }

        pub(super) fn watch<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) {
            let Some(fd) = &self.0 else { return };
            let signs = WatchFlags::ATTRIB
                | WatchFlags::DELETE
                | WatchFlags::DELETE_SELF
                | WatchFlags::MOVE_SELF
                | WatchFlags::MOVED_FROM;
            for path in paths {
                // What is not there now is made again later, and watched then.
                let _ = inotify::add_watch(fd, path, signs);
            }
        }

        /// Whether there was a sign.
        pub(super) fn take(&mut self) -> bool {
            let Some(fd) = &self.0 else { return false };
            let mut space = [MaybeUninit::uninit(); 1024];
            let mut reader = Reader::new(fd, &mut space);
            let mut seen = false;
            loop {
                match reader.next() {
                    Ok(_) => seen = true,
                    Err(Errno::INTR) => {}
                    Err(_) => return seen,
                }
            }
        }
    }
}

#[cfg(target_os = "macos")]
mod signs {
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::path::Path;
    use std::time::Duration;

    use rustix::event::kqueue::{self, Event, EventFilter, EventFlags, VnodeEvents};
    use rustix::fs::{Mode, OFlags};

    /// kqueue(2): a file has to be open to be watched.
    #[derive(Debug)]
    pub(super) struct Signs {
        queue: Option<OwnedFd>,
        files: Vec<OwnedFd>,
    }

    impl Signs {
        pub(super) fn new() -> Self {
            let queue = kqueue::kqueue().ok();
            if let Some(queue) = &queue {
                let _ = rustix::io::fcntl_setfd(queue, rustix::io::FdFlags::CLOEXEC);
            }
            Self { queue, files: Vec::new() }
        }

        pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
            self.queue.as_ref().map(AsFd::as_fd)
        }

        pub(super) fn watch<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) {
            let Some(queue) = &self.queue else { return };
            let events_only = OFlags::from_bits_retain(libc::O_EVTONLY.cast_unsigned());
            let flags = events_only | OFlags::CLOEXEC | OFlags::NONBLOCK;
            self.files = paths
                .into_iter()
                .filter_map(|path| rustix::fs::open(path, flags, Mode::empty()).ok())
                .collect();
            for file in &self.files {
                let vnode = std::os::fd::AsRawFd::as_raw_fd(file);
                let flags = VnodeEvents::DELETE | VnodeEvents::RENAME | VnodeEvents::LINK;
                let filter = EventFilter::Vnode { vnode, flags };
                let event = Event::new(filter, EventFlags::ADD | EventFlags::CLEAR, std::ptr::null_mut());
                let mut none: [Event; 0] = [];
                // SAFETY: the descriptor is open, and is closed together with its watch.
                let _ = unsafe { kqueue::kevent(queue, &[event], &mut none, Some(Duration::ZERO)) };
            }
        }

        /// Whether there was a sign.
        pub(super) fn take(&mut self) -> bool {
            let Some(queue) = &self.queue else { return false };
            let mut events: Vec<Event> = Vec::with_capacity(8);
            // SAFETY: the watched descriptors are those in `files`, all open.
            let taken = unsafe {
                kqueue::kevent(queue, &[], rustix::buffer::spare_capacity(&mut events), Some(Duration::ZERO))
            };
            taken.is_ok_and(|count| count > 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_folder_is_what_run_and_logs_share() {
        let cases = [
            (
                "/home/me/.local/state/forge/runs/b/1",
                "/home/me/.local/state/forge/logs/w/dev/api",
                "/home/me/.local/state/forge",
            ),
            ("/tmp/x/run", "/tmp/x/logs", "/tmp/x"),
            ("/a/run", "/b/logs", "/"),
        ];
        for (run, logs, expected) in cases {
            assert_eq!(
                state_folder(Path::new(run), Path::new(logs)),
                Path::new(expected),
                "{run} and {logs}"
            );
        }
    }

    #[test]
    fn a_deleted_file_is_noticed_and_looked_after_a_little_later() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        std::fs::write(&lock, "").unwrap();
        let mut guard = Guard::new();
        guard.watch([lock.as_path()]);
        let start = Instant::now();
        guard.noticed(start);
        assert_eq!(guard.deadline(), None, "nothing has happened");

        std::fs::remove_file(&lock).unwrap();
        guard.noticed(start);
        assert!(!guard.is_due(start), "the folder may be going just now");
        assert!(guard.is_due(start + SETTLE), "now");
        assert_eq!(guard.deadline(), None, "once");
    }

    #[test]
    fn what_fails_is_tried_less_and_less_often() {
        let mut guard = Guard::new();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..5 {
            guard.try_later(now);
            let due = guard.deadline().unwrap();
            pauses.push((due - now).as_secs());
            now = due;
            assert!(guard.is_due(now), "at its time");
        }
        assert_eq!(pauses, [1, 2, 4, 8, 8], "seconds between attempts");
    }
}
