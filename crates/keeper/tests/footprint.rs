//! There is a keeper for every process: it must cost next to nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::Command;

/// What the keeper may be made of. Whoever wants to add to this explains why in the change.
const CRATES: &[&str] = &[
    "forge-keeper",
    "forge-logs",
    "forge-system",
    "bitflags",
    "errno",
    "itoa",
    "libc",
    "linux-raw-sys",
    "memchr",
    "proc-macro2",
    "quote",
    "rustix",
    "ryu",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "syn",
    "unicode-ident",
    "zmij",
    "windows-link",
    "windows-sys",
];

#[test]
fn the_list_of_dependencies_stays_small() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "forge-keeper",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{lib}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&tree.stdout);
    assert!(tree.status.success(), "cargo tree: {}", String::from_utf8_lossy(&tree.stderr));
    let mut strangers: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| !CRATES.iter().any(|allowed| allowed.replace('-', "_") == *name))
        .collect();
    strangers.sort_unstable();
    strangers.dedup();
    assert!(strangers.is_empty(), "the keeper grew by {strangers:?}");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::time::Duration;

    use crate::common::{Run, wait_for};

    /// Bytes of memory that are a process's own. Its code does not count, all keepers share that; `Private_Dirty` would
    /// count it for as long as a program that was just built waits to be written to the disk.
    fn private_bytes(pid: u32) -> u64 {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        let private = text.lines().filter(|line| line.starts_with("Anonymous:"));
        private.map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10).sum()
    }

    /// Times that the kernel let it run.
    fn switches(pid: u32) -> u64 {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let switches = text.lines().filter(|line| line.contains("voluntary_ctxt_switches"));
        switches.map(|line| line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()).sum()
    }

    #[test]
    fn an_idle_keeper_is_small_also_after_a_flood() {
        let limit = 500_000;
        let script = "echo up; read line; seq 1 1000000; echo done; exec sleep 1000";
        let (run, mut client) = Run::script(script).with(|spec| spec.stdin = true).start();
        wait_for("it is up", || run.lines("stdout") == ["up"]);
        let before = private_bytes(run.keeper_pid());
        assert!(before < limit, "{before} bytes when idle");
        client.input(b"go\n");
        wait_for("the flood is over", || run.lines("stdout").last().is_some_and(|line| line == "done"));
        wait_for("the memory is given back", || private_bytes(run.keeper_pid()) < limit);
        client.force();
        client.wait_for_empty();
    }

    #[test]
    fn an_idle_keeper_does_nothing() {
        let (run, mut client) = Run::script("printf 'prompt> '; exec sleep 1000").start();
        wait_for("the prompt", || run.lines("stdout") == ["prompt> "]);
        let mut before = 0;
        wait_for("it comes to rest", || {
            let now = switches(run.keeper_pid());
            std::mem::replace(&mut before, now) == now
        });
        // There is no condition to wait for: that nothing happens is what is shown.
        std::thread::sleep(Duration::from_millis(1500));
        let woken = switches(run.keeper_pid()) - before;
        assert!(woken <= 1, "it ran {woken} times");
        client.force();
        client.wait_for_empty();
    }
}
