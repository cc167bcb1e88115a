//! A line's text as cells of the terminal, and cells as rows.

use std::borrow::Cow;

use forge_api::{LogLine, StyledPart};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use unicode_width::UnicodeWidthChar;

use super::pattern::Pattern;
use crate::view::clean;

/// Characters of one line that are shown; of a longer one, its end is not.
const LONGEST: usize = 16 << 10;
/// Columns from one tab stop to the next.
const TAB: usize = 8;

/// A character and how it is dressed.
pub(crate) type Cell = (char, Style);

/// The text of a line: dressed as its program wished (without colour: not), with what is looked for standing out.
pub(crate) fn cells(line: &LogLine, base: Style, color: bool, found: Option<&Pattern>) -> Vec<Cell> {
    let text = shown(line);
    let ranges = found.map(|pattern| pattern.ranges(&text)).unwrap_or_default();
    let mut ranges = ranges.into_iter().peekable();
    // They are about the text as it came.
    let styles = if color && text == line.text { line.styles.as_slice() } else { &[] };
    let mut parts = Parts::new(styles);
    let mut cells = Vec::with_capacity(text.len().min(LONGEST));
    for (at, character) in text.char_indices().take(LONGEST) {
        let own = parts.next(character);
        while ranges.next_if(|range| range.end <= at).is_some() {}
        let hit = ranges.peek().is_some_and(|range| range.start <= at);
        let style = base.patch(own);
        let style =
            if hit { style.remove_modifier(Modifier::DIM).add_modifier(Modifier::REVERSED) } else { style };
        if character == '\t' {
            cells.extend(std::iter::repeat_n((' ', style), TAB - cells.len() % TAB));
        } else {
            cells.push((character, style));
        }
    }
    cells
}

/// The text without anything that a terminal would act upon.
pub(crate) fn shown(line: &LogLine) -> Cow<'_, str> {
    clean::line(&line.text)
}

/// Walks along styled parts by UTF-16 code units.
struct Parts<'a> {
    parts: std::slice::Iter<'a, StyledPart>,
    style: Style,
    left: usize,
}

impl<'a> Parts<'a> {
    fn new(parts: &'a [StyledPart]) -> Self {
        Self { parts: parts.iter(), style: Style::new(), left: 0 }
    }

    /// How the next character is dressed.
    fn next(&mut self, character: char) -> Style {
        while self.left == 0 {
            let Some(part) = self.parts.next() else { return Style::new() };
            self.left = usize::try_from(part.length).unwrap_or(usize::MAX);
            self.style = style(part);
        }
        self.left = self.left.saturating_sub(character.len_utf16());
        self.style
    }
}

fn style(part: &StyledPart) -> Style {
    let mut style = Style::new();
    style.fg = part.foreground.as_deref().and_then(color);
    style.bg = part.background.as_deref().and_then(color);
    for (set, modifier) in [
        (part.bold, Modifier::BOLD),
        (part.dim, Modifier::DIM),
        (part.italic, Modifier::ITALIC),
        (part.underline, Modifier::UNDERLINED),
        (part.strikethrough, Modifier::CROSSED_OUT),
        (part.inverse, Modifier::REVERSED),
    ] {
        if set {
            style = style.add_modifier(modifier);
        }
    }
    style
}

/// `red`, `bright_red`, `#rrggbb`.
fn color(name: &str) -> Option<Color> {
    if let Some(hex) = name.strip_prefix('#') {
        let value = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
        let [_, red, green, blue] = value.to_be_bytes();
        return Some(Color::Rgb(red, green, blue));
    }
    Some(match name {
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright_black" => Color::DarkGray,
        "bright_red" => Color::LightRed,
        "bright_green" => Color::LightGreen,
        "bright_yellow" => Color::LightYellow,
        "bright_blue" => Color::LightBlue,
        "bright_magenta" => Color::LightMagenta,
        "bright_cyan" => Color::LightCyan,
        "bright_white" => Color::White,
        _ => return None,
    })
}

/// Cells in rows of at most `width` columns; one row at least.
pub(crate) fn rows(cells: &[Cell], width: usize) -> Vec<&[Cell]> {
    let width = width.max(2);
    let mut rows = Vec::new();
    let (mut from, mut used) = (0, 0);
    for (at, (character, _)) in cells.iter().enumerate() {
        let wide = character.width().unwrap_or(0);
        if used + wide > width {
            rows.push(&cells[from..at]);
            (from, used) = (at, 0);
        }
        used += wide;
    }
    rows.push(&cells[from..]);
    rows
}

/// How many rows [`rows`] would make of the line.
pub(crate) fn row_count(line: &LogLine, width: usize) -> usize {
    let text = &line.text;
    // No more columns than bytes.
    if text.len() <= width && !text.contains('\t') {
        return 1;
    }
    if text.is_ascii() && !text.bytes().any(|byte| byte < b' ') {
        return text.len().min(LONGEST).div_ceil(width.max(2));
    }
    rows(&cells(line, Style::new(), false, None), width).len()
}

/// Columns from `shift` on, as many as fit; where something is cut off, `ellipsis` says so.
pub(crate) fn cut(cells: &[Cell], shift: usize, width: usize, ellipsis: char) -> Vec<Cell> {
    let mut skipped = 0;
    let from = cells
        .iter()
        .position(|(character, _)| {
            let before = skipped;
            skipped += character.width().unwrap_or(0);
            before >= shift
        })
        .unwrap_or(if shift == 0 { 0 } else { cells.len() });
    let cells = &cells[from..];
    let first = rows(cells, width)[0];
    if first.len() == cells.len() {
        return first.to_vec();
    }
    let mut kept = rows(cells, width.saturating_sub(1))[0].to_vec();
    let style = kept.last().map_or(Style::new(), |(_, style)| *style);
    kept.push((ellipsis, style));
    kept
}

/// Neighbours that look alike, together.
pub(crate) fn spans(cells: &[Cell]) -> Vec<Span<'static>> {
    let alike = cells.chunk_by(|(_, one), (_, other)| one == other);
    alike
        .map(|run| {
            let style = run.first().map_or(Style::new(), |(_, style)| *style);
            Span::styled(run.iter().map(|(character, _)| *character).collect::<String>(), style)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;

    fn texts(cells: &[Cell]) -> String {
        cells.iter().map(|(character, _)| *character).collect()
    }

    fn plain(text: &str) -> Vec<Cell> {
        cells(&sample::line("api", 1, text), Style::new(), true, None)
    }

    #[test]
    fn rows_are_as_wide_as_the_terminal_and_as_many_as_counted() {
        for (text, width, expected) in [
            ("", 10, vec![""]),
            ("abcdef", 10, vec!["abcdef"]),
            ("abcdef", 4, vec!["abcd", "ef"]),
            ("日本語", 4, vec!["日本", "語"]),
            ("a日本", 4, vec!["a日", "本"]),
            ("a\tb", 6, vec!["a     ", "  b"]),
            ("\x1b[31mred\x1b[0m\x07", 10, vec!["red"]),
        ] {
            let all = plain(text);
            let rows: Vec<String> = rows(&all, width).into_iter().map(texts).collect();
            assert_eq!(rows, expected, "{text:?} in {width}");
            let count = row_count(&sample::line("api", 1, text), width);
            assert_eq!(count, expected.len(), "{text:?} in {width}");
        }
        let long = "x".repeat(1 << 20);
        let count = row_count(&sample::line("api", 1, &long), 80);
        assert_eq!(count, rows(&plain(&long), 80).len(), "a very long line is cut the same way");
    }

    #[test]
    fn what_is_cut_off_is_said() {
        let cells = plain("abcdef");
        for (shift, width, expected) in
            [(0, 6, "abcdef"), (0, 5, "abcd…"), (2, 4, "cdef"), (2, 3, "cd…"), (9, 3, "")]
        {
            assert_eq!(texts(&cut(&cells, shift, width, '…')), expected, "from {shift}, {width} wide");
        }
    }

    #[test]
    fn a_programs_own_colours_are_kept_and_counted_in_utf_16() {
        let mut line = sample::line("api", 1, "😀ab");
        line.styles = vec![
            StyledPart { length: 3, foreground: Some("red".to_owned()), ..StyledPart::default() },
            StyledPart {
                length: 1,
                foreground: Some("#010203".to_owned()),
                bold: true,
                ..StyledPart::default()
            },
        ];
        let dressed = cells(&line, Style::new(), true, None);
        let red = Style::new().fg(Color::Red);
        let last = Style::new().fg(Color::Rgb(1, 2, 3)).add_modifier(Modifier::BOLD);
        assert_eq!(dressed, [('😀', red), ('a', red), ('b', last)], "an emoji is two code units");
        let plain = cells(&line, Style::new(), false, None);
        assert!(plain.iter().all(|(_, style)| *style == Style::new()), "not without colour: {plain:?}");
    }

    #[test]
    fn what_is_found_is_reversed() {
        let pattern = Pattern::parse("bc").expect("a text");
        let cells = cells(&sample::line("api", 1, "abcBCd"), Style::new(), true, Some(&pattern));
        let hits: String = cells
            .iter()
            .map(|(_, style)| if style.add_modifier.contains(Modifier::REVERSED) { 'x' } else { '.' })
            .collect();
        assert_eq!(hits, ".xxxx.", "both");
    }
}
