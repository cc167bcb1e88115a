//! Many processes that write much at once. `cargo xtask soak` does the same for minutes, with the window open.

use std::time::{Duration, Instant};

use forge_tests::{Flood, World, wait_until};

const FLOOD: Flood = Flood { processes: 50, rate: 2000, seconds: 20 };

/// Memory that may come and go between two looks, in bytes.
const SLACK: u64 = 8 << 20;

#[test]
fn a_flood_of_fifty_processes_is_kept_whole_and_the_supervisor_stays_small() {
    let world = World::with(&FLOOD.configuration());
    world.start();
    let supervisor = world.wait_supervisor();
    let begun = Instant::now();
    let mut memory = Vec::new();
    wait_until("the flood's time is over", || {
        memory.push(supervisor.pss());
        begun.elapsed() >= Duration::from_secs(FLOOD.seconds)
    });
    let (early, late) = memory.split_at(memory.len() / 2);
    // What has a limit fills in the first quarter.
    let early = early[early.len() / 2..].iter().max();
    let late = late[late.len() / 2..].iter().max();
    assert!(late <= early.map(|bytes| bytes + SLACK).as_ref(), "memory of the supervisor: {memory:?}");
    FLOOD.assert_stored(&world);
    assert_eq!(world.wait_supervisor().pid, supervisor.pid, "the same supervisor");
    // It answers as ever.
    let found = world.forge(["logs", "p7", "--grep", "p7 00031999 ", "--stream", "stdout"]).run();
    assert!(found.ok().stdout.contains("p7 00031999 "), "one line of them all");
}
