//! The desktop app: a tray icon, a window and notifications around the supervisor, which runs in this program. The
//! shell decides nothing: it shows what the supervisor tells and asks for what is clicked.
//!
//! - `supervision` runs the supervisor; `mirror` follows it for the tray, whose picture, menu and notices are plain
//!   values of `forge-tray`. `tray` and `notification` show them, `errands` does what is clicked there.
//! - `window` makes and ends the webview, `drawing` says by what it draws; `ipc` carries messages between its page and
//!   the supervisor.
//! - `instance` sees to one app for each home, `quit` to its end.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod app;
#[cfg(target_os = "linux")]
mod drawing;
mod errands;
mod instance;
mod ipc;
mod mirror;
mod notification;
mod quit;
mod saving;
mod supervision;
mod tray;
mod window;

use std::io::Write;
use std::process::ExitCode;

use forge_api::Error;
use forge_supervisor::home::Home;
use forge_tray::arguments::{self, Wish};

use instance::Launch;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            tell(&error);
            ExitCode::from(error.code.exit_code())
        }
    }
}

fn run() -> Result<ExitCode, Error> {
    let background = match arguments::parse(std::env::args_os().skip(1))? {
        Wish::Say(text) => {
            // Nobody may be left to read it.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return Ok(ExitCode::SUCCESS);
        }
        Wish::Run { background } => background,
    };
    // Before the folder changes: FORGE_HOME may be relative to the present one.
    let home = Home::locate()?;
    match instance::launch(&home, !background)? {
        Launch::First(instance) => {
            display()?;
            app::run(home, instance, background)
        }
        Launch::Second => Ok(ExitCode::SUCCESS),
    }
}

/// The toolkit aborts where there is no display; that there is none is ours to say.
#[cfg(target_os = "linux")]
fn display() -> Result<(), Error> {
    gtk::init().map_err(|_| {
        let shown = |name| {
            std::env::var(name).map_or_else(|_| format!("no {name}"), |value| format!("{name}={value}"))
        };
        Error::new(
            forge_api::Code::System,
            format!(
                "there is no display to show the app on ({}, {})",
                shown("DISPLAY"),
                shown("WAYLAND_DISPLAY")
            ),
        )
        .help("`forge serve --http 127.0.0.1:0` shows the same in a browser; `forge` works in any terminal")
    })
}

#[cfg(not(target_os = "linux"))]
fn display() -> Result<(), Error> {
    Ok(())
}

fn tell(error: &Error) {
    let help = error.help.as_ref().map(|help| format!("\n  help: {help}")).unwrap_or_default();
    let _ = writeln!(std::io::stderr(), "forge-desktop: {error}{help}");
}
