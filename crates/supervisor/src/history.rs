//! Events of all environments, a line of JSON each, kept across restarts.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use forge_api::Event;
use serde::{Deserialize, Serialize};

use crate::core::EnvironmentKey;
use crate::home::write_private;

/// The file is written anew, with only what is still remembered, at this size.
const MAX_BYTES: u64 = 4 << 20;

/// Events remembered of each environment.
const EVENTS: usize = 200;

/// Of those, so many with one title come from lines of logs, and so many from lines of logs at all: a day of slow
/// requests leaves the crashes and restarts of that day where they can be found.
const OF_A_KIND: usize = EVENTS / 4;
const TOLD: usize = EVENTS * 3 / 4;

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    workspace: PathBuf,
    environment: String,
    #[serde(flatten)]
    event: Event,
}

/// The history of all environments.
#[derive(Debug)]
pub(crate) struct History {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
    events: BTreeMap<EnvironmentKey, VecDeque<Event>>,
}

impl History {
    /// Reads what was written before; lines that are torn or foreign are passed over.
    pub(crate) fn open(state: &Path) -> Self {
        let path = state.join("events.jsonl");
        let text =
            fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let mut history = Self { path, file: None, bytes: text.len() as u64, events: BTreeMap::new() };
        for line in text.lines() {
            if let Ok(line) = serde_json::from_str::<Line>(line) {
                history.remember(
                    &EnvironmentKey { workspace: line.workspace, environment: line.environment },
                    line.event,
                );
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            history.rewrite();
        }
        history
    }

    /// The newest events of an environment, oldest first.
    pub(crate) fn of(&self, key: &EnvironmentKey) -> impl ExactSizeIterator<Item = &Event> {
        self.events.get(key).map(VecDeque::iter).unwrap_or_default()
    }

    /// Adds an event. A disk that refuses costs the history, nothing else.
    pub(crate) fn append(&mut self, key: &EnvironmentKey, event: &Event) {
        self.remember(key, event.clone());
        if self.bytes > MAX_BYTES {
            self.rewrite();
            return;
        }
        if let Err(error) = self.write(key, event) {
            tracing::warn!("{}: {error}", self.path.display());
            self.file = None;
        }
    }

    fn remember(&mut self, key: &EnvironmentKey, event: Event) {
        remember(self.events.entry(key.clone()).or_default(), event);
    }

    fn write(&mut self, key: &EnvironmentKey, event: &Event) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(private(OpenOptions::new().append(true).create(true), &self.path)?),
        };
        let line = line(key, event)?;
        file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn rewrite(&mut self) {
        self.file = None;
        let mut text = String::new();
        for (key, events) in &self.events {
            text.extend(events.iter().filter_map(|event| line(key, event).ok()));
        }
        let written = write_private(&self.path, text.as_bytes());
        match written {
            Ok(()) => self.bytes = text.len() as u64,
            Err(error) => tracing::warn!("{}: {error}", self.path.display()),
        }
    }
}

/// Adds an event. Of what there are too many then, the oldest goes.
fn remember(events: &mut VecDeque<Event>, event: Event) {
    let kind = event.at.is_some().then(|| event.title.clone());
    events.push_back(event);
    if let Some(title) = kind {
        bound(events, OF_A_KIND, |one| one.at.is_some() && one.title == title);
        bound(events, TOLD, |one| one.at.is_some());
    }
    bound(events, EVENTS, |_| true);
}

/// Takes out the oldest of those that are meant if there are more than `most`.
fn bound(events: &mut VecDeque<Event>, most: usize, meant: impl Fn(&Event) -> bool) {
    if events.iter().filter(|one| meant(one)).count() > most
        && let Some(oldest) = events.iter().position(meant)
    {
        events.remove(oldest);
    }
}

fn line(key: &EnvironmentKey, event: &Event) -> io::Result<String> {
    let line =
        Line { workspace: key.workspace.clone(), environment: key.environment.clone(), event: event.clone() };
    Ok(serde_json::to_string(&line)? + "\n")
}

fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use forge_api::{EventLevel, Time};

    use super::*;

    /// `count` events of one title, numbered; from lines of a log if `told`.
    fn add(events: &mut VecDeque<Event>, title: &str, told: bool, count: usize) {
        for number in 0..count {
            let event = Event {
                time: Time::from_millis(0),
                process: Some("api".to_owned()),
                level: EventLevel::Info,
                title: title.to_owned(),
                text: number.to_string(),
                at: told.then(|| format!("1:{number}")),
            };
            remember(events, event);
        }
    }

    #[test]
    fn no_kind_of_what_logs_tell_pushes_out_the_rest() {
        let all = |titles: &[&str]| titles.iter().map(|title| ((*title).to_owned(), true, 500)).collect();
        let slow: Vec<(String, bool, usize)> = all(&["slow"]);
        for (then, crashed, told, what) in [
            (vec![], 20, 0, "all of a few"),
            (slow, 20, 50, "one kind has a quarter"),
            (all(&["slow", "reload", "compiled", "listening", "failed"]), 20, 150, "all have three quarters"),
            (vec![("slow".to_owned(), true, 30), ("stopped".to_owned(), false, 500)], 0, 0, "the oldest go"),
            (vec![("crashed".to_owned(), true, 500)], 20, 50, "a line that says it is not what happened"),
        ] {
            let mut events = VecDeque::new();
            add(&mut events, "crashed", false, 20);
            then.iter().for_each(|(title, told, count)| add(&mut events, title, *told, *count));
            let count = |told: bool, title: &str| {
                events
                    .iter()
                    .filter(|one| one.at.is_some() == told && (title.is_empty() || one.title == title))
                    .count()
            };
            assert_eq!((count(false, "crashed"), count(true, "")), (crashed, told), "{what}");
            assert!(events.len() <= EVENTS, "{what}: {} events", events.len());
            if let Some((title, told, last)) = then.last() {
                let newest = events.back().map(|one| (one.title.clone(), one.at.is_some(), one.text.clone()));
                assert_eq!(
                    newest,
                    Some((title.clone(), *told, (last - 1).to_string())),
                    "{what}: the newest is there"
                );
            }
        }
    }
}
