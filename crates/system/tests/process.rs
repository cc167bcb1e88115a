//! What can be known of a process that one has not started.
#![cfg(unix)]

mod common;

use std::os::unix::process::ExitStatusExt;
use std::time::{SystemTime, UNIX_EPOCH};

use common::{Ground, id, until};
use forge_system::{Exit, ProcessId, Signal, boot_id};

#[test]
fn this_process_knows_itself() {
    let me = ProcessId::current().unwrap();
    assert_eq!(me.pid, std::process::id(), "the PID");
    assert!(me.is_alive().unwrap(), "it runs");
    assert_eq!(ProcessId::of(me.pid).unwrap(), Some(me), "the same answer twice");
    let user = me.user().unwrap().unwrap();
    assert_eq!(user.uid, Some(rustix::process::geteuid().as_raw()), "the user");
    let parent = me.parent().unwrap().unwrap();
    assert_eq!(
        Some(parent.pid),
        rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().cast_unsigned())
    );
}

#[test]
fn a_child_shows_its_command_name_parent_and_start() {
    let ground = Ground::new();
    let before = SystemTime::now();
    let mut child = ground.spawn("exec sleep 300");
    let child_id = id(&child);
    until("it is exec'd with its arguments", || {
        child_id.command_line().unwrap().unwrap() == ["sleep", "300"]
    });
    assert_eq!(child_id.name().unwrap().as_deref(), Some("sleep"), "the name");
    assert_eq!(child_id.parent().unwrap(), Some(ProcessId::current().unwrap()), "the parent");
    let started = i128::from(child_id.started_at().unwrap().unwrap());
    let before = i128::try_from(before.duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    // The start is counted in ticks of 10 ms, and the clock may be adjusted meanwhile.
    assert!((started - before).abs() < 2_000_000_000, "started at {started}, spawned at {before}");

    assert!(child_id.signal("USR1".parse().unwrap()).unwrap(), "signalled");
    let exit = Exit::from(child.wait().unwrap());
    assert_eq!(exit, Exit::Signal(Signal::USR1), "ended by it");
    assert_eq!(exit.to_string(), "SIGUSR1", "printed");
    assert_eq!(child_id.command_line().unwrap(), None, "gone");
    assert_eq!(child_id.started_at().unwrap(), None, "gone");
}

#[test]
fn a_name_made_to_confuse_is_only_a_name() {
    let ground = Ground::new();
    let odd = ground.file(") Z 1 1 (x");
    std::fs::copy("/bin/sleep", &odd).unwrap();
    let mut child = std::process::Command::new(&odd).arg("300").spawn().unwrap();
    let odd = id(&child);
    until("it is exec'd", || odd.name().unwrap().as_deref() == Some(") Z 1 1 (x"));
    assert!(odd.is_alive().unwrap(), "not taken for a zombie");
    assert_eq!(odd.parent().unwrap(), Some(ProcessId::current().unwrap()), "nor for a child of init");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn nobody_has_pid_zero_or_one_beyond_all() {
    for pid in [0, u32::MAX, i32::MAX.cast_unsigned()] {
        assert_eq!(ProcessId::of(pid).unwrap(), None, "{pid}");
        let nobody = ProcessId { pid, start: 1 };
        assert!(!nobody.is_alive().unwrap(), "{pid}");
        assert!(!nobody.signal(Signal::KILL).unwrap(), "{pid}");
    }
}

#[test]
fn a_wait_status_becomes_an_exit() {
    let status = |raw| Exit::from(std::process::ExitStatus::from_raw(raw));
    assert_eq!(status(0), Exit::Code(0), "success");
    assert_eq!(status(3 << 8), Exit::Code(3), "a code");
    assert_eq!(status(Signal::SEGV.as_raw() | 0x80), Exit::Signal(Signal::SEGV), "a core dump");
}

#[test]
fn the_boot_has_one_id() {
    let id = boot_id().unwrap();
    assert!(!id.is_empty() && !id.contains(char::is_whitespace), "{id:?} names a folder");
    assert_eq!(boot_id().unwrap(), id, "and stays");
}
