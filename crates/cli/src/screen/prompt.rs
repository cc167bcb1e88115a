//! One line that is being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Longer ones are mistakes.
const LONGEST: usize = 1000;

/// The text, edited at its end as one does in a search box.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    text: String,
}

/// What a key did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    Edited,
    Done,
    Left,
}

impl Prompt {
    pub(crate) fn with(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Takes a key: letters, Backspace, Ctrl-W, Ctrl-U; Enter is done, Escape or Ctrl-C leaves.
    pub(crate) fn key(&mut self, key: KeyEvent) -> Typed {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Typed::Done,
            KeyCode::Esc => return Typed::Left,
            KeyCode::Char('c' | 'g') if control => return Typed::Left,
            KeyCode::Char('u') if control => self.text.clear(),
            KeyCode::Char('w') if control => {
                let kept = self.text.trim_end().rfind(' ').map_or(0, |space| space + 1);
                self.text.truncate(kept);
            }
            KeyCode::Char('h') if control => drop(self.text.pop()),
            KeyCode::Backspace if self.text.is_empty() => return Typed::Left,
            KeyCode::Backspace => drop(self.text.pop()),
            KeyCode::Char(character) if !control && self.text.len() < LONGEST => self.text.push(character),
            _ => {}
        }
        Typed::Edited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_at_its_end() {
        let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        let mut prompt = Prompt::with("a bc");
        for (key, typed, text) in [
            (plain(KeyCode::Char('ü')), Typed::Edited, "a bcü"),
            (plain(KeyCode::Backspace), Typed::Edited, "a bc"),
            (control('w'), Typed::Edited, "a "),
            (plain(KeyCode::Enter), Typed::Done, "a "),
            (control('u'), Typed::Edited, ""),
            (plain(KeyCode::Backspace), Typed::Left, ""),
            (plain(KeyCode::Esc), Typed::Left, ""),
            (control('c'), Typed::Left, ""),
        ] {
            assert_eq!((prompt.key(key), prompt.text()), (typed, text), "{key:?}");
        }
    }
}
