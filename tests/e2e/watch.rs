//! `watch`: a restart when files change.

use forge_tests::{World, wait_until};

#[test]
fn a_change_of_a_matching_file_restarts() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty append ran x forever, watch: ['src/**/*.txt']}
  - {name: b, command: nasty forever}
",
    );
    world.write("src/deep/one.txt", "1");
    world.write("src/one.md", "1");
    world.write(".gitignore", "ignored.txt\n");
    world.start();
    let [a, b] = [world.pid("a"), world.pid("b")];
    world.write("src/one.md", "2");
    world.write("src/ignored.txt", "2");
    world.write("src/deep/one.txt", "2");
    world.wait_process("a", "restarted", |one| one["run"] == 2 && one["status"] == "running");
    assert!(!a.is_alive(), "another process");
    assert_eq!(world.pid("b"), b, "the other goes on");
    // Had the others counted, there would have been a restart for them before, or one more now.
    world.write("src/new/file.txt", "1");
    world.wait_process("a", "restarted", |one| one["run"] == 3 && one["status"] == "running");
    world.wait_file("ran", "x\nx\nx\n");
}

#[test]
fn many_changes_at_once_restart_once() {
    let world = World::with("dev:\n  - {name: a, command: nasty append ran x forever, watch: ['*.txt']}\n");
    world.start();
    for number in 0..50 {
        world.write(&format!("{number}.txt"), "x");
    }
    world.wait_process("a", "restarted", |one| one["run"].as_u64() >= Some(2) && one["status"] == "running");
    wait_until("it has settled", || world.process("a")["status"] == "running");
    let runs = world.read("ran").lines().count();
    assert!(runs <= 3, "{runs} runs for one burst");
}

#[test]
fn a_stopped_process_is_not_started_by_a_change() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty append ran a forever, watch: ['*.txt']}
  - {name: b, command: nasty append ran b forever, watch: ['*.txt']}
",
    );
    world.start();
    world.forge(["stop", "a"]).run().ok();
    world.write("x.txt", "x");
    // b shows that the change was seen.
    world.wait_process("b", "restarted", |one| one["run"] == 2 && one["status"] == "running");
    assert_eq!(world.process("a")["status"], "stopped", "it stays stopped");
}
