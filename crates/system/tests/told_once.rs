//! A signal to the tree arrives once at each member, in the root's group or not.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, until};
use forge_system::Signal;

const COUNTER: &str = "#!/bin/sh
trap 'echo got >>'$1 USR1
echo $$ >$1.pid
while :; do sleep 300 & wait; done
";

#[test]
fn each_member_gets_a_signal_exactly_once() {
    let ground = Ground::held();
    std::fs::write(ground.file("counter"), COUNTER).unwrap();
    // The sleeps must not end by it.
    let root = ground.spawn(
        "trap '' USR2; sh ./counter same & setsid sh ./counter other & (sh ./counter orphan &) ; exec sh ./counter root",
    );
    let names = ["root", "same", "other", "orphan"];
    for name in names {
        ground.pid_in(&format!("{name}.pid"));
    }
    let mut tree = ground.tree(&root);
    until("every shell waits", || {
        tree.members().unwrap().iter().filter(|member| member.name == "sleep").count() == 4
    });
    tree.signal_all(Signal::USR1).unwrap();
    let lines = |name: &str| std::fs::read_to_string(ground.file(name)).unwrap_or_default().lines().count();
    until("all have it", || names.iter().all(|name| lines(name) > 0));
    // A second one would have been sent before the first of these.
    tree.signal_all(Signal::USR1).unwrap();
    until("all have the second", || names.iter().all(|name| lines(name) > 1));
    assert_eq!(names.map(lines), [2; 4], "one line a signal for each of {names:?}");
}
