//! What is spared is outside of the tree, with all that it has started.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, deadline, id, reap};

#[test]
fn the_spared_and_its_children_outlive_the_tree() {
    let ours = Ground::held();
    let theirs = Ground::new();
    let root = ours.spawn("sleep 300 & wait");
    let guest = theirs.spawn("sh -c 'echo $$ >child; exec sleep 300' & wait");
    let child = theirs.pid_in("child");
    let mut tree = ours.tree(&root);
    assert!(
        tree.members().unwrap().iter().any(|member| member.id == child),
        "below the holder without being spared"
    );
    tree.spare(id(&guest));
    assert!(!tree.members().unwrap().iter().any(|member| member.id == id(&guest)), "it is out");
    assert_eq!(tree.kill_all(deadline(), reap).unwrap(), [], "no survivor");
    assert_eq!(ours.survivors(), [0; 0], "the tree is gone");
    assert!(id(&guest).is_alive().unwrap() && child.is_alive().unwrap(), "the guests live");
}
