//! A start as it goes: what each process does, what it waits for, how long it took.

use std::time::Duration;

use forge_api::{HealthState, ProcessStatus, Started, State, Status, Target};

use crate::view::clean;
use crate::view::style::{Ink, Mark, Style, columns, pad, pad_left};
use crate::view::words;

/// On a wider terminal the times would be far from what took them.
const WIDEST: usize = 110;

/// Everything that a start waits for. Times are since the start began.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// `Starting dev`.
    title: String,
    several: bool,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    target: Target,
    /// Not running before.
    begun: bool,
    process: Option<ProcessStatus>,
    /// When it stopped waiting.
    since: Option<Duration>,
    /// From then until it was ready.
    took: Option<Duration>,
}

/// What a row shows, besides its mark.
struct Told {
    ink: Ink,
    text: String,
}

impl Progress {
    /// A start as it was planned, on top of how things stood.
    pub(crate) fn new(verb: &str, started: &Started, known: &[Status]) -> Self {
        let several = started.processes.windows(2).any(|pair| pair[0].environment != pair[1].environment);
        let rows = started
            .processes
            .iter()
            .map(|target| {
                let begun = started.starting.contains(target);
                let process = known
                    .iter()
                    .filter(|status| status.environment == target.environment)
                    .flat_map(|status| &status.processes)
                    .find(|process| process.name == target.process)
                    // How it stood before does not say how its start goes.
                    .filter(|_| !begun)
                    .cloned();
                Row { target: target.clone(), begun, process, since: None, took: None }
            })
            .collect();
        Self { title: format!("{verb} {}", started.environment), several, rows }
    }

    /// What it is about has changed: it is being stopped.
    pub(crate) fn retitle(&mut self, title: String) {
        self.title = title;
    }

    /// Takes over how a process stands. The index of its row, if that changed what it does.
    pub(crate) fn update(
        &mut self,
        environment: &str,
        process: ProcessStatus,
        at: Duration,
    ) -> Option<usize> {
        let index = self
            .rows
            .iter()
            .position(|row| row.target.environment == environment && row.target.process == process.name)?;
        let row = self.rows.get_mut(index)?;
        if !matches!(process.status, State::Waiting | State::Stopped) {
            row.since.get_or_insert(at);
        }
        if process.ready && row.took.is_none() {
            row.took = row.since.map(|since| at.saturating_sub(since));
        }
        let step = |process: &ProcessStatus| (state_word(process), process.waiting_on.clone());
        let changed = row.process.as_ref().map(step) != Some(step(&process));
        row.process = Some(process);
        changed.then_some(index)
    }

    /// Nothing of it runs, is wanted or comes back.
    pub(crate) fn is_over(&self) -> bool {
        self.rows.iter().all(|row| {
            row.process.as_ref().is_some_and(|process| {
                matches!(process.status, State::Stopped | State::Exited | State::Crashed | State::Failed)
            })
        })
    }

    /// What is not ready, and why: `backend (connection refused)`.
    pub(crate) fn missing(&self) -> Vec<String> {
        self.rows
            .iter()
            .filter(|row| !row.process.as_ref().is_some_and(|process| process.ready))
            .map(|row| format!("{} ({})", words::label(&row.target, self.several), row.told().text))
            .collect()
    }

    /// Names of all rows, for a follower of their logs.
    pub(crate) fn names(&self) -> Vec<String> {
        self.rows.iter().map(|row| format!("{}/{}", row.target.environment, row.target.process)).collect()
    }

    /// The picture for a terminal: a title and a line for each process, none wider than the style's width less one,
    /// at most `height` of them. `frame` turns the spinners.
    pub(crate) fn lines(&self, at: Duration, frame: usize, height: usize, style: Style) -> Vec<String> {
        let style = Style { width: style.width.min(WIDEST), ..style };
        let widths = self.widths();
        let mut lines = vec![self.heading(at, style)];
        let room = height.saturating_sub(2);
        if self.rows.len() <= room {
            lines.extend(self.rows.iter().map(|row| self.line(row, at, frame, &widths, style)));
            return lines;
        }
        // What is settled gives way: the rest is what one looks for.
        let (unsettled, settled): (Vec<&Row>, Vec<&Row>) = self.rows.iter().partition(|row| !row.is_ready());
        let shown: Vec<&Row> =
            unsettled.iter().chain(&settled).take(room.saturating_sub(1)).copied().collect();
        lines.extend(shown.iter().map(|row| self.line(row, at, frame, &widths, style)));
        let more = format!("  and {} more", self.rows.len() - shown.len());
        lines.push(style.paint(Ink::Dim, &more).into_owned());
        lines
    }

    fn heading(&self, at: Duration, style: Style) -> String {
        let ready = self.rows.iter().filter(|row| row.is_ready()).count();
        let facts =
            format!("{}{ready} of {} ready{}{}", style.dot(), self.rows.len(), style.dot(), words::took(at));
        let room = style.width.saturating_sub(1 + columns(&facts));
        let title = style.cut(&self.title, room);
        format!("{}{}", style.paint(Ink::Bold, &title), style.paint(Ink::Dim, &facts))
    }

    fn widths(&self) -> Widths {
        let widest = |text: fn(&ProcessStatus) -> String| {
            self.rows
                .iter()
                .filter_map(|row| row.process.as_ref())
                .map(|p| columns(&text(p)))
                .max()
                .unwrap_or(0)
        };
        Widths {
            name: self
                .rows
                .iter()
                .map(|row| columns(&words::label(&row.target, self.several)))
                .max()
                .unwrap_or(0),
            pid: widest(pid).max(columns("PID 123456")),
            port: widest(port).clamp(6, 14),
        }
    }

    /// `✓ postgres   PID 12345  :5432   Accepting connections    0.8 s`
    fn line(&self, row: &Row, at: Duration, frame: usize, widths: &Widths, style: Style) -> String {
        let told = row.told();
        let mark = style.mark(row.mark(frame));
        let name = style
            .cut(&words::label(&row.target, self.several), widths.name.min(style.width / 3))
            .into_owned();
        let name = pad(&name, widths.name.min(style.width / 3));
        let time = pad_left(&row.time(at).map(words::took).unwrap_or_default(), 7);
        let mut middle = String::new();
        if style.width >= 72 {
            let process = row.process.as_ref();
            middle = format!(
                "  {}  {}",
                pad(&process.map(pid).unwrap_or_default(), widths.pid),
                pad(&style.cut(&process.map(port).unwrap_or_default(), widths.port), widths.port)
            );
        }
        let room = style.width.saturating_sub(4 + columns(&name) + columns(&middle) + 2 + columns(&time) + 2);
        let text = pad(&style.cut(&told.text, room), room);
        let line = format!(
            "  {mark} {name}{}  {} {}",
            style.paint(Ink::Dim, &middle),
            style.paint(told.ink, &text),
            style.paint(Ink::Dim, &time)
        );
        line.trim_end().to_owned()
    }

    /// One change, for where nothing can be repainted: `postgres  ready  Accepting connections  0.8 s`.
    pub(crate) fn plain(&self, index: usize, at: Duration) -> String {
        let Some(row) = self.rows.get(index) else { return String::new() };
        let widest = self.widths().name;
        let label = words::label(&row.target, self.several);
        let Some(process) = &row.process else { return label };
        let mut parts = vec![pad(&label, widest), state_word(process).to_owned()];
        let told = row.told().text;
        if told != parts[1] {
            parts.push(told);
        }
        if process.ready && row.begun {
            parts.extend(row.time(at).map(words::took));
        }
        parts.join("  ")
    }
}

struct Widths {
    name: usize,
    pid: usize,
    port: usize,
}

fn pid(process: &ProcessStatus) -> String {
    process.pid.map(|pid| format!("PID {pid}")).unwrap_or_default()
}

fn port(process: &ProcessStatus) -> String {
    let ports = words::ports(process);
    if ports.is_empty() { ports } else { format!(":{ports}") }
}

fn state_word(process: &ProcessStatus) -> &'static str {
    match process.status {
        State::Running if process.ready => "ready",
        State::Running if process.health.state == HealthState::Unhealthy => "unhealthy",
        // It runs, but is not what one waits for yet.
        State::Running | State::Starting => "starting",
        State::Exited if process.ready => "done",
        State::Waiting => "waiting",
        State::Stopping => "stopping",
        State::Stopped => "stopped",
        State::Exited => "exited",
        State::Crashed => "crashed",
        State::Restarting => "restarting",
        State::Failed => "failed",
    }
}

impl Row {
    fn is_ready(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.ready)
    }

    fn mark(&self, frame: usize) -> Mark {
        self.process.as_ref().map_or(Mark::Idle, |process| words::mark(process, frame))
    }

    fn time(&self, at: Duration) -> Option<Duration> {
        self.took.or_else(|| {
            let moving =
                self.process.as_ref().is_some_and(|process| matches!(words::mark(process, 0), Mark::Busy(_)));
            self.since.filter(|_| moving && self.begun).map(|since| at.saturating_sub(since))
        })
    }

    fn told(&self) -> Told {
        let Some(process) = &self.process else {
            return Told { ink: Ink::Dim, text: "planned".to_owned() };
        };
        let health = process.health.message.as_deref().filter(|_| process.health.state != HealthState::None);
        let said = process.message.clone().or_else(|| words::exit(process));
        let (ink, text) = match process.status {
            State::Waiting if !process.waiting_on.is_empty() => {
                (Ink::Dim, format!("waiting for {}", words::list(&process.waiting_on)))
            }
            // How the run before ended is not what it waits for.
            State::Waiting => (Ink::Dim, state_word(process).to_owned()),
            State::Running if process.ready => (Ink::Plain, health.unwrap_or("ready").to_owned()),
            State::Running | State::Starting => (
                Ink::Plain,
                health.map_or_else(|| said.unwrap_or_else(|| state_word(process).to_owned()), str::to_owned),
            ),
            State::Crashed | State::Failed | State::Restarting => {
                (Ink::Bad, said.unwrap_or_else(|| state_word(process).to_owned()))
            }
            State::Exited if process.ready => (Ink::Plain, "done".to_owned()),
            // It was asked to: how it obeyed is no news.
            State::Stopped => (Ink::Dim, process.message.clone().unwrap_or_else(|| "stopped".to_owned())),
            _ => (Ink::Dim, said.unwrap_or_else(|| state_word(process).to_owned())),
        };
        Told { ink, text: clean::line(&text).into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use forge_api::Health;

    use super::*;
    use crate::view::sample;

    fn target(name: &str) -> Target {
        Target { environment: "dev".to_owned(), process: name.to_owned() }
    }

    fn started(names: &[&str]) -> Started {
        let processes: Vec<Target> = names.iter().map(|name| target(name)).collect();
        Started {
            ticket: 1,
            workspace: "/home/me/shop".into(),
            environment: "dev".to_owned(),
            starting: processes.clone(),
            processes,
        }
    }

    fn starting(name: &str, health: &str) -> ProcessStatus {
        ProcessStatus {
            status: State::Starting,
            ready: false,
            health: Health {
                state: HealthState::Starting,
                message: Some(health.to_owned()),
                checked_at: None,
            },
            ..sample::running(name, 12347, 8080, "")
        }
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn halfway() -> Progress {
        let mut progress =
            Progress::new("Starting", &started(&["postgres", "redis", "backend", "worker", "frontend"]), &[]);
        progress.update("dev", starting("postgres", ""), at(10));
        progress.update("dev", sample::running("postgres", 12345, 5432, "Accepting connections"), at(810));
        progress.update("dev", sample::running("redis", 12346, 6379, "PONG received"), at(90));
        progress.update("dev", starting("backend", "connection refused"), at(820));
        progress.update(
            "dev",
            ProcessStatus {
                status: State::Failed,
                message: Some("`wrker` was not found in PATH".to_owned()),
                ..ProcessStatus::stopped("worker")
            },
            at(830),
        );
        progress.update(
            "dev",
            ProcessStatus {
                status: State::Waiting,
                waiting_on: vec!["backend".to_owned()],
                ..ProcessStatus::stopped("frontend")
            },
            at(5),
        );
        progress
    }

    fn picture(width: usize, height: usize) -> String {
        let style = Style { color: false, unicode: true, width };
        halfway().lines(at(2950), 0, height, style).join("\n")
    }

    #[test]
    fn halfway_through_a_start() {
        insta::assert_snapshot!("halfway_80", picture(80, 24));
        insta::assert_snapshot!("halfway_120", picture(120, 24));
        insta::assert_snapshot!("halfway_50", picture(50, 24));
    }

    #[test]
    fn a_low_terminal_shows_what_is_not_settled() {
        insta::assert_snapshot!(picture(80, 6));
    }

    #[test]
    fn no_line_reaches_the_last_column() {
        for width in 30..130 {
            for line in picture(width, 24).lines() {
                assert!(columns(line) < width, "{line:?} at {width}");
            }
        }
    }

    #[test]
    fn only_a_change_of_what_it_does_is_a_change() {
        let mut progress = Progress::new("Starting", &started(&["api"]), &[]);
        assert_eq!(progress.update("dev", starting("api", "connection refused"), at(1)), Some(0), "began");
        assert_eq!(progress.update("dev", starting("api", "HTTP 503"), at(2)), None, "another probe");
        assert_eq!(progress.update("test", starting("api", ""), at(3)), None, "of another environment");
        assert_eq!(
            progress.update("dev", sample::running("api", 7, 80, "HTTP 200"), at(1501)),
            Some(0),
            "ready"
        );
        assert_eq!(progress.plain(0, at(1501)), "api  ready  HTTP 200  1.5 s", "one line");
    }

    #[test]
    fn what_is_missing_is_named_with_its_reason() {
        insta::assert_snapshot!(halfway().missing().join("\n"));
    }
}
