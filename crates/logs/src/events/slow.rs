//! Work that took long.

use std::ops::Range;
use std::time::Duration;

use super::amount::{self, Timed};

/// What was slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    Request,
    Query,
    Operation,
}

/// Different kinds of work.
pub(super) const RULES: usize = 3;

impl Work {
    pub const ALL: [Self; RULES] = [Self::Request, Self::Query, Self::Operation];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Query => "query",
            Self::Operation => "operation",
        }
    }

    /// `3 slow queries`.
    #[must_use]
    pub fn counted(self, count: u64) -> String {
        match (self, count) {
            (_, 1) => format!("1 slow {}", self.name()),
            (Self::Query, _) => format!("{count} slow queries"),
            _ => format!("{count} slow {}s", self.name()),
        }
    }
}

/// What a line tells that took longer than `limit`, or of which it says itself that it was slow.
pub(super) fn work(text: &str, limit: Duration) -> Option<Work> {
    let path = requested(text);
    let mut spans = amount::durations(text);
    // What is asked for: `/stats?period=24h`.
    spans.retain(|span| path.as_ref().is_none_or(|path| !path.contains(&span.at)));
    let longest = spans.iter().filter(|span| !span.is_bound).map(|span| span.length).max()?;
    let kind = kind(text, path.is_some());
    if has_word(text, "slow") && kind.is_some() && !longest.is_zero() {
        return kind;
    }
    if longest <= limit {
        return None;
    }
    // Of any other work, only where the line is about how long it took.
    let cued = |span: &&Timed| span.is_cued && !span.is_bound && span.length > limit;
    kind.or_else(|| spans.iter().find(cued).map(|_| Work::Operation))
}

/// The path of a request: `GET /api/users`, `"GET      "/users"`.
fn requested(text: &str) -> Option<Range<usize>> {
    const METHODS: [&str; 7] = ["GET ", "POST ", "PUT ", "PATCH ", "DELETE ", "HEAD ", "OPTIONS "];
    METHODS.iter().find_map(|method| {
        text.match_indices(*method).find_map(|(at, _)| {
            let path = text[at + method.len()..].trim_start_matches([' ', '"', '\'']);
            let start = text.len() - path.len();
            let end = path.find([' ', '"', '\'']).unwrap_or(path.len());
            (path.starts_with('/') || path.starts_with("http")).then_some(start..start + end)
        })
    })
}

fn kind(text: &str, has_path: bool) -> Option<Work> {
    const QUERIES: [&str; 6] =
        ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "statement:", "execute "];
    if has_path {
        return Some(Work::Request);
    }
    if QUERIES.iter().any(|word| text.contains(word)) || has_word(text, "query") || has_word(text, "sql") {
        return Some(Work::Query);
    }
    // Phoenix: `Sent 200 in 1523ms`
    let sent = || {
        let status = |at: usize| text.as_bytes().get(at + 5..at + 9);
        text.match_indices("Sent ").any(|(at, _)| {
            matches!(status(at), Some([a, b, c, b' ']) if [a, b, c].iter().all(|byte| byte.is_ascii_digit()))
        })
    };
    let answered = text.starts_with("Completed ") || text.contains("\"responseTime\"") || sent();
    (answered || has_word(text, "request") || has_word(text, "response")).then_some(Work::Request)
}

/// Whether `word`, in any case, stands in `text` with no letter around it.
fn has_word(text: &str, word: &str) -> bool {
    let bytes = text.as_bytes();
    let first = word.as_bytes()[0];
    memchr::memchr2_iter(first, first.to_ascii_uppercase(), bytes).any(|at| {
        let letter = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
        let found =
            bytes.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()));
        found && !letter(at.checked_sub(1)) && !letter(Some(at + word.len()))
    })
}
