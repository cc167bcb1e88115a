//! A keeper is killed: its process does not notice.

use forge_tests::{Signal, World, sequence, wait_for, wait_until};

/// Three keepers of a process that writes are killed, one after the other. `more`: keys of the process.
fn is_survived_by_a_process_that_writes(more: &str) {
    const LINES: u64 = 3000;
    let world = World::with(&format!(
        "dev:
  - name: a
    command: nasty count {LINES} --rate 3000 touch done wait-for go print end exit 5
    auto_restart: false
    {more}
"
    ));
    world.start();
    let a = world.pid("a");
    for _ in 0..3 {
        let keeper = world.keeper("a");
        keeper.signal(Signal::KILL);
        wait_until("it dies", || !keeper.is_alive());
        wait_until("another holds the process", || {
            let (folder, _) = world.run_folder("a");
            let events = std::fs::read_to_string(folder.join("events")).unwrap_or_default();
            let last =
                events.lines().rev().find(|line| line.contains("\"keeper\"")).unwrap_or_default().to_owned();
            !last.contains(&format!("\"pid\":{},", keeper.pid))
        });
        assert_eq!(world.pid("a"), a, "the same process");
    }
    wait_until("all is written", || world.path("done").exists());
    world.write("go", "");
    wait_until("it ends", || world.lines("a").iter().any(|line| line.text().trim_end() == "end"));
    let lines = world.lines("a");
    let numbers = sequence(&lines, "line");
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "I3: no duplicate, no reordering");
    let lost = LINES - numbers.len() as u64;
    let marked = lines.iter().filter(|line| line.stream == "forge").count();
    assert!(lost == 0 || marked > 0, "I3: {lost} lines are missing, and no marker says so");
    assert!(lost * 100 <= 3 * (64 << 10), "at most the one read that each keeper held: {lost} lines");
    let ended = world.wait_process("a", "its end is known", |a| {
        matches!(a["status"].as_str(), Some("crashed" | "exited"))
    });
    // The second keeper is not its parent: the code is had where the kernel gives it, else it is honestly unknown.
    assert!(ended["exit_code"] == 5 || ended["exit_code"].is_null(), "I4: {ended:#}");
}

#[test]
fn fault_03_a_killed_keeper_costs_its_process_nothing() {
    is_survived_by_a_process_that_writes("tty: false");
}

#[test]
fn fault_03_a_stop_after_a_killed_keeper_leaves_nothing() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty setsid begin forever end double-fork begin forever end forever
    shutdown: {timeout: 500ms}
",
    );
    world.start();
    wait_until("the tree has grown", || world.programs().len() == 3);
    let a = world.pid("a");
    world.keeper("a").signal(Signal::KILL);
    assert!(a.is_alive(), "I2");
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "left: {:#?}", world.programs());
}

#[test]
fn fault_04_a_killed_keeper_of_a_terminal_costs_its_process_nothing() {
    let world = World::with("dev:\n  - {name: a, command: nasty prompt prompt forever, tty: true}\n");
    world.start();
    wait_until("the prompt", || world.entries("a").iter().any(|entry| entry.text.ends_with(b"name? ")));
    let a = world.pid("a");
    let keeper = world.keeper("a");
    keeper.signal(Signal::KILL);
    wait_until("it dies", || !keeper.is_alive());
    wait_until("the answer arrives by the next keeper", || {
        // Until the next keeper has the terminal, sending may be refused.
        world.forge(["send", "a", "Ann"]).run().code == Some(0)
    });
    wait_until("it is greeted", || world.lines("a").iter().any(|line| line.text().contains("hello Ann")));
    assert_eq!(world.pid("a"), a, "I2: the same process");
}

#[test]
fn fault_04_a_killed_keeper_of_a_terminal_costs_what_is_written_to_it_nothing() {
    is_survived_by_a_process_that_writes("tty: true");
}

#[test]
fn fault_05_a_process_outlives_supervisor_and_keeper() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty print before wait-for go count 5000 print after forever}\n",
    );
    world.start();
    world.wait_line("a", "before");
    let a = world.pid("a");
    let keeper = world.keeper("a");
    world.kill_supervisor();
    keeper.signal(Signal::KILL);
    wait_until("both are dead", || !keeper.is_alive());
    // More than a pipe holds: it blocks, and does not die.
    world.write("go", "");
    assert_eq!(world.pid("a"), a, "I2: adopted by the next");
    world.wait_line("a", "after");
    forge_tests::assert_sequence(&world.lines("a"), "line", 0..5000);
    world.forge(["stop"]).run().ok();
    assert!(!a.is_alive(), "and can be stopped");
}

#[test]
fn fault_05_a_terminals_process_that_died_with_both_is_told_honestly() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty prompt forever, tty: true, auto_restart: {delay: 10ms}}\n",
    );
    world.start();
    let a = world.pid("a");
    let keeper = world.keeper("a");
    world.kill_supervisor();
    keeper.signal(Signal::KILL);
    wait_until("its terminal is gone, and so is it", || !a.is_alive());
    let now = world.wait_process("a", "restarted", |a| a["status"] == "running" && a["run"] == 2);
    assert_eq!(now["restarts"], 1, "{now:#}");
}

#[test]
fn fault_05_an_end_that_nobody_saw_is_unknown_or_had_from_the_kernel() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever, auto_restart: false}\n");
    world.start();
    let a = world.pid("a");
    let keeper = world.keeper("a");
    world.kill_supervisor();
    keeper.signal(Signal::KILL);
    wait_until("it dies", || !keeper.is_alive());
    a.signal(Signal::KILL);
    wait_until("it dies", || !a.is_alive());
    let a = world
        .wait_process("a", "has ended", |a| !matches!(a["status"].as_str(), Some("running" | "starting")));
    // Where nobody has waited for it yet, the kernel still knows.
    assert!(a["exit_code"].is_null(), "I4: it did not exit: {a:#}");
    assert!(a["signal"].is_null() || a["signal"] == "SIGKILL", "I4: {a:#}");
    assert_eq!(a["status"], "crashed", "{a:#}");
}

#[test]
fn a_keeper_that_is_stopped_does_not_hold_up_the_others() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty forever}\n  - {name: b, command: nasty forever}\n");
    world.start();
    let keeper = world.keeper("a");
    keeper.signal(Signal::STOP);
    assert_eq!(world.process("b")["status"], "running", "status answers");
    world.forge(["restart", "b"]).run().ok();
    keeper.signal(Signal::CONT);
}

#[test]
fn keepers_that_are_killed_again_and_again_never_make_two_trees() {
    let world = World::with("dev:\n  - {name: a, command: nasty alone only forever}\n");
    world.start();
    let a = world.pid("a");
    let is_keeper = |process: &forge_tests::Process| {
        process.variable("FORGE_RUN").is_none() && process.command.contains("forge-keeper")
    };
    for _ in 0..12 {
        let keeper = wait_for("a keeper", || {
            world.alive().into_iter().find(is_keeper).or_else(|| {
                // Given up: that may be, if it is said.
                (world.process("a")["status"] == "failed").then(|| a.clone())
            })
        });
        if keeper == a {
            break;
        }
        keeper.signal(Signal::KILL);
        wait_until("it dies", || !keeper.is_alive());
    }
    assert!(a.is_alive(), "I2");
    let _either = world.forge(["start", "--timeout", "10s"]).run();
    assert_eq!(world.programs().len(), 1, "I1: {:#?}", world.programs());
    assert_eq!(world.read("only"), "", "I1");
    world.forge(["stop"]).run().ok();
    assert!(!a.is_alive(), "I7");
}
