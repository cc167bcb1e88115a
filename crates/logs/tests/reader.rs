//! Following and seeking.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use common::{at, lines, open, program, read_all, segments};
use forge_logs::{Cursor, Level, Line, Reader, ReaderOptions, Stream, Writer, WriterOptions, text_piece};

const OUT: Stream = Stream::Stdout;

fn numbers(lines: &[Line]) -> Vec<usize> {
    program(lines).iter().map(|text| text.rsplit(' ').next().unwrap().parse().unwrap()).collect()
}

#[test]
fn a_follower_sees_each_line_once_across_rotations() {
    let dir = tempfile::tempdir().unwrap();
    let mut reader = Reader::open(&dir.path().join("api")).unwrap();
    assert!(reader.read(1000).unwrap().at_end, "a store that is not there yet is empty");
    let mut writer = open(&dir.path().join("api"), 2_000, 1);
    let mut seen = Vec::new();
    for number in 0..300 {
        writer.write(OUT, format!("line {number}\nli").as_bytes(), at(number));
        writer.write(OUT, format!("ne {number}\n").as_bytes(), at(number));
        if number % 7 == 0 {
            let got = read_all(&mut reader, 500);
            assert_eq!(numbers(&got).last(), Some(&(number as usize)), "up to the last line");
            seen.extend(got);
        }
    }
    seen.extend(read_all(&mut reader, 500));
    let expected: Vec<usize> = (0..300).flat_map(|number| [number, number]).collect();
    assert_eq!(numbers(&seen), expected, "each line once");
    assert!(segments(writer.dir()).len() > 3, "it has rotated");
}

#[test]
fn deleted_segments_are_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let limits = WriterOptions { segment_bytes: 2_000, quota_bytes: 6_000, run: 1 };
    let mut writer = Writer::open(dir.path(), limits).unwrap();
    let mut reader = Reader::open(dir.path()).unwrap();
    writer.write(OUT, b"line 0\n", at(0));
    assert!(!reader.read(10_000).unwrap().gap, "nothing is missing");
    for number in 1..500 {
        writer.write(OUT, format!("line {number}\n").as_bytes(), at(number));
    }
    let mut gaps = 0;
    let mut seen = Vec::new();
    loop {
        let batch = reader.read(1000).unwrap();
        gaps += usize::from(batch.gap);
        seen.extend(batch.lines);
        if batch.at_end {
            break;
        }
    }
    assert_eq!(gaps, 1, "it is said once");
    let got = numbers(&seen);
    assert!(got.is_sorted() && got.last() == Some(&499), "what is left comes in order");
    reader.seek(Cursor { segment: 1, offset: 0 });
    assert!(reader.read(1000).unwrap().gap, "a cursor into what is deleted says so too");
}

#[test]
fn a_store_made_anew_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("api");
    let mut writer = open(&store, 1 << 20, 1);
    writer.write(OUT, b"old\n", at(0));
    let mut reader = Reader::open(&store).unwrap();
    assert_eq!(program(&read_all(&mut reader, 1000)), ["old"], "the old store");
    drop(writer);
    read_all(&mut reader, 1000);
    std::fs::remove_dir_all(&store).unwrap();
    assert!(reader.read(1000).unwrap().at_end, "nothing is there");
    let mut writer = open(&store, 1 << 20, 2);
    writer.write(OUT, b"new\n", at(1));
    let batch = reader.read(1000).unwrap();
    let rest = read_all(&mut reader, 1000);
    let all: Vec<Line> = batch.lines.into_iter().chain(rest).collect();
    assert_eq!(program(&all), ["new"], "the new store");
}

#[test]
fn half_a_line_waits_and_a_prompt_can_be_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path(), 1 << 20, 1);
    writer.write(OUT, b"name? ", at(0));
    writer.flush_partial(OUT, at(0));
    let mut reader = Reader::open(dir.path()).unwrap();
    assert_eq!(program(&read_all(&mut reader, 1000)), [""; 0], "it is not whole");
    let partial = reader.partial().unwrap();
    assert_eq!(program(&partial), ["name? "], "the prompt");
    assert!(partial[0].partial, "which says that it is one");

    let mut later = Reader::open(dir.path()).unwrap();
    later.seek(reader.cursor());
    later.read(1000).unwrap();
    assert_eq!(later.partial().unwrap(), partial, "another reader at the same place knows it too");
    writer.write(OUT, b"Ann\n", at(1));
    for reader in [&mut reader, &mut later] {
        assert_eq!(program(&read_all(reader, 1000)), ["name? Ann"], "the whole line");
        assert!(reader.partial().unwrap().is_empty(), "and no prompt any more");
    }
}

#[test]
fn a_line_of_megabytes_is_bounded_and_can_be_had_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path(), 1 << 20, 1);
    let long: Vec<u8> = (0..5_000_000_u32).map(|at| b'a' + (at % 25) as u8).collect();
    for piece in long.chunks(50_001) {
        writer.write(OUT, piece, at(0));
        writer.write(Stream::Stderr, b"between\n", at(0));
    }
    writer.write(OUT, b"\nnext\n", at(1));
    let mut reader = Reader::open_with(dir.path(), ReaderOptions { max_line: 1000 }).unwrap();
    let all = read_all(&mut reader, 100_000);
    let line = all.iter().find(|line| line.omitted > 0).expect("the long line");
    assert_eq!(line.text, &long[..1000], "its beginning");
    assert_eq!(line.omitted, 4_999_000, "how much there is more");
    let mut whole = Vec::new();
    let mut from = Some(line.cursor);
    while let Some(at) = from {
        let (piece, next) = text_piece(dir.path(), line.stream, at, line.end, 300_000).unwrap();
        assert!(piece.len() < 400_000, "in pieces");
        whole.extend(piece);
        from = next;
    }
    assert!(whole == long, "the whole text");
    let whole = lines(dir.path()).into_iter().find(|line| line.omitted > 0).expect("the long line");
    assert_eq!(whole.text.len(), 1 << 20, "a megabyte by default");
    reader.seek_tail(2).unwrap();
    let tail = read_all(&mut reader, 100_000);
    assert_eq!(tail.iter().find(|line| line.omitted > 0), Some(line), "the same from the end");
}

#[test]
fn runs_and_levels_are_known_from_any_place() {
    let dir = tempfile::tempdir().unwrap();
    for run in 1..4 {
        let mut writer = open(dir.path(), 1 << 20, run);
        writer.write(OUT, b"ERROR boom\n    at frame\nfine\n", at(i64::from(run) * 1000));
    }
    std::fs::remove_file(dir.path().join("00000001.idx")).unwrap();
    let all: Vec<Line> = lines(dir.path()).into_iter().filter(Line::is_program).collect();
    let levels = [Some(Level::Error), Some(Level::Error), None];
    for (number, line) in all.iter().enumerate() {
        assert_eq!(line.run as usize, number / 3 + 1, "the run of line {number}");
        assert_eq!(line.level, levels[number % 3], "the level of line {number}");
    }
    let mut reader = Reader::open(dir.path()).unwrap();
    for (number, line) in all.iter().enumerate() {
        reader.seek(line.cursor);
        assert_eq!(reader.read(1).unwrap().lines.first(), Some(line), "line {number} from its own place");
    }
}

#[test]
fn a_follower_beside_a_flood_sees_each_line_once() {
    const LINES: usize = 60_000;
    let dir = tempfile::tempdir().unwrap();
    let mut reader = Reader::open(dir.path()).unwrap();
    let mut writer = open(dir.path(), 300_000, 1);
    let flood = std::thread::spawn(move || {
        for block in (0..LINES).collect::<Vec<_>>().chunks(37) {
            let text: String = block.iter().map(|number| format!("line {number}\n")).collect();
            let (head, tail) = text.as_bytes().split_at(text.len() - 3);
            writer.write(OUT, head, forge_logs::Stamp::now());
            writer.flush_partial(OUT, forge_logs::Stamp::now());
            writer.write(OUT, tail, forge_logs::Stamp::now());
        }
    });
    let mut seen = Vec::new();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while seen.last() != Some(&(LINES - 1)) {
        assert!(std::time::Instant::now() < deadline, "it has come to {:?}", seen.last());
        let batch = reader.read(10_000).unwrap();
        assert!(!batch.gap, "nothing was deleted");
        seen.extend(numbers(&batch.lines));
    }
    flood.join().unwrap();
    assert!(seen.into_iter().eq(0..LINES), "each line once and in order");
}
