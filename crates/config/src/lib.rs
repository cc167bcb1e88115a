//! `processes.yml`: found, parsed, checked, explained and resolved.

pub mod model;
