//! Prints what `cargo xtask generate` makes from types: with `schema` the JSON schema of `processes.yml`, with
//! `typescript` the wire for the window.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("schema") => print!("{}", forge_config::schema::schema()),
        Some("typescript") => print!("{}", forge_api::typescript::document()),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}
