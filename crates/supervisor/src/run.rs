//! One run of one process, seen from the supervisor: its folder, its keeper, and the link to it.

pub(crate) mod folder;
mod hold;
#[cfg(unix)]
#[path = "run/link_unix.rs"]
mod link;
#[cfg(windows)]
#[path = "run/link_windows.rs"]
mod link;

pub(crate) use hold::{How, Run, RunEvent, hold};
pub(crate) use link::Link;
