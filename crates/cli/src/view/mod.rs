//! What people see, as functions of what is known: no input, no output, no clock.

pub(crate) mod clean;
pub(crate) mod diagnosis;
pub(crate) mod log_line;
pub(crate) mod names;
pub(crate) mod patterns;
pub(crate) mod progress;
pub(crate) mod resolved;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod words;

#[cfg(test)]
pub(crate) mod sample;
