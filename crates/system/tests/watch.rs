//! A process that is not a child is watched, and tells how it ended.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::time::Duration;

use common::{Ground, until};
use forge_system::{Exit, Signal, Watch};
use rustix::event::{PollFd, PollFlags, poll};

const LIMIT: Duration = Duration::from_secs(20);

/// A grandchild of this test that runs until `go` is written; its parent reaps it, and stays.
fn grandchild(ground: &Ground, then: &str) -> common::Script {
    ground.spawn(&format!(
        "mkfifo go; sh -c 'echo $$ >pid; read _ <go; {then}'; echo $? >reaped; exec sleep 300"
    ))
}

fn how_it_ended(then: &str) -> Option<Exit> {
    let ground = Ground::new();
    let mut parent = grandchild(&ground, then);
    let id = ground.pid_in("pid");
    let watch = Watch::open(id).unwrap().expect("it runs");
    assert_eq!(watch.id(), id, "whom it watches");
    assert!(!watch.has_ended().unwrap(), "it runs");
    assert!(!watch.wait(Duration::from_millis(1)).unwrap(), "still");
    assert_eq!(watch.exit().unwrap(), None, "nothing to tell yet");

    std::fs::write(ground.file("go"), "\n").unwrap();
    assert!(watch.wait(LIMIT).unwrap(), "it ends");
    let mut fds = [PollFd::new(&watch, PollFlags::IN)];
    assert_eq!(
        poll(&mut fds, Some(&rustix::event::Timespec::default())).unwrap(),
        1,
        "an event loop sees it"
    );
    until("its parent has reaped it", || ground.file("reaped").exists());
    assert!(watch.has_ended().unwrap(), "it has ended");
    assert!(!id.signal(Signal::TERM).unwrap(), "nobody is there to be signalled");
    let exit = watch.exit().unwrap();
    assert_eq!(watch.exit().unwrap(), exit, "it tells the same again");
    parent.kill().unwrap();
    parent.wait().unwrap();
    exit
}

/// Linux keeps the status since 6.15.
fn kernel_tells() -> bool {
    let Ok(release) = std::fs::read_to_string("/proc/sys/kernel/osrelease") else { return true };
    let mut numbers = release.split('.').map_while(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(15))
}

#[test]
fn the_exit_code_of_a_reaped_grandchild_is_known() {
    let expected = kernel_tells().then_some(Exit::Code(7));
    assert_eq!(how_it_ended("exit 7"), expected);
}

#[test]
fn the_signal_that_ended_a_reaped_grandchild_is_known() {
    let expected = kernel_tells().then_some(Exit::Signal(Signal::KILL));
    assert_eq!(how_it_ended("kill -9 $$"), expected);
}
