//! What a sampler says of real trees, compared with what the system says of them elsewhere.
#![cfg(all(target_os = "linux", feature = "metrics"))]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(unsafe_code, reason = "wait4(2) has no safe wrapper")]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use common::{Ground, Script, id, reap, until};
use forge_system::metrics::{Sample, Sampler};
use forge_system::tree::{Member, Tree};
use forge_system::{ProcessId, Signal};

const MIB: u64 = 1 << 20;

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

/// Between two looks: many ticks of the clock by which CPU time is counted.
const BETWEEN: Duration = Duration::from_millis(100);

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
    let sample = watched.look();
    let members = watched.members();
    assert_eq!(sample.processes, members.len() as u32, "processes");
    assert_eq!(sample.processes, 2, "itself and its child");
    assert_eq!(sample.threads, Some(entries(&members, "task")), "threads");
    assert!(sample.threads > Some(7), "its own, the fixture's five, the child's");
    assert_eq!(sample.open_files, Some(entries(&members, "fd")), "open files");
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

/// Accepts on a port of its own: sends what it is told to, or counts what it gets, then closes.
const SERVER: &str = r#"
import socket, threading
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(256)
def serve(client):
    asked = int(client.recv(16, socket.MSG_WAITALL))
    if asked:
        client.sendall(b"x" * asked)
    else:
        while client.recv(1 << 20): pass
    client.close()
open("port.new", "w").write("%d\n" % server.getsockname()[1])
import os; os.rename("port.new", "port")
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
"#;

fn port_in(ground: &Ground) -> u16 {
    let mut port = None;
    until("it listens", || {
        port = fs::read_to_string(ground.file("port")).ok().and_then(|text| text.trim().parse().ok());
        port.is_some()
    });
    port.unwrap()
}

/// Has the server send so many bytes (0: none), and sends it so many besides the 16 of the question.
fn transfer(port: u16, down: usize, up: usize) {
    use std::io::Read;
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("{down:16}").as_bytes()).unwrap();
    let mut left = up;
    while left > 0 {
        let part = left.min(1 << 16);
        stream.write_all(&vec![0; part]).unwrap();
        left -= part;
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).unwrap();
    assert_eq!(got.len(), down, "the transfer itself");
}

#[track_caller]
fn assert_moved(watched: &mut Watched, received: u64, sent: u64) {
    let near = |figure: Option<u64>, moved: u64| figure.unwrap().abs_diff(moved) * 100 <= moved.max(100);
    let mut sample = watched.look();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !(near(sample.net_received_bytes, received) && near(sample.net_sent_bytes, sent)) {
        assert!(Instant::now() < deadline, "moved {received} in and {sent} out, sampled {sample:?}");
        std::thread::sleep(BETWEEN);
        sample = watched.look();
    }
}

#[test]
fn tcp_bytes_are_what_a_known_transfer_has_moved() {
    let ground = Ground::new();
    fs::write(ground.file("server.py"), SERVER).unwrap();
    let child = ground.spawn("exec python3 server.py");
    let mut watched = Watched::new(Tree::of(id(&child)));
    let port = port_in(&ground);
    let first = watched.look();
    assert_eq!((first.net_received_bytes, first.net_sent_bytes), (Some(0), Some(0)), "nothing yet");
    transfer(port, 50_000_000, 0);
    assert_moved(&mut watched, 16, 50_000_000);
    transfer(port, 0, 30_000_000);
    assert_moved(&mut watched, 30_000_032, 50_000_000);
}

#[test]
fn tcp_bytes_of_many_connections_that_are_gone_before_anybody_looks() {
    let ground = Ground::new();
    fs::write(ground.file("server.py"), SERVER).unwrap();
    let child = ground.spawn("exec python3 server.py");
    let mut watched = Watched::new(Tree::of(id(&child)));
    let port = port_in(&ground);
    watched.look();
    for _ in 0..1000 {
        transfer(port, 2000, 0);
    }
    for _ in 0..500 {
        transfer(port, 0, 3000);
    }
    assert_moved(&mut watched, 1_500 * 16 + 1_500_000, 2_000_000);
}

#[test]
fn tcp_bytes_stay_when_the_process_that_moved_them_has_ended() {
    let ground = Ground::new();
    fs::write(ground.file("server.py"), SERVER).unwrap();
    let child = ground.spawn("python3 server.py & echo $! >pid; while true; do sleep 1; done");
    let mut watched = Watched::new(Tree::of(id(&child)));
    let port = port_in(&ground);
    watched.look();
    transfer(port, 5_000_000, 0);
    common::kill(ground.pid_in("pid").pid, Signal::KILL);
    assert_moved(&mut watched, 16, 5_000_000);
    watched.until("only the shell is left", |sample| sample.processes <= 2);
    assert_moved(&mut watched, 16, 5_000_000);
}

#[test]
fn tcp_bytes_of_a_client_are_its_own_and_not_the_servers() {
    let ground = Ground::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = format!(
        "import socket,sys\ns = socket.create_connection(('127.0.0.1', {port}))\ns.sendall(b'x' * 4000000)\n\
         while s.recv(1 << 20): pass\n"
    );
    fs::write(ground.file("client.py"), client).unwrap();
    let child = ground.spawn("python3 client.py; echo >done; exec sleep 300");
    let mut watched = Watched::new(Tree::of(id(&child)));
    let (mut stream, _) = listener.accept().unwrap();
    // It is there: looked at before it ends.
    watched.look();
    use std::io::Read;
    let mut got = vec![0; 4_000_000];
    stream.read_exact(&mut got).unwrap();
    stream.write_all(&vec![1; 6_000_000]).unwrap();
    drop(stream);
    assert_moved(&mut watched, 6_000_000, 4_000_000);
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
