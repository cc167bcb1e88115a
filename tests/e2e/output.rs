//! Output is kept whole: I3 and I8. Counted in the stored segments, not by Forge.

use forge_tests::{World, assert_sequence, entries, wait_until};

#[test]
fn fault_11_ten_thousand_lines_and_an_exit_at_once_are_all_there() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty count 10000 exit 3, auto_restart: false}
  - {name: b, command: nasty count 10000 --stderr signal-self KILL, auto_restart: false}
",
    );
    world.forge(["start", "-d"]).run().ok();
    let a = world.wait_status("a", "crashed");
    assert_eq!(a["exit_code"], 3, "{a:#}");
    assert_sequence(&world.lines("a"), "line", 0..10_000);
    world.wait_status("b", "crashed");
    assert_sequence(&world.lines("b"), "line", 0..10_000);
    assert!(world.lines("b").iter().all(|line| line.stream != "stdout"), "it wrote to stderr");
}

#[test]
fn both_streams_keep_their_order() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty spawn begin count 20000 --tag err --stderr end count 20000 --tag out exit 0
",
    );
    world.forge(["start", "-d"]).run().ok();
    wait_until("all is stored", || {
        world.lines("a").iter().filter(|line| line.stream != "forge").count() >= 40_000
    });
    let lines = world.lines("a");
    assert_sequence(&lines, "out", 0..20_000);
    assert_sequence(&lines, "err", 0..20_000);
}

#[test]
fn time_stamps_never_go_back() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty count 5000 --bytes 30 count 5000 --stderr --tag err exit 0}\n",
    );
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("a", "exited");
    let entries = world.entries("a");
    let back = entries.windows(2).find(|pair| pair[0].time > pair[1].time);
    assert!(back.is_none(), "{back:?}");
}

#[test]
fn fault_12_a_line_of_100_mb_comes_out_as_one_line_of_100_mb() {
    const BYTES: usize = 100 << 20;
    let world = World::with(&format!(
        "dev:\n  - {{name: a, command: nasty print before long-line {BYTES} print after forever}}\n"
    ));
    world.start();
    let keeper = world.keeper("a");
    let until = std::time::Instant::now() + forge_tests::DEADLINE;
    while !world.lines("a").iter().any(|line| line.text == b"after") {
        assert!(std::time::Instant::now() < until, "the line after the long one");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let stored = world.entries("a");
    assert!(stored.iter().all(|entry| entry.text.len() <= 64 << 10), "split at 64 KiB");
    let lines = world.lines("a");
    let long: Vec<usize> = lines.iter().map(|line| line.text.len()).filter(|length| *length > 1000).collect();
    assert_eq!(long, [BYTES], "one line, whole");
    let status = std::fs::read_to_string(format!("/proc/{}/status", keeper.pid)).expect("it lives");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    assert!(
        peak.is_some_and(|kib| kib < 32 << 10),
        "I8: memory does not grow with the line's length: {peak:?} KiB"
    );
    let json = world.forge(["logs", "a", "--json"]).run();
    let longest = json.ok().stdout.lines().map(str::len).max().unwrap_or(0);
    assert!((BYTES..BYTES + 300).contains(&longest), "whole in `logs --json`: {longest} bytes");
    world.forge(["logs", "a", "--save", "saved.log"]).run().ok();
    let saved = world.read("saved.log");
    assert_eq!(saved.lines().map(|line| line.len() / BYTES).sum::<usize>(), 1, "in a file too");
}

#[test]
fn a_line_stored_in_fragments_comes_out_whole() {
    let world = World::with("dev:\n  - {name: a, command: nasty long-line 200000 exit 0}\n");
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("a", "exited");
    assert!(world.entries("a").iter().any(|entry| !entry.full), "it is stored in fragments");
    let logs = world.forge(["logs", "a", "--json", "--stream", "stdout"]).run();
    let lines = logs.ok().json_lines();
    assert_eq!(lines.len(), 1, "one line");
    assert_eq!(lines[0]["text"].as_str().map(str::len), Some(200_000), "whole");
    let logs = world.forge(["logs", "a", "--stream", "stdout"]).run();
    assert_eq!(logs.ok().stdout.matches('y').count(), 200_000, "for people too");
}

#[test]
fn fault_12_nuls_and_bad_utf8_are_kept_byte_for_byte_and_shown_safely() {
    let world = World::with("dev:\n  - {name: a, command: nasty garbage print end forever}\n");
    world.start();
    world.wait_line("a", "end");
    let lines = world.lines("a");
    let stored: Vec<&[u8]> =
        lines.iter().filter(|line| line.stream == "stdout").map(|line| &line.text[..]).collect();
    let expected: [&[u8]; 7] = [
        b"nul \0 in the middle",
        b"bad \xff\xfe\xc3( utf-8",
        b"progress 10%\rprogress 90%\r",
        b"\x1b[31mred\x1b[0m and \x1b]0;title\x07",
        b"",
        b"after the empty one",
        b"end",
    ];
    assert_eq!(stored, expected, "byte for byte");
    let json = world.forge(["logs", "a", "--json"]).run();
    let json = json.ok().json_lines();
    assert!(
        json.iter().any(|line| line["text"].as_str().is_some_and(|text| text.contains('\u{fffd}'))),
        "{json:#?}"
    );
    let shown = world.forge(["logs", "a"]).run();
    assert!(!shown.ok().stdout.contains("\x1b]0;"), "a title is not set by a log: {shown}");
}

#[test]
fn a_prompt_without_a_line_feed_shows() {
    let world = World::with("dev:\n  - {name: a, command: nasty prompt forever, tty: true}\n");
    world.start();
    wait_until("the prompt is stored", || world.entries("a").iter().any(|entry| entry.text == b"name? "));
}

#[test]
fn a_line_without_an_end_shows_as_far_as_it_is_written_and_once_when_it_is_whole() {
    let world = World::with("dev:\n  - {name: a, command: sh ask.sh}\n");
    world.write(
        "ask.sh",
        "printf 'Continue? [y/N] '; while [ ! -e go ]; do sleep 0.05; done; echo yes; exec sleep 1000\n",
    );
    world.start();
    let shown = || world.forge(["logs", "a"]).run().ok().stdout.clone();
    wait_until("the question shows", || shown().contains("Continue? [y/N]"));
    let json = world.forge(["logs", "a", "--json"]).run();
    assert!(!json.ok().stdout.contains("Continue"), "programs get whole lines: {json}");
    world.write("go", "");
    world.wait_line("a", "Continue? [y/N] yes");
    assert_eq!(shown().matches("Continue?").count(), 1, "one line: {}", shown());
}

#[test]
fn a_bar_that_is_never_still_shows_how_far_it_is() {
    let world = World::with("dev:\n  - {name: a, command: sh bar.sh}\n");
    world.write(
        "bar.sh",
        "i=0; while [ ! -e done ]; do i=$((i+1)); printf '\\rfetched %d files' $i; sleep 0.05; done; echo\n",
    );
    world.start();
    let count = || {
        let shown = world.forge(["logs", "a"]).run().ok().stdout.clone();
        let line = shown.lines().find(|line| line.contains("fetched"))?.to_owned();
        assert_eq!(line.matches("fetched").count(), 1, "only its last state: {line}");
        line.split_whitespace().rev().nth(1)?.parse::<u32>().ok()
    };
    wait_until("it shows", || count().is_some());
    let first = count();
    wait_until("it goes on", || count() > first);
    world.write("done", "");
    world.wait_status("a", "exited");
}

#[test]
fn fault_24_a_child_that_closes_stdout_lives_on_and_is_watched() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty print bye close-stdout wait-for go exit 6, auto_restart: false}\n",
    );
    world.start();
    world.wait_line("a", "bye");
    let keeper = world.keeper("a");
    let a = world.process("a");
    assert_eq!(a["status"], "running", "{a:#}");
    assert!(keeper.is_alive(), "held all the same");
    world.write("go", "");
    let a = world.wait_status("a", "crashed");
    assert_eq!(a["exit_code"], 6, "{a:#}");
}

#[test]
fn a_flood_in_one_process_does_not_stop_another() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "settings: {{log_quota: 64MiB}}
dev:
  - {{name: flood, command: nasty flood}}
  - name: calm
    command: nasty count 200 --rate 200 listen {port} --http 200
    health_check: http://127.0.0.1:{port}/
"
    ));
    world.start();
    assert_sequence(&world.lines("calm"), "line", 0..200);
    assert_eq!(world.process("calm")["health"]["state"], "healthy", "it answers in time");
    world.forge(["stop"]).run().ok();
}

#[test]
fn a_quota_keeps_the_newest_lines() {
    const LINES: u64 = 200_000;
    let world = World::with(&format!(
        "settings: {{log_quota: 8MiB}}\ndev:\n  - {{name: a, command: nasty count {LINES} exit 0}}\n"
    ));
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("a", "exited");
    let folder = world.log_folder("dev", "a");
    let files = std::fs::read_dir(&folder).expect("the log folder").flatten();
    let bytes: u64 = files.map(|file| file.metadata().map_or(0, |found| found.len())).sum();
    // What is being written may go over it by a segment, and has its index.
    assert!(bytes < 14 << 20, "{bytes} bytes for a quota of 8 MiB");
    let lines = world.lines("a");
    let numbers = forge_tests::sequence(&lines, "line");
    let first = *numbers.first().expect("something is kept");
    assert!(first > 0, "20 MB do not fit into 8 MiB");
    assert_sequence(&lines, "line", first..LINES);
}

#[test]
fn what_a_left_over_child_writes_is_kept_too() {
    // Exit is not EOF.
    let world = World::with(
        "dev:
  - {name: a, command: nasty spawn begin wait-for go print late forever end print early exit 0, daemon: true}
",
    );
    world.start();
    world.wait_line("a", "early");
    world.write("go", "");
    world.wait_line("a", "late");
}

#[test]
fn segments_are_numbered_and_private() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with("dev:\n  - {name: a, command: nasty print hello forever}\n");
    world.start();
    world.wait_line("a", "hello");
    let folder = world.log_folder("dev", "a");
    let mut segments = 0;
    for file in std::fs::read_dir(&folder).expect("the log folder").flatten() {
        let mode = file.metadata().expect("it exists").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
        let name = file.file_name().into_string().expect("UTF-8");
        if let Some(number) = name.strip_suffix(".log") {
            assert!(number.len() == 8 && number.bytes().all(|byte| byte.is_ascii_digit()), "{name}");
            segments += 1;
        }
    }
    assert_eq!(segments, 1, "one segment so far");
    assert!(
        entries(&folder).iter().any(|entry| entry.stream == "stdout" && entry.text == b"hello"),
        "in CRI format"
    );
}

#[test]
fn of_all_logs_together_the_oldest_goes_first_and_what_is_written_to_stays() {
    // Some 1.4 MB of each.
    let world = World::with(
        "dev:
  - {name: live, command: nasty count 10000 forever}
  - {name: old, command: nasty wait-for 1 count 10000 exit 0}
  - {name: mid, command: nasty wait-for 2 count 10000 exit 0}
",
    );
    world.forge(["start", "-d"]).run().ok();
    let whole = |name: &str| forge_tests::sequence(&world.lines(name), "line").len();
    wait_until("the first is written", || whole("live") == 10_000);
    for (turn, name) in [("1", "old"), ("2", "mid")] {
        let keeper = world.keeper(name);
        world.write(turn, "");
        world.wait_status(name, "exited");
        // As long as it is there, its log may still be written to.
        wait_until("its keeper has ended", || !keeper.is_alive());
        assert_eq!(whole(name), 10_000, "{name} is written");
    }
    for (quota, left) in [("3500KB", [10_000, 0, 10_000]), ("1KB", [10_000, 0, 0])] {
        world.settings(&format!("log_quota_total: {quota}\n"));
        // Looked at when a supervisor begins, and each minute.
        world.kill_supervisor();
        let _status = world.status();
        wait_until(quota, || ["live", "old", "mid"].map(whole) == left);
    }
    assert_eq!(world.process("live")["status"], "running", "it goes on");
}
