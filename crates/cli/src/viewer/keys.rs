//! What keys do in the log view.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use forge_api::{LogQuery, Target};

use super::filter::Filter;
use super::find::Wanted;
use super::model::{Effect, Left, Overlay, Question, Viewer};
use super::scroll::Position;
use super::window::anchor_of;
use crate::screen::{Prompt, Typed, is_interrupt};

/// The keys in the order in which help lists them.
pub(crate) const HELP: [(&str, &str); 17] = [
    ("/", "search: a text, or /regex/; capitals make case count"),
    ("n N", "next and previous match, through all of history"),
    ("e E", "next and previous error"),
    ("Enter", "of a line that was found: what stands around it, unfiltered"),
    ("f", "filter: a process, a level, a text, !text: f backend error"),
    ("Esc", "back: from a context to the filter; the search is over"),
    ("p Space", "pause, and go on; nothing is lost"),
    ("Up Down PgUp PgDn", "scroll, also j k b d; the wheel does"),
    ("Home End", "the oldest line; the newest, and follow again"),
    ("w", "wrap long lines; Left and Right where they are not"),
    ("c", "clear; scrolling up shows it again"),
    ("s", "save all that fits: text, JSON lines (.jsonl), or .gz"),
    ("t", "trends: errors and warnings of each process over time"),
    ("R", "restart the process of the line that was found (asks)"),
    ("Ctrl-Z", "suspend; fg comes back"),
    ("?", "this help"),
    ("q  Ctrl-C", "quit; the last lines stay on the terminal"),
];

impl Viewer {
    pub(super) fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        self.note = None;
        self.stuck = false;
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && key.code == KeyCode::Char('z') {
            return vec![Effect::Suspend];
        }
        match self.overlay.take() {
            Some(Overlay::Search(prompt)) => self.typed(key, prompt, Overlay::Search, Self::search),
            Some(Overlay::Filter(prompt)) => self.typed(key, prompt, Overlay::Filter, Self::set_filter),
            Some(Overlay::Save(prompt)) => self.typed(key, prompt, Overlay::Save, Self::save),
            _ if is_interrupt(key) => vec![Effect::Leave(Left::Interrupted)],
            Some(Overlay::Restart(target)) => self.confirmed(key, target),
            Some(Overlay::Stop) => self.leave(key),
            Some(Overlay::Trends) => self.close_trends(key),
            Some(Overlay::Help) => Vec::new(),
            None => self.command(key, control),
        }
    }

    /// Types on, or does what was typed.
    fn typed(
        &mut self,
        key: KeyEvent,
        mut prompt: Prompt,
        overlay: fn(Prompt) -> Overlay,
        act: fn(&mut Self, &str) -> Vec<Effect>,
    ) -> Vec<Effect> {
        match prompt.key(key) {
            Typed::Edited => {
                self.overlay = Some(overlay(prompt));
                Vec::new()
            }
            Typed::Done => act(self, prompt.text()),
            Typed::Left => Vec::new(),
        }
    }

    fn command(&mut self, key: KeyEvent, control: bool) -> Vec<Effect> {
        let looking = self.finding.is_some() || self.mark_at.is_some();
        self.context_wanted = looking && key.code == KeyCode::Enter;
        if self.context_wanted {
            return Vec::new();
        }
        // Any other key is as good as saying that it takes too long.
        self.finding = None;
        match key.code {
            KeyCode::Char('q') if self.attached => self.overlay = Some(Overlay::Stop),
            KeyCode::Char('q') => return vec![Effect::Leave(Left::Quit)],
            KeyCode::Char('/') => self.overlay = Some(Overlay::Search(Prompt::default())),
            KeyCode::Char('f') if !control => {
                self.overlay = Some(Overlay::Filter(Prompt::with(self.filter.typed())))
            }
            KeyCode::Char('s') => self.overlay = Some(Overlay::Save(Prompt::default())),
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.overlay = Some(Overlay::Help),
            KeyCode::Char('t') => {
                self.overlay = Some(Overlay::Trends);
                return self.count_trends();
            }
            KeyCode::Char('n') => return self.find(Wanted::Match, false),
            KeyCode::Char('N') => return self.find(Wanted::Match, true),
            KeyCode::Char('e') => return self.find(Wanted::Error, false),
            KeyCode::Char('E') => return self.find(Wanted::Error, true),
            KeyCode::Char('R') => self.ask_restart(),
            KeyCode::Enter => self.show_context(),
            KeyCode::Esc => self.back(),
            KeyCode::Char('c') => self.clear(),
            KeyCode::Char('w') => (self.wrap, self.shift) = (!self.wrap, 0),
            _ => self.movement(key.code, control),
        }
        Vec::new()
    }

    fn movement(&mut self, code: KeyCode, control: bool) {
        let page = isize::try_from(self.size.height.saturating_sub(1).max(1)).unwrap_or(1);
        match code {
            KeyCode::Char('u') if control => self.scroll(-page / 2),
            KeyCode::Char('d') if control => self.scroll(page / 2),
            KeyCode::Char('b') => self.scroll(-page),
            KeyCode::Char('f' | 'd') => self.scroll(page),
            KeyCode::Char('p' | ' ') if self.position == Position::Follow => self.pause(),
            KeyCode::Char('p' | ' ' | 'G') | KeyCode::End => self.follow(),
            KeyCode::Up | KeyCode::Char('k') => self.scroll(-1),
            KeyCode::Down | KeyCode::Char('j') => self.scroll(1),
            KeyCode::PageUp => self.scroll(-page),
            KeyCode::PageDown => self.scroll(page),
            KeyCode::Home | KeyCode::Char('g') => self.go_to_beginning(),
            KeyCode::Left => self.sideways(false),
            KeyCode::Right => self.sideways(true),
            _ => {}
        }
    }

    fn set_filter(&mut self, typed: &str) -> Vec<Effect> {
        match Filter::parse(typed, self.known()) {
            Ok(filter) => {
                self.context_of = None;
                if filter != self.filter {
                    self.refilter(filter);
                }
            }
            Err(why) => self.complain(why),
        }
        Vec::new()
    }

    fn save(&mut self, typed: &str) -> Vec<Effect> {
        let name = typed.trim();
        if name.is_empty() {
            self.say("nothing was saved".to_owned());
            return Vec::new();
        }
        self.say(format!("saving to {name}…"));
        // `-n` says with which line the view begins, not what there is to see.
        vec![Effect::Save(PathBuf::from(name), Box::new(LogQuery { tail: None, ..self.query() }))]
    }

    fn clear(&mut self) {
        if self.window.is_live() {
            self.window.clear();
            self.cleared = true;
        } else {
            // Where the log ends has to be found first.
            self.follow();
            self.tail = Some(0);
        }
        self.position = Position::Follow;
        self.held = None;
        self.new_lines = 0;
        self.mark = None;
    }

    /// What stands around the line that was found, of all processes.
    pub(super) fn show_context(&mut self) {
        let Some(entry) = self.marked() else {
            self.say("no line was found yet: / searches, e goes to an error".to_owned());
            return;
        };
        if self.filter.is_empty() {
            self.say("nothing is filtered: this is all that stands around it".to_owned());
            return;
        }
        let anchor = anchor_of(&entry.line);
        self.context_of = Some(std::mem::take(&mut self.filter));
        self.open_around(anchor);
    }

    /// From a context to what was filtered before it; else the search is over.
    fn back(&mut self) {
        if let Some(filter) = self.context_of.take() {
            let anchor = self.marked().map(|entry| anchor_of(&entry.line));
            self.refilter(filter);
            if let Some(anchor) = anchor {
                self.open_around(anchor);
            }
            return;
        }
        self.search = None;
        self.mark = None;
    }

    fn ask_restart(&mut self) {
        let found = self.marked().map(|entry| Target {
            environment: entry.line.environment.clone(),
            process: entry.line.process.clone(),
        });
        match found {
            Some(target) => self.overlay = Some(Overlay::Restart(target)),
            None => {
                self.say("restart what? Find a line of it first: / searches, e goes to an error".to_owned())
            }
        }
    }

    fn confirmed(&mut self, key: KeyEvent, target: Target) -> Vec<Effect> {
        if matches!(key.code, KeyCode::Char('y' | 'Y')) {
            return vec![Effect::Ask(Question::Restart(target))];
        }
        self.say(format!("{} was not restarted", target.process));
        Vec::new()
    }

    /// What becomes of that which was started.
    fn leave(&mut self, key: KeyEvent) -> Vec<Effect> {
        match key.code {
            KeyCode::Char('s' | 'S' | 'y' | 'Y') => vec![Effect::Leave(Left::Interrupted)],
            KeyCode::Char('k' | 'K' | 'q' | 'n' | 'N') => vec![Effect::Leave(Left::Quit)],
            _ => Vec::new(),
        }
    }

    fn close_trends(&mut self, key: KeyEvent) -> Vec<Effect> {
        if !matches!(key.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q' | 't')) {
            self.overlay = Some(Overlay::Trends);
            return Vec::new();
        }
        let done = self.trends.as_ref().is_some_and(|trends| trends.done);
        let scan = self.trends_scan.take().filter(|_| !done);
        scan.map(|scan| Effect::Ask(Question::ScanCancel(scan))).into_iter().collect()
    }
}
