//! Idle is idle (I9), and everything is bounded (I8).

use std::fs;
use std::time::Duration;

use forge_tests::{Process, World, wait_until};

/// How often the threads of a process have waited for something.
fn waits(process: &Process) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.pid)).expect("it lives").flatten();
    let count = |task: fs::DirEntry| {
        let status = fs::read_to_string(task.path().join("status")).ok()?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<u64>().ok())
    };
    tasks.filter_map(count).sum()
}

#[test]
fn without_events_a_keeper_does_nothing_and_the_supervisor_next_to_nothing() {
    const WINDOW: Duration = Duration::from_secs(2);
    let world = World::with(
        "dev:\n  - {name: a, command: nasty print up forever}\n  - {name: b, command: nasty forever}\n",
    );
    world.start();
    world.wait_line("a", "up");
    let (keeper, supervisor) = (world.keeper("a"), world.wait_supervisor());
    // A loaded machine may still be at work on the start; a quiet window is waited for, not assumed.
    wait_until("a quiet window", || {
        let before = (waits(&keeper), waits(&supervisor));
        std::thread::sleep(WINDOW);
        let after = (waits(&keeper), waits(&supervisor));
        // A thread that has ended takes its share along: that was no quiet window.
        let more = |after: u64, before: u64| after.checked_sub(before).unwrap_or(u64::MAX);
        more(after.0, before.0) <= 1 && more(after.1, before.1) <= 10
    });
}

#[test]
fn a_keepers_memory_does_not_grow_with_what_it_has_read() {
    let world = World::with("dev:\n  - {name: a, command: nasty count 300000 touch done forever}\n");
    world.start();
    wait_until("30 MB are read", || world.path("done").exists());
    let rollup =
        fs::read_to_string(format!("/proc/{}/smaps_rollup", world.keeper("a").pid)).expect("it lives");
    let private: u64 = rollup
        .lines()
        .filter_map(|line| {
            line.strip_prefix("Private_Dirty:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        })
        .sum();
    assert!(private < 4096, "{private} KiB");
}

#[test]
fn a_follower_of_a_silent_process_waits() {
    const WINDOW: Duration = Duration::from_secs(2);
    let world = World::with("dev:\n  - {name: a, command: nasty print up forever}\n");
    world.start();
    world.wait_line("a", "up");
    let follower = world.forge(["logs", "-f"]).spawn();
    wait_until("it follows", || follower.stdout().contains("up"));
    let (keeper, supervisor) = (world.keeper("a"), world.wait_supervisor());
    wait_until("a quiet window", || {
        let before = waits(&keeper) + waits(&supervisor);
        std::thread::sleep(WINDOW);
        (waits(&keeper) + waits(&supervisor)).checked_sub(before).is_some_and(|more| more <= 12)
    });
}
