//! What is started while the holder steps aside, and left behind, is not the holder's.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, deadline, reap, until};
use forge_system::ProcessId;
use forge_system::tree::step_aside;

#[test]
fn an_orphan_made_while_stepping_aside_is_outside_of_the_tree() {
    let ours = Ground::held();
    let theirs = Ground::new();
    let root = ours.spawn("sleep 300 & wait");
    let me = ProcessId::current().unwrap();
    let guest = step_aside(|| {
        let mut starter = theirs.spawn("setsid sh -c 'echo $$ >guest; exec sleep 300' & exit 0");
        starter.wait().unwrap();
        theirs.pid_in("guest")
    });
    until("it has another parent", || guest.parent().unwrap() != Some(me));
    let orphan = {
        let mut starter = ours.spawn("setsid sh -c 'echo $$ >orphan; exec sleep 300' & exit 0");
        starter.wait().unwrap();
        ours.pid_in("orphan")
    };
    until("afterwards orphans come to us again", || orphan.parent().unwrap() == Some(me));

    let mut tree = ours.tree(&root);
    assert_eq!(tree.kill_all(deadline(), reap).unwrap(), [], "no survivor");
    assert_eq!(ours.survivors(), [0; 0], "the tree is gone");
    assert!(guest.is_alive().unwrap(), "the guest lives");
}
