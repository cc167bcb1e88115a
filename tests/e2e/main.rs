//! End-to-end tests: whole programs, real processes, real sockets, one module a subject.
//!
//! | what must hold | where it is tried to be broken |
//! | --- | --- |
//! | I1 never two live trees of one process | `faults::supervisor`, `start`, `stop`, `faults::disk` |
//! | I2 no healthy process dies of a fault of Forge's | `faults` |
//! | I3 output has no gap, no duplicate, no reordering | `output`, `faults::keeper`, `faults::supervisor` |
//! | I4 an exit is recorded once, or honestly as unknown | `crash`, `faults::keeper` |
//! | I5 nothing is signalled that is not proven ours | `faults::identity` |
//! | I6 what the user wanted running survives | `faults::supervisor`, `faults::state` |
//! | I7 stop leaves an empty tree; ready only by our own tree | `trees`, `stop`, `start` |
//! | I8 bounded | `output`, `idle` |
//! | I9 idle is idle | `idle` |
#![cfg(unix)]

mod alerts;
mod cli;
mod configuration;
mod crash;
mod environment;
mod events;
mod examples;
mod faces;
mod faults;
mod flood;
mod harness;
mod health;
mod idle;
mod log_scan;
mod log_view;
mod logs;
mod metrics;
mod monitor;
mod nasty_logs;
mod notices;
mod output;
mod reboot;
mod start;
mod stop;
mod talk;
mod trees;
mod watch;
mod web;
