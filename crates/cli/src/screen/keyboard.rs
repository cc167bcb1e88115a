//! Keys and changes of size, as events.

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

/// Events that may wait until the last picture is drawn.
const WAITING: usize = 256;

/// Reads on a thread of its own: a terminal cannot be read without blocking somewhere. The thread ends with the
/// command.
#[derive(Debug)]
pub(crate) struct Keyboard {
    events: mpsc::Receiver<Event>,
}

impl Keyboard {
    pub(crate) fn listen() -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        std::thread::spawn(move || {
            while let Ok(event) = event::read() {
                if sender.blocking_send(event).is_err() {
                    return;
                }
            }
        });
        Self { events }
    }

    /// A key, or `Ok(None)` for anything else after which the picture is to be drawn again. Dropping the future loses
    /// nothing. `None`: the terminal is gone.
    pub(crate) async fn next(&mut self) -> Option<Option<KeyEvent>> {
        loop {
            match self.events.recv().await? {
                Event::Key(key) if key.kind != KeyEventKind::Release => return Some(Some(key)),
                Event::Resize(..) => return Some(None),
                _ => {}
            }
        }
    }
}

/// Ctrl-C, which is no signal on a raw terminal.
pub(crate) fn is_interrupt(key: KeyEvent) -> bool {
    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)
}
