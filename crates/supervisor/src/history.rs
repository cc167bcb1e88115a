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
        let events = self.events.entry(key.clone()).or_default();
        events.push_back(event);
        if events.len() > EVENTS {
            events.pop_front();
        }
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
