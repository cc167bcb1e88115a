//! A stopped process cannot end before it is continued.
#![cfg(target_os = "linux")]

mod common;

use common::{Ground, until};
use forge_system::Signal;
use forge_system::tree::State;

#[test]
fn a_stopped_member_is_continued_to_end() {
    let ground = Ground::held();
    let mut root = ground.spawn("echo $$ >ready; sleep 300 & wait");
    let id = ground.pid_in("ready");
    let mut tree = ground.tree(&root);
    tree.signal_all(Signal::STOP).unwrap();
    until("it is stopped", || {
        tree.members().unwrap().iter().any(|member| member.id == id && member.state == State::Stopped)
    });
    tree.signal_all(Signal::TERM).unwrap();
    assert!(!root.wait().unwrap().success(), "ended by the signal");
    until("an empty tree", || {
        common::reap();
        tree.is_empty().unwrap()
    });
}
