//! What happens after a crash.

use forge_tests::{Signal, World, wait_until};

#[test]
fn a_crash_is_restarted_and_its_count_and_cause_are_told() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty crash-n-times count 1 print alive forever, auto_restart: {delay: 50ms}}
",
    );
    world.forge(["start", "-d"]).run().ok();
    let a = world.wait_process("a", "restarted", |a| a["status"] == "running" && a["restarts"] == 1);
    assert_eq!(a["run"], 2, "{a:#}");
    let status = world.status();
    let events = status["events"].as_array().expect("a list");
    assert!(events.iter().any(|event| event["process"] == "a" && event["level"] != "info"), "{events:#?}");
}

#[test]
fn the_countdown_is_shown() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty sleep 200 exit 7, health_check: \"true\", auto_restart: {delay: 1h}}\n",
    );
    world.forge(["start", "-d"]).run().ok();
    let a = world.wait_status("a", "restarting");
    assert!(a["restart_at"].is_string(), "{a:#}");
    assert_eq!(a["exit_code"], 7, "{a:#}");
    assert_eq!(a["health"]["state"], "none", "what does not run has no health: {a:#}");
    // Stopping ends the countdown; starting would have cut it short.
    world.forge(["stop", "a"]).run().ok();
    assert_eq!(world.process("a")["status"], "stopped", "no longer wanted");
}

#[test]
fn starting_cuts_the_countdown_short() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty crash-n-times count 1 forever, auto_restart: {delay: 1h}}\n",
    );
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("a", "restarting");
    world.forge(["start", "a"]).run().ok();
    assert_eq!(world.process("a")["status"], "running", "started now");
}

#[test]
fn the_last_crash_of_the_window_is_not_restarted() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty append ran x exit 1, auto_restart: {delay: 10ms, max_crashes: 4, within: 10m}}
",
    );
    world.forge(["start", "-d"]).run().ok();
    let a = world.wait_status("a", "failed");
    assert_eq!(world.read("ran").lines().count(), 4, "the fourth crash is not restarted");
    assert_eq!(a["restarts"], 3, "{a:#}");
    assert!(a["message"].as_str().is_some_and(|message| message.contains('4')), "it says so: {a:#}");
    world.forge(["start", "a", "-d"]).run().ok();
    wait_until("asked for, it tries again", || world.read("ran").lines().count() > 4);
}

#[test]
fn fault_26_a_crash_loop_of_a_millisecond_is_bounded() {
    let world = World::with(
        "dev:
  - name: loop
    command: sh -c 'echo x >> ran; exit 1'
    auto_restart: {delay: 1ms, max_crashes: 30, within: 10m}
  - {name: calm, command: nasty forever}
",
    );
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("loop", "failed");
    assert_eq!(world.read("ran").lines().count(), 30, "as many as are allowed");
    assert_eq!(world.process("calm")["status"], "running", "nobody else notices");
    assert!(world.programs().len() == 1, "only calm: {:#?}", world.programs());
}

#[test]
fn exit_0_is_no_crash() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty append ran x exit 0, auto_restart: {delay: 1ms}}\n");
    world.forge(["start", "-d"]).run().ok();
    let a = world.wait_status("a", "exited");
    assert_eq!(a["exit_code"], 0, "{a:#}");
    assert_eq!(a["restarts"], 0, "{a:#}");
    world.wait_file("ran", "x\n");
}

#[test]
fn always_restarts_exit_0_too() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty append ran x exit 0
    auto_restart: {on: always, delay: 10ms, max_crashes: 1000}
",
    );
    world.forge(["start", "-d"]).run().ok();
    wait_until("it ran three times", || world.read("ran").lines().count() >= 3);
}

#[test]
fn without_auto_restart_a_crash_stays() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty append ran x signal-self SEGV, auto_restart: false}\n",
    );
    world.forge(["start", "-d"]).run().ok();
    let a = world.wait_status("a", "crashed");
    assert_eq!(a["signal"], "SIGSEGV", "{a:#}");
    assert!(a["exit_code"].is_null(), "{a:#}");
    world.wait_file("ran", "x\n");
}

#[test]
fn a_shells_128_plus_n_is_reported_as_the_signal() {
    let world =
        World::with("dev:\n  - {name: a, command: 'nasty signal-self KILL; exit $?', auto_restart: false}\n");
    world.forge(["start", "-d"]).run().ok();
    let a = world.wait_status("a", "crashed");
    assert_eq!(a["signal"], "SIGKILL", "{a:#}");
}

#[test]
fn fault_27_a_child_killed_from_outside_has_crashed_alone() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty forever, auto_restart: {delay: 20ms}}
  - {name: b, command: nasty forever}
",
    );
    world.start();
    let [a, b] = [world.pid("a"), world.pid("b")];
    a.signal(Signal::KILL);
    world.wait_process("a", "restarted", |a| a["run"] == 2 && a["status"] == "running");
    assert_ne!(world.pid("a"), a, "a new process");
    assert_eq!(world.pid("b"), b, "the other goes on");
}

#[test]
fn a_crash_is_recorded_once_with_code_and_time() {
    let world = World::with("dev:\n  - {name: a, command: nasty wait-for go exit 9, auto_restart: false}\n");
    world.start();
    world.write("go", "");
    world.wait_status("a", "crashed");
    let status = world.status();
    let crashes =
        status["events"].as_array().expect("a list").iter().filter(|event| event["level"] == "error");
    let crashes: Vec<_> = crashes.collect();
    assert_eq!(crashes.len(), 1, "I4: {status:#}");
    assert!(crashes[0]["text"].as_str().is_some_and(|text| text.contains('9')), "{status:#}");
    assert!(crashes[0]["time"].is_string(), "{status:#}");
}
