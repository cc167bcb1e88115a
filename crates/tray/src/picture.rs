//! What the tray shows, mirrored from the supervisor. Nothing is decided here.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use forge_api::{EnvironmentSummary, Mood, Notice, ProcessStatus, State, Status, Update, Workspace};

type Place = (PathBuf, String);

/// All that the menu and the icon are made of.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    pub workspaces: Vec<Workspace>,
    /// What is wrong now, oldest first.
    pub notices: Vec<Notice>,
    pub launch_at_login: bool,
    processes: BTreeMap<Place, Vec<ProcessStatus>>,
}

/// What an update leaves to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    Done,
    /// It does not say enough: the whole picture must be asked for again.
    Stale,
}

impl Picture {
    /// The whole of it, as the supervisor answers it.
    pub fn replace(&mut self, workspaces: Vec<Workspace>, environments: Vec<Status>, notices: Vec<Notice>) {
        self.workspaces = workspaces;
        self.notices = notices;
        self.processes = environments
            .into_iter()
            .map(|status| ((status.workspace, status.environment), status.processes))
            .collect();
    }

    /// Takes in what the supervisor tells.
    pub fn apply(&mut self, update: Update) -> Applied {
        match update {
            Update::Process { workspace, environment, process } => {
                return self.process(workspace, environment, *process);
            }
            Update::Environment { summary } => return self.environment(summary),
            Update::Workspaces {} | Update::Lagged {} => return Applied::Stale,
            // Good news needs no attention.
            Update::Notice { notice } if !notice.kind.is_trouble() => {}
            Update::Notice { notice } => match self.notices.iter_mut().find(|known| known.id == notice.id) {
                Some(known) => *known = *notice,
                None => self.notices.push(*notice),
            },
            Update::NoticeClosed { id } => self.notices.retain(|notice| notice.id != id),
            Update::Event { .. }
            | Update::Metrics { .. }
            | Update::Terminal { .. }
            | Update::TerminalClosed { .. } => {}
        }
        Applied::Done
    }

    fn process(&mut self, workspace: PathBuf, environment: String, process: ProcessStatus) -> Applied {
        let Some(known) = self.processes.get_mut(&(workspace, environment)) else { return Applied::Stale };
        match known.iter_mut().find(|known| known.name == process.name) {
            Some(known) => {
                *known = process;
                Applied::Done
            }
            None => Applied::Stale,
        }
    }

    fn environment(&mut self, summary: EnvironmentSummary) -> Applied {
        let known = self
            .workspaces
            .iter_mut()
            .filter(|workspace| workspace.path == summary.workspace)
            .flat_map(|workspace| &mut workspace.environments)
            .find(|known| known.environment == summary.environment);
        match known {
            Some(known) => {
                *known = summary;
                Applied::Done
            }
            None => Applied::Stale,
        }
    }

    pub fn processes(&self, workspace: &Path, environment: &str) -> &[ProcessStatus] {
        let place = (workspace.to_path_buf(), environment.to_owned());
        self.processes.get(&place).map_or(&[], Vec::as_slice)
    }

    fn environments(&self) -> impl Iterator<Item = &EnvironmentSummary> {
        self.workspaces.iter().flat_map(|workspace| &workspace.environments)
    }

    /// What to open of an environment in a browser.
    pub fn url(&self, workspace: &Path, environment: &str) -> Option<String> {
        self.environments()
            .find(|known| known.workspace == workspace && known.environment == environment)
            .and_then(|known| known.url.clone())
    }

    /// The worst of all environments: what the icon tells.
    pub fn mood(&self) -> Mood {
        let worst = self.environments().map(|environment| environment.mood).max();
        if self.notices.iter().any(Notice::is_trouble) {
            Mood::Trouble
        } else {
            worst.unwrap_or(Mood::Stopped)
        }
    }

    /// What is said of a workspace, with its name where there are several.
    pub(crate) fn in_full(&self, workspace: &Path, said: &str) -> String {
        let known = self.workspaces.iter().find(|known| known.path == workspace);
        match known.filter(|_| self.workspaces.len() > 1) {
            Some(known) => format!("{} / {said}", known.name),
            None => said.to_owned(),
        }
    }

    /// The environments of which something runs or is about to, as people say their names. What is only meant to run,
    /// and has done its work or given up, is not among them.
    pub fn running(&self) -> Vec<String> {
        let runs = |one: &ProcessStatus| {
            one.status.is_alive() || matches!(one.status, State::Waiting | State::Restarting)
        };
        let running = self.environments().filter(|environment| {
            self.processes(&environment.workspace, &environment.environment).iter().any(runs)
        });
        running.map(|environment| self.in_full(&environment.workspace, &environment.environment)).collect()
    }

    /// Whether the page may have a file opened that is at this path: a configuration, of a workspace that is known or
    /// in a folder of Forge's own.
    pub fn may_open(&self, path: &Path, own: &Path) -> bool {
        let is_configuration = path.extension().is_some_and(|kind| kind == "yml" || kind == "yaml");
        let is_straight = path.components().all(|part| part != Component::ParentDir);
        let mut folders = self.workspaces.iter().map(|workspace| workspace.path.as_path()).chain([own]);
        is_configuration && is_straight && folders.any(|folder| path.starts_with(folder))
    }

    /// The icon in words.
    pub fn summary(&self) -> String {
        let active: Vec<String> = self
            .environments()
            .filter(|environment| environment.active || environment.mood == Mood::Trouble)
            .map(|environment| {
                let name = self.in_full(&environment.workspace, &environment.environment);
                format!("{name} — {}", environment.state)
            })
            .collect();
        if active.is_empty() {
            "Forge: nothing runs".to_owned()
        } else {
            format!("Forge: {}", active.join(", "))
        }
    }
}
