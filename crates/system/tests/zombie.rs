//! A zombie is dead: it is named, waited for by nobody, and no survivor.
#![cfg(target_os = "linux")]

mod common;

use std::time::{Duration, Instant};

use common::{Ground, id, until};
use forge_system::{Exit, Signal, Watch};

#[test]
fn a_zombie_is_dead_but_named() {
    let ground = Ground::held();
    let mut child = ground.spawn("exit 3");
    let zombie = id(&child);
    until("it has ended", || !zombie.is_alive().unwrap());
    let mut tree = ground.tree(&child);
    let members = tree.members().unwrap();
    assert!(members.iter().any(|member| member.id == zombie && member.is_zombie()), "{members:?} names it");
    assert!(tree.is_empty().unwrap(), "nobody lives");

    let started = Instant::now();
    let round = tree.kill_round().unwrap();
    assert!(round.done && round.running.is_empty(), "{round:?} is done");
    assert_eq!(round.zombies.len(), 1, "and says who is to be reaped");
    assert_eq!(tree.kill_all(started + Duration::from_secs(10), || {}).unwrap(), [], "no survivor");
    assert!(started.elapsed() < Duration::from_secs(5), "it was not waited for");

    let watch = Watch::open(zombie).unwrap().expect("a zombie can be watched");
    assert!(watch.has_ended().unwrap(), "it has ended");
    assert_eq!(watch.exit().unwrap(), Some(Exit::Code(3)), "known before it is reaped");
    assert!(!zombie.signal(Signal::TERM).unwrap(), "nobody to be signalled");
    child.wait().unwrap();
    assert_eq!(tree.members().unwrap(), [], "gone");
}
