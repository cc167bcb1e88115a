//! A process that answers SIGTERM by leaving: a session of its own, deaf to SIGTERM, its parent gone.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, deadline, reap, until};
use forge_system::Signal;

#[test]
fn who_daemonises_on_term_is_found_and_killed() {
    let ground = Ground::held();
    let root = ground.spawn(
        "trap 'setsid sh -c \"trap \\\"\\\" TERM; echo \\$\\$ >daemon; while :; do sleep 300; done\" & exit 0' TERM
         echo $$ >ready; sleep 300 & wait",
    );
    ground.pid_in("ready");
    let mut tree = ground.tree(&root);
    tree.signal_all(Signal::TERM).unwrap();
    let daemon = ground.pid_in("daemon");
    until("the root has ended", || {
        reap();
        !tree.members().unwrap().iter().any(|member| member.id.pid == root.id())
    });
    assert!(daemon.is_alive().unwrap(), "it left, and lives");

    assert_eq!(tree.kill_all(deadline(), reap).unwrap(), [], "no survivor");
    assert_eq!(ground.survivors(), [0; 0], "nobody is left");
}
