//! What is wrong with a configuration, where, and what to do about it.

mod render;
mod report;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::model::Place;
pub(crate) use report::{Report, sorted};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable, e.g. `unknown_key`.
    pub code: &'static str,
    pub severity: Severity,
    /// One sentence, no full stop.
    pub message: String,
    pub file: PathBuf,
    /// From 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// In characters, from 1; 0 where the file as a whole is meant.
    pub column: usize,
    /// The line itself.
    pub source: String,
    /// What stands under the caret.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    #[serde(skip)]
    place: Place,
    /// Other places that belong to it, with what to say there.
    #[serde(skip)]
    notes: Vec<(Place, String)>,
    /// The whole text of the file.
    #[serde(skip)]
    text: Arc<str>,
}

impl Diagnostic {
    pub(crate) fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place, e.g. of the first of two.
    pub(crate) fn note(&mut self, place: Place, text: impl Into<String>) -> &mut Self {
        self.notes.push((place, text.into()));
        self
    }

    /// `file:line:column`, or only the file for what is wrong with the whole of it.
    #[must_use]
    pub fn location(&self) -> String {
        match self.line {
            0 => self.file.display().to_string(),
            line => format!("{}:{line}:{}", self.file.display(), self.column),
        }
    }

    /// For people: the message, `file:line:column`, the line with a caret, the help. Ends without a line break.
    #[must_use]
    pub fn render(&self, color: bool, unicode: bool) -> String {
        render::render(self, color, unicode)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, false))
    }
}

/// All that is wrong, in the order of the file. Never empty where it is the `Err` of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// In the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them in one sentence: how many, and the first one.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.list.as_slice() {
            [] => "the configuration has errors".to_owned(),
            [only] => format!("{}: {}", only.location(), only.message),
            [first, ..] => {
                format!("{} errors; the first: {}: {}", self.len(), first.location(), first.message)
            }
        }
    }

    /// Names files relative to `folder` (the one that the reader is in), where they are below it.
    #[must_use]
    pub fn relative_to(mut self, folder: &Path) -> Self {
        for diagnostic in &mut self.list {
            if let Ok(file) = diagnostic.file.strip_prefix(folder) {
                diagnostic.file = file.to_path_buf();
            }
        }
        self
    }

    /// For people, one after the other with an empty line between. Lines of the file that are wider than 80 columns
    /// are trimmed around the caret. Ends without a line break.
    #[must_use]
    pub fn render(&self, color: bool, unicode: bool) -> String {
        let rendered: Vec<String> = self.list.iter().map(|one| one.render(color, unicode)).collect();
        rendered.join("\n\n")
    }
}

impl From<Vec<Diagnostic>> for Diagnostics {
    fn from(list: Vec<Diagnostic>) -> Self {
        Self { list }
    }
}

impl<'d> IntoIterator for &'d Diagnostics {
    type Item = &'d Diagnostic;
    type IntoIter = std::slice::Iter<'d, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, false))
    }
}

impl std::error::Error for Diagnostics {}
