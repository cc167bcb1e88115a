//! What lines tell of: that something was compiled or reloaded, that work was slow, how large a bundle has become.

mod amount;
mod rules;
mod sieve;
mod slow;

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use regex::{Captures, Regex, RegexSet};

use crate::{Level, Line, ansi};
use rules::{RULES, Rule};

pub use sieve::Sieve;
pub use slow::Work;

/// Bytes of a line that are looked at.
const LOOKED_AT: usize = 4096;

/// A line that tells something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Equal for lines that tell the same kind of thing.
    pub rule: usize,
    pub what: What,
    /// `Info`, `Warn` or `Error`.
    pub level: Level,
    /// A few words: `Hot reload`.
    pub title: String,
    /// The rest: `user.go modified`; may be empty.
    pub text: String,
}

/// What is to be done with it, beside telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Event,
    /// How the process is, in its own words: `Webpack compiled successfully`.
    State(String),
    /// It took longer than it should.
    Slow(Work),
    /// The size of something that was built, in bytes. Told only when it grows.
    Size {
        name: String,
        bytes: u64,
    },
}

/// A rule of the user's.
#[derive(Debug, Clone)]
pub struct OwnRule {
    /// Searched in the line as it is shown.
    pub pattern: Regex,
    /// Empty: the line is its own title.
    pub title: String,
    pub level: Level,
}

/// What is looked for in the lines of a process.
#[derive(Debug, Clone)]
pub struct Watch {
    own: Vec<OwnRule>,
    slow: Duration,
}

/// The built-in rules, compiled.
struct Compiled {
    set: RegexSet,
    rules: Vec<(Regex, &'static Rule)>,
}

/// A table that never changes: it is compiled once.
static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    // Unicode's edges of words and figures would keep the quick engine from lines that are not ASCII alone.
    let pattern = |rule: &Rule| rule.pattern.replace(r"\b", r"(?-u:\b)").replace(r"\d", "[0-9]");
    let compiled = |rule: &'static Rule| Some((Regex::new(&pattern(rule)).ok()?, rule));
    let rules: Vec<(Regex, &Rule)> = RULES.iter().filter_map(compiled).collect();
    let set = RegexSet::new(rules.iter().map(|(regex, _)| regex.as_str())).unwrap_or_default();
    Compiled { set, rules }
});

impl Watch {
    /// Work is slow that takes longer than `slow`.
    #[must_use]
    pub fn new(own: Vec<OwnRule>, slow: Duration) -> Self {
        Self { own, slow }
    }

    /// Keeps the lines that [`Watch::look`] may find something in, for [`crate::Reader::sift`].
    #[must_use]
    pub fn sieve(&self) -> Sieve {
        Sieve::new(self.own.iter().map(|rule| rule.pattern.clone()).collect(), self.slow)
    }

    /// What a line tells: of the user's rules all that match, of the built-in ones the first.
    #[must_use]
    pub fn look(&self, line: &Line) -> Vec<Told> {
        let text = &*shown(&line.text);
        let mut told: Vec<Told> = Vec::new();
        for (number, rule) in self.own.iter().enumerate().filter(|(_, rule)| rule.pattern.is_match(text)) {
            let (title, text) = if rule.title.is_empty() { (text, "") } else { (rule.title.as_str(), text) };
            told.push(Told {
                rule: RULES.len() + slow::RULES + 1 + number,
                what: What::Event,
                level: rule.level,
                title: title.to_owned(),
                text: text.to_owned(),
            });
        }
        if let Some(known) = built_in(text) {
            told.push(known);
        } else if let Some(work) = slow::work(text, self.slow) {
            told.push(Told {
                rule: RULES.len() + work as usize,
                what: What::Slow(work),
                level: Level::Warn,
                title: format!("Slow {}", work.name()),
                text: text.to_owned(),
            });
        }
        told.extend(amount::size(text).map(|(name, bytes)| Told {
            rule: RULES.len() + slow::RULES,
            what: What::Size { name, bytes },
            level: Level::Info,
            title: String::new(),
            text: String::new(),
        }));
        told
    }
}

/// What is looked at of a line: as a terminal shows it, without blanks around.
fn shown(text: &[u8]) -> Cow<'_, str> {
    fn cut(text: &str) -> &str {
        text[..text.floor_char_boundary(LOOKED_AT)].trim()
    }
    match ansi::text(text) {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text)),
        Cow::Owned(text) => Cow::Owned(cut(&text).to_owned()),
    }
}

fn built_in(text: &str) -> Option<Told> {
    let compiled = &*COMPILED;
    let number = compiled.set.matches(text).iter().next()?;
    let (regex, rule) = compiled.rules.get(number)?;
    let captures = regex.captures(text)?;
    let state = filled(rule.state, &captures);
    Some(Told {
        rule: number,
        what: if state.is_empty() { What::Event } else { What::State(state) },
        level: rule.level,
        title: filled(rule.title, &captures),
        text: filled(rule.text, &captures),
    })
}

/// `$NAME` replaced by what the group of that name found. A template whose group found nothing is empty.
fn filled(template: &str, captures: &Captures<'_>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        let length =
            behind.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(behind.len());
        let Some(found) = captures.name(&behind[..length]) else { return String::new() };
        out.push_str(found.as_str().trim());
        rest = &behind[length..];
    }
    out + rest
}

#[cfg(test)]
mod tests;
