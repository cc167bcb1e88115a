//! A place in the store.

use std::fmt;
use std::str::FromStr;

/// A place in the store: a segment's number and the bytes before it in that segment. Its text is `12:4096`.
///
/// A line belongs where it *ends*: what is read from a cursor on are the lines that end after it. So one cursor says
/// all, even where fragments of standard output and standard error lie among each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// The number in the segment's name, from 1.
    pub segment: u32,
    /// Bytes from the segment's beginning.
    pub offset: u64,
}

impl Cursor {
    /// Of where a line ends: a place that it lies behind, and every line before it does not.
    #[must_use]
    pub fn before(self) -> Self {
        Self { offset: self.offset.saturating_sub(1), ..self }
    }
}

/// Where the writer stands.
pub type Position = Cursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment, self.offset)
    }
}

/// The text is not of the form `12:4096`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidCursor;

impl fmt::Display for InvalidCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cursor has the form SEGMENT:OFFSET, such as 12:4096")
    }
}

impl std::error::Error for InvalidCursor {}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `u32::from_str` takes a sign, which we never write.
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (segment, offset) = text.split_once(':').ok_or(InvalidCursor)?;
        if !plain(segment) || !plain(offset) {
            return Err(InvalidCursor);
        }
        Ok(Self {
            segment: segment.parse().map_err(|_| InvalidCursor)?,
            offset: offset.parse().map_err(|_| InvalidCursor)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        let cursor = Cursor { segment: 12, offset: 4096 };
        assert_eq!(cursor.to_string(), "12:4096", "its text");
        assert_eq!("12:4096".parse(), Ok(cursor), "and back");
        for text in ["", ":", "1:", ":1", "+1:2", "1:-2", "1:2:3", "a:b", "99999999999:1"] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text:?}");
        }
    }
}
