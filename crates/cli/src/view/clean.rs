//! Text of programs made harmless: it may colour itself, and nothing else.
//!
//! Cursor movement, titles, clipboard and hyperlink sequences, bells and C1 controls would let a line of output
//! rewrite what stands around it. Grammar: ECMA-48, <https://vt100.net/emu/dec_ansi_parser>.

use std::borrow::Cow;

/// `text` without what a terminal would act upon. Colours (SGR) stay if `color`, and are then closed at the end. A
/// line that drew over itself with carriage returns, as progress bars do, comes as it last was.
pub(crate) fn line(text: &str, color: bool) -> Cow<'_, str> {
    if !text.bytes().any(suspicious) {
        return Cow::Borrowed(text);
    }
    let text = last_drawn(text);
    let mut clean = String::with_capacity(text.len());
    let mut colored = false;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\x1b' => {
                if let Some(sequence) = escape(&mut rest).filter(|_| color) {
                    clean.push_str("\x1b[");
                    clean.push_str(sequence);
                    colored = true;
                }
            }
            // Stands for ESC [ in eight bits.
            '\u{9b}' => drop(control_sequence(&mut rest)),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => string(&mut rest),
            '\t' => clean.push('\t'),
            character if character.is_control() => {}
            character => clean.push(character),
        }
    }
    if colored {
        clean.push_str("\x1b[0m");
    }
    Cow::Owned(clean)
}

/// A control character, or the first byte of U+0080–U+00BF.
fn suspicious(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f || byte == 0xc2
}

/// What is left of a line that returned to its own beginning.
fn last_drawn(text: &str) -> &str {
    let text = text.trim_end_matches(['\r', '\n']);
    text.rsplit('\r').find(|part| !part.is_empty()).unwrap_or("")
}

/// After ESC: the sequence behind its bracket if it only sets colours; any other is passed over.
fn escape<'a>(rest: &mut std::str::Chars<'a>) -> Option<&'a str> {
    let mut ahead = rest.clone();
    match ahead.next()? {
        '[' => {
            *rest = ahead;
            control_sequence(rest).filter(|sequence| sequence.ends_with('m'))
        }
        ']' | 'P' | 'X' | '^' | '_' => {
            *rest = ahead;
            string(rest);
            None
        }
        // Intermediates, then one final character: character sets and the like.
        ' '..='/' => {
            *rest = ahead;
            while rest.next().is_some_and(|character| (' '..='/').contains(&character)) {}
            None
        }
        '0'..='~' => {
            *rest = ahead;
            None
        }
        _ => None,
    }
}

/// After `ESC [`: parameters up to the final character, if they are well formed.
fn control_sequence<'a>(rest: &mut std::str::Chars<'a>) -> Option<&'a str> {
    let text = rest.as_str();
    for (at, character) in text.char_indices() {
        match character {
            '0'..=';' => {}
            '@'..='~' => {
                let (sequence, behind) = text.split_at(at + 1);
                *rest = behind.chars();
                return Some(sequence);
            }
            // Private parameters and intermediates: not a colour, but passed over as a whole.
            ' '..='?' => return private(rest, at),
            // What cannot be part of a sequence ends it.
            _ => {
                *rest = text[at..].chars();
                return None;
            }
        }
    }
    *rest = "".chars();
    None
}

fn private<'a>(rest: &mut std::str::Chars<'a>, from: usize) -> Option<&'a str> {
    let text = &rest.as_str()[from..];
    let end = text.find(|character| !(' '..='?').contains(&character)).unwrap_or(text.len());
    let behind = &text[end..];
    let skip = behind.chars().next().filter(|last| ('@'..='~').contains(last)).map_or(0, char::len_utf8);
    *rest = behind[skip..].chars();
    None
}

/// After the introducer of a string (title, clipboard, link): passes it over up to BEL, ST or the line's end.
fn string(rest: &mut std::str::Chars<'_>) {
    while let Some(character) = rest.next() {
        match character {
            '\x07' | '\u{9c}' => return,
            '\x1b' => {
                if rest.as_str().starts_with('\\') {
                    rest.next();
                }
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn only_colours_are_left() {
        for (text, colored, plain) in [
            ("plain", "plain", "plain"),
            ("a\tb", "a\tb", "a\tb"),
            ("Grüße · 日本", "Grüße · 日本", "Grüße · 日本"),
            ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m\x1b[0m", "red"),
            ("\x1b[38;5;208mx", "\x1b[38;5;208mx\x1b[0m", "x"),
            ("\x1b[38:2::1:2:3mx", "\x1b[38:2::1:2:3mx\x1b[0m", "x"),
            ("\x1b[2J\x1b[1;1Hgone", "gone", "gone"),
            ("\x1b[?1049hx\x1b[?25l", "x", "x"),
            ("\x1b[>4;2mx", "x", "x"),
            ("\x1b[1 qx", "x", "x"),
            ("\x1b]0;title\x07x", "x", "x"),
            ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link", "link"),
            ("\x1b]52;c;never closed", "", ""),
            ("\x1bPq#0\x1b\\x", "x", "x"),
            ("\x1b(Bx\x1bcy\x1b7", "xy", "xy"),
            ("\u{9b}31mx\u{9d}0;t\u{9c}y", "xy", "xy"),
            ("\x07a\x08b\x7fc\0", "abc", "abc"),
            ("\x1b", "", ""),
            ("\x1b[", "", ""),
            ("\x1b[31", "", ""),
            ("\x1b[3\u{1}1mx", "1mx", "1mx"),
        ] {
            assert_eq!(line(text, true), colored, "{text:?} with colour");
            assert_eq!(line(text, false), plain, "{text:?} without");
        }
    }

    #[test]
    fn a_line_drawn_over_itself_comes_as_it_last_was() {
        for (text, shown) in [
            ("10%\r50%\r100%", "100%"),
            ("done\r", "done"),
            ("a\r\r", "a"),
            ("\r", ""),
            ("old\r\x1b[Knew\r\n", "new"),
        ] {
            assert_eq!(line(text, false), shown, "{text:?}");
        }
    }
}
