//! Lines that belong together: a stack trace, an indented block, a dump of goroutines. They take the level of the line
//! that heads them.

use super::{HEAD_BYTES, Level, detect_in, find, plain_head};

/// What the lines of one stream are in the midst of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Block {
    level: Option<Level>,
    kind: Kind,
    /// The level of a warning or an error that an empty line has just ended, as far as can be told.
    ended: Option<Level>,
}

/// How many lines at the margin may be the text of a [`Kind::Text`].
const TEXT_LINES: u8 = 4;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    /// Goes on with what is indented or known to continue.
    #[default]
    Indented,
    /// Python's: frames are indented, and the first line that is not is the exception.
    Traceback,
    /// Rust's: the message stands on the line behind the place.
    Panic,
    /// Go's: calls stand at the margin, and empty lines between.
    Goroutines,
    /// TypeScript's: the code follows behind an empty line.
    Code,
    /// webpack's: the head says only where, and the text stands on the lines behind it; so many more of them.
    Text(u8),
    /// The line ends with a colon. If an empty one follows, what is behind that is what it speaks of.
    Colon,
    /// … and an empty line did follow.
    Announced,
}

impl Block {
    /// The level of the next line: its own, or that of the block which it belongs to.
    pub(crate) fn level(&mut self, text: &[u8]) -> Option<Level> {
        let mut buffer = [0; HEAD_BYTES];
        let head = plain_head(text, &mut buffer);
        if head.is_empty() {
            self.pause();
            return None;
        }
        let indented = is_indented(text);
        let ended = self.ended.take();
        if let Some(level) = settled(text, head, indented) {
            *self = Self { level: Some(level), kind: begins(head), ended: None };
            return self.level;
        }
        match self.kind {
            Kind::Traceback if indented => return self.level,
            Kind::Traceback | Kind::Panic | Kind::Announced => {
                self.kind = Kind::Indented;
                return self.level;
            }
            Kind::Goroutines if indented || is_of_goroutine(head) => return self.level,
            Kind::Code if indented || is_numbered(head) => return self.level,
            Kind::Text(more) if !indented && !continues(head) => {
                self.kind = if more > 1 { Kind::Text(more - 1) } else { Kind::Indented };
                return self.level;
            }
            Kind::Text(_) => return self.level,
            _ if ended.is_some() && takes_up(head, indented) => self.level = ended,
            Kind::Goroutines | Kind::Code | Kind::Colon | Kind::Indented => {}
        }
        self.outside(text, head, indented)
    }

    /// An empty line, which ends most blocks.
    fn pause(&mut self) {
        let grave = self.level.filter(|level| *level >= Level::Warn);
        match self.kind {
            Kind::Traceback | Kind::Goroutines | Kind::Code | Kind::Announced => {}
            Kind::Colon if grave.is_some() => self.kind = Kind::Announced,
            Kind::Indented | Kind::Panic | Kind::Text(_) | Kind::Colon => {
                *self = Self { ended: grave.or(self.ended), ..Self::default() };
            }
        }
    }

    /// A line that states nothing for certain, and is in the midst of nothing.
    fn outside(&mut self, text: &[u8], head: &[u8], indented: bool) -> Option<Level> {
        let adds = adds_to_what_was_said(head) || (self.level.is_some() && explains(head));
        // At the margin it would be settled. A field among words that go on with something belongs to that.
        let alone = self.level.is_none();
        let stated = if adds || !(indented || explains(head)) { None } else { detect_in(text, head, alone) };
        let goes_on = adds
            || (indented && !is_step_of_cargo(head))
            || continues(head)
            || (self.level >= Some(Level::Warn) && is_of_trace(head));
        if stated.is_some() || !goes_on {
            self.level = stated;
        }
        if self.level.is_none() {
            self.kind = Kind::Indented;
        } else if stated.is_some() || self.kind != Kind::Indented {
            self.kind = begins(head);
        }
        self.level
    }
}

/// The level of a line at the margin that states one: whatever stood before it, nothing of that matters any more.
fn settled(text: &[u8], head: &[u8], indented: bool) -> Option<Level> {
    let depends = indented || adds_to_what_was_said(head) || explains(head);
    if depends { None } else { detect_in(text, head, true) }
}

/// The level of the first of `lines`, which come newest first; as [`Block`] has it for all that were ever written. Goes
/// back only so far as matters. `None`: what is there is too little to tell, or one of them is missing.
pub(crate) fn looking_back<'a>(lines: impl Iterator<Item = Option<&'a [u8]>>) -> Option<Option<Level>> {
    let mut needed: Vec<&[u8]> = Vec::new();
    let mut plain = 0;
    for line in lines {
        let line = line?;
        let mut buffer = [0; HEAD_BYTES];
        let head = plain_head(line, &mut buffer);
        let indented = is_indented(line);
        let settles = settled(line, head, indented);
        if settles.is_some() && needed.is_empty() {
            return Some(settles);
        }
        needed.push(line);
        plain = if settles.is_none() && is_plain(head, indented) { plain + 1 } else { 0 };
        // Of so many in a row that state nothing, all but the last may have been of a block; behind that there is none.
        let nothing_left = plain > usize::from(TEXT_LINES);
        if nothing_left {
            needed.truncate(needed.len() - plain);
        }
        if settles.is_some() || nothing_left {
            let mut block = Block::default();
            return Some(needed.iter().rev().fold(None, |_, line| block.level(line)));
        }
    }
    None
}

/// At the margin, and in no block's form.
fn is_plain(head: &[u8], indented: bool) -> bool {
    !(head.is_empty()
        || indented
        || adds_to_what_was_said(head)
        || explains(head)
        || continues(head)
        || is_of_trace(head)
        || is_of_goroutine(head)
        || is_numbered(head))
}

fn begins(head: &[u8]) -> Kind {
    let starts = |start: &[u8]| head.starts_with(start);
    if starts(b"Traceback (most recent call last)") {
        Kind::Traceback
    } else if starts(b"thread '") && head.trim_ascii_end().ends_with(b":") {
        Kind::Panic
    } else if starts(b"panic: ") || starts(b"fatal error: ") || starts(b"goroutine ") {
        Kind::Goroutines
    } else if [" - error TS", " - warning TS"].iter().any(|mark| find(head, mark.as_bytes()).is_some()) {
        Kind::Code
    } else if starts(b"ERROR in ") || starts(b"WARNING in ") {
        Kind::Text(TEXT_LINES)
    } else if head.trim_ascii_end().ends_with(b":") {
        Kind::Colon
    } else {
        Kind::Indented
    }
}

/// The first that is seen of a line is a blank.
fn is_indented(text: &[u8]) -> bool {
    let mut at = 0;
    while text.get(at) == Some(&0x1b) {
        let end = text[at..].iter().position(u8::is_ascii_alphabetic);
        at += end.map_or(text.len(), |end| end + 1);
    }
    matches!(text.get(at), Some(b' ' | b'\t'))
}

/// Whether a line without a level of its own goes on with the one before it.
fn continues(head: &[u8]) -> bool {
    const HEADS: [&[u8]; 14] = [
        b"Require stack:",
        b"at ",
        b"Caused by:",
        b"Suppressed:",
        b"... ",
        b"}",
        b")",
        b"]",
        b"^",
        b"goroutine ",
        b"stack backtrace:",
        b"Stack backtrace:",
        b"note: ",
        b"--> ",
    ];
    HEADS.iter().any(|start| head.starts_with(start)) || is_gutter(head)
}

/// `12 | let x = 1;`, `> 12 | let x = 1;`, as compilers show the line they speak of.
fn is_gutter(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"> ").unwrap_or(head).trim_ascii_start();
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let behind = head[digits..].trim_ascii_start();
    digits > 0 && (behind.starts_with(b"|") || behind.starts_with("│".as_bytes()))
}

/// Whether a line behind an empty one goes on with the error before that: with its stack, its cause, or the code that it
/// is about.
fn takes_up(head: &[u8], indented: bool) -> bool {
    let starts = |start: &[u8]| head.starts_with(start);
    (indented && (starts(b"at ") || is_place(head)))
        || is_gutter(head)
        || [&b"Caused by:"[..], b"Stack backtrace:", b"stack backtrace:"].iter().any(|start| starts(start))
}

/// `src/main.js:1:7:`, and nothing else.
fn is_place(head: &[u8]) -> bool {
    let head = head.trim_ascii_end();
    let mut parts = head.strip_suffix(b":").unwrap_or(head).rsplitn(3, |&byte| byte == b':');
    let mut number =
        || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    let numbers = number() && number();
    numbers && parts.next().is_some_and(|path| path.contains(&b'.') && !path.contains(&b' '))
}

/// A line of a frame that is drawn around code: `╭─[ main.js:1:8 ]`, `───╯`.
fn is_drawn(head: &[u8]) -> bool {
    // From U+2500 to U+257F.
    matches!(head, [0xe2, 0x94 | 0x95, ..])
}

/// `1 export const a = 1`
fn is_numbered(head: &[u8]) -> bool {
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && head.get(digits) == Some(&b' ')
}

/// Cargo's words for what it does stand to the right of their column.
fn is_step_of_cargo(head: &[u8]) -> bool {
    const STEPS: [&[u8]; 9] = [
        b"Compiling ",
        b"Checking ",
        b"Finished ",
        b"Running ",
        b"Building ",
        b"Downloaded ",
        b"Downloading ",
        b"Updating ",
        b"Blocking ",
    ];
    STEPS.iter().any(|step| head.starts_with(step))
}

/// rustc's words below what it speaks of: `= note: …`.
fn explains(head: &[u8]) -> bool {
    [&b"note: "[..], b"help: ", b"= note: ", b"= help: "].iter().any(|start| head.starts_with(start))
}

/// A line of a stack trace at the margin: Go's functions, Ruby's `app.rb:1:in `f'`, the list of who required what.
fn is_of_trace(head: &[u8]) -> bool {
    is_call(head)
        || is_drawn(head)
        || head.starts_with(b"- ")
        || ((head.starts_with(b"/") || find(head, b".rb:").is_some()) && find(head, b":in ").is_some())
}

/// PostgreSQL says what an error was about in lines of their own.
fn adds_to_what_was_said(head: &[u8]) -> bool {
    const LABELS: [&[u8]; 5] = [b"STATEMENT", b"DETAIL", b"HINT", b"CONTEXT", b"QUERY"];
    let labelled = |at: usize| {
        let before = head[..at].rsplit(|&byte| byte == b' ').next();
        head[at + 1..].starts_with(b"  ") && before.is_some_and(|word| LABELS.contains(&word))
    };
    memchr::memchr_iter(b':', head).any(labelled)
}

/// `main.handle(...)`, `created by main.main in goroutine 1`, `[signal SIGSEGV: …]`.
fn is_of_goroutine(head: &[u8]) -> bool {
    ["goroutine ", "created by ", "[signal ", "exit status "]
        .iter()
        .any(|start| head.starts_with(start.as_bytes()))
        || is_call(head)
        || (head.trim_ascii_end().ends_with(b")")
            && is_call(head.split(|&byte| byte == b'(').next().unwrap_or(head)))
}

/// A qualified name alone: `main.run`, `runtime.main`, `net/http.(*Server).Serve`.
fn is_call(head: &[u8]) -> bool {
    let head = head.trim_ascii_end();
    let dot = memchr::memchr(b'.', head).is_some_and(|at| at > 0 && at + 1 < head.len());
    dot && head.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._/*()-{}[],@".contains(byte))
}
