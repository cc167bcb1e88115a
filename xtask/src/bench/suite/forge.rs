//! A Forge of the benchmark's own: its own home, its own workspace.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use super::measure::{alive, signal, wait_for};
use super::{Bench, measure};
use crate::console::output;

pub(super) struct Forge {
    program: PathBuf,
    home: PathBuf,
    workspace: PathBuf,
}

impl Forge {
    /// With this `processes.yml`; nothing runs yet.
    pub(super) fn new(bench: &Bench, configuration: &str) -> Result<Self> {
        Self::named(bench, "forge", configuration)
    }

    /// One beside others.
    pub(super) fn named(bench: &Bench, name: &str, configuration: &str) -> Result<Self> {
        let folder = bench.folder(name)?;
        let forge = Self {
            program: bench.forge.clone(),
            home: folder.join("home"),
            workspace: folder.join("workspace"),
        };
        std::fs::create_dir_all(forge.workspace.join(".forge"))?;
        std::fs::write(forge.workspace.join(".forge/processes.yml"), configuration)?;
        Ok(forge)
    }

    /// The user's own settings.
    pub(super) fn settings(&self, settings: &str) -> Result<()> {
        let folder = self.home.join("config");
        std::fs::create_dir_all(&folder)?;
        Ok(std::fs::write(folder.join("settings.yml"), settings)?)
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.workspace).env("FORGE_HOME", &self.home);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    pub(super) fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// Where its supervisor listens.
    pub(super) fn socket(&self) -> PathBuf {
        self.home.join("run/forge.sock")
    }

    /// Runs it to its end.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<()> {
        output(self.command(arguments).stdout(Stdio::piped())).map(|_| ())
    }

    pub(super) fn status(&self, environment: &str) -> Result<Value> {
        let text = output(self.command(&["status", environment, "--json"]).stdout(Stdio::piped()))?;
        serde_json::from_str(&text).context("forge status --json")
    }

    /// The supervisor and the keepers of what runs in `environment`.
    pub(super) fn own_processes(&self, environment: &str) -> Result<Vec<u32>> {
        let status = self.status(environment)?;
        let processes = status["processes"].as_array().cloned().unwrap_or_default();
        let mut own = vec![pid_of(&status["supervisor"]["pid"]).context("no supervisor runs")?];
        for process in processes {
            let child =
                pid_of(&process["pid"]).with_context(|| format!("{} does not run", process["name"]))?;
            own.push(measure::parent(child).context("the child has no keeper")?);
        }
        Ok(own)
    }

    /// Where a process's log segments are.
    pub(super) fn segments(&self, environment: &str, process: &str) -> Result<PathBuf> {
        let wanted = Path::new(environment).join(process);
        let workspaces = std::fs::read_dir(self.home.join("state/logs")).context("no logs")?;
        let found = workspaces.flatten().map(|entry| entry.path().join(&wanted)).find(|path| path.is_dir());
        found.with_context(|| format!("no log folder of {}", wanted.display()))
    }
}

pub(super) fn pid_of(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|pid| u32::try_from(pid).ok())
}

impl Drop for Forge {
    fn drop(&mut self) {
        let supervisor = self.status("dev").map(|status| status["supervisor"]["pid"].clone());
        let _ = self.run(&["stop", "--all"]);
        if let Some(pid) = supervisor.as_ref().ok().and_then(pid_of)
            && signal(pid, rustix::process::Signal::TERM).is_ok()
        {
            let _ = wait_for("the supervisor's end", || !alive(pid));
        }
    }
}
