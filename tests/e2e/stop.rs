//! `forge stop`, `restart` and `kill`.

use std::time::{Duration, Instant};

use forge_tests::{Signal, World, nasty, wait_until};

#[test]
fn dependents_are_stopped_first() {
    let world = World::with(
        "dev:
  - {name: db, command: nasty term-appends order db print up}
  - {name: api, command: nasty term-appends order api print up, depends_on: [db]}
  - {name: web, command: nasty term-appends order web print up, depends_on: [api]}
",
    );
    world.start();
    for name in ["db", "api", "web"] {
        world.wait_line(name, "up");
    }
    world.forge(["stop"]).run().ok();
    world.wait_file("order", "web\napi\ndb\n");
    assert!(world.programs().is_empty(), "nothing is left when the command returns");
    for name in ["db", "api", "web"] {
        assert_eq!(world.process(name)["status"], "stopped", "{name}");
    }
}

#[test]
fn a_process_is_stopped_alone() {
    let world = World::with(
        "dev:
  - {name: db, command: nasty forever}
  - {name: api, command: nasty forever, depends_on: [db]}
",
    );
    world.start();
    let api = world.pid("api");
    world.forge(["stop", "db"]).run().ok();
    assert_eq!(world.process("db")["status"], "stopped", "the one that was named");
    assert!(api.is_alive(), "its dependent goes on");
    let db = world.process("db");
    assert_eq!(db["restarts"], 0, "stopping is no crash: {db:#}");
}

#[test]
fn stopping_twice_is_no_error() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    world.forge(["stop", "dev"]).run().ok();
    world.forge(["stop", "dev"]).run().ok();
    world.forge(["stop", "a"]).run().ok();
    world.forge(["stop", "--all"]).run().ok();
}

#[test]
fn two_stops_at_once_both_wait_for_the_end() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty ignore TERM forever, shutdown: {timeout: 500ms}}\n");
    world.start();
    let a = world.pid("a");
    let stops = [world.forge(["stop", "dev"]).spawn(), world.forge(["stop", "a"]).spawn()];
    for stop in stops {
        stop.wait().ok();
        assert!(!a.is_alive(), "both return when it has ended");
    }
}

#[test]
fn it_works_with_a_broken_configuration() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    world.configure("dev: [\n  - {{{ this is not YAML");
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "stopped");
}

#[test]
fn it_works_with_a_missing_configuration() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty forever}\n  - {name: b, command: nasty forever}\n");
    world.start();
    std::fs::remove_dir_all(world.path(".forge")).expect("there is one");
    world.forge(["stop", "a"]).run().ok();
    assert_eq!(world.programs().len(), 1, "b goes on");
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "stopped");
}

#[test]
fn stopping_while_starting_wins() {
    let world = World::with(
        "dev:
  - {name: slow, command: nasty forever, health_check: 'false'}
  - {name: later, command: nasty append ran later forever, depends_on: [slow]}
",
    );
    let start = world.forge(["start"]).spawn();
    world.wait_supervisor();
    world.wait_process("slow", "has a PID", |slow| slow["pid"].is_number());
    world.forge(["stop", "dev"]).run().ok();
    assert!(world.programs().is_empty(), "nothing is left");
    start.wait().code(1);
    for name in ["slow", "later"] {
        assert_eq!(world.process(name)["status"], "stopped", "{name}");
    }
    assert_eq!(world.read("ran"), "", "the dependent never ran");
}

#[test]
fn a_wish_to_stop_a_waiting_process_takes_it_out_of_the_start() {
    let world = World::with(
        "dev:
  - {name: slow, command: nasty forever, health_check: test -e go}
  - {name: later, command: nasty append ran later forever, depends_on: [slow]}
",
    );
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("later", "waiting");
    world.forge(["stop", "later"]).run().ok();
    world.write("go", "");
    world.wait_status("slow", "running");
    assert_eq!(world.process("later")["status"], "stopped", "it no longer waits");
    assert_eq!(world.read("ran"), "", "it never ran");
}

#[test]
fn restart_keeps_counts_and_logs_and_takes_a_new_process() {
    let world = World::with("dev:\n  - {name: a, command: nasty print hello forever}\n");
    world.start();
    let before = world.pid("a");
    world.forge(["restart", "a"]).run().ok();
    let after = world.process("a");
    assert!(!before.is_alive(), "the old one is gone");
    assert_ne!(world.pid("a"), before, "a new one");
    assert_eq!(after["status"], "running", "{after:#}");
    assert_eq!(after["restarts"], 1, "{after:#}");
    assert_eq!(after["run"], 2, "{after:#}");
    wait_until("both runs are in the log", || {
        world.lines("a").iter().filter(|line| line.text() == "hello").count() == 2
    });
}

#[test]
fn restarting_while_waiting_goes_on_waiting() {
    let world = World::with(
        "dev:
  - {name: slow, command: nasty forever, health_check: test -e go}
  - {name: later, command: nasty append ran later forever, depends_on: [slow]}
",
    );
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("later", "waiting");
    let restart = world.forge(["restart", "later"]).spawn();
    world.wait_process("later", "waits", |later| later["waiting_on"] == serde_json::json!(["slow"]));
    assert_eq!(world.read("ran"), "", "not before its dependency");
    world.write("go", "");
    restart.wait().ok();
    world.wait_file("ran", "later\n");
}

#[test]
fn restart_of_the_whole_environment_restarts_each_once() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - {{name: db, command: nasty append ran db listen {port}, port: {port}}}
  - {{name: api, command: nasty append ran api touch up forever, health_check: test -e up, depends_on: [db]}}
"
    ));
    world.start();
    std::fs::remove_file(world.path("up")).expect("api has written it");
    world.forge(["restart"]).run().ok();
    world.wait_file("ran", "db\napi\ndb\napi\n");
}

#[test]
fn two_restarts_at_once_never_make_two_trees() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let restarts: Vec<_> = (0..4).map(|_| world.forge(["restart", "a"]).spawn()).collect();
    for restart in restarts {
        let _either = restart.wait();
        assert!(world.programs().len() <= 1, "I1: {:?}", world.programs());
    }
    world.wait_status("a", "running");
    assert_eq!(world.programs().len(), 1, "one tree");
}

#[test]
fn fault_16_a_process_that_ignores_sigterm_is_killed_after_its_timeout() {
    let world = World::with(
        "dev:\n  - {name: deaf, command: nasty ignore TERM print up forever, shutdown: {timeout: 300ms}}\n",
    );
    world.start();
    world.wait_line("deaf", "up");
    let deaf = world.pid("deaf");
    world.forge(["stop", "deaf"]).run().ok();
    assert!(!deaf.is_alive(), "ended");
    let status = world.process("deaf");
    assert_eq!(status["signal"], "SIGKILL", "{status:#}");
}

#[test]
fn the_configured_signal_is_sent_to_the_whole_tree() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty spawn begin report INT print inner end report INT print outer
    shutdown: {signal: SIGINT, timeout: 1s}
",
    );
    world.start();
    for line in ["inner", "outer"] {
        world.wait_line("a", line);
    }
    world.forge(["stop"]).run().ok();
    let got = world.lines("a").iter().filter(|line| line.text() == "got INT").count();
    assert_eq!(got, 2, "parent and child both got it");
}

#[test]
fn the_configured_command_ends_the_process() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty spawn begin wait-for end-now exit 0 end wait-for end-now append log 'ended in order' exit 0
    shutdown: {command: nasty touch end-now wait-for log, timeout: 30s}
",
    );
    world.start();
    world.forge(["stop"]).run().ok();
    world.wait_file("log", "ended in order\n");
    assert!(world.programs().is_empty(), "and nothing is left");
}

#[test]
fn the_command_and_the_signal_share_the_timeout() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty ignore TERM print up forever
    shutdown: {command: nasty forever, timeout: 5s}
",
    );
    world.start();
    world.wait_line("a", "up");
    let begun = Instant::now();
    world.forge(["stop"]).run().ok();
    let took = begun.elapsed();
    // Twice the timeout, if each had its own.
    assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(10), "{took:?}");
    assert!(world.programs().is_empty(), "the command is gone too");
}

#[test]
fn last_words_are_kept() {
    let world = World::with("dev:\n  - {name: a, command: nasty term-writes 1000 print up}\n");
    world.start();
    world.wait_line("a", "up");
    world.forge(["stop"]).run().ok();
    let words = world.lines("a").iter().filter(|line| line.text().starts_with("goodbye ")).count();
    assert_eq!(words, 1000, "all that it wrote after SIGTERM");
}

#[test]
fn kill_ends_the_tree_at_once() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty ignore TERM spawn begin ignore TERM forever end print up forever
    shutdown: {timeout: 1h}
",
    );
    world.start();
    world.wait_line("a", "up");
    world.forge(["kill", "a"]).run().ok();
    assert!(world.programs().is_empty(), "the whole tree");
    let a = world.process("a");
    assert_eq!(a["status"], "stopped", "asked for, so it stays: {a:#}");
}

#[test]
fn a_stop_that_takes_long_is_cut_short_by_kill() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty ignore TERM print up forever, shutdown: {timeout: 1h}}\n",
    );
    world.start();
    world.wait_line("a", "up");
    let stop = world.forge(["stop", "a"]).spawn();
    world.wait_status("a", "stopping");
    world.forge(["kill", "a"]).run().ok();
    stop.wait().ok();
    assert!(world.programs().is_empty(), "ended");
}

#[test]
fn an_interrupted_stop_goes_on_without_its_command() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty ignore TERM print up forever, shutdown: {timeout: 1s}}\n",
    );
    world.start();
    world.wait_line("a", "up");
    let stop = world.forge(["stop", "a"]).spawn();
    world.wait_status("a", "stopping");
    stop.signal(Signal::INT);
    stop.wait().code(130);
    world.wait_status("a", "stopped");
    assert!(world.programs().is_empty(), "ended");
}

#[test]
fn stop_all_reaches_every_workspace() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let other = world.folder().join("other");
    std::fs::create_dir_all(other.join(".forge")).expect("another workspace");
    std::fs::write(other.join(".forge/processes.yml"), "dev:\n  - {name: a, command: nasty forever}\n")
        .expect("it");
    world.forge(["start"]).current_dir(&other).run().ok();
    assert_eq!(world.programs().len(), 2, "one of each");
    world.forge(["stop", "--all"]).current_dir("/").run().ok();
    assert!(world.programs().is_empty(), "both");
}

#[test]
fn commands_at_cross_purposes_all_end_and_wedge_nothing() {
    let world = World::with(
        "dev:
  - {name: db, command: nasty alone alone-db forever}
  - {name: api, command: nasty alone alone-api forever, depends_on: [db]}
",
    );
    world.start();
    let commands = [
        &["stop", "dev"][..],
        &["start"],
        &["restart", "dev"],
        &["kill", "api"],
        &["start", "api"],
        &["stop", "db"],
        &["restart", "api"],
        &["status"],
        &["start", "-d"],
        &["stop", "--all"],
    ];
    let commands: Vec<_> = commands.iter().map(|arguments| world.forge(*arguments).spawn()).collect();
    for command in commands {
        let outcome = command.wait();
        // What loses to another wish fails, and says so; nothing hangs.
        assert!(matches!(outcome.code, Some(0 | 1)), "{outcome}");
    }
    world.start();
    for name in ["db", "api"] {
        assert_eq!(world.process(name)["status"], "running", "{name}");
        assert_eq!(world.read(&format!("alone-{name}")), "", "I1");
    }
    assert_eq!(world.programs().len(), 2, "{:#?}", world.programs());
}

/// Only root can make such a process: a program that becomes root by its set-user-ID bit, while Forge is nobody.
#[cfg(unix)]
#[test]
fn what_could_not_be_ended_is_named_and_still_shown() {
    use std::os::unix::fs::{PermissionsExt, chown};
    const NOBODY: u32 = 65534;
    let mut world = World::with(
        "dev:
  - {name: a, command: nasty forever}
  - {name: b, command: stubborn become-root forever, shutdown: {timeout: 200ms}}
",
    );
    let program = world.bin().join("stubborn");
    std::fs::copy(nasty(), &program).expect("a copy");
    let mode = std::fs::Permissions::from_mode(0o4755);
    if chown(&program, Some(0), Some(0)).and_then(|()| std::fs::set_permissions(&program, mode)).is_err() {
        return forge_tests::skip(
            "what_could_not_be_ended_is_named",
            "only root can make what nobody can end",
        );
    }
    for folder in [world.folder().to_owned(), world.workspace(), world.path(".forge")] {
        chown(folder, Some(NOBODY), Some(NOBODY)).expect("the world is given away");
    }
    let as_nobody = |arguments: &[&str]| {
        let forge = forge_tests::forge().display().to_string();
        let as_nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--", &forge];
        let arguments = as_nobody.iter().copied().chain(arguments.iter().copied());
        world.program(std::path::Path::new("setpriv"), arguments).run()
    };
    as_nobody(&["start"]).ok();
    let b =
        world.programs().into_iter().find(|process| process.command.contains("stubborn")).expect("it runs");
    let stopped = as_nobody(&["stop"]);
    stopped.code(1).says("stubborn").says(&b.pid.to_string());
    assert!(b.is_alive(), "nobody cannot end it");
    let status = as_nobody(&["status", "--json"]).json();
    let of = |name: &str| {
        status["processes"].as_array().and_then(|all| all.iter().find(|one| one["name"] == name))
    };
    let told = of("b").expect("it is shown");
    assert_eq!(told["status"], "failed", "{told:#}");
    let message = told["message"].as_str().unwrap_or_default();
    assert!(message.contains("could not be ended") && message.contains("stubborn"), "{told:#}");
    assert_eq!(told["left"][0]["pid"], b.pid, "{told:#}");
    let page = as_nobody(&["status"]);
    page.ok().prints("stubborn").prints(&b.pid.to_string());
    assert!(!page.stdout.contains("Nothing runs"), "it does: {page}");
    assert_eq!(of("a").expect("it is shown")["status"], "stopped", "{status:#}");
    b.signal(Signal::KILL);
    wait_until("it is gone", || !b.is_alive());
    as_nobody(&["stop", "--all"]).ok();
    world.expect_survivors();
}
