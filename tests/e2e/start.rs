//! `forge start`.

use forge_tests::{Process, Running, Signal, World, wait_until};

#[test]
fn everything_is_started_dependencies_first_and_is_ready_when_the_command_returns() {
    let world = World::new();
    let [db, api] = [world.free_port(), world.free_port()];
    world.configure(&format!(
        "dev:
  - name: web
    command: nasty append order web forever
    depends_on: [api]
  - name: api
    command: nasty append order api listen {api} --http 200
    port: {api}
    health_check: http://127.0.0.1:{api}/health
    depends_on: [db]
  - name: db
    command: nasty append order db listen {db} --after 200
    port: {db}
"
    ));
    let started = world.forge(["start"]).run();
    started.ok();
    world.wait_file("order", "db\napi\nweb\n");
    let status = world.status();
    assert_eq!(status["ready"], true, "{status:#}");
    assert_eq!(status["environment"], "dev", "{status:#}");
    assert_eq!(status["supervisor"]["host"], "serve", "{status:#}");
    let names: Vec<_> =
        status["processes"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["web", "api", "db"], "in the configuration's order");
    for process in status["processes"].as_array().expect("a list") {
        assert_eq!(process["status"], "running", "{process:#}");
        assert_eq!(process["ready"], true, "{process:#}");
        assert_eq!(process["restarts"], 0, "{process:#}");
        assert!(process["exit_code"].is_null() && process["signal"].is_null(), "{process:#}");
        assert!(process["cpu_percent"].is_null() || process["cpu_percent"].is_number(), "{process:#}");
    }
    assert_eq!(status["processes"][2]["ports"], serde_json::json!([db]), "what db listens on");
    let health = &status["processes"][1]["health"];
    assert_eq!(health["state"], "healthy", "{health}");
    assert_eq!(health["message"], "HTTP 200 from /health", "{health}");
}

#[test]
fn the_table_names_every_process_and_the_url_to_open() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - name: web
    command: nasty listen {port} --http 200
    port: {port}
    health_check: http://127.0.0.1:{port}/
  - name: worker
    command: nasty forever
"
    ));
    let started = world.forge(["start"]).run();
    started.ok().prints("web").prints("worker").prints(&port.to_string());
    assert!(started.stdout.contains(&format!("http://localhost:{port}")), "the URL to open: {started}");
    assert!(!started.stdout.contains('\x1b'), "no colour where there is no terminal: {started}");
    let pid = world.pid("web").pid;
    assert!(started.stdout.contains(&pid.to_string()), "the PID {pid} is in the table: {started}");
}

#[test]
fn processes_without_dependencies_start_at_the_same_time() {
    // Each waits for the other: started one after the other's readiness, neither would ever listen.
    let world = World::new();
    let [a, b] = [world.free_port(), world.free_port()];
    world.configure(&format!(
        "dev:
  - {{name: a, command: nasty touch a wait-for b listen {a}, port: {a}}}
  - {{name: b, command: nasty touch b wait-for a listen {b}, port: {b}}}
"
    ));
    world.start();
}

#[test]
fn a_process_named_alone_brings_its_dependencies_and_nothing_else() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty forever}
  - {name: b, command: nasty forever, depends_on: [a]}
  - {name: c, command: nasty forever, depends_on: [b]}
",
    );
    world.forge(["start", "b"]).run().ok();
    for (name, status) in [("a", "running"), ("b", "running"), ("c", "stopped")] {
        assert_eq!(world.process(name)["status"], status, "{name}");
    }
}

#[test]
fn a_dependent_says_what_it_waits_for() {
    let world = World::with(
        "dev:
  - {name: slow, command: nasty wait-for go forever, health_check: test -e go}
  - {name: fast, command: nasty forever, depends_on: [slow]}
",
    );
    world.forge(["start", "-d"]).run().ok();
    let fast = world.wait_status("fast", "waiting");
    assert_eq!(fast["waiting_on"], serde_json::json!(["slow"]), "{fast:#}");
    assert!(fast["pid"].is_null(), "{fast:#}");
    let slow = world.process("slow");
    assert_eq!(slow["ready"], false, "{slow:#}");
    world.write("go", "");
    let fast = world.wait_status("fast", "running");
    assert_eq!(fast["waiting_on"], serde_json::json!([]), "{fast:#}");
}

#[test]
fn a_dependency_that_never_gets_healthy_is_named_with_its_last_output() {
    let world = World::with(
        "dev:
  - name: db
    command: nasty print 'cannot open the disk' forever
    health_check: {exec: 'false', start_period: 300ms, start_interval: 50ms, interval: 50ms, retries: 2}
  - {name: api, command: nasty forever, depends_on: [db]}
  - {name: web, command: nasty forever, depends_on: [api]}
",
    );
    let started = world.forge(["start", "--timeout", "30s"]).run();
    started.code(1).says("db").says("cannot open the disk").says("api");
    let api = world.process("api");
    assert_eq!(api["waiting_on"], serde_json::json!(["db"]), "{api:#}");
    assert_eq!(world.process("db")["health"]["state"], "unhealthy", "it is shown, and not ended");
    assert!(world.pid("db").is_alive(), "unhealthy ends nothing");
}

#[test]
fn a_dependency_that_crashes_for_good_ends_the_start_with_its_last_output() {
    let world = World::with(
        "dev:
  - {name: db, command: nasty print 'panic - no disk' exit 3, auto_restart: false, port: 1}
  - {name: api, command: nasty forever, depends_on: [db]}
",
    );
    let started = world.forge(["start"]).run();
    started.code(1).says("db").says("panic - no disk").says("3");
    let db = world.process("db");
    assert_eq!(db["exit_code"], 3, "{db:#}");
    assert!(matches!(db["status"].as_str(), Some("crashed" | "failed")), "{db:#}");
    assert_eq!(world.process("api")["status"], "waiting", "it still waits");
}

#[test]
fn the_timeout_ends_the_wait_with_1_and_says_what_was_not_ready() {
    let world = World::with("dev:\n  - {name: slow, command: nasty forever, health_check: 'false'}\n");
    world.forge(["start", "--timeout", "300ms"]).run().code(1).says("slow");
    let failed = world.forge(["start", "--timeout", "300ms", "--json"]).run();
    failed.code(1);
    assert_eq!(failed.error_code(), "not_ready", "{failed}");
}

#[test]
fn an_interrupt_during_start_stops_what_was_started() {
    let world = World::with(
        "dev:
  - {name: quick, command: nasty print up forever}
  - {name: slow, command: nasty forever, health_check: 'false'}
  - {name: later, command: nasty forever, depends_on: [slow]}
",
    );
    let start = world.forge(["start"]).spawn();
    world.wait_supervisor();
    world.wait_status("quick", "running");
    world.wait_process("slow", "has a PID", |slow| slow["pid"].is_number());
    start.signal(Signal::INT);
    start.wait().code(130);
    world.wait_nothing_left();
    for name in ["quick", "slow", "later"] {
        assert_eq!(world.process(name)["status"], "stopped", "{name}");
    }
}

#[test]
fn an_interrupt_leaves_what_ran_before() {
    let world = World::with(
        "dev:
  - {name: before, command: nasty forever}
  - {name: slow, command: nasty forever, health_check: 'false'}
",
    );
    world.forge(["start", "before"]).run().ok();
    let before = world.pid("before");
    let start = world.forge(["start"]).spawn();
    world.wait_process("slow", "has a PID", |slow| slow["pid"].is_number());
    start.signal(Signal::INT);
    start.wait().code(130);
    assert_eq!(world.process("slow")["status"], "stopped", "what this start has started");
    assert!(before.is_alive(), "what it has not started");
}

#[test]
fn detached_it_returns_at_once() {
    let world = World::with("dev:\n  - {name: slow, command: nasty forever, health_check: test -e go}\n");
    world.forge(["start", "-d"]).run().ok();
    assert_eq!(world.process("slow")["ready"], false, "it did not wait");
    world.write("go", "");
    world.wait_status("slow", "running");
}

#[test]
fn attached_it_streams_the_logs_and_an_interrupt_stops_what_it_started() {
    let world = World::with(
        "dev:
  - {name: talker, command: nasty print 'first words' wait-for go print 'more words' forever}
",
    );
    let mut start = world.forge(["start", "-a"]).spawn();
    start.wait_for_output("first words");
    world.write("go", "");
    start.wait_for_output("more words");
    start.signal(Signal::INT);
    start.wait().code(130);
    world.wait_nothing_left();
}

#[test]
fn starting_what_runs_changes_nothing() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty forever}\n  - {name: b, command: nasty forever}\n");
    world.start();
    let before = [world.pid("a"), world.pid("b")];
    world.start();
    assert_eq!([world.pid("a"), world.pid("b")], before, "the same processes");
}

#[test]
fn a_changed_configuration_is_shown_and_start_applies_only_the_change() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty forever}\n  - {name: b, command: nasty forever}\n");
    world.start();
    let [a, b] = [world.pid("a"), world.pid("b")];
    world.configure(
        "dev:
  - {name: a, command: nasty forever}
  - {name: b, command: nasty print changed forever}
  - {name: c, command: nasty forever}
",
    );
    world.wait_process("b", "is out of date", |b| b["outdated"] == true);
    assert_eq!(world.process("a")["outdated"], false, "a has not changed");
    assert!(b.is_alive(), "an edit alone does nothing");
    world.start();
    assert_eq!(world.pid("a"), a, "a goes on");
    assert_ne!(world.pid("b"), b, "b is another");
    assert!(!b.is_alive(), "never two of one process");
    assert_eq!(world.process("b")["outdated"], false, "applied");
    assert_eq!(world.process("c")["status"], "running", "c is new");
    world.wait_line("b", "changed");
}

#[test]
fn a_process_that_was_removed_from_the_file_is_shown_until_it_is_stopped() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty forever}\n  - {name: b, command: nasty forever}\n");
    world.start();
    let b = world.pid("b");
    world.configure("dev:\n  - {name: a, command: nasty forever}\n");
    assert_eq!(world.process("b")["status"], "running", "it still runs, so it is shown");
    world.forge(["stop", "b"]).run().ok();
    assert!(!b.is_alive(), "stopped by its name");
}

#[test]
fn what_is_missing_is_named_before_anything_starts() {
    let world = World::with(
        "dev:
  - {name: fine, command: nasty append ran fine forever}
  - {name: binary, command: no-such-program --now}
  - {name: folder, command: nasty forever, cwd: ./nowhere}
  - {name: file, command: nasty forever, env_file: absent.env}
  - {name: wanted, command: nasty forever, requires: [no-such-tool]}
",
    );
    let started = world.forge(["start"]).run();
    for name in ["no-such-program", "nowhere", "absent.env", "no-such-tool"] {
        started.says(name);
    }
    assert!(matches!(started.code, Some(1 | 2)), "{started}");
    assert_eq!(world.read("ran"), "", "nothing was started");
    assert!(world.programs().is_empty(), "nothing runs");
}

#[test]
fn a_one_shot_is_ready_when_it_has_ended_well() {
    let world = World::with(
        "dev:
  - {name: migrate, command: nasty wait-for go append order migrated exit 0, one_shot: true}
  - {name: api, command: nasty append order api forever, depends_on: {migrate: {condition: completed}}}
  - {name: web, command: nasty append order web forever, depends_on: [migrate, api]}
",
    );
    let start = world.forge(["start"]).spawn();
    world.wait_supervisor();
    world.wait_status("api", "waiting");
    world.write("go", "");
    start.wait().ok();
    world.wait_file("order", "migrated\napi\nweb\n");
    let migrate = world.process("migrate");
    assert_eq!(migrate["status"], "exited", "{migrate:#}");
    assert_eq!(migrate["exit_code"], 0, "{migrate:#}");
    assert_eq!(world.status()["ready"], true, "a one-shot that is done is ready");
}

#[test]
fn a_one_shot_that_fails_holds_back_its_dependents() {
    let world = World::with(
        "dev:
  - {name: migrate, command: nasty eprint 'no such table' exit 7, one_shot: true, auto_restart: false}
  - {name: api, command: nasty append ran api forever, depends_on: [migrate]}
",
    );
    world.forge(["start"]).run().code(1).says("migrate").says("no such table");
    assert_eq!(world.read("ran"), "", "the api was not started");
}

#[test]
fn started_waits_for_less_than_ready() {
    let world = World::with(
        "dev:
  - {name: slow, command: nasty forever, health_check: test -e go}
  - {name: eager, command: nasty touch go forever, depends_on: {slow: {condition: service_started}}}
",
    );
    // Only the dependent makes its dependency healthy.
    world.start();
}

#[test]
fn environments_groups_and_disabled_processes() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty forever, group: back}
  - {name: b, command: nasty forever, group: [back, other]}
  - {name: c, command: nasty forever}
  - {name: off, command: nasty forever, disabled: true}
prod-like:
  extends: dev
  env: {MODE: production}
  processes:
    - {name: c, command: nasty env MODE forever}
    - {name: d, command: nasty forever}
",
    );
    world.forge(["start", "back"]).run().ok();
    let running = |environment: &str| {
        let status = world.forge(["status", environment, "--json"]).run();
        let status = status.ok().json();
        let processes = status["processes"].as_array().expect("a list").clone();
        let running = processes.iter().filter(|one| one["status"] == "running");
        running.map(|one| one["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(running("dev"), ["a", "b"], "the group");
    world.forge(["start", "dev"]).run().ok();
    assert_eq!(running("dev"), ["a", "b", "c"], "the environment, without what is disabled");
    world.forge(["start", "off"]).run().ok();
    assert_eq!(running("dev"), ["a", "b", "c", "off"], "named, it starts");
    world.forge(["start", "prod-like"]).run().ok();
    assert_eq!(running("prod-like"), ["a", "b", "c", "d"], "merged by name");
    // Both run, so a bare name could be either.
    let ambiguous = world.forge(["restart", "c", "--json"]).run();
    ambiguous.code(2);
    assert_eq!(ambiguous.error_code(), "ambiguous", "{ambiguous}");
    ambiguous.prints("dev/c").prints("prod-like/c");
    world.forge(["stop", "prod-like/c"]).run().ok();
    assert_eq!(running("prod-like"), ["a", "b", "d"], "the one that was meant");
    assert_eq!(running("dev"), ["a", "b", "c", "off"], "and not the other");
    let ambiguous = world.forge(["stop"]).run();
    ambiguous.code(2).says("dev").says("prod-like");
}

#[test]
fn the_only_environment_needs_no_name() {
    let world = World::with("staging:\n  - {name: a, command: nasty forever}\n");
    world.start();
    assert_eq!(world.status()["environment"], "staging", "the only one");
}

#[test]
fn several_environments_and_no_dev_want_a_name() {
    let world = World::with(
        "one:\n  - {name: a, command: nasty forever}\ntwo:\n  - {name: b, command: nasty forever}\n",
    );
    world.forge(["start"]).run().code(2).says("one").says("two");
}

#[test]
fn the_workspace_is_found_from_below_and_by_dash_c() {
    let world = World::with("dev:\n  - {name: a, command: nasty cwd forever}\n");
    world.write("deep/er/file", "");
    world.forge(["start"]).current_dir(world.path("deep/er")).run().ok();
    let workspace = world.workspace().canonicalize().expect("it exists");
    world.wait_line("a", workspace.to_str().expect("UTF-8"));
    let folder = world.path("deep");
    let status =
        world.forge(["-C", folder.to_str().expect("UTF-8"), "status", "--json"]).current_dir("/").run();
    assert_eq!(status.ok().json()["workspace"], workspace.to_str().expect("UTF-8"), "{status}");
}

#[test]
fn a_simple_command_takes_the_shells_place() {
    let world = World::with(
        "dev:
  - {name: simple, command: nasty forever}
  - {name: compound, command: 'true && nasty forever'}
  - {name: list, command: [nasty, print, 'two words', forever]}
",
    );
    world.start();
    assert!(world.pid("simple").command.ends_with("nasty forever"), "{:?}", world.pid("simple"));
    assert!(!world.pid("simple").command.starts_with("/bin/sh"), "{:?}", world.pid("simple"));
    world.wait_line("list", "two words");
}

#[test]
fn ready_only_if_our_own_tree_listens() {
    // Somebody else answers on the port: that is not readiness of ours (I7), whatever is done about the conflict.
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!("dev:\n  - {{name: web, command: nasty forever, port: {port}}}\n"));
    world.forge(["start", "-d"]).run().ok();
    world.wait_process("web", "has a PID", |web| web["pid"].is_number());
    let _stranger = std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    let _stranger6 = std::net::TcpListener::bind(("::1", port));
    world.forge(["start", "--timeout", "1s"]).run().code(1);
    let web = world.process("web");
    assert_eq!(web["ready"], false, "{web:#}");
    assert_eq!(web["ports"], serde_json::json!([]), "{web:#}");
}

/// A port that a stranger listens on.
fn held_port(world: &World) -> (u16, Running) {
    let port = world.free_port();
    let mut holder = world.program(forge_tests::nasty(), ["listen", &port.to_string()]).spawn();
    holder.wait_for_output("listening");
    (port, holder)
}

#[test]
fn a_port_that_is_taken_is_a_conflict_that_names_its_holder() {
    let world = World::new();
    let (port, holder) = held_port(&world);
    world.configure(&format!("dev:\n  - {{name: web, command: nasty listen {port}, port: {port}}}\n"));
    let started = world.forge(["start", "--json"]).run();
    started.code(1);
    assert_eq!(started.error_code(), "port_conflict", "{started}");
    started.prints(&port.to_string()).prints(&holder.pid().to_string());
    let started = world.forge(["start", "--on-conflict", "fail"]).run();
    started.code(1).says(&port.to_string()).says("nasty");
    assert!(holder.is_alive(), "nothing was done to it");
}

#[test]
fn a_moved_process_that_binds_its_old_port_all_the_same_is_told_which_text_to_change() {
    let world = World::new();
    let (port, holder) = held_port(&world);
    world.configure(&format!(
        "dev:\n  - {{name: web, command: nasty wait-for go listen {port}, port: {port}, auto_restart: false}}\n"
    ));
    world.forge(["start", "-d", "--on-conflict", "next"]).run().ok();
    drop(holder);
    world.write("go", "");
    let words = format!("{port} stands in its `command`: write ${{web.port}} there");
    let told = world.wait_process("web", "it is told", |web| {
        web["message"].as_str().is_some_and(|message| message.contains(&words))
    });
    assert_eq!((&told["ready"], &told["ports"]), (&false.into(), &serde_json::json!([port])), "{told:#}");
    world.forge(["status"]).run().ok().prints("stands in its `command`");
    world.forge(["start", "--timeout", "2s"]).run().code(1);
}

#[test]
fn a_process_whose_port_is_taken_can_have_the_next_one() {
    let world = World::new();
    let (port, holder) = held_port(&world);
    world.configure(&format!("dev:\n  - {{name: web, command: nasty listen env, port: {port}}}\n"));
    world.forge(["start", "--on-conflict", "next"]).run().ok();
    let moved = world.process("web")["ports"][0].as_u64().expect("a port");
    assert!(moved > u64::from(port), "the next that is free: {moved}");
    world.forge(["status"]).run().ok().prints(&moved.to_string());
    assert!(holder.is_alive(), "nothing was done to the holder");
    drop(holder);
    world.forge(["stop"]).run().ok();
    world.start();
    assert_eq!(world.process("web")["ports"][0], port, "a stop forgets it");
}

#[test]
fn no_process_of_an_environment_runs_twice_when_two_commands_start_it() {
    let world = World::with("dev:\n  - {name: a, command: nasty append ran %p forever}\n");
    let starts: Vec<_> = (0..6).map(|_| world.forge(["start"]).spawn()).collect();
    for start in starts {
        start.wait().ok();
    }
    assert_eq!(world.programs().len(), 1, "one process");
    wait_until("it has run", || !world.read("ran").is_empty());
    assert_eq!(world.read("ran").lines().count(), 1, "I1: {}", world.read("ran"));
}

#[test]
fn output_of_a_start_can_be_piped() {
    // A background supervisor that kept the pipe would hang `forge start | cat` for ever; `wait` checks for that.
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let supervisor = world.wait_supervisor();
    wait_until("the supervisor is nobody's child", || {
        supervisor.parent().is_some_and(|parent| parent != std::process::id())
    });
    assert!(Process::find(supervisor.pid).is_some(), "it lives on");
}

#[test]
fn a_terminal_that_closes_leaves_the_environment_running() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    let mut terminal = world.terminal(["start"]);
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
    let a = world.pid("a");
    let supervisor = world.wait_supervisor();
    drop(terminal);
    assert!(a.is_alive() && supervisor.is_alive(), "neither hangs on the terminal");
    assert_eq!(world.pid("a"), a, "the same process");
}

#[test]
fn a_process_that_dies_at_once_was_not_started() {
    for policy in ["false", "{delay: 20ms, max_crashes: 3}"] {
        let world =
            World::with(&format!("dev:\n  - {{name: a, command: nasty exit 5, auto_restart: {policy}}}\n"));
        let started = world.forge(["start"]).run();
        assert_eq!(started.code, Some(1), "{started}");
        started.says("exit 5");
    }
}

#[test]
fn folders_given_with_c_add_up_as_with_git() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.write("one/two/file", "");
    let checked = world.forge(["-C", "one", "-C", "two", "-C", "../..", "check"]).run();
    assert_eq!(checked.code, Some(0), "{checked}");
}

#[test]
fn a_name_of_a_process_and_of_a_group_is_asked_back() {
    let world = World::with(
        "dev:
  - {name: api, command: nasty forever}
  - {name: worker, command: nasty forever, group: api}
",
    );
    for command in ["start", "stop", "restart", "kill", "logs"] {
        let ambiguous = world.forge([command, "api", "--json"]).run();
        ambiguous.code(2);
        assert_eq!(ambiguous.error_code(), "ambiguous", "{command}: {ambiguous}");
        world.forge([command, "api"]).run().code(2).says("dev/api").says("dev/api/");
    }
    let status = |name: &str| world.process(name)["status"].clone();
    world.forge(["start", "dev/api"]).run().ok();
    assert_eq!((status("api"), status("worker")), ("running".into(), "stopped".into()), "the process");
    world.forge(["start", "dev/api/"]).run().ok();
    assert_eq!((status("api"), status("worker")), ("running".into(), "running".into()), "the group");
}

#[test]
fn a_port_that_another_environment_holds_is_named_by_it() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:\n  - {{name: web, command: nasty listen {port}, port: {port}}}\ntest:\n  - {{name: page, command: nasty listen {port}, port: {port}}}\n"
    ));
    world.start();
    let refused = world.forge(["start", "test"]).run();
    refused.code(1).says("dev/web (nasty, PID ").says("forge stop dev/web");
    // From another workspace, with the folder.
    let other = world.folder().join("other");
    world.write("../other/.forge/processes.yml", world.read(".forge/processes.yml"));
    let other = other.to_str().expect("UTF-8");
    let refused = world.forge(["-C", other, "start", "test"]).run();
    let root = world.workspace();
    refused.code(1).says(&format!("dev/web of {}", root.display()));
    let refused = world.forge(["-C", other, "start", "test", "--json"]).run();
    let service = &refused.json()["error"]["details"]["conflicts"][0]["service"];
    assert_eq!(service["process"], "web", "{refused}");
    world.forge(["-C", other, "check"]).run().code(1).prints(&format!("dev/web of {}", root.display()));
}
