//! What a line says of its weight, in the forms that real programs use.

mod block;

use std::fmt;
use std::str::FromStr;

use crate::fields::{self, Value};

pub(crate) use block::{Block, looking_back};

/// How grave a line is, by its own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    /// `trace`, `debug`, `info`, `warn` or `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no level's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownLevel;

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a level is one of trace, debug, info, warn, error")
    }
}

impl std::error::Error for UnknownLevel {}

impl FromStr for Level {
    type Err = UnknownLevel;

    /// Any case, and the words that programs write: `WARNING`, `err`, `fatal` …
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        word(text.as_bytes()).ok_or(UnknownLevel)
    }
}

/// How much of a line is looked at for words, without escape sequences.
const HEAD_BYTES: usize = 192;
/// How much of a JSON or logfmt line is looked at.
const KEYS_BYTES: usize = 8 * 1024;
/// How many words of a head may stand before the level.
const HEAD_WORDS: usize = 12;

const KEYS: [&[u8]; 9] =
    [b"level", b"severity", b"lvl", b"levelname", b"log.level", b"@level", b"loglevel", b"log_level", b"@l"];

/// Words, and parts of words that are in more than one, of which one stands, in any case, in every line that states an
/// error, but for those with a number or a letter for it.
#[rustfmt::skip]
pub(crate) const ERROR_HINTS: &[&str] = &[
    "err", "eror", "fata", "ftl", "crit", "pani", "severe", "alert", "emerg", "fail", "exception", "traceback",
    "uncaught ", "unhandled ", "segmentation fault", "completed 5", "crashed", "⨯", "✘", "✖", "✗", "❌",
];

/// What stands, in any case, in the others: numbers as pino has them, MongoDB's letters, and the HTTP status of a
/// server's failure.
#[rustfmt::skip]
pub(crate) const ERROR_NUMBER_HINTS: &[&str] = &[
    "level\":5", "level\":6", "level\": 5", "level\": 6", "level=5", "level=6",
    "severity\":5", "severity\":6", "lvl\":5", "lvl\":6",
    "\"s\":\"e", "\"s\":\"f", "\"s\": \"e", "\"s\": \"f",
    "):\n", "\" 5", " 500 ", " 501 ", " 502 ", " 503 ", " 504 ",
];

/// How those entries of a segment (`… stdout F TEXT`) begin their text that state an error by a letter, or by a number
/// in front: glog's, Tornado's, systemd's.
pub(crate) const ERROR_HEADS: &[&str] = &[" F E", " F F", " F C", " F [E ", " F [F ", " F [C ", " F <"];

/// The level that a line states; `None` if it states none.
#[must_use]
pub fn detect(text: &[u8]) -> Option<Level> {
    let mut buffer = [0; HEAD_BYTES];
    detect_in(text, plain_head(text, &mut buffer), true)
}

/// [`detect`], where the line's [`plain_head`] is known, and whether a field among the words of a message may be the
/// level.
fn detect_in(text: &[u8], head: &[u8], among_words: bool) -> Option<Level> {
    let first = *head.first()?;
    if first == b'{' {
        return json(&text.trim_ascii_start()[..text.trim_ascii_start().len().min(KEYS_BYTES)]);
    }
    let fields = || logfmt(&text[..text.len().min(KEYS_BYTES)]);
    // Of a line of fields the level is one of them; in others, fields belong to the message.
    let of_fields = head.split(|&byte| byte == b' ').next().is_some_and(|first| first.contains(&b'='));
    syslog_prefix(head)
        .or_else(|| glog(head))
        .or_else(|| redis(head))
        .or_else(|| if of_fields { fields() } else { None })
        .or_else(|| sentence(head))
        .or_else(|| words(head))
        .or_else(|| if of_fields || !among_words { None } else { fields() })
        .or_else(|| answer(head, text))
        .or_else(|| json_behind(text))
}

/// Whether a word is a level's name.
pub(crate) fn is_word(text: &str) -> bool {
    word(text.as_bytes()).is_some()
}

/// The level of a word, in any case.
fn word(word: &[u8]) -> Option<Level> {
    let mut lower = [0; 13];
    let lower = lower.get_mut(..word.len())?;
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"trace" | b"trc" | b"trce" | b"trac" | b"vrb" | b"verbose" | b"finest" | b"finer" | b"silly" => {
            Level::Trace
        }
        b"debug" | b"dbg" | b"dbug" | b"debu" | b"fine" | b"debug1" | b"debug2" | b"debug3" | b"debug4"
        | b"debug5" => Level::Debug,
        b"info" | b"inf" | b"information" | b"notice" | b"note" | b"informational" => Level::Info,
        b"warn" | b"warning" | b"wrn" => Level::Warn,
        b"error" | b"err" | b"eror" | b"erro" | b"fata" | b"pani" | b"dpanic" | b"fatal" | b"ftl"
        | b"critical" | b"crit" | b"panic" | b"severe" | b"alert" | b"emerg" | b"emergency" | b"fail" => {
            Level::Error
        }
        _ => return None,
    })
}

/// One letter, where a format has room for no more.
fn letter(letter: u8) -> Option<Level> {
    Some(match letter {
        b'T' | b'V' => Level::Trace,
        b'D' => Level::Debug,
        b'I' | b'N' => Level::Info,
        b'W' => Level::Warn,
        b'E' | b'F' | b'C' => Level::Error,
        _ => return None,
    })
}

/// The beginning of a line without escape sequences (ECMA-48) and without leading blanks.
fn plain_head<'a>(text: &[u8], buffer: &'a mut [u8; HEAD_BYTES]) -> &'a [u8] {
    let mut length = 0;
    let mut at = 0;
    while let (Some(&byte), true) = (text.get(at), length < HEAD_BYTES) {
        at += 1;
        match (byte, text.get(at)) {
            (0x1b, Some(b'[')) => {
                at += 1;
                // Parameters and intermediates up to the final byte.
                while text.get(at).is_some_and(|byte| matches!(byte, 0x20..=0x3f)) {
                    at += 1;
                }
                at += 1;
            }
            (0x1b, _) => at += 1,
            (b' ' | b'\t' | b'\r', _) if length == 0 => {}
            _ => {
                buffer[length] = byte;
                length += 1;
            }
        }
    }
    &buffer[..length]
}

/// `<3>`, as systemd and the kernel prefix lines, and `<e>`, as webpack does its own.
fn syslog_prefix(head: &[u8]) -> Option<Level> {
    match head {
        [b'<', sign, b'>', ..] => Some(match sign {
            b'0'..=b'3' | b'e' => Level::Error,
            b'4' | b'w' => Level::Warn,
            b'5' | b'6' | b'i' => Level::Info,
            b'7' => Level::Debug,
            _ => return None,
        }),
        _ => None,
    }
}

/// `E1121 14:30:15.123456   123 file.go:10] text` (glog, klog), and `[E 2026-11-21 14:30:15 app]` (Tornado).
fn glog(head: &[u8]) -> Option<Level> {
    match head {
        [level, a, b, c, d, b' ', e, ..] if [a, b, c, d, e].iter().all(|byte| byte.is_ascii_digit()) => {
            letter(*level)
        }
        [b'[', level, b' ', digit, ..] if digit.is_ascii_digit() => letter(*level),
        _ => None,
    }
}

/// `4711:M 21 Nov 2026 14:30:15.123 * text`.
fn redis(head: &[u8]) -> Option<Level> {
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let [b':', b'X' | b'C' | b'S' | b'M', b' ', rest @ ..] = head.get(digits..)? else { return None };
    let sign = rest.split(|&byte| byte == b' ').nth(4)?;
    (digits > 0).then_some(())?;
    Some(match sign {
        b"." => Level::Debug,
        b"-" => Level::Debug,
        b"*" => Level::Info,
        b"#" => Level::Warn,
        _ => return None,
    })
}

/// The value of a level's key in the outermost object or in its `log`, or MongoDB's `"s":"I"`.
fn json(text: &[u8]) -> Option<Level> {
    fields::json(text).find_map(|(key, value)| match value {
        Value::Object(inner) if key == b"log" => json(inner),
        Value::Text([letter] | [letter, _]) if key == b"s" => self::letter(*letter),
        value if KEYS.iter().any(|known| key.eq_ignore_ascii_case(known)) => of_value(value),
        _ => None,
    })
}

/// JSON behind a time, or behind a name and a bar as docker compose has them: `api-1  | {"level":"info"}`. In prose an
/// object is what the line is about.
fn json_behind(text: &[u8]) -> Option<Level> {
    let at = memchr::memchr(b'{', &text[..text.len().min(HEAD_BYTES)])?;
    let before = text[..at].trim_ascii();
    let is_time = || before.iter().all(|byte| byte.is_ascii_digit() || b"-:.,+/TZ []".contains(byte));
    if before.ends_with(b"|") || is_time() { json(&text[at..text.len().min(KEYS_BYTES)]) } else { None }
}

/// `… level=info …`.
fn logfmt(text: &[u8]) -> Option<Level> {
    fields::logfmt(text).find_map(|(key, value)| if KEYS.contains(&key) { of_value(value) } else { None })
}

fn of_value(value: Value<'_>) -> Option<Level> {
    let (Value::Text(text) | Value::Bare(text)) = value else { return None };
    // slog: `ERROR+2`; logfmt: `level=info,`.
    let end = text.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len());
    let text = &text[..end];
    if text == b"http" {
        return Some(Level::Info);
    }
    word(text).or_else(|| numbered(text))
}

/// pino and bunyan: 10, 20 … 60.
fn numbered(text: &[u8]) -> Option<Level> {
    Some(match std::str::from_utf8(text).ok()?.parse::<u32>().ok()? {
        10..20 => Level::Trace,
        20..30 => Level::Debug,
        30..40 => Level::Info,
        40..50 => Level::Warn,
        50..=60 => Level::Error,
        _ => return None,
    })
}

/// Where `word` begins in a head, which is too short for a searcher to be worth its making.
fn find(head: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memchr_iter(*word.first()?, head).find(|at| head[*at..].starts_with(word))
}

/// How runtimes begin when they give up.
fn sentence(head: &[u8]) -> Option<Level> {
    const ERRORS: [&[u8]; 19] = [
        b"The above exception was the direct cause",
        b"During handling of the above exception",
        b"Traceback (most recent call last)",
        b"panic: ",
        b"fatal error: ",
        b"Exception in thread",
        b"Uncaught ",
        b"Unhandled ",
        b"Segmentation fault",
        "⨯".as_bytes(),
        "✘".as_bytes(),
        "✖".as_bytes(),
        "✗".as_bytes(),
        "❌".as_bytes(),
        b"Build failed",
        b"Internal Server Error: /",
        b"Completed 5",
        b"[nodemon] app crashed",
        b"Failed to compile",
    ];
    if ERRORS.iter().any(|start| head.starts_with(start))
        || (head.starts_with(b"thread '") && find(head, b" panicked at").is_some())
    {
        return Some(Level::Error);
    }
    // Vite; and Ruby: `app.rb:1:in `f': wrong (ArgumentError)`.
    let raised = || (head.ends_with(b"Error)") && find(head, b":in ").is_some()) || is_raised_in_rails(head);
    if find(head, b"Internal server error: ").is_some() || raised() {
        return Some(Level::Error);
    }
    let warns = head.starts_with("⚠".as_bytes()) || head.starts_with(b"Not Found: /");
    warns.then_some(Level::Warn)
}

const METHODS: [&[u8]; 7] = [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS"];

/// `ActiveRecord::RecordNotFound (Couldn't find Order):`, with the trace below it.
fn is_raised_in_rails(head: &[u8]) -> bool {
    let Some(end) = find(head, b" (") else { return false };
    let (name, is_whole) = (&head[..end], head.len() < HEAD_BYTES);
    name.first().is_some_and(u8::is_ascii_uppercase)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
        && (find(name, b"::").is_some() || name.ends_with(b"Error") || name.ends_with(b"Exception"))
        && (head.ends_with(b"):") || !is_whole)
}

/// A line of an access log whose status is the server's fault: `"GET / HTTP/1.1" 502 157`, `GET / 500 209.105 ms - 148`,
/// `[GIN] 2026/11/21 - 14:30:15 | 500 | …`.
fn answer(head: &[u8], text: &[u8]) -> Option<Level> {
    let status = if let Some(behind) = behind_protocol(head, text) {
        &behind[memchr::memchr(b'"', behind)? + 1..]
    } else if head.starts_with(b"[GIN] ") {
        &head[memchr::memchr(b'|', head)? + 1..]
    } else {
        let mut words = head.splitn(3, |&byte| byte == b' ');
        let (method, path) = (words.next()?, words.next()?);
        if !METHODS.contains(&method) || !path.starts_with(b"/") {
            return None;
        }
        words.next()?
    };
    matches!(status.trim_ascii_start(), [b'5', a, b, b' ', ..] if a.is_ascii_digit() && b.is_ascii_digit())
        .then_some(Level::Error)
}

/// What follows ` HTTP/`, which may stand behind a long path.
fn behind_protocol<'a>(head: &'a [u8], text: &'a [u8]) -> Option<&'a [u8]> {
    const PROTOCOL: &[u8] = b" HTTP/";
    if let Some(at) = find(head, PROTOCOL) {
        return Some(&head[at + PROTOCOL.len()..]);
    }
    let is_request = |quote: usize| METHODS.iter().any(|method| head[quote + 1..].starts_with(method));
    if text.len() <= HEAD_BYTES || !memchr::memchr_iter(b'"', head).any(is_request) {
        return None;
    }
    let line = &text[..text.len().min(KEYS_BYTES)];
    memchr::memmem::find(line, PROTOCOL).map(|at| &line[at + PROTOCOL.len()..])
}

/// How long the name is that a runner of many packages puts before a line: `web:dev: ` (turbo), `apps/web dev: ` (pnpm).
fn runners_name(head: &[u8]) -> usize {
    let name = |bytes: &[u8]| {
        bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"@/._#-".contains(byte)).count()
    };
    let package = name(head);
    let task = head.get(package + 1..).map_or(0, name);
    let parts = head.get(package).is_some_and(|parts| match parts {
        b':' => true,
        b' ' => head[..package].contains(&b'/'),
        _ => false,
    });
    let is_name = head.first().is_some_and(|first| first.is_ascii_lowercase() || *first == b'@');
    let end = package + 1 + task;
    let is_prefix = parts && is_name && task > 0 && head[end..].starts_with(b": ");
    if is_prefix && word(&head[..package]).is_none() { end + 2 } else { 0 }
}

/// A level's word among what stands before a message: times, names in brackets, process numbers.
fn words(head: &[u8]) -> Option<Level> {
    let mut at = runners_name(head);
    // Nothing but a time so far: a line's head, where a word needs no mark to be a level.
    let mut opening = true;
    let mut timed = false;
    let mut before = b' ';
    let mut previous: &[u8] = b"";
    for number in 0..HEAD_WORDS {
        while let Some(&byte) = head.get(at).filter(|byte| is_separator(**byte)) {
            before = if byte == b' ' && before == b'[' { b'[' } else { byte };
            at += 1;
        }
        let length = head[at..].iter().position(|&byte| is_separator(byte)).unwrap_or(head.len() - at);
        let token = &head[at..at + length];
        if token.is_empty() {
            return None;
        }
        at += length;
        let after = head[at..].trim_ascii_start();
        let follows = head.get(at).copied().unwrap_or(b' ');
        let bare = opening && (timed || previous.is_empty());
        let token_level = Token { text: token, before, follows, after, previous, bare }.level();
        if token_level.is_some() {
            return token_level;
        }
        // A word of prose: the message has begun.
        // `initdb: warning: …`
        let names = number == 0 && follows == b':' && after.starts_with(b": ");
        let aside = names
            || matches!(before, b'[' | b'(')
            || follows == b','
            || matches!(after.first(), Some(b'-' | b'|' | b']' | b'['));
        if !aside && token != b"npm" && token.iter().all(u8::is_ascii_alphabetic) && !is_date_word(token) {
            return None;
        }
        opening &= token.iter().all(|byte| byte.is_ascii_digit() || b".-/+TZ".contains(byte));
        timed |= opening && follows == b':';
        previous = token;
        before = b' ';
    }
    None
}

/// A word and what stands around it.
struct Token<'a> {
    text: &'a [u8],
    before: u8,
    follows: u8,
    /// All behind it but blanks.
    after: &'a [u8],
    previous: &'a [u8],
    /// It opens the line, or comes right after the time.
    bare: bool,
}

impl Token<'_> {
    fn level(&self) -> Option<Level> {
        let text = self.text.strip_suffix(b"!").unwrap_or(self.text);
        if let Some(level) = word(text) {
            let upper = text.iter().all(|byte| !byte.is_ascii_lowercase());
            let bracketed =
                matches!(self.before, b'[' | b'<' | b'(') && matches!(self.after, [b']' | b'>' | b')', ..]);
            let titled = matches!(self.follows, b':' | b'[');
            // `a.ts - error TS2304: …`, `a.ts(1,2): error TS2304: …`, `npm warn …`
            let aside = matches!(self.previous, b"-" | b"npm") || self.after.starts_with(b"TS");
            let bare = self.bare && matches!(self.follows, b' ' | b'\t') && is_plain_level(text);
            return (upper || bracketed || titled || aside || bare).then_some(level);
        }
        // Celery: `[2026-11-21 14:30:15,123: ERROR/MainProcess] …`
        let slash = memchr::memchr(b'/', text).filter(|_| self.after.starts_with(b"]"));
        let name = slash.map(|slash| &text[..slash]).filter(|name| name.iter().all(u8::is_ascii_uppercase));
        if let Some(level) = name.and_then(word) {
            return Some(level);
        }
        // Monolog: `[2026-11-21 14:30:15] local.ERROR: …`
        let dot = memchr::memrchr(b'.', text).filter(|_| self.follows == b':');
        let name = dot.map(|dot| &text[dot + 1..]).filter(|name| name.iter().all(u8::is_ascii_uppercase));
        if let Some(level) = name.and_then(word) {
            return Some(level);
        }
        let bracketed = self.before == b'[' && self.after.starts_with(b"]");
        let winston = text == b"http" && (bracketed || (self.bare && self.after.starts_with(b": ")));
        if winston || (text == b"LOG" && self.follows == b':') {
            return Some(Level::Info);
        }
        let titled = self.follows == b':' && text.iter().any(u8::is_ascii_uppercase);
        if titled && (text.ends_with(b"Error") || text.ends_with(b"Exception")) {
            return Some(Level::Error);
        }
        (titled && text.ends_with(b"Warning")).then_some(Level::Warn)
    }
}

/// A word that opens a line for its level's sake: `error two`. Others (`fine`, `note`, `fail`, `notice`) open sentences.
fn is_plain_level(word: &[u8]) -> bool {
    matches!(word, b"error" | b"warn" | b"warning" | b"info" | b"debug" | b"trace" | b"fatal")
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'[' | b']' | b'(' | b')' | b'<' | b'>' | b'|' | b':' | b',' | b';' | b'\r')
}

fn is_date_word(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 26] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
        b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun", b"UTC", b"GMT", b"CET", b"CEST", b"AM",
        b"PM", b"Z",
    ];
    WORDS.contains(&word)
}

#[cfg(test)]
#[path = "level_tests.rs"]
mod tests;
