//! The local socket between faces and supervisor, for the same user alone.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::same_user;
#[cfg(unix)]
pub use unix::{Connection, Listener, connect};
#[cfg(windows)]
pub use windows::{Connection, Listener, connect};
#[cfg(windows)]
pub(crate) use windows::{connect_to, pipe_name};
