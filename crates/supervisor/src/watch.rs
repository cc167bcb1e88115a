//! Files whose change restarts a process.
//!
//! What is ignored costs nothing: on Linux, where each folder takes a watch of its own, none is put on folders that
//! `.gitignore` files exclude, nor on `.git` and `node_modules`. What a glob names literally is never ignored: `watch: [.env]`
//! means that file, whatever git thinks of it.
//!
//! A burst of changes is one: the files are told when none has changed for [`QUIET`], and while changes go on
//! without a pause, every [`LONGEST_BURST`].

mod burst;
mod globs;
mod ignored;
#[cfg(test)]
mod tests;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use globs::Globs;
use worker::{Message, Worker};

/// Without a change, until a burst is over: an editor saves, formats and saves again.
pub const QUIET: Duration = Duration::from_millis(100);

/// From the first change of a burst until it is told at the latest.
pub const LONGEST_BURST: Duration = Duration::from_secs(1);

/// Watches until it is dropped; nothing is told afterwards.
#[derive(Debug)]
pub struct FileWatch {
    stopped: Arc<AtomicBool>,
    messages: Sender<Message>,
}

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error("`{glob}` is no glob: {reason}")]
    Glob { glob: String, reason: String },
    /// Linux: all watches of this user together are too many.
    #[error("cannot watch {}: the system's limit of file watches is reached{}", folder.display(), now(sysctl))]
    TooMany {
        folder: PathBuf,
        /// What to raise.
        sysctl: &'static str,
    },
    #[error("cannot watch {}: {reason}", folder.display())]
    Refused { folder: PathBuf, reason: String },
}

impl WatchError {
    /// What a user can do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::TooMany { sysctl, .. } => Some(format!(
                "raise it (`sudo sysctl {sysctl}=N`, and in /etc/sysctl.d to keep it), or watch less: narrower globs, \
                 or a .gitignore for folders of generated files"
            )),
            Self::Glob { .. } | Self::Refused { .. } => None,
        }
    }
}

/// What the limit is, where the system tells.
fn now(sysctl: &str) -> String {
    let value =
        std::fs::read_to_string(format!("/proc/sys/{}", sysctl.replace('.', "/"))).unwrap_or_default();
    match value.trim() {
        "" => format!(" ({sysctl})"),
        value => format!(" ({sysctl} is {value})"),
    }
}

impl FileWatch {
    /// Calls `changed`, on a thread of its own, with the files that were changed, made or removed.
    ///
    /// `globs` are against `root`; `*` does not cross a `/`, `**` does, a folder's name means all below it, and `!` excludes
    /// what an earlier glob takes in. Folders that do not exist yet are waited for. Content is not compared: touching a file is
    /// a change. Its mode, and reading it, are not.
    ///
    /// It blocks while it goes through the folders, up to a second in a very large tree: not for an event loop's thread.
    ///
    /// # Errors
    /// A glob is none, or the system refuses to watch a folder.
    pub fn start(
        root: &Path,
        workspace: &Path,
        globs: &[String],
        changed: impl Fn(Vec<PathBuf>) + Send + 'static,
    ) -> Result<Self, WatchError> {
        // What the system reports has no links in it. A root that does not exist yet has none either.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (root, workspace) = (real(root), real(workspace));
        let globs = Globs::new(&root, globs)?;
        let (messages, receiver) = channel();
        let worker = Worker::new(globs, &workspace, messages.clone())?;
        let stopped = Arc::new(AtomicBool::new(false));
        let silent = Arc::clone(&stopped);
        let tell = move |files| {
            if !silent.load(Ordering::Acquire) {
                changed(files);
            }
        };
        let thread = std::thread::Builder::new().name("watch".into());
        let started = thread.spawn(move || worker.run(&receiver, tell));
        started.map_err(|error| WatchError::Refused { folder: root, reason: error.to_string() })?;
        Ok(Self { stopped, messages })
    }
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // A thread that has ended already needs no telling.
        let _ = self.messages.send(Message::Stop);
    }
}
