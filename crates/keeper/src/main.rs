//! `forge-keeper RUN_FOLDER` runs the command of `RUN_FOLDER/spec.json` and holds it: its output, its terminal, its
//! tree and its exit status. `forge-keeper --adopt RUN_FOLDER` does so in place of a keeper that was killed.
//!
//! Exit codes: 0 the run is over · 1 it could not be held, `keeper.log` says why · 2 wrong usage · 3 another keeper
//! has it.
#![allow(
    unsafe_code,
    reason = "what happens between fork and exec, and the Win32 calls, have no safe wrapper"
)]

mod container;
mod ending;
mod journal;
mod partial;
#[cfg(unix)]
#[path = "unix/mod.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod platform;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Wrong usage.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [flag] if flag == "--version" => {
            let _ = writeln!(std::io::stdout(), "forge-keeper {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        [flag, folder] if flag == "--adopt" => platform::hold(Path::new(folder), true),
        [folder] if !folder.to_string_lossy().starts_with('-') => platform::hold(Path::new(folder), false),
        _ => {
            let _ = writeln!(std::io::stderr(), "usage: forge-keeper [--adopt] RUN_FOLDER");
            ExitCode::from(USAGE)
        }
    }
}
