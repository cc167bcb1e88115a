//! A process whose parent has ended is still found, and ended by a plain SIGTERM.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, reap, until};
use forge_system::Signal;

#[test]
fn an_orphan_stays_in_the_tree_and_gets_the_signal() {
    let ground = Ground::held();
    let root = ground.spawn("( (sh -c 'echo $$ >deep; exec sleep 300') & ) ; exit 0");
    let deep = ground.pid_in("deep");
    let mut tree = ground.tree(&root);
    until("the root has ended", || {
        reap();
        !tree.members().unwrap().iter().any(|member| member.id.pid == root.id())
    });
    let members = tree.members().unwrap();
    assert!(members.iter().any(|member| member.id == deep), "{members:?} has the orphan {deep}");
    assert!(!tree.is_empty().unwrap(), "it runs");

    assert!(tree.signal_all(Signal::TERM).unwrap() >= 1, "somebody was there to be told");
    until("an empty tree", || {
        reap();
        tree.is_empty().unwrap()
    });
    assert_eq!(ground.survivors(), [0; 0], "nobody is left");
}
