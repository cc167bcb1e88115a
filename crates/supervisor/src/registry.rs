//! The workspaces that the faces show, and which of their commands the user has confirmed.
//!
//! A small file of the user's, `workspaces.json` in the data folder: written whole under another name and renamed, put
//! aside under a name that says so if it cannot be read.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use forge_api::{Time, WorkspaceCommand};
use forge_config::Config;
use forge_config::model::{Command, Probe, Process};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::home::write_private;

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    workspaces: Vec<Line>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    path: PathBuf,
    /// Of the commands that were confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trusted: Option<String>,
}

/// The list.
#[derive(Debug)]
pub(crate) struct Registry {
    path: PathBuf,
    /// Each with the hash of the commands that were confirmed.
    workspaces: BTreeMap<PathBuf, Option<String>>,
}

impl Registry {
    /// Reads it; without a file, or with one that cannot be read, it is empty.
    pub(crate) fn open(data: &Path) -> Self {
        let path = data.join("workspaces.json");
        let mut registry = Self { path, workspaces: BTreeMap::new() };
        match fs::read(&registry.path).map(|bytes| serde_json::from_slice::<File>(&bytes)) {
            Ok(Ok(file)) => {
                registry.workspaces =
                    file.workspaces.into_iter().map(|line| (line.path, line.trusted)).collect();
            }
            Ok(Err(error)) => registry.put_aside(&error),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!("{}: {error}", registry.path.display()),
        }
        registry
    }

    fn put_aside(&self, error: &serde_json::Error) {
        let aside = self.path.with_extension(format!("broken-{}", Time::now().as_millis()));
        tracing::error!("{}: {error}; it is kept as {}", self.path.display(), aside.display());
        if let Err(error) = fs::rename(&self.path, &aside) {
            tracing::error!("{}: {error}", aside.display());
        }
    }

    pub(crate) fn listed(&self) -> impl Iterator<Item = &PathBuf> {
        self.workspaces.keys()
    }

    pub(crate) fn contains(&self, workspace: &Path) -> bool {
        self.workspaces.contains_key(workspace)
    }

    /// The commands of this hash were confirmed.
    pub(crate) fn trusts(&self, workspace: &Path, hash: &str) -> bool {
        self.workspaces.get(workspace).is_some_and(|trusted| trusted.as_deref() == Some(hash))
    }

    /// Puts it on the list. `true` if it was not there.
    pub(crate) fn add(&mut self, workspace: &Path) -> io::Result<bool> {
        if self.contains(workspace) {
            return Ok(false);
        }
        self.workspaces.insert(workspace.to_path_buf(), None);
        self.write().map(|()| true)
    }

    /// Puts it on the list if it was not there, with the commands that were confirmed. `true` if that is news.
    pub(crate) fn trust(&mut self, workspace: &Path, hash: String) -> io::Result<bool> {
        if self.trusts(workspace, &hash) {
            return Ok(false);
        }
        self.workspaces.insert(workspace.to_path_buf(), Some(hash));
        self.write().map(|()| true)
    }

    /// Takes it off the list. `true` if it was there.
    pub(crate) fn remove(&mut self, workspace: &Path) -> io::Result<bool> {
        if self.workspaces.remove(workspace).is_none() {
            return Ok(false);
        }
        self.write().map(|()| true)
    }

    fn write(&self) -> io::Result<()> {
        let workspaces = self.workspaces.iter();
        let file = File {
            workspaces: workspaces
                .map(|(path, trusted)| Line { path: path.clone(), trusted: trusted.clone() })
                .collect(),
        };
        write_private(&self.path, &serde_json::to_vec_pretty(&file)?)
    }
}

/// All that a workspace would run.
pub(crate) fn commands(config: &Config) -> Vec<WorkspaceCommand> {
    let mut commands = Vec::new();
    for environment in config.environments.values() {
        for process in &environment.processes {
            let own = commands_of(process).into_iter().map(|(purpose, command)| WorkspaceCommand {
                environment: environment.name.clone(),
                process: process.name.clone(),
                purpose: purpose.to_owned(),
                command,
            });
            commands.extend(own);
        }
    }
    commands
}

fn commands_of(process: &Process) -> Vec<(&'static str, String)> {
    let mut commands = vec![("command", shown(&process.command))];
    if let Some(Probe::Exec(command)) = process.health_check.as_ref().map(|check| &check.probe) {
        commands.push(("health_check", shown(command)));
    }
    if let Some(command) = &process.shutdown.command {
        commands.push(("shutdown", shown(command)));
    }
    if let Some(command) = process.debug.as_ref().and_then(|debug| debug.command.as_ref()) {
        commands.push(("debug", shown(command)));
    }
    for (name, metric) in &process.metrics {
        if let Some(command) = metric.get("exec") {
            commands.push(("metrics", format!("{name}: {command}")));
        }
    }
    commands.extend(process.requires.iter().map(|one| ("requires", one.binary.clone())));
    commands
}

/// A command as it is shown to people: a list as JSON, so that its words stay apart.
pub(crate) fn shown(command: &Command) -> String {
    match command {
        Command::Shell(text) => text.clone(),
        Command::Exec(words) => serde_json::to_string(words).unwrap_or_default(),
    }
}

/// Of the commands and the folders that they run in: what trust is about. SHA-256, since whoever changes a workspace
/// must not be able to find other commands of the same hash.
pub(crate) fn hash(config: &Config) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    for command in commands(config) {
        for text in [&command.environment, &command.process, &command.purpose, &command.command] {
            add(text);
        }
    }
    for process in config.environments.values().flat_map(|environment| &environment.processes) {
        add(process.cwd.as_deref().unwrap_or("."));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".forge")).unwrap();
        fs::write(folder.path().join(".forge/processes.yml"), text).unwrap();
        forge_config::load(&forge_config::find(folder.path()).unwrap()).unwrap()
    }

    #[test]
    fn the_list_survives_being_closed() {
        let data = tempfile::tempdir().unwrap();
        let mut registry = Registry::open(data.path());
        assert!(registry.add(Path::new("/shop")).unwrap(), "new");
        assert!(!registry.add(Path::new("/shop")).unwrap(), "known");
        assert!(registry.trust(Path::new("/blog"), "abc".into()).unwrap(), "new, and trusted");
        let again = Registry::open(data.path());
        assert_eq!(again.listed().collect::<Vec<_>>(), [Path::new("/blog"), Path::new("/shop")], "both");
        assert!(again.trusts(Path::new("/blog"), "abc"), "as it was confirmed");
        assert!(!again.trusts(Path::new("/blog"), "other"), "other commands were not");
        assert!(!again.trusts(Path::new("/shop"), ""), "being on the list is no trust");
    }

    #[test]
    fn a_broken_file_is_put_aside() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("workspaces.json"), b"{\"workspaces\": [").unwrap();
        assert_eq!(Registry::open(data.path()).listed().count(), 0, "nothing to show");
        let names: Vec<_> = fs::read_dir(data.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert!(
            names.iter().any(|name| name.to_string_lossy().starts_with("workspaces.broken-")),
            "kept: {names:?}"
        );
    }

    #[test]
    fn trust_is_in_the_commands_and_their_folders_and_nothing_else() {
        let of = |text: &str| hash(&config(text));
        let base = of("dev:\n  - name: api\n    command: npm start\n    port: 3000\n");
        for (change, text, same) in [
            ("a port", "dev:\n  - name: api\n    command: npm start\n    port: 3001\n", true),
            ("a comment", "# hi\ndev:\n  - name: api\n    command: npm start\n    port: 3000\n", true),
            ("the command", "dev:\n  - name: api\n    command: npm run evil\n    port: 3000\n", false),
            ("its folder", "dev:\n  - name: api\n    command: npm start\n    cwd: evil\n", false),
            ("a check", "dev:\n  - name: api\n    command: npm start\n    health_check: sh evil.sh\n", false),
            (
                "its end",
                "dev:\n  - name: api\n    command: npm start\n    shutdown: {command: sh evil.sh}\n",
                false,
            ),
            ("words", "dev:\n  - name: api\n    command: [npm, start]\n", false),
        ] {
            assert_eq!(of(text) == base, same, "{change} changed");
        }
    }
}
