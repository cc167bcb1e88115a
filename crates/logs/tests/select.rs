//! Selecting lines of several stores, in both directions.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::path::{Path, PathBuf};

use common::{lines, open};
use forge_logs::{
    Cursor, Direction, Filter, Level, Line, Pattern, Progress, Reader, ReaderOptions, Search, SearchOptions,
    Selection, Stamp, Start, Step, Stream, Within, Writer,
};
use proptest::prelude::*;

const BEGINNING: Cursor = Cursor { segment: 0, offset: 0 };

fn selection(starts: Vec<Start>, direction: Direction, filter: &Filter) -> Selection {
    Selection::new(starts, direction, filter.clone(), ReaderOptions::default()).unwrap()
}

fn starts(dirs: &[PathBuf], direction: Direction) -> Vec<Start> {
    let start = |dir: &PathBuf| {
        let mut reader = Reader::open(dir).unwrap();
        reader.seek_end().unwrap();
        let at = if direction == Direction::Forward { BEGINNING } else { reader.cursor() };
        Start { dir: dir.clone(), at, end: None }
    };
    dirs.iter().map(start).collect()
}

/// All that `filter` wants, in pages of so many lines, each by a new selection.
fn select(dirs: &[PathBuf], direction: Direction, filter: &Filter, page: usize) -> Vec<(usize, Line)> {
    let mut starts = starts(dirs, direction);
    let mut found = Vec::new();
    loop {
        let mut selection = selection(starts.clone(), direction, filter);
        let mut lines = 0;
        while lines < page || !selection.is_between() {
            match selection.step().unwrap() {
                Step::Line(number, line) => {
                    found.push((number, line));
                    lines += 1;
                }
                Step::Searched => {}
                Step::End => {
                    if direction == Direction::Backward {
                        found.reverse();
                    }
                    return found;
                }
            }
        }
        for (start, at) in starts.iter_mut().zip(selection.cursors()) {
            start.at = at;
        }
    }
}

/// The first so many lines of a search by some threads, oldest first, and how many matched.
fn search(
    dirs: &[PathBuf],
    direction: Direction,
    filter: &Filter,
    most: usize,
    threads: usize,
) -> (Vec<(usize, Line)>, u64) {
    let options = SearchOptions {
        direction,
        filter: filter.clone(),
        reader: ReaderOptions::default(),
        most,
        counts: false,
        patterns: false,
        parts: 0,
    };
    let search = Search::new(starts(dirs, direction), options, Box::new(|| ())).unwrap();
    let (mut found, mut progress) = (Vec::new(), Progress::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| search.work());
        }
        while !progress.done {
            progress = search.take().unwrap();
            found.append(&mut progress.lines);
            std::thread::yield_now();
        }
    });
    if direction == Direction::Backward {
        found.reverse();
    }
    (found, progress.matched)
}

/// The same, line by line and with nothing clever.
fn naive(dirs: &[PathBuf], filter: &Filter) -> Vec<(usize, Line)> {
    let of = |(number, dir): (usize, &PathBuf)| {
        lines(dir).into_iter().map(move |line| (number, line)).collect::<Vec<_>>()
    };
    let mut all: Vec<(usize, Line)> = dirs.iter().enumerate().flat_map(of).collect();
    all.sort_by_key(|(number, line)| (line.time_ns, *number));
    all.retain(|(_, line)| filter.matches(line));
    all
}

/// What happens to a store.
#[derive(Clone)]
enum Act {
    Write(Stream, Vec<u8>),
    Flush(Stream),
    Marker,
    Restart,
    /// As a killed keeper leaves it: so many bytes of the end are not there.
    Tear(u64),
    DropIndex,
    Wait(u32),
}

/// Short, for when a test has failed.
impl std::fmt::Debug for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Write(stream, text) if text.len() > 400 => {
                write!(f, "Write({stream}, {} bytes)", text.len())
            }
            Self::Write(stream, text) => write!(f, "Write({stream}, b\"{}\")", text.escape_ascii()),
            Self::Flush(stream) => write!(f, "Flush({stream})"),
            Self::Marker => f.write_str("Marker"),
            Self::Restart => f.write_str("Restart"),
            Self::Tear(bytes) => write!(f, "Tear({bytes})"),
            Self::DropIndex => f.write_str("DropIndex"),
            Self::Wait(millis) => write!(f, "Wait({millis})"),
        }
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"needle".to_vec()),
        2 => Just(b"ERROR in the hay".to_vec()),
        2 => Just(b"    at frame".to_vec()),
        2 => Just(b"nee\x1b[31mdle\x1b[0m".to_vec()),
        2 => Just(b"10%\r20%\rnee".to_vec()),
        1 => Just(b"\xff\xfe\0\x07".to_vec()),
        1 => Just("nädle ✓".as_bytes().to_vec()),
        1 => Just(b"\x1b]0;never closed".to_vec()),
        1 => Just(b" P stdout F \xc2\x9b31m".to_vec()),
        6 => Just(b"\n".to_vec()),
        2 => proptest::collection::vec(b' '..=b'~', 0..40),
        1 => Just(vec![b'x'; 70_000]),
    ];
    proptest::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
}

fn act() -> impl Strategy<Value = Act> {
    let stream = prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr)];
    prop_oneof![
        12 => (stream.clone(), text()).prop_map(|(stream, text)| Act::Write(stream, text)),
        3 => stream.prop_map(Act::Flush),
        1 => Just(Act::Marker),
        1 => Just(Act::Restart),
        1 => (1..200_u64).prop_map(Act::Tear),
        1 => Just(Act::DropIndex),
        3 => (0..3_u32).prop_map(Act::Wait),
    ]
}

fn build(dir: &Path, acts: &[Act], segment_bytes: u64) {
    let (mut run, mut time) = (1, 4_000_000_000_000_000_000);
    let mut writer: Option<Writer> = None;
    for act in acts {
        let writer_now = writer.get_or_insert_with(|| open(dir, segment_bytes, run));
        let now = Stamp::from_nanos(time);
        match act {
            Act::Write(stream, text) => writer_now.write(*stream, text, now),
            Act::Flush(stream) => writer_now.flush_partial(*stream, now),
            Act::Marker => writer_now.marker("a needle of Forge's own", now),
            Act::Restart => {
                writer = None;
                run += 1;
            }
            Act::Tear(bytes) => {
                writer = None;
                let newest = dir.join(common::segments(dir).pop().unwrap());
                let file = std::fs::OpenOptions::new().write(true).open(newest).unwrap();
                file.set_len(file.metadata().unwrap().len().saturating_sub(*bytes)).unwrap();
            }
            Act::DropIndex => {
                for entry in std::fs::read_dir(dir).unwrap() {
                    let path = entry.unwrap().path();
                    if path.extension().is_some_and(|extension| extension == "idx") {
                        let _ = std::fs::remove_file(path);
                    }
                }
            }
            Act::Wait(millis) => time += i64::from(*millis) * 1_000_000,
        }
    }
}

/// What may be asked for.
fn filter(which: usize, time: i64) -> Filter {
    let pattern = |text: &str, literal, ignore_case| Some(Pattern::new(text, literal, ignore_case).unwrap());
    let within =
        |text: &str, invert| Some(Within { pattern: Pattern::new(text, false, false).unwrap(), invert });
    let all = Filter::default();
    match which {
        0 => all,
        1 => Filter { pattern: pattern("needle", true, false), ..all },
        2 => Filter { pattern: pattern("^needle$", false, false), ..all },
        3 => Filter { pattern: pattern("NEEDLE", false, true), invert: true, ..all },
        4 => Filter { level_at_least: Some(Level::Warn), ..all },
        5 => Filter { pattern: pattern("e", true, false), streams: vec![Stream::Stderr], ..all },
        6 => Filter { pattern: pattern("needle", true, false), run: Some(2), ..all },
        7 => Filter { since: Some(time), until: Some(time + 3_000_000), ..all },
        8 => Filter { pattern: pattern("\\d|stdout|^$", false, false), ..all },
        9 => Filter { pattern: pattern("\u{fffd}|✓|frame\\z", false, false), ..all },
        10 => Filter { pattern: pattern("x{3}$", false, false), levels: vec![Level::Info], ..all },
        11 => Filter { pattern: pattern("needle.*needle", false, false), ..all },
        12 => Filter { pattern: pattern("needle", true, false), within: within("[0-9]", false), ..all },
        13 => Filter { within: within("needle", true), ..all },
        _ => Filter { pattern: pattern("\\bnee\\b|\\Adle", false, false), ..all },
    }
}

/// Where and what, short, for when a test has failed.
fn short(lines: &[(usize, Line)]) -> Vec<String> {
    let short = |(number, line): &(usize, Line)| {
        let text: String = line.lossy().chars().take(40).collect();
        format!("{number} {} {} {text:?}", line.end, line.stream)
    };
    lines.iter().map(short).collect()
}

/// Whether each level is found from any place: what is more than a block or a segment away is not looked at.
fn levels_are_near(stores: &[Vec<Act>], segment_bytes: u64) -> bool {
    let long = |act: &Act| matches!(act, Act::Write(_, text) if text.len() > 1_000);
    segment_bytes == BIG && !stores.iter().flatten().any(long)
}

const BIG: u64 = 16 << 20;

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_selected_is_what_a_naive_filter_leaves(
        stores in proptest::collection::vec(proptest::collection::vec(act(), 1..40), 1..4),
        segment_bytes in prop_oneof![Just(3_000_u64), Just(200_000), Just(BIG)],
        which in 0..15_usize,
        page in 1..7_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let dirs: Vec<PathBuf> = (0..stores.len()).map(|number| folder.path().join(number.to_string())).collect();
        for (dir, acts) in dirs.iter().zip(&stores) {
            build(dir, acts, segment_bytes);
        }
        let mut filter = filter(which, 4_000_000_000_002_000_000);
        let near = levels_are_near(&stores, segment_bytes);
        if !near {
            (filter.level_at_least, filter.levels) = (None, Vec::new());
        }
        let mut expected = naive(&dirs, &filter);
        for (direction, threads) in [(Direction::Forward, 1), (Direction::Backward, 3)] {
            let (found, matched) = search(&dirs, direction, &filter, usize::MAX, threads);
            prop_assert_eq!(short(&found), short(&expected), "searched {:?} by {}", direction, threads);
            prop_assert_eq!(matched, expected.len() as u64, "counted");
            let (first, matched) = search(&dirs, direction, &filter, page, threads);
            let wanted = match direction {
                Direction::Forward => &expected[..page.min(expected.len())],
                Direction::Backward => &expected[expected.len().saturating_sub(page)..],
            };
            prop_assert_eq!(short(&first), short(wanted), "the first {:?}", direction);
            prop_assert_eq!(matched, expected.len() as u64, "counted beside the first {}", page);
        }
        for direction in [Direction::Forward, Direction::Backward] {
            for page in [page, usize::MAX] {
                let mut found = select(&dirs, direction, &filter, page);
                prop_assert_eq!(short(&found), short(&expected), "{:?} in pages of {}", direction, page);
                if !near {
                    for (_, line) in found.iter_mut().chain(&mut expected) {
                        line.level = None;
                    }
                }
                let differ = found.iter().zip(&expected).find(|(found, expected)| found != expected);
                prop_assert!(differ.is_none(), "{:?}: {}", direction, differ.map_or_else(String::new, in_full));
            }
        }
    }
}

fn in_full((found, expected): (&(usize, Line), &(usize, Line))) -> String {
    let of = |(_, line): &(usize, Line)| {
        let Line { time_ns, run, level, text, omitted, partial, cursor, end, .. } = line;
        format!("{time_ns} {run} {level:?} {} bytes {omitted} {partial} {cursor} {end}", text.len())
    };
    format!("found {}, expected {}", of(found), of(expected))
}

#[test]
fn where_a_segments_first_line_is_cut_short_the_line_that_it_is_within_is_still_known() {
    let long = vec![b'x'; 70_000];
    let filter = filter(0, 0);
    for tear in (1..=200).step_by(3) {
        let folder = tempfile::tempdir().unwrap();
        let dirs = [folder.path().join("0")];
        let write = || Act::Write(Stream::Stderr, long.clone());
        build(&dirs[0], &[write(), Act::Flush(Stream::Stderr), Act::Tear(tear), Act::Marker], 3000);
        let (expected, found) =
            (naive(&dirs, &filter), select(&dirs, Direction::Forward, &filter, usize::MAX));
        assert_eq!(short(&found), short(&expected), "{tear} bytes are missing");
        let places = |lines: &[(usize, Line)]| lines.iter().map(|(_, line)| line.cursor).collect::<Vec<_>>();
        assert_eq!(places(&found), places(&expected), "{tear} bytes are missing");
    }
}

fn numbered(dir: &Path, lines: usize, segment_bytes: u64) {
    let mut writer = open(dir, segment_bytes, 1);
    for block in (0..lines).collect::<Vec<_>>().chunks(100) {
        let text: String = block.iter().map(|number| format!("INFO request {number} took 5 ms\n")).collect();
        writer.write(Stream::Stdout, text.as_bytes(), common::at(block[0] as i64));
    }
}

#[test]
fn what_was_written_behind_the_end_of_a_reading_is_left_for_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let dirs = [folder.path().to_owned()];
    numbered(folder.path(), 60, 1000);
    let all = lines(folder.path());
    let pattern =
        |text: &str| Filter { pattern: Some(Pattern::new(text, false, false).unwrap()), ..Filter::default() };
    for filter in [Filter::default(), pattern("request .7 "), pattern("nowhere")] {
        let expected = naive(&dirs, &filter);
        for line in &all {
            let mut found = Vec::new();
            let mut at = BEGINNING;
            for end in [Some(line.end), None] {
                let start = Start { dir: folder.path().to_owned(), at, end };
                let mut selection = selection(vec![start], Direction::Forward, &filter);
                while let step @ (Step::Line(..) | Step::Searched) = selection.step().unwrap() {
                    if let Step::Line(number, line) = step {
                        found.push((number, line));
                    }
                }
                at = selection.cursors()[0];
            }
            assert_eq!(short(&found), short(&expected), "split at {:?}", line.end);
        }
    }
}

#[test]
fn what_is_rare_is_found_in_many_blocks_at_once_and_each_line_once() {
    let folder = tempfile::tempdir().unwrap();
    let dirs = [folder.path().join("0"), folder.path().join("1")];
    for dir in &dirs {
        numbered(dir, 15_000, 30_000);
    }
    for pattern in ["request 1?[0-9]000 ", "request 149", "nowhere", "request (5|6000) "] {
        let filter =
            Filter { pattern: Some(Pattern::new(pattern, false, false).unwrap()), ..Filter::default() };
        let expected = naive(&dirs, &filter);
        for direction in [Direction::Forward, Direction::Backward] {
            for page in [7, usize::MAX] {
                let found = select(&dirs, direction, &filter, page);
                assert_eq!(short(&found), short(&expected), "{pattern} {direction:?} in pages of {page}");
            }
        }
    }
}

/// Lines whose pattern depends on what came before: which word of a few is a value shows with the third.
fn varied(dir: &Path, lines: usize) {
    let mut writer = open(dir, 30_000, 1);
    let word = |number: usize| ["alpha", "beta", "gamma", "delta", "cache", "queue"][number % 6];
    for block in (0..lines).collect::<Vec<_>>().chunks(100) {
        let line = |number: &usize| {
            let (one, other, third) = (word(*number), word(number / 7), word(number / 500));
            format!("{one} {other} step {third} of {}\n", number / 37)
        };
        let text: String = block.iter().map(line).collect();
        writer.write(Stream::Stdout, text.as_bytes(), common::at(block[0] as i64));
    }
}

#[test]
fn patterns_are_the_same_by_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let dirs = [folder.path().join("0"), folder.path().join("1")];
    for dir in &dirs {
        varied(dir, 8_000);
    }
    let patterns = |threads: usize| {
        let options = SearchOptions {
            direction: Direction::Forward,
            filter: Filter::default(),
            reader: ReaderOptions::default(),
            most: 0,
            counts: true,
            patterns: true,
            parts: 4,
        };
        let search = Search::new(starts(&dirs, Direction::Forward), options, Box::new(|| ())).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| search.work());
            }
        });
        (0..dirs.len()).map(|store| search.tally(store).unwrap().patterns()).collect::<Vec<_>>()
    };
    let expected = patterns(1);
    assert!(expected.iter().all(|patterns| !patterns.is_empty()), "there are some");
    for round in 0..3 {
        assert!(patterns(4) == expected, "other patterns by four threads, round {round}");
    }
}

/// Bytes that this process has read so far, from files or the page cache (proc(5), `/proc/pid/io`).
#[cfg(target_os = "linux")]
fn bytes_read() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("rchar: ")?.parse().ok()).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_page_of_a_large_store_reads_no_more_than_one_of_a_small_one() {
    let folder = tempfile::tempdir().unwrap();
    let cost = |lines: usize| {
        let dir = folder.path().join(lines.to_string());
        numbered(&dir, lines, 1 << 20);
        let middle = common::at(lines as i64 / 2).as_nanos();
        let take = |direction, at| {
            let start = Start { dir: dir.clone(), at, end: None };
            let mut selection = selection(vec![start], direction, &Filter::default());
            let mut left = 500;
            while left > 0 {
                match selection.step().unwrap() {
                    Step::Line(..) => left -= 1,
                    Step::Searched => {}
                    Step::End => panic!("{left} lines are missing"),
                }
            }
        };
        let before = bytes_read();
        let mut reader = Reader::open(&dir).unwrap();
        reader.seek_end().unwrap();
        take(Direction::Backward, reader.cursor());
        reader.seek_time(middle).unwrap();
        take(Direction::Forward, reader.cursor());
        take(Direction::Backward, reader.cursor());
        bytes_read() - before
    };
    // How many blocks a page lies in depends on its place; that they are in one of sixteen times as many does not matter.
    let (small, large) = (cost(40_000), cost(640_000));
    assert!(large < small * 2, "{large} bytes of sixteen times as much, {small} of a small one");
}

#[test]
fn a_search_that_is_stopped_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    numbered(folder.path(), 300_000, 4 << 20);
    let options = SearchOptions {
        direction: Direction::Backward,
        filter: Filter::default(),
        reader: ReaderOptions::default(),
        most: 10,
        counts: true,
        patterns: true,
        parts: 10,
    };
    let dirs = [folder.path().to_path_buf()];
    let search = Search::new(starts(&dirs, Direction::Backward), options, Box::new(|| ())).unwrap();
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| search.work());
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while search.take().unwrap().matched == 0 {
            assert!(std::time::Instant::now() < deadline, "it finds something");
            std::thread::yield_now();
        }
        search.stop();
        worker.join().unwrap();
        let progress = search.take().unwrap();
        assert!(progress.done, "it is over");
        assert!(progress.matched < 300_000, "{} of all lines", progress.matched);
    });
}

#[test]
fn how_far_a_search_is_counts_only_the_time_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    numbered(folder.path(), 40_000, 100_000);
    let size: u64 = common::segments(folder.path())
        .iter()
        .map(|name| std::fs::metadata(folder.path().join(name)).unwrap().len())
        .sum();
    let all = lines(folder.path());
    let (since, until) = (all[20_000].time_ns, all[30_000].time_ns);
    let filter = Filter { since: Some(since), until: Some(until), ..Filter::default() };
    let expected = all.iter().filter(|line| filter.matches(line)).count() as u64;
    for direction in [Direction::Forward, Direction::Backward] {
        let options = SearchOptions {
            direction,
            filter: filter.clone(),
            reader: ReaderOptions::default(),
            most: 0,
            counts: false,
            patterns: false,
            parts: 0,
        };
        let edge = if direction == Direction::Forward { since } else { until + 1 };
        let mut reader = Reader::open(folder.path()).unwrap();
        reader.seek_time(edge).unwrap();
        let start = Start { dir: folder.path().to_owned(), at: reader.cursor(), end: None };
        let search = Search::new(vec![start], options, Box::new(|| ())).unwrap();
        search.work();
        let Progress { matched, scanned_bytes, total_bytes, .. } = search.take().unwrap();
        assert_eq!((matched, scanned_bytes), (expected, total_bytes), "{direction:?}");
        assert!(total_bytes.abs_diff(size / 4) < size / 50, "{direction:?}: {total_bytes} of {size}");
    }
}

#[test]
fn who_takes_nothing_holds_a_search_up_and_not_its_memory() {
    let folder = tempfile::tempdir().unwrap();
    numbered(folder.path(), 300_000, 4 << 20);
    let options = SearchOptions {
        direction: Direction::Forward,
        filter: Filter::default(),
        reader: ReaderOptions::default(),
        most: usize::MAX,
        counts: false,
        patterns: false,
        parts: 0,
    };
    let dirs = [folder.path().to_path_buf()];
    let search = Search::new(starts(&dirs, Direction::Forward), options, Box::new(|| ())).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| search.work());
        scope.spawn(|| search.work());
        let (mut most, mut all, mut done) = (0, 0, false);
        while !done {
            let progress = search.take().unwrap();
            most = most.max(progress.lines.iter().map(|(_, line)| line.text.len()).sum());
            all += progress.lines.iter().filter(|(_, line)| line.is_program()).count();
            done = progress.done;
            std::thread::yield_now();
        }
        assert_eq!(all, 300_000, "all lines");
        assert!(most < 3 << 20, "{most} bytes at once");
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_is_searched_without_harm(
        segment in proptest::collection::vec(text(), 0..30),
        heads in proptest::collection::vec(any::<bool>(), 30),
        sidecar in proptest::collection::vec(any::<u8>(), 0..200),
        which in 0..15_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = Vec::new();
        for (piece, head) in segment.iter().zip(heads) {
            if head {
                bytes.extend_from_slice(b"\n2026-11-21T14:30:15.123456789Z stdout F ");
            }
            bytes.extend_from_slice(piece);
        }
        std::fs::write(folder.path().join("00000001.log"), &bytes).unwrap();
        std::fs::write(folder.path().join("00000001.idx"), &sidecar).unwrap();
        let dirs = [folder.path().to_path_buf()];
        let filter = filter(which, 0);
        let forward = select(&dirs, Direction::Forward, &filter, usize::MAX);
        let backward = select(&dirs, Direction::Backward, &filter, usize::MAX);
        prop_assert_eq!(short(&forward), short(&backward), "both ways");
        let (searched, _) = search(&dirs, Direction::Forward, &filter, usize::MAX, 2);
        prop_assert_eq!(short(&forward), short(&searched), "searched");
    }
}
