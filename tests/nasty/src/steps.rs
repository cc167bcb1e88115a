//! The little language of the arguments.

use std::process::ExitCode;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::{Failure, docker, files, output, serve, signals, terminal, trees};

/// Something goes on in a thread: the end of the steps is not the end of the program.
static BACKGROUND: AtomicBool = AtomicBool::new(false);

/// Called by steps that go on in the background.
pub(crate) fn goes_on() {
    BACKGROUND.store(true, Ordering::Relaxed);
}

/// Does all steps.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    let mut rest = Arguments(arguments);
    while let Some(step) = rest.next() {
        if let Some(code) = one(step, &mut rest)? {
            return Ok(code);
        }
    }
    if BACKGROUND.load(Ordering::Relaxed) {
        forever();
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn forever() -> ! {
    loop {
        thread::park();
    }
}

fn one(step: &str, rest: &mut Arguments<'_>) -> Result<Option<ExitCode>, Failure> {
    match step {
        "print" => output::line(&files::fill(rest.text("print")?), false)?,
        "eprint" => output::line(&files::fill(rest.text("eprint")?), true)?,
        "count" => output::count(Some(rest.value("count")?), rest)?,
        "flood" => output::count(None, rest)?,
        "long-line" => output::long_line(rest.value("long-line")?)?,
        "garbage" => output::garbage()?,
        "pour" => output::pour(rest.text("pour")?)?,
        "close-stdout" => output::close()?,
        "sleep" => thread::sleep(Duration::from_millis(rest.value("sleep")?)),
        "forever" => forever(),
        "spin" => loop {
            std::hint::spin_loop();
        },
        "exit" => return Ok(Some(ExitCode::from(rest.value::<u8>("exit")?))),
        "crash-n-times" => {
            let file = rest.text("crash-n-times")?;
            if files::one_less_than(file, rest.value("crash-n-times")?)? {
                return Ok(Some(ExitCode::FAILURE));
            }
        }
        "ignore" | "report" | "signal-self" | "term-writes" | "term-appends" | "daemonise-on-term" => {
            signals::step(step, rest)?
        }
        "spawn" | "setsid" | "double-fork" | "respawn" | "fork-bomb" | "become-session" | "become-root" => {
            trees::step(step, rest)?
        }
        "listen" => serve::listen(rest)?,
        "prompt" | "echo" | "tty-size" => terminal::step(step)?,
        "pid" => output::line(&std::process::id().to_string(), false)?,
        "cwd" => output::line(&std::env::current_dir()?.display().to_string(), false)?,
        "env" => output::environment(rest)?,
        "touch" => drop(std::fs::OpenOptions::new().create(true).append(true).open(rest.text("touch")?)?),
        "append" => files::append(rest.text("append")?, rest.text("append")?)?,
        "alone" => files::alone(rest.text("alone")?)?,
        "wait-for" => files::wait_for(rest.text("wait-for")?),
        "eat-memory" => eat_memory(rest.value("eat-memory")?),
        "docker-engine" => docker::engine(rest.text("docker-engine")?)?,
        other => return Err(format!("no step is called {other:?}").into()),
    }
    Ok(None)
}

/// Touches every page, and keeps them.
fn eat_memory(megabytes: usize) {
    std::mem::forget(std::hint::black_box(vec![1_u8; megabytes << 20]));
}

/// What is left of the arguments.
#[derive(Debug)]
pub(crate) struct Arguments<'a>(&'a [String]);

impl<'a> Arguments<'a> {
    pub(crate) fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// The next argument, which `step` needs.
    pub(crate) fn text(&mut self, step: &str) -> Result<&'a str, Failure> {
        self.next().ok_or_else(|| format!("{step} wants another argument").into())
    }

    /// The next argument, read as a `T`.
    pub(crate) fn value<T: FromStr>(&mut self, step: &str) -> Result<T, Failure> {
        let text = self.text(step)?;
        text.parse().map_err(|_| format!("{step} can't use {text:?}").into())
    }

    /// The next option (`--name`), if one follows.
    pub(crate) fn option(&mut self) -> Option<&'a str> {
        self.0.first().filter(|next| next.starts_with("--"))?;
        self.next()
    }

    /// The arguments up to the next step's name: those that do not look like options are not taken.
    pub(crate) fn while_upper(&mut self) -> Vec<&'a str> {
        let mut taken = Vec::new();
        while self.0.first().is_some_and(|next| next.starts_with(|c: char| c.is_ascii_uppercase())) {
            taken.extend(self.next());
        }
        taken
    }

    /// The steps between `begin` and its `end`.
    pub(crate) fn block(&mut self, step: &str) -> Result<&'a [String], Failure> {
        if self.next() != Some("begin") {
            return Err(format!("{step} wants begin … end").into());
        }
        let mut depth = 1;
        for (at, word) in self.0.iter().enumerate() {
            match word.as_str() {
                "begin" => depth += 1,
                "end" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let block = &self.0[..at];
                self.0 = &self.0[at + 1..];
                return Ok(block);
            }
        }
        Err(format!("{step}: end is missing").into())
    }
}
