//! A login shell's environment, for starts that no terminal asked for.
//!
//! A program that the desktop has started does not have what rc files set: the PATH of nvm, Homebrew or asdf, the
//! variables of direnv. So the user's own shell is asked, as a terminal would start it: a login shell, interactive,
//! in the workspace's folder. What its rc files print is told apart by a mark that nobody can guess, and one that hangs
//! is given up at a limit.

#[cfg(unix)]
#[path = "environment/unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "environment/windows.rs"]
mod platform;
#[cfg(all(test, unix))]
#[path = "environment/tests.rs"]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why there is no answer from the login shell. Fall back to [`own`], and log this.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// It cannot be run, or not in that folder.
    #[error("the login shell {} cannot be run in {}: {source}", shell.display(), folder.display())]
    Start { shell: PathBuf, folder: PathBuf, source: io::Error },
    /// Its rc files took too long. It and what it had started were killed.
    #[error("the login shell {} did not get through its rc files within {} s{}", shell.display(), limit.as_secs_f64(), after(last))]
    Late { shell: PathBuf, limit: Duration, last: String },
    /// It came to its end without printing its environment.
    #[error("the login shell {} ended ({status}) without printing its environment{}", shell.display(), after(last))]
    Silent { shell: PathBuf, status: String, last: String },
}

fn after(last: &str) -> String {
    if last.is_empty() { String::new() } else { format!("; the last that it said: {last}") }
}

/// What the user's shell sets up in `workspace`, without what belongs to the asking shell itself (`_`, `SHLVL`). `PWD` is
/// the workspace. The shell is `$SHELL`, else the account's, else `/bin/sh`.
///
/// On Windows, where shells have no such files, the environment of this process.
///
/// # Errors
/// The shell cannot be run, ends without an answer, or takes longer than `limit`.
pub async fn login_shell(workspace: &Path, limit: Duration) -> Result<BTreeMap<String, String>, ShellError> {
    platform::login_shell(workspace, limit).await
}

/// The environment of this process; what is no Unicode is left out.
#[must_use]
pub fn own() -> BTreeMap<String, String> {
    let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(unicode).collect()
}
