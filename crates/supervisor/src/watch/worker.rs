//! The thread that hears of changes, sorts them out, and follows new folders.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use notify::event::{AccessKind, AccessMode, Event, EventKind, ModifyKind};
use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::WatchError;
use super::burst::Burst;
use super::globs::Globs;
use super::ignored::{Ignored, is_scratch};

/// inotify watches folders one by one, so that ignored ones can be left out. The others watch whole trees, in the kernel.
const ONE_BY_ONE: bool = cfg!(any(target_os = "linux", target_os = "android"));

#[derive(Debug)]
pub(super) enum Message {
    Event(notify::Result<Event>),
    Stop,
}

pub(super) struct Worker {
    globs: Globs,
    ignored: Ignored,
    watcher: RecommendedWatcher,
    workspace: PathBuf,
    burst: Burst,
}

impl Worker {
    /// Watches when it returns.
    pub(super) fn new(globs: Globs, workspace: &Path, messages: Sender<Message>) -> Result<Self, WatchError> {
        let hear = move |event: notify::Result<Event>| {
            if event.as_ref().map_or(true, is_change) {
                // The thread has ended: so will this watcher.
                let _ = messages.send(Message::Event(event));
            }
        };
        let watcher = notify::recommended_watcher(hear).map_err(|error| refused(error, workspace))?;
        let ignored = Ignored::new(workspace);
        let mut worker =
            Self { globs, ignored, watcher, workspace: workspace.to_owned(), burst: Burst::default() };
        worker.watch_all()?;
        Ok(worker)
    }

    /// Until it is told to stop.
    pub(super) fn run(mut self, messages: &Receiver<Message>, changed: impl Fn(Vec<PathBuf>)) {
        loop {
            let message = match self.burst.due() {
                Some(due) => messages.recv_timeout(due.saturating_duration_since(Instant::now())),
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Event(Ok(event))) => self.sort_out(&event),
                Ok(Message::Event(Err(error))) => tracing::warn!("watch: {error}"),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            if let Some(files) = self.burst.take(Instant::now()) {
                changed(files);
            }
        }
    }

    fn sort_out(&mut self, event: &Event) {
        if event.need_rescan() {
            // The kernel had more to tell than it could keep: anything may have changed.
            self.follow_all();
            self.burst.add(self.workspace.clone(), Instant::now());
        }
        for path in &event.paths {
            if path.file_name().is_some_and(|name| name == ".gitignore") {
                self.ignored.forget();
                self.follow_all();
            }
            if is_folder(path) {
                if has_come(event.kind) {
                    self.follow(path);
                }
            } else if is_told(event.kind, path) {
                self.note(path);
            }
        }
    }

    fn note(&mut self, file: &Path) {
        if self.globs.matches(file) && !is_scratch(file) && !self.ignored.contains(file, false, &self.globs) {
            self.burst.add(file.to_owned(), Instant::now());
        }
    }

    /// A folder that has come: what is in it came before it was watched.
    fn follow(&mut self, folder: &Path) {
        match self.watch(folder) {
            Ok(files) => files.iter().for_each(|file| self.note(file)),
            Err(error) => tracing::warn!("{error}"),
        }
    }

    fn follow_all(&mut self) {
        if let Err(error) = self.watch_all() {
            tracing::warn!("{error}");
        }
    }

    /// Every folder that can hold a match, from the literal beginnings of the globs down.
    fn watch_all(&mut self) -> Result<(), WatchError> {
        let mut starts: Vec<_> = self.globs.bases().map(|base| start(base, &self.workspace)).collect();
        starts.sort();
        starts.dedup();
        for start in starts {
            self.watch(&start)?;
        }
        Ok(())
    }

    /// Watches `folder` and those below it that can hold a match. The files in them.
    fn watch(&mut self, folder: &Path) -> Result<Vec<PathBuf>, WatchError> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        let mode = if ONE_BY_ONE { RecursiveMode::NonRecursive } else { RecursiveMode::Recursive };
        if !ONE_BY_ONE {
            self.watch_one(folder, mode)?;
        }
        while let Some(folder) = folders.pop() {
            if !self.globs.leads_to(&folder) || self.ignored.contains(&folder, true, &self.globs) {
                continue;
            }
            if ONE_BY_ONE {
                self.watch_one(&folder, mode)?;
            }
            // Read after it is watched: what comes in between is seen twice rather than never.
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    Ok(_) => files.push(entry.path()),
                    Err(_) => {}
                }
            }
        }
        Ok(files)
    }

    fn watch_one(&mut self, folder: &Path, mode: RecursiveMode) -> Result<(), WatchError> {
        match self.watcher.watch(folder, mode) {
            // Gone again, or not ours to look into.
            Err(error) if is_passed_over(&error.kind) => Ok(()),
            outcome => outcome.map_err(|error| refused(error, folder)),
        }
    }
}

/// Where to begin: the nearest folder above a base that exists, so that the base is seen when it comes (again). Not above the
/// workspace, if the base itself is there: a whole home folder would be heard.
fn start(base: &Path, workspace: &Path) -> PathBuf {
    let above = base.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(base);
    if base.is_dir() && !above.starts_with(workspace) { base.to_owned() } else { above.to_owned() }
}

fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_dir())
}

/// Worth waking up for. Reading is not, nor is a look at the folder's own entries.
fn is_change(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        // inotify has `Close(Write)` for a file that is touched, and this for one whose mode is changed.
        EventKind::Modify(ModifyKind::Metadata(_)) => !ONE_BY_ONE,
        _ => true,
    }
}

/// Elsewhere than on Linux a touch cannot be told from a change of the mode but by the time that it sets.
fn is_told(kind: EventKind, path: &Path) -> bool {
    const RECENT: std::time::Duration = std::time::Duration::from_secs(2);

    if !matches!(kind, EventKind::Modify(ModifyKind::Metadata(_))) {
        return true;
    }
    let modified = path.metadata().and_then(|found| found.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age < RECENT))
}

fn has_come(kind: EventKind) -> bool {
    matches!(kind, EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_)) | EventKind::Any)
}

fn is_passed_over(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => {
            matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied)
        }
        _ => false,
    }
}

pub(super) fn refused(error: notify::Error, folder: &Path) -> WatchError {
    let folder = error.paths.first().map_or(folder, PathBuf::as_path).to_owned();
    match error.kind {
        ErrorKind::MaxFilesWatch => WatchError::TooMany { folder, sysctl: "fs.inotify.max_user_watches" },
        // EMFILE, of inotify_init(2): too many watchers of this user, or descriptors of this process.
        ErrorKind::Io(error) if ONE_BY_ONE && error.raw_os_error() == Some(24) => {
            WatchError::TooMany { folder, sysctl: "fs.inotify.max_user_instances" }
        }
        kind => WatchError::Refused { folder, reason: notify::Error::new(kind).to_string() },
    }
}
