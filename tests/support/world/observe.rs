//! How a world looks: through Forge's eyes (`status`), and past them (files, `/proc`, the socket).

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use serde_json::Value;

use super::{MARK, World};
use crate::{DEADLINE, Entry, Line, Process, Rpc, Signal, entries, join, marked, wait_for, wait_until};

impl World {
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

    /// Waits until what the supervisor has saved of an environment has this in it: the next one knows it then.
    ///
    /// # Panics
    /// It never has.
    #[track_caller]
    pub fn wait_saved(&self, text: &str) {
        wait_until(&format!("{text} is written down"), || {
            let states = fs::read_dir(self.state().join("environments")).into_iter().flatten().flatten();
            states
                .into_iter()
                .any(|file| fs::read_to_string(file.path()).is_ok_and(|saved| saved.contains(text)))
        });
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
}

/// The named process in the document of `forge status --json`.
fn process_of(status: &Value, name: &str) -> Option<Value> {
    status["processes"].as_array()?.iter().find(|process| process["name"] == name).cloned()
}
