//! What a process sees: variables, folders, interpolation.

use forge_tests::{World, wait_until};

#[test]
fn the_callers_variables_reach_the_process() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty env CALLER FORGE_RUN GONE forever, env: {GONE: null}}\n",
    );
    world.forge(["start"]).env("CALLER", "with spaces and ü").env("GONE", "no").run().ok();
    world.wait_line("a", r#"{"CALLER":"with spaces and ü"}"#);
    world.wait_line("a", r#"{"GONE":null}"#);
    wait_until("the run's mark", || {
        world.lines("a").iter().any(|line| line.text().starts_with(r#"{"FORGE_RUN":""#))
    });
}

#[test]
fn the_callers_variables_are_recorded_with_the_run() {
    // The supervisor dies, another restarts the process: it has what the caller had, not what the second one has.
    let world = World::with(
        "dev:\n  - {name: a, command: nasty env CALLER wait-for go exit 1, auto_restart: {delay: 10ms, max_crashes: 2}}\n",
    );
    world.forge(["start"]).env("CALLER", "first").run().ok();
    world.kill_supervisor();
    world.forge(["status"]).env("CALLER", "second").run().ok();
    world.write("go", "");
    world.wait_status("a", "failed");
    let seen = world.lines("a").iter().filter(|line| line.text() == r#"{"CALLER":"first"}"#).count();
    assert_eq!(seen, 2, "both runs");
}

#[test]
fn env_files_env_and_the_workspace_have_their_order() {
    let world = World::with(
        "dev:
  env: {LAYER: environment, ENVIRONMENT: yes it is}
  env_file: common.env
  processes:
    - name: a
      command: nasty env LAYER ENVIRONMENT FILE COMMON OWN QUOTED forever
      env_file: [own.env]
      env: {OWN: process}
",
    );
    world.write("common.env", "COMMON=common\nFILE=common\n");
    world.write("own.env", "# a comment\nexport FILE=own\nQUOTED=\"two\\nlines\"\nOWN=file\n");
    world.start();
    for line in [
        r#"{"COMMON":"common"}"#,
        r#"{"ENVIRONMENT":"yes it is"}"#,
        r#"{"FILE":"own"}"#,
        r#"{"LAYER":"environment"}"#,
        r#"{"OWN":"process"}"#,
        r#"{"QUOTED":"two\nlines"}"#,
    ] {
        world.wait_line("a", line);
    }
}

#[test]
fn env_files_are_read_again_at_every_start() {
    let world = World::with("dev:\n  - {name: a, command: nasty env TOKEN forever, env_file: my.env}\n");
    world.write("my.env", "TOKEN=one\n");
    world.start();
    world.wait_line("a", r#"{"TOKEN":"one"}"#);
    world.write("my.env", "TOKEN=two\n");
    world.forge(["restart", "a"]).run().ok();
    world.wait_line("a", r#"{"TOKEN":"two"}"#);
}

#[test]
fn a_changed_env_file_makes_a_process_out_of_date() {
    let world = World::with("dev:\n  - {name: a, command: nasty env TOKEN forever, env_file: my.env}\n");
    world.write("my.env", "TOKEN=one\n");
    world.start();
    let before = world.pid("a");
    world.write("my.env", "TOKEN=two\n");
    world.start();
    assert_ne!(world.pid("a"), before, "start applies what changed");
    world.wait_line("a", r#"{"TOKEN":"two"}"#);
}

#[test]
fn the_first_port_is_in_port() {
    let world = World::new();
    let [a, b] = [world.free_port(), world.free_port()];
    world.configure(&format!(
        "dev:
  - {{name: one, command: nasty env PORT listen env, ports: [{a}]}}
  - {{name: two, command: nasty env PORT listen {b}, port: {b}, env: {{PORT: '1'}}}}
"
    ));
    world.start();
    world.wait_line("one", &format!(r#"{{"PORT":"{a}"}}"#));
    world.wait_line("two", r#"{"PORT":"1"}"#);
}

#[test]
fn strings_are_interpolated_and_commands_are_the_shells() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - {{name: backend, command: nasty listen {port}, port: {port}}}
  - name: web
    command: nasty print \"shell $$ sees ${{SET}} at ${{backend.url}}\" env A B C D URL forever
    env:
      SET: from env
      A: ${{FROM_DOTENV}}
      B: ${{UNSET:-default}}
      C: $${{literal}}
      D: ${{CALLER}}
      URL: http://${{backend.host}}:${{backend.port}}/
"
    ));
    world.write(".env", "FROM_DOTENV=dotenv\n");
    world.forge(["start"]).env("CALLER", "caller").run().ok();
    for line in [
        r#"{"A":"dotenv"}"#.to_owned(),
        r#"{"B":"default"}"#.to_owned(),
        r#"{"C":"${literal}"}"#.to_owned(),
        r#"{"D":"caller"}"#.to_owned(),
        format!(r#"{{"URL":"http://localhost:{port}/"}}"#),
    ] {
        world.wait_line("web", &line);
    }
    let end = format!("sees from env at http://localhost:{port}");
    wait_until("the command is filled by shell and Forge", || {
        world.lines("web").iter().any(|line| {
            let text = line.text();
            // `$$` is the shell's own PID.
            text.strip_prefix("shell ")
                .and_then(|rest| rest.strip_suffix(&end))
                .is_some_and(|pid| pid.trim().parse::<u32>().is_ok())
        })
    });
}

#[test]
fn a_variable_that_must_be_set_is_an_error_with_its_message() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty forever, env: {KEY: '${NOT_SET:?get one from Ann}'}}\n",
    );
    let started = world.forge(["start"]).run();
    started.says("get one from Ann");
    assert!(matches!(started.code, Some(1 | 2)), "{started}");
    assert!(world.programs().is_empty(), "nothing runs");
}

#[test]
fn cwd_is_against_the_workspace() {
    let world = World::with("dev:\n  - {name: a, command: nasty cwd forever, cwd: ./sub}\n");
    world.write("sub/file", "");
    world.start();
    let folder = world.path("sub").canonicalize().expect("it exists");
    world.wait_line("a", folder.to_str().expect("UTF-8"));
}

#[test]
fn a_process_inherits_no_descriptor_and_no_signal_mask() {
    let world = World::with(
        "dev:\n  - {name: a, command: 'ls -l /proc/self/fd; cat /proc/self/status; nasty print end forever'}\n",
    );
    world.start();
    world.wait_line("a", "end");
    let lines: Vec<String> = world.lines("a").iter().map(forge_tests::Line::text).collect();
    let descriptors = lines.iter().filter(|line| line.contains(" -> ")).count();
    assert_eq!(descriptors, 4, "0, 1, 2 and the one by which ls reads the folder: {lines:#?}");
    let masks = |name| lines.iter().find_map(|line| u64::from_str_radix(line.strip_prefix(name)?, 16).ok());
    assert_eq!(masks("SigBlk:\t"), Some(0), "no signal is blocked: {lines:#?}");
    // glibc's posix_spawn leaves its own two signals, 32 and 33, ignored.
    let ignored = masks("SigIgn:\t").map(|mask| mask & !(3 << 31));
    assert_eq!(ignored, Some(0), "no signal is ignored: {lines:#?}");
}

#[test]
fn run_gives_one_command_the_environments_variables() {
    let world = World::with(
        "dev:\n  env: {MODE: development}\n  processes:\n    - {name: a, command: nasty forever}\n",
    );
    world
        .forge(["run", "--", "nasty", "env", "MODE", "exit", "5"])
        .run()
        .code(5)
        .prints(r#"{"MODE":"development"}"#);
    world.forge(["run", "--env", "dev", "--", "nasty", "print", "-v"]).run().ok().prints("-v");
    world.forge(["run", "--env", "nope", "--", "nasty"]).run().code(3);
}
