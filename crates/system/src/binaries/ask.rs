//! Asking a program for its version.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Version;
use crate::process::{ProcessId, Watch};

/// The spellings that are in use: GNU's, Java's and nginx's, Go's and OpenSSL's.
const QUESTIONS: [&str; 3] = ["--version", "-version", "version"];

/// Who says more than this about its version says something else.
const ENOUGH: usize = 16 * 1024;

/// Asks `program` with `--version`, then `-version`, then `version`, until one succeeds and prints something like a version.
///
/// It runs with an empty stdin, in a process group of its own that is ended with it. One that has not answered after `limit`
/// is ended too, and is not asked again: it may have taken the question for an order.
pub fn version(program: &Path, limit: Duration) -> Option<Version> {
    version_with(program, limit, |_| {})
}

/// As [`version`], with the environment and the working directory that `prepare` gives the command: a script may need its own
/// `PATH`, and a version manager's shim answers for the folder that it is in.
pub fn version_with(program: &Path, limit: Duration, prepare: impl Fn(&mut Command)) -> Option<Version> {
    for question in QUESTIONS {
        let mut command = Command::new(program);
        prepare(command.arg(question));
        match ask(command, Instant::now() + limit) {
            Answer::Said(text) => {
                if let Some(version) = Version::find_in(&text) {
                    return Some(version);
                }
            }
            Answer::Refused => {}
            Answer::Silent => return None,
        }
    }
    None
}

enum Answer {
    /// It succeeded, with this output.
    Said(String),
    /// It failed.
    Refused,
    /// It could not be started, or did not end in time.
    Silent,
}

fn ask(command: Command, until: Instant) -> Answer {
    let Ok((reader, mut child)) = start(command) else { return Answer::Silent };
    let output = read(reader, until);
    let ended = ends_by(&child, until);
    // Also what it may have left behind. It is not reaped yet, so that its PID still means its group.
    end_group(&mut child);
    match child.wait() {
        Ok(status) if ended && status.success() => Answer::Said(output),
        Ok(_) if ended => Answer::Refused,
        _ => Answer::Silent,
    }
}

/// Both streams in one pipe: some print their version on stderr.
fn start(mut command: Command) -> std::io::Result<(std::io::PipeReader, Child)> {
    let (reader, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    {
        use windows_sys::Win32::System::Threading::{CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW};
        std::os::windows::process::CommandExt::creation_flags(
            &mut command,
            CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW,
        );
    }
    let child = command.spawn()?;
    Ok((reader, child))
}

/// What comes until the end, `until` or [`ENOUGH`]. Read on a thread of its own, which ends at the latest with the last
/// process that has the pipe open.
fn read(mut reader: impl Read + Send + 'static, until: Instant) -> String {
    let (sender, chunks) = mpsc::channel();
    // Where no thread can be had, the channel is closed at once, and nothing was said.
    let _ = std::thread::Builder::new().name("version".into()).spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(length @ 1..) = reader.read(&mut chunk) {
            if sender.send(chunk[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut output = Vec::new();
    while output.len() < ENOUGH
        && let Ok(chunk) = chunks.recv_timeout(until.saturating_duration_since(Instant::now()))
    {
        output.extend(chunk);
    }
    String::from_utf8_lossy(&output).into_owned()
}

fn ends_by(child: &Child, until: Instant) -> bool {
    let watch = ProcessId::of(child.id()).ok().flatten().and_then(|id| Watch::open(id).ok().flatten());
    watch.is_some_and(|watch| watch.wait(until.saturating_duration_since(Instant::now())).unwrap_or(false))
}

#[cfg(unix)]
fn end_group(child: &mut Child) {
    // Fails if the group is gone, which is what is wanted.
    let _ = crate::process::unix::kill(-child.id().cast_signed(), crate::Signal::KILL);
}

#[cfg(windows)]
fn end_group(child: &mut Child) {
    let id = ProcessId::of(child.id()).ok().flatten();
    if let Some(id) = id {
        let soon = Instant::now() + Duration::from_millis(500);
        let _ = crate::tree::Tree::of(id).kill_all(soon, || {});
    }
    let _ = child.kill();
}
