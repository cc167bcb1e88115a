//! Starting programs: the child itself, a container's command, and a supervisor.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use forge_keeper::record::Record;
use forge_keeper::spec::Spec;
use forge_system::{ProcessId, tree};
use rustix::fs::Mode;

use super::{hygiene, terminal};
use crate::journal;

/// The entry of the child's environment that marks what belongs to a run.
const MARK: &str = "FORGE_RUN";

/// The child's side of its streams.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
}

/// The whole entry of the environment that processes of this run carry.
pub(super) fn mark(spec: &Spec) -> String {
    format!("{MARK}={}", spec.run)
}

/// Starts the child. It writes [`Record::Started`] to `events` itself, right before it becomes the command: so there
/// is never a command that runs without its record. It also holds the run's lock until then, by inheriting it: who
/// gets the lock after this keeper was killed finds the record there, or no child.
pub(super) fn start(spec: &Spec, streams: Streams, events: &File, umask: Mode) -> io::Result<ProcessId> {
    let (program, arguments) = spec.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&spec.cwd);
    set_environment(&mut command, spec);
    command.stdin(streams.stdin).stdout(streams.stdout).stderr(streams.stderr);
    let events = events.try_clone()?;
    let tty = spec.tty;
    // SAFETY: a keeper has one thread, so that after the fork the heap is whole and no lock is held.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            if tty {
                rustix::process::ioctl_tiocsctty(io::stdin())?;
            }
            hygiene::reset_signals();
            rustix::process::umask(umask);
            record_start(&events);
            Ok(())
        });
    }
    let pid = command.spawn()?.id();
    // Not reaped yet, so it is there, dead or alive.
    ProcessId::of(pid)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Runs in the child. On a full disk the keeper records the start itself, a moment later.
fn record_start(mut events: &File) {
    let Ok(own) = ProcessId::current() else { return };
    let started = Record::Started { pid: own.pid, start: own.start, time: now() };
    let _ = io::Write::write(&mut events, &journal::line(&started));
}

fn set_environment(command: &mut Command, spec: &Spec) {
    command.env_clear();
    if spec.tty {
        command.env("TERM", terminal::TERM);
    }
    for (name, value) in spec.env.iter().filter(|(name, _)| is_name(name)) {
        command.env(name, value);
    }
    command.env(MARK, &spec.run);
}

/// What `Command` can pass on.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('=')
}

/// Starts a container's stop or kill command, whose complaints go to the keeper's log.
pub(super) fn start_container_command(spec: &Spec, argv: &[String], umask: Mode) -> io::Result<ProcessId> {
    let mut command = detached(argv, umask)?;
    set_environment(&mut command, spec);
    command
        .env_remove(MARK)
        .current_dir(&spec.cwd)
        .stderr(Stdio::from(io::stderr().as_fd().try_clone_to_owned()?));
    let pid = command.spawn()?.id();
    ProcessId::of(pid)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Starts a supervisor that is no child of this keeper, and no part of the tree that it holds.
pub(super) fn start_supervisor(argv: &[String], umask: Mode) -> io::Result<()> {
    let mut command = detached(argv, umask)?;
    // SAFETY: as in `start`. The process in between ends at once, by a call that runs nothing of this program.
    unsafe {
        command.pre_exec(|| match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => Ok(()),
            _ => libc::_exit(0),
        });
    }
    tree::step_aside(|| command.spawn()?.wait()).map(drop)
}

/// A command in a session of its own, with null streams and nothing of the keeper's signal settings.
fn detached(argv: &[String], umask: Mode) -> io::Result<Command> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: as in `start`.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            hygiene::reset_signals();
            rustix::process::umask(umask);
            Ok(())
        });
    }
    Ok(command)
}

/// Nanoseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
