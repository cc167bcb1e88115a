//! The log store: what the processes of an environment wrote, on disk in the Kubernetes CRI log format, so that any
//! log tool reads it.
//!
//! # Theory of Operation
//!
//! One folder holds one process's lines, of all its runs, in numbered segments `NNNNNNNN.log`. A segment is only ever
//! appended to, never renamed, and in the end deleted whole. An entry is `TIME STREAM F|P TEXT`: a line, or with `P` a
//! fragment of one, which later entries of the same stream continue up to an `F`. The streams are `stdout`, `stderr`,
//! and `forge` for what Forge has to say itself.
//!
//! A [`Writer`] is handed what each read of a pipe returned, and stores the lines in it with one write. It never fails
//! and never waits for more than the disk: what can't be stored is counted, and a line of Forge's own says so once
//! there is room again. Where a writer was killed in the midst of a line, the next one ends that line.
//!
//! *The files are the one path of live output.* A `Reader` (feature `read`) only reads: it stands at a [`Cursor`], is
//! asked for more, and at the end gives nothing until there is more. Catching up after a restart is the same code as
//! following. Any number of readers may stand anywhere, and none can slow or harm the writer.
//!
//! *A line belongs where it ends.* Fragments of two streams lie among each other, so the lines that are read from a
//! cursor on are those whose last byte is stored behind it, in that order; and a line's time is that of its last
//! fragment. So a cursor is one number of a segment and one offset, nothing is read twice or left out by going on at
//! one, and times never go back.
//!
//! An entry does not say of which run it is. The line `run 3 started` does, on the stream `forge`, for all that follow
//! it; each later segment begins with `run 3 continues`, which readers don't show, so that it can be read alone. Beside
//! each segment a small sidecar `NNNNNNNN.idx` says about every 64 KiB what one must know to begin there. It is a cache:
//! what is missing or wrong of it is found again by reading the segment.
//!
//! Stamps never go back within a store. When the clock does, the last stamp is used until the clock has caught up, and
//! a line says so.
//!
//! **Invariant**: nothing here knows of processes, runs' states, configuration or sockets. Without the feature `read`
//! it depends on `memchr` alone, since every keeper carries it.

#[cfg(feature = "read")]
pub mod ansi;
mod cri;
mod cursor;
#[cfg(feature = "read")]
pub mod events;
#[cfg(feature = "read")]
mod fields;
#[cfg(feature = "read")]
mod filter;
mod index;
#[cfg(feature = "read")]
pub mod level;
#[cfg(feature = "read")]
mod pattern;
#[cfg(feature = "read")]
pub mod patterns;
#[cfg(feature = "read")]
mod quota;
#[cfg(feature = "read")]
mod read;
mod scan;
#[cfg(feature = "read")]
mod search;
mod segments;
#[cfg(feature = "read")]
mod select;
mod stamp;
mod writer;

pub use cri::{MAX_TEXT, Stream};
pub use cursor::{Cursor, InvalidCursor, Position};
pub use stamp::Stamp;
pub use writer::{Writer, WriterOptions};

#[cfg(feature = "read")]
pub use {
    filter::{Filter, Within},
    level::{Level, UnknownLevel},
    pattern::{InvalidPattern, Pattern},
    quota::apply_total_quota,
    read::{Backward, Batch, Line, Reader, ReaderOptions, open_lines, text_piece},
    search::{Count, Progress, Search, SearchOptions, Tally},
    select::{Direction, Selection, Start, Step},
};
