//! Any bytes as lines: each is counted once, and halves can be merged either way.
#![no_main]

use forge_logs::patterns::{Miner, Span};
use forge_logs::{Cursor, Line, Stream, level};
use libfuzzer_sys::fuzz_target;

fn mine(lines: &[(usize, &[u8])]) -> Miner {
    let mut miner = Miner::new(Span { from_ns: 0, until_ns: 100, parts: 3 });
    for (number, text) in lines {
        let at = Cursor { segment: 1, offset: *number as u64 };
        let (level, stream, text) = (level::detect(text), Stream::Stdout, text.to_vec());
        let time_ns = i64::try_from(*number).unwrap_or(0);
        miner.feed(&Line { time_ns, stream, run: 1, level, text, omitted: 0, partial: false, cursor: at, end: at });
    }
    miner
}

fuzz_target!(|text: &[u8]| {
    let lines: Vec<(usize, &[u8])> = text.split(|&byte| byte == b'\n').take(200).enumerate().collect();
    let (first, second) = lines.split_at(lines.len() / 2);
    let (mut one, mut other) = (mine(first), mine(second));
    let (first, second) = (one.clone(), other.clone());
    one.merge(second);
    other.merge(first);
    assert_eq!(one.patterns(), other.patterns(), "merged either way");
});
