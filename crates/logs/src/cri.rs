//! One entry of a segment, in the CRI log format of Kubernetes: `TIME STREAM F|P TEXT`.

use std::fmt;
#[cfg(feature = "read")]
use std::ops::Range;

use crate::Cursor;
use crate::stamp::{STAMP_BYTES, Stamp};

/// Bytes of text in one entry at most; a longer line is stored as `P` fragments and a last `F` one.
pub const MAX_TEXT: usize = 64 * 1024;

/// Bytes of one entry at most, with head and newline.
pub(crate) const MAX_ENTRY: usize = MAX_TEXT + STAMP_BYTES + " stdout F \n".len();

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// The program's standard output, and all output of a `tty` process.
    Stdout,
    /// The program's standard error.
    Stderr,
    /// Forge's own lines: where a run began, what could not be kept.
    Forge,
}

impl Stream {
    /// The word in the file: `stdout`, `stderr` or `forge`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Forge => "forge",
        }
    }

    /// The place of a program's stream in a pair; `None` for Forge's own, whose lines have no fragments.
    pub(crate) fn index(self) -> Option<usize> {
        match self {
            Self::Stdout => Some(0),
            Self::Stderr => Some(1),
            Self::Forge => None,
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One entry: a line or a fragment of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) time: Stamp,
    pub(crate) stream: Stream,
    /// `F`: the line ends with this entry.
    pub(crate) last: bool,
    pub(crate) text: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Reads an entry without its newline; `None` if it is not exactly of the form that we write.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let (time, rest) = line.split_at_checked(STAMP_BYTES)?;
        let (stream, rest) = if let Some(rest) = rest.strip_prefix(b" stdout ") {
            (Stream::Stdout, rest)
        } else if let Some(rest) = rest.strip_prefix(b" stderr ") {
            (Stream::Stderr, rest)
        } else {
            (Stream::Forge, rest.strip_prefix(b" forge ")?)
        };
        let (last, text) = match rest {
            [b'F', b' ', text @ ..] => (true, text),
            [b'P', b' ', text @ ..] => (false, text),
            _ => return None,
        };
        Some(Self { time: Stamp::parse(time)?, stream, last, text })
    }
}

/// Whether `rest` may be the beginning of an entry whose writer was killed before it came to the text.
pub(crate) fn is_torn_head(rest: &[u8]) -> bool {
    const TIME: &[u8] = b"0000-00-00T00:00:00.000000000Z";
    let like = |byte: u8, form: u8| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    let (time, rest) = rest.split_at(rest.len().min(STAMP_BYTES));
    time.iter().zip(TIME).all(|(&byte, &form)| like(byte, form))
        && [&b" stdout F "[..], b" stderr F ", b" forge F "].iter().any(|head| {
            rest.len() <= head.len()
                && rest.iter().zip(*head).all(|(&byte, &form)| byte == form || (form == b'F' && byte == b'P'))
        })
}

/// Where each of the lines stands, with its newline if it has one.
#[cfg(feature = "read")]
pub(crate) fn ranges(lines: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    lines.split_inclusive(|&byte| byte == b'\n').map(move |line| {
        let range = start..start + line.len();
        start = range.end;
        range
    })
}

/// Whether one of the lines is a fragment of a longer one.
#[cfg(feature = "read")]
pub(crate) fn has_fragments(lines: &[u8]) -> bool {
    // `TIME stdout P TEXT`, and as long for stderr.
    const AT: usize = STAMP_BYTES + " stdout".len();
    memchr::memmem::find_iter(lines, b" P ").any(|at| at == AT || (at > AT && lines[at - AT - 1] == b'\n'))
}

/// What a line on the stream `forge` means to a reader; other lines of that stream mean nothing to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// What follows is output of this run.
    Started { run: u32 },
    /// The same run, with another writer: the one before was killed and may have held a fragment.
    Resumed { run: u32 },
    /// First in a segment that a rotation began, so that each segment says by itself whose lines it holds, and where
    /// the lines began in the midst of which it begins.
    Continues { run: u32, open: [Option<Cursor>; 2] },
    /// Lines are missing here.
    NotKept,
}

const OPEN_WORDS: [&str; 2] = ["; stdout is within a line from ", "; stderr is within a line from "];

impl Mark {
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let Some(rest) = text.strip_prefix("run ") else {
            let counted = text.starts_with(|first: char| first.is_ascii_digit());
            return (counted && text.contains(" not kept: ")).then_some(Self::NotKept);
        };
        let (run, rest) = rest.split_once(' ')?;
        let run = run.parse().ok()?;
        match rest {
            "started" => Some(Self::Started { run }),
            "resumed" => Some(Self::Resumed { run }),
            _ => Some(Self::Continues { run, open: Self::parse_open(rest.strip_prefix("continues")?)? }),
        }
    }

    fn parse_open(mut rest: &str) -> Option<[Option<Cursor>; 2]> {
        let mut open = [None; 2];
        for (open, words) in open.iter_mut().zip(OPEN_WORDS) {
            if let Some(after) = rest.strip_prefix(words) {
                let (cursor, left) = after.split_at(after.find(';').unwrap_or(after.len()));
                *open = Some(cursor.parse().ok()?);
                rest = left;
            }
        }
        rest.is_empty().then_some(open)
    }

    /// Whether a line that is stored in part ends here, because its rest can't be told from another line.
    pub(crate) fn breaks_lines(self) -> bool {
        !matches!(self, Self::Continues { .. })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { run } => write!(f, "run {run} started"),
            Self::Resumed { run } => write!(f, "run {run} resumed"),
            Self::Continues { run, open } => {
                write!(f, "run {run} continues")?;
                for (open, words) in open.iter().zip(OPEN_WORDS) {
                    if let Some(cursor) = open {
                        write!(f, "{words}{cursor}")?;
                    }
                }
                Ok(())
            }
            Self::NotKept => f.write_str("lines not kept"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "2026-11-21T14:30:15.123456789Z";

    #[test]
    fn entries_of_our_form_are_read() {
        let table = [
            (" stdout F hello", Some((Stream::Stdout, true, "hello"))),
            (" stderr P hel", Some((Stream::Stderr, false, "hel"))),
            (" forge F run 3 started", Some((Stream::Forge, true, "run 3 started"))),
            (" stdout F ", Some((Stream::Stdout, true, ""))),
            (" stdout F  a", Some((Stream::Stdout, true, " a"))),
            (" stdout F", None),
            (" stdout X a", None),
            (" stdin F a", None),
            ("stdout F a", None),
            ("", None),
        ];
        for (rest, expected) in table {
            let line = format!("{HEAD}{rest}");
            let entry = Entry::parse(line.as_bytes());
            let got = entry.map(|entry| (entry.stream, entry.last, std::str::from_utf8(entry.text).unwrap()));
            assert_eq!(got, expected, "{line}");
        }
    }

    #[test]
    fn every_beginning_of_a_head_is_known_and_text_is_not() {
        for head in [" stdout F ", " stdout P ", " stderr F ", " forge F "] {
            let whole = format!("{HEAD}{head}");
            for end in 1..=whole.len() {
                assert!(is_torn_head(&whole.as_bytes()[..end]), "{}", &whole[..end]);
            }
            assert!(!is_torn_head(format!("{whole}x").as_bytes()), "{whole} with text");
        }
        assert!(!is_torn_head(b"panic: out of range"), "foreign text");
    }

    #[test]
    fn marks_read_back() {
        let open = [Some(Cursor { segment: 1, offset: 20 }), None];
        let both = [open[0], Some(Cursor { segment: 3, offset: 0 })];
        let second = [None, both[1]];
        let marks = [Mark::Started { run: 3 }, Mark::Resumed { run: 4 }];
        let heads = [[None; 2], open, both, second].map(|open| Mark::Continues { run: 7, open });
        for mark in marks.into_iter().chain(heads) {
            assert_eq!(Mark::parse(mark.to_string().as_bytes()), Some(mark), "{mark}");
        }
        let lost = b"12 lines (345 bytes) not kept: no space left on device";
        assert_eq!(Mark::parse(lost), Some(Mark::NotKept), "losses");
        for text in
            ["run", "run x started", "run 3 started twice", "restarted after exit 1", "run 3 continues; x"]
        {
            assert_eq!(Mark::parse(text.as_bytes()), None, "{text}");
        }
    }
}
