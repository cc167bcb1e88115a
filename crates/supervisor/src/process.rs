//! What a process is and what it does next.

pub(crate) mod lifecycle;
