//! Repaints a few lines at the end of a terminal.

use std::io::Write;

use crate::output::size;
use crate::view::clean;
use crate::view::style::columns;

/// Nothing is written while nothing changes, and a frame is one write, so nothing flickers.
#[derive(Debug, Default)]
pub(crate) struct Painter {
    painted: Vec<String>,
    width: usize,
}

impl Painter {
    /// Shows `lines` in place of those shown before.
    pub(crate) fn paint(&mut self, lines: Vec<String>) {
        let (width, _) = size();
        if lines == self.painted && (width == self.width || lines.is_empty()) {
            return;
        }
        let frame = self.frame(&lines, width);
        let mut stderr = std::io::stderr().lock();
        // A terminal that is gone will be noticed by whoever has something to say.
        let _ = stderr.write_all(frame.as_bytes());
        let _ = stderr.flush();
        self.painted = lines;
        self.width = width;
    }

    /// Takes away what was shown.
    pub(crate) fn clear(&mut self) {
        if !self.painted.is_empty() {
            self.paint(Vec::new());
        }
    }

    fn frame(&self, lines: &[String], width: usize) -> String {
        // A terminal that became narrower has wrapped what stood there.
        let rows: usize =
            self.painted.iter().map(|line| columns(&clean::line(line)).div_ceil(width).max(1)).sum();
        // Synchronized output: the terminal shows the frame as a whole.
        let mut frame = String::from("\x1b[?2026h\r");
        if rows > 0 {
            frame.push_str(&format!("\x1b[{rows}A"));
        }
        for line in lines {
            frame.push_str(line);
            frame.push_str("\x1b[K\r\n");
        }
        frame.push_str("\x1b[J\x1b[?2026l");
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::Painter;

    #[test]
    fn a_narrower_terminal_is_climbed_by_the_rows_it_wrapped_to() {
        let painter = Painter { painted: vec!["x".repeat(70), "\x1b[31my\x1b[0m".to_owned()], width: 80 };
        assert!(painter.frame(&[], 80).contains("\x1b[2A"), "as painted");
        assert!(painter.frame(&[], 40).contains("\x1b[3A"), "wrapped once");
    }
}
