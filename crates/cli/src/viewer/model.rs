//! What the log view knows and does, without a terminal and without a supervisor: an input in, effects out.

use std::path::PathBuf;

use forge_api::{Error, LogAnchor, LogQuery, LogsRead, LogsReadAnswer, LogsScan, LogsScanAnswer, Target};

use super::filter::Filter;
use super::find::{Finding, Search};
use super::scroll::Position;
use super::window::{Page, Side, Window};
use crate::screen::Prompt;
use crate::view::names::Names;

/// Pages that are read to get to the newest line before they are jumped over.
const MOST_BEHIND: u32 = 20;

/// Lines from the end of the screen to the last one at hand: so few, and more are wanted below rather than kept above.
const NEAR: i64 = 1000;

/// Something that the supervisor is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    Page(Box<Page>),
    /// A page of lines that match, looking for the next one.
    Find {
        number: u64,
        request: Box<LogsRead>,
    },
    Scan(Box<LogsScan>),
    ScanNext(u64),
    ScanCancel(u64),
    Restart(Target),
    /// The names of processes, for the filter.
    Names,
}

/// What it answers.
#[derive(Debug)]
pub(crate) enum Reply {
    Page(LogsReadAnswer),
    ScanStarted(u64),
    Scan(Box<LogsScanAnswer>),
    Names(Vec<Target>),
    Done,
}

#[derive(Debug)]
pub(crate) enum Input {
    Key(crossterm::event::KeyEvent),
    Answer(Question, Result<Reply, Error>),
    /// The supervisor is gone.
    Lost,
    /// Another one answers.
    Back,
    /// What was asked to be saved is: how many lines; or why not.
    Saved(PathBuf, Result<u64, String>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    Ask(Question),
    /// All that fits, from the first line that is stored, to a file.
    Save(PathBuf, Box<LogQuery>),
    Leave(Left),
    Suspend,
}

/// How the view was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Quit,
    Interrupted,
}

/// What is in the way of the lines, or typed below them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Overlay {
    Help,
    Search(Prompt),
    Filter(Prompt),
    Save(Prompt),
    /// Restart it? The answer is yes or no.
    Restart(Target),
    /// Leave, and stop what was started?
    Stop,
    Trends,
}

/// A message at the bottom, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) text: String,
    pub(crate) bad: bool,
}

/// Columns and rows that lines have: the last row of the terminal is the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: usize,
    pub(crate) height: usize,
}

#[derive(Debug)]
pub(crate) struct Viewer {
    base: LogQuery,
    /// Lines at first, if so many were asked for.
    pub(super) tail: Option<u64>,
    known: Vec<Target>,
    pub(super) names: Names,
    pub(super) filter: Filter,
    /// Until the first page with the new one has come.
    filter_before: Option<Filter>,
    /// The context of a line is shown: what was filtered before.
    pub(super) context_of: Option<Filter>,
    pub(super) window: Window,
    pub(super) position: Position,
    pub(super) size: Size,
    pub(super) wrap: bool,
    /// Columns that are scrolled out to the left.
    pub(super) shift: usize,
    /// What was before is not shown until somebody scrolls up.
    pub(super) cleared: bool,
    /// Came since the view stands still, if it followed before.
    pub(super) new_lines: usize,
    pub(super) counting: bool,
    /// Paused: this entry and later ones are not shown, even where there is room below.
    pub(super) held: Option<i64>,
    /// Rows that somebody wants to be scrolled up, once there are older lines.
    pub(super) owed: usize,
    /// The line that was found.
    pub(super) mark: Option<i64>,
    /// It is among those that are asked for.
    pub(super) mark_at: Option<LogAnchor>,
    /// What stands around the line that is being looked for was asked for already, by the last key.
    pub(super) context_wanted: bool,
    pub(super) search: Option<Search>,
    pub(super) finding: Option<Finding>,
    pub(super) trends: Option<Box<LogsScanAnswer>>,
    pub(super) trends_scan: Option<u64>,
    pub(super) overlay: Option<Overlay>,
    pub(super) note: Option<Note>,
    pub(super) lost: bool,
    /// Reading was refused: not again before the next key.
    pub(super) stuck: bool,
    /// Pages in a row that were not the newest lines yet, although they are followed.
    behind: u32,
    /// Ctrl-C stops what a start has started: leaving asks about it.
    pub(super) attached: bool,
    numbers: u64,
}

impl Viewer {
    pub(crate) fn new(query: LogQuery, attached: bool) -> Self {
        Self {
            tail: query.tail,
            base: LogQuery { tail: None, ..query },
            known: Vec::new(),
            names: Names::default(),
            filter: Filter::default(),
            filter_before: None,
            context_of: None,
            window: Window::at_tail(),
            position: Position::Follow,
            size: Size { width: 80, height: 23 },
            wrap: true,
            shift: 0,
            cleared: false,
            new_lines: 0,
            counting: false,
            held: None,
            owed: 0,
            mark: None,
            mark_at: None,
            context_wanted: false,
            search: None,
            finding: None,
            trends: None,
            trends_scan: None,
            overlay: None,
            note: None,
            lost: false,
            stuck: false,
            behind: 0,
            attached,
            numbers: 0,
        }
    }

    /// What is to be asked at first.
    pub(crate) fn begin(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::Ask(Question::Names)];
        effects.extend(self.fill());
        effects
    }

    /// The terminal has another size.
    pub(crate) fn resize(&mut self, width: usize, height: usize) -> Vec<Effect> {
        let size = Size { width, height: height.saturating_sub(1) };
        if size == self.size {
            return Vec::new();
        }
        self.size = size;
        self.fill()
    }

    pub(crate) fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = match input {
            Input::Key(key) => self.key(key),
            Input::Answer(question, Ok(reply)) => self.answer(question, reply),
            Input::Answer(question, Err(error)) => self.refused(&question, error),
            Input::Lost => {
                self.lost = true;
                self.window.forget_asked();
                self.finding = None;
                Vec::new()
            }
            Input::Back => {
                self.lost = false;
                Vec::new()
            }
            Input::Saved(path, Ok(lines)) => {
                self.say(format!("saved {lines} lines to {}", path.display()));
                Vec::new()
            }
            Input::Saved(_, Err(why)) => {
                self.complain(why);
                Vec::new()
            }
        };
        effects.extend(self.fill());
        effects
    }

    pub(super) fn say(&mut self, text: String) {
        self.note = Some(Note { text, bad: false });
    }

    pub(super) fn complain(&mut self, text: String) {
        self.note = Some(Note { text, bad: true });
    }

    fn answer(&mut self, question: Question, reply: Reply) -> Vec<Effect> {
        match (question, reply) {
            (Question::Page(page), Reply::Page(answer)) => {
                self.page(page.side, page.number, answer);
                Vec::new()
            }
            (Question::Find { number, .. }, Reply::Page(answer)) => self.found(number, &answer),
            (Question::Scan(scan), Reply::ScanStarted(id)) => self.scan_started(&scan.slot, id),
            (Question::ScanNext(id), Reply::Scan(answer)) => self.scanned(id, answer),
            (Question::Names, Reply::Names(known)) => {
                self.known = known;
                Vec::new()
            }
            (Question::Restart(target), _) => {
                self.say(format!("restarting {}", target.process));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn refused(&mut self, question: &Question, error: Error) -> Vec<Effect> {
        match question {
            Question::Page(page) => {
                self.window.failed(page.side, page.number);
                if let Some(before) = self.filter_before.take() {
                    // The new filter is what was refused.
                    self.filter = before;
                    self.open(Window::at_tail(), Position::Follow);
                } else {
                    self.stuck = true;
                }
            }
            Question::Find { .. } => self.finding = None,
            // Counts are beside the point.
            Question::Scan(scan) if scan.slot == Search::SLOT => return Vec::new(),
            Question::ScanNext(_) | Question::ScanCancel(_) | Question::Names => return Vec::new(),
            Question::Scan(_) => self.overlay = None,
            Question::Restart(_) => {}
        }
        self.complain(match error.help {
            Some(help) => format!("{}: {help}", error.message),
            None => error.message,
        });
        Vec::new()
    }

    fn page(&mut self, side: Side, number: u64, answer: LogsReadAnswer) {
        for line in &answer.lines {
            self.names.meet(&line.environment, &line.process);
        }
        let Some(came) = self.window.take(side, number, answer) else { return };
        self.filter_before = None;
        if let Some(tail) = self.tail.take() {
            // So many and no more, until somebody scrolls up.
            self.cleared = true;
            if tail == 0 {
                self.window.clear();
            }
        }
        if let Some(anchor) = &self.mark_at
            && let Some(id) = self.window.find(anchor)
        {
            self.mark = Some(id);
            self.mark_at = None;
            self.position = Position::Centre(id);
            if std::mem::take(&mut self.context_wanted) {
                self.show_context();
                return;
            }
        }
        if side == Side::Older {
            self.scroll_owed();
        }
        if self.position == Position::Follow {
            self.window.trim_front();
            self.keep_up();
        } else if side == Side::Newer && self.counting {
            self.new_lines += came;
        } else if !self.window.is_live() {
            // The newest lines were let go.
            self.counting = false;
        }
    }

    /// Who follows a flood that cannot be read as fast as it comes looks at its newest lines; the others stay in history.
    fn keep_up(&mut self) {
        self.behind = if self.window.is_live() || self.window.is_empty() { 0 } else { self.behind + 1 };
        if self.behind > MOST_BEHIND {
            self.behind = 0;
            self.open(Window::at_tail(), Position::Follow);
        }
    }

    /// Asks for what the picture lacks, and for what is to come.
    fn fill(&mut self) -> Vec<Effect> {
        if self.lost || self.stuck {
            return Vec::new();
        }
        let mut pages = Vec::new();
        if self.wants_older() {
            let lines = self.tail.and_then(|tail| usize::try_from(tail).ok()).unwrap_or(usize::MAX);
            pages.extend(self.window.ask_older(lines.max(1)));
        }
        if self.wants_newer() {
            pages.extend(self.window.ask_newer());
        }
        let query = self.query();
        let ask = |mut page: Page| {
            page.request.query = query.clone();
            Effect::Ask(Question::Page(Box::new(page)))
        };
        pages.into_iter().map(ask).collect()
    }

    /// Who stands still for long reads on later; nobody holds what he does not look at.
    fn wants_newer(&mut self) -> bool {
        if self.position == Position::Follow {
            return true;
        }
        let near = self.window.ids().end - self.on_screen().end < NEAR;
        if near && self.window.is_overfull() {
            self.window.trim_front();
        }
        near || (self.window.is_live() && !self.window.is_overfull())
    }

    /// What is asked for at present.
    pub(super) fn query(&self) -> LogQuery {
        self.filter.narrow(&self.base)
    }

    pub(super) fn known(&self) -> &[Target] {
        &self.known
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Looks at another part of the log.
    pub(super) fn open(&mut self, window: Window, position: Position) {
        self.window = window.instead_of(&self.window);
        self.position = position;
        self.mark = None;
        self.mark_at = None;
        self.cleared = false;
        self.new_lines = 0;
        self.counting = false;
        self.held = None;
        self.owed = 0;
        self.tail = None;
    }

    /// Looks at the lines around one, which is marked.
    pub(super) fn open_around(&mut self, anchor: LogAnchor) {
        self.open(Window::around(anchor.clone()), Position::Top { id: 0, row: 0 });
        self.mark_at = Some(anchor);
    }

    /// From now on another filter; the old one if the supervisor refuses it.
    pub(super) fn refilter(&mut self, filter: Filter) {
        self.filter_before = Some(std::mem::replace(&mut self.filter, filter));
        self.open(Window::at_tail(), Position::Follow);
    }
}
