//! The wall clock jumps.
//!
//! Nobody may set the clock of the machine that tests run on. A library that is loaded before the C library shifts
//! what Forge's programs are told, by as many seconds as a file says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use forge_tests::{World, assert_sequence, wait_until};

const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
static long shift(void) {
    char text[32] = {0};
    const char *path = getenv("CLOCK_SHIFT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    long count = read(file, text, sizeof text - 1);
    close(file);
    return count > 0 ? atol(text) : 0;
}
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += shift();
    return result;
}
"#;

/// Builds the library, where there is a C compiler.
fn shim(world: &World) -> Option<PathBuf> {
    let (source, library) = (world.folder().join("shim.c"), world.folder().join("shim.so"));
    fs::write(&source, SHIM).expect("the source");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    built.is_ok_and(|status| status.success()).then_some(library)
}

/// The hour of the last stored entry, as seconds since midnight; the tests jump by less than a day.
fn last_time(world: &World) -> String {
    world.entries("a").last().expect("something is stored").time.clone()
}

fn jumps(test: &str, seconds: i64) {
    let mut world = World::with(
        "dev:
  - name: a
    command: nasty count 100 touch before wait-for go count 100 --from 100 touch after forever
    health_check: {exec: 'true', interval: 50ms}
  - {name: b, command: nasty wait-for crash crash-n-times count 1 forever, auto_restart: {delay: 20ms}}
",
    );
    let Some(library) = shim(&world) else {
        forge_tests::skip(test, "there is no C compiler");
        return;
    };
    let file = world.folder().join("shift");
    fs::write(&file, "0").expect("no shift yet");
    world.set_env("LD_PRELOAD", path(&library));
    world.set_env("CLOCK_SHIFT", path(&file));
    world.start();
    wait_until("the first half", || world.path("before").exists());
    wait_until("it is stored", || world.lines("a").len() >= 100);
    let a = world.pid("a");
    let before = last_time(&world);
    fs::write(&file, seconds.to_string()).expect("the jump");
    world.write("go", "");
    wait_until("the second half", || {
        world.lines("a").iter().filter(|line| line.stream == "stdout").count() == 200
    });
    assert_sequence(&world.lines("a"), "line", 0..200);
    let times: Vec<String> = world.entries("a").into_iter().map(|entry| entry.time).collect();
    let back = times.windows(2).find(|pair| pair[0] > pair[1]);
    assert!(back.is_none(), "stamps never go back: {back:?}");
    if seconds > 0 {
        assert!(
            last_time(&world)[..16] > before[..16],
            "the jump was seen: {before}, then {}",
            last_time(&world)
        );
    }
    if seconds < 0 {
        let held =
            |line: &forge_tests::Line| line.stream == "forge" && line.text().contains("the clock went back");
        assert!(world.lines("a").iter().any(held), "the jump was seen: {:#?}", world.entries("a"));
    }
    // Countdowns and checks go by a clock that does not jump.
    world.write("crash", "");
    world.wait_process("b", "restarted", |b| b["run"] == 2 && b["status"] == "running");
    let now = world.process("a");
    assert_eq!(now["pid"], a.pid, "{now:#}");
    assert_eq!(now["health"]["state"], "healthy", "{now:#}");
    assert!(now["uptime_seconds"].as_f64().is_none_or(|uptime| (0.0..1800.0).contains(&uptime)), "{now:#}");
    assert!(world.forge(["logs", "a", "-n", "5"]).run().ok().stdout.lines().count() == 5, "logs are read on");
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn fault_09_the_clock_jumps_an_hour_ahead() {
    jumps("fault_09_the_clock_jumps_an_hour_ahead", 3600);
}

#[test]
fn fault_09_the_clock_jumps_an_hour_back() {
    jumps("fault_09_the_clock_jumps_an_hour_back", -3600);
}
