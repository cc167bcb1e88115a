//! `forge doctor`: Forge's own health. Looks without starting anything.

use std::fs::TryLockError;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use forge_api::{Code, Host};
use forge_supervisor::home::Home;
use serde::Serialize;
use serde_json::json;

use crate::client::Client;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::view::clean;
use crate::view::style::{Ink, Mark, Style, pad};
use crate::view::words;

/// Of its own log, this much is looked at.
const TAIL: u64 = 64 << 10;
/// Of the problems in it, so many are shown.
const PROBLEMS: usize = 5;
/// A keeper has taken its lock long before.
const YOUNG: Duration = Duration::from_secs(5);
/// Less free space than this is worth a warning: logs of a day fit in it.
const LITTLE: u64 = 1 << 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Good,
    /// As it should be, but worth knowing.
    Note,
    Bad,
}

#[derive(Debug, Serialize)]
struct Finding {
    subject: String,
    verdict: Verdict,
    text: String,
}

impl Finding {
    fn new(subject: &str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self { subject: subject.to_owned(), verdict, text: text.into() }
    }
}

pub(crate) async fn run(context: &Context) -> Outcome {
    let home = &context.home;
    let mut findings = folders(home);
    findings.push(space(home));
    findings.push(supervisor(home).await);
    findings.push(keepers(home));
    findings.extend(own_log(home));
    let well = findings.iter().all(|finding| finding.verdict != Verdict::Bad);
    if context.output.json {
        context.output.document(&json!({"ok": well, "findings": findings}))?;
    } else {
        context.output.text(&page(&findings, context.output.stdout()))?;
    }
    if well { Ok(ExitCode::SUCCESS) } else { Err(Failure::Told(Code::System)) }
}

fn page(findings: &[Finding], style: Style) -> String {
    let widest = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or(0);
    findings
        .iter()
        .map(|finding| {
            let (mark, ink) = match finding.verdict {
                Verdict::Good => (Mark::Good, Ink::Plain),
                Verdict::Note => (Mark::Idle, Ink::Plain),
                Verdict::Bad => (Mark::Bad, Ink::Bad),
            };
            let text = style.folded(&clean::line(&finding.text), widest + 4);
            format!("{} {}  {}\n", style.mark(mark), pad(&finding.subject, widest), style.paint(ink, &text))
        })
        .collect()
}

fn folders(home: &Home) -> Vec<Finding> {
    [
        ("configuration", &home.config),
        ("data", &home.data),
        ("state", &home.state),
        ("runtime", &home.runtime),
    ]
    .map(|(subject, path)| folder(subject, path))
    .into()
}

fn folder(subject: &str, path: &Path) -> Finding {
    let shown = path.display();
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Finding::new(subject, Verdict::Note, format!("{shown} (made when it is needed)"))
        }
        Err(error) => Finding::new(subject, Verdict::Bad, format!("{shown}: {error}")),
        Ok(found) if !found.is_dir() => {
            Finding::new(subject, Verdict::Bad, format!("{shown} is not a folder"))
        }
        Ok(found) => match open_to_others(&found) {
            Some(why) => Finding::new(subject, Verdict::Bad, format!("{shown} {why}")),
            None => Finding::new(subject, Verdict::Good, shown.to_string()),
        },
    }
}

/// Why a folder is not for this user alone.
#[cfg(unix)]
fn open_to_others(found: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let own = rustix::process::getuid().as_raw();
    if found.uid() != own {
        return Some(format!("belongs to user {}, not to you", found.uid()));
    }
    let mode = found.mode() & 0o777;
    (mode & 0o077 != 0).then(|| format!("is open to others (mode {mode:o}, wanted 700)"))
}

#[cfg(not(unix))]
fn open_to_others(_found: &std::fs::Metadata) -> Option<String> {
    None
}

#[cfg(unix)]
fn free(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|folder| folder.exists())?;
    let found = rustix::fs::statvfs(existing).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Not asked on Windows: a full disk is told by the marker in the log.
#[cfg(not(unix))]
fn free(_path: &Path) -> Option<u64> {
    None
}

fn space(home: &Home) -> Finding {
    match free(&home.state) {
        None => Finding::new("disk", Verdict::Note, "free space is not known"),
        Some(bytes) if bytes < LITTLE => Finding::new(
            "disk",
            Verdict::Bad,
            format!("only {} free for logs and state", words::bytes(bytes)),
        ),
        Some(bytes) => Finding::new("disk", Verdict::Good, format!("{} free", words::bytes(bytes))),
    }
}

async fn supervisor(home: &Home) -> Finding {
    let socket = home.socket();
    match Client::connect_if_running(home).await {
        Ok(Some(client)) => {
            let peer = client.peer();
            let host = match (peer.host, peer.background) {
                (Host::Desktop, _) => "the desktop app",
                (Host::Serve, true) => "headless, in the background",
                (Host::Serve, false) => "forge serve",
            };
            let held = words::count(usize::try_from(peer.held).unwrap_or(usize::MAX), "process", "processes");
            let text = format!("{host}, PID {}, version {}, holds {held}", peer.pid, peer.version);
            Finding::new("supervisor", Verdict::Good, text)
        }
        Ok(None) if socket.exists() => {
            let text = format!(
                "none runs; {} is left from one that was killed, the next one replaces it",
                socket.display()
            );
            Finding::new("supervisor", Verdict::Note, text)
        }
        Ok(None) => {
            Finding::new("supervisor", Verdict::Note, "none runs; the next command that needs one starts it")
        }
        Err(error) => Finding::new("supervisor", Verdict::Bad, error.message),
    }
}

/// Run folders whose lock is held: keepers that live, with or without a supervisor.
fn keepers(home: &Home) -> Finding {
    let mut alive = 0;
    let mut folders = 0;
    for boot in children(&home.runs()) {
        for run in children(&boot) {
            folders += 1;
            alive += usize::from(is_locked(&forge_keeper::spec::RunFolder::new(run).lock()));
        }
    }
    let text = format!("{} alive, {}", alive, words::count(folders, "run folder", "run folders"));
    Finding::new("keepers", Verdict::Good, text)
}

fn children(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// Somebody holds it exclusively. Looking takes it for a moment, shared; a keeper that is just starting must not meet
/// that, so a young lock is taken for a held one.
fn is_locked(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else { return false };
    let age =
        file.metadata().and_then(|found| found.modified()).map(|made| made.elapsed().unwrap_or_default());
    age.is_ok_and(|age| age < YOUNG) || matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The last problems in the supervisor's own log.
fn own_log(home: &Home) -> Vec<Finding> {
    let path = home.own_log();
    let Some(text) = tail(&path) else {
        return vec![Finding::new("log", Verdict::Note, format!("{} (nothing yet)", path.display()))];
    };
    let problems: Vec<&str> = text.lines().filter(|line| is_problem(line)).collect();
    let mut findings = vec![Finding::new("log", Verdict::Good, path.display().to_string())];
    for line in &problems[problems.len().saturating_sub(PROBLEMS)..] {
        findings.push(Finding::new("", Verdict::Note, (*line).to_owned()));
    }
    findings
}

/// A line of the supervisor's own log that warns: `TIME LEVEL WHERE: …`. What programs said may be quoted behind it.
fn is_problem(line: &str) -> bool {
    matches!(line.split_whitespace().nth(1), Some("ERROR" | "WARN"))
}

/// The end of a file, from the beginning of a line.
fn tail(path: &Path) -> Option<String> {
    let mut file = std::fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let from = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if from == 0 {
        return Some(text);
    }
    Some(text.split_once('\n').map_or_else(String::new, |(_, rest)| rest.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_said_is_no_problem_of_forges() {
        for (line, expected) in [
            ("2026-11-25T22:00:00.000000Z  WARN forge_supervisor::core: dev/a: not watched", true),
            ("2026-11-25T22:00:00.000000Z ERROR forge_supervisor::host: the disk is full", true),
            (
                "2026-11-25T22:00:00.000000Z  INFO forge_supervisor::core: dev/worker: log WARN order 105",
                false,
            ),
            ("WARN", false),
            ("", false),
        ] {
            assert_eq!(is_problem(line), expected, "{line:?}");
        }
    }
}
