//! What is looked for in the text of lines.

use std::fmt;

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind, Look, Repetition};

use crate::ansi;

/// A text or regular expression. It is matched against what a person sees of a line: without escape sequences, and
/// with U+FFFD for what is not UTF-8.
#[derive(Debug, Clone)]
pub struct Pattern {
    shown: Regex,
    /// Finds at least the lines of a segment that have it, where they are stored as they are shown.
    raw: Option<RegexMatcher>,
}

/// A text is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPattern {
    /// What is wrong, in words.
    pub reason: String,
    /// Where, if it is at one place: characters before it.
    pub column: Option<usize>,
}

impl fmt::Display for InvalidPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "{}, at column {}", self.reason, column + 1),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for InvalidPattern {}

impl Pattern {
    /// A regular expression, or with `literal` a text that is taken as it stands.
    ///
    /// # Errors
    /// It is no regular expression, or one that is too large.
    pub fn new(text: &str, literal: bool, ignore_case: bool) -> Result<Self, InvalidPattern> {
        let expression = if literal { regex_syntax::escape(text) } else { text.to_owned() };
        let parsed = ParserBuilder::new().case_insensitive(ignore_case).build().parse(&expression);
        let parsed = parsed.map_err(|error| InvalidPattern::of(&error, &expression))?;
        let built = RegexBuilder::new(&expression).case_insensitive(ignore_case).build();
        let shown = built.map_err(|error| InvalidPattern { reason: reason(&error), column: None })?;
        Ok(Self { shown, raw: raw(&parsed, &expression, ignore_case) })
    }

    /// Whether it is found in a line, which is as its program wrote it.
    #[must_use]
    pub fn is_match(&self, line: &[u8]) -> bool {
        self.shown.is_match(&ansi::text(line))
    }

    pub(crate) fn raw(&self) -> Option<&RegexMatcher> {
        self.raw.as_ref()
    }
}

/// `None`: lines can't be found that way (the expression has a newline in it).
fn raw(parsed: &Hir, expression: &str, ignore_case: bool) -> Option<RegexMatcher> {
    let mut builder = RegexMatcherBuilder::new();
    builder.line_terminator(Some(b'\n'));
    if parsed.properties().look_set().contains_anchor() {
        // It is already without case.
        return builder.build(&in_entry(parsed).to_string()).ok();
    }
    builder.case_insensitive(ignore_case).build(expression).ok()
}

/// The same for a text that has the head of an entry before it and a newline behind: `^` is where the text begins,
/// which is left to who looks at the line, and `$` is the line's end.
fn in_entry(expression: &Hir) -> Hir {
    match expression.kind() {
        HirKind::Look(Look::Start | Look::StartLF | Look::StartCRLF) => Hir::empty(),
        HirKind::Look(Look::End | Look::EndLF | Look::EndCRLF) => Hir::look(Look::EndLF),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => expression.clone(),
        HirKind::Repetition(repetition) => {
            let sub = Box::new(in_entry(&repetition.sub));
            Hir::repetition(Repetition { sub, ..repetition.clone() })
        }
        HirKind::Capture(capture) => in_entry(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(in_entry).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(in_entry).collect()),
    }
}

fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it would need too much memory".to_owned(),
        other => other.to_string(),
    }
}

impl InvalidPattern {
    fn of(error: &regex_syntax::Error, expression: &str) -> Self {
        let (reason, span) = match error {
            regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span())),
            other => (other.to_string(), None),
        };
        let before = span.and_then(|span| expression.get(..span.start.offset));
        Self { reason, column: before.map(|before| before.chars().count()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, column, words) in [
            ("foo(bar", 3, "unclosed group"),
            ("ä[z-a]", 2, "invalid"),
            ("x{2,1}", 1, "repetition"),
            ("a**?+\\y", 5, "escape"),
        ] {
            let error = Pattern::new(text, false, false).expect_err("no regular expression");
            assert_eq!(error.column, Some(column), "{text}: {error}");
            assert!(error.reason.contains(words), "{text}: {error}");
        }
        assert!(Pattern::new("foo(bar", true, false).unwrap().is_match(b"a foo(bar)"), "a text is none");
        let huge = Pattern::new("\\w{1000}{1000}", false, false).expect_err("too large");
        assert_eq!(huge.column, None, "{huge}");
    }

    #[test]
    fn case_can_be_ignored() {
        for literal in [false, true] {
            assert!(!Pattern::new("error", literal, false).unwrap().is_match(b"ERROR"), "case counts");
            assert!(
                Pattern::new("error", literal, true).unwrap().is_match(b"ERROR"),
                "unless told otherwise"
            );
        }
    }
}
