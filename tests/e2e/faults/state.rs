//! The state on disk is damaged: the run folders are the truth.

use std::fs;
use std::path::PathBuf;

use forge_tests::{Signal, World, wait_until};

/// The files in which a supervisor keeps what it knows: all but run folders, logs, its lock and its own log.
fn state_files(world: &World) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![world.state()];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(&folder).expect("a state folder").flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            match name {
                "logs" | "runs" => {}
                _ if path.is_dir() => open.push(path),
                _ if name.ends_with(".lock") || name.ends_with(".log") => {}
                _ => files.push(path),
            }
        }
    }
    files
}

fn is_survived(what: &str, damage: impl Fn(&[u8]) -> Vec<u8>) {
    let world = World::with(
        "dev:
  - {name: a, command: nasty alone only forever, auto_restart: {delay: 10ms}}
  - {name: t, command: nasty prompt forever, tty: true}
",
    );
    world.start();
    let before = [world.pid("a"), world.pid("t")];
    wait_until("something is written down", || !state_files(&world).is_empty());
    world.kill_supervisor();
    for file in state_files(&world) {
        let sound = fs::read(&file).expect("a state file");
        fs::write(&file, damage(&sound)).expect("damaged");
    }
    assert_eq!([world.pid("a"), world.pid("t")], before, "{what}: the same processes");
    assert_eq!(world.process("a")["status"], "running", "{what}");
    world.start();
    assert_eq!([world.pid("a"), world.pid("t")], before, "{what}: nothing is started twice");
    assert_eq!(world.read("only"), "", "{what}: I1");
    // It is still wanted.
    before[0].signal(Signal::KILL);
    world.wait_process("a", "restarted by itself", |a| a["restarts"] == 1 && a["status"] == "running");
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "{what}: {:#?}", world.programs());
}

#[test]
fn fault_19_truncated_state_loses_no_process() {
    is_survived("truncated", |sound| sound[..sound.len() / 2].to_vec());
}

#[test]
fn fault_19_zeroed_state_loses_no_process() {
    is_survived("zeroed", |sound| vec![0; sound.len()]);
}

#[test]
fn fault_19_empty_state_loses_no_process() {
    is_survived("empty", |_| Vec::new());
}

#[test]
fn fault_19_state_of_a_newer_version_loses_no_process() {
    is_survived("newer", |_| {
        br#"{"version": 9999, "checksum": "0", "state": {"shape": "nobody knows"}}"#.to_vec()
    });
}

#[test]
fn fault_19_a_broken_file_is_put_aside_with_a_name_that_says_so() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    world.kill_supervisor();
    let files = state_files(&world);
    for file in &files {
        fs::write(file, "garbage").expect("damaged");
    }
    let _status = world.status();
    let names: Vec<_> = state_files(&world)
        .into_iter()
        .filter(|path| !files.contains(path))
        .filter(|path| fs::read(path).is_ok_and(|content| content == b"garbage"))
        .collect();
    assert!(!names.is_empty(), "what was broken can still be looked at");
}

#[test]
fn fault_19_an_unreadable_run_folder_harms_nobody_and_makes_no_second_tree() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty alone only forever}\n  - {name: b, command: nasty forever}\n",
    );
    world.start();
    let [a, b] = [world.pid("a"), world.pid("b")];
    world.kill_supervisor();
    let (folder, _) = world.run_folder("a");
    let sound = fs::read(folder.join("spec.json")).expect("the spec");
    fs::write(folder.join("spec.json"), "{").expect("damaged");
    assert_eq!(world.pid("b"), b, "b is adopted");
    // Whose run it is can't be read, but its keeper lives: whatever is done about it, not a second tree.
    let _either = world.forge(["start", "--timeout", "5s"]).run();
    assert!(a.is_alive(), "a was not harmed");
    assert_eq!(world.read("only"), "", "I1");
    world.kill_supervisor();
    fs::write(folder.join("spec.json"), sound).expect("mended");
    assert_eq!(world.pid("a"), a, "adopted, now that it can be read");
}

#[test]
fn fault_19_half_a_record_at_the_end_of_the_events_is_ignored() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let a = world.pid("a");
    world.kill_supervisor();
    let (folder, _) = world.run_folder("a");
    let events = fs::read_to_string(folder.join("events")).expect("the records");
    fs::write(folder.join("events"), format!("{events}{{\"event\":\"exi")).expect("damaged");
    assert_eq!(world.pid("a"), a, "the records before it count");
}
