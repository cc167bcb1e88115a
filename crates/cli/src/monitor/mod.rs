//! `forge monitor`: what every process costs, live, and the keys to do something about it.
//!
//! `model` and `keys` decide, `draw`, `list` and `details` make the picture; here is the loop around them. It sleeps
//! until a key is pressed or the supervisor tells something.

mod details;
mod draw;
mod figures;
mod history;
mod keys;
mod list;
mod model;
mod shown;
mod stream;
#[cfg(test)]
mod tests;
mod trend;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use forge_api::{
    Code, Error, GetStatus, Inspect, Kill, LogAnchor, LogQuery, LogsRead, MuteAlert, ReadMetrics, Restart,
    Start, Stop, Subscribe, Time,
};
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::args;
use crate::client::{Answer, Client, Incoming, Pending};
use crate::commands::open;
use crate::context::{Context, variables};
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupts;
use crate::screen::{self, Heard, Keyboard, Link, Palette, Screen};
use crate::viewer::{self, Viewed};
use draw::Brush;
use model::{Effect, Id, Input, Monitor, Question, Reply, Scope};

/// Between two pictures at least: what comes faster is drawn together.
const FRAME: Duration = Duration::from_millis(50);
/// Lines of log below a process that is shown large.
const LOG_LINES: usize = 60;

pub(crate) async fn run(context: &Context, args: args::Monitor) -> Outcome {
    let mut client = context.client().await?;
    let scope = scope(context, &mut client, args.environment).await?;
    if context.output.json {
        return stream::stream(context, client, &scope).await;
    }
    let mut monitor = Monitor::new(scope);
    let mut link = Link::new(context, client);
    first(&mut link, &mut monitor).await?;
    if !screen::is_available() {
        context
            .output
            .text(&draw::page(&monitor, &brush(context, context.output.stdout().width.min(100))))?;
        return Ok(ExitCode::SUCCESS);
    }
    let interrupts = Interrupts::listen().map_err(|error| Error::system("listening for Ctrl-C", error))?;
    let screen = Screen::enter()?;
    let mut session =
        Session { context, link, asked: Vec::new(), screen, keyboard: Keyboard::listen(), interrupts };
    session.run(&mut monitor).await
}

/// The environment that was named; else what runs of this workspace, or its default one; without a workspace, what
/// runs anywhere.
async fn scope(context: &Context, client: &mut Client, named: Option<String>) -> Result<Scope, Failure> {
    let root = match context.root(client).await {
        Ok(root) => root,
        Err(error) if error.code == Code::NoWorkspace && named.is_none() => return Ok(Scope::Active(None)),
        Err(error) => return Err(error.into()),
    };
    if named.is_none() {
        let known = client.call(&Subscribe { workspace: Some(root.clone()), metrics: false }).await?;
        let active = known.environments.iter().filter(|status| {
            status.processes.iter().any(|process| process.wanted || process.status.is_alive())
        });
        if active.count() > 0 {
            return Ok(Scope::Active(Some(root)));
        }
    }
    let status = client.call(&GetStatus { workspace: root, environment: named }).await?;
    Ok(Scope::Environment(status.workspace, status.environment))
}

/// Asks until nothing is left to be asked: the first picture is whole.
async fn first(link: &mut Link<'_>, monitor: &mut Monitor) -> Result<(), Failure> {
    let mut questions = vec![Question::Subscribe];
    while let Some(question) = questions.pop() {
        let pending = ask(link, &question, monitor).await;
        let answer = loop {
            match link.next().await {
                Heard::Incoming(Incoming::Answer(id, answer)) if Some(id) == pending => break answer,
                Heard::Incoming(Incoming::Update(update)) => {
                    questions.extend(questions_of(monitor.step(Input::Update(update))));
                }
                Heard::Incoming(Incoming::Answer(..)) | Heard::Back => {}
                Heard::Lost(error) => return Err(error.into()),
            }
        };
        let reply = reply(&question, answer)?;
        questions.extend(questions_of(monitor.step(Input::Answer(question, Ok(reply)))));
    }
    Ok(())
}

fn questions_of(effects: Vec<Effect>) -> impl Iterator<Item = Question> {
    effects
        .into_iter()
        .filter_map(|effect| if let Effect::Ask(question) = effect { Some(question) } else { None })
}

fn brush(context: &Context, width: usize) -> Brush {
    Brush {
        palette: Palette { surface: context.output.stdout() },
        width,
        now: Time::now(),
        zone: TimeZone::system(),
    }
}

struct Session<'a> {
    context: &'a Context,
    link: Link<'a>,
    asked: Vec<(Pending, Question)>,
    screen: Screen,
    keyboard: Keyboard,
    interrupts: Interrupts,
}

impl Session<'_> {
    async fn run(&mut self, monitor: &mut Monitor) -> Outcome {
        // The time of the next picture, once something has changed.
        let mut due = Some(Instant::now());
        let mut drawn = Instant::now();
        loop {
            let effects = tokio::select! {
                biased;
                () = self.interrupts.next() => return Err(Failure::Told(Code::Interrupted)),
                () = at(due), if due.is_some() => {
                    self.draw(monitor)?;
                    (due, drawn) = (None, Instant::now());
                    continue;
                }
                key = self.keyboard.next() => match key {
                    None => return Ok(ExitCode::SUCCESS),
                    Some(None) => Vec::new(),
                    Some(Some(key)) => monitor.step(Input::Key(key)),
                },
                heard = self.link.next() => match self.hear(heard) {
                    Some(input) => monitor.step(input),
                    None => continue,
                },
            };
            due = due.or(Some(drawn + FRAME));
            for effect in effects {
                if let Some(ended) = self.perform(effect, monitor).await? {
                    return ended;
                }
            }
        }
    }

    fn draw(&mut self, monitor: &Monitor) -> Result<(), Failure> {
        let brush = brush(self.context, 0);
        self.screen.draw(|area| {
            let brush = Brush { width: usize::from(area.width), ..brush };
            draw::picture(monitor, usize::from(area.height), &brush)
        })?;
        Ok(())
    }

    fn hear(&mut self, heard: Heard) -> Option<Input> {
        match heard {
            Heard::Incoming(Incoming::Update(update)) => Some(Input::Update(update)),
            Heard::Incoming(Incoming::Answer(id, answer)) => {
                let at = self.asked.iter().position(|(pending, _)| *pending == id)?;
                let (_, question) = self.asked.swap_remove(at);
                let reply = reply(&question, answer);
                Some(Input::Answer(question, reply))
            }
            Heard::Lost(_) => {
                self.asked.clear();
                Some(Input::Lost)
            }
            Heard::Back => Some(Input::Back),
        }
    }

    /// Does what a step wants. Some: that was the end.
    async fn perform(&mut self, effect: Effect, monitor: &mut Monitor) -> Result<Option<Outcome>, Failure> {
        match effect {
            Effect::Ask(question) => {
                if let Some(pending) = ask(&mut self.link, &question, monitor).await {
                    self.asked.push((pending, question));
                }
            }
            Effect::Open(url) => match open::in_browser(&url) {
                true => monitor.say(format!("opening {url}"), false),
                false => monitor.say(url, false),
            },
            Effect::ShowLog(id) => return self.show_log(&id, monitor).await,
            Effect::Suspend => self.screen.suspend()?,
            Effect::Quit => return Ok(Some(Ok(ExitCode::SUCCESS))),
            Effect::Interrupt => return Ok(Some(Err(Failure::Told(Code::Interrupted)))),
        }
        Ok(None)
    }

    /// The log view has the screen until it is left. What happened meanwhile is asked for anew: nobody has listened.
    async fn show_log(&mut self, id: &Id, monitor: &mut Monitor) -> Result<Option<Outcome>, Failure> {
        let client = self.context.client().await?;
        let query =
            LogQuery { workspace: id.workspace.clone(), names: vec![id.name()], ..LogQuery::default() };
        let viewed = viewer::inside(
            self.context,
            client,
            query,
            (&mut self.screen, &mut self.keyboard, &mut self.interrupts),
        );
        match viewed.await {
            Ok(Viewed::Quit | Viewed::Over) => {}
            Ok(Viewed::Interrupted) => return Ok(Some(Err(Failure::Told(Code::Interrupted)))),
            Err(Failure::Error(error)) => monitor.say(error.message, true),
            Err(failure) => return Err(failure),
        }
        self.link = Link::new(self.context, self.context.client().await?);
        self.asked.clear();
        for effect in monitor.step(Input::Lost).into_iter().chain(monitor.step(Input::Back)) {
            if let Effect::Ask(question) = effect
                && let Some(pending) = ask(&mut self.link, &question, monitor).await
            {
                self.asked.push((pending, question));
            }
        }
        Ok(None)
    }
}

async fn at(moment: Option<Instant>) {
    if let Some(moment) = moment {
        tokio::time::sleep_until(moment).await;
    }
}

/// `None`: nobody is there to be asked.
async fn ask(link: &mut Link<'_>, question: &Question, monitor: &Monitor) -> Option<Pending> {
    match question {
        Question::Subscribe => {
            let workspace = monitor.scope.workspace().map(Path::to_path_buf);
            link.ask(&Subscribe { workspace, metrics: true }).await
        }
        Question::Status { workspace, environment } => {
            let environment = Some(environment.clone());
            link.ask(&GetStatus { workspace: workspace.clone(), environment }).await
        }
        Question::Metrics { workspace, environment } => {
            link.ask(&ReadMetrics {
                workspace: workspace.clone(),
                environment: environment.clone(),
                after_ms: Time::now().as_millis() - history::KEPT_MS,
                before_ms: None,
                step_ms: None,
            })
            .await
        }
        Question::Inspect(id) => {
            link.ask(&Inspect { workspace: id.workspace.clone(), name: id.name() }).await
        }
        Question::Log(id) => link.ask(&last_lines(id)).await,
        Question::Start(id) => link.ask(&start(id, monitor)).await,
        Question::Stop(id) => {
            link.ask(&Stop { workspace: id.workspace.clone(), names: vec![id.name()], all: false }).await
        }
        Question::Restart(id) => {
            let variables = typed_there(id, monitor).then(variables);
            link.ask(&Restart { workspace: id.workspace.clone(), names: vec![id.name()], variables }).await
        }
        Question::Kill(id) => {
            link.ask(&Kill { workspace: id.workspace.clone(), names: vec![id.name()] }).await
        }
        Question::Mute { workspace, environment, process, kind, muted } => {
            let (workspace, environment) = (workspace.clone(), environment.clone());
            let (process, kind) = (process.clone(), kind.clone());
            link.ask(&MuteAlert { workspace, environment, process, kind, muted: *muted }).await
        }
    }
}

fn reply(question: &Question, answer: Answer) -> Result<Reply, Error> {
    Ok(match question {
        Question::Subscribe => Reply::Subscribed(answer.of::<Subscribe>()?.environments),
        Question::Status { .. } => Reply::Status(Box::new(answer.of::<GetStatus>()?)),
        Question::Metrics { .. } => Reply::Metrics(answer.of::<ReadMetrics>()?),
        Question::Inspect(_) => Reply::Details(Box::new(answer.of::<Inspect>()?)),
        Question::Log(_) => Reply::Log(answer.of::<LogsRead>()?.lines),
        Question::Start(_) => answer.of::<Start>().map(|_| Reply::Done)?,
        Question::Stop(_) => answer.of::<Stop>().map(|_| Reply::Done)?,
        Question::Restart(_) => answer.of::<Restart>().map(|_| Reply::Done)?,
        Question::Kill(_) => answer.of::<Kill>().map(|_| Reply::Done)?,
        Question::Mute { .. } => answer.of::<MuteAlert>().map(|_| Reply::Done)?,
    })
}

/// A key pressed in the workspace's own folder is as good as `forge start` there.
fn typed_there(id: &Id, monitor: &Monitor) -> bool {
    monitor.scope.workspace() == Some(&id.workspace)
}

fn start(id: &Id, monitor: &Monitor) -> Start {
    let there = typed_there(id, monitor);
    Start {
        workspace: id.workspace.clone(),
        names: vec![id.name()],
        variables: there.then(variables),
        trust: there,
        ..Start::default()
    }
}

fn last_lines(id: &Id) -> LogsRead {
    LogsRead {
        query: LogQuery { workspace: id.workspace.clone(), names: vec![id.name()], ..LogQuery::default() },
        anchor: Some(LogAnchor::End),
        backward: true,
        max_lines: Some(LOG_LINES),
        ..LogsRead::default()
    }
}
