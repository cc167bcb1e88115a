//! The only one who writes to stdout and stderr.

use std::io::{self, IsTerminal, Write};

use forge_api::Error;
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::ColorChoice;
use forge_supervisor::configuration_error;

use crate::failure::Failure;
use crate::view::diagnosis;
use crate::view::style::Style;

/// Where no terminal says how wide it is: wide enough that nothing is cut.
const UNBOUNDED: usize = 400;

/// Answers go to stdout, messages for people to stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// One JSON document on stdout, and nothing for people but errors that have no other place.
    pub(crate) json: bool,
    color: ColorChoice,
    unicode: bool,
}

impl Output {
    pub(crate) fn new(json: bool, color: ColorChoice) -> Self {
        // Asking is what switches the console's understanding of sequences on.
        #[cfg(windows)]
        let _ = crossterm::ansi_support::supports_ansi();
        Self { json, color, unicode: unicode() }
    }

    /// What stdout can show, as it is now: a terminal may have been resized.
    pub(crate) fn stdout(&self) -> Style {
        self.style(io::stdout().is_terminal())
    }

    /// What stderr can show.
    pub(crate) fn stderr(&self) -> Style {
        self.style(io::stderr().is_terminal())
    }

    fn style(&self, terminal: bool) -> Style {
        let color = match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !no_color(),
        };
        let width = if terminal { size().0 } else { UNBOUNDED };
        Style { color, unicode: self.unicode, width }
    }

    /// Whether progress may be painted: people watch, and the cursor can be moved.
    pub(crate) fn is_live(&self) -> bool {
        !self.json
            && io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb" && !term.is_empty())
    }

    /// To stdout, as it is.
    ///
    /// # Errors
    /// Nobody reads it, or it cannot be written.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// A JSON document to stdout.
    ///
    /// # Errors
    /// Nobody reads it, or it cannot be written.
    pub(crate) fn document<T: Serialize>(&self, document: &T) -> Result<(), Failure> {
        let mut text =
            serde_json::to_string(document).map_err(|error| Error::system("writing JSON", error))?;
        text.push('\n');
        self.text(&text)
    }

    /// For people: to stderr, unless it is JSON that they asked for. Nothing is wrong if nobody reads it.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            self.complain(text);
        }
    }

    /// To stderr in any case.
    pub(crate) fn complain(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        let _ = writeln!(stderr, "{}", text.trim_end_matches('\n'));
    }

    /// Control sequences to the terminal, if it is still there.
    pub(crate) fn raw(sequences: &str) {
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(sequences.as_bytes());
        let _ = stdout.flush();
    }

    /// Says why a command failed, in the form that was asked for.
    pub(crate) fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Closed | Failure::Told(_) => {}
            _ if self.json => drop(self.document(&error_document(failure))),
            Failure::Error(error) => self.complain(&diagnosis::error(error, self.stderr())),
            Failure::Configuration(diagnostics) => {
                let style = self.stderr();
                self.complain(&diagnostics.render(style.color, style.unicode));
            }
        }
    }
}

/// `{"error": {"code", "message", "help"}}`.
fn error_document(failure: &Failure) -> Value {
    match failure {
        Failure::Error(error) => of_error(error),
        Failure::Configuration(diagnostics) => of_error(&configuration_error(diagnostics)),
        Failure::Closed | Failure::Told(_) => Value::Null,
    }
}

fn of_error(error: &Error) -> Value {
    let mut body = json!({"code": error.code, "message": error.message, "help": error.help});
    if let (Some(details), Some(body)) = (&error.details, body.as_object_mut()) {
        body.insert("details".to_owned(), details.clone());
    }
    json!({"error": body})
}

/// Columns and rows of the terminal.
pub(crate) fn size() -> (usize, usize) {
    let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
    (usize::from(columns.max(20)), usize::from(rows.max(4)))
}

/// <https://no-color.org>.
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// The locale says that text is UTF-8 (on Windows: it is a terminal of this century).
fn unicode() -> bool {
    if cfg!(windows) {
        return ["WT_SESSION", "TERM_PROGRAM", "TERM"].iter().any(|name| std::env::var_os(name).is_some());
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use forge_api::Code;

    use super::*;

    #[test]
    fn an_error_document_has_code_message_and_help() {
        let failure = Failure::from(Error::new(Code::NotFound, "no process `x`"));
        assert_eq!(
            error_document(&failure),
            json!({"error": {"code": "not_found", "message": "no process `x`", "help": null}}),
        );
    }
}
