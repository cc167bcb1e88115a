//! A segment file line by line, with bounded memory, also while it grows.

use std::fs::File;
use std::io;

use crate::cri::MAX_ENTRY;

/// Bytes read at once: enough for the longest entry, and a fair block for the disk.
const BLOCK: usize = 2 * MAX_ENTRY;

/// One line of the file, or a piece of one that is longer than any entry of ours.
#[derive(Debug)]
pub(crate) struct RawLine<'a> {
    /// Where it begins in the file.
    pub(crate) offset: u64,
    /// The first byte after it and its newline.
    pub(crate) end: u64,
    /// Without the newline.
    pub(crate) bytes: &'a [u8],
}

/// Walks forward through a file. A last line without newline is left for later, when there may be more of it.
#[derive(Debug)]
pub(crate) struct Scan {
    buffer: Vec<u8>,
    /// What of the buffer is read from the file and not yet handed out.
    start: usize,
    end: usize,
    /// Where `buffer[start]` lies in the file.
    offset: u64,
}

impl Scan {
    pub(crate) fn new(offset: u64) -> Self {
        Self { buffer: Vec::new(), start: 0, end: 0, offset }
    }

    /// The place of the next line.
    #[cfg(feature = "read")]
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// What stands behind the last newline, once [`Scan::next`] has returned `None`.
    #[cfg(feature = "read")]
    pub(crate) fn rest(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Forgets [`Scan::rest`]: it is read again, and may be another by then.
    #[cfg(feature = "read")]
    pub(crate) fn forget_rest(&mut self) {
        self.end = self.start;
    }

    /// Goes past [`Scan::rest`].
    #[cfg(feature = "read")]
    pub(crate) fn skip_rest(&mut self) {
        self.offset += (self.end - self.start) as u64;
        self.start = self.end;
    }

    /// The next whole line; `None` at the end of what the file holds now.
    pub(crate) fn next(&mut self, file: &File) -> io::Result<Option<RawLine<'_>>> {
        let mut searched = 0;
        loop {
            let (start, end) = (self.start, self.end);
            let found = memchr::memchr(b'\n', &self.buffer[start + searched..end]);
            let (length, with_newline) = match found {
                Some(at) => (searched + at, searched + at + 1),
                None if end - start >= MAX_ENTRY => (end - start, end - start),
                None => {
                    searched = end - start;
                    if self.fill(file)? == 0 {
                        return Ok(None);
                    }
                    continue;
                }
            };
            return Ok(Some(self.hand_out(length, with_newline)));
        }
    }

    /// Whole lines, with their newlines, as many as are at hand; `None` as for [`Scan::next`].
    #[cfg(feature = "read")]
    pub(crate) fn lines(&mut self, file: &File) -> io::Result<Option<RawLine<'_>>> {
        loop {
            let (start, end) = (self.start, self.end);
            let length = match memchr::memrchr(b'\n', &self.buffer[start..end]) {
                Some(last) => last + 1,
                None if end - start >= MAX_ENTRY => end - start,
                None => {
                    if self.fill(file)? == 0 {
                        return Ok(None);
                    }
                    continue;
                }
            };
            return Ok(Some(self.hand_out(length, length)));
        }
    }

    /// The next bytes, and goes past so many.
    fn hand_out(&mut self, length: usize, past: usize) -> RawLine<'_> {
        let (start, offset) = (self.start, self.offset);
        self.start += past;
        self.offset += past as u64;
        RawLine { offset, end: self.offset, bytes: &self.buffer[start..start + length] }
    }

    fn fill(&mut self, file: &File) -> io::Result<usize> {
        self.buffer.resize(BLOCK, 0);
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let read = read_at(file, &mut self.buffer[self.end..], self.offset + self.end as u64)?;
        self.end += read;
        Ok(read)
    }
}

/// Reads at an offset, whatever the file's own position. Zero bytes: the end.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, buffer, offset);
        // It moves the file's position, which nobody here relies on.
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, buffer, offset);
        match read {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(scan: &mut Scan, file: &File) -> Vec<(u64, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some(line) = scan.next(file).unwrap() {
            all.push((line.offset, line.bytes.to_vec()));
        }
        all
    }

    #[test]
    fn a_line_is_handed_out_once_it_is_whole() {
        let mut file = tempfile::tempfile().unwrap();
        let mut scan = Scan::new(0);
        file.write_all(b"one\n\ntw").unwrap();
        assert_eq!(lines(&mut scan, &file), [(0, b"one".to_vec()), (4, b"".to_vec())], "what is whole");
        assert_eq!(scan.rest(), b"tw", "what is not");
        file.write_all(b"o\n").unwrap();
        assert_eq!(lines(&mut scan, &file), [(5, b"two".to_vec())], "after more was written");
        assert_eq!(scan.offset(), 9, "the end");
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let mut file = tempfile::tempfile().unwrap();
        let size = 10 * BLOCK + 7;
        file.write_all(&vec![b'x'; size]).unwrap();
        file.write_all(b"\nnext\n").unwrap();
        let mut scan = Scan::new(0);
        let got = lines(&mut scan, &file);
        let (last, pieces) = got.split_last().unwrap();
        assert_eq!(last.1, b"next", "the line after it is intact");
        assert_eq!(pieces.iter().map(|piece| piece.1.len()).sum::<usize>(), size, "nothing of it is missing");
    }
}
