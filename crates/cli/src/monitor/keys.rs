//! What keys do in the monitor.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use forge_api::Warning;

use super::model::{Details, Effect, Id, Monitor, Overlay, Question, Sort};
use crate::screen::{Prompt, Typed, is_interrupt};

/// Rows that Page Up and Page Down move.
const PAGE: isize = 10;

/// The keys in the order in which help lists them.
pub(crate) const HELP: [(&str, &str); 16] = [
    ("Up Down j k", "select a process"),
    ("Enter", "one process large: CPU, memory, disk, network, health, log"),
    ("Esc", "back"),
    ("s", "stop it; start it if it does not run"),
    ("r", "restart it"),
    ("K", "kill it: SIGKILL to all of it (asks)"),
    ("l", "its log, with search and filter; q comes back"),
    ("o", "open its URL in the browser"),
    ("m", "mute its alert; again: hear it again"),
    ("/", "filter by name"),
    ("Tab", "sort: as configured, CPU, memory, name"),
    ("+ -", "graphs over 2, 5 or 15 minutes"),
    ("Home End", "first, last"),
    ("Ctrl-Z", "suspend; fg comes back"),
    ("?", "this help"),
    ("q  Ctrl-C", "quit; everything runs on"),
];

impl Monitor {
    pub(super) fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        self.note = None;
        if is_interrupt(key) {
            return vec![Effect::Interrupt];
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('z') {
            return vec![Effect::Suspend];
        }
        match self.overlay.take() {
            Some(Overlay::Help) => Vec::new(),
            Some(Overlay::Kill(id)) => self.confirmed(key, id),
            Some(Overlay::Filter(prompt)) => self.typed(key, prompt),
            None => self.command(key),
        }
    }

    fn confirmed(&mut self, key: KeyEvent, id: Id) -> Vec<Effect> {
        if matches!(key.code, KeyCode::Char('y' | 'Y')) {
            return vec![Effect::Ask(Question::Kill(id))];
        }
        self.say(format!("{} was not killed", id.process), false);
        Vec::new()
    }

    /// The list follows what is typed.
    fn typed(&mut self, key: KeyEvent, mut prompt: Prompt) -> Vec<Effect> {
        match prompt.key(key) {
            Typed::Edited => {
                self.filter = prompt.text().to_owned();
                self.overlay = Some(Overlay::Filter(prompt));
            }
            Typed::Done => {}
            Typed::Left => self.filter.clear(),
        }
        Vec::new()
    }

    fn command(&mut self, key: KeyEvent) -> Vec<Effect> {
        match key.code {
            KeyCode::Char('q') => return vec![Effect::Quit],
            KeyCode::Esc if self.details.is_some() => self.details = None,
            KeyCode::Esc if !self.filter.is_empty() => self.filter.clear(),
            KeyCode::Enter if self.details.is_some() => self.details = None,
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.overlay = Some(Overlay::Help),
            KeyCode::Char('/') if self.details.is_none() => {
                self.overlay = Some(Overlay::Filter(Prompt::with(&self.filter)));
            }
            KeyCode::Char('+' | '=') => self.widen(true),
            KeyCode::Char('-') => self.widen(false),
            KeyCode::Tab => self.sort = self.sort.next(),
            KeyCode::Up | KeyCode::Char('k') => return self.select(-1),
            KeyCode::Down | KeyCode::Char('j') => return self.select(1),
            KeyCode::PageUp => return self.select(-PAGE),
            KeyCode::PageDown => return self.select(PAGE),
            KeyCode::Home | KeyCode::Char('g') => return self.select(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => return self.select(isize::MAX),
            _ => return self.act(key),
        }
        Vec::new()
    }

    /// What is done to the selected process.
    fn act(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(id) = self.selected.clone() else { return Vec::new() };
        match key.code {
            KeyCode::Enter => return self.show(id),
            KeyCode::Char('s') => return vec![Effect::Ask(self.start_or_stop(id))],
            KeyCode::Char('r') => {
                self.say(format!("restarting {}", id.process), false);
                return vec![Effect::Ask(Question::Restart(id))];
            }
            KeyCode::Char('K') => self.overlay = Some(Overlay::Kill(id)),
            KeyCode::Char('l') => return vec![Effect::ShowLog(id)],
            KeyCode::Char('o') => return self.open(&id),
            KeyCode::Char('m') => return self.mute(&id),
            _ => {}
        }
        Vec::new()
    }

    fn show(&mut self, id: Id) -> Vec<Effect> {
        self.details = Some(Details::of(id.clone()));
        vec![Effect::Ask(Question::Inspect(id.clone())), Effect::Ask(Question::Log(id))]
    }

    fn start_or_stop(&mut self, id: Id) -> Question {
        let runs = self.find(&id).is_some_and(|(_, process)| process.wanted || process.status.is_alive());
        self.say(format!("{} {}", if runs { "stopping" } else { "starting" }, id.process), false);
        if runs { Question::Stop(id) } else { Question::Start(id) }
    }

    fn open(&mut self, id: &Id) -> Vec<Effect> {
        let url = self.find(id).and_then(|(_, process)| process.url.clone());
        if url.is_none() {
            self.say(format!("{} has no URL", id.process), true);
        }
        url.map(Effect::Open).into_iter().collect()
    }

    /// The first alert of the process that is heard; if there is none, one of the environment; if all are muted, the
    /// first of those is heard again.
    fn mute(&mut self, id: &Id) -> Vec<Effect> {
        let own = self.find(id).map(|(shown, _)| shown);
        let about = |process: &Option<String>| process.as_deref().is_none_or(|process| process == id.process);
        let mut alerts: Vec<_> = own
            .into_iter()
            .flat_map(|shown| shown.status.warnings.iter())
            .filter(|warning| {
                about(&warning.process) && (warning.muted || Warning::is_mutable(&warning.kind))
            })
            .collect();
        alerts.sort_by_key(|warning| (warning.muted, warning.process.is_none()));
        let question = alerts.first().map(|warning| Question::Mute {
            workspace: id.workspace.clone(),
            environment: id.environment.clone(),
            process: warning.process.clone(),
            kind: warning.kind.clone(),
            muted: !warning.muted,
        });
        if question.is_none() {
            self.say(format!("{} has no alert that can be muted", id.process), false);
        }
        question.map(Effect::Ask).into_iter().collect()
    }

    /// So many rows further, as far as there are rows. One that is shown large goes along.
    fn select(&mut self, by: isize) -> Vec<Effect> {
        let rows = self.rows();
        let Some(last) = rows.len().checked_sub(1) else { return Vec::new() };
        let now = self.selected.as_ref().and_then(|id| rows.iter().position(|row| row == id)).unwrap_or(0);
        let id = rows[now.saturating_add_signed(by).min(last)].clone();
        let moved = self.selected.as_ref() != Some(&id);
        self.selected = Some(id.clone());
        if moved && self.details.is_some() { self.show(id) } else { Vec::new() }
    }
}

impl Sort {
    fn next(self) -> Self {
        match self {
            Self::Order => Self::Cpu,
            Self::Cpu => Self::Memory,
            Self::Memory => Self::Name,
            Self::Name => Self::Order,
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Order => "as configured",
            Self::Cpu => "by CPU",
            Self::Memory => "by memory",
            Self::Name => "by name",
        }
    }
}
