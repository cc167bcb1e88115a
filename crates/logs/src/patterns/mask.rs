//! What varies in a line by its look, masked.

use std::fmt::Write as _;

use super::shapes::{bracketed, is_method, key, place, quoted, reason};
use super::tokens::{self, Frame};

/// Stands for what varies within a word.
const PART: char = '\0';
/// Stands for what varies and may hold blanks: quoted text.
const SPAN: char = '\u{1}';
/// Stands for a path or an address of the web.
const PLACE: char = '\u{2}';
const MASKS: [char; 3] = [PART, SPAN, PLACE];

/// Words of a line that are looked at; as many as [`Likeness`] has bits.
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

/// How two are like each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Likeness {
    /// How many of the words that do not vary by their look are the same.
    pub(super) hundredths: usize,
    /// The words that differ and vary in neither of the two, a bit for each.
    pub(super) differing: u64,
}

/// The message of a line that is shown as `text`.
pub(super) fn mask(text: &str) -> Masked {
    let (frame, message) = tokens::message(text);
    let part = &message[..message.floor_char_boundary(MAX_BYTES)];
    let mut masked = Masked::new(frame, part.len() < message.len());
    masked.take(part.trim_start());
    masked
}

impl Masked {
    fn new(frame: Frame, cut: bool) -> Self {
        Self { text: String::new(), ends: Vec::new(), hashes: Vec::new(), route: None, frame, cut }
    }

    /// The words of a message, from its beginning to its end.
    fn take(&mut self, mut rest: &str) {
        let mut head = self.frame == Frame::Line;
        // What a request asks for: it varies, whatever it looks like.
        let mut asked = 0_u64;
        let mut after_method = false;
        while !rest.is_empty() {
            if self.len() == MAX_WORDS {
                self.cut = true;
                break;
            }
            let from = self.text.len();
            let length = Word { after_method, in_head: head }.mask(rest, &mut self.text);
            asked |= u64::from(after_method && rest.starts_with(['/', '*'])) << self.len();
            let shown = &rest[..length];
            after_method = is_method(shown.trim_start_matches(['"', '\'', '[', '(']));
            rest = rest[length..].trim_start();
            head = head && tokens::is_head(&self.text[from..], &MASKS);
            // `3 errors`: a count, and the message.
            head &= !(shown.bytes().all(|byte| byte.is_ascii_digit())
                && rest.starts_with(|c: char| c.is_ascii_lowercase()));
            if head && !rest.is_empty() {
                self.text.clear();
                continue;
            }
            self.ends.push(self.text.len());
            // PostgreSQL: what was asked is any text.
            let statement = self.text[from..] == *"statement:";
            let any = if statement { Some(rest.len()) } else { reason(shown, rest) };
            if let Some(length) = any.filter(|length| *length > 0 && self.len() < MAX_WORDS) {
                self.text.push(SPAN);
                self.ends.push(self.text.len());
                rest = rest[length..].trim_start();
            }
        }
        self.hashes = self.words().map(hash).collect();
        for (number, hash) in self.hashes.iter_mut().enumerate() {
            *hash *= u32::from(asked >> number & 1 == 0);
        }
        let route = self.words().map(sense).position(|word| !word.contains(MASKS) && !is_aside(word));
        self.route = route;
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
        let word = self.route.and_then(|number| self.words().nth(number)).map(sense);
        word.filter(|word| !word.contains(MASKS)).unwrap_or("")
    }

    pub(super) fn liken(&self, line: &Self) -> Likeness {
        let (mut same, mut all, mut differing) = (0_usize, 0, 0_u64);
        for (number, (one, other)) in self.hashes.iter().zip(&line.hashes).enumerate() {
            all += usize::from(one | other != 0);
            same += usize::from(one == other && *one != 0);
            differing |= u64::from(one != other && *one != 0 && *other != 0) << number;
        }
        Likeness { hundredths: (same * 100).checked_div(all).unwrap_or(100), differing }
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
            } else {
                // A field stays what it is.
                text.push_str(key(one).filter(|key| other.starts_with(key)).unwrap_or(""));
                let blanks = [one, other].iter().any(|word| word.contains([SPAN, ' ']));
                text.push(if blanks { SPAN } else { PART });
            }
            ends.push(text.len());
        }
        (self.text, self.ends) = (text, ends);
        let hashes: Vec<u32> = self.words().map(hash).collect();
        for (own, hash) in self.hashes.iter_mut().zip(hashes) {
            // What was no mark to compare by is none.
            *own = if *own == 0 { 0 } else { hash };
        }
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
        let (before, behind) = match self.frame {
            Frame::Line => ("(?:^|\\s)", "\\s*$"),
            Frame::Quoted => ("\"\\s*", "\\s*\""),
            Frame::Field => ("=", "(?:\\s|$)"),
        };
        let mut out = String::from(before);
        for (number, word) in self.words().enumerate() {
            if number > 0 {
                out.push_str("\\s+");
            }
            let constants = |text: &str| regex::escape(text).replace(' ', "\\s+");
            let mut constant = 0;
            for (at, mark) in word.match_indices(MASKS) {
                let whole = if word.len() == 1 { '+' } else { '*' };
                out.push_str(&constants(&word[constant..at]));
                let _ = write!(out, "{}{whole}?", if mark.contains(SPAN) { "." } else { "\\S" });
                constant = at + 1;
            }
            out.push_str(&constants(&word[constant..]));
        }
        if !self.cut {
            out.push_str(behind);
        }
        out
    }
}

/// What of a word tells messages apart: of a field its key.
fn sense(word: &str) -> &str {
    key(word).unwrap_or(word)
}

/// FNV-1a of what tells messages apart; 0 for a word that is nothing but a mask, and for words in brackets, which are
/// about what is before them: `open() failed (2: No such file)`.
fn hash(word: &str) -> u32 {
    if (word.len() == 1 && word.contains(MASKS)) || is_aside(word) {
        return 0;
    }
    sense(word)
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
        .max(1)
}

/// Where a word stands.
struct Word {
    after_method: bool,
    /// Before the message, as far as can be told.
    in_head: bool,
}

impl Word {
    /// Masks the first word of `text` into `out`; returns how long it is. A quoted or bracketed text within it belongs
    /// to it, blanks and all.
    fn mask(&self, text: &str, out: &mut String) -> usize {
        let from = out.len();
        let mut at = 0;
        let mut bracket = 0;
        let mut delimiter = ' ';
        while let Some(character) = text[at..].chars().next() {
            let rest = &text[at..];
            if character.is_whitespace() {
                if at >= bracket {
                    break;
                }
                at += rest.len() - rest.trim_start().len();
                out.push(' ');
                delimiter = ' ';
                continue;
            }
            if !self.in_head && at >= bracket {
                bracket = bracketed(rest).map_or(bracket, |length| at + length);
            }
            at += self.part(rest, &mut delimiter, from, out);
        }
        at
    }

    /// Masks what a word goes on with; returns how long it is.
    fn part(&self, rest: &str, delimiter: &mut char, from: usize, out: &mut String) -> usize {
        let Some(character) = rest.chars().next() else { return 0 };
        let opens = matches!(*delimiter, ' ' | '(' | '[' | '{' | '=' | ':' | ',' | '<');
        if let Some(length) = quoted(rest).filter(|_| opens) {
            out.extend([character, SPAN, character]);
            *delimiter = character;
            length
        } else if let Some(length) = place(rest, self.after_method).filter(|_| opens) {
            out.push(PLACE);
            *delimiter = ' ';
            length
        } else if is_piece(character) {
            let length = rest.find(|character| !is_piece(character)).unwrap_or(rest.len());
            piece(&rest[..length], from, out);
            *delimiter = 'x';
            length
        } else if self.after_method && character == '?' {
            out.extend(['?', PART]);
            rest.find([' ', '"', '\t']).unwrap_or(rest.len())
        } else {
            out.push(character);
            *delimiter = character;
            character.len_utf8()
        }
    }
}

fn is_aside(word: &str) -> bool {
    word.starts_with(['(', '[']) && word.contains(' ')
}

fn is_piece(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.' | '-' | '+' | '~' | '%' | '$' | '#')
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
    if number || hex || key || is_version(bare) {
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

/// `3.0.14-1+deb12u2`, whatever letters it has.
fn is_version(piece: &str) -> bool {
    let behind = piece.trim_start_matches(|character: char| character.is_ascii_digit());
    behind.len() < piece.len()
        && behind.strip_prefix('.').is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()))
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
