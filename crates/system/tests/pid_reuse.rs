//! A PID that somebody else has now is nobody of ours.
#![cfg(unix)]

mod common;

use common::{Ground, deadline, id, reap};
use forge_system::tree::Tree;
use forge_system::{ProcessId, Signal, Watch};

#[test]
fn a_stranger_with_the_same_pid_is_not_signalled() {
    let ground = Ground::new();
    let mut stranger = ground.spawn("exec sleep 300");
    let now = id(&stranger);
    let ours = ProcessId { start: now.start - 1, ..now };
    assert!(!ours.is_alive().unwrap(), "ours has ended");
    assert!(!ours.signal(Signal::KILL).unwrap(), "nobody was signalled");
    assert!(Watch::open(ours).unwrap().is_none(), "nobody to watch");
    assert_eq!(ours.name().unwrap(), None, "no name");
    assert_eq!(ours.command_line().unwrap(), None, "no command line");
    assert_eq!(ours.parent().unwrap(), None, "no parent");

    let mut tree = Tree::of(ours);
    tree.remember([ours]);
    assert_eq!(tree.members().unwrap(), [], "no members");
    assert_eq!(tree.signal_all(Signal::KILL).unwrap(), 0, "nobody was signalled");
    assert_eq!(tree.kill_all(deadline(), reap).unwrap(), [], "nothing to do");
    let mut below = Tree::below(ours);
    assert_eq!(below.members().unwrap(), [], "a holder's PID may be another's too");
    assert!(now.is_alive().unwrap(), "the stranger lives");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert!(!now.signal(Signal::TERM).unwrap(), "a reaped process is nobody");
}
