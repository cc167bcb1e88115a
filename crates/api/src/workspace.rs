//! Workspaces: the folders that the faces show, and whose programs may be run.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Error, Mood};

/// A folder with `.forge/processes.yml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Workspace {
    /// Absolute.
    pub path: PathBuf,
    /// The folder's name, for people; in a list that has it twice, with the folders above it.
    pub name: String,
    /// Its configuration; the one that would be made if there is none.
    pub file: PathBuf,
    /// Its commands were confirmed as they stand, or started by a command of the user's.
    pub trusted: bool,
    /// Why its configuration cannot be used; what runs goes on all the same.
    pub problem: Option<Error>,
    /// In the file's order; what runs but is configured no longer comes last.
    pub environments: Vec<EnvironmentSummary>,
}

/// An environment in short: what a list or a menu shows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct EnvironmentSummary {
    pub workspace: PathBuf,
    pub environment: String,
    pub description: Option<String>,
    pub processes: u32,
    pub running: u32,
    pub ready: u32,
    /// In words: `running`, `stopped`, `2 of 4 ready`, `api crashed`.
    pub state: String,
    pub mood: Mood,
    /// Something of it is meant to run, or still does.
    pub active: bool,
    /// `start` would have something to do.
    pub startable: bool,
    /// What to open in a browser.
    pub url: Option<String>,
}

/// `workspaces`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Workspaces {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WorkspacesAnswer {
    /// By name.
    pub workspaces: Vec<Workspace>,
}

/// `workspaces.add`: shows the workspace around a folder from now on. Adding what is there is no error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AddWorkspace {
    pub path: PathBuf,
    /// Where there is no configuration, write an example into exactly this folder.
    #[serde(default)]
    pub create: bool,
}

/// `workspaces.remove`: shows it no longer, until it is added or started again. Refused while something of it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RemoveWorkspace {
    pub path: PathBuf,
}

/// `workspaces.commands`: all that the workspace would run, to be looked at before it is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WorkspaceCommands {
    pub path: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WorkspaceCommandsAnswer {
    /// Of all the commands; what [`TrustWorkspace`] confirms.
    pub hash: String,
    pub trusted: bool,
    pub commands: Vec<WorkspaceCommand>,
}

/// One command of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WorkspaceCommand {
    pub environment: String,
    pub process: String,
    /// `command`, `health_check`, `shutdown`, `debug`, `metrics`.
    pub purpose: String,
    pub command: String,
}

/// `workspaces.trust`: the user has seen the commands of that hash. Without a hash: as they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TrustWorkspace {
    pub path: PathBuf,
    #[serde(default)]
    pub hash: Option<String>,
}
