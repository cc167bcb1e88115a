//! A supervisor that may open no more files.

use std::os::unix::net::UnixStream;

use forge_tests::{Signal, World, json, wait_until};

/// What a supervisor may have open here; it needs some 30 of them.
const LIMIT: u32 = 64;

#[test]
fn fault_10_a_supervisor_without_a_free_descriptor_goes_on_once_there_is_one() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty forever, auto_restart: {delay: 1s}}
  - {name: b, command: nasty forever}
",
    );
    let serve = format!("ulimit -n {LIMIT}; exec '{}' serve", forge_tests::forge().display());
    let served = world.program("/bin/sh".as_ref(), ["-c", &serve]).spawn();
    wait_until("it serves", || world.supervisor().is_some_and(|supervisor| supervisor.pid == served.pid()));
    world.start();
    let [a, b] = [world.pid("a"), world.pid("b")];
    let mut before = world.rpc().expect("a connection");
    // Those that it cannot accept wait in the queue.
    let held: Vec<UnixStream> =
        (0..LIMIT).map(|_| UnixStream::connect(world.socket()).expect("a connection")).collect();
    let open = || std::fs::read_dir(format!("/proc/{}/fd", served.pid())).map_or(0, Iterator::count);
    wait_until("it has all that it may", || open() >= LIMIT as usize - 1);
    a.signal(Signal::KILL);
    wait_until("one of its processes dies", || !a.is_alive());
    let asked = json!({"workspace": world.workspace(), "environment": "dev"});
    wait_until("its restart is put off", || {
        let status = before.ask("status", asked.clone());
        let events = status["events"].as_array().cloned().unwrap_or_default();
        events.iter().any(|event| event["process"] == "a" && event["title"] == "start delayed")
    });
    assert!(served.is_alive() && b.is_alive(), "nothing else does: {}", served.stderr());
    drop(held);
    world.wait_process("a", "restarted", |a| a["status"] == "running" && a["restarts"] == 1);
    assert_eq!(world.pid("b"), b, "its neighbour is the same");
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "{:#?}", world.programs());
}
