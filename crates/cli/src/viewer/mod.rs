//! The log view: what `forge logs -f` and `forge start -a` show on a terminal, and the monitor's `l`.
//!
//! `model`, `keys`, `find`, `scroll` decide; `window` is the part of the log that is at hand; `draw` makes the picture;
//! here is the loop around them. Lines are pulled, so that a flood costs what the screen can show: the next page is
//! asked for when the last picture is out.

mod draw;
mod filter;
mod find;
mod keys;
mod layout;
mod model;
mod pattern;
mod scroll;
#[cfg(test)]
mod tests;
mod window;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use forge_api::{
    Code, Error, LogAnchor, LogLine, LogQuery, LogsRead, LogsScan, LogsScanCancel, LogsScanNext, Restart,
    Status, Subscribe, Target, Unsubscribe, Update,
};
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::client::{Answer, Client, Incoming, Pending};
use crate::commands::logs::{Reading, saved};
use crate::context::{Context, variables};
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupts;
use crate::log_sink::LogSink;
use crate::screen::{Heard, Keyboard, Link, Palette, Screen};
use crate::view::log_line::Formatter;
use draw::Brush;
use model::{Effect, Input, Left, Question, Reply, Viewer};
use window::Side;

/// Between two pictures at least, and between two pages of new lines.
const FRAME: Duration = Duration::from_millis(50);

/// After everything has ended, for its last lines to come.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// How the view was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Viewed {
    Quit,
    /// Ctrl-C, or a signal that ends.
    Interrupted,
    /// What it was about is over.
    Over,
}

/// `forge logs -f` on a terminal.
pub(crate) async fn run(context: &Context, client: Client, query: LogQuery) -> Outcome {
    let mut client = client;
    // What makes no sense is told where one looks for it, not on a screen that goes away.
    let probe = LogsRead {
        query: query.clone(),
        anchor: Some(LogAnchor::End),
        backward: true,
        max_lines: Some(1),
        budget_ms: Some(1),
        ..LogsRead::default()
    };
    client.call(&probe).await?;
    let interrupts = Interrupts::listen().map_err(|error| Error::system("listening for Ctrl-C", error))?;
    match view(context, client, query, interrupts, None).await? {
        (Viewed::Quit | Viewed::Over, _) => Ok(ExitCode::SUCCESS),
        (Viewed::Interrupted, _) => Err(Failure::Told(Code::Interrupted)),
    }
}

/// Whether an update is the last that something is shown for: told by whoever started it.
pub(crate) type IsOver<'a> = &'a mut dyn FnMut(Update) -> bool;

/// The view on a screen of its own; its last lines stay on the terminal. With `over` it was a start that is watched:
/// leaving asks what becomes of it.
pub(crate) async fn view<'a>(
    context: &'a Context,
    client: Client,
    query: LogQuery,
    interrupts: Interrupts,
    over: Option<IsOver<'a>>,
) -> Result<(Viewed, Interrupts), Failure> {
    let mut interrupts = interrupts;
    let mut screen = Screen::enter()?;
    let mut keyboard = Keyboard::listen();
    let viewer = Viewer::new(query, over.is_some());
    let mut session = Session::new(context, client, viewer, over);
    let viewed = session.run(&mut screen, &mut keyboard, &mut interrupts).await;
    drop(screen);
    session.leave_lines()?;
    match session.saved.take() {
        Some((path, Ok(lines))) => context.output.note(&saved(&path, lines)),
        Some((_, Err(why))) => return Err(Error::new(Code::System, why).into()),
        None => {}
    }
    Ok((viewed?, interrupts))
}

/// The view on a screen that belongs to somebody else, who gets it back.
pub(crate) async fn inside(
    context: &Context,
    client: Client,
    query: LogQuery,
    (screen, keyboard, interrupts): (&mut Screen, &mut Keyboard, &mut Interrupts),
) -> Result<Viewed, Failure> {
    Session::new(context, client, Viewer::new(query, false), None).run(screen, keyboard, interrupts).await
}

struct Session<'a> {
    context: &'a Context,
    link: Link<'a>,
    asked: Vec<(Pending, Question)>,
    /// What steps want, and is not done yet.
    todo: VecDeque<Effect>,
    viewer: Viewer,
    brush: Brush,
    over: Option<IsOver<'a>>,
    workspace: PathBuf,
    /// The next page of new lines, and when to ask for it.
    later: Option<(Instant, Question)>,
    paged: Instant,
    /// When to leave, once all is over.
    ending: Option<Instant>,
    /// What is being written to a file.
    saving: Option<Saving<'a>>,
    /// What came of that after the view was left.
    saved: Option<Saved>,
}

type Saved = (PathBuf, Result<u64, String>);

type Saving<'a> = Pin<Box<dyn Future<Output = Saved> + 'a>>;

impl<'a> Session<'a> {
    fn new(context: &'a Context, client: Client, viewer: Viewer, over: Option<IsOver<'a>>) -> Self {
        let workspace = viewer.query().workspace;
        Self {
            context,
            link: Link::new(context, client),
            asked: Vec::new(),
            todo: VecDeque::new(),
            viewer,
            brush: Brush { palette: Palette { surface: context.output.stdout() }, zone: TimeZone::system() },
            over,
            workspace,
            later: None,
            paged: Instant::now(),
            ending: None,
            saving: None,
            saved: None,
        }
    }

    async fn run(
        &mut self,
        screen: &mut Screen,
        keyboard: &mut Keyboard,
        interrupts: &mut Interrupts,
    ) -> Result<Viewed, Failure> {
        let viewed = self.show(screen, keyboard, interrupts).await?;
        // What was to be saved is saved whole; whoever has no time for that interrupts it.
        if let Some(saving) = self.saving.take().filter(|_| viewed != Viewed::Interrupted) {
            tokio::select! {
                saved = saving => self.saved = Some(saved),
                () = interrupts.next() => return Ok(Viewed::Interrupted),
            }
        }
        Ok(viewed)
    }

    async fn show(
        &mut self,
        screen: &mut Screen,
        keyboard: &mut Keyboard,
        interrupts: &mut Interrupts,
    ) -> Result<Viewed, Failure> {
        let first = self.draw(screen)?;
        self.todo.extend(first);
        let begin = self.viewer.begin();
        self.todo.extend(begin);
        // The time of the next picture, once something has changed.
        let mut due = None;
        let mut drawn = Instant::now();
        loop {
            while let Some(effect) = self.todo.pop_front() {
                if let Some(viewed) = self.perform(effect, screen).await? {
                    return Ok(viewed);
                }
            }
            let later = self.later.as_ref().map(|(at, _)| *at);
            let input = tokio::select! {
                biased;
                () = interrupts.next() => return Ok(Viewed::Interrupted),
                () = at(due), if due.is_some() => {
                    let lacking = self.draw(screen)?;
                    self.todo.extend(lacking);
                    (due, drawn) = (None, Instant::now());
                    continue;
                }
                key = keyboard.next() => match key {
                    None => return Ok(Viewed::Quit),
                    Some(None) => None,
                    Some(Some(key)) => Some(Input::Key(key)),
                },
                () = at(later), if later.is_some() => {
                    self.ask_later().await;
                    continue;
                }
                () = at(self.ending), if self.ending.is_some() => return Ok(Viewed::Over),
                (path, saved) = done(&mut self.saving), if self.saving.is_some() => {
                    self.saving = None;
                    Some(Input::Saved(path, saved))
                }
                heard = self.link.next() => self.hear(heard).await,
            };
            if let Some(input) = input {
                let effects = self.viewer.step(input);
                self.todo.extend(effects);
            }
            due = due.or(Some(drawn + FRAME));
        }
    }

    /// Draws, and asks for what a terminal of another size lacks.
    fn draw(&mut self, screen: &mut Screen) -> Result<Vec<Effect>, Failure> {
        let mut effects = Vec::new();
        let (viewer, brush) = (&mut self.viewer, &self.brush);
        screen.draw(|area| {
            effects = viewer.resize(usize::from(area.width), usize::from(area.height));
            draw::picture(viewer, brush)
        })?;
        Ok(effects)
    }

    async fn subscribe(&mut self) {
        // What comes is for whoever watches the start; its answer says nothing new.
        let subscribe = Subscribe { workspace: Some(self.workspace.clone()), metrics: false };
        let _ = self.link.ask(&subscribe).await;
    }

    async fn hear(&mut self, heard: Heard) -> Option<Input> {
        match heard {
            Heard::Incoming(Incoming::Answer(id, answer)) => {
                let at = self.asked.iter().position(|(pending, _)| *pending == id)?;
                let (_, question) = self.asked.swap_remove(at);
                let reply = reply(&question, answer);
                Some(Input::Answer(question, reply))
            }
            Heard::Incoming(Incoming::Update(update)) => {
                let over = self.over.as_mut().is_some_and(|over| over(update));
                self.ending = over.then(|| self.ending.unwrap_or(Instant::now() + LAST_WORDS));
                None
            }
            Heard::Lost(_) => {
                self.asked.clear();
                self.later = None;
                Some(Input::Lost)
            }
            Heard::Back => {
                if self.over.is_some() {
                    self.subscribe().await;
                }
                Some(Input::Back)
            }
        }
    }

    /// Does what a step wants. Some: that was the end.
    async fn perform(&mut self, effect: Effect, screen: &mut Screen) -> Result<Option<Viewed>, Failure> {
        match effect {
            Effect::Ask(question) => {
                // What is new is read no more often than it is drawn; what is behind, at once.
                let follows = matches!(&question, Question::Page(page) if page.is_live());
                let at = self.paged + FRAME;
                if follows && at > Instant::now() {
                    self.later = Some((at, question));
                } else {
                    self.ask(question).await;
                }
            }
            Effect::Save(path, _) if self.saving.is_some() => {
                let busy = "wait until the other file is saved".to_owned();
                let effects = self.viewer.step(Input::Saved(path, Err(busy)));
                self.todo.extend(effects);
            }
            Effect::Save(path, query) => {
                let context = self.context;
                self.saving = Some(Box::pin(async move {
                    let saved = save(context, &path, *query).await;
                    (path, saved)
                }));
            }
            Effect::Leave(Left::Quit) => return Ok(Some(Viewed::Quit)),
            Effect::Leave(Left::Interrupted) => return Ok(Some(Viewed::Interrupted)),
            Effect::Suspend => screen.suspend()?,
        }
        Ok(None)
    }

    async fn ask_later(&mut self) {
        if let Some((_, question)) = self.later.take() {
            self.ask(question).await;
        }
    }

    async fn ask(&mut self, question: Question) {
        let pending = match &question {
            Question::Page(page) => {
                if page.side == Side::Newer {
                    self.paged = Instant::now();
                }
                self.link.ask(&page.request).await
            }
            Question::Find { request, .. } => self.link.ask(&**request).await,
            Question::Scan(scan) => self.link.ask(&**scan).await,
            Question::ScanNext(scan) => self.link.ask(&LogsScanNext { scan: *scan }).await,
            Question::ScanCancel(scan) => self.link.ask(&LogsScanCancel { scan: *scan }).await,
            Question::Restart(target) => {
                let names = vec![format!("{}/{}", target.environment, target.process)];
                let variables = Some(variables());
                self.link.ask(&Restart { workspace: self.workspace.clone(), names, variables }).await
            }
            Question::Names => {
                self.link.ask(&Subscribe { workspace: Some(self.workspace.clone()), metrics: false }).await
            }
        };
        if matches!(question, Question::Names) && self.over.is_none() {
            // Only the names are wanted, not what happens to them.
            let _ = self.link.ask(&Unsubscribe {}).await;
        }
        if let Some(pending) = pending {
            self.asked.push((pending, question));
        }
    }

    /// What was last on the screen, for the terminal that comes back.
    fn leave_lines(&self) -> Result<(), Failure> {
        let lines: Vec<&LogLine> =
            self.viewer.on_screen().filter_map(|id| Some(&self.viewer.window.get(id)?.line)).collect();
        let mut formatter = Formatter::new(self.context.output.stdout(), TimeZone::system());
        formatter.expect(lines.iter().copied());
        let mut text = String::new();
        for line in lines {
            formatter.format(line, &mut text);
        }
        self.context.output.text(&text)
    }
}

fn reply(question: &Question, answer: Answer) -> Result<Reply, Error> {
    Ok(match question {
        Question::Page(_) | Question::Find { .. } => Reply::Page(answer.of::<LogsRead>()?),
        Question::Scan(_) => Reply::ScanStarted(answer.of::<LogsScan>()?.scan),
        Question::ScanNext(_) => Reply::Scan(Box::new(answer.of::<LogsScanNext>()?)),
        Question::ScanCancel(_) => answer.of::<LogsScanCancel>().map(|_| Reply::Done)?,
        Question::Restart(_) => answer.of::<Restart>().map(|_| Reply::Done)?,
        Question::Names => Reply::Names(names(&answer.of::<Subscribe>()?.environments)),
    })
}

fn names(environments: &[Status]) -> Vec<Target> {
    let of = |status: &Status| -> Vec<Target> {
        let target = |process: &forge_api::ProcessStatus| Target {
            environment: status.environment.clone(),
            process: process.name.clone(),
        };
        status.processes.iter().map(target).collect()
    };
    environments.iter().flat_map(of).collect()
}

/// All that fits, to a file; on a connection of its own, so that the view goes on meanwhile.
async fn save(context: &Context, path: &Path, query: LogQuery) -> Result<u64, String> {
    let told = |failure: Failure| match failure {
        Failure::Error(error) => error.message,
        _ => format!("{}: nobody reads it", path.display()),
    };
    let mut client = context.client().await.map_err(|error| error.message)?;
    let sink = LogSink::open(context.output, Some(path)).map_err(|error| error.message)?;
    let mut reading = Reading::new(query, false, sink);
    reading.history(&mut client).await.map_err(told)?;
    reading.close().map_err(told)
}

/// Asked for only while there is something.
async fn done(saving: &mut Option<Saving<'_>>) -> (PathBuf, Result<u64, String>) {
    match saving {
        Some(saving) => saving.await,
        None => std::future::pending().await,
    }
}

async fn at(moment: Option<Instant>) {
    if let Some(moment) = moment {
        tokio::time::sleep_until(moment).await;
    }
}
