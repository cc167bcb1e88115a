//! The tests' own tools: a tool that sees nothing would let everything pass.

use std::fs;
use std::path::Path;

use forge_tests::{
    FakeDocker, Invocation, Process, Signal, Terminal, World, entries, join, nasty, sequence, wait_until,
};

#[test]
fn programs_are_found_by_their_marks_wherever_they_hide() {
    let mut world = World::new();
    world.set_env("FORGE_RUN", "some-run");
    let tree = ["setsid", "begin", "forever", "end", "double-fork", "begin", "forever", "end", "forever"];
    let _running = world.program(nasty(), tree).spawn();
    wait_until("all three are found", || world.programs().len() == 3);
    wait_until("none is found", || {
        // One of them may have been about to start another.
        world.programs().iter().for_each(|process| process.signal(Signal::KILL));
        world.programs().is_empty()
    });
}

#[test]
fn a_process_is_told_from_a_later_one_with_its_pid() {
    let running = Invocation::new(nasty()).args(["forever"]).spawn();
    let found = Process::find(running.pid()).expect("it lives");
    assert!(found.is_alive(), "{found:?}");
    assert!(
        !Process { start: found.start + 1, ..found.clone() }.is_alive(),
        "another start time is another process"
    );
    drop(running);
    assert!(!found.is_alive(), "{found:?}");
}

#[test]
fn segments_are_read_by_their_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a segment");
    let stamp = "2026-11-21T14:30:15.123456789Z";
    write("00000002.log", &format!("{stamp} stdout F line 00000001 xx\n{stamp} stdout F half"));
    write(
        "00000001.log",
        &format!("{stamp} stdout P line 000\n{stamp} stderr F other\n{stamp} stdout F 00000 xx\n"),
    );
    write("00000001.idx", "not a segment");
    let lines = join(&entries(folder.path()));
    assert_eq!(sequence(&lines, "line"), [0, 1], "joined, in order, without the half line: {lines:?}");
}

#[test]
#[should_panic(expected = "split or merged")]
fn a_merged_line_is_noticed() {
    let line = |text: &str| forge_tests::Line { stream: "stdout".into(), text: text.into() };
    let _numbers = sequence(&[line("line 00000000 x"), line("line 00000001 xline 00000002 x")], "line");
}

#[test]
#[should_panic(expected = "2 lines of 3")]
fn a_lost_line_is_noticed() {
    let line = |text: &str| forge_tests::Line { stream: "stdout".into(), text: text.into() };
    forge_tests::assert_sequence(&[line("line 00000000 x"), line("line 00000002 x")], "line", 0..3);
}

#[test]
fn the_terminal_shows_types_and_resizes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = Terminal::spawn(nasty(), ["tty-size", "prompt", "exit", "3"], [], folder.path());
    terminal.wait_for("size 24 rows 80 columns");
    terminal.resize(30, 90);
    terminal.wait_for("size 30 rows 90 columns");
    terminal.wait_for("name? ");
    assert!(terminal.is_cooked(), "nobody took it away");
    terminal.type_text("Ann\r");
    terminal.wait_for("hello Ann");
    assert_eq!(terminal.wait_exit(), 3, "{terminal:?}");
}

#[test]
fn killing_the_fake_docker_client_leaves_its_container() {
    let mut world = World::new();
    let docker = FakeDocker::new(&mut world);
    let client = |arguments: &[&str]| world.program(&world.bin().join("docker"), arguments);
    let mut run = client(&["run", "--rm", "--cidfile", "cid", "image", "print", "up", "forever"]).spawn();
    run.wait_for_output("up");
    run.signal(Signal::KILL);
    assert_eq!(run.wait().code, None, "killed");
    assert_eq!(docker.containers().len(), 1, "as with the real one");
    let id = world.read("cid");
    client(&["stop", "-t", "5", &id]).run().ok();
    assert!(docker.containers().is_empty(), "stopped by its name");
    client(&["stop", &id]).run().code(1);
    let mut run = client(&["run", "image", "print", "up", "forever"]).spawn();
    run.wait_for_output("up");
    run.signal(Signal::TERM);
    run.wait().code(137);
    assert!(docker.containers().is_empty(), "the client passes SIGTERM on");
}

#[test]
fn an_invocation_ends_with_what_it_said() {
    let outcome = Invocation::new(nasty()).args(["print", "out", "eprint", "err", "exit", "7"]).run();
    outcome.code(7).prints("out").says("err");
    let mut cat = Invocation::new(Path::new("/bin/cat")).with_input().spawn();
    cat.write("through\n");
    cat.wait_for_output("through");
    cat.wait().ok();
}
