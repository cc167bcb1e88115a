//! One file a command.

pub(crate) mod attach;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod kill;
pub(crate) mod logs;
pub(crate) mod open;
pub(crate) mod patterns;
pub(crate) mod restart;
pub(crate) mod run;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod signal;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stay;
pub(crate) mod stop;
pub(crate) mod version;
pub(crate) mod watch;
pub(crate) mod welcome;
pub(crate) mod workspaces;
