//! SIGTERM may be ignored; the killing may not.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, deadline, reap};
use forge_system::Signal;

#[test]
fn who_ignores_term_is_killed() {
    let ground = Ground::held();
    let root = ground.spawn("trap '' TERM INT HUP; sh -c 'echo $$ >child; while :; do sleep 300; done'");
    let child = ground.pid_in("child");
    let mut tree = ground.tree(&root);
    tree.signal_all(Signal::TERM).unwrap();
    assert!(child.is_alive().unwrap(), "it ignored the signal");

    assert_eq!(tree.kill_all(deadline(), reap).unwrap(), [], "no survivor");
    assert!(!child.is_alive().unwrap(), "it is gone");
    assert_eq!(ground.survivors(), [0; 0], "nobody is left");
}
