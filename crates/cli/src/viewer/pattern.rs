//! What is looked for in lines, here and by the supervisor.

use forge_api::LogQuery;
use regex::{Regex, RegexBuilder};

/// A text, or between slashes a regular expression. Capitals in it make case count.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    typed: String,
    text: String,
    literal: bool,
    ignore_case: bool,
    regex: Regex,
}

impl Pattern {
    /// # Errors
    /// It is no regular expression: what is wrong with it.
    pub(crate) fn parse(typed: &str) -> Result<Self, String> {
        let inner =
            typed.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|inner| !inner.is_empty());
        let text = inner.unwrap_or(typed).to_owned();
        let literal = inner.is_none();
        let ignore_case = !text.chars().any(char::is_uppercase);
        let source = if literal { regex::escape(&text) } else { text.clone() };
        let regex = RegexBuilder::new(&source).case_insensitive(ignore_case).build().map_err(|error| {
            let error = error.to_string();
            format!("{typed}: {}", error.lines().last().unwrap_or_default().trim_start_matches("error: "))
        })?;
        Ok(Self { typed: typed.to_owned(), text, literal, ignore_case, regex })
    }

    pub(crate) fn typed(&self) -> &str {
        &self.typed
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Byte ranges of what matches; empty matches are none.
    pub(crate) fn ranges(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        self.regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty()).collect()
    }

    /// The same question for the supervisor.
    pub(crate) fn ask(&self, query: &mut LogQuery) {
        query.grep = Some(self.text.clone());
        query.literal = self.literal;
        query.ignore_case = self.ignore_case;
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.typed == other.typed
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_as_it_stands_and_slashes_make_it_a_regex() {
        for (typed, text, found) in [
            ("timeout", "Connection TIMEOUT", true),
            ("Timeout", "Connection timeout", false),
            ("a.c", "abc", false),
            ("/a.c/", "ABC", true),
            ("/", "a/b", true),
            ("//", "a//b", true),
        ] {
            let pattern = Pattern::parse(typed).expect(typed);
            assert_eq!(pattern.is_match(text), found, "{typed} in {text}");
        }
        assert_eq!(Pattern::parse("ü").expect("a text").ranges("aüb").first(), Some(&(1..3)), "bytes");
        let wrong = Pattern::parse("/(/").expect_err("no regular expression");
        assert!(wrong.contains("unclosed group"), "{wrong}");
    }
}
