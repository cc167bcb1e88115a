//! The supervisor: decides what runs, and is replaceable while it does.
//!
//! # Theory of operation
//!
//! Each process that runs is held by a keeper, a small program of its own ([`forge_keeper`]). The supervisor starts
//! keepers, is told by them what happens, and decides what follows. It can be killed at any moment: the keepers go on,
//! and the next supervisor finds them by their run folders.
//!
//! ```text
//! faces ──endpoint──▶ server ──Message──▶ core ──Effect──▶ run::hold ──link──▶ keeper
//!                                         ▲ │                  │
//!                     probes, files,      │ └─▶ process::lifecycle::Machine::step
//!                     ports, timers ──────┴── Message ◀────────┘
//! ```
//!
//! - `core` owns all state and runs one message after the other; nothing else may touch it.
//! - `process::lifecycle` is the pure heart: state and input in, state and effects out.
//! - `plan` and `prepare` find out what a start means and whether anything is missing, before anything starts.
//! - `run` is the edge towards keepers, [`probe`], [`watch`] and `listening` the edges towards the running processes.
//! - [`host`] puts it together: the lock, the socket, the adoption of what runs, the end.
//!
//! **Architecture Invariant:** no lock guards shared state, because there is none.

mod alerts;
pub mod background;
mod conflict;
mod container;
mod core;
pub mod endpoint;
pub mod environment;
mod gauges;
mod history;
pub mod home;
pub mod host;
mod listening;
mod logs;
pub mod machine;
mod metrics;
mod outgoing;
pub mod owned;
mod plan;
mod prepare;
pub mod probe;
mod process;
mod registry;
mod run;
mod sampling;
mod server;
mod summary;
mod terminal;
mod told;
pub mod watch;
mod words;

pub use prepare::configuration as configuration_error;
