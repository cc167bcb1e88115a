//! A process in a session of its own is outside of the group, and inside the tree.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, deadline, reap, until};
use forge_system::Signal;

#[test]
fn a_daemon_in_its_own_session_is_told_and_ended() {
    let ground = Ground::held();
    let root = ground.spawn("setsid sh -c 'echo $$ >daemon; exec sleep 300' & sleep 300");
    let daemon = ground.pid_in("daemon");
    let mut tree = ground.tree(&root);
    let group = |tree: &mut forge_system::tree::Tree| {
        tree.members().unwrap().into_iter().find(|member| member.id == daemon).map(|member| member.group)
    };
    until("the daemon leads a group", || group(&mut tree) == Some(daemon.pid));

    tree.signal_all(Signal::TERM).unwrap();
    until("an empty tree", || {
        reap();
        tree.is_empty().unwrap()
    });
    assert_eq!(ground.survivors(), [0; 0], "nobody is left");
}

#[test]
fn a_daemon_whose_root_has_ended_is_killed() {
    let ground = Ground::held();
    let root =
        ground.spawn("setsid sh -c 'trap \"\" TERM HUP; echo $$ >daemon; sleep 300; sleep 300' & exit 0");
    let daemon = ground.pid_in("daemon");
    let mut tree = forge_system::tree::Tree::of(common::id(&root)).with_mark(&ground.mark);
    tree.remember([daemon]);
    assert_eq!(tree.kill_all(deadline(), reap).unwrap(), [], "no survivor");
    assert_eq!(ground.survivors(), [0; 0], "nobody is left");
}
