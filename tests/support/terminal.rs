//! A program on a terminal of its own, seen as a person sees it.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::wait::wait_for;

/// The screen, the keyboard and the program. Dropping it kills the program.
pub struct Terminal {
    parser: Arc<Mutex<vt100::Parser>>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Terminal showing\n{}", self.screen())
    }
}

impl Terminal {
    /// Runs `program` on 24 rows of 80 columns.
    ///
    /// # Panics
    /// There is no terminal to be had, or the program does not start.
    #[must_use]
    pub fn spawn<S: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = S>,
        environment: impl IntoIterator<Item = (String, String)>,
        folder: &Path,
    ) -> Self {
        let pair = native_pty_system().openpty(size(24, 80)).expect("a terminal");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        command.env("TERM", "xterm-256color");
        for (name, value) in environment {
            command.env(name, value);
        }
        command.cwd(folder);
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let parser = Arc::new(Mutex::new(vt100::Parser::new(24, 80, 1000)));
        let mut output = pair.master.try_clone_reader().expect("the terminal's output");
        let shown = Arc::clone(&parser);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                shown.lock().expect("only fed").process(&buffer[..count]);
            }
        });
        let keyboard = pair.master.take_writer().expect("the terminal's input");
        Self { parser, master: pair.master, keyboard, child }
    }

    /// The text on the screen.
    #[must_use]
    pub fn screen(&self) -> String {
        self.parser.lock().expect("only fed").screen().contents()
    }

    /// Whether anything on the screen has a colour of its own.
    #[must_use]
    pub fn is_colored(&self) -> bool {
        let parser = self.parser.lock().expect("only fed");
        let (screen, plain) = (parser.screen(), vt100::Color::Default);
        let (rows, columns) = screen.size();
        let mut cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        cells.any(|(row, column)| {
            screen.cell(row, column).is_some_and(|cell| cell.fgcolor() != plain || cell.bgcolor() != plain)
        })
    }

    /// Types `text`.
    ///
    /// # Panics
    /// The terminal is gone.
    pub fn type_text(&mut self, text: &str) {
        self.keyboard
            .write_all(text.as_bytes())
            .and_then(|()| self.keyboard.flush())
            .expect("the terminal lives");
    }

    /// Gives it another size.
    ///
    /// # Panics
    /// The terminal is gone.
    pub fn resize(&self, rows: u16, columns: u16) {
        self.master.resize(size(rows, columns)).expect("the terminal lives");
        self.parser.lock().expect("only fed").screen_mut().set_size(rows, columns);
    }

    /// Waits until `text` is on the screen.
    ///
    /// # Panics
    /// It never is.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait_screen(&format!("{text:?} on the screen"), |screen| screen.contains(text));
    }

    /// The screen, once `fits` holds for it.
    ///
    /// # Panics
    /// It never does: says `what`, and what was on the screen instead.
    #[track_caller]
    pub fn wait_screen(&self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let until = std::time::Instant::now() + crate::DEADLINE;
        loop {
            let screen = self.screen();
            if fits(&screen) {
                return screen;
            }
            assert!(std::time::Instant::now() < until, "{what} never came:\n{screen}");
            thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Waits for the program's end: its exit code.
    ///
    /// # Panics
    /// It does not end.
    #[track_caller]
    pub fn wait_exit(&mut self) -> u32 {
        let child = &mut self.child;
        wait_for("the program on the terminal ends", || child.try_wait().expect("our child")).exit_code()
    }

    /// Whether line editing and echo are on, as they are where no program took them away.
    #[must_use]
    pub fn is_cooked(&self) -> bool {
        use rustix::termios::{LocalModes, tcgetattr};
        let Some(raw) = self.master.as_raw_fd() else { return false };
        // The descriptor is named by its number: the crate gives no borrowed one.
        let Ok(file) = std::fs::File::open(format!("/proc/self/fd/{raw}")) else { return false };
        tcgetattr(&file).is_ok_and(|modes| modes.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}

const fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
