//! Any bytes as lines: the same lines give the same patterns, no two of which are the same, and no line is counted twice.
#![no_main]

use forge_logs::patterns::{Miner, Pattern, Span};
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
    let miner = mine(&lines);
    let patterns = miner.patterns();
    assert_eq!(patterns, mine(&lines).patterns(), "the same each time");
    let counted = patterns.iter().map(|one| one.count).sum::<u64>() + miner.forgotten();
    assert!(counted <= lines.len() as u64, "{counted} of {}", lines.len());
    let alike = |one: &Pattern, other: &Pattern| (one.level, &one.regex) == (other.level, &other.regex);
    let twice = patterns.iter().enumerate().find(|(at, one)| patterns[..*at].iter().any(|other| alike(one, other)));
    assert!(twice.is_none(), "{twice:?} is there twice");
});
