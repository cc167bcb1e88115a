//! Starting a headless supervisor in the background: what a command does where none runs, and the desktop app when it
//! leaves.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// The line on stdout of `forge serve --background` once it listens.
pub const READY: &str = "ready";

/// Bytes of the line that it says, at most.
const LONGEST_WORD: u64 = 64 << 10;

/// Runs `forge serve --background` of this `forge`, in a folder of its own, with nothing of ours open. It leaves our
/// session by itself.
///
/// # Errors
/// The system's.
pub fn spawn(forge: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(forge);
    command.args(["serve", "--background"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // The mark of the process that we may be run from: the supervisor is not part of that one's tree.
    command.env_remove("FORGE_RUN");
    if let Some(home) = std::env::var_os("FORGE_HOME").filter(|home| !home.is_empty()) {
        // It may be relative to a folder that the child does not start in.
        command.env("FORGE_HOME", std::path::absolute(home)?);
    }
    #[cfg(unix)]
    command.current_dir("/");
    #[cfg(windows)]
    {
        const DETACHED_PROCESS: u32 = 0x8;
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
        command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
    }
    command.spawn()
}

/// The first line that it says: [`READY`], or an error as JSON. What cannot be read is no line, and empty.
pub async fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        let _ = BufReader::new(stdout.take(LONGEST_WORD)).read_line(&mut line).await;
    }
    line
}
