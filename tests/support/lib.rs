//! What the end-to-end tests share: a [`World`] in which whole programs run, and ways to look at it that do not go
//! through Forge's own code.
//!
//! Nothing here waits for a time; everything waits for a condition, with a generous deadline. What a test started
//! is found again by marks in its environment and its start time, never by a name.
#![cfg(unix)]
#![allow(clippy::print_stderr, reason = "what a failed test says, and skipped tests say why")]

mod binaries;
#[cfg(target_os = "linux")]
pub mod desktop;
mod docker;
mod flood;
mod invocation;
mod ports;
mod processes;
mod rpc;
mod segments;
mod terminal;
mod wait;
mod web;
mod world;

pub use binaries::{forge, keeper, nasty};
pub use docker::FakeDocker;
pub use flood::Flood;
pub use invocation::{Invocation, Outcome, Running};
pub use ports::Ports;
pub use processes::{Process, marked, send_signal};
pub use rpc::Rpc;
pub use rustix::process::Signal;
pub use segments::{Entry, Line, assert_sequence, entries, join, sequence};
pub use serde_json::{Value, json};
pub use terminal::Terminal;
pub use tungstenite;
pub use wait::{DEADLINE, wait_for, wait_until};
pub use web::{Reply, Session, Web};
pub use world::World;

/// Says that a test did not run, and why. `cargo xtask test` names a file for such lines, shows them at its end, and
/// takes them for failures where everything is meant to be there.
pub fn skip(test: &str, why: &str) {
    let line = format!("{test}: {why}\n");
    eprint!("SKIPPED {line}");
    let Some(path) = std::env::var_os("FORGE_TESTS_SKIPPED") else { return };
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    if let Err(error) = file.and_then(|mut file| std::io::Write::write_all(&mut file, line.as_bytes())) {
        eprintln!("and that could not be written down: {error}");
    }
}
