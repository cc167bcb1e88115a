//! Other programs that hold processes, as far as they are on this machine or below `target/bench`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::measure::{alive, signal, tree, wait_for};
use crate::console::{self, output};
use crate::setup::{self, Tool, find};
use crate::workspace;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rival {
    Supervisord,
    Honcho,
    S6,
    Pm2,
}

const ALL: [Rival; 4] = [Rival::Supervisord, Rival::Honcho, Rival::S6, Rival::Pm2];

/// Those that can be run; the others are named.
pub(super) fn present() -> Vec<Rival> {
    let (present, missing): (Vec<_>, Vec<_>) = ALL.into_iter().partition(|rival| rival.program().is_some());
    println!("   goreman, overmind, mprocs and pitchfork are left out: nothing here drives them");
    for rival in missing {
        println!("   {} is not installed: left out (`cargo xtask bench --install` fetches it)", rival.name());
    }
    present
}

/// Fetches those that are missing, into `target/bench` where that is possible.
pub(super) fn install() -> Result<()> {
    let folder = workspace::target().join("bench");
    std::fs::create_dir_all(&folder)?;
    if Rival::Supervisord.program().is_none() || Rival::Honcho.program().is_none() {
        let python = find("python3").context("python3 is not found")?;
        console::run(Command::new(python).args(["-m", "venv"]).arg(folder.join("venv")))?;
        let pip = folder.join("venv/bin/pip");
        console::run(Command::new(pip).args([
            "install",
            "--quiet",
            "supervisor",
            "setuptools<81",
            "honcho",
        ]))?;
    }
    if Rival::Pm2.program().is_none() {
        let npm = find("npm").context("npm is not found")?;
        let quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
        console::run(
            Command::new(npm).args(["install", "--prefix"]).arg(folder.join("npm")).args(quiet).arg("pm2"),
        )?;
    }
    setup::ensure(&[Tool::S6, Tool::Ripgrep])
}

/// A rival with its children.
pub(super) struct Running {
    rival: Rival,
    folder: PathBuf,
    /// In the foreground; pm2 has gone into the background.
    child: Option<Child>,
    root: u32,
}

impl Rival {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Supervisord => "supervisord",
            Self::Honcho => "honcho",
            Self::S6 => "s6",
            Self::Pm2 => "pm2",
        }
    }

    fn program(self) -> Option<PathBuf> {
        let bench = workspace::target().join("bench");
        let own = match self {
            Self::Supervisord => bench.join("venv/bin/supervisord"),
            Self::Honcho => bench.join("venv/bin/honcho"),
            Self::Pm2 => bench.join("npm/node_modules/.bin/pm2"),
            Self::S6 => return find("s6-svscan"),
        };
        own.is_file().then_some(own).or_else(|| find(self.name()))
    }

    /// Whether it starts a crashed child again.
    pub(super) fn restarts(self) -> bool {
        self != Self::Honcho
    }

    /// `count` children with this command, all output kept as it does by default.
    pub(super) fn launch(self, folder: &Path, child: &str, count: usize) -> Result<Running> {
        let program = self.program().with_context(|| format!("{} is not installed", self.name()))?;
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match self {
            Self::Supervisord => {
                std::fs::write(
                    folder.join("supervisord.conf"),
                    supervisord_configuration(folder, child, count),
                )?;
                command.args(["--nodaemon", "--configuration", "supervisord.conf"]);
            }
            Self::Honcho => {
                let lines = (0..count).map(|number| format!("p{number}: exec {child}\n"));
                std::fs::write(folder.join("Procfile"), lines.collect::<String>())?;
                command.arg("start");
            }
            Self::S6 => {
                (0..count).try_for_each(|number| s6_service(&folder.join(format!("p{number}")), child))?;
                command.arg(folder);
            }
            Self::Pm2 => return self.launch_pm2(folder, child, count, &mut command),
        }
        let child = command.spawn().with_context(|| self.name())?;
        Ok(Running { rival: self, folder: folder.to_owned(), root: child.id(), child: Some(child) })
    }

    fn launch_pm2(self, folder: &Path, child: &str, count: usize, command: &mut Command) -> Result<Running> {
        let (script, arguments) = child.split_once(' ').context("a command with arguments")?;
        let apps: Vec<_> = (0..count)
            .map(|number| {
                serde_json::json!({"name": format!("p{number}"), "script": script, "args": arguments, "interpreter": "none"})
            })
            .collect();
        std::fs::write(folder.join("apps.json"), serde_json::json!({ "apps": apps }).to_string())?;
        console::run_quietly(command.args(["start", "apps.json"]).env("PM2_HOME", folder))?;
        let pid = std::fs::read_to_string(folder.join("pm2.pid"))?.trim().parse().context("pm2.pid")?;
        Ok(Running { rival: self, folder: folder.to_owned(), child: None, root: pid })
    }
}

impl Running {
    /// All that it consists of, without `children`.
    pub(super) fn own_processes(&self, children: &[u32]) -> Vec<u32> {
        tree(self.root).into_iter().filter(|pid| !children.contains(pid)).collect()
    }

    /// Ends it and its children in its own way.
    ///
    /// # Errors
    /// It did not end; then it is killed with all that is below it.
    pub(super) fn stop(mut self) -> Result<()> {
        match self.rival {
            Rival::Supervisord | Rival::Honcho => signal(self.root, Signal::TERM)?,
            Rival::S6 => console::run_quietly(Command::new("s6-svscanctl").arg("-t").arg(&self.folder))?,
            Rival::Pm2 => {
                let pm2 = self.rival.program().context("pm2 has gone")?;
                output(Command::new(pm2).arg("kill").env("PM2_HOME", &self.folder))?;
            }
        }
        wait_for(&format!("the end of {}", self.rival.name()), || match &mut self.child {
            Some(child) => child.try_wait().is_ok_and(|status| status.is_some()),
            None => !alive(self.root),
        })
    }
}

impl Drop for Running {
    /// What is still there after a failure would spoil the next figures.
    fn drop(&mut self) {
        if alive(self.root) {
            for pid in tree(self.root) {
                let _ = signal(pid, Signal::KILL);
            }
        }
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
    }
}

fn supervisord_configuration(folder: &Path, child: &str, count: usize) -> String {
    let folder = folder.display();
    let mut text = format!(
        "[supervisord]\nlogfile={folder}/supervisord.log\npidfile={folder}/pid\nchildlogdir={folder}\n"
    );
    for number in 0..count {
        // A percent sign is the start of one of its own variables.
        let child = child.replace('%', "%%");
        text.push_str(&format!("[program:p{number}]\ncommand={child}\nstartsecs=0\nautorestart=true\n"));
    }
    text
}

fn s6_service(folder: &Path, child: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(folder)?;
    let run = folder.join("run");
    std::fs::write(&run, format!("#!/bin/sh\nexec {child}\n"))?;
    std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o755)).context("a run script")
}
