//! What a keeper and its supervisor share: the run folder, the records in it, and the messages on the keeper's
//! socket. The program itself is `main.rs`.

pub mod base64;
pub mod frame;
pub mod message;
pub mod record;
pub mod spec;
