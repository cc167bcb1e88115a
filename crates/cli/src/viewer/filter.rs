//! `f backend`, `f error`, `f backend timeout`: which lines are shown.

use forge_api::{Level, LogQuery, Target};

use super::pattern::Pattern;

/// What was typed, and what it means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    typed: String,
    names: Vec<String>,
    level: Option<Level>,
    pattern: Option<Pattern>,
    invert: bool,
}

impl Filter {
    /// Words from the front that name processes or a level; what is left is a text (`!` before it: lines without it).
    ///
    /// # Errors
    /// A regular expression that is none.
    pub(crate) fn parse(typed: &str, known: &[Target]) -> Result<Self, String> {
        let typed = typed.trim();
        let mut filter = Self { typed: typed.to_owned(), ..Self::default() };
        let mut rest = typed;
        while !rest.is_empty() {
            let (word, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let names = named(word, known);
            if !names.is_empty() {
                filter.names.extend(names);
            } else if let Some(level) = level(word).filter(|_| filter.level.is_none()) {
                filter.level = Some(level);
            } else {
                break;
            }
            rest = behind.trim_start();
        }
        if let Some(wanted) = rest.strip_prefix('!').filter(|wanted| !wanted.is_empty()) {
            filter.invert = true;
            rest = wanted;
        }
        filter.pattern = (!rest.is_empty()).then(|| Pattern::parse(rest)).transpose()?;
        Ok(filter)
    }

    pub(crate) fn typed(&self) -> &str {
        &self.typed
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.typed.is_empty()
    }

    /// What is asked for, narrowed by this.
    pub(crate) fn narrow(&self, base: &LogQuery) -> LogQuery {
        let mut query = base.clone();
        if !self.names.is_empty() {
            query.names.clone_from(&self.names);
        }
        query.level = self.level.max(query.level);
        if let Some(pattern) = &self.pattern {
            pattern.ask(&mut query);
            query.invert = self.invert;
            query.context = 0;
        }
        query
    }
}

/// The processes that a word names, or those of the environment.
fn named(word: &str, known: &[Target]) -> Vec<String> {
    let whole = |target: &Target| format!("{}/{}", target.environment, target.process);
    let fits = |target: &&Target| {
        target.process == word || whole(target) == word || target.environment == word.trim_end_matches('/')
    };
    known.iter().filter(fits).map(whole).collect()
}

fn level(word: &str) -> Option<Level> {
    Some(match word.to_ascii_lowercase().as_str() {
        "error" | "errors" => Level::Error,
        "warn" | "warning" | "warnings" => Level::Warn,
        "info" => Level::Info,
        "debug" => Level::Debug,
        "trace" => Level::Trace,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(typed: &str) -> LogQuery {
        let target = |process: &str| Target { environment: "dev".to_owned(), process: process.to_owned() };
        let known = [target("backend"), target("redis")];
        Filter::parse(typed, &known).expect(typed).narrow(&LogQuery::default())
    }

    #[test]
    fn words_are_processes_levels_and_then_a_text() {
        let plain = LogQuery::default();
        let backend = vec!["dev/backend".to_owned()];
        let text = |text: &str| LogQuery {
            grep: Some(text.to_owned()),
            literal: true,
            ignore_case: true,
            ..LogQuery::default()
        };
        for (typed, expected) in [
            ("", plain.clone()),
            ("backend", LogQuery { names: backend.clone(), ..plain.clone() }),
            ("error", LogQuery { level: Some(Level::Error), ..plain.clone() }),
            (
                "backend error",
                LogQuery { names: backend.clone(), level: Some(Level::Error), ..plain.clone() },
            ),
            ("connection error", text("connection error")),
            ("backend timed out", LogQuery { names: backend, ..text("timed out") }),
            ("!health", LogQuery { invert: true, ..text("health") }),
        ] {
            assert_eq!(query(typed), expected, "{typed}");
        }
        assert!(Filter::parse("/(/", &[]).is_err(), "no regular expression");
    }

    #[test]
    fn a_level_that_was_asked_for_at_first_is_not_widened() {
        let base = LogQuery { level: Some(Level::Warn), ..LogQuery::default() };
        let info = Filter::parse("info", &[]).expect("a level").narrow(&base);
        assert_eq!(info.level, Some(Level::Warn), "still warnings");
    }
}
