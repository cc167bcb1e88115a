//! The pseudo-terminal of a `tty` process.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{InputModes, OptionalActions, Winsize};

/// Bytes of the last output that are shown to whoever attaches.
const REPLAY: usize = 64 << 10;

/// The size until somebody attaches and says a better one.
const FIRST_SIZE: (u16, u16) = (24, 80);

/// What `TERM` is for a child whose environment names none.
pub(super) const TERM: &str = "xterm-256color";

/// Makes a terminal: the master, which does not block, and the side of the child.
pub(super) fn open() -> io::Result<(OwnedFd, OwnedFd)> {
    #[cfg(target_os = "linux")]
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let master = rustix::pty::openpt(flags)?;
    rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    let child = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    resize(&child, FIRST_SIZE.0, FIRST_SIZE.1)?;
    erase_whole_characters(&child)?;
    rustix::io::ioctl_fionbio(&master, true)?;
    Ok((master, child))
}

/// Tells the terminal, and by SIGWINCH its foreground group, of a new size.
pub(super) fn resize(terminal: impl AsFd, rows: u16, columns: u16) -> io::Result<()> {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(rustix::termios::tcsetwinsize(terminal, size)?)
}

/// Backspace in the kernel's line editing takes a character of UTF-8, not a byte of it.
fn erase_whole_characters(terminal: impl AsFd) -> io::Result<()> {
    let mut settings = rustix::termios::tcgetattr(&terminal)?;
    settings.input_modes |= InputModes::IUTF8;
    Ok(rustix::termios::tcsetattr(&terminal, OptionalActions::Now, &settings)?)
}

/// The last output of a terminal, for those who come later.
#[derive(Debug, Default)]
pub(super) struct Replay {
    bytes: VecDeque<u8>,
}

impl Replay {
    pub(super) fn push(&mut self, output: &[u8]) {
        let output = &output[output.len().saturating_sub(REPLAY)..];
        let over = (self.bytes.len() + output.len()).saturating_sub(REPLAY);
        self.bytes.drain(..over);
        self.bytes.extend(output);
    }

    /// All that is kept, oldest first.
    pub(super) fn bytes(&mut self) -> &[u8] {
        self.bytes.make_contiguous()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_replay_keeps_the_last_bytes() {
        let mut replay = Replay::default();
        replay.push(b"first");
        assert_eq!(replay.bytes(), b"first", "less than its size is kept whole");
        replay.push(&[b'x'; REPLAY - 2]);
        assert_eq!(replay.bytes().len(), REPLAY, "no more than its size");
        assert!(replay.bytes().starts_with(b"stx"), "the oldest bytes went");
        replay.push(&vec![b'y'; 3 * REPLAY]);
        assert_eq!(replay.bytes(), vec![b'y'; REPLAY], "one piece over its size");
    }

    #[test]
    fn a_new_terminal_has_the_usual_size() {
        let (master, _child) = open().unwrap();
        let size = rustix::termios::tcgetwinsize(&master).unwrap();
        assert_eq!((size.ws_row, size.ws_col), FIRST_SIZE, "rows and columns");
    }
}
