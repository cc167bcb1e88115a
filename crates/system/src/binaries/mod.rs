//! Whether a program can be run at all, why not, and which version it is.

mod ask;
mod find;
mod version;

pub use ask::{version, version_with};
pub use find::{Missing, find};
pub use version::{Comparison, Malformed, Requirement, Version};
