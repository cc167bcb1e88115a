//! A Forge of its own with a workspace of its own, in a temporary folder.

mod observe;
mod reboot;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::{DEADLINE, Invocation, Ports, Process, Signal, Terminal, binaries, forge};

/// Names this world in the environment of all that runs in it.
const MARK: &str = "FORGE_TEST_WORLD";

/// One `FORGE_HOME` and one workspace. When it is dropped, everything is stopped as a user would do it, and the test
/// fails if anything survives that; then it is ended all the same.
#[derive(Debug)]
pub struct World {
    folder: TempDir,
    variables: BTreeMap<String, String>,
    ports: Ports,
    /// Of `FORGE_RUN`, seen so far: run folders are removed one day.
    runs: BTreeSet<String>,
    check_at_end: bool,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty workspace: a folder with nothing in it.
    ///
    /// # Panics
    /// The folders can't be made.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("forge-").tempdir().expect("a temporary folder");
        for name in ["workspace", "bin", "user"] {
            fs::create_dir(folder.path().join(name)).expect("a folder of the world");
        }
        let programs = binaries::nasty().parent().expect("the target folder");
        let system = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".into());
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let variables = BTreeMap::from([
            ("FORGE_HOME".to_owned(), text(&folder.path().join("home"))),
            ("HOME".to_owned(), text(&folder.path().join("user"))),
            (MARK.to_owned(), text(folder.path())),
            ("PATH".to_owned(), format!("{}:{}:{system}", text(&folder.path().join("bin")), text(programs))),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("SHELL".to_owned(), "/bin/sh".to_owned()),
            ("TZ".to_owned(), "UTC".to_owned()),
        ]);
        Self { folder, variables, ports: Ports::default(), runs: BTreeSet::new(), check_at_end: true }
    }

    /// A workspace with this `.forge/processes.yml`.
    #[must_use]
    pub fn with(processes: &str) -> Self {
        let world = Self::new();
        world.configure(processes);
        world
    }

    /// Writes `.forge/processes.yml`.
    ///
    /// # Panics
    /// It can't be written.
    pub fn configure(&self, processes: &str) {
        self.write(".forge/processes.yml", processes);
    }

    /// Writes the user's own `settings.yml`.
    ///
    /// # Panics
    /// It can't be written.
    pub fn settings(&self, content: &str) {
        let folder = self.home().join("config");
        fs::create_dir_all(&folder).expect("the configuration folder");
        fs::write(folder.join("settings.yml"), content).expect("settings");
    }

    /// Writes a file of the workspace, and the folders that lead to it.
    ///
    /// # Panics
    /// It can't be written.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders in the workspace");
        fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// A file of the workspace as text; empty if there is none.
    #[must_use]
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    /// Waits until a file of the workspace is `content`.
    ///
    /// # Panics
    /// It never is.
    #[track_caller]
    pub fn wait_file(&self, path: &str, content: &str) {
        let until = Instant::now() + DEADLINE;
        while self.read(path) != content {
            assert!(Instant::now() < until, "{path} never became {content:?}: {:?}", self.read(path));
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// A path in the workspace.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.workspace().join(path)
    }

    /// Everything of this world is below it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    #[must_use]
    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// First on the PATH; empty at first.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    /// `FORGE_HOME`.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The state folder.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.home().join("state")
    }

    /// The supervisor's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.home().join("run/forge.sock")
    }

    /// Sets a variable for every `forge` from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// The environment of every `forge`.
    #[must_use]
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// A port that nothing else takes as long as this world lives.
    #[must_use]
    pub fn free_port(&self) -> u16 {
        self.ports.free()
    }

    /// `forge ARGUMENTS`, in the workspace, to be run.
    #[must_use]
    pub fn forge<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Invocation {
        self.program(forge(), arguments)
    }

    /// Any program in the workspace and the world's environment.
    #[must_use]
    pub fn program<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Invocation {
        let start = Invocation::new(program).args(arguments).current_dir(self.workspace());
        self.variables.iter().fold(start, |invocation, (name, value)| invocation.env(name, value))
    }

    /// `forge ARGUMENTS` on a terminal.
    #[must_use]
    pub fn terminal<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Terminal {
        Terminal::spawn(forge(), arguments, self.variables.clone(), &self.workspace())
    }

    /// `forge start`, which must succeed.
    #[track_caller]
    pub fn start(&self) {
        self.forge(["start"]).run().ok();
    }

    /// Something will be left that is not Forge's to end: only clean up at the end.
    pub fn expect_survivors(&mut self) {
        self.check_at_end = false;
    }

    /// Stops everything as a user would. What is left afterwards, and why that is wrong.
    fn stop_all(&mut self) -> Result<(), String> {
        if !self.state().exists() {
            return Ok(());
        }
        for folder in self.run_folders() {
            let spec = fs::read(folder.join("spec.json")).unwrap_or_default();
            let spec: Value = serde_json::from_slice(&spec).unwrap_or_default();
            self.runs.extend(spec["run"].as_str().map(str::to_owned));
        }
        let stop = self.forge(["stop", "--all"]).run();
        if stop.code != Some(0) {
            return Err(format!("stopping everything failed: {stop}"));
        }
        let supervisor = self.supervisor();
        let is_supervisor =
            |process: &Process| supervisor.as_ref().is_some_and(|supervisor| supervisor.pid == process.pid);
        gone(|| self.alive().into_iter().filter(|process| !is_supervisor(process)).collect())
            .map_err(|left| format!("alive after everything was stopped: {left:#?}"))?;
        if let Some(supervisor) = &supervisor {
            supervisor.signal(Signal::TERM);
        }
        gone(|| self.alive()).map_err(|left| format!("the supervisor does not heed SIGTERM: {left:#?}"))
    }

    fn print_diagnostics(&self) {
        let mut logs = vec![self.state().join("supervisor.log")];
        logs.extend(self.run_folders().into_iter().map(|folder| folder.join("keeper.log")));
        for log in logs {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if !text.is_empty() {
                let lines: Vec<&str> = text.lines().collect();
                let tail = lines[lines.len().saturating_sub(40)..].join("\n");
                eprintln!("--- {}\n{tail}", log.display());
            }
        }
    }
}

/// Waits until none of `look` is left; else those that are.
fn gone(look: impl Fn() -> Vec<Process>) -> Result<(), Vec<Process>> {
    let until = Instant::now() + DEADLINE / 2;
    loop {
        let left = look();
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(left);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let failed_before = thread::panicking();
        if failed_before {
            self.print_diagnostics();
        }
        // A failed test, and one that expects it, only cleans up.
        let result = if failed_before || !self.check_at_end {
            Ok(())
        } else {
            catch_unwind(AssertUnwindSafe(|| self.stop_all())).unwrap_or_else(|_| Err("see above".into()))
        };
        if result.is_err() {
            self.print_diagnostics();
        }
        // Keepers start a supervisor when they lose one: those first, then whatever else there is, until all are gone.
        let until = Instant::now() + DEADLINE;
        loop {
            let left = self.alive();
            if left.is_empty() || Instant::now() > until {
                break;
            }
            left.iter().for_each(|process| process.signal(Signal::KILL));
            thread::sleep(Duration::from_millis(5));
        }
        if let Err(problem) = result {
            panic!("{problem}");
        }
    }
}
