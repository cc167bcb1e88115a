//! How a child starts, ends and is ended, and what is recorded of it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use common::{Run, wait_for};
use forge_keeper::message::{Report, Request};
use forge_keeper::record::{Exit, Record};
use forge_keeper::spec::Container;

const GRACE: Duration = Duration::from_secs(20);

#[test]
fn an_exit_is_recorded_once_with_its_code() {
    let (mut run, mut client) = Run::script("exit 7").start();
    assert_eq!(client.wait_for_exit(), Exit::Code(7), "told");
    client.wait_for_empty();
    drop(client);
    assert_eq!(run.wait(), Some(0), "the keeper ends with the connection");
    let ended = run.ended();
    assert_eq!((ended.exit, ended.requested), (Some(Exit::Code(7)), false), "exit.json");
    let exits = run.records().iter().filter(|record| matches!(record, Record::Exited { .. })).count();
    assert_eq!(exits, 1, "in events");
    assert!(matches!(run.records().last(), Some(Record::Empty { .. })), "the last record");
    assert!(!run.spec.socket.exists(), "the socket is removed");
}

#[test]
fn whoever_starts_a_keeper_learns_when_it_listens() {
    let (run, mut output) = Run::script("sleep 600").launch_with_output();
    let mut said = Vec::new();
    output.read_to_end(&mut said).unwrap();
    assert!(said.is_empty(), "nothing is written there: {said:?}");
    // At once: no second attempt.
    UnixStream::connect(&run.spec.socket).unwrap();
}

#[test]
fn a_signal_is_told_from_a_code() {
    let (_run, mut client) = Run::script("kill -SEGV $$").start();
    assert_eq!(client.wait_for_exit(), Exit::Signal(11), "it ended by a signal");
}

#[test]
fn a_shells_128_is_a_signal() {
    let (_run, mut client) =
        Run::script("sh -c 'kill -KILL $$'; exit $?").with(|spec| spec.shell_status = true).start();
    assert_eq!(client.wait_for_exit(), Exit::Signal(9), "137 of a shell");
}

#[test]
fn the_record_is_there_before_the_command_runs() {
    let (run, mut client) = Run::script("cat \"$EVENTS\"; echo $$ $FORGE_RUN")
        .with(|spec| spec.env.push(("EVENTS".into(), "runs/1/events".into())))
        .start();
    client.wait_for_exit();
    let lines = run.lines("stdout");
    let child = run.child();
    let seen = lines.iter().any(|line| line.contains("\"started\"") && line.contains(&child.pid.to_string()));
    assert!(seen, "the command finds its own record: {lines:?}");
    assert_eq!(lines.last(), Some(&format!("{} {}", child.pid, run.spec.run)), "its PID and its mark");
}

#[test]
fn the_child_has_a_clean_place_of_its_own() {
    let script = "ls -l /proc/self/fd | grep -c ' -> '; grep -E 'Sig(Blk|Ign)' /proc/self/status; \
                  cut -d' ' -f1,5,6 /proc/$$/stat; readlink /proc/$$/fd/0; umask";
    let (run, mut client) = Run::script(script).start();
    client.wait_for_exit();
    let lines = run.lines("stdout");
    let pid = run.child().pid;
    // The listing has one of its own.
    assert_eq!(lines[0], "4", "three descriptors: {lines:?}");
    assert_eq!(lines[1], "SigBlk:\t0000000000000000", "no signal is blocked");
    let ignored = u64::from_str_radix(lines[2].trim_start_matches("SigIgn:\t"), 16).unwrap();
    // Signals 32 and 33 are the C library's own, and not even it can set them.
    assert_eq!(ignored & !(0b11 << 31), 0, "no signal is ignored: {lines:?}");
    assert_eq!(lines[3], format!("{pid} {pid} {pid}"), "its own group and session");
    assert_eq!(lines[4], "/dev/null", "standard input");
    assert_ne!(lines[5], "0077", "the umask is not the keeper's");
}

#[test]
fn files_are_for_the_owner_alone() {
    let (run, mut client) = Run::script("exec sleep 1000").with(|spec| spec.stdin = true).start();
    let folder = &run.folder;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for path in
        [folder.out_fifo(), folder.err_fifo(), folder.in_fifo(), folder.events(), folder.lock(), folder.log()]
    {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert_eq!(mode(&run.spec.socket), 0o600, "the socket");
    assert_eq!(mode(run.spec.socket.parent().unwrap()), 0o700, "its folder");
    client.force();
    client.wait_for_empty();
}

#[test]
fn a_second_keeper_leaves_quietly() {
    let (run, mut client) = Run::script("exec sleep 1000").start();
    for flags in [&[][..], &["--adopt"]] {
        let second = std::process::Command::new(env!("CARGO_BIN_EXE_forge-keeper"))
            .args(flags)
            .arg(run.folder.path())
            .output()
            .unwrap();
        assert_eq!(second.status.code(), Some(3), "the run is taken: {second:?}");
        assert!(second.stderr.is_empty(), "quietly: {second:?}");
    }
    client.force();
    client.wait_for_empty();
}

#[test]
fn a_run_is_not_started_twice() {
    let (mut run, mut client) = Run::script("echo once").start();
    client.wait_for_exit();
    drop(client);
    run.wait();
    run = run.launch();
    assert_eq!(run.wait(), Some(1), "it can't be started again");
    assert_eq!(run.lines("stdout"), ["once"], "and was not");
}

#[test]
fn what_can_not_be_run_says_why() {
    let cases: [(&str, &str, &str); 3] = [
        ("no-such-program", "", "`no-such-program` was not found in PATH"),
        ("./script", "", "asks for the interpreter `/no/such/interpreter`, which does not exist"),
        ("/bin/sh", "gone", "the working directory does not exist"),
    ];
    for (program, cwd, expected) in cases {
        let run = Run::of(&[program]).with(|spec| spec.cwd = spec.cwd.join(cwd));
        let script = run.path("script");
        fs::write(&script, "#!/no/such/interpreter\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let (mut run, client) = run.start();
        let Some(Report::Hello { not_started: Some(message), child: None, .. }) = &client.hello else {
            panic!("{program}: {:?}", client.hello)
        };
        assert!(message.contains(expected), "{program}: {message}");
        drop(client);
        assert_eq!(run.wait(), Some(0), "{program}: the keeper is done");
        let ended = run.ended();
        assert_eq!(ended.exit, None, "{program}: there was no exit");
        assert!(ended.message.is_some_and(|message| message.contains(expected)), "{program}: exit.json");
        assert!(run.lines("forge").iter().any(|line| line.contains(expected)), "{program}: the log");
    }
}

#[test]
fn an_end_leaves_no_daemon() {
    let script = "setsid sh -c 'trap \"\" TERM HUP; sh -c \"trap \\\"\\\" TERM; sleep 1000\" & sleep 1000' & \
                  (setsid sleep 1000 &) ; echo up; wait";
    let (run, mut client) = Run::script(script).start();
    wait_for("it is up", || run.lines("stdout") == ["up"]);
    wait_for("the whole tree", || run.survivors().len() >= 4);
    client.end(15, Duration::from_millis(200));
    client.wait_for_empty();
    assert_eq!(run.survivors(), [0; 0], "nobody is left");
    assert!(run.ended().requested, "it was asked for");
    assert!(
        run.records().iter().any(|record| matches!(record, Record::Ending { force: false, .. })),
        "events"
    );
}

#[test]
fn one_signal_reaches_everybody_once() {
    let script = "trap 'echo parent' TERM; setsid sh -c 'trap \"echo child; exit\" TERM; echo ready; while :; do sleep 0.02; done' & \
                  echo ready; wait; wait";
    let (run, mut client) = Run::script(script).start();
    wait_for("both are ready", || run.lines("stdout").len() == 2);
    client.end(15, GRACE);
    client.wait_for_empty();
    let mut lines = run.lines("stdout").split_off(2);
    lines.sort();
    assert_eq!(lines, ["child", "parent"], "each had one signal");
}

#[test]
fn who_ignores_the_signal_is_killed_after_the_grace() {
    let (run, mut client) = Run::script("trap '' TERM; echo up; while :; do sleep 1000; done").start();
    wait_for("it is up", || run.lines("stdout") == ["up"]);
    client.end(15, Duration::from_millis(100));
    assert_eq!(client.wait_for_exit(), Exit::Signal(9), "killed");
    client.wait_for_empty();
}

#[test]
fn force_cuts_the_grace() {
    let (run, mut client) = Run::script("trap '' TERM; echo up; while :; do sleep 1000; done").start();
    wait_for("it is up", || run.lines("stdout") == ["up"]);
    client.end(15, Duration::from_secs(1_000));
    client.force();
    client.wait_for_empty();
    assert!(run.survivors().is_empty(), "nobody is left");
}

#[test]
fn what_outlives_the_main_process_is_named_and_held() {
    let (run, mut client) = Run::script("(while :; do echo tick; sleep 0.02; done) & exit 3").start();
    let report = client.wait_for("exited", |report| matches!(report, Report::Exited { .. }));
    let Report::Exited { exit: Exit::Code(3), left, .. } = report else { panic!("{report:?}") };
    assert!(left.iter().any(|(_, name)| name == "sh"), "who is left: {left:?}");
    let before = run.lines("stdout").len();
    wait_for("its output is still read", || run.lines("stdout").len() > before + 5);
    client.end(15, GRACE);
    client.wait_for_empty();
    assert!(run.survivors().is_empty(), "nobody is left");
}

#[test]
fn the_last_of_a_tree_ends_the_run() {
    let (mut run, mut client) = Run::script("(setsid sh -c 'sleep 0.3; echo last' &) ; exit 0").start();
    client.wait_for_exit();
    client.wait_for_empty();
    assert_eq!(run.lines("stdout"), ["last"], "its output is stored before the end is told");
    drop(client);
    run.wait();
}

#[test]
fn one_process_can_be_signalled() {
    let (run, mut client) =
        Run::script("trap 'echo usr1' USR1; echo up; while :; do sleep 0.02; done").start();
    wait_for("it is up", || run.lines("stdout") == ["up"]);
    client.send(&Request::Signal { signal: 10 });
    wait_for("it is signalled", || run.lines("stdout") == ["up", "usr1"]);
    client.send(&Request::Signal { signal: 999 });
    assert_eq!(client.wait_for_refusal("signal"), "there is no signal 999");
    client.force();
    client.wait_for_empty();
}

#[test]
fn an_adopted_child_ends_with_its_code() {
    let (mut run, client) = Run::script("read line; exit 9").with(|spec| spec.stdin = true).start();
    let child = run.child();
    drop(client);
    run.kill_keeper();
    let mut client = run.adopt();
    assert!(child.is_alive().unwrap(), "no end of input, no SIGPIPE");
    client.input(b"go\n");
    let exit = client.wait_for_exit();
    assert!(exit == Exit::Code(9) || exit == Exit::Unknown, "known where the kernel tells: {exit:?}");
    client.wait_for_empty();
}

#[test]
fn an_adopted_tree_is_ended_to_the_last() {
    let script =
        "(setsid sh -c 'trap \"\" TERM; echo up; while :; do sleep 1000; done' &); echo up; exec sleep 1000";
    let (mut run, client) = Run::script(script).start();
    wait_for("both are up", || run.lines("stdout").len() == 2);
    drop(client);
    run.kill_keeper();
    let mut client = run.adopt();
    client.end(15, Duration::from_millis(100));
    assert!(matches!(client.wait_for_exit(), Exit::Signal(15) | Exit::Unknown), "the main process");
    client.wait_for_empty();
    assert!(run.survivors().is_empty(), "nobody is left");
}

#[test]
fn an_end_that_nobody_saw_is_not_guessed() {
    let (mut run, client) = Run::script("read line").with(|spec| spec.stdin = true).start();
    let child = run.child();
    drop(client);
    run.kill_keeper();
    child.signal(forge_system::Signal::KILL).unwrap();
    wait_for("the child is gone", || !child.is_alive().unwrap());
    let client = run.adopt();
    // Where the system keeps the dead until somebody reaps them, it may still tell.
    let exit = run.ended().exit;
    assert!(matches!(exit, Some(Exit::Unknown | Exit::Signal(9))), "nobody may guess: {exit:?}");
    drop(client);
    assert_eq!(run.wait(), Some(0), "the run is over");
}

#[test]
fn a_run_whose_keeper_died_before_the_start_never_ran() {
    let mut run = Run::script("echo never");
    fs::write(run.folder.spec(), serde_json::to_vec(&run.spec).unwrap()).unwrap();
    let client = run.adopt();
    let Some(Report::Hello { not_started: Some(message), .. }) = &client.hello else {
        panic!("{:?}", client.hello)
    };
    assert!(message.contains("before it could start"), "{message}");
    drop(client);
    run.wait();
    assert!(run.lines("stdout").is_empty(), "it did not run");
}

#[test]
fn an_end_without_a_supervisor_starts_one() {
    let run = Run::script("read line; exit 1").with(|spec| spec.stdin = true);
    let note = run.path("called");
    let script = format!("cut -d' ' -f4 /proc/$$/stat > {0}.new; mv {0}.new {0}", note.display());
    let (mut run, mut client) =
        run.with(|spec| spec.supervisor = Some(vec!["/bin/sh".into(), "-c".into(), script])).start();
    client.input(b"go\n");
    drop(client);
    wait_for("the supervisor was started", || note.exists());
    let parent: u32 = fs::read_to_string(&note).unwrap().trim().parse().unwrap();
    assert_ne!(parent, run.keeper_pid(), "it is no child of the keeper");
    assert_eq!(run.wait(), Some(0), "the keeper ends");
}

#[test]
fn an_end_that_was_told_starts_no_supervisor() {
    let run = Run::script("exit 1");
    let note = run.path("called");
    let (mut run, mut client) =
        run.with(|spec| spec.supervisor = Some(vec!["touch".into(), note.display().to_string()])).start();
    client.wait_for_empty();
    drop(client);
    assert_eq!(run.wait(), Some(0), "the keeper ends");
    assert!(!note.exists(), "somebody was there");
}

/// A docker client and its engine: the container is a process that is not of the tree.
fn with_container(run: Run) -> Run {
    let (cid, stopped) = (run.path("cid"), run.path("stopped"));
    let client = format!("echo c0ffee > {}; echo up; exec sleep 1000", cid.display());
    let command = |what: &str| {
        let script = format!("echo {what} $1 >> {}", stopped.display());
        ["/bin/sh", "-c", &script, "docker", "{cid}"].map(str::to_owned).to_vec()
    };
    run.with(|spec| {
        spec.argv = vec!["/bin/sh".into(), "-c".into(), client];
        spec.container = Some(Container { cidfile: Some(cid), stop: command("stop"), kill: command("kill") });
    })
}

#[test]
fn a_container_is_stopped_by_name() {
    let (run, mut client) = with_container(Run::script("")).start();
    wait_for("it is up", || run.lines("stdout") == ["up"]);
    client.end(15, GRACE);
    client.wait_for_empty();
    assert_eq!(fs::read_to_string(run.path("stopped")).unwrap(), "stop c0ffee\n", "what the engine was told");
}

#[test]
fn a_container_is_killed_by_name() {
    let (run, mut client) = with_container(Run::script("")).start();
    wait_for("it is up", || run.lines("stdout") == ["up"]);
    client.force();
    client.wait_for_empty();
    assert_eq!(fs::read_to_string(run.path("stopped")).unwrap(), "kill c0ffee\n", "what the engine was told");
}

#[test]
fn a_container_does_not_outlive_a_client_that_was_killed() {
    let (run, mut client) = with_container(Run::script("")).start();
    wait_for("it is up", || run.lines("stdout") == ["up"]);
    client.send(&Request::Signal { signal: 9 });
    assert_eq!(client.wait_for_exit(), Exit::Signal(9), "killed by somebody");
    client.wait_for_empty();
    assert_eq!(fs::read_to_string(run.path("stopped")).unwrap(), "stop c0ffee\n", "what the engine was told");
}
