//! No subreaper, and the root is gone: the mark finds what is left.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, deadline, reap, until};
use forge_system::tree::Tree;

#[test]
fn what_left_before_anybody_looked_is_found_by_its_mark() {
    let ground = Ground::new();
    let mut root =
        ground.spawn("setsid sh -c 'trap \"\" HUP TERM; echo $$ >daemon; sleep 300; sleep 300' & exit 0");
    let daemon = ground.pid_in("daemon");
    let mut tree = Tree::of(common::id(&root)).with_mark(&ground.mark);
    root.wait().unwrap();
    until("it has another parent", || daemon.parent().unwrap().is_none_or(|parent| parent.pid != root.id()));
    assert_eq!(tree.members().unwrap(), [], "a walk cannot find it");
    let found = tree.sweep().unwrap();
    assert!(found.iter().any(|member| member.id == daemon), "{found:?} has {daemon}");
    assert!(tree.members().unwrap().iter().any(|member| member.id == daemon), "it is remembered");

    let mut other = Tree::default().with_mark("FORGE_RUN=test");
    assert_eq!(other.sweep().unwrap(), [], "a mark is compared whole");
    assert_eq!(tree.kill_all(deadline(), reap).unwrap(), [], "no survivor");
    assert_eq!(ground.survivors(), [0; 0], "nobody is left");
}
