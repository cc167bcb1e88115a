//! The desktop app as it ships, watched from outside: `desktop-watch figures FORGE BARE ROUNDS` for its figures beside
//! those of a bare app, `desktop-watch page` for those of the page in its window, `desktop-watch soak MINUTES` for its memory over a long time, `desktop-watch flood SECONDS` for
//! nothing lost. `cargo xtask bench desktop` and `cargo xtask soak` build all that and run it.
#![expect(clippy::print_stderr, reason = "a program: printing is what it does")]

#[cfg(target_os = "linux")]
mod figures;
#[cfg(target_os = "linux")]
mod page;
#[cfg(target_os = "linux")]
mod soak;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["figures", forge, bare, rounds] => match rounds.parse() {
            Ok(rounds) => figures::print(forge.as_ref(), bare.as_ref(), rounds),
            Err(_) => usage(),
        },
        ["page"] => page::print(),
        ["soak", minutes] => minutes.parse().map_or_else(|_| usage(), soak::run),
        ["flood", seconds] => seconds.parse().map_or_else(|_| usage(), soak::flood),
        _ => usage(),
    }
}

/// Of an odd count, or of what is there.
#[cfg(target_os = "linux")]
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn usage() -> ExitCode {
    eprintln!("desktop-watch figures FORGE BARE ROUNDS | page | soak MINUTES | flood SECONDS");
    ExitCode::from(2)
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("desktop-watch needs an X server and /proc");
    ExitCode::from(2)
}
