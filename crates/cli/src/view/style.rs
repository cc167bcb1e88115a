//! Colour, characters and width of a surface, and text measured in columns.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What a surface can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) color: bool,
    pub(crate) unicode: bool,
    /// Columns.
    pub(crate) width: usize,
}

/// A meaning, shown by colour where there is one. Never the only sign of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Bold,
    Dim,
    Good,
    Busy,
    Warn,
    Bad,
    /// One of the colours that tell processes apart.
    Process(usize),
}

/// The foregrounds that tell processes apart: readable on light and dark, none of them red or yellow, which mean
/// trouble.
const PROCESS_COLORS: [&str; 8] = ["36", "35", "34", "32", "96", "95", "94", "92"];

impl Ink {
    /// How many processes can be told apart.
    pub(crate) const PROCESSES: usize = PROCESS_COLORS.len();

    fn codes(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Busy => "36",
            Self::Warn => "33",
            Self::Bad => "31",
            Self::Process(index) => PROCESS_COLORS[index % PROCESS_COLORS.len()],
        }
    }
}

/// A sign before a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Good,
    /// Under way; the frame of the spinner.
    Busy(usize),
    Bad,
    Idle,
    Warn,
}

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const ASCII_SPINNER: [&str; 4] = ["o", "O", "o", "."];

impl Style {
    /// `text` in the ink's colour, where there is colour.
    pub(crate) fn paint<'a>(&self, ink: Ink, text: &'a str) -> Cow<'a, str> {
        let codes = ink.codes();
        if !self.color || codes.is_empty() || text.is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(format!("\x1b[{codes}m{text}\x1b[0m"))
    }

    /// The mark's sign, one column wide.
    pub(crate) fn mark(&self, mark: Mark) -> Cow<'static, str> {
        let (ink, unicode, ascii) = match mark {
            Mark::Good => (Ink::Good, "✓", "+"),
            Mark::Busy(frame) => {
                (Ink::Busy, SPINNER[frame % SPINNER.len()], ASCII_SPINNER[frame % ASCII_SPINNER.len()])
            }
            Mark::Bad => (Ink::Bad, "✗", "x"),
            Mark::Idle => (Ink::Dim, "○", "-"),
            Mark::Warn => (Ink::Warn, "⚠", "!"),
        };
        self.paint(ink, if self.unicode { unicode } else { ascii })
    }

    /// What stands for "not known".
    pub(crate) fn nothing(&self) -> &'static str {
        if self.unicode { "–" } else { "-" }
    }

    /// Between facts on one line.
    pub(crate) fn dot(&self) -> &'static str {
        if self.unicode { " · " } else { ", " }
    }

    /// `text` in at most `width` columns, its end replaced by an ellipsis if it is longer.
    pub(crate) fn cut<'a>(&self, text: &'a str, width: usize) -> Cow<'a, str> {
        if columns(text) <= width {
            return Cow::Borrowed(text);
        }
        let ellipsis = if self.unicode { "…" } else { "~" };
        let room = width.saturating_sub(1);
        let mut used = 0;
        let mut end = 0;
        for (at, character) in text.char_indices() {
            let wide = character.width().unwrap_or(0);
            if used + wide > room {
                break;
            }
            used += wide;
            end = at + character.len_utf8();
        }
        Cow::Owned(if width == 0 { String::new() } else { format!("{}{ellipsis}", &text[..end]) })
    }
}

impl Style {
    /// `text` that begins in column `indent`, in as many lines as the width asks for, all of which begin there.
    pub(crate) fn folded(&self, text: &str, indent: usize) -> String {
        // Of what is left beside a deep indent nobody could read anything.
        let room = self.width.saturating_sub(indent).max(20);
        wrap(text, room).join(&format!("\n{}", " ".repeat(indent)))
    }
}

/// `text` in lines of at most `width` columns, broken at spaces; a longer word is cut where the line ends.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let wide = columns(word);
        if used > 0 && used + 1 + wide > width {
            lines.push(String::new());
            used = 0;
        }
        if used > 0 {
            push(&mut lines, " ");
            used += 1;
        }
        for character in word.chars() {
            let wide = character.width().unwrap_or(0);
            if used + wide > width {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, character.encode_utf8(&mut [0; 4]));
            used += wide;
        }
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(last) = lines.last_mut() {
        last.push_str(text);
    }
}

/// How many columns `text`, which holds no control characters, takes on a terminal.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// `text` with spaces after it up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// `text` with spaces before it up to `width` columns.
pub(crate) fn pad_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(columns(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: Style = Style { color: false, unicode: true, width: 80 };

    #[test]
    fn what_is_cut_fits_also_with_wide_characters() {
        for (text, width, cut) in [
            ("backend", 7, "backend"),
            ("backend", 6, "backe…"),
            ("backend", 1, "…"),
            ("backend", 0, ""),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
        ] {
            assert_eq!(STYLE.cut(text, width), cut, "{text} in {width}");
        }
    }

    #[test]
    fn wrapped_text_breaks_at_spaces_where_it_can() {
        for (text, width, lines) in [
            ("", 10, &[""][..]),
            ("one two three", 20, &["one two three"]),
            ("one two three", 8, &["one two", "three"]),
            ("one  two", 7, &["one two"]),
            ("a verylongword", 6, &["a", "verylo", "ngword"]),
            ("日本語", 4, &["日本", "語"]),
        ] {
            assert_eq!(wrap(text, width), lines, "{text} in {width}");
        }
    }

    #[test]
    fn without_colour_nothing_is_added() {
        assert_eq!(STYLE.paint(Ink::Bad, "x"), "x", "no colour");
        assert_eq!(Style { color: true, ..STYLE }.paint(Ink::Bad, "x"), "\x1b[31mx\x1b[0m", "colour");
    }
}
