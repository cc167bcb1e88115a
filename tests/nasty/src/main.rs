//! A program that misbehaves on demand: what the end-to-end tests put under Forge.
//!
//! Its arguments are steps, done one after the other: `nasty ignore TERM print ready forever`. A step that takes
//! steps of its own has them between `begin` and `end`: `nasty spawn begin forever end exit 0`. Steps that go on in
//! the background (`listen`, `respawn`, what waits for a signal) keep the program alive after the last step.
//! Called by the name `docker`, it is a docker client whose engine is `nasty docker-engine FOLDER`.
//!
//! | step | what it does |
//! | --- | --- |
//! | `print TEXT`, `eprint TEXT` | a line on stdout, on stderr |
//! | `count N [--from A] [--bytes B] [--rate PER_SECOND] [--tag T] [--stderr]` | numbered, padded lines |
//! | `flood [the same options]` | numbered lines for ever |
//! | `long-line BYTES`, `garbage` | one long line; NULs, bad UTF-8, a carriage return, escape sequences |
//! | `pour FILE` | what is in the file, byte for byte |
//! | `prompt`, `echo` | asks `name? ` with no line feed and greets; repeats every line of stdin |
//! | `sleep MS`, `forever`, `spin`, `exit CODE`, `crash-n-times FILE N`, `signal-self SIG` | time and ends |
//! | `ignore SIG`, `report SIG`, `term-writes N`, `term-appends FILE TEXT`, `daemonise-on-term begin … end` | signals |
//! | `spawn`, `setsid`, `double-fork`, `respawn` `begin … end`, `fork-bomb N` | trees |
//! | `listen PORT [--bind ADDR] [--after MS] [--http KIND] [--flip N] [--crash-on PATH]` | servers |
//! | `pid`, `env [NAME]…`, `cwd`, `tty-size` | what it sees of itself |
//! | `touch FILE`, `append FILE TEXT`, `wait-for FILE` | files; `%p` in the text is its PID |
//! | `alone FILE` | holds a lock for life; a second holder is written into the file |
//! | `close-stdout`, `eat-memory MB`, `docker-engine FOLDER` | the rest |
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

mod docker;
mod files;
mod output;
mod serve;
mod signals;
mod steps;
mod terminal;
mod trees;

use std::process::ExitCode;

/// What a step ends with when it cannot be done.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let called = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let done = if called.ends_with("/docker") || called == "docker" {
        docker::client(&arguments)
    } else {
        steps::run(&arguments)
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("nasty: {failure}");
            ExitCode::from(99)
        }
    }
}
