//! What the monitor knows and does, without a terminal and without a supervisor: an input in, effects out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use forge_api::{
    EnvironmentSummary, Error, EventLevel, LogLine, Machine, MetricsAnswer, ProcessDetails, ProcessStatus,
    Status, Update,
};

use super::shown::Shown;
use crate::screen::Prompt;

/// Events remembered of each environment.
const EVENTS: usize = 50;

/// A process of any workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) workspace: PathBuf,
    pub(crate) environment: String,
    pub(crate) process: String,
}

impl Id {
    /// As the operations take it.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.environment, self.process)
    }
}

/// Something that the supervisor is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    Subscribe,
    Status {
        workspace: PathBuf,
        environment: String,
    },
    Metrics {
        workspace: PathBuf,
        environment: String,
    },
    Inspect(Id),
    Log(Id),
    Start(Id),
    Stop(Id),
    Restart(Id),
    Kill(Id),
    /// `process`: `None` if it is about the environment as a whole.
    Mute {
        workspace: PathBuf,
        environment: String,
        process: Option<String>,
        kind: String,
        muted: bool,
    },
}

/// What it answers.
#[derive(Debug)]
pub(crate) enum Reply {
    Subscribed(Vec<Status>),
    Status(Box<Status>),
    Metrics(MetricsAnswer),
    Details(Box<ProcessDetails>),
    Log(Vec<LogLine>),
    Done,
}

#[derive(Debug)]
pub(crate) enum Input {
    Key(crossterm::event::KeyEvent),
    Update(Update),
    Answer(Question, Result<Reply, Error>),
    /// The supervisor is gone.
    Lost,
    /// Another one answers.
    Back,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    Ask(Question),
    Open(String),
    /// The log view, of one process.
    ShowLog(Id),
    Suspend,
    Quit,
    Interrupt,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One environment, whatever it does.
    Environment(PathBuf, String),
    /// What runs of a workspace; of all of them.
    Active(Option<PathBuf>),
}

impl Scope {
    /// What to subscribe to.
    pub(crate) fn workspace(&self) -> Option<&Path> {
        match self {
            Self::Environment(workspace, _) => Some(workspace),
            Self::Active(workspace) => workspace.as_deref(),
        }
    }

    pub(super) fn holds(&self, workspace: &Path, environment: &str) -> bool {
        match self {
            Self::Environment(own, name) => own == workspace && name == environment,
            Self::Active(own) => own.as_deref().is_none_or(|own| own == workspace),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// As configured.
    Order,
    Cpu,
    Memory,
    Name,
}

/// What is asked before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Overlay {
    Help,
    Kill(Id),
    Filter(Prompt),
}

/// A message at the bottom, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) text: String,
    pub(crate) bad: bool,
}

#[derive(Debug)]
pub(crate) struct Monitor {
    pub(crate) scope: Scope,
    pub(crate) environments: Vec<Shown>,
    pub(crate) machine: Option<Machine>,
    pub(crate) selected: Option<Id>,
    pub(crate) sort: Sort,
    /// Of the spans that graphs may have.
    pub(super) span: usize,
    pub(crate) filter: String,
    pub(crate) details: Option<Details>,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) note: Option<Note>,
    /// The supervisor is gone, and looked for.
    pub(crate) lost: bool,
}

/// One process large.
#[derive(Debug)]
pub(crate) struct Details {
    pub(crate) id: Id,
    pub(crate) known: Option<Box<ProcessDetails>>,
    pub(crate) log: Vec<LogLine>,
    asked: bool,
}

impl Details {
    pub(crate) fn of(id: Id) -> Self {
        Self { id, known: None, log: Vec::new(), asked: true }
    }
}

impl Monitor {
    pub(crate) fn new(scope: Scope) -> Self {
        Self {
            scope,
            environments: Vec::new(),
            machine: None,
            selected: None,
            sort: Sort::Order,
            span: 0,
            filter: String::new(),
            details: None,
            overlay: None,
            note: None,
            lost: false,
        }
    }

    pub(crate) fn step(&mut self, input: Input) -> Vec<Effect> {
        let effects = match input {
            Input::Key(key) => self.key(key),
            Input::Update(update) => self.update(update),
            Input::Answer(question, answer) => self.answer(question, answer),
            Input::Lost => {
                self.lost = true;
                self.environments.iter_mut().for_each(|shown| shown.asked = None);
                self.details.iter_mut().for_each(|details| details.asked = false);
                Vec::new()
            }
            Input::Back => {
                self.lost = false;
                vec![Effect::Ask(Question::Subscribe)]
            }
        };
        self.select_something();
        effects
    }

    fn answer(&mut self, question: Question, answer: Result<Reply, Error>) -> Vec<Effect> {
        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                self.settle(&question);
                self.say(
                    error.help.map_or(error.message.clone(), |help| format!("{}: {help}", error.message)),
                    true,
                );
                return Vec::new();
            }
        };
        match reply {
            Reply::Subscribed(environments) => return self.subscribed(environments),
            Reply::Status(status) => return self.status(*status),
            Reply::Metrics(answer) => self.metrics(&question, &answer),
            Reply::Details(known) => {
                if let Some(details) = self.details_of(&question) {
                    details.known = Some(known);
                }
            }
            Reply::Log(lines) => {
                if let Some(details) = self.details_of(&question) {
                    details.log = lines;
                    details.asked = false;
                }
            }
            Reply::Done => return self.done(question),
        }
        Vec::new()
    }

    /// A question that failed can be asked again.
    fn settle(&mut self, question: &Question) {
        match question {
            Question::Status { workspace, environment } => {
                if let Some(shown) = self.shown_mut(workspace, environment) {
                    shown.asked = None;
                }
            }
            Question::Log(_) | Question::Inspect(_) => {
                if let Some(details) = &mut self.details {
                    details.asked = false;
                }
            }
            _ => {}
        }
    }

    fn done(&mut self, question: Question) -> Vec<Effect> {
        let (what, id) = match question {
            Question::Start(id) => ("starting", id),
            Question::Stop(id) => ("stopped", id),
            Question::Restart(id) => ("restarting", id),
            Question::Kill(id) => ("killed", id),
            Question::Mute { workspace, environment, process, kind, muted } => {
                let what = if muted { "muted" } else { "heard again" };
                self.say(
                    format!(
                        "{what}: {} of {}",
                        kind.replace('_', " "),
                        process.unwrap_or(environment.clone())
                    ),
                    false,
                );
                return self.ask_status(&workspace, &environment);
            }
            _ => return Vec::new(),
        };
        self.say(format!("{what} {}", id.process), false);
        Vec::new()
    }

    pub(crate) fn say(&mut self, text: String, bad: bool) {
        self.note = Some(Note { text, bad });
    }

    fn subscribed(&mut self, environments: Vec<Status>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for status in environments {
            let (workspace, environment) = (status.workspace.clone(), status.environment.clone());
            let wanted = self.scope.holds(&workspace, &environment);
            effects.extend(self.status(status));
            // Of what is known already, what happened since was missed.
            let past = Effect::Ask(Question::Metrics { workspace, environment });
            if wanted && !effects.contains(&past) {
                effects.push(past);
            }
        }
        // One that never ran is not among them.
        if let Scope::Environment(workspace, environment) = &self.scope
            && self.environments.is_empty()
        {
            let (workspace, environment) = (workspace.clone(), environment.clone());
            effects.push(Effect::Ask(Question::Status { workspace, environment }));
        }
        effects
    }

    /// The whole picture of an environment, a new one perhaps; then its past is asked for.
    fn status(&mut self, status: Status) -> Vec<Effect> {
        if !self.scope.holds(&status.workspace, &status.environment) {
            return Vec::new();
        }
        let (workspace, environment) = (status.workspace.clone(), status.environment.clone());
        // Where nothing runs, nothing is measured.
        self.machine.clone_from(&status.machine);
        if let Some(shown) = self.shown_mut(&workspace, &environment) {
            shown.status = status;
            let again = shown.asked.take() == Some(true);
            let gap = shown.histories.is_empty();
            let mut effects = Vec::new();
            if again {
                effects.extend(self.ask_status(&workspace, &environment));
            }
            if gap {
                effects.push(Effect::Ask(Question::Metrics { workspace, environment }));
            }
            return effects;
        }
        let shown = Shown { status, histories: BTreeMap::new(), asked: None };
        self.environments.push(shown);
        self.environments.sort_by(|one, other| {
            let key = |shown: &Shown| (shown.status.workspace.clone(), shown.status.environment.clone());
            key(one).cmp(&key(other))
        });
        vec![Effect::Ask(Question::Metrics { workspace, environment })]
    }

    /// What is shown large, if that was the question: another may have been chosen meanwhile.
    fn details_of(&mut self, question: &Question) -> Option<&mut Details> {
        let (Question::Inspect(id) | Question::Log(id)) = question else { return None };
        self.details.as_mut().filter(|details| details.id == *id)
    }

    fn metrics(&mut self, question: &Question, answer: &MetricsAnswer) {
        let Question::Metrics { workspace, environment } = question else { return };
        if let Some(shown) = self.shown_mut(workspace, environment) {
            for series in &answer.series {
                shown.histories.entry(series.process.clone()).or_default().fill(series);
            }
        }
    }

    fn update(&mut self, update: Update) -> Vec<Effect> {
        match update {
            Update::Process { workspace, environment, process } => {
                self.process(&workspace, &environment, *process)
            }
            Update::Event { workspace, environment, event } => {
                let bad = event.level != EventLevel::Info;
                if let Some(shown) = self.shown_mut(&workspace, &environment) {
                    let events = &mut shown.status.events;
                    events.push(event);
                    let over = events.len().saturating_sub(EVENTS);
                    events.drain(..over);
                }
                if bad { self.ask_status(&workspace, &environment) } else { Vec::new() }
            }
            Update::Environment { summary } => self.summary(&summary),
            Update::Notice { notice } => self.ask_status(&notice.workspace, &notice.environment),
            Update::NoticeClosed { .. } | Update::Workspaces {} => self.ask_all(),
            Update::Metrics { workspace, environment, time_ms, costs, machine } => {
                self.machine = machine.or(self.machine.take());
                if let Some(shown) = self.shown_mut(&workspace, &environment) {
                    for cost in costs {
                        shown.histories.entry(cost.process.clone()).or_default().push(time_ms, cost);
                    }
                }
                self.ask_log(&workspace, &environment)
            }
            Update::Lagged {} => vec![Effect::Ask(Question::Subscribe)],
            Update::Terminal { .. } | Update::TerminalClosed { .. } => Vec::new(),
        }
    }

    fn process(&mut self, workspace: &Path, environment: &str, process: ProcessStatus) -> Vec<Effect> {
        let Some(shown) = self.shown_mut(workspace, environment) else {
            return self.ask_status(workspace, environment);
        };
        if !process.status.is_alive() {
            shown.histories.entry(process.name.clone()).or_default().rest();
        }
        let known = shown.status.processes.iter_mut().find(|known| known.name == process.name);
        match known {
            Some(known) => *known = process,
            None => shown.status.processes.push(process),
        }
        Vec::new()
    }

    /// Warnings are told with the status alone, and what changes them changes this too.
    fn summary(&mut self, summary: &EnvironmentSummary) -> Vec<Effect> {
        let known = self.shown_mut(&summary.workspace, &summary.environment).is_some();
        if known || summary.active {
            self.ask_status(&summary.workspace, &summary.environment)
        } else {
            Vec::new()
        }
    }

    /// Once at a time; what happens meanwhile asks once more.
    fn ask_status(&mut self, workspace: &Path, environment: &str) -> Vec<Effect> {
        if !self.scope.holds(workspace, environment) {
            return Vec::new();
        }
        if let Some(shown) = self.shown_mut(workspace, environment) {
            if shown.asked.is_some() {
                shown.asked = Some(true);
                return Vec::new();
            }
            shown.asked = Some(false);
        }
        vec![Effect::Ask(Question::Status {
            workspace: workspace.to_owned(),
            environment: environment.to_owned(),
        })]
    }

    fn ask_all(&mut self) -> Vec<Effect> {
        let all: Vec<(PathBuf, String)> = self
            .environments
            .iter()
            .map(|shown| (shown.status.workspace.clone(), shown.status.environment.clone()))
            .collect();
        all.iter().flat_map(|(workspace, environment)| self.ask_status(workspace, environment)).collect()
    }

    /// The last lines of a process that is shown large, as often as its figures come.
    fn ask_log(&mut self, workspace: &Path, environment: &str) -> Vec<Effect> {
        match &mut self.details {
            Some(details)
                if !details.asked
                    && details.id.workspace == workspace
                    && details.id.environment == environment =>
            {
                details.asked = true;
                let id = details.id.clone();
                vec![Effect::Ask(Question::Inspect(id.clone())), Effect::Ask(Question::Log(id))]
            }
            _ => Vec::new(),
        }
    }

    fn shown_mut(&mut self, workspace: &Path, environment: &str) -> Option<&mut Shown> {
        let fits = |shown: &&mut Shown| {
            shown.status.workspace == workspace && shown.status.environment == environment
        };
        self.environments.iter_mut().find(fits)
    }
}
