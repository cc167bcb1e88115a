//! What the tests with real processes share: a folder, a mark, scripts that misbehave, and an end for all of them.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::ops::{Deref, DerefMut};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use forge_system::tree::{Tree, subreaper};
use forge_system::{ProcessId, Signal};

const LIMIT: Duration = Duration::from_secs(20);

/// Polls until `condition` holds; fails the test if it never does.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn deadline() -> Instant {
    Instant::now() + LIMIT
}

/// A place to run scripts in, whose processes all carry one mark and all end with it.
pub(crate) struct Ground {
    folder: tempfile::TempDir,
    pub(crate) mark: String,
}

impl Ground {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let me = ProcessId::current().unwrap();
        let mark = format!("FORGE_RUN=test-{}-{}-{number}", me.pid, me.start);
        Self { folder: tempfile::tempdir().unwrap(), mark }
    }

    /// As a keeper would: this process holds, and orphans come to it.
    pub(crate) fn held() -> Self {
        assert!(subreaper(), "Linux has subreapers");
        Self::new()
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Runs a script in the folder, in a group of its own.
    pub(crate) fn spawn(&self, script: &str) -> Script {
        let (key, value) = self.mark.split_once('=').unwrap();
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script).current_dir(self.path()).env(key, value).process_group(0);
        Script(command.stdin(Stdio::null()).spawn().unwrap())
    }

    /// The tree of `root` as a keeper sees it.
    pub(crate) fn tree(&self, root: &Child) -> Tree {
        Tree::below(ProcessId::current().unwrap()).with_root(id(root)).with_mark(&self.mark)
    }

    /// What a script has written into a file: its PID, as a rule.
    #[track_caller]
    pub(crate) fn pid_in(&self, name: &str) -> ProcessId {
        let mut pid = None;
        until(&format!("a line in `{name}`"), || {
            let text = std::fs::read_to_string(self.file(name)).unwrap_or_default();
            pid = text.strip_suffix('\n').and_then(|line| line.trim().parse().ok());
            pid.is_some()
        });
        ProcessId::of(pid.unwrap()).unwrap().unwrap_or_else(|| panic!("`{name}` has ended already"))
    }

    /// Who carries the mark and lives, found without the code under test.
    pub(crate) fn survivors(&self) -> Vec<u32> {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == self.mark.as_bytes())
        })
        .collect()
    }
}

/// A child that need not be waited for: its ground reaps it.
pub(crate) struct Script(Child);

impl Deref for Script {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Script {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let mut tree = Tree::default().with_mark(&self.mark);
        let left = tree.kill_all(Instant::now() + LIMIT, reap);
        if !std::thread::panicking() {
            assert_eq!(left.unwrap(), [], "cleaned up");
        }
    }
}

pub(crate) fn id(child: &Child) -> ProcessId {
    ProcessId::of(child.id()).unwrap().expect("a child that is not reaped has an identity")
}

/// Reaps every child that has ended, adopted ones too.
pub(crate) fn reap() {
    use rustix::process::{WaitOptions, wait};
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

/// Sends a signal the plain way.
pub(crate) fn kill(pid: u32, signal: Signal) {
    assert!(ProcessId::of(pid).unwrap().unwrap().signal(signal).unwrap(), "{pid} is there");
}
