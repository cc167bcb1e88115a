//! The tray's menu as a value: a function of the picture.

use std::path::{Path, PathBuf};

use forge_api::{EnvironmentSummary, Notice, ProcessStatus, State, Workspace};

use crate::picture::Picture;
use crate::route;

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The same for as long as it means the same, whatever it says.
    pub id: String,
    pub label: String,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Separator,
    /// Only says something.
    Heading,
    Button {
        enabled: bool,
        act: Act,
    },
    Check {
        checked: bool,
        act: Act,
    },
    Submenu(Vec<Item>),
}

/// What a click asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The window, at a place if there is one.
    Show(Option<String>),
    Start(Named),
    Stop(Named),
    Restart(Named),
    LaunchAtLogin,
    Quit,
}

/// An environment or a process of it, as operations name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub workspace: PathBuf,
    pub environment: String,
    pub process: Option<String>,
}

impl Named {
    /// `ENV` or `ENV/PROCESS`.
    pub fn name(&self) -> String {
        match &self.process {
            Some(process) => format!("{}/{process}", self.environment),
            None => self.environment.clone(),
        }
    }

    /// The same for operations: `ENV/`, which is no process and no group of that name.
    pub fn target(&self) -> String {
        if self.process.is_some() { self.name() } else { format!("{}/", self.environment) }
    }

    /// Its page in the window.
    pub fn route(&self) -> String {
        match &self.process {
            Some(process) => route::process(&self.workspace, &self.environment, process),
            None => route::environment(&self.workspace, &self.environment),
        }
    }
}

/// What a click on the item of that id asks for.
pub fn act<'a>(items: &'a [Item], id: &str) -> Option<&'a Act> {
    items.iter().find_map(|item| match &item.kind {
        Kind::Button { act, .. } | Kind::Check { act, .. } if item.id == id => Some(act),
        Kind::Submenu(items) => self::act(items, id),
        _ => None,
    })
}

/// The whole menu. The order is part of the outside contract.
pub fn menu(picture: &Picture) -> Vec<Item> {
    let mut items = vec![button("open", "Open Forge", true, Act::Show(None))];
    let trouble = picture.notices.iter().filter(|notice| notice.is_trouble());
    items.extend(trouble.map(|notice| attention(picture, notice)));
    for workspace in &picture.workspaces {
        items.push(separator(&format!("separator {}", workspace.path.display())));
        items.extend(workspace_items(picture, workspace));
    }
    items.push(separator("separator ports"));
    items.push(button("ports", "Ports…", true, Act::Show(Some(route::PORTS.to_owned()))));
    items.push(separator("separator login"));
    items.push(Item {
        id: "login".to_owned(),
        label: "Launch at login".to_owned(),
        kind: Kind::Check { checked: picture.launch_at_login, act: Act::LaunchAtLogin },
    });
    items.push(button("quit", "Quit Forge", true, Act::Quit));
    items
}

fn attention(picture: &Picture, notice: &Notice) -> Item {
    let label = picture.in_full(&notice.workspace, &notice.summary);
    button(&format!("notice {}", notice.id), &label, true, Act::Show(Some(route::place(notice))))
}

fn workspace_items(picture: &Picture, workspace: &Workspace) -> Vec<Item> {
    let heading = Item {
        id: format!("workspace {}", workspace.path.display()),
        label: workspace.name.clone(),
        kind: Kind::Heading,
    };
    let problem = workspace.problem.iter().map(|_| {
        let id = format!("problem {}", workspace.path.display());
        let route = route::workspace(&workspace.path);
        button(&id, "Configuration has errors…", true, Act::Show(Some(route)))
    });
    let environments = workspace.environments.iter().map(|environment| {
        environment_item(environment, picture.processes(&workspace.path, &environment.environment))
    });
    std::iter::once(heading).chain(problem).chain(environments).collect()
}

fn environment_item(environment: &EnvironmentSummary, processes: &[ProcessStatus]) -> Item {
    let named = Named {
        workspace: environment.workspace.clone(),
        environment: environment.environment.clone(),
        process: None,
    };
    let id = id(&named);
    let name = &environment.environment;
    let mut items = verbs(&id, name, Can { start: environment.startable, stop: environment.active }, &named);
    if !processes.is_empty() {
        items.push(separator(&format!("separator {id}")));
    }
    items.extend(processes.iter().map(|process| process_item(&environment.workspace, name, process)));
    Item { label: format!("{name} — {}", environment.state), kind: Kind::Submenu(items), id }
}

fn process_item(workspace: &Path, environment: &str, process: &ProcessStatus) -> Item {
    let named = Named {
        workspace: workspace.to_path_buf(),
        environment: environment.to_owned(),
        process: Some(process.name.clone()),
    };
    let id = id(&named);
    // What has run to its end has nothing left to stop.
    let done = process.one_shot && has_ended(process);
    let stop = (process.wanted && !done) || process.status.is_alive();
    let mut items = verbs(&id, "", Can { start: !process.wanted || has_ended(process), stop }, &named);
    let log = route::log(workspace, environment, &process.name);
    items.push(button(&format!("log {id}"), "Show log", true, Act::Show(Some(log))));
    Item { label: format!("{} — {}", process.name, word(process)), kind: Kind::Submenu(items), id }
}

/// Wanted, and yet not on its way: starting it again makes sense.
fn has_ended(process: &ProcessStatus) -> bool {
    matches!(process.status, State::Stopped | State::Exited | State::Crashed | State::Failed)
}

/// Which of the verbs make sense.
#[derive(Debug, Clone, Copy)]
struct Can {
    start: bool,
    stop: bool,
}

fn verbs(id: &str, name: &str, can: Can, named: &Named) -> Vec<Item> {
    let label = |verb: &str| format!("{verb} {name}").trim_end().to_owned();
    vec![
        button(&format!("start {id}"), &label("Start"), can.start, Act::Start(named.clone())),
        button(&format!("stop {id}"), &label("Stop"), can.stop, Act::Stop(named.clone())),
        button(&format!("restart {id}"), &label("Restart"), can.stop, Act::Restart(named.clone())),
    ]
}

/// The state of a process, in one word.
fn word(process: &ProcessStatus) -> &'static str {
    if process.ready && process.status == State::Exited {
        return "done";
    }
    if process.ready {
        return "ready";
    }
    match process.status {
        State::Stopped => "stopped",
        State::Waiting => "waiting",
        State::Starting => "starting",
        State::Running => "running",
        State::Stopping => "stopping",
        State::Exited => "exited",
        State::Crashed => "crashed",
        State::Restarting => "restarting",
        State::Failed => "failed",
    }
}

fn id(named: &Named) -> String {
    format!("{} {}", named.workspace.display(), named.name())
}

fn button(id: &str, label: &str, enabled: bool, act: Act) -> Item {
    Item { id: id.to_owned(), label: label.to_owned(), kind: Kind::Button { enabled, act } }
}

fn separator(id: &str) -> Item {
    Item { id: id.to_owned(), label: String::new(), kind: Kind::Separator }
}

#[cfg(test)]
mod tests;
