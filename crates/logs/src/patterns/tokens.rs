//! What of a line is its message.

use crate::fields::{self, Value};
use crate::level;

/// Where the message stands, for the regular expression that finds it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Frame {
    /// Up to the line's end.
    Line,
    /// Between quotes, as a field's value.
    Quoted,
    /// A field's value without quotes.
    Field,
}

/// One of them stands in every logfmt line with a message.
const MESSAGE_FIELDS: [&[u8]; 3] = [b"msg=", b"message=", b"event="];

/// The message of a line that is shown as `text`: a JSON or logfmt line's field, else all of it.
pub(super) fn message(text: &str) -> (Frame, &str) {
    let bytes = text.as_bytes();
    let found = if bytes.first() == Some(&b'{') {
        of_json(bytes)
    } else if MESSAGE_FIELDS.iter().any(|field| memchr::memmem::find(bytes, field).is_some()) {
        of_logfmt(bytes)
    } else {
        None
    };
    found
        .and_then(|(frame, message)| Some((frame, std::str::from_utf8(message).ok()?)))
        .unwrap_or((Frame::Line, text))
}

fn of_json(text: &[u8]) -> Option<(Frame, &[u8])> {
    fields::json(text).find_map(|(key, value)| match value {
        Value::Text(text) if is_message(key, text) => Some((Frame::Quoted, text)),
        // tracing's.
        Value::Object(inner) if key == b"fields" => of_json(inner),
        _ => None,
    })
}

fn of_logfmt(text: &[u8]) -> Option<(Frame, &[u8])> {
    // In a line of fields the message may be a word without quotes.
    let of_fields = text.split(|byte| *byte == b' ').next().is_some_and(|first| first.contains(&b'='));
    fields::logfmt(text).find_map(|(key, value)| match value {
        // In prose, these are what it is about.
        _ if !of_fields && key != b"msg" => None,
        Value::Text(text) if is_message(key, text) => Some((Frame::Quoted, text)),
        Value::Bare(text) if of_fields && is_message(key, text) => Some((Frame::Field, text)),
        _ => None,
    })
}

fn is_message(key: &[u8], text: &[u8]) -> bool {
    // The last of Serilog, its template first; before it GELF's.
    const KEYS: [&[u8]; 6] = [b"msg", b"message", b"event", b"short_message", b"@mt", b"@m"];
    KEYS.iter().any(|known| known.eq_ignore_ascii_case(key)) && !text.trim_ascii().is_empty()
}

/// Whether a masked word belongs to what stands before a message: times, numbers of processes, levels and the marks
/// between them.
pub(super) fn is_head(word: &str, masked: &[char]) -> bool {
    if !word.is_ascii() {
        return false;
    }
    let letters = word.chars().filter(|character| character.is_alphabetic()).count();
    if letters == 0 {
        return !word
            .chars()
            .any(|character| matches!(character, '"' | '\'' | '`' | '/' | '\u{1}' | '\u{2}'));
    }
    let bare =
        word.trim_matches(|character: char| !character.is_alphanumeric() && !masked.contains(&character));
    if bare.contains(masked) {
        // `4711:M`, `E1121`, `[21/Nov/2026:14:30:15`.
        let mut names =
            bare.split(|character: char| !character.is_ascii_alphabetic()).filter(|name| !name.is_empty());
        return letters == 1 || names.all(is_date_word);
    }
    // winston's; a word that is none elsewhere.
    let http = matches!(word, "http:" | "[http]:" | "[http]");
    level::is_word(bare)
        || http
        || matches!(word, "LOG:" | "D," | "I," | "W," | "E," | "F,")
        || is_date_word(bare)
}

fn is_date_word(word: &str) -> bool {
    const WORDS: [&str; 25] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mon", "Tue",
        "Wed", "Thu", "Fri", "Sat", "Sun", "UTC", "GMT", "CET", "CEST", "AM", "PM",
    ];
    WORDS.contains(&word)
}
