//! `processes.yml`: found, parsed, checked, explained and resolved.
//!
//! # A short tour
//!
//! [`find`] walks up to the folder that holds `.forge/processes.yml`: the [`Workspace`]. [`load`] reads that file and
//! answers either with a [`Config`], in which every default is filled in and every name is known to exist, or with
//! [`Diagnostics`]: **all** that is wrong with the file, each with its place, its line and what to do about it.
//!
//! ```text
//! text ──tree──▶ nodes with places ──check──▶ model::Config ──resolve──▶ ResolvedEnvironment
//!                     │                           │                          │
//!                     └───────────────── Diagnostics, all at once ───────────┘
//! ```
//!
//! - `tree` turns YAML into nodes that know where they stand; anchors, aliases and merge keys are applied there.
//! - [`schema`] declares the keys, once: the JSON schema that editors read and the list that `check` compares with.
//! - `check` goes through the nodes, one file a subject, and makes the [`model`].
//! - [`resolve()`] fills in `${…}`, env files and moved ports at each start: what will really run, and each variable with
//!   its origin. Nothing in the model depends on the machine; everything that does is in there.
//! - [`shell`] and [`container`] look at a command: is it one simple command, is it a docker client?
//!
//! What is absent: this crate starts nothing, connects to nothing, and reads no file but the configuration, the env
//! files that it names, and the user's settings.

mod check;
pub mod container;
pub mod diagnostics;
mod dotenv;
mod duration;
mod interpolate;
pub mod model;
pub mod resolve;
pub mod schema;
pub mod shell;
mod texts;
mod tree;
mod url;
mod workspace;

pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use duration::{format_duration, parse_duration};
pub use model::Config;
pub use resolve::{
    Context, Origin, ResolvedEnvironment, ResolvedProcess, Variable, fingerprint, front, masked, resolve,
    secret, supervision_fingerprint,
};
pub use workspace::{Workspace, find, load, load_over, load_settings, parse};
