//! Old keepers outlive an upgrade, and so do their records.

use std::fs;

use forge_tests::{Value, World, json};

#[test]
fn fault_25_records_of_another_version_are_understood() {
    // A keeper of a later version has written members and events that are not known here; its processes are adopted.
    let world = World::with("dev:\n  - {name: a, command: nasty wait-for go exit 4, auto_restart: false}\n");
    world.start();
    let a = world.pid("a");
    world.kill_supervisor();
    let (folder, mut spec) = world.run_folder("a");
    spec["from_the_future"] = json!({"cgroup": "x"});
    fs::write(folder.join("spec.json"), spec.to_string()).expect("the spec");
    let events = fs::read_to_string(folder.join("events")).expect("the records");
    let mut lines: Vec<String> = events
        .lines()
        .map(|line| {
            let mut record: Value = serde_json::from_str(line).expect("a record");
            record["from_the_future"] = json!(1);
            record.to_string()
        })
        .collect();
    lines.push(json!({"event": "levitated", "height": 3}).to_string());
    fs::write(folder.join("events"), lines.join("\n") + "\n").expect("the records");
    assert_eq!(world.pid("a"), a, "adopted");
    world.write("go", "");
    let a = world.wait_status("a", "crashed");
    assert_eq!(a["exit_code"], 4, "{a:#}");
}

#[test]
fn fault_25_a_keeper_goes_on_when_its_program_was_replaced() {
    // An upgrade puts another file in its place; the old keeper runs from what it was started from.
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let (a, keeper) = (world.pid("a"), world.keeper("a"));
    let program = fs::read_link(format!("/proc/{}/exe", keeper.pid)).expect("its program");
    if program.starts_with(world.home()) {
        fs::remove_file(&program).expect("its copy");
    }
    world.kill_supervisor();
    assert_eq!(world.pid("a"), a, "adopted");
    world.forge(["restart", "a"]).run().ok();
    assert_ne!(world.pid("a"), a, "and new ones can be started");
}

#[test]
fn fault_25_a_keeper_that_was_started_by_an_older_supervisor_is_told_apart_by_its_protocol_only() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let a = world.pid("a");
    world.kill_supervisor();
    let (folder, mut spec) = world.run_folder("a");
    // What an older one did not write yet.
    spec.as_object_mut().expect("an object").remove("note");
    fs::write(folder.join("spec.json"), spec.to_string()).expect("the spec");
    assert_eq!(world.pid("a"), a, "adopted");
    world.forge(["stop"]).run().ok();
    assert!(!a.is_alive(), "and stopped");
}
