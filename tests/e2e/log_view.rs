//! The log view of `forge logs -f` and `forge start -a`, on a terminal as a person sees it.

use forge_tests::{Signal, World, wait_until};

/// A history of numbered lines with an error between them, on one stream (the order of two is not known), and a process
/// that says more when it is told to.
fn world() -> World {
    let world = World::with(
        "dev:
  - name: api
    command: nasty count 3000 --tag old print 'ERROR connection timeout' count 3000 --tag new print settled forever
  - name: web
    command: nasty print 'web is up' wait-for go print 'web goes on' wait-for more count 40 --tag late forever
",
    );
    world.start();
    world.wait_line("api", "settled");
    world.wait_line("web", "web is up");
    world
}

#[test]
fn it_follows_and_the_last_lines_stay_when_it_is_left() {
    let world = world();
    let mut terminal = world.terminal(["logs", "-f"]);
    terminal.wait_for("settled");
    terminal.wait_for("following");
    world.write("go", "");
    terminal.wait_for("web goes on");
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
    assert!(terminal.is_cooked(), "the terminal is as it was before");
    terminal.wait_for("web goes on");
    assert!(!terminal.screen().contains("following"), "only the lines: {terminal:?}");
}

#[test]
fn a_question_that_waits_for_its_answer_stands_below_the_lines() {
    let world = World::with("dev:\n  - {name: a, command: sh ask.sh}\n");
    world.write(
        "ask.sh",
        "echo before; printf 'Continue? '; while [ ! -e go ]; do sleep 0.05; done; echo yes; exec sleep 1000\n",
    );
    world.start();
    let mut terminal = world.terminal(["logs", "-f"]);
    terminal.wait_for("Continue?");
    assert!(!terminal.screen().contains("Continue? yes"), "{terminal:?}");
    world.write("go", "");
    terminal.wait_for("Continue? yes");
    assert_eq!(terminal.screen().matches("Continue?").count(), 1, "as one line: {terminal:?}");
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn a_search_finds_what_was_written_long_before() {
    let world = world();
    let mut terminal = world.terminal(["logs", "-f"]);
    terminal.wait_for("settled");
    terminal.type_text("/timeout\r");
    terminal.wait_for("ERROR connection timeout");
    terminal.wait_for("paused");
    terminal.type_text("N");
    terminal.wait_for("no older match");
    // What is on the screen is searched first: it is there on both sides.
    terminal.wait_for("old 00002999");
    terminal.type_text("/00000007\r");
    terminal.wait_for("> old 00000007");
    terminal.type_text("n");
    terminal.wait_for("> new 00000007");
    terminal.type_text("\x1b[F");
    terminal.wait_for("following");
    terminal.type_text("e");
    terminal.wait_for("> ERROR connection timeout");
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn filters_narrow_the_view_and_an_empty_one_shows_all_again() {
    let world = world();
    let mut terminal = world.terminal(["logs", "-f"]);
    terminal.wait_for("settled");
    terminal.type_text("fweb\r");
    terminal
        .wait_screen("only one process", |screen| screen.contains("web is up") && !screen.contains("[api]"));
    terminal.wait_for("filter: web");
    terminal.type_text("f\x15error\r");
    terminal.wait_screen("only errors", |screen| {
        screen.contains("ERROR connection timeout") && !screen.contains("settled")
    });
    terminal.type_text("e");
    terminal.wait_for("> ERROR connection timeout");
    terminal.type_text("\r");
    // Which lines of the other stream stand beside it is a matter of chance.
    let others = |screen: &str| screen.contains("old 0") || screen.contains("new 0");
    terminal.wait_screen("what stands around it", |screen| {
        screen.contains("> ERROR connection timeout") && others(screen)
    });
    terminal.type_text("\x1b");
    terminal.wait_screen("the filter again", |screen| screen.contains("ERROR") && !others(screen));
    terminal.type_text("f\x15\r");
    terminal.wait_for("settled");
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn paused_it_stands_still_and_nothing_is_lost() {
    let world = World::with(
        "dev:
  - name: web
    command: nasty print 'web is up' count 40 --tag early wait-for go print 'web goes on' count 40 --tag late forever
",
    );
    world.start();
    let mut terminal = world.terminal(["logs", "-f", "web"]);
    terminal.wait_for("early 00000039");
    terminal.type_text("p");
    terminal.wait_for("paused");
    world.write("go", "");
    terminal.wait_for("new lines");
    terminal.wait_screen("all of them are counted", |screen| screen.contains("41 new lines"));
    assert!(!terminal.screen().contains("web goes on"), "it stands still: {terminal:?}");
    terminal.type_text("p");
    terminal.wait_for("late 00000039");
    terminal.type_text("\x1b[5~");
    terminal.wait_for("late 00000020");
    terminal.type_text("\x1b[5~");
    terminal.wait_for("late 00000010");
    terminal.type_text("\x1b[H");
    terminal.wait_for("web is up");
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn what_is_shown_is_saved_and_cleared() {
    let world = world();
    let mut terminal = world.terminal(["logs", "-f", "web"]);
    terminal.wait_for("web is up");
    terminal.type_text("sshown.log\r");
    terminal.wait_for("saved");
    assert!(world.read("shown.log").contains("web is up"), "{}", world.read("shown.log"));
    terminal.type_text("sshown.jsonl\r");
    wait_until("JSON lines by the name", || world.read("shown.jsonl").contains("\"text\":\"web is up\""));
    terminal.type_text("sshown.log\r");
    terminal.wait_for("has something in it already");
    terminal.type_text("c");
    terminal.wait_for("Cleared");
    world.write("go", "");
    terminal.wait_screen("only what is new", |screen| {
        screen.contains("web goes on") && !screen.contains("web is up")
    });
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn all_that_fits_is_saved_and_not_only_what_was_looked_at() {
    let world = world();
    let mut terminal = world.terminal(["logs", "-f", "api"]);
    terminal.wait_for("settled");
    terminal.type_text("sall.log\r");
    terminal.wait_for("lines to all.log");
    let all = world.read("all.log");
    assert!(all.contains("old 00000000") && all.contains("new 00002999"), "{} lines", all.lines().count());
    terminal.type_text("fold 0000010\r");
    terminal.wait_for("old 00000109");
    terminal.type_text("sfew.log\r");
    terminal.wait_for("saved 10 lines to few.log");
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn another_size_shows_the_same_lines() {
    let world = world();
    let mut terminal = world.terminal(["logs", "-f"]);
    terminal.wait_for("settled");
    for (rows, columns) in [(40, 120), (10, 60), (24, 80)] {
        terminal.resize(rows, columns);
        terminal.wait_screen("the status is in the last row", |screen| {
            screen.lines().nth(usize::from(rows) - 1).is_some_and(|line| line.contains("following"))
        });
        terminal.wait_for("settled");
    }
    terminal.type_text("\x03");
    assert_eq!(terminal.wait_exit(), 130, "Ctrl-C: {terminal:?}");
    assert!(terminal.is_cooked(), "the terminal is as it was before");
}

#[test]
fn the_process_of_a_found_line_is_restarted() {
    let world = world();
    let before = world.pid("api");
    let mut terminal = world.terminal(["logs", "-f"]);
    terminal.wait_for("settled");
    terminal.type_text("e");
    terminal.wait_for("> ERROR");
    terminal.type_text("R");
    terminal.wait_for("Restart api?");
    assert!(before.is_alive(), "it asks first");
    terminal.type_text("y");
    wait_until("it was restarted", || !before.is_alive());
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn a_flood_is_followed_and_can_be_left() {
    let world = World::with("dev:\n  - {name: a, command: nasty flood --rate 10000}\n");
    world.start();
    let mut terminal = world.terminal(["logs", "-f"]);
    terminal.wait_for("following");
    terminal.type_text("p");
    terminal.wait_for("new lines");
    terminal.type_text("/00000042\r");
    terminal.wait_for("line 00000042");
    terminal.type_text("\x1b[F");
    terminal.wait_for("following");
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn a_killed_supervisor_is_told_and_following_goes_on() {
    let world = world();
    let mut terminal = world.terminal(["logs", "-f"]);
    terminal.wait_for("settled");
    let old = world.supervisor().expect("one runs");
    old.signal(Signal::KILL);
    wait_until("another one runs", || world.supervisor().is_some_and(|supervisor| supervisor.pid != old.pid));
    world.write("go", "");
    terminal.wait_for("web goes on");
    terminal.wait_screen("it follows", |screen| screen.contains("following"));
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn a_start_that_stays_asks_what_becomes_of_what_it_started() {
    let world = World::with("dev:\n  - {name: a, command: nasty print 'a is up' forever}\n");
    let mut terminal = world.terminal(["start", "-a"]);
    terminal.wait_for("a is up");
    terminal.type_text("q");
    terminal.wait_for("s stops what was started");
    terminal.type_text("k");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
    assert!(world.pid("a").is_alive(), "it goes on");
    world.forge(["stop"]).run().ok();
    let mut terminal = world.terminal(["start", "-a"]);
    terminal.wait_for("following");
    terminal.type_text("\x03");
    assert_eq!(terminal.wait_exit(), 130, "Ctrl-C: {terminal:?}");
    world.wait_status("a", "stopped");
    assert!(terminal.is_cooked(), "the terminal is as it was before");
}
