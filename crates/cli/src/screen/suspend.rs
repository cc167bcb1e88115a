//! Ctrl-Z, which a raw terminal hands to the program as a key.

use rustix::process::{Signal, getpid, kill_process};

/// Stops this process as the terminal would have done; returns when it is continued.
pub(super) fn stop_ourselves() {
    // A process in a group that nobody waits for is not stopped by this, and goes on.
    let _ = kill_process(getpid(), Signal::TSTP);
}
