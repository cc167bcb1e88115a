//! Nothing is signalled that is not proven ours (I5).

use std::fs;

use forge_tests::{Signal, World, wait_until};

/// A world whose process `a` is dead, and so are its keeper and the supervisor: only the run folder is left, and it
/// has no last word.
fn abandoned(command: &str) -> World {
    let world = World::with(&format!("dev:\n  - {{name: a, command: {command}, auto_restart: false}}\n"));
    world.start();
    let (a, keeper) = (world.pid("a"), world.keeper("a"));
    world.kill_supervisor();
    keeper.signal(Signal::KILL);
    wait_until("the keeper dies", || !keeper.is_alive());
    a.signal(Signal::KILL);
    wait_until("the process dies", || !a.is_alive());
    world
}

/// Lets every record of the run name `stranger`'s PID instead of its own.
fn blame(world: &World, stranger: u32) {
    let (folder, _) = world.run_folder("a");
    let events = fs::read_to_string(folder.join("events")).expect("the keeper's records");
    let records = events.lines().map(|line| {
        let mut record: forge_tests::Value = serde_json::from_str(line).expect("a record");
        if record.get("pid").is_some() {
            record["pid"] = stranger.into();
        }
        format!("{record}\n")
    });
    fs::write(folder.join("events"), records.collect::<String>()).expect("the records");
}

#[test]
fn fault_18_a_stranger_with_the_pid_of_ours_is_left_alone() {
    let world = abandoned("nasty forever");
    let stranger = forge_tests::Invocation::new(forge_tests::nasty()).args(["forever"]).spawn();
    blame(&world, stranger.pid());
    // In whatever state of the adoption these come.
    world.forge(["kill", "a"]).run().ok();
    world.start();
    assert_ne!(world.pid("a").pid, stranger.pid(), "it is not taken for ours");
    world.forge(["stop", "--all"]).run().ok();
    assert!(stranger.is_alive(), "nothing was done to it");
}

#[test]
fn fault_18_a_stranger_that_has_our_mark_but_not_our_start_time_is_left_alone() {
    let world = abandoned("nasty forever");
    let (_, spec) = world.run_folder("a");
    let run = spec["run"].as_str().expect("the run's id");
    let stranger =
        forge_tests::Invocation::new(forge_tests::nasty()).args(["forever"]).env("FORGE_RUN", run).spawn();
    blame(&world, stranger.pid());
    // Its mark says that a process of ours started it, so Forge may end it by that; by the number it may not hold it.
    let a = world.wait_status("a", "crashed");
    assert!(a["pid"].is_null(), "{a:#}");
}

#[test]
fn kill_of_a_process_that_does_not_run_signals_nobody() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    world.forge(["stop", "a"]).run().ok();
    let stranger = forge_tests::Invocation::new(forge_tests::nasty()).args(["forever"]).spawn();
    world.forge(["kill", "a"]).run().ok();
    assert!(stranger.is_alive(), "only what the user named");
}
