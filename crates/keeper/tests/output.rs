//! What a program writes is in the log: all of it, once, in order.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Write;
use std::time::Duration;

use common::{Run, wait_for};
use forge_keeper::message::{Report, Request};
use forge_keeper::record::Exit;

fn numbers(from: u32, to: u32) -> Vec<String> {
    (from..=to).map(|number| number.to_string()).collect()
}

#[test]
fn lines_at_full_speed_and_an_exit_at_once_lose_nothing() {
    let (mut run, mut client) = Run::of(&["seq", "1", "300000"]).start();
    assert_eq!(client.wait_for_exit(), Exit::Code(0), "seq succeeds");
    assert!(run.lines("stdout") == numbers(1, 300_000), "every line is there when the exit is told");
    drop(client);
    assert_eq!(run.wait(), Some(0), "the keeper has nothing left to do");
}

#[test]
fn ten_thousand_lines_and_gone_before_anybody_connects() {
    let mut run = Run::script("seq 1 10000; seq 1 10000 >&2").launch();
    assert_eq!(run.ended().exit, Some(Exit::Code(0)), "exit.json");
    assert!(run.lines("stdout") == numbers(1, 10_000), "stdout when exit.json is there");
    assert!(run.lines("stderr") == numbers(1, 10_000), "stderr when exit.json is there");
    assert_eq!(run.wait(), Some(0), "the keeper ends without anybody asking");
}

#[test]
fn a_prompt_without_a_newline_shows_soon() {
    let (run, mut client) = Run::script("printf 'password: '; exec sleep 1000").start();
    wait_for("the prompt is in the log", || run.lines("stdout") == ["password: "]);
    client.force();
    client.wait_for_empty();
    assert_eq!(run.lines("stdout"), ["password: "], "its end does not show it again");
}

#[test]
fn a_child_that_closes_its_output_lives_on() {
    let (run, mut client) = Run::script("echo before; exec >&- 2>&-; exec sleep 1000").start();
    wait_for("the line is in the log", || run.lines("stdout") == ["before"]);
    let child = run.child();
    client.send(&Request::Mark { text: "still here".into() });
    wait_for("the mark is in the log", || run.lines("forge").iter().any(|line| line == "still here"));
    assert!(child.is_alive().unwrap(), "nobody asked it to end");
    client.end(15, Duration::from_secs(10));
    assert_eq!(client.wait_for_exit(), Exit::Signal(15), "it ends when asked");
}

#[test]
fn a_killed_keeper_loses_no_line_of_a_slow_writer() {
    let script = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); echo $i; done; exec sleep 1000";
    let (mut run, client) = Run::script(script).start();
    let child = run.child();
    for share in 1..=3 {
        wait_for("the child writes", || run.lines("stdout").len() > share * 2_000);
        run.kill_keeper();
        assert!(child.is_alive().unwrap(), "a keeper's death is nothing to its child");
        drop(run.adopt());
    }
    drop(client);
    wait_for("the last line", || run.lines("stdout").last().is_some_and(|line| line == "30000"));
    let lines = run.lines("stdout");
    let mut missing = 30_000 - lines.len();
    let increasing =
        lines.windows(2).all(|pair| pair[0].parse::<u32>().unwrap() < pair[1].parse::<u32>().unwrap());
    // A kill between a read and its write costs that one read, which holds a few lines of so slow a writer.
    if !increasing {
        missing = usize::MAX;
    }
    assert!(missing < 3 * 16 * 1024, "{missing} lines are missing or out of order");
    let marks = run.lines("forge").iter().filter(|line| line.contains("was replaced")).count();
    assert_eq!(marks, 3, "each replacement has a marker");
    run.connect().force();
}

#[test]
fn followers_are_told_where_the_log_ends() {
    let (mut run, mut client) = Run::script("read line; seq 1 50000").with(|spec| spec.stdin = true).start();
    client.send(&Request::Follow);
    client.wait_for("the end now", |report| matches!(report, Report::Written { .. }));
    client.input(b"go\n");
    client.wait_for_exit();
    let mut last = (0, 0);
    let length = || fs::metadata(run.spec.logs.join("00000001.log")).map_or(0, |segment| segment.len());
    while last != (1, length()) {
        let report = client.wait_for("the end later", |report| matches!(report, Report::Written { .. }));
        let Report::Written { segment, offset } = report else { panic!("{report:?}") };
        assert!((segment, offset) > last, "positions only grow");
        last = (segment, offset);
    }
    drop(client);
    run.wait();
}

#[test]
fn a_client_that_does_not_read_stops_nobody() {
    let (mut run, mut idle) =
        Run::script("read line; yes forge | head -n 2000000").with(|spec| spec.stdin = true).start();
    idle.send(&Request::Follow);
    let mut client = run.connect();
    for _ in 0..200 {
        idle.send(&Request::Hello { protocol: 1, version: "again".into() });
    }
    client.input(b"go\n");
    assert_eq!(client.wait_for_exit(), Exit::Code(0), "the flood ends");
    assert_eq!(run.lines("stdout").len(), 2_000_000, "and is stored");
    drop((client, idle));
    run.wait();
}

#[test]
fn what_is_sent_arrives() {
    let (_run, mut client) = Run::of(&["cat"]).with(|spec| spec.stdin = true).start();
    client.input(b"one\ntw");
    client.input(b"o\n");
    wait_for("cat has written it back", || _run.lines("stdout") == ["one", "two"]);
    client.force();
    client.wait_for_empty();
}

#[test]
fn without_stdin_nothing_can_be_sent() {
    let (_run, mut client) = Run::script("cat; exec sleep 1000").start();
    client.input(b"hello\n");
    assert_eq!(client.wait_for_refusal("input"), "its standard input is not open");
    client.force();
    client.wait_for_empty();
}

#[test]
fn a_flood_does_not_keep_an_end_waiting() {
    let (_run, mut client) = Run::script("trap '' TERM; yes; yes").start();
    client.send(&Request::Follow);
    client.wait_for(
        "the flood",
        |report| matches!(report, Report::Written { offset, .. } if *offset > 1_000_000),
    );
    client.end(15, Duration::from_millis(100));
    client.wait_for_empty();
}

#[test]
fn output_during_the_grace_is_kept() {
    let script = "trap 'seq 1 200000; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    let (run, mut client) = Run::script(script).start();
    wait_for("the trap is set", || run.lines("stdout") == ["up"]);
    client.end(15, Duration::from_secs(20));
    client.wait_for_empty();
    assert!(run.lines("stdout")[1..] == numbers(1, 200_000), "megabytes written while it ends");
}

#[test]
fn the_run_folder_may_be_deleted() {
    let (mut run, client) = Run::script("while :; do echo line; sleep 0.02; done").start();
    let child = run.child();
    fs::remove_dir_all(run.folder.path()).unwrap();
    wait_for("the records are there again", || run.folder.events().exists() && run.folder.lock().exists());
    assert_eq!(run.child(), child, "and name the child");

    drop(client);
    run.kill_keeper();
    let before = run.lines("stdout").len();
    let mut client = run.adopt();
    wait_for("the next keeper reads on", || run.lines("stdout").len() > before + 10);
    client.force();
    client.wait_for_empty();
    assert!(run.survivors().is_empty(), "nobody is left");
}

#[test]
fn the_log_folder_may_be_deleted() {
    let (run, mut client) = Run::script("while :; do echo line; sleep 0.02; done").start();
    wait_for("the log begins", || !run.lines("stdout").is_empty());
    fs::remove_dir_all(&run.spec.logs).unwrap();
    wait_for("the log begins again", || !run.lines("stdout").is_empty());
    client.force();
    client.wait_for_empty();
}

#[test]
fn the_socket_may_be_deleted() {
    let (run, client) = Run::script("exec sleep 1000").start();
    fs::remove_file(&run.spec.socket).unwrap();
    drop(client);
    let mut client = run.connect();
    client.force();
    client.wait_for_empty();
}

#[test]
fn nothing_is_made_again_where_forge_was_removed() {
    let (run, mut client) = Run::script("echo up; exec sleep 1000").start();
    wait_for("it runs", || run.lines("stdout") == ["up"]);
    fs::remove_dir_all(run.path("")).unwrap();
    client.send(&Request::Mark { text: "anybody?".into() });
    client.force();
    client.wait_for_empty();
    assert!(!run.folder.path().exists(), "the run folder is not made again");
}

#[test]
fn a_stranger_that_talks_garbage_is_shown_out() {
    let (_run, mut client) = Run::script("exec sleep 1000").start();
    for garbage in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), &u32::MAX.to_le_bytes(), b"\x02\0\0\0[]"] {
        let mut stranger = _run.connect();
        stranger.send_raw(garbage);
        wait_for("the stranger is cut off", || stranger.is_closed());
    }
    let mut silent = std::os::unix::net::UnixStream::connect(&_run.spec.socket).unwrap();
    silent.write_all(&[9, 0]).unwrap();
    client.force();
    client.wait_for_empty();
}
