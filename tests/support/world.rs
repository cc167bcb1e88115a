//! A Forge of its own with a workspace of its own, in a temporary folder.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{io, thread};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    DEADLINE, Entry, Invocation, Line, Ports, Process, Rpc, Signal, Terminal, binaries, entries, forge, join,
    marked, wait_for, wait_until,
};

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

    /// `forge status --json`.
    #[must_use]
    #[track_caller]
    pub fn status(&self) -> Value {
        let outcome = self.forge(["status", "--json"]).run();
        outcome.ok();
        outcome.json()
    }

    /// The named process in [`World::status`].
    ///
    /// # Panics
    /// It is not there.
    #[must_use]
    #[track_caller]
    pub fn process(&self, name: &str) -> Value {
        let status = self.status();
        process_of(&status, name).unwrap_or_else(|| panic!("no process {name} in {status:#}"))
    }

    /// The PID that Forge tells of the named process, which runs.
    ///
    /// # Panics
    /// It does not run.
    #[must_use]
    #[track_caller]
    pub fn pid(&self, name: &str) -> Process {
        let process = self.process(name);
        let pid = process["pid"].as_u64().and_then(|pid| Process::find(u32::try_from(pid).ok()?));
        pid.unwrap_or_else(|| panic!("{name} has no live process: {process:#}"))
    }

    /// Waits until `condition` holds for the named process, and returns that.
    ///
    /// # Panics
    /// It never does; says how the process was at last.
    #[track_caller]
    pub fn wait_process(&self, name: &str, what: &str, mut condition: impl FnMut(&Value) -> bool) -> Value {
        let until = Instant::now() + DEADLINE;
        loop {
            let process = self.process(name);
            if condition(&process) {
                return process;
            }
            assert!(Instant::now() < until, "waited in vain for {name}: {what}: {process:#}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the named process has this `status`.
    #[track_caller]
    pub fn wait_status(&self, name: &str, status: &str) -> Value {
        self.wait_process(name, status, |process| process["status"] == status)
    }

    /// The folder of a process's segments.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    #[track_caller]
    pub fn log_folder(&self, environment: &str, process: &str) -> PathBuf {
        self.find_logs(environment, process).unwrap_or_else(|| panic!("no logs of {environment}/{process}"))
    }

    fn find_logs(&self, environment: &str, process: &str) -> Option<PathBuf> {
        let workspaces = fs::read_dir(self.state().join("logs")).ok()?.flatten();
        let mut folders = workspaces.map(|folder| folder.path().join(environment).join(process));
        folders.find(|folder| folder.is_dir())
    }

    /// The stored entries of a process of `dev`; none before its first run.
    #[must_use]
    #[track_caller]
    pub fn entries(&self, process: &str) -> Vec<Entry> {
        self.find_logs("dev", process).map(|folder| entries(&folder)).unwrap_or_default()
    }

    /// The stored lines of a process of `dev`, fragments joined.
    #[must_use]
    #[track_caller]
    pub fn lines(&self, process: &str) -> Vec<Line> {
        join(&self.entries(process))
    }

    /// Waits until a process of `dev` has stored a line that is `text`.
    ///
    /// # Panics
    /// It never has.
    #[track_caller]
    pub fn wait_line(&self, process: &str, text: &str) {
        let until = Instant::now() + DEADLINE;
        loop {
            let lines = self.lines(process);
            if lines.iter().any(|line| line.text() == text) {
                return;
            }
            let last: Vec<String> = lines.iter().rev().take(10).map(Line::text).collect();
            assert!(Instant::now() < until, "{process} never wrote {text:?}; its last lines: {last:#?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// A connection to the supervisor that runs.
    ///
    /// # Errors
    /// None runs.
    pub fn rpc(&self) -> io::Result<Rpc> {
        Rpc::connect(&self.socket())
    }

    /// The supervisor that answers on the socket; none is started for the question.
    #[must_use]
    pub fn supervisor(&self) -> Option<Process> {
        let pid = self.rpc().ok()?.hello["pid"].as_u64()?;
        Process::find(u32::try_from(pid).ok()?)
    }

    /// Waits until a supervisor answers, and returns it.
    #[track_caller]
    pub fn wait_supervisor(&self) -> Process {
        wait_for("a supervisor answers", || self.supervisor())
    }

    /// Kills the supervisor, as the kernel would for memory.
    ///
    /// # Panics
    /// None runs, or it does not die.
    #[track_caller]
    pub fn kill_supervisor(&self) -> Process {
        let supervisor = self.supervisor().expect("a supervisor that answers");
        supervisor.signal(Signal::KILL);
        wait_until("the supervisor dies", || !supervisor.is_alive());
        supervisor
    }

    /// The run folders that there are now.
    #[must_use]
    pub fn run_folders(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.state().join("runs")];
        while let Some(folder) = open.pop() {
            if folder.join("spec.json").exists() {
                found.push(folder);
                continue;
            }
            let inside = fs::read_dir(&folder).into_iter().flatten().flatten();
            open.extend(inside.map(|entry| entry.path()).filter(|path| path.is_dir()));
        }
        found.sort();
        found
    }

    /// The run folder of the newest run of a process, and its `spec.json`.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    #[track_caller]
    pub fn run_folder(&self, process: &str) -> (PathBuf, Value) {
        let specs = self.run_folders().into_iter().filter_map(|folder| {
            let spec: Value = serde_json::from_slice(&fs::read(folder.join("spec.json")).ok()?).ok()?;
            (spec["process"] == process).then_some((folder, spec))
        });
        specs
            .max_by_key(|(_, spec)| spec["number"].as_u64())
            .unwrap_or_else(|| panic!("no run folder of {process}"))
    }

    /// The keeper of a process, from what it wrote into its run folder.
    ///
    /// # Panics
    /// It is not alive.
    #[must_use]
    #[track_caller]
    pub fn keeper(&self, process: &str) -> Process {
        let (folder, _) = self.run_folder(process);
        let events = fs::read_to_string(folder.join("events")).unwrap_or_default();
        let keeper = events.lines().rev().find_map(|line| {
            let record: Value = serde_json::from_str(line).ok()?;
            (record["event"] == "keeper").then(|| record["pid"].as_u64()).flatten()
        });
        let keeper = keeper.and_then(|pid| Process::find(u32::try_from(pid).ok()?));
        keeper.unwrap_or_else(|| panic!("no live keeper of {process}: {events}"))
    }

    /// Everything of this world that lives, the supervisor and the keepers too, the programs that the test itself
    /// holds excepted.
    #[must_use]
    pub fn alive(&self) -> Vec<Process> {
        let mut marks = vec![format!("{MARK}={}", self.folder.path().display())];
        marks.push(format!("FORGE_HOME={}", self.home().display()));
        marks.extend(self.runs.iter().map(|run| format!("FORGE_RUN={run}")));
        marks.extend(self.run_folders().iter().filter_map(|folder| {
            let spec: Value = serde_json::from_slice(&fs::read(folder.join("spec.json")).ok()?).ok()?;
            Some(format!("FORGE_RUN={}", spec["run"].as_str()?))
        }));
        marked(&marks)
    }

    /// Those of [`World::alive`] that Forge started for the user: what has a run's mark.
    #[must_use]
    pub fn programs(&self) -> Vec<Process> {
        let mut programs = self.alive();
        programs.retain(|process| process.variable("FORGE_RUN").is_some());
        programs
    }

    /// Waits until no program of the user's runs.
    ///
    /// # Panics
    /// Some are left.
    #[track_caller]
    pub fn wait_nothing_left(&self) {
        let until = Instant::now() + DEADLINE;
        loop {
            let left = self.programs();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "still alive: {left:#?}");
            thread::sleep(Duration::from_millis(10));
        }
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

/// The named process in the document of `forge status --json`.
fn process_of(status: &Value, name: &str) -> Option<Value> {
    status["processes"].as_array()?.iter().find(|process| process["name"] == name).cloned()
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
