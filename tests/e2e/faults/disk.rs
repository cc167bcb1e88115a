//! The disk is full; folders vanish.

use std::fs;
use std::path::PathBuf;

use forge_tests::{Line, Process, Running, World, entries, join, sequence, wait_until};

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

/// The lines that Forge's own lines in the log say were not kept: "85050 lines (8505000 bytes) not kept: …".
fn not_kept(lines: &[Line]) -> usize {
    let own = lines.iter().filter(|line| line.stream == "forge").map(Line::text);
    own.filter(|text| text.contains("not kept"))
        .filter_map(|text| text.split(' ').next()?.parse::<usize>().ok())
        .sum()
}

#[test]
fn fault_07_disk_full_blocks_nobody_and_every_lost_line_is_counted() {
    let test = "fault_07_disk_full_blocks_nobody_and_every_lost_line_is_counted";
    let world = World::with(
        "dev:
  - {name: a, command: nasty count 100000 touch full wait-for room count 6000 --tag after --rate 2000 touch done forever}
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
    // From here on there is room; the keeper may take a moment to notice.
    world.write("room", "");
    wait_until("the writer is done", || world.path("done").exists());
    let folder = seen_by(&a, &world);
    wait_until("the last line is stored", || {
        sequence(&join(&entries(&folder)), "after").last() == Some(&5999)
    });
    let lines = join(&entries(&folder));
    let (before, after) = (sequence(&lines, "line"), sequence(&lines, "after"));
    for kept in [&before, &after] {
        assert!(kept.windows(2).all(|pair| pair[0] < pair[1]), "I3: in order");
    }
    assert!(before.len() < 100_000, "the disk was really full");
    assert_eq!(before.len() + after.len() + not_kept(&lines), 106_000, "I3: kept and counted");
    world.forge(["stop"]).run().ok();
    drop(serve);
}

#[test]
fn fault_08_a_deleted_log_folder_costs_no_process_its_life() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty print before wait-for go count 4000 --rate 2000 print after forever}\n",
    );
    world.start();
    world.wait_line("a", "before");
    let a = world.pid("a");
    let folder = world.log_folder("dev", "a");
    fs::remove_dir_all(&folder).expect("deleted");
    world.write("go", "");
    world.wait_line("a", "after");
    let numbers = sequence(&world.lines("a"), "line");
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "no gap once it is written again");
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
fn fault_08_a_deleted_run_folder_is_made_again_and_found_by_the_next_supervisor() {
    let world = World::with("dev:\n  - {name: a, command: nasty alone only print up forever}\n");
    world.start();
    world.wait_line("a", "up");
    let a = world.pid("a");
    let (folder, _) = world.run_folder("a");
    fs::remove_dir_all(&folder).expect("deleted");
    wait_until("its keeper has mended it", || world.run_folders().len() == 1);
    world.kill_supervisor();
    world.start();
    assert_eq!(world.pid("a"), a, "I1");
    assert_eq!(world.read("only"), "", "I1");
}

#[test]
fn fault_08_a_run_folder_that_is_gone_with_the_supervisor_never_makes_two_trees() {
    let world = World::with("dev:\n  - {name: a, command: nasty alone only print up forever}\n");
    world.start();
    world.wait_line("a", "up");
    let (folder, _) = world.run_folder("a");
    world.kill_supervisor();
    fs::remove_dir_all(&folder).expect("deleted");
    // The next supervisor may come before its keeper has mended the folder, and then may only refuse.
    let _either = world.forge(["start"]).run();
    assert_eq!(world.read("only"), "", "I1");
    wait_until("its keeper has mended it", || !world.run_folders().is_empty());
    world.kill_supervisor();
    world.start();
    assert_eq!(world.read("only"), "", "I1");
    assert_eq!(world.programs().len(), 1, "{:#?}", world.programs());
}
