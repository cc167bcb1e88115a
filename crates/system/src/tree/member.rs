//! One process of a tree.

use crate::process::ProcessId;

/// A process of a tree, as it was at the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: ProcessId,
    /// The PID of its parent.
    pub parent: u32,
    /// The process group; 0 on Windows, which has none.
    pub group: u32,
    /// The kernel's short name.
    pub name: String,
    pub state: State,
}

/// What a member was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It runs or sleeps.
    Running,
    /// Stopped by a signal or a debugger.
    Stopped,
    /// In a system call that no signal ends (`D`): not even SIGKILL works before it is over.
    Uninterruptible,
    /// Dead, not yet reaped.
    Zombie,
}

impl Member {
    /// Whether it is dead and waits for its parent to reap it.
    pub fn is_zombie(&self) -> bool {
        self.state == State::Zombie
    }
}
