//! The disk is full; folders vanish.

use std::fs;
use std::path::PathBuf;

use forge_tests::{Process, Running, World, entries, join, sequence, wait_until};

/// A world whose supervisor sees a small file system of its own in the place of the log folder. Only what runs below
/// it sees that, so nothing is left of it afterwards. `None`, with a word about it, where this is not allowed.
fn small_disk(test: &str, world: &World, size: &str) -> Option<Running> {
    let logs = world.state().join("logs");
    fs::create_dir_all(&logs).expect("the log folder");
    // Created by us, so with our umask.
    for folder in [world.home(), world.state(), logs.clone()] {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("ours");
    }
    let script = format!(
        "mount -t tmpfs -o size={size},mode=0700 tmpfs '{}' && exec '{}' serve",
        logs.display(),
        forge_tests::forge().display()
    );
    let unshare = ["--mount", "--propagation", "private", "sh", "-c", &script];
    let unshare = world.program(std::path::Path::new("unshare"), unshare);
    let serve = unshare.spawn();
    wait_until("the supervisor answers, or it is not allowed", || {
        world.supervisor().is_some() || !serve.is_alive()
    });
    if !serve.is_alive() {
        forge_tests::skip(test, &format!("no mount of our own: {}", serve.wait()));
        return None;
    }
    Some(serve)
}

/// The log folder of process `a` as the supervisor sees it.
fn seen_by(process: &Process, world: &World) -> PathBuf {
    let logs = world.state().join("logs");
    let root = PathBuf::from(format!("/proc/{}/root", process.pid));
    let inside = root.join(logs.strip_prefix("/").expect("absolute"));
    let workspace =
        fs::read_dir(&inside).expect("it exists").flatten().next().expect("the workspace's folder");
    workspace.path().join("dev/a")
}

#[test]
fn fault_07_disk_full_blocks_nobody_and_the_gap_is_counted() {
    let test = "fault_07_disk_full_blocks_nobody_and_the_gap_is_counted";
    let world = World::with(
        "dev:
  - {name: a, command: nasty count 100000 touch full wait-for room count 1000 --tag after touch done forever}
",
    );
    let Some(serve) = small_disk(test, &world, "2m") else { return };
    world.start();
    let a = world.pid("a");
    // 10 MB into 2 MiB: it is read all the same.
    wait_until("the writer gets through", || world.path("full").exists());
    assert_eq!(world.pid("a"), a, "I2");
    let logs = world.state().join("logs");
    let remount = format!("mount -o remount,size=64m '{}'", logs.display());
    let nsenter = ["-t", &a.pid.to_string(), "-m", "sh", "-c", &remount].map(str::to_owned);
    world.program(std::path::Path::new("nsenter"), nsenter).run().ok();
    world.write("room", "");
    wait_until("the writer is done", || world.path("done").exists());
    let folder = seen_by(&a, &world);
    wait_until("what comes after is stored", || sequence(&join(&entries(&folder)), "after").len() == 1000);
    let lines = join(&entries(&folder));
    assert_eq!(sequence(&lines, "after"), (0..1000).collect::<Vec<u64>>(), "all of it");
    let kept = sequence(&lines, "line");
    assert!(kept.windows(2).all(|pair| pair[0] < pair[1]), "I3: in order");
    assert!(kept.len() < 100_000, "the disk was really full");
    let marks: Vec<String> =
        lines.iter().filter(|line| line.stream == "forge").map(forge_tests::Line::text).collect();
    assert!(
        marks.iter().any(|mark| mark.chars().any(|c| c.is_ascii_digit())),
        "the loss is counted: {marks:#?}"
    );
    world.forge(["stop"]).run().ok();
    drop(serve);
}

#[test]
fn fault_08_a_deleted_log_folder_costs_no_process_its_life() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty print before wait-for go count 2000 print after forever}\n",
    );
    world.start();
    world.wait_line("a", "before");
    let a = world.pid("a");
    let folder = world.log_folder("dev", "a");
    fs::remove_dir_all(&folder).expect("deleted");
    world.write("go", "");
    wait_until("it is written again", || {
        folder.exists() && join(&entries(&folder)).iter().any(|line| line.text == b"after")
    });
    assert_eq!(world.pid("a"), a, "I2");
    let shown = world.forge(["logs", "a", "-n", "1"]).run();
    shown.ok().prints("after");
}

#[test]
fn fault_08_a_deleted_run_folder_costs_no_process_its_life() {
    let world = World::with("dev:\n  - {name: a, command: nasty alone only print up forever}\n");
    world.start();
    world.wait_line("a", "up");
    let a = world.pid("a");
    let (folder, _) = world.run_folder("a");
    fs::remove_dir_all(&folder).expect("deleted");
    assert_eq!(world.pid("a"), a, "I2");
    world.start();
    assert_eq!(world.pid("a"), a, "still known");
    world.forge(["stop"]).run().ok();
    assert!(!a.is_alive(), "and can be stopped");
    world.start();
    assert_eq!(world.read("only"), "", "I1");
}

#[test]
fn fault_08_a_deleted_run_folder_and_a_dead_supervisor_never_make_two_trees() {
    let world = World::with("dev:\n  - {name: a, command: nasty alone only print up forever}\n");
    world.start();
    world.wait_line("a", "up");
    let (folder, _) = world.run_folder("a");
    fs::remove_dir_all(&folder).expect("deleted");
    world.kill_supervisor();
    world.start();
    assert_eq!(world.read("only"), "", "I1");
    assert_eq!(world.programs().len(), 1, "{:#?}", world.programs());
}
