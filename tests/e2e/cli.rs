//! Exit codes, JSON and the small commands.

use forge_tests::{World, json};

#[test]
fn wrong_usage_ends_with_2() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    for arguments in
        [&["no-such-command"][..], &["start", "--no-such-option"], &["signal", "a"], &["start", "-d", "-a"]]
    {
        world.forge(arguments).run().code(2);
    }
    for arguments in [&["--help"][..], &["--version"], &["start", "--help"], &["help", "logs"]] {
        assert!(!world.forge(arguments).run().ok().stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_does_not_exist_ends_with_3() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    for command in ["start", "stop", "restart", "kill", "status", "logs", "open"] {
        let outcome = world.forge([command, "nobody", "--json"]).run();
        outcome.code(3);
        assert_eq!(outcome.error_code(), "not_found", "{outcome}");
        world.forge([command, "nobody"]).run().code(3).says("nobody");
    }
    let outcome = world.forge(["start", "dev/nobody", "--json"]).run();
    outcome.code(3);
    // A name that is nearly right is helped with.
    world.configure("dev:\n  - {name: backend, command: nasty forever}\n");
    world.forge(["start", "bakcend"]).run().code(3).says("backend");
}

#[test]
fn without_a_workspace_the_error_says_where_it_looked() {
    let world = World::new();
    let outcome = world.forge(["start"]).run();
    outcome.code(3).says("processes.yml");
    let outcome = world.forge(["start", "--json"]).run();
    outcome.code(3);
    assert_eq!(outcome.error_code(), "no_workspace", "{outcome}");
}

#[test]
fn global_options_stand_before_or_after_the_command() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let before = world.forge(["--json", "status"]).run().ok().json();
    let after = world.forge(["status", "--json"]).run().ok().json();
    assert_eq!(before["processes"][0]["pid"], after["processes"][0]["pid"], "the same document");
}

#[test]
fn every_command_has_a_json_document() {
    let world = World::with("dev:\n  - {name: a, command: nasty report HUP print up echo, tty: true}\n");
    let started = world.forge(["start", "--json"]).run();
    let document = started.ok().json();
    assert!(document.is_object(), "{document}");
    world.wait_line("a", "up\r");
    for arguments in [
        &["status"][..],
        &["signal", "a", "HUP"],
        &["send", "a", "hello"],
        &["restart", "a"],
        &["check"],
        &["config"],
        &["doctor"],
        &["version"],
        &["kill", "a"],
        &["start", "-d"],
        &["stop"],
        &["stop", "--all"],
    ] {
        let outcome = world.forge(arguments.iter().chain(&["--json"])).run();
        let _document = outcome.ok().json();
    }
}

#[test]
fn status_has_the_documented_members() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:\n  - {{name: a, command: nasty listen {port} --http 200, port: {port}, health_check: 'http://localhost:{port}/health'}}\n"
    ));
    world.start();
    let status = world.status();
    assert_eq!(
        status["workspace"],
        json!(world.workspace().canonicalize().expect("it exists")),
        "{status:#}"
    );
    let supervisor = world.wait_supervisor();
    assert_eq!(status["supervisor"]["pid"], supervisor.pid, "{status:#}");
    assert!(status["supervisor"]["version"].is_string(), "{status:#}");
    let process = status["processes"][0].as_object().expect("an object");
    for member in [
        "name",
        "status",
        "ready",
        "health",
        "pid",
        "ports",
        "started_at",
        "uptime_seconds",
        "restarts",
        "exit_code",
        "signal",
        "waiting_on",
        "message",
        "debug",
        "cpu_percent",
        "memory_bytes",
        "threads",
        "open_files",
        "disk_read_bytes",
        "disk_written_bytes",
        "net_received_bytes",
        "net_sent_bytes",
    ] {
        assert!(process.contains_key(member), "{member} is missing: {status:#}");
    }
    assert!(process["uptime_seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{status:#}");
    let event = &status["events"][0];
    for member in ["time", "process", "level", "title", "text"] {
        assert!(event.get(member).is_some(), "{member} is missing: {event}");
    }
    assert!(status["warnings"].is_array(), "{status:#}");
}

#[test]
fn status_before_anything_was_started_shows_everything_stopped() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty forever}\n  - {name: b, command: nasty forever}\n");
    let status = world.status();
    assert_eq!(status["ready"], false, "{status:#}");
    for process in status["processes"].as_array().expect("a list") {
        assert_eq!(process["status"], "stopped", "{process:#}");
        assert!(process["pid"].is_null(), "{process:#}");
    }
}

#[test]
fn tables_fit_the_terminal_and_need_no_unicode() {
    let name = "a-process-with-quite-a-long-name-that-nobody-would-type";
    let world = World::with(&format!("dev:\n  - {{name: {name}, command: nasty forever}}\n"));
    world.start();
    let mut terminal = world.terminal(["status"]);
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
    terminal.wait_for("Recent events");
    let screen = terminal.screen();
    let row =
        screen.lines().find(|line| line.contains("Running")).unwrap_or_else(|| panic!("no row:\n{screen}"));
    assert!(row.ends_with(['│', '|']), "the row is on one line of 80 columns:\n{screen}");
    for command in ["check", "doctor"] {
        let mut terminal = world.terminal([command]);
        assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
        let screen = terminal.screen();
        // A line that the terminal had to break goes on in its first column; ours go on indented.
        let rows: Vec<&str> = screen.lines().collect();
        let broken = rows
            .windows(2)
            .find(|pair| pair[0].chars().count() == 80 && !(pair[1].is_empty() || pair[1].starts_with(' ')));
        assert!(broken.is_none(), "{command} fits the terminal: {broken:?} in\n{screen}");
    }
    let piped = world.forge(["status"]).env("LC_ALL", "C").run();
    piped.ok().prints(name);
    assert!(piped.stdout.is_ascii(), "{piped}");
}

#[test]
fn completions_name_the_commands() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish"] {
        world.forge(["completions", shell]).run().ok().prints("restart");
    }
    world.forge(["completions", "no-such-shell"]).run().code(2);
}

#[test]
fn version_needs_no_supervisor() {
    let world = World::new();
    let version = world.forge(["version"]).run();
    version.ok().prints(env!("CARGO_PKG_VERSION"));
    assert!(world.supervisor().is_none(), "none was started for it");
    assert!(world.forge(["version", "--json"]).run().ok().json().is_object());
}

#[test]
fn doctor_looks_at_folders_sockets_and_keepers() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let home = world.home();
    world.forge(["doctor"]).run().ok().prints(home.to_str().expect("UTF-8"));
    let _document = world.forge(["doctor", "--json"]).run().ok().json();
}

#[test]
fn open_without_a_browser_prints_the_url() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - {{name: web, command: nasty listen {port} --http 200, port: {port}, health_check: 'http://localhost:{port}/'}}
  - {{name: docs, command: nasty forever, open: 'http://docs.test/x'}}
"
    ));
    world.start();
    // Whether there is a browser or not, the URL is told.
    let shown = world.forge(["open", "docs"]).env("BROWSER", "true").run();
    shown.ok();
    assert!(format!("{}{}", shown.stdout, shown.stderr).contains("http://docs.test/x"), "{shown}");
    let shown = world.forge(["open", "web", "--json"]).env("BROWSER", "true").run();
    shown.ok().prints(&format!("http://localhost:{port}"));
}

#[test]
fn a_supervisor_that_does_not_answer_ends_with_4() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let supervisor = world.wait_supervisor();
    supervisor.signal(forge_tests::Signal::STOP);
    let outcome = world.forge(["status", "--json"]).run();
    supervisor.signal(forge_tests::Signal::CONT);
    outcome.code(4);
    assert_eq!(outcome.error_code(), "no_supervisor", "{outcome}");
}

#[test]
fn nothing_but_text_goes_where_no_terminal_is() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty print hello forever}
  - {name: b, command: nasty forever, health_check: test -e go}
",
    );
    let mut start = world.forge(["start"]).spawn();
    world.wait_supervisor();
    world.wait_line("a", "hello");
    world.write("go", "");
    start.wait_for_output("ready");
    let mut outcomes = vec![start.wait()];
    for arguments in [
        &["status"][..],
        &["restart", "a"],
        &["logs"],
        &["check"],
        &["config"],
        &["doctor"],
        &["kill", "a"],
        &["stop"],
    ] {
        outcomes.push(world.forge(arguments).run());
    }
    for outcome in outcomes {
        outcome.ok();
        let output = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!output.contains(['\x1b', '\r']), "{:?} of {outcome}", output);
    }
}

#[test]
fn messages_for_people_go_to_stderr() {
    let world = World::with("dev:\n  - {name: a, command: no-such-program}\n");
    let failed = world.forge(["start"]).run();
    failed.code(1).says("no-such-program");
    assert_eq!(failed.stdout, "", "stdout is for what was asked: {failed}");
    let failed = world.forge(["start", "--json"]).run();
    failed.code(1);
    assert_eq!(failed.error_code(), "missing", "{failed}");
}

#[test]
fn without_a_command_the_usage_goes_to_stderr() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    let alone = world.forge::<&str>([]).run();
    alone.code(2).says("forge start");
    assert_eq!(alone.stdout, "", "nothing was answered: {alone}");
    let json = world.forge(["--json"]).run();
    json.code(2).says("forge start");
    assert_eq!(json.error_code(), "usage", "{json}");
}

#[test]
fn a_command_that_cannot_be_run_says_why() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.forge(["run", "--", "nosuchcmd"]).run().code(1).says("`nosuchcmd`").says("PATH");
    world.write("plain.txt", "");
    world.forge(["run", "--", "./plain.txt"]).run().code(1).says("chmod +x");
    world.forge(["run", "--", "sh -c true"]).run().code(1).says("sh -c");
}

#[test]
fn a_start_of_one_process_shows_that_process() {
    let world = World::with(
        "dev:\n  - {name: alone, command: nasty forever}\n  - {name: other, command: nasty forever}\n",
    );
    world.forge(["start", "other"]).run().ok();
    let started = world.forge(["start", "alone"]).run();
    started.ok().prints("alone");
    assert!(!started.stdout.contains("other"), "what it was about: {started}");
    let uptime = world.process("alone")["uptime_seconds"].to_string();
    let decimals = uptime.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    assert!(decimals <= 3, "to the millisecond: {uptime}");
}

#[test]
fn no_color_takes_the_colours_away_unless_it_is_empty_or_they_are_asked_for() {
    let mut world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    for (value, always, colored) in
        [(None, false, true), (Some("1"), false, false), (Some(""), false, true), (Some("1"), true, true)]
    {
        if let Some(value) = value {
            world.set_env("NO_COLOR", value);
        }
        let arguments = ["--color", if always { "always" } else { "auto" }, "status"];
        let mut terminal = world.terminal(arguments);
        assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
        terminal.wait_for("supervisor");
        terminal.wait_for("active");
        assert_eq!(terminal.is_colored(), colored, "NO_COLOR {value:?}, always {always}: {terminal:?}");
    }
}
