//! Any bytes as a segment and its sidecar: lines come out, forwards and backwards, all and searched, and it ends.
#![no_main]

use forge_logs::{Cursor, Direction, Filter, Pattern, Reader, ReaderOptions, Selection, Start, Step};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<u8>, Vec<u8>, i64)| {
    let (segment, sidecar, time) = input;
    let Ok(folder) = tempfile::tempdir() else { return };
    let written = std::fs::write(folder.path().join("00000001.log"), &segment)
        .and_then(|()| std::fs::write(folder.path().join("00000001.idx"), &sidecar));
    if written.is_err() {
        return;
    }
    let Ok(mut reader) = Reader::open(folder.path()) else { return };
    let _ = reader.seek_time(time);
    while let Ok(batch) = reader.read(4096) {
        if batch.at_end {
            break;
        }
    }
    if let Ok(mut backward) = reader.backward() {
        while let Ok(Some(_)) = backward.next() {}
    }
    let pattern = Pattern::new("e|^a.*b$", false, true).ok();
    let filter = Filter { pattern, ..Filter::default() };
    let ends = [(Direction::Forward, 0), (Direction::Backward, segment.len() as u64)];
    for (direction, offset) in ends {
        let start = Start { dir: folder.path().to_owned(), at: Cursor { segment: 1, offset }, end: None };
        let selection = Selection::new(vec![start], direction, filter.clone(), ReaderOptions::default());
        let Ok(mut selection) = selection else { return };
        while !matches!(selection.step(), Ok(Step::End) | Err(_)) {}
    }
});
