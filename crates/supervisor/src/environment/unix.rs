use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::Instant;

use super::ShellError;
use crate::probe::program::{self, Group};
use crate::probe::text;

/// More than Linux lets a program have.
const KEEP: usize = 4 << 20;

/// Set while the shell is asked, for rc files that want to know; not part of the answer.
const ASKING: &str = "FORGE_RESOLVING_ENVIRONMENT";

/// util-linux and busybox. Elsewhere (macOS) a process group has to do.
const SETSID: &str = "/usr/bin/setsid";

pub(super) async fn login_shell(
    workspace: &Path,
    limit: Duration,
) -> Result<BTreeMap<String, String>, ShellError> {
    ask(&shell(std::env::var_os("SHELL").map(PathBuf::from)), workspace, limit, |_| {}).await
}

/// As a terminal would start it; and if an rc file then puts something else in the shell's place (`exec tmux`), without what
/// only interactive shells read. `prepare` is for tests.
pub(super) async fn ask(
    shell: &Path,
    workspace: &Path,
    limit: Duration,
    prepare: impl Fn(&mut Command),
) -> Result<BTreeMap<String, String>, ShellError> {
    let deadline = Instant::now() + limit;
    let mut outcome = Err(ShellError::Late { shell: shell.to_owned(), limit, last: String::new() });
    for interactive in [true, false] {
        let left = deadline.saturating_duration_since(Instant::now());
        let mark = Mark::random();
        let (mut command, group) = command(shell, interactive, &mark);
        command.current_dir(workspace).env("PWD", workspace).env(ASKING, "1");
        prepare(&mut command);
        let start =
            |source| ShellError::Start { shell: shell.to_owned(), folder: workspace.to_owned(), source };
        let ended = program::run(command, group, left, KEEP).await.map_err(start)?;
        // It counts even if the shell has not come to its end: what is left is its logout.
        if let Some(variables) = mark.between(&ended.stdout) {
            return Ok(answer(variables, workspace));
        }
        let last = complaint(&ended.stderr);
        outcome = Err(match ended.status {
            Some(status) => ShellError::Silent { shell: shell.to_owned(), status: shown(status), last },
            None => return Err(ShellError::Late { shell: shell.to_owned(), limit, last }),
        });
    }
    outcome
}

fn shown(status: ExitStatus) -> String {
    forge_system::Exit::from(status).to_string()
}

/// The user's shell: `$SHELL`, else the account's, else one that is always there.
pub(super) fn shell(named: Option<PathBuf>) -> PathBuf {
    let usual = ["/bin/zsh", "/bin/sh"].map(PathBuf::from);
    let usual = if cfg!(target_os = "macos") { &usual[..] } else { &usual[1..] };
    let mut candidates = named.into_iter().chain(of_account()).chain(usual.iter().cloned());
    candidates.find(|shell| is_shell(shell)).unwrap_or_else(|| PathBuf::from("/bin/sh"))
}

/// Accounts that nobody logs in to have a shell that says so and ends.
fn is_shell(path: &Path) -> bool {
    let refuses = path.file_name().is_some_and(|name| name == "nologin" || name == "false");
    path.is_absolute() && path.is_file() && !refuses
}

/// The last field of the entry, passwd(5). Accounts of a directory service have none there; for those there is `$SHELL`.
fn of_account() -> Option<PathBuf> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let uid = rustix::process::getuid().as_raw().to_string();
    let mut entries = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let entry = entries.find(|fields| fields.get(2) == Some(&uid.as_str()))?;
    entry.get(6).map(PathBuf::from)
}

/// In a session of its own: with a terminal in reach, an interactive shell would ask to be its foreground, and be stopped.
fn command(shell: &Path, interactive: bool, mark: &Mark) -> (Command, Group) {
    let (mut command, group) = if Path::new(SETSID).is_file() {
        let mut command = Command::new(SETSID);
        command.arg(shell);
        (command, Group::Makes)
    } else {
        (Command::new(shell), Group::Own)
    };
    let name = shell.file_name().unwrap_or_default().to_string_lossy();
    let flags: &[&str] = match (&*name, interactive) {
        // These take `-l` for a login shell only if it stands alone.
        ("csh" | "tcsh", true) => &["-i"],
        ("csh" | "tcsh", false) => &[],
        // It reads its files for a login shell, and wants a terminal to be interactive.
        ("nu", _) => &["-l"],
        (_, true) => &["-l", "-i"],
        (_, false) => &["-l"],
    };
    let hooks = if interactive { hooks(&name) } else { "" };
    command.args(flags).arg("-c").arg(format!("{hooks}{}", mark.script()));
    (command, group)
}

/// direnv and its like act when a prompt is drawn or a folder is entered, and `-c` does neither.
fn hooks(shell: &str) -> &'static str {
    match shell {
        "bash" => r#"cd .; for hook in "${PROMPT_COMMAND[@]}"; do eval "$hook"; done; "#,
        "zsh" => "cd .; ",
        "fish" => "cd .; emit fish_prompt; ",
        _ => "",
    }
}

/// What stands around the environment in the shell's output.
struct Mark {
    halves: [String; 2],
}

impl Mark {
    fn random() -> Self {
        // Keys of hash maps are random: a number that rc files cannot print by chance is all that is needed.
        let half = || format!("{:016x}", RandomState::new().build_hasher().finish());
        Self { halves: [half(), half()] }
    }

    /// Words that mean the same in every shell. The mark is put together by `printf`, so that a shell that shows the command
    /// it runs does not show the mark.
    fn script(&self) -> String {
        let [first, second] = &self.halves;
        let print = format!("printf %s%s {first} {second}");
        format!("/bin/sh -c '{print}; /usr/bin/env -0; {print}'")
    }

    fn between<'output>(&self, output: &'output [u8]) -> Option<&'output [u8]> {
        let mark = self.halves.concat();
        let find = |bytes: &[u8]| bytes.windows(mark.len()).position(|window| window == mark.as_bytes());
        let start = find(output)? + mark.len();
        let end = find(&output[start..])? + start;
        Some(&output[start..end])
    }
}

fn answer(variables: &[u8], workspace: &Path) -> BTreeMap<String, String> {
    /// Of the asking shell, not of the user.
    const OF_SHELL: [&str; 4] = ["_", "SHLVL", "OLDPWD", ASKING];

    let entries = variables.split(|byte| *byte == 0).filter_map(|entry| std::str::from_utf8(entry).ok());
    let pairs = entries.filter_map(|entry| entry.split_once('='));
    let mut answer: BTreeMap<String, String> = pairs
        .filter(|(name, _)| !name.is_empty() && !OF_SHELL.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if let Some(workspace) = workspace.to_str() {
        answer.insert("PWD".to_owned(), workspace.to_owned());
    }
    answer
}

/// The last line that is no complaint about the missing terminal, which every interactive shell makes.
fn complaint(stderr: &[u8]) -> String {
    const OF_TERMINAL: [&str; 3] =
        ["no job control", "cannot set terminal process group", "can't access tty"];

    let text = text::plain(stderr);
    let others = text.lines().filter(|line| !OF_TERMINAL.iter().any(|words| line.contains(words)));
    text::last_line(others.collect::<Vec<_>>().join("\n").as_bytes())
}
