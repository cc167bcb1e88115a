//! What a sampler says of real trees, compared with what the system says of them elsewhere.
#![cfg(all(target_os = "linux", feature = "metrics"))]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(unsafe_code, reason = "wait4(2) has no safe wrapper")]

#[path = "../common/mod.rs"]
mod common;
mod cpu;
mod tcp;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Ground, Script, id, until};
use forge_system::metrics::{Sample, Sampler};
use forge_system::tree::{Member, Tree};
use forge_system::{ProcessId, Signal};

const MIB: u64 = 1 << 20;

/// Between two looks: many ticks of the clock by which CPU time is counted.
const BETWEEN: Duration = Duration::from_millis(100);

/// One tree under a sampler.
struct Watched {
    trees: [((), Tree); 1],
    sampler: Sampler<()>,
}

impl Watched {
    fn new(tree: Tree) -> Self {
        Self { trees: [((), tree)], sampler: Sampler::new() }
    }

    fn look(&mut self) -> Sample {
        self.sampler.sample(&mut self.trees)[0].1
    }

    /// Looks until the figures are such.
    #[track_caller]
    fn until(&mut self, what: &str, mut such: impl FnMut(&Sample) -> bool) -> Sample {
        let mut sample = self.look();
        until(what, || {
            sample = self.look();
            such(&sample)
        });
        sample
    }

    /// Seconds of CPU time in all, until it is done and has been looked at once more.
    #[track_caller]
    fn add_up_cpu(&mut self, mut done: impl FnMut() -> bool) -> f64 {
        let (mut seconds, mut last) = (0.0, Instant::now());
        until("it is done", || {
            if last.elapsed() < BETWEEN {
                return false;
            }
            let done = done();
            let percent = self.look().cpu_percent.unwrap();
            assert!(percent >= 0.0, "never negative");
            seconds += percent / 100.0 * last.elapsed().as_secs_f64();
            last = Instant::now();
            done
        });
        seconds
    }

    fn members(&mut self) -> Vec<Member> {
        self.trees[0].1.members().unwrap()
    }
}

/// A line of `/proc/PID/smaps_rollup`, in bytes, of all members.
fn mapped(members: &[Member], line: &str) -> u64 {
    let of = |member: &Member| {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", member.id.pid)).unwrap_or_default();
        let line = text.lines().find_map(|found| found.strip_prefix(line)).unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    };
    members.iter().map(of).sum()
}

fn entries(members: &[Member], folder: &str) -> u32 {
    let count = |member: &Member| fs::read_dir(format!("/proc/{}/{folder}", member.id.pid)).unwrap().count();
    members.iter().map(count).sum::<usize>() as u32
}

#[test]
fn memory_is_the_resident_set_of_all_members() {
    let ground = Ground::new();
    // Each fills a buffer, and cannot write it: nobody reads.
    let hold = "dd if=/dev/zero bs=48M count=1 | sleep 300";
    let child = ground.spawn(&format!("{hold} & {hold} & wait"));
    let mut watched = Watched::new(Tree::of(id(&child)));
    let full = |member: &Member| mapped(std::slice::from_ref(member), "Rss:") >= 48 * MIB;
    until("both are full", || watched.members().into_iter().filter(full).count() == 2);
    let told = watched.look().memory_bytes.unwrap();
    let mapped = mapped(&watched.members(), "Rss:");
    assert!((96 * MIB..128 * MIB).contains(&told), "{told} for two of 48 MiB, and little beside");
    assert!(told.abs_diff(mapped) * 50 < mapped, "{told} sampled, {mapped} mapped");
}

#[test]
fn threads_and_open_files_are_those_of_all_members() {
    let ground = Ground::new();
    let mut child = fixture(&ground);
    let mut watched = Watched::new(Tree::of(id(&child)));
    until("it has all", || ground.file("ready").exists());
    let looked = |watched: &mut Watched| {
        let sample = watched.look();
        let members = watched.members();
        let counted = (members.len() as u32, Some(entries(&members, "task")), Some(entries(&members, "fd")));
        (sample.processes, sample.threads, sample.open_files) == counted
    };
    // Between the two looks one of them may have opened something for a moment.
    until("the figures are those of /proc", || looked(&mut watched));
    let sample = watched.look();
    assert_eq!(sample.processes, 2, "itself and its child");
    assert!(sample.threads > Some(7), "its own, the fixture's five, the child's");
    assert!(sample.open_files > Some(40), "the fixture's forty");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// This program again, in the part of [`fixture_with_threads_and_files`].
fn fixture(ground: &Ground) -> std::process::Child {
    let (key, value) = ground.mark.split_once('=').unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "fixture_with_threads_and_files"]).env("METRICS_FIXTURE", ground.path());
    command.env(key, value).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn fixture_with_threads_and_files() {
    let Some(folder) = std::env::var_os("METRICS_FIXTURE") else { return };
    let _files: Vec<_> = (0..40).map(|_| fs::File::open("/dev/null").unwrap()).collect();
    for _ in 0..5 {
        std::thread::spawn(std::thread::park);
    }
    let mut child = Command::new("sleep").arg("300").spawn().unwrap();
    fs::write(Path::new(&folder).join("ready"), "").unwrap();
    child.wait().unwrap();
}

#[test]
fn who_comes_is_found_by_the_next_look_and_who_goes_is_gone() {
    let ground = Ground::new();
    let script =
        "mkfifo go; exec 3<>go; while read _ <&3; do sh -c 'echo $$ >pid; exec sleep 300' & done; wait";
    let child = ground.spawn(script);
    until("it waits", || ground.file("go").exists());
    let mut watched = Watched::new(Tree::of(id(&child)));
    watched.until("only the shell is left", |sample| sample.processes == 1);
    // More looks than lie between two walks from the top.
    for round in 0..40 {
        fs::remove_file(ground.file("pid")).or_else(|_| fs::metadata(ground.path()).map(drop)).unwrap();
        fs::OpenOptions::new().write(true).open(ground.file("go")).unwrap().write_all(b"x\n").unwrap();
        let newcomer = ground.pid_in("pid");
        assert_eq!(watched.look().processes, 2, "round {round}: at once");
        newcomer.signal(Signal::KILL).unwrap();
        until("it has ended", || !newcomer.is_alive().unwrap());
        assert_eq!(watched.look().processes, 1, "round {round}: a dead one does not count");
        if round == 0 {
            assert_eq!(
                watched.members().iter().filter(|member| !member.is_zombie()).count(),
                1,
                "a walk agrees"
            );
        }
    }
}

#[test]
fn an_orphan_is_still_of_the_tree() {
    let ground = Ground::held();
    let child = ground
        .spawn("mkfifo go; read _ <go; (setsid sh -c 'echo $$ >pid; exec sleep 300' &); exec sleep 300");
    until("it waits", || ground.file("go").exists());
    let mut watched = Watched::new(ground.tree(&child));
    watched.until("only the shell is left", |sample| sample.processes == 1);
    fs::write(ground.file("go"), "\n").unwrap();
    let orphan = ground.pid_in("pid");
    until("it is the holder's", || orphan.parent().unwrap() == Some(ProcessId::current().unwrap()));
    watched.until("it counts", |sample| sample.processes == 2);
}

#[test]
fn what_is_outside_is_not_counted() {
    let ours = Ground::new();
    let theirs = Ground::new();
    let root = ours.spawn("exec sleep 300");
    let mut watched = Watched::new(Tree::of(id(&root)));
    assert_eq!(watched.look().processes, 1, "the root");
    let _other = theirs.spawn("echo $$ >pid; exec sleep 300");
    theirs.pid_in("pid");
    assert_eq!(watched.look().processes, 1, "a sibling is a stranger");

    let host = ours.spawn(
        "mkfifo go; (echo $$ >pid; exec sleep 300) & read _ <go; (echo >started; exec sleep 300) & wait",
    );
    ours.pid_in("pid");
    let mut sparing = Tree::of(id(&host));
    let guest = sparing.members().unwrap().into_iter().find(|member| member.parent == host.id()).unwrap();
    sparing.spare(guest.id);
    let mut watched = Watched::new(sparing);
    assert_eq!(watched.look().processes, 1, "the spared one is out, and its children");
    fs::write(ours.file("go"), "\n").unwrap();
    until("a newcomer", || ours.file("started").exists());
    watched.until("newcomers are in", |sample| sample.processes == 2);
}

#[test]
fn several_trees_at_once_each_get_their_own() {
    let grounds: Vec<Ground> = (0..3).map(|_| Ground::new()).collect();
    let roots: Vec<Script> = (1..)
        .zip(&grounds)
        .map(|(count, ground)| ground.spawn(&format!("for n in $(seq {count}); do sleep 300 & done; wait")))
        .collect();
    let mut trees: Vec<(usize, Tree)> = roots.iter().map(|root| Tree::of(id(root))).enumerate().collect();
    let mut sampler = Sampler::new();
    let mut counts = Vec::new();
    until("all have started theirs", || {
        counts = sampler.sample(&mut trees).iter().map(|(key, sample)| (*key, sample.processes)).collect();
        counts == [(0, 2), (1, 3), (2, 4)]
    });
    trees.remove(1);
    let samples = sampler.sample(&mut trees);
    assert_eq!(samples.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [0, 2], "only what was asked for");
    assert!(samples.iter().all(|(_, sample)| sample.cpu_percent.is_some()), "known from before");
    trees.insert(0, (1, Tree::of(id(&roots[1]))));
    let again = sampler.sample(&mut trees);
    assert_eq!(again[0].1.cpu_percent, None, "what was left out begins anew");
}

#[test]
fn another_run_under_the_same_key_begins_anew() {
    let ground = Ground::new();
    let first = ground.spawn("exec sleep 300");
    let second = ground.spawn("exec sleep 300");
    let mut watched = Watched::new(Tree::of(id(&first)));
    watched.look();
    assert!(watched.look().cpu_percent.is_some(), "the second look at the first");
    watched.trees[0].1 = Tree::of(id(&second));
    assert_eq!(watched.look().cpu_percent, None, "the first look at the second");
    assert!(watched.look().cpu_percent.is_some(), "the second look at the second");
}

#[test]
fn a_tree_that_has_ended_is_empty() {
    let ground = Ground::new();
    let mut root = ground.spawn("exec sleep 300");
    let mut watched = Watched::new(Tree::of(id(&root)));
    assert_eq!(watched.look().processes, 1, "it runs");
    root.kill().unwrap();
    root.wait().unwrap();
    let sample = watched.look();
    assert_eq!((sample.processes, sample.memory_bytes), (0, None), "nobody is left");
    assert_eq!(sample.cpu_percent, Some(0.0), "and nobody works");
}

#[test]
fn disk_bytes_are_those_that_went_to_storage() {
    // On a disk, if that is on one: a temporary folder often is not.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("file");
    if !reaches_storage(&file) {
        return;
    }
    let ground = Ground::new();
    let write = format!("dd if=/dev/zero of='{}' bs=1M count=8 conv=fsync", file.display());
    let read = format!("dd if='{}' of=/dev/null bs=1M iflag=direct", file.display());
    let child =
        ground.spawn(&format!("mkfifo go; read _ <go; ({write}; {read}) 2>said; echo >done; exec sleep 300"));
    until("it waits", || ground.file("go").exists());
    let mut watched = Watched::new(Tree::of(id(&child)));
    let before = watched.look();
    fs::write(ground.file("go"), "\n").unwrap();
    let mut last = before;
    until("it is done", || {
        let now = watched.look();
        assert!(now.disk_written_bytes >= last.disk_written_bytes, "it never falls");
        last = now;
        ground.file("done").exists()
    });
    let after = watched.look();
    let near = |bytes: u64| (8 * MIB..10 * MIB).contains(&bytes);
    let written = after.disk_written_bytes.unwrap() - before.disk_written_bytes.unwrap();
    assert!(near(written), "{written} bytes written, 8 MiB and little beside");
    // Some file systems cannot be read past the page cache.
    if !fs::read_to_string(ground.file("said")).unwrap().contains("nvalid argument") {
        let read = after.disk_read_bytes.unwrap() - before.disk_read_bytes.unwrap();
        assert!(near(read), "{read} bytes read, 8 MiB and little beside");
    }
}

/// Whether writing there counts as writing to storage.
fn reaches_storage(file: &Path) -> bool {
    let written = || {
        let told = fs::read_to_string("/proc/self/io").unwrap();
        let line = told.lines().find_map(|line| line.strip_prefix("write_bytes: ")).unwrap();
        line.parse::<u64>().unwrap()
    };
    let before = written();
    let mut file = fs::File::create(file).unwrap();
    file.write_all(&[1; 1 << 20]).unwrap();
    file.sync_all().unwrap();
    written() >= before + MIB
}

#[test]
fn the_machine_tells_its_cores_and_memory_and_how_busy_it_is() {
    let mut sampler = Sampler::<()>::new();
    let first = sampler.machine().unwrap();
    assert_eq!(first.cpu_percent, None, "nothing to compare with");
    assert!(first.cores as usize >= std::thread::available_parallelism().unwrap().get(), "{first:?}");
    assert!(first.memory_used_bytes > 0 && first.memory_used_bytes < first.memory_total_bytes, "{first:?}");
    until("a tick passes", || {
        sampler.machine().unwrap().cpu_percent.is_some_and(|it| (0.0..=100.0).contains(&it))
    });
}

#[test]
fn the_member_that_is_nearest_to_its_limit_of_files_is_told_with_it() {
    let ground = Ground::new();
    let child = ground.spawn(
        "sleep 300 & (ulimit -n 20; for n in 3 4 5 6 7 8 9; do eval \"exec $n</dev/null\"; done; echo >there; \
         read _ <\"$(mktemp -u ./fifo)\"; sleep 300) & wait",
    );
    until("its files are open", || ground.file("there").exists());
    let mut watched = Watched::new(Tree::of(id(&child)));
    let sample = watched.until("one with few", |sample| sample.fullest.is_some_and(|one| one.limit == 20));
    let fullest = sample.fullest.unwrap();
    assert!((9..=20).contains(&fullest.open), "{fullest:?}");
    assert!(fullest.share() > 0.4, "{fullest:?}");
}

#[test]
fn who_uses_most_of_the_machine_is_named_unless_it_is_ours() {
    let ground = Ground::new();
    let ours = ground.spawn("while true; do :; done");
    let other = ground.spawn("while true; do :; done");
    let mut watched = Watched::new(Tree::of(id(&ours)));
    watched.look();
    assert_eq!(watched.sampler.hogs(500).unwrap(), [], "nothing to compare with yet");
    let mut hogs = Vec::new();
    until("the other one is seen to be busy", || {
        std::thread::sleep(BETWEEN * 3);
        hogs = watched.sampler.hogs(500).unwrap();
        hogs.iter().any(|hog| hog.pid == other.id() && hog.cpu_percent > 20.0)
    });
    assert!(hogs.iter().all(|hog| hog.pid != ours.id()), "what is sampled is known already");
    assert!(hogs.iter().all(|hog| hog.pid != std::process::id()), "and so are we");
}

#[test]
fn a_build_is_a_hog_though_each_of_its_compilers_ends_at_once() {
    let ground = Ground::new();
    let build = ground.spawn("while true; do sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; done");
    let idle = ground.spawn("sleep 600");
    let mut watched = Watched::new(Tree::of(id(&idle)));
    watched.look();
    until("it is seen to be busy", || {
        let hogs = watched.sampler.hogs(500).unwrap();
        std::thread::sleep(BETWEEN * 5);
        hogs.iter().any(|hog| hog.pid == build.id() && hog.cpu_percent > 20.0)
    });
}
