//! What it does about signals.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::{process, thread};

use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use crate::steps::{Arguments, goes_on};
use crate::{Failure, files, output, trees};

pub(crate) fn step(step: &str, rest: &mut Arguments<'_>) -> Result<(), Failure> {
    match step {
        "ignore" => {
            signal_hook::flag::register(number(rest.text(step)?)?, Arc::new(AtomicBool::new(false)))?;
        }
        "report" => {
            let name = rest.text(step)?;
            on(number(name)?, {
                let text = format!("got {name}");
                move || {
                    // Nobody may be left to read it; it goes on all the same.
                    let _told = output::line(&text, false);
                }
            })?;
        }
        "term-writes" => {
            let lines: u32 = rest.value(step)?;
            on(SIGTERM, move || {
                for number in 0..lines {
                    let _told = output::line(&format!("goodbye {number}"), false);
                }
                process::exit(0);
            })?;
        }
        "term-appends" => {
            let (file, text) = (rest.text(step)?.to_owned(), rest.text(step)?.to_owned());
            on(SIGTERM, move || process::exit(i32::from(files::append(&file, &text).is_err())))?;
        }
        "daemonise-on-term" => {
            let steps = rest.block(step)?.to_vec();
            on(SIGTERM, move || {
                let left = trees::daemonise(&steps);
                process::exit(i32::from(left.is_err()));
            })?;
        }
        _ => {
            let signal = number(rest.text(step)?)?;
            let signal = rustix::process::Signal::from_named_raw(signal).ok_or("no such signal")?;
            // Twice: at the first SIGSEGV, the standard library's own handler takes itself away and goes on.
            for _ in 0..2 {
                rustix::process::kill_process(rustix::process::getpid(), signal)?;
            }
        }
    }
    Ok(())
}

/// Runs `act` at every `signal`, in a thread.
fn on(signal: i32, mut act: impl FnMut() + Send + 'static) -> Result<(), Failure> {
    let mut signals = Signals::new([signal])?;
    thread::spawn(move || signals.forever().for_each(|_| act()));
    goes_on();
    Ok(())
}

fn number(name: &str) -> Result<i32, Failure> {
    use signal_hook::consts::{
        SIGABRT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGSEGV, SIGUSR1, SIGUSR2, SIGWINCH,
    };
    Ok(match name {
        "TERM" => SIGTERM,
        "INT" => SIGINT,
        "HUP" => SIGHUP,
        "QUIT" => SIGQUIT,
        "KILL" => SIGKILL,
        "USR1" => SIGUSR1,
        "USR2" => SIGUSR2,
        "SEGV" => SIGSEGV,
        "ABRT" => SIGABRT,
        "WINCH" => SIGWINCH,
        other => return Err(format!("no signal is called {other:?}").into()),
    })
}
