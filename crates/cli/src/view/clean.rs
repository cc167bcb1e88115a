//! Text of programs made harmless: it may colour itself, and nothing else.
//!
//! Cursor movement, titles, clipboard and hyperlink sequences, bells and C1 controls would let a line of output
//! rewrite what stands around it.

use std::borrow::Cow;
use std::fmt::Write as _;

use forge_api::{LogLine, StyledPart};

/// `text` as a terminal would show it in the end, without anything that a terminal acts upon.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    forge_logs::ansi::text(text.as_bytes())
}

/// The text of a line of a log, in its program's colours if `color`.
pub(crate) fn dressed(line: &LogLine, color: bool) -> Cow<'_, str> {
    let text = self::line(&line.text);
    // The styles count in the text as it came.
    if !color || line.styles.is_empty() || text != line.text {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16 * line.styles.len());
    let mut rest: &str = &text;
    for part in &line.styles {
        let (piece, behind) = rest.split_at(end_of(rest, part.length));
        let codes = codes(part);
        if codes.is_empty() {
            out.push_str(piece);
        } else {
            let _ = write!(out, "\x1b[{codes}m{piece}\x1b[0m");
        }
        rest = behind;
    }
    Cow::Owned(out + rest)
}

/// Where so many UTF-16 code units of `text` end.
fn end_of(text: &str, units: u32) -> usize {
    let mut left = units as usize;
    let behind = text.char_indices().find(|(_, character)| {
        let found = left == 0;
        left = left.saturating_sub(character.len_utf16());
        found
    });
    behind.map_or(text.len(), |(at, _)| at)
}

/// The parameters of the SGR sequence.
fn codes(part: &StyledPart) -> String {
    let flags = [
        (part.bold, "1"),
        (part.dim, "2"),
        (part.italic, "3"),
        (part.underline, "4"),
        (part.inverse, "7"),
        (part.strikethrough, "9"),
    ];
    let mut codes: Vec<String> =
        flags.iter().filter(|(set, _)| *set).map(|(_, code)| (*code).to_owned()).collect();
    codes.extend(part.foreground.as_deref().and_then(|color| color_code(color, 30)));
    codes.extend(part.background.as_deref().and_then(|color| color_code(color, 40)));
    codes.join(";")
}

/// `base` is 30 for the foreground, 40 for the background. What is no colour's name has none.
fn color_code(color: &str, base: u8) -> Option<String> {
    const NAMES: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
    if let Some(hex) = color.strip_prefix('#') {
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
        let [_, red, green, blue] = number.to_be_bytes();
        return Some(format!("{};2;{red};{green};{blue}", base + 8));
    }
    let (name, base) = color.strip_prefix("bright_").map_or((color, base), |name| (name, base + 60));
    let number = NAMES.iter().position(|known| *known == name)?;
    Some((usize::from(base) + number).to_string())
}

#[cfg(test)]
mod tests {
    use forge_api::{Stream, Time};

    use super::*;

    fn log_line(text: &str, styles: Vec<StyledPart>) -> LogLine {
        LogLine {
            time: Time(0),
            environment: "dev".to_owned(),
            process: "api".to_owned(),
            run: 1,
            stream: Stream::Stdout,
            level: None,
            text: text.to_owned(),
            styles,
            omitted: 0,
            at: "1:0".to_owned(),
        }
    }

    fn part(length: u32, foreground: &str) -> StyledPart {
        let foreground = (!foreground.is_empty()).then(|| foreground.to_owned());
        StyledPart { length, foreground, ..StyledPart::default() }
    }

    #[test]
    fn nothing_that_a_terminal_acts_upon_is_left() {
        for (text, expected) in [
            ("a\tb", "a\tb"),
            ("\x1b[31mred\x1b[0m", "red"),
            ("\x1b[2J\x1b[1;1Hgone", "gone"),
            ("\x1b]0;title\x07x", "x"),
            ("\x1b]52;c;never closed", "52;c;never closed"),
            ("\u{9b}31mx\u{9d}0;t\u{9c}y", "xy"),
            ("10%\r100%", "100%"),
        ] {
            assert_eq!(line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn colours_are_those_of_the_program() {
        let loud = StyledPart { bold: true, background: Some("#010203".to_owned()), ..part(1, "bright_red") };
        for (text, styles, expected) in [
            ("plain", vec![], "plain"),
            ("red", vec![part(3, "red")], "\x1b[31mred\x1b[0m"),
            ("a red", vec![part(2, ""), part(3, "red")], "a \x1b[31mred\x1b[0m"),
            ("😀x", vec![part(2, "green")], "\x1b[32m😀\x1b[0mx"),
            ("xy", vec![loud], "\x1b[1;91;48;2;1;2;3mx\x1b[0my"),
            ("short", vec![part(99, "blue")], "\x1b[34mshort\x1b[0m"),
            ("x", vec![part(1, "#12345é")], "x"),
            ("x", vec![part(1, "mauve")], "x"),
            ("\x1b[2Jx", vec![part(4, "red")], "x"),
        ] {
            let line = log_line(text, styles);
            assert_eq!(dressed(&line, true), expected, "{text:?} with colour");
            assert!(!dressed(&line, false).contains('\x1b'), "{text:?} without");
        }
    }
}
