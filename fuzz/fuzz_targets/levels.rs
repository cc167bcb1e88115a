//! Any bytes as a line: it has a level or none, and tells something or nothing.
#![no_main]

use std::time::Duration;

use forge_logs::events::Watch;
use forge_logs::{Cursor, Line, Stream, level};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let level = level::detect(text);
    let at = Cursor { segment: 1, offset: 0 };
    let (stream, text) = (Stream::Stdout, text.to_vec());
    let line = Line { time_ns: 0, stream, run: 1, level, text, omitted: 0, partial: false, cursor: at, end: at };
    let _ = Watch::new(Vec::new(), Duration::from_secs(1)).look(&line);
});
