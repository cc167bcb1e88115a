//! A command that exits 0.

use std::process::ExitStatus;
use std::time::Duration;

use forge_config::model::Command;
use forge_config::shell;
use forge_system::Exit;

use super::program::{self, Ended, Group};
use super::{Answer, Context, text};
use crate::words;

/// What is kept of a command's output, each stream.
const KEEP: usize = 8 * 1024;

/// What `pg_isready` says after host and port.
const PG_ISREADY: &str = " - accepting connections";

/// Runs it in its process's folder and environment. Its last line is the message.
pub(super) async fn ask(command: &Command, limit: Duration, context: &Context) -> Answer {
    match run(command, limit, context).await {
        Ok(ended) => answer(&ended, limit),
        Err(reason) => Answer::unhealthy(reason),
    }
}

/// Why it did not end with 0 within the limit.
pub(super) async fn failure(command: &Command, limit: Duration, context: &Context) -> Option<String> {
    match run(command, limit, context).await {
        Ok(ended) if ended.status.is_some_and(|status| status.success()) => None,
        Ok(ended) => Some(why(&ended, limit)),
        Err(reason) => Some(reason),
    }
}

/// What it printed on its standard output (the end of it), or why it did not end with 0 within the limit.
pub(super) async fn output(command: &Command, limit: Duration, context: &Context) -> Result<Vec<u8>, String> {
    let ended = run(command, limit, context).await?;
    match ended.status {
        Some(status) if status.success() => Ok(ended.stdout),
        _ => Err(why(&ended, limit)),
    }
}

fn why(ended: &Ended, limit: Duration) -> String {
    match ended.status {
        None => format!("has not ended after {}", words::duration(limit)),
        Some(status) => failed(status, ended),
    }
}

async fn run(command: &Command, limit: Duration, context: &Context) -> Result<Ended, String> {
    let argv = shell::argv(command).argv;
    let Some((program, arguments)) = argv.split_first() else {
        return Err("the command is empty".to_owned());
    };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).current_dir(&context.cwd).env_clear();
    command.envs(context.env.iter().map(|(name, value)| (name, value)));
    program::run(command, Group::Own, limit, KEEP).await.map_err(|error| {
        if context.cwd.is_dir() {
            format!("cannot run `{program}`: {}", text::error(&error))
        } else {
            format!("cannot run in {}: there is no such folder", context.cwd.display())
        }
    })
}

fn answer(ended: &Ended, limit: Duration) -> Answer {
    let out = text::last_line(&ended.stdout);
    let detail = [text::plain(&ended.stdout), text::plain(&ended.stderr)].concat();
    let answer = match ended.status {
        None => Answer::late(limit),
        Some(status) if status.success() => Answer::healthy(match out.as_str() {
            "" => "Exited with 0",
            out if out.ends_with(PG_ISREADY) => "Accepting connections",
            out => out,
        }),
        // The process itself has not exited: say who did.
        Some(status) => Answer::unhealthy(format!("the health check's command {}", failed(status, ended))),
    };
    answer.detail(detail.trim())
}

/// `exited with 1: no response`.
fn failed(status: ExitStatus, ended: &Ended) -> String {
    let how = match Exit::from(status) {
        Exit::Code(code) => format!("exited with {code}"),
        Exit::Signal(signal) => format!("was killed by {signal}"),
    };
    let (out, err) = (text::last_line(&ended.stdout), text::last_line(&ended.stderr));
    let line = if err.is_empty() { out } else { err };
    if line.is_empty() { how } else { format!("{how}: {line}") }
}
