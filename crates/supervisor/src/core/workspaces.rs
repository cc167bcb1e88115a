//! The workspaces that the faces show, and trust in what they run.

use std::path::{Path, PathBuf};

use forge_api::{
    AddWorkspace, Code, Done, EnvironmentSummary, Error, ProcessStatus, RemoveWorkspace, State,
    TrustWorkspace, Update, Workspace, WorkspaceCommands, WorkspaceCommandsAnswer, WorkspacesAnswer,
};
use forge_config::Config;

use super::look::{add_configured, is_outdated, is_shown};
use super::{Core, Environment, EnvironmentKey};
use crate::registry;
use crate::summary::{Glance, glance};

/// What a first configuration looks like: it runs as it is, and says what else there is.
const EXAMPLE: &str = include_str!("example.yml");

impl Core {
    pub(super) fn workspaces(&mut self) -> WorkspacesAnswer {
        let mut workspaces: Vec<Workspace> =
            self.shown_workspaces().iter().map(|path| self.workspace(path)).collect();
        tell_apart(&mut workspaces);
        workspaces.sort_by(|one, other| (&one.name, &one.path).cmp(&(&other.name, &other.path)));
        WorkspacesAnswer { workspaces }
    }

    /// Those on the list, and those with something running.
    pub(super) fn shown_workspaces(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = self.registry.listed().cloned().collect();
        for (key, environment) in &self.environments {
            if environment.is_active() && !paths.contains(&key.workspace) {
                paths.push(key.workspace.clone());
            }
        }
        paths
    }

    fn workspace(&mut self, path: &Path) -> Workspace {
        let config = self.loaded(path);
        let known = self.environments.iter().filter(|(key, one)| key.workspace == path && one.is_active());
        let mut names: Vec<String> =
            config.as_ref().map(|config| config.environments.keys().cloned().collect()).unwrap_or_default();
        for (key, _) in known {
            if !names.contains(&key.environment) {
                names.push(key.environment.clone());
            }
        }
        let environments = names
            .into_iter()
            .map(|environment| EnvironmentKey { workspace: path.to_path_buf(), environment })
            .map(|key| self.summary(&key, config.as_deref().ok()))
            .collect();
        let file = match &config {
            Ok(config) => config.file.clone(),
            Err(_) => forge_config::find(path).map_or_else(|| configuration_of(path), |found| found.file),
        };
        Workspace {
            path: path.to_path_buf(),
            name: path
                .file_name()
                .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned()),
            file,
            trusted: self.is_confirmed(path),
            problem: config.err(),
            environments,
        }
    }

    /// An environment in short; without a configuration, what is known of it all the same.
    pub(super) fn summary(&mut self, key: &EnvironmentKey, config: Option<&Config>) -> EnvironmentSummary {
        let mut processes: Vec<ProcessStatus> = self
            .environments
            .get(key)
            .into_iter()
            .flat_map(|environment| &environment.processes)
            .filter(|(name, process)| is_shown(process, name, key, config))
            .map(|(name, process)| process.status(name, Vec::new()))
            .collect();
        if let Some(config) = config {
            add_configured(config, &key.environment, &mut processes, &mut []);
        }
        let configured = config.and_then(|config| config.environments.get(&key.environment));
        let Glance { state, mood, active } = glance(&processes);
        let now = config.and_then(|config| self.fingerprints(key, config).ok());
        let known = self.environments.get(key).into_iter().flat_map(|environment| &environment.processes);
        let outdated = known.into_iter().any(|(name, one)| is_outdated(one, name, now.as_deref()));
        let idle = |one: &ProcessStatus| !one.disabled && !one.wanted && !one.status.is_alive();
        EnvironmentSummary {
            workspace: key.workspace.clone(),
            environment: key.environment.clone(),
            description: configured.and_then(|environment| environment.description.clone()),
            // What is only started by its name, and is not, is none that anybody waits for.
            processes: count(&processes, |one| !one.disabled || one.wanted || one.status.is_alive()),
            running: count(&processes, |one| one.status.is_alive()),
            ready: count(&processes, |one| one.ready),
            state,
            mood,
            active,
            startable: configured.is_some()
                && (outdated
                    || processes
                        .iter()
                        .any(|one| idle(one) || matches!(one.status, State::Failed | State::Crashed))),
            url: self.environments.get(key).and_then(super::look::url),
        }
    }

    pub(super) fn add_workspace(&mut self, add: &AddWorkspace) -> Result<Workspace, Error> {
        if !add.path.is_dir() {
            let text = format!("there is no folder {}", add.path.display());
            return Err(Error::new(Code::NotFound, text).help("name one that exists"));
        }
        let root = match self.workspace_of(&add.path) {
            Ok(root) => root,
            Err(error) if error.code == Code::NoWorkspace && add.create => write_example(&add.path)?,
            Err(error) => return Err(error),
        };
        let added = self.registry.add(&root).map_err(not_kept)?;
        if added {
            self.workspaces_changed();
        }
        Ok(self.workspace(&root))
    }

    pub(super) fn remove_workspace(&mut self, remove: &RemoveWorkspace) -> Result<Done, Error> {
        let path = std::fs::canonicalize(&remove.path).unwrap_or_else(|_| remove.path.clone());
        let root = if self.registry.contains(&path) { path } else { self.workspace_of(&path)? };
        if let [running, ..] = self.running(&root).as_slice() {
            return Err(Error::new(
                Code::Usage,
                format!("{running} of {} runs, so it stays on the list", root.display()),
            )
            .help(format!("stop it first: forge -C {} stop {running}", root.display())));
        }
        if self.registry.remove(&root).map_err(not_kept)? {
            self.workspaces_changed();
            return Ok(Done {});
        }
        Err(Error::new(Code::NotFound, format!("{} is not on the list", root.display()))
            .help("`forge workspaces list` shows what is"))
    }

    pub(super) fn workspace_commands(
        &mut self,
        asked: &WorkspaceCommands,
    ) -> Result<WorkspaceCommandsAnswer, Error> {
        let root = self.workspace_of(&asked.path)?;
        let config = self.loaded(&root)?;
        let hash = registry::hash(&config);
        let trusted = self.registry.trusts(&root, &hash);
        Ok(WorkspaceCommandsAnswer { hash, trusted, commands: registry::commands(&config) })
    }

    pub(super) fn trust_workspace(&mut self, trust: &TrustWorkspace) -> Result<Workspace, Error> {
        let root = self.workspace_of(&trust.path)?;
        let config = self.loaded(&root)?;
        let hash = registry::hash(&config);
        if trust.hash.as_ref().is_some_and(|seen| *seen != hash) {
            let text = format!("the commands of {} have changed since they were shown", root.display());
            return Err(Error::new(Code::Untrusted, text).help("look at them again"));
        }
        self.confirm(&root, hash)?;
        Ok(self.workspace(&root))
    }

    /// A start that was typed there, or asked for by somebody who confirmed the commands; any other is refused.
    pub(super) fn check_trust(&mut self, root: &Path, config: &Config, typed: bool) -> Result<(), Error> {
        let hash = registry::hash(config);
        if typed {
            return self.confirm(root, hash).or_else(|error| {
                // What the user asks for is done all the same.
                tracing::error!("{}", error.message);
                Ok(())
            });
        }
        if self.registry.trusts(root, &hash) {
            return Ok(());
        }
        let text = format!("nobody has confirmed what {} runs", root.display());
        Err(Error::new(Code::Untrusted, text)
            .help(format!("look at its commands and trust them, or run `forge -C {} start`", root.display()))
            .details(serde_json::json!({ "hash": hash })))
    }

    /// The commands are the ones that were confirmed: what is asked before they run although nobody asked for it now.
    pub(super) fn is_confirmed(&mut self, root: &Path) -> bool {
        self.loaded(root).is_ok_and(|config| self.registry.trusts(root, &registry::hash(&config)))
    }

    fn confirm(&mut self, root: &Path, hash: String) -> Result<(), Error> {
        if self.registry.trust(root, hash).map_err(not_kept)? {
            self.workspaces_changed();
        }
        Ok(())
    }

    /// Whoever shows the list is to look again.
    pub(super) fn workspaces_changed(&mut self) {
        self.watch_configurations();
        self.close_gone();
        self.publish(Update::Workspaces {});
    }

    /// All environments that the faces show, also those that were never started.
    pub(super) fn shown_environments(&mut self) -> Vec<EnvironmentKey> {
        let mut keys: Vec<EnvironmentKey> = Vec::new();
        for workspace in self.shown_workspaces() {
            let config = self.loaded(&workspace);
            let configured = config.iter().flat_map(|config| config.environments.keys());
            keys.extend(
                configured
                    .map(|name| EnvironmentKey { workspace: workspace.clone(), environment: name.clone() }),
            );
        }
        let known = self.environments.iter().filter(|(_, one)| one.is_active()).map(|(key, _)| key);
        for key in known {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys
    }
}

/// Folders of one name are called by as much of their paths as it takes: `shop/backend`, `blog/backend`.
fn tell_apart(workspaces: &mut [Workspace]) {
    let names: Vec<String> = workspaces
        .iter()
        .map(|one| {
            let same = workspaces.iter().filter(|other| other.path != one.path && other.name == one.name);
            let same: Vec<&Workspace> = same.collect();
            let ends = |count| end_of(&one.path, count);
            let unique = |count: &usize| same.iter().all(|other| end_of(&other.path, *count) != ends(*count));
            let depth = one.path.components().count();
            (1..depth).find(unique).map_or_else(|| one.name.clone(), ends)
        })
        .collect();
    for (workspace, name) in workspaces.iter_mut().zip(names) {
        workspace.name = name;
    }
}

/// The last folders of a path.
fn end_of(path: &Path, count: usize) -> String {
    let all: Vec<_> = path.components().map(|one| one.as_os_str().to_string_lossy()).collect();
    all[all.len().saturating_sub(count)..].join("/")
}

impl Environment {
    fn is_active(&self) -> bool {
        self.processes.values().any(super::Process::is_active)
    }
}

fn count(processes: &[ProcessStatus], of: impl Fn(&ProcessStatus) -> bool) -> u32 {
    u32::try_from(processes.iter().filter(|one| of(one)).count()).unwrap_or(u32::MAX)
}

fn not_kept(error: std::io::Error) -> Error {
    Error::system("the list of workspaces could not be written", error)
}

fn configuration_of(root: &Path) -> PathBuf {
    root.join(".forge").join("processes.yml")
}

/// Makes a workspace of a folder that is none.
fn write_example(folder: &Path) -> Result<PathBuf, Error> {
    let refused =
        |error| Error::system(format!("{} could not be made", configuration_of(folder).display()), error);
    let folder = std::fs::canonicalize(folder).map_err(|error| Error::system(folder.display(), error))?;
    let file = configuration_of(&folder);
    std::fs::create_dir_all(folder.join(".forge")).map_err(refused)?;
    let mut options = std::fs::OpenOptions::new();
    let made = options.write(true).create_new(true).open(&file);
    made.and_then(|mut made| std::io::Write::write_all(&mut made, EXAMPLE.as_bytes())).map_err(refused)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_is_a_configuration_without_errors_or_warnings() {
        let folder = tempfile::tempdir().unwrap();
        let root = super::write_example(folder.path()).unwrap();
        let config = forge_config::load(&forge_config::find(&root).unwrap()).unwrap();
        assert_eq!(config.warnings, [], "nothing odd");
        assert_eq!(config.environments["dev"].processes.len(), 2, "two to look at");
    }
}
