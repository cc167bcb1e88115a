//! The configuration as it stands in the file now, read again only when it has changed.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use forge_api::{Code, Error};
use forge_config::Config;

use super::{Core, EnvironmentKey, Process};
use crate::conflict::Moved;
use crate::prepare;

/// A configuration that was read, and by what it is known to have changed since.
pub(crate) struct Loaded {
    stamps: Vec<(PathBuf, Stamp)>,
    result: Result<Arc<Config>, Error>,
    /// What would be run now, by environment and process.
    fingerprints: HashMap<String, Arc<Fingerprints>>,
}

/// By process.
pub(super) type Fingerprints = HashMap<String, String>;

type Stamp = Option<(SystemTime, u64)>;

/// What a folder is, whatever it is called: its device and its inode (inode(7)).
pub(super) type FolderId = (u64, u64);

#[cfg(unix)]
pub(super) fn folder_id(folder: &Path) -> Option<FolderId> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(folder).ok().map(|folder| (folder.dev(), folder.ino()))
}

/// Nobody moves a folder here that a program has as its own.
#[cfg(not(unix))]
pub(super) fn folder_id(_folder: &Path) -> Option<FolderId> {
    None
}

impl Core {
    /// The workspace around a folder: by its configuration, or, where that is gone, by what was started there. One that
    /// was moved while something runs there is known by where it was until that is stopped: nothing is run twice.
    pub(crate) fn workspace_of(&self, folder: &Path) -> Result<PathBuf, Error> {
        let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
        let found = prepare::find(&folder);
        if let Ok(workspace) = found {
            return Ok(self.before_its_move(&workspace.root).cloned().unwrap_or(workspace.root));
        }
        let known = self.environments.keys().map(|key| &key.workspace);
        let around = known.filter(|root| folder.starts_with(root)).max_by_key(|root| root.as_os_str().len());
        match around {
            Some(root) => Ok(root.clone()),
            None => found.map(|workspace| workspace.root),
        }
    }

    /// Where a workspace was that has been moved since something was started there, which still runs.
    fn before_its_move(&self, root: &Path) -> Option<&PathBuf> {
        let place = Some(folder_id(root)?);
        let mut moved = self.environments.iter().filter(|(key, environment)| {
            environment.place == place
                && key.workspace != root
                && environment.processes.values().any(Process::is_held)
                && !key.workspace.exists()
        });
        moved.next().map(|(key, _)| &key.workspace)
    }

    /// Whether the workspace around a folder is where it was when what runs there was started.
    pub(super) fn stays_put(&self, folder: &Path) -> Result<(), Error> {
        let Ok(root) = self.workspace_of(folder) else { return Ok(()) };
        let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
        if root.exists() || folder.starts_with(&root) {
            return Ok(());
        }
        let running = self.running(&root).join(", ");
        let text =
            format!("{running} was started here when this folder was {}, and still runs", root.display());
        Err(Error::new(Code::StartFailed, text).help("`forge stop` ends it; start it then, where it is now"))
    }

    /// Environments of the workspace with something active.
    pub(super) fn running(&self, root: &Path) -> Vec<String> {
        let environments = self.environments.iter().filter(|(key, _)| key.workspace == root);
        let active = environments.filter(|(_, one)| one.processes.values().any(Process::is_active));
        active.map(|(key, _)| key.environment.clone()).collect()
    }

    /// The configuration as it stands in the file now; read again only when a file of it has changed.
    pub(crate) fn loaded(&mut self, root: &Path) -> Result<Arc<Config>, Error> {
        if let Some(loaded) = self.loaded.get(root)
            && loaded.stamps.iter().all(|(path, stamp)| stamp_of(path) == *stamp)
        {
            return loaded.result.clone();
        }
        let workspace = prepare::find(root).and_then(|workspace| {
            // One further up is another workspace.
            if workspace.root == root {
                Ok(workspace)
            } else {
                prepare::find(&root.join(".forge")).map(|_| workspace)
            }
        });
        let mut paths =
            vec![root.join(".forge/processes.yml"), root.join(".forge/processes.yaml"), root.join(".env")];
        paths.extend(["settings.yml", "settings.yaml"].map(|name| self.home.config.join(name)));
        let result =
            workspace.and_then(|workspace| prepare::load(&workspace, &self.home.config)).map(Arc::new);
        if let Ok(config) = &result {
            let processes = config.environments.values().flat_map(|environment| &environment.processes);
            paths.extend(processes.flat_map(|process| &process.env_files).map(|file| root.join(file)));
        }
        let stamps = paths.into_iter().map(|path| (path.clone(), stamp_of(&path))).collect();
        let loaded = Loaded { stamps, result: result.clone(), fingerprints: HashMap::new() };
        self.loaded.insert(root.to_path_buf(), loaded);
        result
    }

    /// What would be run now, by this configuration, to compare with what runs.
    pub(super) fn fingerprints(
        &mut self,
        key: &EnvironmentKey,
        config: &Config,
    ) -> Result<Arc<Fingerprints>, Error> {
        if let Some(known) =
            self.loaded.get(&key.workspace).and_then(|one| one.fingerprints.get(&key.environment))
        {
            return Ok(Arc::clone(known));
        }
        let variables =
            self.environments.get(key).map(|environment| environment.variables.clone()).unwrap_or_default();
        let resolved =
            prepare::resolve(config, &key.environment, variables, Some(BTreeSet::new()), self.moves(key))?;
        let fingerprints: Fingerprints = resolved
            .processes
            .iter()
            .map(|process| (process.name.clone(), forge_config::resolve::fingerprint(process)))
            .collect();
        let fingerprints = Arc::new(fingerprints);
        if let Some(loaded) = self.loaded.get_mut(&key.workspace) {
            loaded.fingerprints.insert(key.environment.clone(), Arc::clone(&fingerprints));
        }
        Ok(fingerprints)
    }

    /// The ports of an environment that were moved.
    pub(super) fn moves(&self, key: &EnvironmentKey) -> Moved {
        self.environments.get(key).map(|environment| environment.moves.clone()).unwrap_or_default()
    }

    /// Variables of an environment have changed: compare anew.
    pub(super) fn forget_fingerprints(&mut self, root: &Path) {
        if let Some(loaded) = self.loaded.get_mut(root) {
            loaded.fingerprints.clear();
        }
    }

    /// Work that takes longer is slow.
    pub(super) fn slow(&mut self, root: &Path) -> std::time::Duration {
        let slow = self.loaded(root).map(|config| config.settings.slow);
        slow.unwrap_or_else(|_| forge_config::model::Settings::default().slow)
    }

    pub(super) fn log_quota(&mut self, root: &Path) -> u64 {
        self.loaded(root).map_or_else(
            |_| forge_config::model::Settings::default().log_quota,
            |config| config.settings.log_quota,
        )
    }
}

fn stamp_of(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}
