//! Tables in boxes that never get wider than the surface.

use crate::view::style::{Ink, Style, columns, pad, pad_left};

/// A column and how it gives way when there is no room.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    title: &'static str,
    right: bool,
    /// Columns it may be cut down to.
    least: Option<usize>,
    /// Left out before those of a higher rank; `None`: never.
    rank: Option<u8>,
}

impl Column {
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, right: false, least: None, rank: None }
    }

    /// Figures.
    pub(crate) fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// May be cut down to so many columns.
    pub(crate) fn least(mut self, least: usize) -> Self {
        self.least = Some(least);
        self
    }

    /// May be left out, the lower ranks first.
    pub(crate) fn rank(mut self, rank: u8) -> Self {
        self.rank = Some(rank);
        self
    }
}

/// A text in an ink, after a mark if it has one.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) mark: Option<crate::view::style::Mark>,
    pub(crate) text: String,
    pub(crate) ink: Ink,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { mark: None, text: text.into(), ink: Ink::Plain }
    }

    pub(crate) fn ink(mut self, ink: Ink) -> Self {
        self.ink = ink;
        self
    }

    pub(crate) fn mark(mut self, mark: crate::view::style::Mark) -> Self {
        self.mark = Some(mark);
        self
    }

    fn width(&self) -> usize {
        columns(&self.text) + if self.mark.is_some() { 2 } else { 0 }
    }

    fn render(&self, width: usize, right: bool, style: Style) -> String {
        let room = if self.mark.is_some() { width.saturating_sub(2) } else { width };
        let text = style.cut(&self.text, room);
        let fill = " ".repeat(room.saturating_sub(columns(&text)));
        let text = style.paint(self.ink, &text);
        let mark = self.mark.map(|mark| format!("{} ", style.mark(mark))).unwrap_or_default();
        if right { format!("{fill}{mark}{text}") } else { format!("{mark}{text}{fill}") }
    }
}

/// Lines of the box, each ended by a line feed. Every row has a cell for each column.
pub(crate) fn render(titles: &[Column], rows: &[Vec<Cell>], style: Style) -> String {
    let widths = fit(titles, rows, style.width);
    let line = Line::of(style);
    let mut text = line.rule(&widths, line.top);
    let titled: Vec<String> = shown(&widths)
        .map(|(column, width)| {
            let title = style.cut(titles[column].title, width);
            let title = if titles[column].right { pad_left(&title, width) } else { pad(&title, width) };
            style.paint(Ink::Bold, &title).into_owned()
        })
        .collect();
    text.push_str(&line.row(&titled));
    text.push_str(&line.rule(&widths, line.middle));
    for row in rows {
        let cells: Vec<String> = shown(&widths)
            .filter_map(|(column, width)| Some(row.get(column)?.render(width, titles[column].right, style)))
            .collect();
        text.push_str(&line.row(&cells));
    }
    text.push_str(&line.rule(&widths, line.bottom));
    text
}

fn shown(widths: &[Option<usize>]) -> impl Iterator<Item = (usize, usize)> + '_ {
    widths.iter().enumerate().filter_map(|(column, width)| Some((column, (*width)?)))
}

/// The width of each column, `None` for those left out. Cutting goes first, as far as the columns allow; then
/// whole columns go.
fn fit(titles: &[Column], rows: &[Vec<Cell>], room: usize) -> Vec<Option<usize>> {
    let mut widths: Vec<Option<usize>> = titles
        .iter()
        .enumerate()
        .map(|(column, title)| {
            let widest = rows.iter().filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or(0);
            Some(widest.max(columns(title.title)))
        })
        .collect();
    loop {
        let taken: usize = shown(&widths).map(|(_, width)| width + 3).sum::<usize>() + 1;
        let Some(over) = taken.checked_sub(room).filter(|over| *over > 0) else { return widths };
        if shrink(titles, &mut widths, over) {
            continue;
        }
        let lowest = shown(&widths).filter_map(|(column, _)| Some((titles[column].rank?, column))).min();
        let Some((_, column)) = lowest else { return widths };
        widths[column] = None;
    }
}

/// Cuts the widest column that may be cut. Whether there was one.
fn shrink(titles: &[Column], widths: &mut [Option<usize>], over: usize) -> bool {
    let spare =
        |column: usize, width: usize| titles[column].least.map_or(0, |least| width.saturating_sub(least));
    let widest = shown(widths)
        .filter(|(column, width)| spare(*column, *width) > 0)
        .max_by_key(|(_, width)| *width)
        .map(|(column, width)| (column, width - over.min(spare(column, width))));
    match widest {
        Some((column, width)) => {
            widths[column] = Some(width);
            true
        }
        None => false,
    }
}

/// What a box is drawn with.
struct Line {
    top: [&'static str; 3],
    middle: [&'static str; 3],
    bottom: [&'static str; 3],
    across: &'static str,
    down: String,
    style: Style,
}

impl Line {
    fn of(style: Style) -> Self {
        let (top, middle, bottom, across, down) = if style.unicode {
            (["┌", "┬", "┐"], ["├", "┼", "┤"], ["└", "┴", "┘"], "─", "│")
        } else {
            (["+"; 3], ["+"; 3], ["+"; 3], "-", "|")
        };
        Self { top, middle, bottom, across, down: style.paint(Ink::Dim, down).into_owned(), style }
    }

    fn rule(&self, widths: &[Option<usize>], [left, cross, right]: [&str; 3]) -> String {
        let parts: Vec<String> = shown(widths).map(|(_, width)| self.across.repeat(width + 2)).collect();
        format!("{}\n", self.style.paint(Ink::Dim, &format!("{left}{}{right}", parts.join(cross))))
    }

    fn row(&self, cells: &[String]) -> String {
        let down = &self.down;
        format!("{down} {} {down}\n", cells.join(&format!(" {down} ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(width: usize) -> String {
        let titles = [
            Column::new("Name").least(8),
            Column::new("PID").right().rank(2),
            Column::new("Note").least(6).rank(1),
        ];
        let rows = [
            vec![Cell::new("redis"), Cell::new("7"), Cell::new("fine")],
            vec![Cell::new("a-rather-long-name"), Cell::new("12345"), Cell::new("connection refused")],
        ];
        render(&titles, &rows, Style { color: false, unicode: true, width })
    }

    #[test]
    fn a_table_gives_way_instead_of_wrapping() {
        for width in 15..80 {
            for line in sample(width).lines() {
                assert!(columns(line) <= width, "{line} at {width}");
            }
        }
        insta::assert_snapshot!([80, 40, 30, 24].map(sample).join("\n"));
    }
}
