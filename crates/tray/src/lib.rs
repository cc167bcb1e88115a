//! The shell without a toolkit: what its icon, its menu and its notifications say, as values.
//!
//! - [`Client`] is its conversation with the supervisor, [`Picture`] what it knows from there.
//! - [`menu()`] makes the menu of a picture, [`changes()`] the steps from one menu to the next.
//! - [`Announcements`] says which notices are to be shown natively, and what an answer to one means.
//! - [`arguments`] is the app's command line; [`route`] names places in the window; [`downward()`] carries messages to it.
//!
//! **Architecture Invariant:** nothing here knows a window system, and nothing decides about processes. The desktop app
//! does what these values say.

mod announcements;
pub mod arguments;
mod batches;
mod changes;
mod client;
#[cfg(target_os = "linux")]
pub mod login;
mod menu;
mod picture;
pub mod route;

pub use announcements::{Announcements, Answer, Choice, Response, Step};
pub use batches::downward;
pub use changes::{Change, changes};
pub use client::Client;
pub use menu::{Act, Item, Kind, Named, act, menu};
pub use picture::{Applied, Picture};
