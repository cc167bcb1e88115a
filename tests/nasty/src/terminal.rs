//! What needs somebody on the other side.

use std::io::{self, BufRead, Write};
use std::thread;

use signal_hook::consts::SIGWINCH;
use signal_hook::iterator::Signals;

use crate::Failure;
use crate::steps::goes_on;

pub(crate) fn step(step: &str) -> Result<(), Failure> {
    match step {
        "prompt" => prompt(),
        "echo" => echo(),
        _ => size(),
    }
}

fn prompt() -> Result<(), Failure> {
    print!("name? ");
    io::stdout().flush()?;
    let mut name = String::new();
    io::stdin().lock().read_line(&mut name)?;
    println!("hello {}", name.trim_end());
    Ok(())
}

fn echo() -> Result<(), Failure> {
    for line in io::stdin().lock().lines() {
        println!("got: {}", line?);
    }
    println!("end of input");
    Ok(())
}

/// Now, and whenever it changes.
fn size() -> Result<(), Failure> {
    let mut changes = Signals::new([SIGWINCH])?;
    tell_size()?;
    thread::spawn(move || {
        for _ in changes.forever() {
            if tell_size().is_err() {
                break;
            }
        }
    });
    goes_on();
    Ok(())
}

fn tell_size() -> Result<(), Failure> {
    let size = rustix::termios::tcgetwinsize(io::stdout())?;
    println!("size {} rows {} columns", size.ws_row, size.ws_col);
    Ok(())
}
