//! `forge logs`.

use std::fs;
use std::path::Path;

use forge_tests::{Signal, World, wait_until};
use serde_json::{Value, json};

/// Two processes whose lines are written in turns, with what a filter may look for.
fn talkers() -> World {
    let world = World::with(
        "dev:
  - {name: a, command: nasty wait-for 1 print 'one of a' wait-for 3 print 'INFO two of a' wait-for 5 eprint 'ERROR three of a' forever}
  - {name: b, command: nasty wait-for 2 print 'one of b' wait-for 4 eprint 'two of b' wait-for 6 print 'WARN three of b' forever}
",
    );
    world.start();
    // Each is stored before the next is written: lines have the time at which they were read.
    let turns = ["one of a", "one of b", "INFO two of a", "two of b", "ERROR three of a", "WARN three of b"];
    for (turn, text) in turns.iter().enumerate() {
        world.write(&(turn + 1).to_string(), "");
        world.wait_line(&text[text.len() - 1..], text);
    }
    world
}

fn texts(world: &World, arguments: &[&str]) -> Vec<String> {
    let all = ["logs", "--json"].iter().chain(arguments);
    let outcome = world.forge(all).run();
    let lines = outcome.ok().json_lines();
    // Forge's own lines are beside the point here.
    let lines = lines.iter().filter(|line| line["stream"] != "forge");
    lines.map(|line| line["text"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn history_is_merged_by_time() {
    let world = talkers();
    let merged = ["one of a", "one of b", "INFO two of a", "two of b", "ERROR three of a", "WARN three of b"];
    assert_eq!(texts(&world, &[]), merged, "all of it");
    assert_eq!(texts(&world, &["a", "b"]), merged, "named");
    assert_eq!(texts(&world, &["a"]), ["one of a", "INFO two of a", "ERROR three of a"], "one of them");
    assert_eq!(texts(&world, &["dev"]), merged, "the environment");
    let shown = world.forge(["logs"]).run();
    shown.ok().prints("INFO two of a").prints("two of b");
    let of = |text: &str| shown.stdout.find(text).unwrap_or_else(|| panic!("{text} is missing: {shown}"));
    assert!(merged.windows(2).all(|pair| of(pair[0]) < of(pair[1])), "in the same order: {shown}");
}

#[test]
fn a_line_has_the_documented_members() {
    let world = talkers();
    let lines = world.forge(["logs", "a", "--json"]).run().ok().json_lines();
    let line = lines.iter().find(|line| line["text"] == "ERROR three of a").expect("it was written");
    assert_eq!(line["environment"], "dev", "{line}");
    assert_eq!(line["process"], "a", "{line}");
    assert_eq!(line["run"], 1, "{line}");
    assert_eq!(line["stream"], "stderr", "{line}");
    assert_eq!(line["level"], "error", "{line}");
    assert!(line["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
    let plain = lines.iter().find(|line| line["text"] == "one of a").expect("it was written");
    assert!(plain["level"].is_null(), "{plain}");
}

#[test]
fn n_counts_lines_after_merging() {
    let world = talkers();
    assert_eq!(texts(&world, &["-n", "2"]), ["ERROR three of a", "WARN three of b"], "the last two of both");
    assert_eq!(texts(&world, &["-n", "1", "a"]), ["ERROR three of a"], "of one");
    assert!(texts(&world, &["-n", "0"]).is_empty(), "none");
}

#[test]
fn filters_narrow_it() {
    let world = talkers();
    assert_eq!(
        texts(&world, &["--grep", "thr.e"]),
        ["ERROR three of a", "WARN three of b"],
        "a regular expression"
    );
    assert_eq!(texts(&world, &["--grep", "info"]), Vec::<String>::new(), "case counts");
    assert_eq!(texts(&world, &["--grep", "info", "-i"]), ["INFO two of a"], "unless told otherwise");
    assert_eq!(texts(&world, &["--grep", "one|three", "-v"]), ["INFO two of a", "two of b"], "the others");
    assert_eq!(texts(&world, &["--stream", "stderr"]), ["two of b", "ERROR three of a"], "one stream");
    assert_eq!(texts(&world, &["--level", "error"]), ["ERROR three of a"], "this level or a worse one");
    assert_eq!(
        texts(&world, &["--level", "warn"]),
        ["ERROR three of a", "WARN three of b"],
        "this level or a worse one"
    );
    assert_eq!(
        texts(&world, &["--grep", "INFO", "--context", "1"]),
        ["one of b", "INFO two of a", "two of b"],
        "with lines around"
    );
    assert_eq!(texts(&world, &["--since", "1h"]).len(), 6, "an hour ago is before all of it");
    assert!(texts(&world, &["--until", "2001-01-01T00:00:00Z"]).is_empty(), "nothing is that old");
    assert!(texts(&world, &["--since", "2100-01-01T00:00:00Z"]).is_empty(), "nor that new");
    world.forge(["logs", "--grep", "("]).run().code(2);
    world.forge(["logs", "--since", "yesterday-ish"]).run().code(2);
    world.forge(["logs", "nobody"]).run().code(3);
}

#[test]
fn every_run_is_kept_and_can_be_read_alone() {
    let world = World::with("dev:\n  - {name: a, command: nasty append runs x print 'pid %p' forever}\n");
    world.start();
    world.forge(["restart", "a"]).run().ok();
    world.forge(["restart", "a"]).run().ok();
    forge_tests::wait_until("three runs have written", || texts(&world, &["a"]).len() == 3);
    let all = texts(&world, &["a"]);
    for run in 1..=3 {
        assert_eq!(texts(&world, &["a", "--run", &run.to_string()]), [all[run - 1].clone()], "run {run}");
    }
}

#[test]
fn follow_shows_each_new_line_once() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty count 100 wait-for go count 400 --from 100 print end forever}\n",
    );
    world.start();
    let mut follow = world.forge(["logs", "-f", "--json", "a"]).spawn();
    follow.wait_for_output("line 00000099");
    world.write("go", "");
    follow.wait_for_output("\"end\"");
    follow.signal(Signal::INT);
    let outcome = follow.wait();
    outcome.code(130);
    let numbers: Vec<u64> = outcome
        .json_lines()
        .iter()
        .filter_map(|line| line["text"].as_str()?.strip_prefix("line ")?.get(..8)?.parse().ok())
        .collect();
    assert_eq!(numbers, (0..500).collect::<Vec<u64>>(), "each once and in order");
}

#[test]
fn follow_goes_on_across_restarts() {
    let world = World::with("dev:\n  - {name: a, command: nasty print 'pid %p' forever}\n");
    world.start();
    let mut follow = world.forge(["logs", "-f", "a"]).spawn();
    follow.wait_for_output(&format!("pid {}", world.pid("a").pid));
    world.forge(["restart", "a"]).run().ok();
    follow.wait_for_output(&format!("pid {}", world.pid("a").pid));
    follow.signal(Signal::INT);
    follow.wait().code(130);
}

#[test]
fn follow_ends_quietly_when_its_reader_goes() {
    let world = World::with("dev:\n  - {name: a, command: nasty flood --rate 200}\n");
    world.start();
    let forge = forge_tests::forge().display().to_string();
    let outcome = world
        .program(std::path::Path::new("/bin/sh"), ["-c", &format!("{forge} logs -f a | head -n 3; exit 0")])
        .run();
    outcome.ok();
    assert_eq!(outcome.stdout.lines().count(), 3, "{outcome}");
    assert_eq!(outcome.stderr, "", "no complaint about a broken pipe");
}

#[test]
fn save_writes_a_file_and_does_not_overwrite_one() {
    let world = talkers();
    let saved = world.forge(["logs", "--save", "out.txt"]).run();
    saved.ok();
    assert!(world.read("out.txt").contains("WARN three of b"), "{}", world.read("out.txt"));
    assert!(!world.read("out.txt").contains('\x1b'), "plain text");
    world.write("precious", "mine");
    world.forge(["logs", "--save", "precious"]).run().code(1);
    assert_eq!(world.read("precious"), "mine", "left alone");
}

#[test]
fn logs_are_there_after_everything_was_stopped() {
    let world = talkers();
    world.forge(["stop"]).run().ok();
    assert_eq!(texts(&world, &["dev"]).len(), 6, "history stays");
    assert_eq!(texts(&world, &["a", "-n", "1"]), ["ERROR three of a"], "by process too");
}

#[test]
fn colour_only_where_it_is_wanted() {
    let world = talkers();
    assert!(!world.forge(["logs"]).run().ok().stdout.contains('\x1b'), "not into a pipe");
    assert!(world.forge(["--color", "always", "logs"]).run().ok().stdout.contains('\x1b'), "asked for");
    let terminal = world.terminal(["logs", "-n", "3"]);
    terminal.wait_for("WARN three of b");
}

#[test]
fn a_run_that_is_not_there_is_not_found() {
    let world = World::with("dev:\n  - {name: a, command: nasty print up forever}\n");
    world.start();
    world.wait_line("a", "up");
    world.forge(["restart", "a"]).run().ok();
    world.forge(["logs", "a", "--run", "2"]).run().ok();
    let missing = world.forge(["logs", "a", "--run", "9"]).run();
    missing.code(3).says("run 9").says("runs 1 to 2");
    let missing = world.forge(["logs", "a", "--run", "9", "--json"]).run();
    missing.code(3);
    assert_eq!(missing.error_code(), "not_found", "{missing}");
    world.forge(["logs", "a", "--patterns", "--run", "9"]).run().code(3).says("run 9");
}

#[test]
fn groups_with_context_are_apart() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty print x print hit print y print z print z print hit print end}\n",
    );
    world.start();
    world.wait_line("a", "end");
    let shown = world.forge(["logs", "a", "--grep", "hit", "--context", "1"]).run();
    let lines: Vec<&str> =
        shown.ok().stdout.lines().map(|line| line.rsplit(' ').next().unwrap_or_default()).collect();
    assert_eq!(lines, ["x", "hit", "y", "--", "z", "hit", "end"], "{shown}");
    let bare = world.forge(["logs", "a", "--grep", "hit"]).run();
    assert!(!bare.ok().stdout.contains("--"), "without context there are no groups: {bare}");
}

#[test]
fn the_context_of_a_match_is_whole_across_pages() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty count 60000 --bytes 100 print over forever}\n");
    world.start();
    wait_until("all is written", || world.forge(["logs", "a", "-n", "1"]).run().stdout.contains("over"));
    let mut rpc = world.rpc().expect("a connection");
    // Every tenth line, so that pages end at any place between two of them.
    let query = json!({"workspace": world.workspace(), "names": ["a"], "grep": "^line \\d*7 ", "context": 2});
    let (mut cursor, mut lines, mut pages) = (Value::Null, 0, 0);
    loop {
        let asked = json!({"query": query, "cursor": cursor, "max_bytes": 49_999, "wait": false});
        let page = rpc.ask("logs.read", asked);
        lines += page["lines"].as_array().expect("a list").len();
        pages += 1;
        cursor = page["cursor"].clone();
        if page["at_end"] == true {
            break;
        }
    }
    assert!(pages > 3, "several pages: {pages}");
    assert_eq!(lines, 30_000, "six thousand matches, each with two lines before and two after it");
}

#[test]
fn where_a_run_ends_its_log_says_how() {
    let world = World::with(
        "dev:
  - {name: fails, command: nasty print one exit 3, auto_restart: {delay: 0s, max_crashes: 2}}
  - {name: stays, command: nasty print two forever}
",
    );
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("fails", "failed");
    world.wait_line("stays", "two");
    world.forge(["stop"]).run().ok();
    world.forge(["logs", "fails"]).run().ok().prints("run 1 exited with 3").prints("run 2 exited with 3");
    world.forge(["logs", "stays"]).run().ok().prints("run 1 was stopped by SIGTERM");
}

#[test]
fn a_pattern_that_no_earlier_run_had_is_new() {
    let world = World::with("dev:\n  - {name: a, command: sh a.sh}\n");
    world.write("a.sh", "echo ERROR: the old one; exec sleep 1000\n");
    world.start();
    world.wait_line("a", "ERROR: the old one");
    world.write("a.sh", "echo ERROR: the old one; echo ERROR: an unheard one; exec sleep 1000\n");
    world.forge(["restart", "a"]).run().ok();
    world.wait_line("a", "ERROR: an unheard one");
    let told = world.forge(["logs", "--patterns", "--json"]).run().ok().json_lines();
    let of = |text: &str| {
        let found =
            told.iter().find(|one| one["template"].as_str().is_some_and(|known| known.contains(text)));
        found.unwrap_or_else(|| panic!("no {text}: {told:#?}")).clone()
    };
    assert_eq!((&of("old")["new"], &of("old")["count"]), (&json!(false), &json!(2)), "{told:#?}");
    assert_eq!(of("unheard")["new"], true, "{told:#?}");
}

#[test]
fn what_made_it_crash_is_new_although_it_runs_again() {
    let world =
        World::with("dev:\n  - {name: a, command: sh a.sh, auto_restart: {delay: 100ms, max_crashes: 50}}\n");
    world.write("a.sh", "echo ERROR: the old one; exec sleep 1000\n");
    world.start();
    world.wait_line("a", "ERROR: the old one");
    let again = "echo ERROR: the old one; test -e stay && exec sleep 1000; echo ERROR: what broke it; touch stay; exit 1\n";
    world.write("a.sh", again);
    world.forge(["restart", "a"]).run().ok();
    world.wait_process("a", "up again", |a| a["run"] == 3 && a["status"] == "running");
    let told = world.forge(["logs", "--patterns", "--json"]).run().ok().json_lines();
    let new = |text: &str| -> Value {
        let found =
            told.iter().find(|one| one["template"].as_str().is_some_and(|known| known.contains(text)));
        found.unwrap_or_else(|| panic!("no {text}: {told:#?}"))["new"].clone()
    };
    assert_eq!((new("the old one"), new("what broke it")), (json!(false), json!(true)), "{told:#?}");
}

#[test]
fn a_text_can_be_looked_for_among_the_lines_that_have_another() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty print 'user 1 paid' print 'user 2 paid' print 'user 2 left' print end forever}\n",
    );
    world.start();
    world.wait_line("a", "end");
    let mut rpc = world.rpc().expect("a connection");
    let mut found = |within: Value| -> Vec<String> {
        let query =
            json!({"workspace": world.workspace(), "names": ["a"], "grep": "user \\d", "within": within});
        let page = rpc.ask("logs.read", json!({"query": query}));
        let text = |line: &Value| line["text"].as_str().unwrap_or_default().to_owned();
        page["lines"].as_array().expect("a list").iter().map(text).collect()
    };
    let sought = |text: &str, invert: bool| json!({"text": text, "literal": true, "ignore_case": false, "invert": invert});
    assert_eq!(found(Value::Null).len(), 3, "all that match");
    assert_eq!(found(sought("paid", false)), ["user 1 paid", "user 2 paid"], "those that have it");
    assert_eq!(found(sought("paid", true)), ["user 2 left"], "those that have it not");
}

#[test]
fn what_is_no_expression_is_shown_with_its_place() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    let told = world.forge(["logs", "--grep", "user (id"]).run();
    let place = "`user (id` is no regular expression: unclosed group, at column 6
         user (id
              ^
";
    told.code(2).says(place);
    let told = world.forge(["--json", "logs", "--grep", "user (id"]).run();
    assert_eq!(told.code(2).error_code(), "usage", "as a document too");
}

#[test]
fn what_is_stored_comes_once_though_the_supervisor_is_killed_meanwhile() {
    const LINES: u64 = 60_000;
    let world =
        World::with(&format!("dev:\n  - {{name: a, command: nasty count {LINES} --bytes 100 forever}}\n"));
    world.start();
    wait_until("all is written", || world.lines("a").len() as u64 >= LINES);
    // Takes a line, and the others only when it may: what is written does not fit into the pipe.
    let reader = "'FORGE' logs a | { read -r first; : >begun; while [ ! -e go ]; do sleep 0.05; done; echo \"$first\"; cat; } >all";
    let reader = reader.replace("FORGE", &forge_tests::forge().display().to_string());
    let reading = world.program(Path::new("/bin/sh"), ["-c", &reader]).spawn();
    wait_until("it reads", || world.path("begun").exists());
    world.kill_supervisor();
    world.write("go", "");
    reading.wait().ok();
    let text = fs::read_to_string(world.path("all")).expect("it was written");
    let number = |line: &str| line.split_once("line ")?.1.get(..8)?.parse::<u64>().ok();
    let numbers: Vec<u64> = text.lines().filter_map(number).collect();
    assert_eq!(numbers.len() as u64, LINES, "each once");
    assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1), "in order");
}
