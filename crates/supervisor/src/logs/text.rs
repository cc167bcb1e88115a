//! `logs.text`: all of a line that is too long for a page.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use forge_api::{Code, Error, LogQuery, LogsText, LogsTextAnswer};
use forge_logs::{Cursor, Reader, ReaderOptions, Stream, ansi, text_piece};

use crate::core::Handle;

/// Bytes of a piece, as stored.
const PIECE: usize = 1 << 20;

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
    let piece = tokio::task::spawn_blocking(move || piece(&folder, end, from)).await;
    let piece = piece.map_err(|error| Error::system("reading logs", error))?;
    piece.map_err(|error| Error::system("reading logs", error))?.ok_or_else(gone)
}

fn piece(folder: &Path, end: Cursor, from: Option<Place>) -> io::Result<Option<LogsTextAnswer>> {
    let Some(Place { stream, at, skip }) =
        from.map_or_else(|| beginning(folder, end), |from| Ok(Some(from)))?
    else {
        return Ok(None);
    };
    let (bytes, next) = text_piece(folder, stream, at, end, PIECE)?;
    let mut bytes = bytes.get(skip..).unwrap_or_default().to_vec();
    let mut next = next.map(|at| Place { stream, at, skip: 0 });
    if let Some(next) = &mut next {
        // A character may be cut by the end of a fragment.
        let missing = missing_bytes(&bytes);
        let (following, _) = text_piece(folder, stream, next.at, end, 1)?;
        let rest = following.get(..missing).unwrap_or_default();
        bytes.extend_from_slice(rest);
        next.skip = rest.len();
    }
    let text = ansi::text(&bytes).into_owned();
    Ok(Some(LogsTextAnswer { text, next: next.map(|next| next.to_string()) }))
}

/// Where the line that ends there begins.
fn beginning(folder: &Path, end: Cursor) -> io::Result<Option<Place>> {
    let mut reader = Reader::open_with(folder, ReaderOptions { max_line: 0 })?;
    reader.seek(end);
    let line = reader.backward()?.next()?.filter(|line| line.end == end);
    Ok(line.map(|line| Place { stream: line.stream, at: line.cursor, skip: 0 }))
}

/// Bytes that the last character lacks, if these end within one.
fn missing_bytes(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    let Some(lead) = tail.iter().rposition(|byte| *byte >= 0xc0) else { return 0 };
    let length = match tail[lead] {
        0xc0..0xe0 => 2_usize,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    let there = tail.len() - lead;
    if tail[lead + 1..].iter().all(|byte| (0x80..0xc0).contains(byte)) {
        length.saturating_sub(there)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use forge_logs::{Stamp, Writer, WriterOptions};

    use super::*;

    #[test]
    fn the_pieces_of_a_line_are_the_line_whatever_their_ends_cut() {
        let folder = tempfile::tempdir().expect("a folder");
        // Of two, three and four bytes, so that ends of fragments fall within some.
        let text: String = ["aé", "x€y", "😀"].concat().repeat(200_000);
        let options = WriterOptions { segment_bytes: 300_000, ..WriterOptions::default() };
        let mut writer = Writer::open(folder.path(), options).expect("a writer");
        writer.write(Stream::Stderr, text.as_bytes(), Stamp::now());
        writer.write(Stream::Stdout, b"between\n", Stamp::now());
        writer.write(Stream::Stderr, b"\n", Stamp::now());
        let mut reader = Reader::open(folder.path()).expect("a reader");
        reader.seek_end().expect("the end");
        let line = reader.backward().expect("back").next().expect("read").expect("a line");
        let (mut all, mut from, mut pieces) = (String::new(), None, 0);
        loop {
            let piece = piece(folder.path(), line.end, from).expect("read").expect("it is there");
            all.push_str(&piece.text);
            pieces += 1;
            match piece.next {
                None => break,
                Some(next) => from = Some(next.parse().expect("a place")),
            }
        }
        assert!(all == text, "{} of {} bytes", all.len(), text.len());
        assert!(pieces > 2, "{pieces} pieces");
        let gone = Cursor { segment: line.end.segment, offset: line.end.offset - 1 };
        assert_eq!(piece(folder.path(), gone, None).expect("read"), None, "no line ends there");
        assert!("stdout 1".parse::<Place>().is_err(), "no place");
    }
}
