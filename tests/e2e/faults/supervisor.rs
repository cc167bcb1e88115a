//! The supervisor is killed, and is there twice.

use std::time::Instant;

use forge_tests::{DEADLINE, Process, Signal, Value, World, assert_sequence, wait_until};

/// The programs of Forge's that are supervisors, whether they answer or not.
fn supervisors(world: &World) -> Vec<Process> {
    let mut all = world.alive();
    all.retain(|process| process.variable("FORGE_RUN").is_none() && process.command.contains(" serve"));
    all
}

type Seen = fn(&World) -> bool;

/// What can be seen on disk of a start under way: the steps at each of which the supervisor is killed.
const STEPS: &[(&str, Seen)] = &[
    ("the first run folder is there", |world| !world.run_folders().is_empty()),
    ("the first keeper has its run", |world| recorded(world, "a", "keeper")),
    ("the first command runs", |world| recorded(world, "a", "started")),
    ("the second run folder is there", |world| has_run(world, "b")),
    ("the second command runs", |world| recorded(world, "b", "started")),
    ("the second is about to be healthy", |world| world.path("up").exists()),
    ("the third run folder is there", |world| has_run(world, "c")),
    ("the third command runs", |world| recorded(world, "c", "started")),
];

fn has_run(world: &World, process: &str) -> bool {
    events_of(world, process).is_some()
}

/// What the newest run of a process has recorded; `None` without a run.
fn events_of(world: &World, process: &str) -> Option<String> {
    let folder = world.run_folders().into_iter().find(|folder| {
        let spec = std::fs::read(folder.join("spec.json")).unwrap_or_default();
        serde_json::from_slice::<Value>(&spec).is_ok_and(|spec| spec["process"] == process)
    })?;
    Some(std::fs::read_to_string(folder.join("events")).unwrap_or_default())
}

fn recorded(world: &World, process: &str, event: &str) -> bool {
    events_of(world, process).is_some_and(|events| events.contains(&format!("\"event\":\"{event}\"")))
}

/// Whatever the moment, there are never two trees of one process, and the next start gets all of them ready.
fn killed_once(world: &World, what: &str, step: impl Fn(&World) -> bool) {
    let start = world.forge(["start"]).spawn();
    let deadline = Instant::now() + DEADLINE;
    while !step(world) {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        // As close behind the step as can be.
        std::thread::yield_now();
    }
    for supervisor in supervisors(world) {
        supervisor.signal(Signal::KILL);
        wait_until("it dies", || !supervisor.is_alive());
    }
    let _either = start.wait();
    world.start();
    let status = world.status();
    assert_eq!(status["ready"], true, "killed when {what}: {status:#}");
    for name in ["a", "b", "c"] {
        assert_eq!(world.read(&format!("alone-{name}")), "", "I1, killed when {what}");
        let told = world.pid(name);
        assert!(told.command.contains(&format!("alone-{name}")), "{told:?}");
    }
    let programs = world.programs();
    assert_eq!(programs.len(), 3, "killed when {what}: {programs:#?}");
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "killed when {what}: {:#?}", world.programs());
    std::fs::remove_file(world.path("up")).expect("as it was before");
    wait_until("the run folders are cleared", || world.run_folders().is_empty());
}

fn three_in_a_row() -> World {
    World::with(
        "dev:
  - {name: a, command: nasty alone alone-a forever}
  - {name: b, command: nasty alone alone-b sleep 30 touch up forever, health_check: test -e up, depends_on: [a]}
  - {name: c, command: nasty alone alone-c forever, depends_on: [b]}
",
    )
}

#[test]
fn fault_01_the_supervisor_is_killed_at_each_step_of_a_first_start() {
    let world = three_in_a_row();
    for (what, step) in STEPS {
        for supervisor in supervisors(&world) {
            supervisor.signal(Signal::KILL);
            wait_until("it dies", || !supervisor.is_alive());
        }
        killed_once(&world, what, step);
    }
}

#[test]
fn fault_01_a_running_supervisor_is_killed_at_each_step_of_a_start() {
    let world = three_in_a_row();
    for (what, step) in STEPS {
        let _status = world.status();
        killed_once(&world, what, step);
    }
}

#[test]
fn fault_02_ten_processes_at_full_speed_lose_no_line_when_the_supervisor_is_killed() {
    const LINES: u64 = 60_000;
    let world = World::new();
    let processes: String = (0..10)
        .map(|n| {
            format!("  - {{name: p{n}, command: nasty wait-for go count {LINES} touch done-{n} forever}}\n")
        })
        .collect();
    world.configure(&format!("dev:\n{processes}"));
    world.start();
    let before: Vec<Process> = (0..10).map(|n| world.pid(&format!("p{n}"))).collect();
    let supervisor = world.wait_supervisor();
    let stored = || -> u64 {
        let segments = std::fs::read_dir(world.log_folder("dev", "p0")).expect("its segments");
        segments.flatten().filter_map(|segment| segment.metadata().ok()).map(|of| of.len()).sum()
    };
    let begin = stored();
    world.write("go", "");
    wait_until("lines are stored", || stored() > begin);
    supervisor.signal(Signal::KILL);
    let done: Vec<u32> = (0..10).filter(|n| world.path(&format!("done-{n}")).exists()).collect();
    assert!(done.is_empty(), "they write while the supervisor is killed, but {done:?} are done");
    wait_until("the supervisor dies", || !supervisor.is_alive());
    for round in 0..3 {
        if round > 0 {
            world.kill_supervisor();
        }
        let after: Vec<Process> = (0..10).map(|n| world.pid(&format!("p{n}"))).collect();
        assert_eq!(after, before, "the same processes");
    }
    for n in 0..10 {
        wait_until("all is written", || world.path(&format!("done-{n}")).exists());
        let name = format!("p{n}");
        wait_until("all is stored", || {
            world.lines(&name).iter().filter(|line| line.stream == "stdout").count() as u64 >= LINES
        });
        assert_sequence(&world.lines(&name), "line", 0..LINES);
    }
    assert!(before.iter().all(Process::is_alive), "none died");
}

#[test]
fn fault_02_a_command_right_behind_the_kill_finds_the_next_supervisor() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let a = world.pid("a");
    for _ in 0..10 {
        // Nobody waits for its end: the command may still reach the one that is dying.
        world.wait_supervisor().signal(Signal::KILL);
        assert_eq!(world.pid("a"), a, "the same process");
    }
}

#[test]
fn fault_06_an_exit_that_was_told_a_moment_ago_is_known_to_the_next_supervisor() {
    let world = World::with("dev:\n  - {name: a, command: nasty append runs x wait-for go exit 0}\n");
    for round in 1..=5 {
        world.forge(["start", "-d"]).run().ok();
        world.wait_status("a", "running");
        let keeper = world.keeper("a");
        world.write("go", "");
        world.wait_status("a", "exited");
        wait_until("its keeper has ended", || !keeper.is_alive());
        world.kill_supervisor();
        let a = world.process("a");
        assert_eq!((&a["status"], &a["run"]), (&"exited".into(), &round.into()), "not begun again: {a:#}");
        std::fs::remove_file(world.path("go")).expect("its word");
    }
    assert_eq!(world.read("runs").lines().count(), 5, "one run a start");
}

#[test]
fn fault_06_an_exit_without_a_supervisor_is_known_with_its_code_and_time() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty wait-for go exit 42, auto_restart: false}
  - {name: b, command: nasty wait-for go signal-self USR1, auto_restart: false}
  - {name: c, command: nasty forever}
",
    );
    world.start();
    let [a, b, c] = ["a", "b", "c"].map(|name| world.pid(name));
    world.kill_supervisor();
    // No other supervisor can come before the ends are past.
    let lock = std::fs::File::open(world.state().join("supervisor.lock")).expect("the lock");
    lock.lock().expect("nobody has it");
    let before = jiff::Timestamp::now();
    world.write("go", "");
    wait_until("both have ended", || !a.is_alive() && !b.is_alive());
    let after = jiff::Timestamp::now();
    let a_while_later = after + jiff::SignedDuration::from_millis(1500);
    wait_until("that is a while ago", || jiff::Timestamp::now() > a_while_later);
    drop(lock);
    // Keepers whose process ends start a supervisor; where that came too early, the next command does.
    let a = world.wait_status("a", "crashed");
    assert_eq!(a["exit_code"], 42, "{a:#}");
    let b = world.wait_status("b", "crashed");
    assert_eq!(b["signal"], "SIGUSR1", "{b:#}");
    assert_eq!(world.pid("c"), c, "the third goes on");
    let status = world.status();
    for name in ["a", "b"] {
        let events = status["events"].as_array().expect("a list");
        let end = events.iter().find(|event| event["process"] == name && event["level"] != "info");
        let time = end.and_then(|event| event["time"].as_str()?.parse::<jiff::Timestamp>().ok());
        let time = time.unwrap_or_else(|| panic!("the end of {name} is an event: {events:#?}"));
        // Events are told to the millisecond.
        let earliest = before - jiff::SignedDuration::from_millis(1);
        assert!((earliest..=after).contains(&time), "{name} ended at {time}, between {before} and {after}");
    }
}

#[test]
fn fault_06_what_is_wanted_is_restarted_by_the_next_supervisor() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty append ran x wait-for go crash-n-times count 1 forever, auto_restart: {delay: 10ms}}
",
    );
    world.start();
    world.kill_supervisor();
    world.write("go", "");
    world.wait_supervisor();
    let a = world.wait_process("a", "restarted", |a| a["run"] == 2 && a["status"] == "running");
    assert_eq!(a["restarts"], 1, "I6: {a:#}");
    world.wait_file("ran", "x\nx\n");
}

#[test]
fn what_was_stopped_stays_stopped_after_the_supervisors_death() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty forever}\n  - {name: b, command: nasty forever}\n");
    world.start();
    world.forge(["stop", "a"]).run().ok();
    world.kill_supervisor();
    for _ in 0..3 {
        let a = world.process("a");
        assert_eq!(a["status"], "stopped", "as the user wanted it: {a:#}");
    }
    assert_eq!(world.process("b")["status"], "running", "as the user wanted it");
}

#[test]
fn a_start_under_way_goes_on_in_the_next_supervisor() {
    let world = World::with(
        "dev:
  - {name: slow, command: nasty wait-for go forever, health_check: test -e go}
  - {name: later, command: nasty forever, depends_on: [slow]}
",
    );
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("later", "waiting");
    world.wait_process("slow", "has a PID", |slow| slow["pid"].is_number());
    world.kill_supervisor();
    world.wait_status("later", "waiting");
    world.write("go", "");
    world.wait_status("later", "running");
}

#[test]
fn a_stop_under_way_goes_on_in_the_next_supervisor() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty ignore TERM print up forever, shutdown: {timeout: 2s}}\n",
    );
    world.start();
    world.wait_line("a", "up");
    let stop = world.forge(["stop", "a"]).spawn();
    world.wait_status("a", "stopping");
    world.kill_supervisor();
    let _either = stop.wait();
    world.wait_status("a", "stopped");
    assert!(world.programs().is_empty(), "it was not forgotten");
}

#[test]
fn events_survive_the_supervisor() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty exit 3, auto_restart: false}\n  - {name: b, command: nasty forever}\n",
    );
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("a", "crashed");
    let has_crash = |status: &forge_tests::Value| {
        status["events"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["process"] == "a" && one["level"] == "error"))
    };
    wait_until("the crash is an event", || has_crash(&world.status()));
    world.kill_supervisor();
    let status = world.status();
    assert!(has_crash(&status), "{:#}", status["events"]);
    assert_eq!(world.process("a")["exit_code"], 3, "the last end too");
}

#[test]
fn fault_21_commands_that_start_a_supervisor_at_once_get_one() {
    let world = World::with("dev:\n  - {name: a, command: nasty alone only forever}\n");
    let commands: Vec<_> =
        (0..8).map(|n| world.forge([if n % 2 == 0 { "status" } else { "start" }]).spawn()).collect();
    for command in commands {
        command.wait().ok();
    }
    wait_until("one supervisor", || supervisors(&world).len() == 1);
    assert_eq!(world.read("only"), "", "one process");
    assert_eq!(world.programs().len(), 1, "one process");
}

#[test]
fn fault_21_a_second_foreground_supervisor_is_refused() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    let first = world.forge(["serve"]).spawn();
    world.wait_supervisor();
    world.start();
    let a = world.pid("a");
    let second = world.forge(["serve"]).run();
    second.code(1).says(&first.pid().to_string());
    assert_eq!(world.wait_supervisor().pid, first.pid(), "the first goes on");
    assert_eq!(world.pid("a"), a, "so does its process");
    first.signal(Signal::TERM);
    let first = first.wait();
    first.ok();
    assert!(a.is_alive(), "the process runs on");
    assert!(format!("{}{}", first.stdout, first.stderr).contains("running"), "it says so: {first}");
    assert_eq!(world.pid("a"), a, "and is adopted");
}

#[test]
fn a_foreground_supervisor_takes_over_from_a_background_one() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty count 5000 forever}\n  - {name: t, command: nasty prompt forever, tty: true}\n",
    );
    world.start();
    let before = [world.pid("a"), world.pid("t")];
    let background = world.wait_supervisor();
    let serve = world.forge(["serve"]).spawn();
    wait_until("the foreground one answers", || world.supervisor().is_some_and(|one| one.pid == serve.pid()));
    wait_until("the background one is gone", || !background.is_alive());
    assert_eq!([world.pid("a"), world.pid("t")], before, "no process notices");
    assert_sequence(&world.lines("a"), "line", 0..5000);
    world.forge(["send", "t", "Ann"]).run().ok();
    world.wait_line("t", "hello Ann\r");
    serve.signal(Signal::INT);
    let _code = serve.wait();
    assert_eq!([world.pid("a"), world.pid("t")], before, "nor when that one leaves");
}

#[test]
fn an_interrupt_of_a_start_that_lost_its_supervisor_still_ends() {
    let world = World::with("dev:\n  - {name: slow, command: nasty forever, health_check: 'false'}\n");
    let start = world.forge(["start"]).spawn();
    world.wait_supervisor();
    world.wait_process("slow", "has a PID", |slow| slow["pid"].is_number());
    world.kill_supervisor();
    let outcome = start.wait();
    assert!(matches!(outcome.code, Some(1 | 4)), "it says that it lost its supervisor: {outcome}");
}

#[test]
fn what_was_ready_is_ready_for_the_next_supervisor_too() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - {{name: a, command: nasty listen {port} forever, port: {port}}}
  - {{name: b, command: nasty forever, health_check: {{exec: test ! -e slow, interval: 50ms, timeout: 30s}}}}
"
    ));
    world.start();
    let written = |name: &str| {
        let files = std::fs::read_dir(world.state().join("environments")).into_iter().flatten().flatten();
        // Beside the file is the one before it.
        let paths =
            files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|of| of == "state"));
        let texts = paths.filter_map(|path| std::fs::read_to_string(path).ok());
        let states = texts.filter_map(|text| serde_json::from_str::<Value>(text.split_once('\n')?.1).ok());
        let mut readiness = states.map(|state| state["processes"][name]["readiness"].clone());
        readiness.find(|readiness| readiness.is_object()).unwrap_or_default()
    };
    wait_until("a's port is written down", || written("a")["holds_ports"] == true);
    wait_until("b's health is written down", || written("b")["health"]["state"] == "healthy");
    world.kill_supervisor();
    let status = world.status();
    assert_eq!(status["ready"], true, "nothing of it has changed: {status:#}");
}
