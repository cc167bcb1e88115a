//! Collects what is wrong while a file is checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Diagnostic, Diagnostics, Severity};
use crate::model::Place;

/// More than this many messages about one file help nobody.
const MOST: usize = 100;
/// Bytes of a message, or of a quoted line.
const LONGEST: usize = 600;

/// What is wrong with one file, so far.
#[derive(Debug)]
pub(crate) struct Report {
    file: PathBuf,
    text: Arc<str>,
    /// Byte offsets at which lines begin.
    lines: Arc<[usize]>,
    list: Vec<Diagnostic>,
    /// The last message beyond the bound, and how many there were.
    surplus: Option<Diagnostic>,
    surplus_count: usize,
    /// Somewhere a carriage return stands without a line feed.
    lone_returns: bool,
}

impl Report {
    pub(crate) fn new(file: &Path, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            file: file.to_path_buf(),
            lines,
            list: Vec::new(),
            surplus: None,
            surplus_count: 0,
            lone_returns: text.contains('\r') && text.replace("\r\n", "").contains('\r'),
            text,
        }
    }

    /// An empty report about the same file.
    pub(crate) fn another(&self) -> Self {
        Self {
            file: self.file.clone(),
            text: self.text(),
            lines: Arc::clone(&self.lines),
            list: Vec::new(),
            surplus: None,
            surplus_count: 0,
            lone_returns: self.lone_returns,
        }
    }

    /// The whole file.
    pub(crate) fn text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    pub(crate) fn error(
        &mut self,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Severity::Error, code, place, message.into())
    }

    pub(crate) fn warning(
        &mut self,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Severity::Warning, code, place, message.into())
    }

    /// Whether more messages would only be counted: no need to think about help for them.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= MOST
    }

    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        place: Place,
        message: String,
    ) -> &mut Diagnostic {
        let diagnostic = Diagnostic {
            code,
            severity,
            message: shortened(message),
            file: self.file.clone(),
            line: place.line,
            column: place.column,
            source: shortened(self.line(place.line).to_owned()),
            label: None,
            help: None,
            place,
            notes: Vec::new(),
            text: self.text(),
        };
        if self.list.len() >= MOST {
            self.surplus_count += 1;
            return self.surplus.insert(diagnostic);
        }
        self.list.push(diagnostic);
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Whether anything so far is a reason not to start.
    pub(crate) fn has_errors(&self) -> bool {
        self.list.iter().any(|one| one.severity == Severity::Error)
    }

    /// What was collected: the errors, or if there are none the warnings. In the order of the file.
    pub(crate) fn finish(self) -> Result<Vec<Diagnostic>, Diagnostics> {
        sorted(self.into_list())
    }

    /// What was collected, as it came.
    pub(crate) fn into_list(mut self) -> Vec<Diagnostic> {
        self.list.extend(self.surplus.take().filter(|_| self.surplus_count > 0).map(|mut last| {
            last.message = format!("and {} more of the kind of: {}", self.surplus_count, last.message);
            last
        }));
        self.list
    }

    /// What was collected, where it is known that something is wrong.
    pub(crate) fn into_errors(self) -> Diagnostics {
        self.into_list().into()
    }

    /// The place of `len` bytes at `offset`, whose line and column the parser has counted already: counting again
    /// from the beginning of a line of a megabyte, for each value on it, would take minutes.
    pub(crate) fn place_as_known(&self, offset: usize, len: usize, line: usize, column: usize) -> Place {
        // For YAML a carriage return alone ends a line, for editors it does not.
        if self.lone_returns { self.place(offset, len) } else { Place { offset, len, line, column } }
    }

    /// The place of `len` bytes at `offset`, both put right where they are not on a character's boundary.
    pub(crate) fn place(&self, offset: usize, len: usize) -> Place {
        let start = floor(&self.text, offset);
        let end = floor(&self.text, offset.saturating_add(len)).max(start);
        let line = self.lines.partition_point(|&begin| begin <= start).max(1);
        let column = self.text[self.lines[line - 1]..start].chars().count() + 1;
        Place { offset: start, len: end - start, line, column }
    }

    /// The place of the character at `offset`, or of the last one before it that can be seen: a parser often
    /// notices what is missing only at the end of the file.
    pub(crate) fn visible_place(&self, offset: usize) -> Place {
        let offset = floor(&self.text, offset);
        let seen = self.text[..offset].trim_end();
        if self.text[offset..].trim_start().is_empty() && !seen.is_empty() {
            let last = seen.chars().next_back().map_or(0, char::len_utf8);
            return self.place(seen.len() - last, last);
        }
        let len = self.text[offset..].chars().next().map_or(0, char::len_utf8);
        self.place(offset, len)
    }

    /// The offset of a line from 1 and a column in characters from 0.
    pub(crate) fn offset(&self, line: usize, column: usize) -> usize {
        let begin = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        self.text[begin..].char_indices().nth(column).map_or(self.text.len(), |(at, _)| begin + at)
    }

    /// The last tab before `offset` on its line.
    pub(crate) fn tab_before(&self, offset: usize) -> Option<Place> {
        let before = &self.text[..floor(&self.text, offset)];
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        before[line..].rfind('\t').map(|at| self.place(line + at, 1))
    }

    /// Where a part of the value at `place` stands, if the value is written as it is read.
    pub(crate) fn inside(&self, place: Place, part: &str) -> Option<Place> {
        let value = self.text.get(place.offset..place.offset + place.len)?;
        value.find(part).map(|at| self.place(place.offset + at, part.len()))
    }

    /// Where `word` stands first at or after the beginning of `place`, as a whole word; sought for some lines only.
    pub(crate) fn word_after(&self, place: Place, word: &str) -> Option<Place> {
        let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let rest = self.text.get(place.offset..)?;
        let end = rest.match_indices('\n').nth(40).map_or(rest.len(), |(at, _)| at);
        rest[..end].match_indices(word).map(|(at, _)| at).find_map(|at| {
            let before = rest[..at].chars().next_back().is_some_and(joins);
            let after = rest[at + word.len()..].chars().next().is_some_and(joins);
            (!before && !after).then(|| self.place(place.offset + at, word.len()))
        })
    }

    /// A line of the file, from 1, without its break.
    fn line(&self, line: usize) -> &str {
        let Some(&begin) = line.checked_sub(1).and_then(|index| self.lines.get(index)) else { return "" };
        self.text[begin..].lines().next().unwrap_or_default()
    }
}

/// What is read, not what somebody put there to make it long.
fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(floor(&text, LONGEST));
        text.push('…');
    }
    text
}

fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The errors of a list, or if there are none its warnings, in the order of the files.
pub(crate) fn sorted(mut list: Vec<Diagnostic>) -> Result<Vec<Diagnostic>, Diagnostics> {
    let failed = list.iter().any(|one| one.severity == Severity::Error);
    list.retain(|one| (one.severity == Severity::Error) == failed);
    let key = |one: &Diagnostic| (one.file.clone(), one.place.offset, one.code, one.message.clone());
    list.sort_by_cached_key(key);
    // An alias or `extends` can bring the same mistake to several processes; it stands in the file once.
    list.dedup_by_key(|one| key(one));
    if failed { Err(list.into()) } else { Ok(list) }
}
