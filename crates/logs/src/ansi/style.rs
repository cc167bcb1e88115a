//! How text is dressed.

use std::borrow::Cow;

/// A colour of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Color {
    /// One of the terminal's own sixteen, 0 to 15: what it looks like is the terminal's matter.
    Own(u8),
    Rgb(u8, u8, u8),
}

impl Color {
    const NAMES: [&'static str; 16] = [
        "black",
        "red",
        "green",
        "yellow",
        "blue",
        "magenta",
        "cyan",
        "white",
        "bright_black",
        "bright_red",
        "bright_green",
        "bright_yellow",
        "bright_blue",
        "bright_magenta",
        "bright_cyan",
        "bright_white",
    ];

    /// Of xterm's table of 256: the sixteen, a cube of 6 × 6 × 6, 24 greys.
    #[must_use]
    pub fn of_256(number: u8) -> Self {
        let step = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
        match number {
            0..16 => Self::Own(number),
            16..232 => {
                let number = number - 16;
                Self::Rgb(step(number / 36), step(number / 6 % 6), step(number % 6))
            }
            232.. => {
                let grey = 8 + 10 * (number - 232);
                Self::Rgb(grey, grey, grey)
            }
        }
    }

    /// `red`, `bright_red` … for the sixteen, else `#rrggbb`.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Own(number) => Cow::Borrowed(Self::NAMES[usize::from(number % 16)]),
            Self::Rgb(red, green, blue) => Cow::Owned(format!("#{red:02x}{green:02x}{blue:02x}")),
        }
    }
}

/// The look of a piece of text; the default is plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Style {
    pub foreground: Option<Color>,
    pub background: Option<Color>,
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub strikethrough: bool,
    /// Foreground and background have changed places.
    pub inverse: bool,
}

/// A part of a text that looks alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StyledPart {
    /// UTF-16 code units.
    pub length: u32,
    pub style: Style,
}
