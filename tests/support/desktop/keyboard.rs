//! Keys that are pressed, as the X server has them from a keyboard.

use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ConnectionExt, InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, Keycode, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;

use super::Windows;
use crate::wait_until;

/// Names of keys, of `X11/keysymdef.h`; a letter's is its code point.
const RETURN: u32 = 0xff0d;
const END: u32 = 0xff57;
const SHIFT: u32 = 0xffe1;
const CONTROL: u32 = 0xffe3;

/// A question that stands for so long after it was answered has missed a key.
const MISSED: Duration = Duration::from_secs(5);

impl Windows {
    /// Types in the place of what a question's field holds, and confirms, until the question is gone: one that is still
    /// being drawn may miss a key.
    ///
    /// # Panics
    /// The X server is gone, or its keyboard lacks a character.
    #[track_caller]
    pub fn fill_in(&self, title: &str, text: &str) {
        self.type_into(self.find(title), text);
        let mut typed = Instant::now();
        wait_until(&format!("{title:?} is answered"), || {
            let Some(window) = self.look_for(title) else { return true };
            if typed.elapsed() > MISSED {
                self.type_into(window, text);
                typed = Instant::now();
            }
            false
        });
    }

    /// Gives a window the keyboard, and presses a key there while the control key is held.
    ///
    /// # Panics
    /// The X server is gone, or its keyboard lacks the character.
    #[track_caller]
    pub fn press_control(&self, title: &str, key: char) {
        assert!(self.focus(self.find(title)), "{title:?} has gone");
        self.press(&[CONTROL], u32::from(key));
    }

    /// Gives a window the keyboard, and presses its End key there.
    ///
    /// # Panics
    /// The X server is gone, or its keyboard has no such key.
    #[track_caller]
    pub fn press_end(&self, title: &str) {
        assert!(self.focus(self.find(title)), "{title:?} has gone");
        self.press(&[], END);
    }

    /// Gives a window the keyboard, and types there; a line's end is the Return key.
    ///
    /// # Panics
    /// The X server is gone, or its keyboard lacks a character.
    #[track_caller]
    pub fn type_text(&self, title: &str, text: &str) {
        assert!(self.focus(self.find(title)), "{title:?} has gone");
        self.type_characters(text);
    }

    #[track_caller]
    fn type_characters(&self, text: &str) {
        for character in text.chars() {
            self.press(&[], if character == '\n' { RETURN } else { u32::from(character) });
        }
    }

    #[track_caller]
    fn type_into(&self, window: Window, text: &str) {
        if !self.focus(window) {
            return;
        }
        self.press(&[CONTROL], u32::from('a'));
        self.type_characters(text);
        self.press(&[], RETURN);
    }

    /// There is no window manager that would do it. `false`: it has gone meanwhile.
    #[track_caller]
    fn focus(&self, window: Window) -> bool {
        let focus = self.connection().set_input_focus(InputFocus::PARENT, window, x11rb::CURRENT_TIME);
        focus.expect("an X server").check().is_ok()
    }

    /// A key that is held together with others.
    #[track_caller]
    fn press(&self, held: &[u32], key: u32) {
        let (code, shifted) = self.key(key);
        let mut codes: Vec<Keycode> = held.iter().map(|one| self.key(*one).0).collect();
        codes.extend(shifted.then(|| self.key(SHIFT).0));
        codes.push(code);
        for code in &codes {
            self.fake(KEY_PRESS_EVENT, *code);
        }
        for code in codes.iter().rev() {
            self.fake(KEY_RELEASE_EVENT, *code);
        }
    }

    fn fake(&self, kind: u8, code: Keycode) {
        let fake = self.connection().xtest_fake_input(kind, code, 0, x11rb::NONE, 0, 0, 0);
        fake.expect("an X server").check().expect("a keyboard");
    }

    /// The key that has that name, and whether together with the shift key.
    #[track_caller]
    fn key(&self, name: u32) -> (Keycode, bool) {
        let setup = self.connection().setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let mapping = self.connection().get_keyboard_mapping(first, last - first + 1).expect("an X server");
        let mapping = mapping.reply().expect("a keyboard");
        let width = usize::from(mapping.keysyms_per_keycode);
        for shifted in [false, true] {
            let at = mapping
                .keysyms
                .chunks(width)
                .position(|names| names.get(usize::from(shifted)) == Some(&name));
            if let Some(at) = at {
                return (first + Keycode::try_from(at).expect("of the keyboard"), shifted);
            }
        }
        panic!("no key is {name:#x}");
    }
}
