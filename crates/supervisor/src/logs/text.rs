//! `logs.text`: all of a line that is too long for a page.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use forge_api::{Code, Error, LogQuery, LogsText, LogsTextAnswer};
use forge_logs::{Cursor, Reader, ReaderOptions, Stream, ansi, text_piece};

use super::shown::stream_of;
use crate::core::Handle;

/// Bytes of a piece, as stored.
const PIECE: usize = 1 << 20;

/// Bytes by which a piece is longer, at most, so that it does not end within a character or a sequence for a terminal.
const MOST_CUT: usize = 4096;

/// Where a piece begins: behind so many bytes of the fragment at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    stream: Stream,
    at: Cursor,
    skip: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.stream, self.at, self.skip)
    }
}

impl FromStr for Place {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parse = || {
            let mut words = text.split(' ');
            let stream = match words.next()? {
                "stdout" => Stream::Stdout,
                "stderr" => Stream::Stderr,
                _ => return None,
            };
            Some(Self { stream, at: words.next()?.parse().ok()?, skip: words.next()?.parse().ok()? })
        };
        parse().ok_or_else(|| Error::new(Code::Usage, "`from` is none that `logs.text` gave"))
    }
}

/// Answers `logs.text`.
pub(crate) async fn text(core: &Handle, request: LogsText) -> Result<LogsTextAnswer, Error> {
    let end: Cursor =
        request.at.parse().map_err(|error| Error::new(Code::Usage, format!("`{}`: {error}", request.at)))?;
    let from = request.from.as_deref().map(str::parse::<Place>).transpose()?;
    let name = format!("{}/{}", request.environment, request.process);
    let query = LogQuery { workspace: request.workspace, names: vec![name.clone()], ..LogQuery::default() };
    let sources = core.visit(move |core| core.log_sources(&query, false)).await??;
    let gone = || Error::new(Code::NotFound, format!("the line {end} of {name} is not stored any more"));
    let folder = sources.into_iter().next().ok_or_else(gone)?.folder;
    let stream = stream_of(request.stream);
    let read = move || -> io::Result<Option<LogsTextAnswer>> {
        let from = from.map_or_else(|| beginning(&folder, end, stream), |from| Ok(Some(from)))?;
        from.map(|from| piece(&folder, end, from)).transpose()
    };
    let answer =
        tokio::task::spawn_blocking(read).await.map_err(|error| Error::system("reading logs", error))?;
    answer.map_err(|error| Error::system("reading logs", error))?.ok_or_else(gone)
}

fn piece(folder: &Path, end: Cursor, from: Place) -> io::Result<LogsTextAnswer> {
    let Place { stream, at, skip } = from;
    let (bytes, next) = text_piece(folder, stream, at, end, PIECE)?;
    let mut bytes = bytes.get(skip..).unwrap_or_default().to_vec();
    let mut next = next.map(|at| Place { stream, at, skip: 0 });
    if let Some(next) = &mut next {
        let (following, _) = text_piece(folder, stream, next.at, end, 1)?;
        for byte in following.into_iter().take(MOST_CUT) {
            if !ansi::is_cut(&bytes[bytes.len().saturating_sub(MOST_CUT)..]) {
                break;
            }
            bytes.push(byte);
            next.skip += 1;
        }
    }
    let text = ansi::text(&bytes).into_owned();
    Ok(LogsTextAnswer { text, next: next.map(|next| next.to_string()) })
}

/// Where the line of a stream that ends there begins.
fn beginning(folder: &Path, end: Cursor, stream: Stream) -> io::Result<Option<Place>> {
    let mut reader = Reader::open_with(folder, ReaderOptions { max_line: 0 })?;
    reader.seek(end);
    let mut lines = reader.backward()?;
    while let Some(line) = lines.next()?.filter(|line| line.end == end) {
        if line.stream == stream {
            return Ok(Some(Place { stream, at: line.cursor, skip: 0 }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use forge_logs::{Stamp, Writer, WriterOptions};

    use super::*;

    /// All pieces of the line of a stream that ends there.
    fn whole(folder: &Path, end: Cursor, stream: Stream) -> Vec<String> {
        let mut from = beginning(folder, end, stream).expect("read");
        let mut pieces = Vec::new();
        while let Some(place) = from {
            let LogsTextAnswer { text, next } = piece(folder, end, place).expect("read");
            pieces.push(text);
            from = next.map(|next| next.parse().expect("a place"));
        }
        pieces
    }

    #[test]
    fn the_pieces_of_a_line_are_the_line_whatever_their_ends_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        // Of one to four bytes and in colours, so that ends of fragments fall within some.
        let unit = ["aé", "\x1b[38;5;17m", "x€y", "\x1b]0;title\x07", "😀"].concat();
        let options = WriterOptions { segment_bytes: 300_000, ..WriterOptions::default() };
        let mut writer = Writer::open(folder.path(), options).expect("a writer");
        writer.write(Stream::Stderr, unit.repeat(100_000).as_bytes(), Stamp::now());
        writer.write(Stream::Stdout, b"between\n", Stamp::now());
        writer.write(Stream::Stderr, b"\n", Stamp::now());
        let mut reader = Reader::open(folder.path()).expect("a reader");
        reader.seek_end().expect("the end");
        let line = reader.backward().expect("back").next().expect("read").expect("a line");
        let pieces = whole(folder.path(), line.end, Stream::Stderr);
        assert!(pieces.concat() == "aéx€y😀".repeat(100_000), "{} bytes", pieces.concat().len());
        assert!(pieces.len() > 2, "{} pieces", pieces.len());
        let gone = Cursor { segment: line.end.segment, offset: line.end.offset - 1 };
        assert_eq!(beginning(folder.path(), gone, Stream::Stderr).expect("read"), None, "no line ends there");
        assert!("stdout 1".parse::<Place>().is_err(), "no place");
    }

    #[test]
    fn of_lines_that_end_at_one_place_it_is_that_of_the_stream() {
        let folder = tempfile::tempdir().expect("a folder");
        for (run, text) in [(1, "of one"), (2, "of two")] {
            let options = WriterOptions { run, ..WriterOptions::default() };
            let mut writer = Writer::open(folder.path(), options).expect("a writer");
            for stream in [Stream::Stdout, Stream::Stderr] {
                writer.write(stream, format!("{stream} {text}").as_bytes(), Stamp::now());
                writer.flush_partial(stream, Stamp::now());
            }
            // As if it was killed: nothing says that the lines have ended but the next run.
            let log = folder.path().join("00000001.log");
            let length = std::fs::metadata(&log).expect("a file").len();
            drop(writer);
            let file = std::fs::OpenOptions::new().write(true).open(&log).expect("a file");
            file.set_len(length).expect("cut");
        }
        let mut reader = Reader::open(folder.path()).expect("a reader");
        let lines = reader.read(usize::MAX).expect("read").lines;
        let cut = lines.iter().find(|line| line.text == b"stdout of one").expect("a line");
        let ends: Vec<_> = lines.iter().map(|line| (line.stream, line.end)).collect();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let pieces = whole(folder.path(), cut.end, stream);
            assert_eq!(pieces, [format!("{stream} of one")], "of {stream}: {ends:?}");
        }
    }
}
