//! What varies in a line by its look, masked.

use std::fmt::Write as _;

use super::tokens::{self, Frame};

/// Stands for what varies within a word.
const PART: char = '\0';
/// Stands for what varies and may hold blanks: quoted text.
const SPAN: char = '\u{1}';
/// Stands for a path or an address of the web.
const PLACE: char = '\u{2}';
const MASKS: [char; 3] = [PART, SPAN, PLACE];

/// Words of a line that are looked at.
const MAX_WORDS: usize = 64;
/// Bytes of a line that are looked at.
const MAX_BYTES: usize = 4096;

/// The words of a message, with what varies masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Masked {
    /// The words, one after the other without anything between.
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
    /// A hash of each, to compare by; 0: it varies as a whole.
    hashes: Vec<u32>,
    /// The number of the first word that does not vary by its look.
    route: Option<usize>,
    frame: Frame,
    /// The line goes on.
    cut: bool,
}

/// The message of a line that is shown as `text`.
pub(super) fn mask(text: &str) -> Masked {
    let (frame, message) = tokens::message(text);
    let part = &message[..message.floor_char_boundary(MAX_BYTES)];
    let mut masked = Masked::new(frame, part.len() < message.len());
    let mut rest = part.trim_start();
    let mut head = true;
    let mut after_method = false;
    while !rest.is_empty() {
        if masked.len() == MAX_WORDS {
            masked.cut = true;
            break;
        }
        let from = masked.text.len();
        let length = word(rest, after_method, &mut masked.text);
        after_method = is_method(rest[..length].trim_start_matches(['"', '\'', '[', '(']));
        let shown = &rest[..length];
        rest = rest[length..].trim_start();
        head &= frame == Frame::Line && tokens::is_head(&masked.text[from..], &MASKS);
        // `3 errors`: a count, and the message.
        head &= !(shown.bytes().all(|byte| byte.is_ascii_digit())
            && rest.starts_with(|c: char| c.is_ascii_lowercase()));
        if head && !rest.is_empty() {
            masked.text.clear();
            continue;
        }
        masked.ends.push(masked.text.len());
        if masked.text[from..] == *"statement:" && !rest.is_empty() {
            // PostgreSQL: what was asked is any text.
            masked.text.push(SPAN);
            masked.ends.push(masked.text.len());
            break;
        }
    }
    masked.hashes = masked.words().map(hash).collect();
    let route = masked.words().position(|word| !word.contains(MASKS));
    masked.route = route;
    masked
}

impl Masked {
    fn new(frame: Frame, cut: bool) -> Self {
        Self { text: String::new(), ends: Vec::new(), hashes: Vec::new(), route: None, frame, cut }
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// What two must have in common to be compared at all.
    pub(super) fn shape(&self) -> (Frame, usize) {
        (self.frame, self.len())
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }

    /// The word that leads to its place in the tree; empty if there is none, or if it was found to vary.
    pub(super) fn first_word(&self) -> &str {
        let word = self.route.and_then(|number| self.words().nth(number));
        word.filter(|word| !word.contains(MASKS)).unwrap_or("")
    }

    /// How many of the words that do not vary by their look are the same, in hundredths.
    pub(super) fn similarity(&self, line: &Self) -> usize {
        let (mut same, mut all) = (0_usize, 0);
        for (one, other) in self.hashes.iter().zip(&line.hashes) {
            all += usize::from(one | other != 0);
            same += usize::from(one == other && *one != 0);
        }
        (same * 100).checked_div(all).unwrap_or(100)
    }

    /// Masks the words in which the two differ.
    pub(super) fn generalise(&mut self, other: &Self) {
        self.cut |= other.cut;
        if self.text == other.text && self.ends == other.ends {
            return;
        }
        let mut text = String::with_capacity(self.text.len());
        let mut ends = Vec::with_capacity(self.ends.len());
        for (one, other) in self.words().zip(other.words()) {
            if one == other {
                text.push_str(one);
            } else if one.contains(SPAN) || other.contains(SPAN) {
                text.push(SPAN);
            } else {
                text.push(PART);
            }
            ends.push(text.len());
        }
        (self.text, self.ends) = (text, ends);
        self.hashes = self.words().map(hash).collect();
    }

    pub(super) fn template(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + self.len() * 4);
        for (number, word) in self.words().enumerate() {
            if number > 0 {
                out.push(' ');
            }
            for character in word.chars() {
                if MASKS.contains(&character) { out.push_str("<*>") } else { out.push(character) }
            }
        }
        if self.cut {
            out.push_str(" …");
        }
        out
    }

    pub(super) fn regex(&self) -> String {
        let mut out = String::from(if self.frame == Frame::Quoted { "\"\\s*" } else { "(?:^|\\s)" });
        for (number, word) in self.words().enumerate() {
            if number > 0 {
                out.push_str("\\s+");
            }
            let mut constant = 0;
            for (at, mark) in word.match_indices(MASKS) {
                let whole = if word.len() == 1 { '+' } else { '*' };
                out.push_str(&regex::escape(&word[constant..at]));
                let _ = write!(out, "{}{whole}?", if mark.contains(SPAN) { "." } else { "\\S" });
                constant = at + 1;
            }
            out.push_str(&regex::escape(&word[constant..]));
        }
        if !self.cut {
            out.push_str(if self.frame == Frame::Quoted { "\\s*\"" } else { "\\s*$" });
        }
        out
    }
}

/// FNV-1a; 0 for a word that is nothing but a mask.
fn hash(word: &str) -> u32 {
    if word.len() == 1 && word.contains(MASKS) {
        return 0;
    }
    word.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)).max(1)
}

fn is_method(word: &str) -> bool {
    matches!(word, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS")
}

/// Masks the first word of `text` into `out`; returns how long it is. A quoted text within it belongs to it, blanks and
/// all.
fn word(text: &str, after_method: bool, out: &mut String) -> usize {
    let from = out.len();
    let mut at = 0;
    let mut delimiter = ' ';
    while let Some(character) = text[at..].chars().next() {
        if character.is_whitespace() {
            break;
        }
        let rest = &text[at..];
        let opens = matches!(delimiter, ' ' | '(' | '[' | '{' | '=' | ':' | ',' | '<');
        if let Some(length) = quoted(rest).filter(|_| opens) {
            out.push(character);
            out.push(SPAN);
            out.push(character);
            at += length;
            delimiter = character;
        } else if let Some(length) = place(rest, after_method).filter(|_| opens) {
            out.push(PLACE);
            at += length;
            delimiter = ' ';
        } else if is_piece(character) {
            let length = rest.find(|character| !is_piece(character)).unwrap_or(rest.len());
            piece(&rest[..length], from, out);
            at += length;
            delimiter = 'x';
        } else {
            if after_method && character == '?' {
                let end = rest.find([' ', '"', '\t']).unwrap_or(rest.len());
                out.push('?');
                out.push(PART);
                at += end;
                continue;
            }
            out.push(character);
            at += character.len_utf8();
            delimiter = character;
        }
    }
    at
}

fn is_piece(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.' | '-' | '+' | '%' | '$' | '#')
}

/// The length of a quoted text at the beginning of `text`; a request (`"GET / HTTP/1.1"`) is none.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`'))?;
    let end = text[1..].find(quote)?;
    let inside = &text[1..1 + end];
    let behind = text[end + 2..].chars().next();
    let closes = behind.is_none_or(|behind| !behind.is_alphanumeric());
    let request = is_method(inside.split(' ').next().unwrap_or(""));
    (closes && !request && !inside.is_empty()).then_some(end + 2)
}

/// The length of a path or URL at the beginning of `text`. What a request asks for is looked at in its parts.
fn place(text: &str, after_method: bool) -> Option<usize> {
    let end =
        text.find([' ', '\t', '"', '\'', '`', '(', ')', '[', ']', ',', '<', '>', ';']).unwrap_or(text.len());
    let whole = &text[..end];
    if whole.contains("://") {
        return Some(end);
    }
    if after_method {
        return None;
    }
    let drive = whole.as_bytes().get(1) == Some(&b':') && whole.as_bytes().get(2) == Some(&b'\\');
    let end = if drive { end } else { whole.find([':', '=', '@']).unwrap_or(end) };
    let path = text[..end].trim_end_matches(['.', '?', '!']);
    let rooted = ["/", "./", "../", "~/"].iter().any(|start| path.starts_with(start));
    let slashes = path.bytes().filter(|byte| *byte == b'/').count();
    let found =
        drive || (rooted && (slashes > 1 || has_extension(path))) || (slashes > 0 && has_extension(path));
    (found && !path.is_empty()).then_some(path.len())
}

/// `x.rs`, `App.svelte`: a name with a few letters behind the dot.
fn has_extension(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (1..=6).contains(&extension.len())
            && extension.starts_with(|first: char| first.is_ascii_alphabetic())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Masks a run of letters, figures and what stands within numbers.
fn piece(piece: &str, word: usize, out: &mut String) {
    let figures = piece.bytes().filter(u8::is_ascii_digit).count();
    if figures == 0 {
        // `-`, `...` and words.
        if piece.len() >= 32 && piece.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return push_mask(out, word);
        }
        return out.push_str(piece);
    }
    let bare = piece.trim_end_matches('.');
    let dots = &piece[bare.len()..];
    let letters = bare.bytes().filter(u8::is_ascii_alphabetic).count();
    let number = bare.starts_with(|first: char| first.is_ascii_digit() || "+-.$#".contains(first))
        && (letters <= 3 || bare.bytes().all(|byte| byte.is_ascii_digit() || b"eTZ+-.".contains(&byte)));
    let hex = bare.strip_prefix("0x").unwrap_or(bare);
    let hex = hex.len() >= 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let key = bare.len() >= 16 && letters > 0 && figures >= 3 && !bare.contains(['.', '_']);
    if number || hex || key {
        push_mask(out, word);
    } else {
        let mut figure = false;
        for character in bare.chars() {
            let is_figure = character.is_ascii_digit();
            match (is_figure, figure) {
                (true, true) => {}
                (true, false) => push_mask(out, word),
                _ => out.push(character),
            }
            figure = is_figure;
        }
    }
    out.push_str(dots);
}

/// Adds a mask; one behind another with only a mark between that stands in numbers takes its place (`1:2`, `3.4`,
/// `[::1]:80` stays).
fn push_mask(out: &mut String, word: usize) {
    let before = out[word..].trim_end_matches([':', '.', ',', '/', '-', '+']);
    if before.ends_with(PART) && out.len() - word - before.len() <= 1 {
        out.truncate(word + before.len());
    } else {
        out.push(PART);
    }
}
