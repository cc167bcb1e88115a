//! What a writer does when its disk, its clock and its folder do not behave.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{at, lines, open, options, program, read_all, segments, texts};
use forge_logs::{Cursor, Reader, Stamp, Stream, Writer, WriterOptions};

const OUT: Stream = Stream::Stdout;

#[test]
fn a_store_is_private_and_says_whose_lines_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("logs/work/dev/api");
    let mut writer = open(&store, 1 << 20, 3);
    writer.write(OUT, b"hello\nwor", at(0));
    writer.write(OUT, b"ld\n", at(1));
    let position = writer.position();
    let content = std::fs::read_to_string(store.join("00000001.log")).unwrap();
    assert_eq!(position.offset, content.len() as u64, "the position is the end of the file");
    let entries: Vec<&str> = content.lines().map(|line| &line[31..]).collect();
    assert_eq!(entries, ["forge F run 3 started", "stdout F hello", "stdout F world"], "the entries");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for folder in store.ancestors().take(4) {
            assert_eq!(mode(folder), 0o700, "{}", folder.display());
        }
        for name in ["00000001.log", "00000001.idx", "writer.lock"] {
            assert_eq!(mode(&store.join(name)), 0o600, "{name}");
        }
    }
}

#[test]
fn one_writer_at_a_time_and_the_next_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path(), 1 << 20, 1);
    let refused = Writer::open_within(dir.path(), options(1 << 20, 2), Duration::from_millis(20));
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "the first one has it");
    let path = dir.path().to_owned();
    let second = std::thread::spawn(move || open(&path, 1 << 20, 2));
    drop(first);
    drop(second.join().unwrap());
    assert_eq!(texts(&lines(dir.path())), ["run 1 started", "run 2 started"], "one after the other");
}

#[test]
fn a_run_goes_on_with_another_writer() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = open(dir.path(), 1 << 20, 1);
    first.write(OUT, b"one\nprompt> ", at(0));
    first.flush_partial(OUT, at(0));
    // Killed: what it holds and would still store at its end is lost with it.
    let copy = tempfile::tempdir().unwrap();
    for name in ["00000001.log", "00000001.idx"] {
        std::fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let mut second = open(copy.path(), 1 << 20, 1);
    second.write(OUT, b"two\n", at(1));
    drop(second);
    let all = lines(copy.path());
    assert_eq!(
        without_clock(&all),
        ["run 1 started", "one", "prompt> ", "run 1 resumed", "two"],
        "nothing is merged"
    );
    assert!(all.iter().all(|line| line.run == 1), "all of one run");
}

#[test]
fn a_segment_that_was_left_empty_does_not_let_the_times_go_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = open(folder.path(), 1 << 20, 1);
    writer.write(Stream::Stdout, b"one\n", at(0));
    drop(writer);
    // As a writer leaves it that is killed right after it began one.
    std::fs::write(folder.path().join("00000002.log"), b"").unwrap();
    drop(open(folder.path(), 1 << 20, 1));
    let mut reader = Reader::open(folder.path()).unwrap();
    reader.seek(Cursor { segment: 2, offset: 0 });
    let behind = read_all(&mut reader, 1 << 20);
    assert!(!behind.is_empty(), "it says that it goes on");
    assert!(behind.iter().all(|line| line.time_ns >= at(0).as_nanos() - 1_000_000_000), "{behind:?}");
}

#[test]
fn a_torn_line_is_closed_and_said_to_be() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), 1 << 20, 1));
    let path = dir.path().join("00000001.log");
    let mut content = std::fs::read(&path).unwrap();
    content.extend_from_slice(format!("{} stdout F half a li", at(0)).as_bytes());
    std::fs::write(&path, content).unwrap();
    let mut writer = open(dir.path(), 1 << 20, 2);
    writer.write(OUT, b"whole\n", at(1));
    drop(writer);
    let expected = [
        "run 1 started",
        "half a li",
        "run 2 started",
        "the line before is cut short: its writer was killed",
        "whole",
    ];
    assert_eq!(without_clock(&lines(dir.path())), expected, "the lines");
}

/// The lines but for what is said of the clock, which is behind the stamps of these tests.
fn without_clock(lines: &[forge_logs::Line]) -> Vec<String> {
    texts(lines).into_iter().filter(|text| !text.starts_with("the clock went back")).collect()
}

#[test]
fn a_prompt_is_a_fragment_and_its_line_comes_out_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path(), 1 << 20, 1);
    writer.write(OUT, b"name? ", at(0));
    assert!(writer.has_partial(OUT), "it is held");
    writer.flush_partial(OUT, at(200));
    assert!(!writer.has_partial(OUT), "it is stored");
    writer.write(Stream::Stderr, b"waiting\n", at(300));
    writer.write(OUT, b"\nhello Ann", at(400));
    writer.finish(OUT, at(500));
    assert_eq!(program(&lines(dir.path())), ["waiting", "name? ", "hello Ann"], "the lines, where they end");
    let content = std::fs::read_to_string(dir.path().join("00000001.log")).unwrap();
    assert!(content.contains(" stdout P name? \n"), "stored as a fragment: {content}");
    assert!(content.contains(" stdout F \n"), "whose line ended later: {content}");
}

#[test]
fn stamps_stand_still_while_the_clock_is_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path(), 1 << 20, 1);
    let hour = 3_600_000;
    let start = at(0).as_nanos();
    for (millis, text) in [(0, "a\n"), (-hour, "b\n"), (-hour + 1000, "c\n"), (1, "d\n"), (-2000, "e\n")] {
        writer.write(OUT, text.as_bytes(), Stamp::from_nanos(start + millis * 1_000_000));
    }
    drop(writer);
    let all = lines(dir.path());
    assert!(all.is_sorted_by_key(|line| line.time_ns), "no stamp goes back");
    let jumps = texts(&all).into_iter().filter(|text| text.contains("clock went back")).count();
    assert_eq!(program(&all), ["a", "b", "c", "d", "e"], "nothing is missing");
    // The end of the writer, at the clock's own time, belongs to the second jump.
    assert_eq!(jumps, 2, "one marker a jump");
}

#[test]
fn segments_end_at_lines_and_the_oldest_go_first() {
    let dir = tempfile::tempdir().unwrap();
    let segment_bytes = 4_000;
    let limits = WriterOptions { segment_bytes, quota_bytes: 20_000, run: 7 };
    let mut writer = Writer::open(dir.path(), limits).unwrap();
    for number in 0..1000 {
        writer.write(OUT, format!("line number {number}\n").repeat(3).as_bytes(), at(number));
    }
    drop(writer);
    let names = segments(dir.path());
    let sizes: Vec<u64> =
        names.iter().map(|name| std::fs::metadata(dir.path().join(name)).unwrap().len()).collect();
    assert!(sizes.iter().all(|&size| size <= segment_bytes), "none is too large: {sizes:?}");
    assert!(sizes.iter().sum::<u64>() <= 20_000, "all are within the quota: {sizes:?}");
    assert!(!names.contains(&"00000001.log".to_owned()), "the first is gone");
    let all = lines(dir.path());
    assert!(all.iter().all(|line| line.run == 7), "the run is known without its beginning");
    assert_eq!(program(&all).last().unwrap(), "line number 999", "the newest stays");
    let sidecars = std::fs::read_dir(dir.path()).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "idx")
    });
    assert_eq!(sidecars.count(), names.len(), "no sidecar without its segment");
}

#[test]
fn a_deleted_folder_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("logs/api");
    let mut writer = open(&store, 1 << 20, 1);
    writer.write(OUT, b"before\n", at(0));
    std::fs::remove_dir_all(dir.path().join("logs")).unwrap();
    writer.heal(at(1));
    writer.write(OUT, b"after\n", at(2));
    assert_eq!(segments(&store), ["00000002.log"], "the next number");
    assert_eq!(
        texts(&lines(&store)),
        ["the log was deleted while it was written; what it held is gone", "after"],
        "and what came after"
    );
    std::fs::remove_file(store.join("00000002.log")).unwrap();
    writer.write(OUT, b"seen by itself\n", at(500));
    assert_eq!(program(&lines(&store)), ["seen by itself"], "a write looks for itself now and then");
}

#[test]
fn a_log_emptied_by_another_program_is_continued() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path(), 1 << 20, 1);
    writer.write(OUT, b"before\n", at(0));
    std::fs::OpenOptions::new()
        .write(true)
        .open(dir.path().join("00000001.log"))
        .unwrap()
        .set_len(0)
        .unwrap();
    writer.write(OUT, b"after\n", at(500));
    let all = lines(dir.path());
    assert_eq!(program(&all), ["after"], "what came after");
    assert_eq!(all[0].run, 1, "of a run that is known");
    assert_eq!(
        writer.position().offset,
        std::fs::metadata(dir.path().join("00000001.log")).unwrap().len(),
        "its end"
    );
}

#[test]
fn markers_are_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path(), 1 << 20, 1);
    writer.marker("restarted\nafter exit 1", at(0));
    assert_eq!(texts(&lines(dir.path())), ["run 1 started", "restarted after exit 1"], "one line");
}

/// A file system of 256 KiB, where we may make one.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let arguments = ["-t", "tmpfs", "-o", "size=256k", "forge-test"];
        let mounted = std::process::Command::new("mount").args(arguments).arg(dir.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(dir))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_lines_that_are_counted_and_tears_none() {
    let Some(disk) = SmallDisk::new() else { return };
    let ballast = disk.0.path().join("ballast");
    let store = disk.0.path().join("api");
    let mut writer = open(&store, 64 << 20, 1);
    let line = |number: usize| format!("{number:06} {}\n", "x".repeat(92));
    let mut number = 0;
    let mut millis = 0;
    std::fs::write(&ballast, vec![0; 100_000]).unwrap();
    for round in 0..3 {
        for _ in 0..60 {
            let block: String = (number..number + 50).map(line).collect();
            number += 50;
            millis += 20;
            writer.write(OUT, block.as_bytes(), at(millis));
        }
        assert!(writer.needs_heal(), "the disk is full in round {round}");
        std::fs::write(&ballast, vec![0; [60_000, 30_000, 0][round]]).unwrap();
        millis += 1000;
        writer.heal(at(millis));
        assert!(!writer.needs_heal(), "there is room in round {round}");
    }
    drop(writer);
    let all = lines(&store);
    let mut stored = 0;
    let mut lost = 0;
    for text in texts(&all) {
        if let Some((count, _)) = text.split_once(" not kept: no space left on device") {
            lost += count.split(' ').next().unwrap().parse::<usize>().unwrap();
        } else if text.ends_with('x') {
            let own: usize = text[..6].parse().unwrap();
            assert_eq!(text, line(own).trim_end(), "no line is torn");
            assert_eq!(own, stored + lost, "what is missing is counted before what follows");
            stored += 1;
        }
    }
    assert_eq!(stored + lost, number, "each line is stored or counted");
    assert!(stored > 500 && lost > 500, "{stored} stored, {lost} lost: both happened");
}

#[test]
#[cfg(unix)]
fn a_segment_is_16_mib_and_keeps_its_name_for_good() {
    use std::os::unix::fs::MetadataExt;
    let options = WriterOptions::default();
    assert_eq!(options.segment_bytes, 16 << 20, "unless asked otherwise");
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path(), WriterOptions { quota_bytes: 60 << 20, ..options }).unwrap();
    let megabyte = format!("{}\n", "x".repeat(999)).repeat(1_000);
    let mut known = std::collections::BTreeMap::new();
    for number in 0..100 {
        writer.write(OUT, megabyte.as_bytes(), at(number));
        for name in segments(dir.path()) {
            let file = dir.path().join(&name).metadata().unwrap();
            assert!(file.len() <= 16 << 20, "{name} has {}", file.len());
            let inode = *known.entry(name.clone()).or_insert(file.ino());
            assert_eq!(file.ino(), inode, "{name} is the file that it was");
        }
    }
    let left = segments(dir.path());
    assert!(known.len() > 5 && !left.contains(&"00000001.log".to_owned()), "the oldest went: {left:?}");
}
