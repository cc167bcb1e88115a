//! Env files, in the syntax of docker compose's: quotes, escapes, `export`, comments, values of several lines.
//!
//! Reading is apart from filling in `${…}`: what a variable is worth depends on the files before.

use crate::diagnostics::Report;
use crate::interpolate::handed_on;
use crate::model::Place;

/// One variable of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    /// For [`crate::interpolate::interpolate`]: `$VAR` is written `${VAR}` here, and a `$` that is none is doubled.
    pub(crate) value: String,
    /// Of the value; of the name where there is no value.
    pub(crate) place: Place,
}

/// The variables of a file, in its order. Lines that are none are reported, all of them.
pub(crate) fn parse(report: &mut Report) -> Vec<Assignment> {
    let text = report.text();
    let mut reader = Reader { text: &text, at: 0, report };
    let mut assignments = Vec::new();
    while reader.at < text.len() {
        if let Some(assignment) = reader.line() {
            assignments.push(assignment);
        }
        reader.skip_line();
    }
    assignments
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    report: &'t mut Report,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// What is left of the line, without its break.
    fn rest_of_line(&self) -> &'t str {
        self.rest().split('\n').next().unwrap_or_default().trim_end_matches('\r')
    }

    fn skip_line(&mut self) {
        self.at = self.rest().find('\n').map_or(self.text.len(), |at| self.at + at + 1);
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    /// Reads one assignment; leaves off somewhere on its last line.
    fn line(&mut self) -> Option<Assignment> {
        self.skip_blanks();
        if self.rest_of_line().is_empty() || self.rest().starts_with('#') {
            return None;
        }
        let exported = self.rest().strip_prefix("export").filter(|after| after.starts_with([' ', '\t']));
        if exported.is_some() {
            self.at += "export".len();
            self.skip_blanks();
        }
        let begin = self.at;
        let line = self.rest_of_line();
        let name =
            &line[..line.find(|c: char| c == '=' || c == '#' || c.is_whitespace()).unwrap_or(line.len())];
        self.at += name.len();
        self.skip_blanks();
        let place = self.report.place(begin, name.len());
        if !valid(name) {
            self.bad_name(name, place);
            return None;
        }
        let after = self.rest_of_line();
        if after.is_empty() || after.starts_with('#') {
            // A name alone hands on what it has outside.
            return Some(Assignment { name: name.to_owned(), value: handed_on(name), place });
        }
        if !after.starts_with('=') {
            self.report
                .error("bad_env_file", place, "a line of an env file is `NAME=value`")
                .label("no `=` follows")
                .help("a comment begins with `#`");
            return None;
        }
        self.at += 1;
        self.skip_blanks();
        let begin = self.at;
        let value = self.value()?;
        let len = self.at - begin;
        Some(Assignment { name: name.to_owned(), value, place: self.report.place(begin, len) })
    }

    fn bad_name(&mut self, name: &str, place: Place) {
        let message = if name.is_empty() {
            "a variable without a name".to_owned()
        } else {
            format!("`{name}` can't be the name of a variable")
        };
        self.report
            .error("bad_env_file", place, message)
            .help("letters, digits and `_`, no digit first: `NAME=value`; a comment begins with `#`");
    }

    fn value(&mut self) -> Option<String> {
        match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            _ => Some(self.unquoted()),
        }
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        let opening = self.report.place(self.at, 1);
        self.at += 1;
        let mut value = String::new();
        loop {
            let rest = self.rest();
            let Some(c) = rest.chars().next() else {
                self.report
                    .error("bad_env_file", opening, "this quote is never closed")
                    .help(format!("end the value with `{quote}`"));
                return None;
            };
            if c == quote {
                self.at += 1;
                break;
            }
            match c {
                '\\' => self.escape(quote, &mut value),
                '$' if quote == '"' => self.dollar(&mut value),
                '$' => {
                    self.at += 1;
                    value.push_str("$$");
                }
                _ => {
                    self.at += c.len_utf8();
                    value.push(c);
                }
            }
        }
        let after = self.rest_of_line();
        let stray = after.trim_start();
        if !stray.is_empty() && !stray.starts_with('#') {
            let place = self.report.place(self.at + after.len() - stray.len(), stray.trim_end().len());
            self.report
                .error("bad_env_file", place, "more text after the closing quote")
                .help("put the whole value into quotes, with `\\` before those inside it");
            return None;
        }
        Some(value)
    }

    /// Reads what begins with `\` inside quotes.
    fn escape(&mut self, quote: char, value: &mut String) {
        let escaped = self.rest().chars().nth(1);
        let stands_for = match escaped {
            Some(c) if c == quote => Some(c.to_string()),
            Some(c @ ('\\' | '`')) if quote == '"' => Some(c.to_string()),
            Some('$') if quote == '"' => Some("$$".to_owned()),
            Some('n') if quote == '"' => Some("\n".to_owned()),
            Some('r') if quote == '"' => Some("\r".to_owned()),
            Some('t') if quote == '"' => Some("\t".to_owned()),
            _ => None,
        };
        match stands_for {
            Some(text) => {
                value.push_str(&text);
                self.at += 1 + escaped.map_or(0, char::len_utf8);
            }
            None => {
                value.push('\\');
                self.at += 1;
            }
        }
    }

    /// Reads what begins with `$` where it is expanded.
    fn dollar(&mut self, value: &mut String) {
        let rest = self.rest();
        let after = &rest[1..];
        let name_len = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        if after.starts_with('{') {
            let len = crate::interpolate::closing(rest).unwrap_or(rest.len().min(2));
            value.push_str(&rest[..len]);
            self.at += len;
        } else if name_len > 0 && !after.starts_with(|c: char| c.is_ascii_digit()) {
            value.push_str(&format!("${{{}}}", &after[..name_len]));
            self.at += 1 + name_len;
        } else {
            value.push_str("$$");
            self.at += 1;
        }
    }

    /// Reads to the end of the line, or to a comment.
    fn unquoted(&mut self) -> String {
        let line_end = self.at + self.rest_of_line().len();
        let mut value = String::new();
        let mut blank = true;
        while self.at < line_end {
            let rest = self.rest();
            match rest.chars().next() {
                Some('#') if blank => break,
                Some('$') => self.dollar(&mut value),
                Some('\\') if rest[1..].starts_with('$') => {
                    value.push_str("$$");
                    self.at += 2;
                }
                Some(c) => {
                    value.push(c);
                    self.at += c.len_utf8();
                }
                None => break,
            }
            blank = value.ends_with([' ', '\t']);
        }
        value.trim_end().to_owned()
    }
}

fn valid(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> (Vec<(String, String)>, usize) {
        let mut report = Report::new(Path::new(".env"), text);
        let assignments = parse(&mut report);
        let errors = report.into_errors().len();
        (assignments.into_iter().map(|one| (one.name, one.value)).collect(), errors)
    }

    #[test]
    fn the_common_forms_are_read() {
        for (text, name, value) in [
            ("A=b", "A", "b"),
            ("  export A = b  ", "A", "b"),
            ("A=", "A", ""),
            ("A=''", "A", ""),
            ("A=b # comment", "A", "b"),
            ("A=b#c", "A", "b#c"),
            ("A=# comment", "A", ""),
            ("A='b # $C ${D} \\n' # e", "A", "b # $$C $${D} \\n"),
            ("A='it\\'s'", "A", "it's"),
            ("A=\"b\\n\\t\\\"\\\\ \\$C \\q\"", "A", "b\n\t\"\\ $$C \\q"),
            ("A=\"one\ntwo\"", "A", "one\ntwo"),
            ("A='one\ntwo'", "A", "one\ntwo"),
            ("A=$B/${C:-d e}", "A", "${B}/${C:-d e}"),
            ("A=pa$$word$", "A", "pa$$${word}$$"),
            ("A=\\$B", "A", "$$B"),
            ("A=http://x/?a=b&c", "A", "http://x/?a=b&c"),
            ("A.b-c=d", "A.b-c", "d"),
            ("A", "A", "${A-}"),
            ("A=b\r", "A", "b"),
            ("export=1", "export", "1"),
            ("A=é\u{1f980}", "A", "é\u{1f980}"),
        ] {
            assert_eq!(read(text), (vec![(name.to_owned(), value.to_owned())], 0), "{text:?}");
        }
        assert_eq!(
            read("# c\n\nA=1\r\n\tB=2\n"),
            (vec![("A".into(), "1".into()), ("B".into(), "2".into())], 0)
        );
    }

    #[test]
    fn every_wrong_line_is_told() {
        for text in ["A b", "=b", "1A=b", "A=\"b", "A='b", "A=\"b\" c", "{}", "A B=c", "- A=b"] {
            assert_eq!(read(text), (vec![], 1), "{text:?}");
        }
        assert_eq!(
            read("A b\nB=2\n=c\n"),
            (vec![("B".into(), "2".into())], 2),
            "reading went on after a wrong line"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in r#"[A-Z="'\\${}# \n]{0,40}|.{0,40}"#) {
            let _ = read(&text);
        }

        #[test]
        fn written_in_double_quotes_and_read_is_the_same(value in "[^\0]{0,40}") {
            let written = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
            let (read, errors) = read(&format!("NAME=\"{written}\"\n"));
            prop_assert_eq!(errors, 0);
            prop_assert_eq!(read, vec![("NAME".to_owned(), value.replace('$', "$$"))]);
        }
    }
}
