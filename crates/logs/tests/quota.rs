//! What all stores together may take.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use common::{at, open, segments};
use forge_logs::{Stream, apply_total_quota};

/// Fills a store with a few segments, the newest written to so many minutes ago, each other so many before the next.
fn fill(dir: &Path, newest: u64, apart: u64) {
    let mut writer = open(dir, 2_000, 1);
    for number in 0..4 {
        writer.write(Stream::Stdout, format!("{}\n", "x".repeat(1_700)).as_bytes(), at(number));
    }
    drop(writer);
    for (name, number) in segments(dir).iter().rev().zip(0..) {
        let file = std::fs::File::options().write(true).open(dir.join(name)).unwrap();
        let age = Duration::from_secs(60 * (newest + number * apart));
        file.set_modified(SystemTime::now() - age).unwrap();
    }
}

fn bytes(dir: &Path) -> u64 {
    segments(dir).iter().map(|name| dir.join(name).metadata().unwrap().len()).sum()
}

#[test]
fn the_oldest_of_all_processes_goes_first_and_what_is_written_to_stays() {
    let root = tempfile::tempdir().unwrap();
    let dirs: Vec<PathBuf> =
        ["one/dev/api", "one/dev/db", "two/test/api"].map(|name| root.path().join(name)).into();
    fill(&dirs[0], 20, 20);
    fill(&dirs[1], 10, 20);
    fill(&dirs[2], 600, 100);
    let live = open(&dirs[2], 1 << 20, 2);
    let all: u64 = dirs.iter().map(|dir| bytes(dir)).sum();
    assert_eq!(apply_total_quota(root.path(), all).unwrap(), 0, "within the quota nothing goes");

    let two = bytes(&dirs[2]);
    let newest = segments(&dirs[2]).pop().unwrap();
    let kept = dirs[2].join(&newest).metadata().unwrap().len();
    let freed = apply_total_quota(root.path(), all - (two - kept)).unwrap();
    assert_eq!(freed, two - kept, "the oldest of all");
    assert_eq!(segments(&dirs[2]), std::slice::from_ref(&newest), "but for what a writer has open");
    assert!(!dirs[2].join("00000001.idx").exists(), "sidecars go with their segments");
    let (first, second) = (segments(&dirs[0]), segments(&dirs[1]));

    let left: u64 = dirs.iter().map(|dir| bytes(dir)).sum();
    apply_total_quota(root.path(), left - 3_000).unwrap();
    let gone = [first.len() - segments(&dirs[0]).len(), second.len() - segments(&dirs[1]).len()];
    assert!(gone[0] > 0 && (gone[0] == gone[1] || gone[0] == gone[1] + 1), "then by turns: {gone:?}");
    assert!(dirs.iter().map(|dir| bytes(dir)).sum::<u64>() <= left - 3_000, "within the quota");

    apply_total_quota(root.path(), 0).unwrap();
    assert_eq!(segments(&dirs[0]), [""; 0], "all of a process that does not run may go");
    assert_eq!(segments(&dirs[2]), [newest], "what is written to never");
    drop(live);
}
