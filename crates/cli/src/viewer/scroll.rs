//! Which part of the window is on the screen.

use super::layout;
use super::model::Viewer;
use super::window::Window;

/// Columns that Left and Right move.
const SIDEWAYS: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// The newest line is at the bottom.
    Follow,
    /// This row of this entry is at the top.
    Top { id: i64, row: usize },
    /// This entry is in the middle.
    Centre(i64),
}

impl Viewer {
    /// Columns of the names before lines, with their brackets.
    pub(super) fn name_width(&self) -> usize {
        (self.names.widest() + 2).min(self.size.width / 4).max(4)
    }

    /// Whether the date stands before the time of day.
    pub(super) fn has_date(&self) -> bool {
        self.size.width >= 110
    }

    /// Columns that are left for the text.
    pub(super) fn text_width(&self) -> usize {
        let clock = if self.has_date() { 19 } else { 8 };
        self.size.width.saturating_sub(self.name_width() + clock + 5).max(10)
    }

    /// Rows of an entry on the screen, with the line that says that something was passed over before it.
    pub(super) fn rows_of(&self, id: i64) -> usize {
        let Some(entry) = self.window.get(id) else { return 1 };
        let text = if self.wrap { layout::row_count(&entry.line, self.text_width()) } else { 1 };
        text + usize::from(entry.gap)
    }

    /// The first row on the screen: an entry, and the rows of it that are above.
    pub(super) fn top(&self) -> (i64, usize) {
        let ids = self.window.ids();
        match self.position {
            Position::Follow => self.last_top(),
            Position::Top { id, row } => (id.clamp(ids.start, ids.end), row),
            // No empty rows below the newest line.
            Position::Centre(id) => self.up_from((id, 0), self.size.height / 2).0.min(self.last_top()),
        }
    }

    /// The first row of a screen that ends with the last line.
    fn last_top(&self) -> (i64, usize) {
        self.up_from((self.window.ids().end, 0), self.size.height).0
    }

    /// `rows` above, and how many of them there are no lines for.
    fn up_from(&self, (mut id, mut row): (i64, usize), mut rows: usize) -> ((i64, usize), usize) {
        let first = self.window.ids().start;
        while rows > row {
            rows -= row;
            if id <= first {
                return ((first, 0), rows);
            }
            id -= 1;
            row = self.rows_of(id);
        }
        ((id, row - rows), 0)
    }

    fn down_from(&self, (mut id, mut row): (i64, usize), mut rows: usize) -> (i64, usize) {
        let end = self.window.ids().end;
        while id < end {
            let own = self.rows_of(id);
            if row + rows < own {
                return (id, row + rows);
            }
            rows -= own - row;
            (id, row) = (id + 1, 0);
        }
        (end, 0)
    }

    /// More than what is at hand belongs above the first line.
    pub(super) fn wants_older(&self) -> bool {
        if self.window.is_at_start() || self.cleared {
            return false;
        }
        let height = self.size.height;
        match self.position {
            // As much as fits, and no more: who scrolls up gets more.
            Position::Follow => self.top() == (self.window.ids().start, 0) && !self.fills_screen(),
            Position::Top { .. } | Position::Centre(_) => {
                let lack = i64::try_from(height).unwrap_or(0);
                self.top().0 - self.window.ids().start < lack
            }
        }
    }

    fn fills_screen(&self) -> bool {
        let mut rows = 0;
        for id in self.window.ids() {
            rows += self.rows_of(id);
            if rows >= self.size.height {
                return true;
            }
        }
        false
    }

    /// Moves by rows; up is less than nothing. Who gets down to the newest line follows again.
    pub(super) fn scroll(&mut self, rows: isize) {
        let top = self.top();
        self.owed = 0;
        if rows < 0 {
            let (up, missing) = self.up_from(top, rows.unsigned_abs());
            self.stand(up);
            self.cleared = false;
            self.owed = if self.window.is_at_start() { 0 } else { missing };
            return;
        }
        if self.position == Position::Follow {
            return;
        }
        self.held = None;
        let last = self.last_top();
        let down = self.down_from(top, rows.unsigned_abs());
        if down < last {
            self.stand(down);
        } else if self.window.is_live() {
            self.follow();
        } else {
            self.stand(last);
        }
    }

    /// Older lines have come: on up to where somebody wanted to be.
    pub(super) fn scroll_owed(&mut self) {
        if self.owed > 0 {
            let rows = isize::try_from(self.owed).unwrap_or(isize::MAX);
            self.scroll(-rows);
        }
    }

    pub(super) fn stand(&mut self, (id, row): (i64, usize)) {
        if self.position == Position::Follow {
            self.new_lines = 0;
            self.counting = true;
            self.held = Some(self.window.ids().end);
        }
        self.position = Position::Top { id, row };
    }

    /// Stands still where it is.
    pub(super) fn pause(&mut self) {
        self.stand(self.top());
    }

    /// To the newest line, and on with it.
    pub(super) fn follow(&mut self) {
        if !self.window.is_live() || self.window.is_overfull() {
            self.open(Window::at_tail(), Position::Follow);
            return;
        }
        self.window.trim_front();
        self.position = Position::Follow;
        self.new_lines = 0;
        self.held = None;
        self.owed = 0;
    }

    /// To the oldest line that there is.
    pub(super) fn go_to_beginning(&mut self) {
        if self.window.is_at_start() {
            self.stand((self.window.ids().start, 0));
        } else {
            self.open(Window::at_beginning(), Position::Top { id: 0, row: 0 });
        }
        self.cleared = false;
    }

    pub(super) fn sideways(&mut self, right: bool) {
        if self.wrap {
            return;
        }
        self.shift = if right { self.shift + SIDEWAYS } else { self.shift.saturating_sub(SIDEWAYS) };
    }

    /// Numbers of the entries on the screen.
    pub(super) fn on_screen(&self) -> std::ops::Range<i64> {
        let (id, row) = self.top();
        let end = self.held.unwrap_or(i64::MAX).min(self.window.ids().end);
        let mut rows = 0;
        let mut next = id;
        while next < end && rows < self.size.height + row {
            rows += self.rows_of(next);
            next += 1;
        }
        id..next
    }
}
