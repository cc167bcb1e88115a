//! What a terminal would show of a line in the end: its text, and how the text is dressed.
//!
//! Colours and the like (SGR) become [`Style`]s. A carriage return goes back to the line's beginning, and what is
//! written there takes the place of what stood: a progress bar is left as it last was. Everything else that a terminal
//! acts upon is taken out. Grammar: ECMA-48, <https://vt100.net/emu/dec_ansi_parser>; colours:
//! <https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>.
//!
//! It takes time in proportion to the line's length, whatever stands in it.

mod cells;
mod sgr;
mod style;

use std::borrow::Cow;

use cells::Cells;
pub use style::{Color, Style, StyledPart};

/// Parts of one line that are dressed; what is behind them is plain.
pub const MAX_PARTS: usize = 512;

/// A line as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Without control characters, but for tabs. What is no UTF-8 is U+FFFD.
    pub text: Cow<'a, str>,
    /// From the text's beginning on, at most [`MAX_PARTS`]; what is behind the last one is plain.
    pub styles: Vec<StyledPart>,
}

/// What is shown of `line`, which is as its program wrote it.
#[must_use]
pub fn shown(line: &[u8]) -> Shown<'_> {
    let line = String::from_utf8_lossy(without_end(line));
    if !has_controls(line.as_bytes()) {
        return Shown { text: line, styles: Vec::new() };
    }
    let (text, styles) = draw(&line).finish();
    Shown { text: Cow::Owned(text), styles }
}

/// The text alone.
#[must_use]
pub fn text(line: &[u8]) -> Cow<'_, str> {
    let line = String::from_utf8_lossy(without_end(line));
    if !has_controls(line.as_bytes()) {
        return line;
    }
    Cow::Owned(draw(&line).text())
}

/// Whether what is shown of `bytes`, which may be many lines, is what they are, given that they are UTF-8: there is
/// nothing for a terminal to act upon.
#[must_use]
pub fn is_plain(bytes: &[u8]) -> bool {
    !bytes.split(|&byte| byte == b'\n').any(has_controls)
}

/// A line's carriage return at its very end draws nothing over it.
fn without_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    &line[..end]
}

/// C0 but for tabs, DEL, and C1 (U+0080 to U+009F).
fn has_controls(bytes: &[u8]) -> bool {
    // Without an early end within a block, so that the compiler looks at many bytes at once.
    let suspicious = |byte: &u8| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f || *byte == 0xc2;
    let block_is = |block: &[u8]| block.iter().fold(false, |found, byte| found | suspicious(byte));
    bytes.chunks(64).enumerate().any(|(number, block)| block_is(block) && begins_control(bytes, number * 64))
}

/// Whether a control character begins in the 64 bytes at `from`.
fn begins_control(bytes: &[u8], from: usize) -> bool {
    let until = bytes.len().min(from + 64);
    (from..until).any(|at| match bytes[at] {
        b'\t' => false,
        0..0x20 | 0x7f => true,
        0xc2 => bytes.get(at + 1).is_some_and(|next| (0x80..0xa0).contains(next)),
        _ => false,
    })
}

fn draw(line: &str) -> Cells {
    let mut cells = Cells::new(line.len());
    let mut strings = Strings::default();
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        let behind = &rest[character.len_utf8()..];
        rest = match character {
            '\x1b' => escape(behind, &mut cells, &mut strings),
            // Stands for ESC [ in eight bits.
            '\u{9b}' => control_sequence(behind, &mut cells),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => strings.skip(behind),
            '\r' => {
                cells.carriage_return();
                behind
            }
            '\x08' => {
                cells.back(1);
                behind
            }
            _ => {
                if character == '\t' || !character.is_control() {
                    cells.put(character);
                }
                behind
            }
        };
    }
    cells
}

/// After ESC; returns what is behind the sequence.
fn escape<'a>(rest: &'a str, cells: &mut Cells, strings: &mut Strings) -> &'a str {
    match rest.bytes().next() {
        Some(b'[') => control_sequence(&rest[1..], cells),
        Some(b']' | b'P' | b'X' | b'^' | b'_') => strings.skip(&rest[1..]),
        // Intermediates, then one final character: character sets and the like.
        Some(b' '..=b'/') => {
            let behind = rest.trim_start_matches(|character| (' '..='/').contains(&character));
            behind.strip_prefix(|last| ('0'..='~').contains(&last)).unwrap_or(behind)
        }
        Some(b'0'..=b'~') => &rest[1..],
        _ => rest,
    }
}

/// After `ESC [`: parameters and intermediates up to the final character. What cannot be part of a sequence ends it.
fn control_sequence<'a>(rest: &'a str, cells: &mut Cells) -> &'a str {
    let length = rest.bytes().take_while(|byte| (b' '..=b'?').contains(byte)).count();
    let (parameters, behind) = rest.split_at(length);
    let Some(last) = behind.bytes().next().filter(|last| (b'@'..=b'~').contains(last)) else { return behind };
    // Private parameters and intermediates make it another sequence, of none that matters here.
    if parameters.bytes().all(|byte| (b'0'..=b';').contains(&byte)) {
        let first = parameters.split([';', ':']).next().and_then(|number| number.parse().ok());
        let count = first.filter(|count| *count > 0).unwrap_or(1);
        match last {
            b'm' => cells.set_style(|style| sgr::apply(style, parameters)),
            b'C' => cells.forward(count),
            b'D' => cells.back(count),
            b'G' | b'`' => cells.column(count - 1),
            b'K' => cells.erase(first.unwrap_or(0)),
            // Down to the screen's end. A screen that is cleared as a whole takes nothing from a log.
            b'J' if first.unwrap_or(0) == 0 => cells.erase(0),
            _ => {}
        }
    }
    &behind[1..]
}

/// Strings for a terminal: title, clipboard, link, picture.
#[derive(Default)]
struct Strings {
    /// Nothing ends one from here on. Looked for once: who writes nothing but beginnings takes no longer than others.
    endless: bool,
}

impl Strings {
    /// After the introducer of one: what is behind its end, which is BEL, ST or the beginning of another sequence. One
    /// that never ends hides nothing.
    fn skip<'a>(&mut self, rest: &'a str) -> &'a str {
        if self.endless {
            return rest;
        }
        let ends = |end: char| matches!(end, '\x07' | '\x18' | '\x1a' | '\x1b' | '\u{9c}');
        let Some((at, end)) = rest.char_indices().find(|(_, character)| ends(*character)) else {
            self.endless = true;
            return rest;
        };
        match end {
            '\x1b' => rest[at..].strip_prefix("\x1b\\").unwrap_or(&rest[at..]),
            end => &rest[at + end.len_utf8()..],
        }
    }
}

/// Whether these bytes end within a character, or within what a terminal takes as one.
#[must_use]
pub fn is_cut(bytes: &[u8]) -> bool {
    let escape = bytes.iter().rposition(|byte| *byte == 0x1b).map(|at| &bytes[at + 1..]);
    lacks_bytes(bytes) || escape.is_some_and(is_open)
}

/// Whether the last character lacks bytes.
fn lacks_bytes(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    let Some(lead) = tail.iter().rposition(|byte| *byte >= 0xc0) else { return false };
    let length = match tail[lead] {
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    tail[lead + 1..].iter().all(|byte| (0x80..0xc0).contains(byte)) && tail.len() - lead < length
}

/// Whether a sequence, of which this stands behind its ESC, goes on.
fn is_open(sequence: &[u8]) -> bool {
    let Some((first, rest)) = sequence.split_first() else { return true };
    match first {
        b'[' => rest.iter().all(|byte| (b' '..=b'?').contains(byte)),
        b']' | b'P' | b'X' | b'^' | b'_' => !rest.iter().any(|byte| matches!(byte, 7 | 0x18 | 0x1a)),
        b' '..=b'/' => rest.iter().all(|byte| (b' '..=b'/').contains(byte)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
