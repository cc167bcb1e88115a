//! What every command works with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use forge_api::{Code, Environments, Error};
use forge_config::Workspace;
use forge_supervisor::home::Home;

use crate::client::Client;
use crate::output::Output;

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) home: Home,
    /// Where the command was given, after `-C`.
    pub(crate) here: PathBuf,
}

impl Context {
    /// The workspace of this folder.
    ///
    /// # Errors
    /// There is none here or above.
    pub(crate) fn workspace(&self) -> Result<Workspace, Error> {
        forge_config::find(&self.here).ok_or_else(|| no_workspace(&self.here))
    }

    /// The supervisor that runs, or a headless one started now.
    ///
    /// # Errors
    /// See [`Client::connect`].
    pub(crate) async fn client(&self) -> Result<Client, Error> {
        Client::connect(&self.home).await
    }

    /// The root of the workspace; where its file is gone, what the supervisor remembers of this folder.
    ///
    /// # Errors
    /// There is none here or above, and none was.
    pub(crate) async fn root(&self, client: &mut Client) -> Result<PathBuf, Error> {
        if let Some(workspace) = forge_config::find(&self.here) {
            return Ok(workspace.root);
        }
        let known = client.call(&Environments {}).await?.environments;
        let roots: Vec<&Path> = known.iter().map(|environment| environment.workspace.as_path()).collect();
        self.here
            .ancestors()
            .find(|folder| roots.contains(folder))
            .map(Path::to_path_buf)
            .ok_or_else(|| no_workspace(&self.here))
    }
}

fn no_workspace(here: &Path) -> Error {
    Error::new(Code::NoWorkspace, format!("no .forge/processes.yml in {} or above", here.display())).help(
        "write one; this is enough to begin with:\n\n    dev:\n      - name: web\n        command: npm run dev\n        port: 3000",
    )
}

/// The caller's environment for what it starts. A variable that is no UTF-8 cannot travel, and stays behind.
pub(crate) fn variables() -> BTreeMap<String, String> {
    let mut variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    // Of the process that this command may be run from, not of those that it starts.
    variables.remove("FORGE_RUN");
    if let Some(home) = variables.get_mut("FORGE_HOME")
        && let Ok(absolute) = std::path::absolute(&home)
        && !home.is_empty()
    {
        *home = absolute.to_string_lossy().into_owned();
    }
    variables
}
