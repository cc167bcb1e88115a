//! What a keeper writes down about its run.

use forge_system::process::Signal;
use serde::{Deserialize, Serialize};

/// One line of the file `events`. Times are nanoseconds since 1970, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Record {
    /// A keeper took the run; more than once if one was killed and replaced.
    Keeper { pid: u32, start: u64, time: i64 },
    /// Written by the child itself, just before it becomes the command. `start` is the platform's start time of
    /// `forge_system`'s `ProcessId`.
    Started { pid: u32, start: u64, time: i64 },
    /// The command could not be run; `errno` where there is one.
    NotStarted { errno: Option<i32>, message: String, time: i64 },
    /// The main process ended. Its tree may live on.
    Exited { exit: Exit, time: i64 },
    /// The supervisor asked to end the tree.
    Ending { force: bool, time: i64 },
    /// Nothing of the tree is left, and its output is drained. `heir` is how the one ended that the main process left
    /// behind, a daemon, if that was seen.
    Empty {
        time: i64,
        #[serde(default)]
        heir: Option<Exit>,
    },
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    Code(i32),
    Signal(i32),
    /// Nobody was there who could have known.
    Unknown,
}

impl Exit {
    /// The line in the log that parts run `run` from what follows it; `requested`: by the supervisor.
    #[must_use]
    pub fn line(self, run: u32, requested: bool) -> String {
        match (self, requested) {
            (Self::Code(code), true) => format!("run {run} was stopped, and exited with {code}"),
            (Self::Code(code), false) => format!("run {run} exited with {code}"),
            (Self::Signal(number), true) => format!("run {run} was stopped by {}", Signal::describe(number)),
            (Self::Signal(number), false) => format!("run {run} was killed by {}", Signal::describe(number)),
            (Self::Unknown, _) => format!("run {run} ended, nobody knows how"),
        }
    }
}

/// `exit.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// `None` if the command could not be run.
    pub exit: Option<Exit>,
    /// Why it could not be run.
    pub message: Option<String>,
    /// Nanoseconds since 1970 at which the main process ended.
    pub time: i64,
    /// The supervisor had asked for it.
    pub requested: bool,
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_log_says_how_a_run_ended_and_whether_that_was_wanted() {
        for (exit, requested, expected) in [
            (Exit::Code(1), false, "run 3 exited with 1"),
            (Exit::Code(0), true, "run 3 was stopped, and exited with 0"),
            (Exit::Signal(11), false, "run 3 was killed by SIGSEGV"),
            (Exit::Signal(15), true, "run 3 was stopped by SIGTERM"),
            (Exit::Signal(99), false, "run 3 was killed by signal 99"),
            (Exit::Unknown, true, "run 3 ended, nobody knows how"),
        ] {
            assert_eq!(exit.line(3, requested), expected, "{exit:?}, requested: {requested}");
        }
    }
}
