//! A picture of the whole terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// A picture: lines from the top, and where the cursor is if something is being typed.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) lines: Vec<Line<'static>>,
    pub(crate) cursor: Option<(u16, u16)>,
}

impl View {
    /// Into a buffer; what is beyond its edges is cut.
    pub(crate) fn render(&self, area: Rect, buffer: &mut Buffer) {
        for (line, y) in self.lines.iter().zip(area.top()..area.bottom()) {
            buffer.set_line(area.left(), y, line, area.width);
        }
    }
}

/// What a picture looks like, for snapshots: its text, and below it which cells are dressed how.
#[cfg(test)]
pub(crate) fn shown(width: u16, height: u16, view: &View) -> String {
    let mut terminal =
        ratatui::Terminal::new(ratatui::backend::TestBackend::new(width, height)).expect("it is only memory");
    terminal.draw(|frame| view.render(frame.area(), frame.buffer_mut())).expect("it is only memory");
    let text = terminal.backend().to_string();
    // The backend quotes each row.
    text.lines().map(|line| line.trim_matches('"').trim_end()).collect::<Vec<_>>().join("\n")
}
