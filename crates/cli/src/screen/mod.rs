//! The whole terminal for a while: what `forge monitor` and the log view are shown on.
//!
//! Both are a pure model (a key or a message in, effects out) and a pure picture of it ([`View`]); this is the thin
//! part around them. Nothing is drawn that has not changed: the terminal gets the difference of two pictures.

mod ink;
mod keyboard;
mod link;
mod picture;
mod prompt;
#[cfg(unix)]
mod suspend;

pub(crate) use ink::{Palette, bar, chart, spark};
pub(crate) use keyboard::{Keyboard, is_interrupt};
pub(crate) use link::{Heard, Link};
pub(crate) use picture::View;
#[cfg(test)]
pub(crate) use picture::shown;
pub(crate) use prompt::{Prompt, Typed};

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use crossterm::{cursor, execute, terminal};
use forge_api::Error;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};

/// The mouse wheel moves as the arrow keys do (xterm's alternate scroll), so that text can still be selected.
const WHEEL_IS_ARROWS: &str = "\x1b[?1007h";
const WHEEL_IS_WHEEL: &str = "\x1b[?1007l";

/// The alternate screen, the keyboard raw. Dropping it puts everything back.
#[derive(Debug)]
pub(crate) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

/// Whether there is a terminal to draw on and to type at.
pub(crate) fn is_available() -> bool {
    io::stdin().is_terminal()
        && io::stdout().is_terminal()
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb" && !term.is_empty())
}

impl Screen {
    /// # Errors
    /// The terminal refuses.
    pub(crate) fn enter() -> Result<Self, Error> {
        restore_on_panic();
        take_over().map_err(|error| Error::system("taking the terminal over", error))?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(32 << 10, io::stdout()));
        let terminal = Terminal::new(backend);
        terminal.map(|terminal| Self { terminal }).map_err(|error| {
            give_back();
            Error::system("the terminal", error)
        })
    }

    /// Draws what is different from before.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn draw(&mut self, picture: impl FnOnce(Rect) -> View) -> io::Result<()> {
        execute!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| {
            let area = frame.area();
            let view = picture(area);
            view.render(area, frame.buffer_mut());
            if let Some((x, y)) = view.cursor {
                frame.set_cursor_position(Position::new(x, y));
            }
        })?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// The shell has the terminal until somebody continues us (`fg`).
    ///
    /// # Errors
    /// The terminal is gone.
    #[cfg(unix)]
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        give_back();
        suspend::stop_ourselves();
        take_over()?;
        self.terminal.clear()
    }

    /// There is no such thing here.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take_over() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    let mut stdout = io::stdout().lock();
    let entered = execute!(stdout, terminal::EnterAlternateScreen, cursor::Hide)
        .and_then(|()| stdout.write_all(WHEEL_IS_ARROWS.as_bytes()))
        .and_then(|()| stdout.flush());
    if entered.is_err() {
        drop(stdout);
        give_back();
    }
    entered
}

/// Best effort: a terminal that is gone needs nothing.
fn give_back() {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(WHEEL_IS_WHEEL.as_bytes());
    let _ = execute!(stdout, EndSynchronizedUpdate, cursor::Show, terminal::LeaveAlternateScreen);
    drop(stdout);
    let _ = terminal::disable_raw_mode();
}

/// What a panic says must be readable, and the shell usable after it.
fn restore_on_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
    });
}
