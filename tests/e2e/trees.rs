//! Trees that are hard to end, and what outlives its main process.

use forge_tests::{FakeDocker, Signal, World, wait_until};

/// Starts one process, waits until its tree has `size` programs, stops it: nothing may be left.
fn is_ended_whole(command: &str, size: usize) {
    let world =
        World::with(&format!("dev:\n  - {{name: a, command: '{command}', shutdown: {{timeout: 500ms}}}}\n"));
    world.start();
    wait_until("the tree has grown", || world.programs().len() >= size);
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "left: {:#?}", world.programs());
}

#[test]
fn fault_17_a_daemonised_grandchild_is_ended() {
    is_ended_whole("nasty double-fork begin forever end forever", 2);
}

#[test]
fn fault_17_a_grandchild_in_a_session_of_its_own_is_ended() {
    is_ended_whole("nasty setsid begin spawn begin forever end forever end forever", 3);
}

#[test]
fn fault_17_a_deaf_daemon_is_ended() {
    is_ended_whole("nasty double-fork begin ignore TERM forever end forever", 2);
}

#[test]
fn fault_17_a_parent_that_respawns_its_child_is_ended() {
    is_ended_whole("nasty ignore TERM respawn begin ignore TERM forever end", 2);
}

#[test]
fn fault_17_what_daemonises_on_sigterm_is_ended() {
    is_ended_whole("nasty daemonise-on-term begin ignore TERM forever end", 1);
}

#[test]
fn fault_17_a_fork_bomb_is_ended() {
    is_ended_whole("nasty fork-bomb 30", 30);
}

#[test]
fn fault_17_what_forks_all_the_time_is_ended() {
    is_ended_whole("nasty ignore TERM respawn begin sleep 1 end", 1);
}

#[test]
fn a_shell_whose_child_stays_is_ended_with_it() {
    // As `npm run` does: the shell waits for the program and has no reason to pass a signal on.
    is_ended_whole("nasty forever; echo never", 1);
}

#[test]
fn what_outlives_its_main_process_is_ended_before_a_restart() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty setsid begin append ran child forever end wait-for ran sleep 50 exit 1
    auto_restart: {delay: 100ms, max_crashes: 3}
",
    );
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("a", "failed");
    // Every crash left a child behind; each was ended before the next run.
    assert!(world.programs().len() <= 1, "I1: {:#?}", world.programs());
    assert_eq!(world.process("a")["run"], 3, "as many runs as are allowed");
}

#[test]
fn what_outlives_a_good_end_is_ended_or_named() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty setsid begin forever end print done exit 0}\n");
    world.forge(["start", "-d"]).run().ok();
    world.wait_process("a", "its main process has ended", |a| a["exit_code"] == 0);
    world.forge(["stop", "a"]).run().ok();
    assert!(world.programs().is_empty(), "nothing outlives a stop: {:#?}", world.programs());
}

#[test]
fn a_daemon_runs_for_as_long_as_its_tree() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - name: pg
    command: nasty double-fork begin append pid %p listen {port} end print started exit 0
    daemon: true
    port: {port}
    auto_restart: false
"
    ));
    world.start();
    let pg = world.process("pg");
    assert_eq!(pg["status"], "running", "{pg:#}");
    assert_eq!(pg["ready"], true, "{pg:#}");
    assert_eq!(pg["ports"], serde_json::json!([port]), "{pg:#}");
    let service = world.programs();
    assert_eq!(service.len(), 1, "the service, without its launcher");
    world.forge(["stop"]).run().ok();
    assert!(!service[0].is_alive(), "stopped");
}

#[test]
fn the_end_of_a_daemons_tree_is_its_end() {
    let world = World::with(
        "dev:
  - {name: pg, command: nasty double-fork begin forever end exit 0, daemon: true, auto_restart: false}
",
    );
    world.start();
    world.wait_status("pg", "running");
    for process in world.programs() {
        process.signal(Signal::KILL);
    }
    let pg = world.wait_process("pg", "it has ended", |pg| pg["status"] != "running");
    assert_eq!(pg["status"], "crashed", "{pg:#}");
    assert_eq!(pg["signal"], "SIGKILL", "how the service itself ended: {pg:#}");
    assert_eq!(pg["health"]["state"], "none", "{pg:#}");
}

#[test]
fn a_daemon_that_was_ended_by_its_own_tool_has_exited() {
    let world = World::with(
        "dev:
  - {name: pg, command: nasty double-fork begin wait-for go exit 0 end exit 0, daemon: true}
",
    );
    world.start();
    world.wait_status("pg", "running");
    world.write("go", "");
    let pg = world.wait_process("pg", "it has ended", |pg| pg["status"] != "running");
    assert_eq!(pg["status"], "exited", "{pg:#}");
    assert_eq!(pg["exit_code"], 0, "{pg:#}");
}

#[test]
fn a_daemon_whose_launcher_fails_has_crashed() {
    let world = World::with(
        "dev:\n  - {name: pg, command: nasty eprint 'bad data folder' exit 2, daemon: true, auto_restart: false}\n",
    );
    world.forge(["start"]).run().code(1).says("bad data folder");
    assert_eq!(world.process("pg")["exit_code"], 2, "its launcher's");
}

#[test]
fn a_container_is_held_and_stopped_with_its_client() {
    let mut world = World::with(
        "dev:
  - {name: db, command: docker run --rm -p 5432:5432 postgres:15 print 'database up' forever}
",
    );
    let docker = FakeDocker::new(&mut world);
    world.start();
    wait_until("the container runs", || docker.containers().len() == 1);
    world.wait_line("db", "database up");
    world.forge(["stop"]).run().ok();
    assert!(docker.containers().is_empty(), "calls of docker:\n{}", docker.calls());
    assert!(world.programs().is_empty(), "the client neither");
}

#[test]
fn a_container_that_ignores_sigterm_is_not_left_by_a_stop() {
    let mut world = World::with(
        "dev:
  - name: db
    command: docker run --rm postgres:15 ignore TERM print up forever
    shutdown: {timeout: 1s}
",
    );
    let docker = FakeDocker::new(&mut world);
    world.start();
    world.wait_line("db", "up");
    world.forge(["stop"]).run().ok();
    assert!(docker.containers().is_empty(), "calls of docker:\n{}", docker.calls());
}

#[test]
fn killing_the_client_does_not_leave_its_container() {
    let mut world = World::with(
        "dev:
  - {name: db, command: docker run --rm postgres:15 print up forever, auto_restart: {delay: 100ms}}
",
    );
    let docker = FakeDocker::new(&mut world);
    world.start();
    world.wait_line("db", "up");
    let first = docker.containers();
    world.pid("db").signal(Signal::KILL);
    world.wait_process("db", "restarted", |db| db["run"] == 2 && db["status"] == "running");
    wait_until("the old container is ended, a new one runs", || {
        let now = docker.containers();
        now.len() == 1 && now != first
    });
    world.forge(["kill", "db"]).run().ok();
    wait_until("force ends the container too", || docker.containers().is_empty());
}

#[test]
fn a_composition_is_stopped_by_its_own_client() {
    let mut world = World::with("dev:\n  - {name: stack, command: docker compose up}\n");
    let docker = FakeDocker::new(&mut world);
    world.start();
    world.wait_line("stack", "compose is up");
    world.forge(["stop"]).run().ok();
    assert!(docker.containers().is_empty(), "calls of docker:\n{}", docker.calls());
}

#[test]
fn a_daemons_pid_is_alive_and_takes_signals() {
    let world = World::with(
        "dev:
  - {name: pg, command: nasty double-fork begin report USR1 forever end exit 0, daemon: true}
",
    );
    world.start();
    world.wait_process("pg", "the command has returned", |pg| {
        let pid = pg["pid"].as_u64().unwrap_or_default();
        std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains("report"))
            && pg["ready"] == true
    });
    wait_until("a signal arrives", || {
        world.forge(["signal", "pg", "USR1"]).run().ok();
        world.forge(["logs", "pg"]).run().stdout.contains("USR1")
    });
}
