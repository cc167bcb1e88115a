//! Meanings and figures as cells: colours, bars, sparklines, charts.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

use crate::view::style::{Ink, Mark, Style as Surface};

/// What the terminal can show, as ratatui's styles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Palette {
    pub(crate) surface: Surface,
}

const RAMP: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_RAMP: [&str; 8] = ["_", ".", ":", "-", "=", "+", "*", "#"];

/// The foregrounds that tell processes apart, in the order of [`Ink::Process`].
const PROCESSES: [Color; Ink::PROCESSES] = [
    Color::Cyan,
    Color::Magenta,
    Color::Blue,
    Color::Green,
    Color::LightCyan,
    Color::LightMagenta,
    Color::LightBlue,
    Color::LightGreen,
];

impl Palette {
    /// Bold, dim and reversed are no colours, and stay where there are none.
    pub(crate) fn style(self, ink: Ink) -> Style {
        let color = match ink {
            Ink::Plain => return Style::new(),
            Ink::Bold => return Style::new().add_modifier(Modifier::BOLD),
            Ink::Dim => return Style::new().add_modifier(Modifier::DIM),
            Ink::Good => Color::Green,
            Ink::Busy => Color::Cyan,
            Ink::Warn => Color::Yellow,
            Ink::Bad => Color::Red,
            Ink::Process(index) => PROCESSES[index % PROCESSES.len()],
        };
        if self.surface.color { Style::new().fg(color) } else { Style::new() }
    }

    pub(crate) fn span(self, ink: Ink, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.style(ink))
    }

    /// One that stands out without a colour: what is selected or found.
    pub(crate) fn reversed(self, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), Style::new().add_modifier(Modifier::REVERSED))
    }

    /// The mark's sign, one column wide.
    pub(crate) fn mark(self, mark: Mark) -> Span<'static> {
        let ink = match mark {
            Mark::Good => Ink::Good,
            Mark::Busy(_) => Ink::Busy,
            Mark::Bad => Ink::Bad,
            Mark::Idle => Ink::Dim,
            Mark::Warn => Ink::Warn,
        };
        let plain = Surface { color: false, ..self.surface };
        self.span(ink, plain.mark(mark).into_owned())
    }

    /// One of two texts: where only ASCII can be shown, the second.
    pub(crate) fn either(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.surface.unicode { unicode } else { ascii }
    }
}

/// `[████░░░░]`, `width` columns wide with its brackets, `share` (0 to 1) of it full.
pub(crate) fn bar(share: f64, width: usize, unicode: bool) -> String {
    let room = width.saturating_sub(2);
    let full = scaled(share, room);
    let (on, off) = if unicode { ("█", "░") } else { ("#", ".") };
    format!("[{}{}]", on.repeat(full), off.repeat(room.saturating_sub(full)))
}

/// One column a value, as high as `top` says; a gap where there is none. The newest value is the last.
pub(crate) fn spark(values: &[Option<f64>], top: f64, unicode: bool) -> String {
    let ramp = if unicode { RAMP } else { ASCII_RAMP };
    let column = |value: &Option<f64>| match value {
        Some(value) => ramp[scaled(value / top.max(f64::MIN_POSITIVE), ramp.len() - 1)],
        None => " ",
    };
    values.iter().map(column).collect()
}

/// Columns of `height` rows, the first row on top; as [`spark`], eight steps in each row.
pub(crate) fn chart(values: &[Option<f64>], top: f64, height: usize, unicode: bool) -> Vec<String> {
    let ramp = if unicode { RAMP } else { ASCII_RAMP };
    let steps: Vec<Option<usize>> = values
        .iter()
        .map(|value| {
            value.map(|value| scaled(value / top.max(f64::MIN_POSITIVE), height * ramp.len()).max(1))
        })
        .collect();
    let row = |row: usize| {
        let below = (height - 1 - row) * ramp.len();
        let cell = |steps: &Option<usize>| match steps.map_or(0, |steps| steps.saturating_sub(below)) {
            0 => " ",
            above => ramp[above.min(ramp.len()) - 1],
        };
        steps.iter().map(cell).collect()
    };
    (0..height).map(row).collect()
}

/// `share` of `whole`, rounded, within 0 and `whole`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "clamped to a few hundred columns"
)]
fn scaled(share: f64, whole: usize) -> usize {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    ((share * whole as f64).round() as usize).min(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_full_as_their_share() {
        for (share, unicode, text) in [
            (0.0, true, "[░░░░]"),
            (0.5, true, "[██░░]"),
            (1.0, true, "[████]"),
            (7.0, true, "[████]"),
            (f64::NAN, true, "[░░░░]"),
            (0.25, false, "[#...]"),
        ] {
            assert_eq!(bar(share, 6, unicode), text, "{share}");
        }
        assert_eq!(bar(0.5, 1, true), "[]", "no room");
    }

    #[test]
    fn sparklines_have_a_column_a_value_and_gaps_where_there_is_none() {
        let values = [Some(0.0), None, Some(50.0), Some(100.0), Some(400.0)];
        assert_eq!(spark(&values, 100.0, true), "▁ ▅██", "Unicode");
        assert_eq!(spark(&values, 100.0, false), "_ =##", "ASCII");
        assert_eq!(spark(&[Some(0.0)], 0.0, true), "▁", "nothing of nothing");
    }

    #[test]
    fn charts_stack_rows_of_eight_steps() {
        let rows = chart(&[Some(0.0), Some(50.0), Some(75.0), Some(100.0), None], 100.0, 2, true);
        assert_eq!(rows, ["  ▄█ ", "▁███ "], "two rows");
    }
}
