//! CPU time, against what the system has counted.

use std::fs;
use std::sync::LazyLock;

use forge_system::ProcessId;
use forge_system::tree::Tree;

use crate::Watched;
use crate::common::{Ground, Script, id, reap, until};

/// Seconds of CPU time that a child and what it has waited for have used; it is reaped by this.
fn used_by(child: Script) -> f64 {
    let mut status = 0;
    // SAFETY: plain integers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both places are there to be written to.
    let reaped = unsafe { libc::wait4(child.id().cast_signed(), &mut status, 0, &mut usage) };
    assert_eq!(reaped, child.id().cast_signed(), "it was ours to reap");
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Runs a script that begins when told, and adds up what a sampler says until it is done, and then what the system says.
fn cpu_of(script: &str) -> (f64, f64) {
    let ground = Ground::new();
    let child = ground.spawn(&format!("mkfifo go stay; read _ <go; {script}; echo >done; read _ <stay"));
    until("it waits", || ground.file("stay").exists());
    let mut watched = Watched::new(Tree::of(id(&child)));
    watched.look();
    fs::write(ground.file("go"), "\n").unwrap();
    let sampled = watched.add_up_cpu(|| ground.file("done").exists());
    fs::write(ground.file("stay"), "\n").unwrap();
    (sampled, used_by(child))
}

#[track_caller]
fn assert_cpu(what: &str, script: &str) {
    let (sampled, used) = cpu_of(script);
    assert!(used > 0.5, "{what}: {used:.2} s are too little to compare");
    let off = (sampled - used).abs() / used;
    assert!(off < 0.05, "{what}: {sampled:.3} s sampled, {used:.3} s used, {:.1} % off", off * 100.0);
}

/// A script that keeps this machine's core busy for about so many seconds.
fn work(seconds: f64) -> String {
    static PER_SECOND: LazyLock<f64> = LazyLock::new(|| {
        const TRIED: u32 = 100_000;
        let ground = Ground::new();
        let tried = ground.spawn(&rounds(TRIED));
        f64::from(TRIED) / used_by(tried)
    });
    rounds((*PER_SECOND * seconds) as u32)
}

fn rounds(rounds: u32) -> String {
    format!("i=0; while [ $i -lt {rounds} ]; do i=$((i+1)); done")
}

#[test]
fn cpu_of_one_busy_process() {
    assert_cpu("one", &work(1.0));
}

#[test]
fn cpu_of_a_share_of_a_core() {
    let (little, much) = (work(0.04), work(0.6));
    assert_cpu(
        "a share",
        &format!("for n in 1 2 3 4 5 6 7 8 9 10 11 12; do {little}; sleep 0.05; done; {much}"),
    );
}

#[test]
fn cpu_of_two_busy_children_at_once() {
    let work = work(0.6);
    assert_cpu("two", &format!("({work}) & ({work}) & wait"));
}

#[test]
fn cpu_of_children_that_end_between_two_looks() {
    let little = work(0.006);
    assert_cpu("many", &format!("n=0; while [ $n -lt 200 ]; do ({little}); n=$((n+1)); done"));
}

#[test]
fn cpu_of_children_that_are_seen_and_end() {
    let work = work(0.3);
    assert_cpu("seen", &format!("for n in 1 2 3 4; do ({work}); done"));
}

#[test]
fn cpu_of_an_orphan_that_the_holder_waits_for() {
    let ground = Ground::held();
    let little = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done";
    // Each of them ends between two looks, and has lost its parent by then.
    let script = format!("n=0; while [ $n -lt 200 ]; do (({little}) &); n=$((n+1)); done");
    let child = ground.spawn(&format!("mkfifo go; read _ <go; {script}; echo >done; exec sleep 300"));
    until("it waits", || ground.file("go").exists());
    let mut watched = Watched::new(ground.tree(&child));
    watched.look();
    let before = inherited_here();
    fs::write(ground.file("go"), "\n").unwrap();
    let sampled = watched.add_up_cpu(|| {
        reap();
        ground.file("done").exists() && watched_alone(&child)
    });
    let used = inherited_here() - before + own(child.id());
    assert!(used > 0.2, "{used:.2} s are too little to compare");
    assert!((sampled - used).abs() / used < 0.1, "{sampled:.2} s sampled, {used:.2} s used");
}

/// Whether it is the only child of this process.
fn watched_alone(child: &Script) -> bool {
    let members = Tree::below(ProcessId::current().unwrap()).members().unwrap();
    members.len() == 1 && members[0].id == id(child)
}

/// Fields of `/proc/PID/stat` from the 14th on: CPU time, in seconds.
fn times(pid: u32) -> [f64; 4] {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_ascii_whitespace().collect();
    [14, 15, 16, 17].map(|number| fields[number - 3].parse::<u64>().unwrap() as f64 / 100.0)
}

fn own(pid: u32) -> f64 {
    times(pid)[..2].iter().sum()
}

/// Of the children that this process has waited for.
fn inherited_here() -> f64 {
    times(std::process::id())[2..].iter().sum()
}
