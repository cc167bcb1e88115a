//! What is wrong with a configuration is said with its place; what runs is left alone.

use forge_tests::World;

#[test]
fn all_errors_of_a_file_come_at_once_with_place_and_help() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty append ran a forever
    depend_on: [b]
  - name: a
    command: nasty forever
    port: 70000
  - name: c
    command: nasty forever
    depends_on: [nowhere]
    shutdown: {timeout: soon}
",
    );
    for command in ["start", "check"] {
        let outcome = world.forge([command]).run();
        outcome
            .code(2)
            .says("did you mean `depends_on`")
            .says("processes.yml:4")
            .says("70000")
            .says("nowhere");
        outcome.says("soon").says("depend_on: [b]");
    }
    assert_eq!(world.read("ran"), "", "nothing was started");
    let errors = ["start", "check", "config", "restart"].map(|command| {
        let outcome = world.forge([command, "--json"]).run();
        outcome.code(2);
        assert_eq!(outcome.error_code(), "configuration", "{outcome}");
        outcome.json()["error"].clone()
    });
    for error in &errors {
        assert_eq!(error, &errors[0], "every command tells it alike");
    }
    let diagnostics = errors[0]["details"]["diagnostics"].as_array().map_or(0, Vec::len);
    assert_eq!(diagnostics, 5, "all of them: {:#}", errors[0]);
}

#[test]
fn all_that_a_process_lacks_is_told_at_once() {
    let world = World::with(
        "dev:
  - {name: a, command: no-such-program, cwd: no-such-folder, requires: ['no-such-tool>=1', sh]}
",
    );
    for command in ["check", "start"] {
        let outcome = world.forge([command]).run();
        outcome.code(1);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        for what in ["no-such-folder", "no-such-program", "no-such-tool"] {
            assert!(said.contains(what), "{what} is named by {command}: {outcome}");
        }
    }
}

#[test]
fn a_program_that_is_too_old_is_told_with_both_versions_and_nothing_starts() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with(
        "dev:
  - {name: a, command: nasty touch ran forever, requires: ['old-tool>=2.10']}
",
    );
    let tool = world.bin().join("old-tool");
    let is_version = |version: &str| {
        std::fs::write(&tool, format!("#!/bin/sh\necho old-tool version {version}\n")).expect("a tool");
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    };
    is_version("2.9.4");
    for command in ["check", "start"] {
        let outcome = world.forge([command]).run();
        outcome.code(1);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        for what in ["`old-tool` is version 2.9.4", "2.10 or later is required", "upgrade `old-tool`"] {
            assert!(said.contains(what), "{what:?} is said by {command}: {outcome}");
        }
    }
    assert!(!world.path("ran").exists(), "it was not started");
    is_version("2.10.0");
    world.forge(["check"]).run().ok();
    world.start();
    assert_eq!(world.process("a")["status"], "running", "now it is");
}

#[test]
fn a_cycle_is_an_error_that_shows_it() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty forever, depends_on: [b]}
  - {name: b, command: nasty forever, depends_on: [c]}
  - {name: c, command: nasty forever, depends_on: [a]}
",
    );
    let outcome = world.forge(["check"]).run();
    outcome.code(2);
    for name in ["a", "b", "c"] {
        outcome.says(name);
    }
}

#[test]
fn fault_13_a_configuration_that_turns_to_garbage_or_vanishes_ends_nothing() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty forever}\n  - {name: b, command: nasty forever}\n");
    world.start();
    let before = [world.pid("a"), world.pid("b")];
    for garbage in [&b"\xff\xfe\x00 not text"[..], b"dev: [", b"", b"dev: 7\n", b"- just\n- a list\n"] {
        world.write(".forge/processes.yml", garbage);
        let started = world.forge(["start"]).run();
        started.code(2);
        let status = world.forge(["status", "--json"]).run();
        assert_eq!(status.ok().json()["processes"].as_array().map(Vec::len), Some(2), "{status}");
        assert_eq!([world.pid("a"), world.pid("b")], before, "they go on with {garbage:?}");
    }
    std::fs::remove_file(world.path(".forge/processes.yml")).expect("there is one");
    assert_eq!(
        world.forge(["status", "--json"]).run().ok().json()["processes"].as_array().map(Vec::len),
        Some(2)
    );
    world.forge(["logs", "a", "-n", "1"]).run().ok();
    world.configure("dev:\n  - {name: a, command: nasty forever}\n  - {name: b, command: nasty forever}\n");
    world.start();
    assert_eq!([world.pid("a"), world.pid("b")], before, "it is back, and nothing has changed");
}

#[test]
fn a_crash_while_the_configuration_is_broken_is_restarted_as_it_was() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty wait-for go crash-n-times count 1 forever, auto_restart: {delay: 20ms}}\n",
    );
    world.start();
    world.configure("dev: [");
    world.write("go", "");
    world.wait_process("a", "restarted", |a| a["run"] == 2 && a["status"] == "running");
}

#[test]
fn fault_23_a_workspace_that_is_deleted_can_still_be_stopped() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever, cwd: /}\n");
    world.start();
    let a = world.pid("a");
    std::fs::remove_dir_all(world.workspace()).expect("it exists");
    std::fs::create_dir(world.workspace()).expect("somewhere to stand");
    world.forge(["stop", "--all"]).run().ok();
    assert!(!a.is_alive(), "stopped");
}

#[test]
fn fault_23_what_runs_in_a_workspace_that_is_moved_is_not_run_a_second_time() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let a = world.pid("a");
    let moved = world.folder().join("moved");
    std::fs::rename(world.workspace(), &moved).expect("it moves");
    let forge = |arguments: &[&str]| {
        let mut there = vec!["-C", moved.to_str().expect("UTF-8")];
        there.extend(arguments);
        world.forge(there).current_dir("/").run()
    };
    // The next supervisor knows as much.
    for restarted in [false, true] {
        if restarted {
            world.kill_supervisor();
        }
        let started = forge(&["start"]);
        started.code(1).says("dev was started here when this folder was").says("`forge stop` ends it");
        let status = forge(&["status", "--json"]).ok().json();
        assert_eq!(status["processes"][0]["pid"], a.pid, "it is the same: {status:#}");
    }
    forge(&["stop"]).ok();
    assert!(!a.is_alive(), "stopped from where it is now");
    forge(&["start"]).ok();
    let status = forge(&["status", "--json"]).ok().json();
    assert_eq!(status["workspace"].as_str(), moved.to_str(), "it is known by its new place: {status:#}");
    forge(&["stop"]).ok();
    std::fs::create_dir(world.workspace()).expect("somewhere to stand");
}

#[test]
fn check_names_what_is_missing_and_runs_nothing() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty append ran a, health_check: nasty append ran check}
  - {name: b, command: no-such-program}
",
    );
    world.forge(["check"]).run().code(1).prints("no-such-program");
    assert_eq!(world.read("ran"), "", "nothing of the workspace was run");
    world.configure("dev:\n  - {name: a, command: nasty forever, requires: [sh]}\n");
    world.forge(["check"]).run().ok();
    let checked = world.forge(["check", "--json"]).run();
    let _document = checked.ok().json();
}

#[test]
fn a_missing_env_file_hides_nothing_else_that_is_missing() {
    let world = World::with(
        "dev:
  - {name: a, command: no-such-program, env_file: no-such.env}
  - {name: b, command: nasty forever, cwd: no-such-folder}
",
    );
    for command in ["check", "start"] {
        let outcome = world.forge([command]).run();
        outcome.code(2);
        let text = format!("{}{}", outcome.stdout, outcome.stderr);
        for missing in ["no-such.env", "no-such-program", "no-such-folder"] {
            assert!(text.contains(missing), "{command} does not name {missing}: {outcome}");
        }
        let outcome = world.forge([command, "--json"]).run();
        outcome.code(2);
        assert_eq!(outcome.error_code(), "configuration", "{outcome}");
        let problems = &outcome.json()["error"]["details"]["problems"];
        assert_eq!(problems.as_array().map(Vec::len), Some(2), "{outcome}");
    }
}

#[test]
fn config_shows_values_with_their_origins_and_masks_secrets() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty forever
    env_file: secrets.env
    env: {PLAIN: visible}
",
    );
    world.write("secrets.env", "API_TOKEN=hunter2\nDB_PASSWORD=swordfish\n");
    for arguments in [&["config"][..], &["config", "--json"], &["config", "dev"]] {
        let shown = world.forge(arguments).run();
        shown.ok().prints("visible").prints("API_TOKEN").prints("secrets.env");
        for secret in ["hunter2", "swordfish"] {
            assert!(
                !shown.stdout.contains(secret) && !shown.stderr.contains(secret),
                "{secret} is shown: {shown}"
            );
        }
    }
    let _document = world.forge(["config", "--json"]).run().json();
}

#[test]
fn anchors_and_extension_keys_have_a_home() {
    let world = World::with(
        "x-common: &common
  auto_restart: false
  env: {SHARED: 'yes'}
dev:
  - name: a
    <<: *common
    command: nasty env SHARED forever
",
    );
    world.start();
    world.wait_line("a", r#"{"SHARED":"yes"}"#);
}

#[test]
fn the_other_extension_is_accepted() {
    let world = World::new();
    world.write(".forge/processes.yaml", "dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
}
