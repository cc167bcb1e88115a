//! A parent that starts its child again when it is killed.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, deadline, reap, until};
use forge_system::Signal;

#[test]
fn a_respawning_parent_does_not_outrun_the_killing() {
    let ground = Ground::held();
    let root = ground.spawn(
        "trap '' TERM; while :; do setsid sh -c 'echo $$ >worker.new; mv worker.new worker; exec sleep 300'; done",
    );
    let first = ground.pid_in("worker");
    let mut tree = ground.tree(&root);
    assert!(first.signal(Signal::KILL).unwrap(), "the first worker was there");
    until("another worker", || {
        reap();
        std::fs::read_to_string(ground.file("worker")).is_ok_and(|pid| pid.trim() != first.pid.to_string())
    });

    assert_eq!(tree.kill_all(deadline(), reap).unwrap(), [], "no survivor");
    assert_eq!(ground.survivors(), [0; 0], "nobody is left");
}
