//! A command that exits 0.

use std::time::Duration;

use forge_config::model::Command;
use forge_config::shell;
use forge_system::Exit;

use super::program::{self, Ended, Group};
use super::{Answer, Context, text};

/// What is kept of a command's output, each stream.
const KEEP: usize = 8 * 1024;

/// What `pg_isready` says after host and port.
const PG_ISREADY: &str = " - accepting connections";

/// Runs it in its process's folder and environment. Its last line is the message.
pub(super) async fn ask(command: &Command, limit: Duration, context: &Context) -> Answer {
    let argv = shell::argv(command).argv;
    let Some((program, arguments)) = argv.split_first() else {
        return Answer::unhealthy("the command is empty");
    };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).current_dir(&context.cwd).env_clear();
    command.envs(context.env.iter().map(|(name, value)| (name, value)));
    match program::run(command, Group::Own, limit, KEEP).await {
        Ok(ended) => answer(&ended, limit),
        Err(_) if !context.cwd.is_dir() => {
            Answer::unhealthy(format!("cannot run in {}: there is no such folder", context.cwd.display()))
        }
        Err(error) => Answer::unhealthy(format!("cannot run `{program}`: {}", text::error(&error))),
    }
}

fn answer(ended: &Ended, limit: Duration) -> Answer {
    let (out, err) = (text::last_line(&ended.stdout), text::last_line(&ended.stderr));
    let detail = [text::plain(&ended.stdout), text::plain(&ended.stderr)].concat();
    let answer = match ended.status {
        None => Answer::late(limit),
        Some(status) if status.success() => Answer::healthy(match out.as_str() {
            "" => "Exited with 0",
            out if out.ends_with(PG_ISREADY) => "Accepting connections",
            out => out,
        }),
        Some(status) => {
            let exit = Exit::from(status);
            let line = if err.is_empty() { out } else { err };
            Answer::unhealthy(if line.is_empty() { exit.to_string() } else { format!("{exit}: {line}") })
        }
    };
    answer.detail(detail.trim())
}
