//! Descendants that are hard to end.

use std::process::{Child, Command, Stdio};
use std::thread;

use crate::Failure;
use crate::steps::{Arguments, goes_on};

pub(crate) fn step(step: &str, rest: &mut Arguments<'_>) -> Result<(), Failure> {
    match step {
        "spawn" => drop(child(rest.block(step)?)?),
        "setsid" => drop(in_session(rest.block(step)?)?),
        "double-fork" => daemonise(rest.block(step)?)?,
        "respawn" => respawn(rest.block(step)?.to_vec()),
        "become-session" => drop(rustix::process::setsid()?),
        "become-root" => {
            let root = rustix::process::Uid::ROOT;
            rustix::thread::set_thread_res_uid(root, root, root)?;
        }
        _ => return fork_bomb(rest.value(step)?),
    }
    Ok(())
}

/// A child of the same group and session, which does `steps`.
fn child(steps: &[String]) -> Result<Child, Failure> {
    Ok(Command::new(std::env::current_exe()?).args(steps).spawn()?)
}

/// The same in a session of its own, out of reach of a signal to the group.
fn in_session(steps: &[String]) -> Result<Child, Failure> {
    Ok(Command::new(std::env::current_exe()?).arg("become-session").args(steps).spawn()?)
}

/// What daemons do: the parent between is gone, the session is new, nothing of the terminal is kept.
pub(crate) fn daemonise(steps: &[String]) -> Result<(), Failure> {
    let mut between = Command::new(std::env::current_exe()?)
        .args(["become-session", "spawn", "begin"])
        .args(steps)
        .arg("end")
        .stdin(Stdio::null())
        .spawn()?;
    between.wait()?;
    Ok(())
}

/// Starts its child again whenever that ends: killing leaves first does not end such a tree.
fn respawn(steps: Vec<String>) {
    thread::spawn(move || {
        while let Ok(mut child) = child(&steps) {
            if child.wait().is_err() {
                break;
            }
        }
    });
    goes_on();
}

/// `size` processes in all, as a binary tree; all but the first ignore TERM.
fn fork_bomb(size: u32) -> Result<(), Failure> {
    let left = size.saturating_sub(1);
    for part in [left / 2, left - left / 2] {
        if part > 0 {
            drop(child(&["ignore".into(), "TERM".into(), "fork-bomb".into(), part.to_string()])?);
        }
    }
    goes_on();
    Ok(())
}
