use std::borrow::Cow;

use crate::level::Level;
use crate::{Cursor, Stream};

/// One line of a program, or of Forge's own; fragments are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it ended (when its last fragment was read): nanoseconds since 1970, UTC. Never less than that of the line
    /// before.
    pub time_ns: i64,
    /// Where it came from. What stands in a segment and is no entry at all counts as [`Stream::Stdout`].
    pub stream: Stream,
    /// The run that wrote it, 0 if that is not known.
    pub run: u32,
    /// What it says of its weight, or what the line says that it continues.
    pub level: Option<Level>,
    /// As the program wrote it, without the newline: any bytes but that one.
    pub text: Vec<u8>,
    /// Bytes that follow `text` and were left out, because the line is longer than [`crate::ReaderOptions::max_line`].
    /// [`crate::text_piece`] has them all.
    pub omitted: u64,
    /// The line is not whole: there may be more of it to come (a prompt).
    pub partial: bool,
    /// Where it begins.
    pub cursor: Cursor,
    /// Where it ends: the lines read from here on are those after it.
    pub end: Cursor,
}

impl Line {
    /// The text, with `U+FFFD` for what is not UTF-8.
    #[must_use]
    pub fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.text)
    }

    /// Whether a program wrote it, and not Forge.
    #[must_use]
    pub fn is_program(&self) -> bool {
        self.stream != Stream::Forge
    }
}
