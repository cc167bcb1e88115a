//! One line of a terminal, into which a program draws.

use super::MAX_PARTS;
use super::style::{Style, StyledPart};

/// Columns that a line is made longer by moving beyond its end, in all.
const MAX_FILL: usize = 1024;

/// Columns that are erased from the left for each byte of the line, at most: so that it takes no longer than its length.
const ERASED_A_BYTE: usize = 4;

/// Different looks in one line; later ones are plain.
const MAX_STYLES: usize = 255;

/// Of those, the last ones among which a look is sought: a line of nothing but colours takes no longer than its length.
const RECENT_STYLES: usize = 32;

pub(super) struct Cells {
    characters: Vec<char>,
    /// The look of each character, by its place in `styles` plus one; 0 is plain.
    looks: Vec<u8>,
    styles: Vec<Style>,
    style: Style,
    look: u8,
    cursor: usize,
    /// It stands where a carriage return put it, and no word was written since: see [`Cells::put`].
    returned: bool,
    filled: usize,
    /// Columns that may still be erased from their left: who draws anew writes about as many as he erases.
    erasable: usize,
}

impl Cells {
    /// For a line of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            characters: Vec::with_capacity(bytes),
            looks: Vec::with_capacity(bytes),
            styles: Vec::new(),
            style: Style::default(),
            look: 0,
            cursor: 0,
            returned: false,
            filled: 0,
            erasable: bytes * ERASED_A_BYTE,
        }
    }

    /// Writes a character where the cursor stands.
    ///
    /// A terminal leaves what was there behind it. Programs that draw a line anew count on its being no longer than
    /// what they write, or erase it; of those that do neither, the remains of an older state are nothing to read. So
    /// the first letter or figure behind a return begins a new state. A spinner, which has none, turns before the
    /// words that stand.
    pub(super) fn put(&mut self, character: char) {
        if self.returned && character.is_alphanumeric() {
            self.truncate(self.cursor);
            self.returned = false;
        }
        if self.cursor < self.characters.len() {
            self.characters[self.cursor] = character;
            self.looks[self.cursor] = self.look;
        } else {
            self.characters.push(character);
            self.looks.push(self.look);
        }
        self.cursor += 1;
    }

    pub(super) fn carriage_return(&mut self) {
        self.cursor = 0;
        self.returned = true;
    }

    pub(super) fn back(&mut self, columns: usize) {
        self.cursor = self.cursor.saturating_sub(columns);
    }

    /// Blanks are what stands where nothing was written.
    pub(super) fn forward(&mut self, columns: usize) {
        self.reach(self.cursor.saturating_add(columns));
    }

    pub(super) fn column(&mut self, column: usize) {
        if column == 0 {
            self.carriage_return();
        } else {
            self.reach(column);
        }
    }

    fn reach(&mut self, column: usize) {
        let end = self.characters.len();
        let missing = column.saturating_sub(end).min(MAX_FILL - self.filled);
        self.filled += missing;
        self.characters.resize(end + missing, ' ');
        self.looks.resize(end + missing, 0);
        self.cursor = column.min(end + missing);
    }

    /// 0: from the cursor on; 1: up to it; 2: all.
    pub(super) fn erase(&mut self, what: usize) {
        match what {
            0 => self.truncate(self.cursor),
            1 => {
                let until = self.characters.len().min(self.cursor + 1);
                let Some(left) = self.erasable.checked_sub(until) else { return };
                self.erasable = left;
                self.characters[..until].fill(' ');
                self.looks[..until].fill(0);
            }
            2 => {
                self.truncate(0);
                self.carriage_return();
            }
            _ => {}
        }
    }

    fn truncate(&mut self, length: usize) {
        self.characters.truncate(length);
        self.looks.truncate(length);
        if self.characters.is_empty() {
            self.styles.clear();
            self.look = self.look_of(self.style);
        }
    }

    pub(super) fn set_style(&mut self, change: impl FnOnce(&mut Style)) {
        let before = self.style;
        change(&mut self.style);
        if self.style != before {
            self.look = self.look_of(self.style);
        }
    }

    fn look_of(&mut self, style: Style) -> u8 {
        if style == Style::default() {
            return 0;
        }
        let recent = self.styles.len().saturating_sub(RECENT_STYLES);
        let known = self.styles[recent..].iter().position(|known| *known == style);
        let place = known.map(|place| recent + place).unwrap_or_else(|| {
            if self.styles.len() < MAX_STYLES {
                self.styles.push(style);
                self.styles.len() - 1
            } else {
                usize::MAX
            }
        });
        u8::try_from(place.wrapping_add(1)).unwrap_or(0)
    }

    pub(super) fn text(&self) -> String {
        self.characters.iter().collect()
    }

    pub(super) fn finish(self) -> (String, Vec<StyledPart>) {
        let mut parts: Vec<StyledPart> = Vec::new();
        let mut last = None;
        for (character, look) in self.characters.iter().zip(&self.looks) {
            let units = if u32::from(*character) > 0xffff { 2 } else { 1 };
            if let Some(part) = parts.last_mut().filter(|_| last == Some(look)) {
                part.length += units;
                continue;
            }
            if parts.len() == MAX_PARTS {
                break;
            }
            let place = usize::from(*look).checked_sub(1);
            let style = place.and_then(|place| self.styles.get(place)).copied().unwrap_or_default();
            parts.push(StyledPart { length: units, style });
            last = Some(look);
        }
        while parts.last().is_some_and(|part| part.style == Style::default()) {
            parts.pop();
        }
        (self.text(), parts)
    }
}
