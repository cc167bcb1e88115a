//! What Forge itself holds, to be named where something of it is in the way of something else.

use std::path::{Path, PathBuf};

use forge_system::process::ProcessId;
use forge_system::tree::Tree;
use serde::Serialize;

/// A process of an environment of a workspace, wherever that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    pub workspace: PathBuf,
    pub environment: String,
    pub process: String,
}

impl Service {
    /// As seen from a workspace: `dev/api`, or `dev/api of /home/ann/shop`.
    #[must_use]
    pub fn seen_from(&self, workspace: &Path) -> String {
        let name = format!("{}/{}", self.environment, self.process);
        if self.workspace == workspace { name } else { format!("{name} of {}", self.workspace.display()) }
    }

    /// What stops it, typed in a workspace.
    #[must_use]
    pub fn stop(&self, workspace: &Path) -> String {
        let name = format!("{}/{}", self.environment, self.process);
        if self.workspace == workspace {
            format!("forge stop {name}")
        } else {
            format!("forge -C {} stop {name}", self.workspace.display())
        }
    }
}

/// A run, and where its tree is found.
#[derive(Debug, Clone)]
pub(crate) struct Owned {
    pub service: Service,
    pub run: String,
    pub keeper: Option<u32>,
    pub root: Option<ProcessId>,
}

impl Owned {
    /// `None`: nothing of it lives.
    pub(crate) fn tree(&self) -> Option<Tree> {
        tree(&self.run, self.keeper, self.root)
    }

    fn has(&self, id: ProcessId) -> bool {
        let members = self.tree().and_then(|mut tree| tree.members().ok()).unwrap_or_default();
        members.iter().any(|member| member.id == id)
    }
}

/// The tree of a run, by whoever of these lives.
pub(crate) fn tree(run: &str, keeper: Option<u32>, root: Option<ProcessId>) -> Option<Tree> {
    let keeper = keeper.and_then(|pid| ProcessId::of(pid).ok().flatten());
    let root = root.filter(|root| root.is_alive().unwrap_or(false));
    let tree = match (keeper, root) {
        (Some(keeper), Some(root)) => Tree::below(keeper).with_root(root),
        (Some(keeper), None) => Tree::below(keeper),
        (None, Some(root)) => Tree::of(root),
        (None, None) => return None,
    };
    Some(tree.with_mark(format!("FORGE_RUN={run}")))
}

/// Which of these a process belongs to.
pub(crate) fn owner(owned: &[Owned], id: ProcessId) -> Option<&Service> {
    owned.iter().find(|one| one.has(id)).map(|one| &one.service)
}
