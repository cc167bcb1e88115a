//! `forge signal`, `send` and `attach`.

use forge_tests::{World, wait_until};

#[test]
fn a_signal_reaches_the_main_process_by_any_of_its_names() {
    let world = World::with("dev:\n  - {name: a, command: nasty report HUP report USR1 print up forever}\n");
    world.start();
    world.wait_line("a", "up");
    for (signal, times) in [("SIGHUP", 1), ("hup", 2), ("1", 3)] {
        world.forge(["signal", "a", signal]).run().ok();
        wait_until(signal, || {
            world.lines("a").iter().filter(|line| line.text() == "got HUP").count() == times
        });
    }
    world.forge(["signal", "a", "USR1"]).run().ok();
    world.wait_line("a", "got USR1");
    world.forge(["signal", "a", "SIGNOTHING"]).run().code(2);
    world.forge(["signal", "nobody", "HUP"]).run().code(3);
    world.forge(["stop", "a"]).run().ok();
    let refused = world.forge(["signal", "a", "HUP", "--json"]).run();
    refused.code(1);
    assert_eq!(refused.error_code(), "not_running", "{refused}");
}

#[test]
fn text_reaches_the_terminal_of_a_process() {
    let world = World::with("dev:\n  - {name: a, command: nasty prompt print done forever, tty: true}\n");
    world.start();
    world.forge(["send", "a", "Ann"]).run().ok();
    world.wait_line("a", "hello Ann\r");
}

#[test]
fn text_without_a_line_feed_waits_for_the_rest() {
    let world = World::with("dev:\n  - {name: a, command: nasty prompt forever, tty: true}\n");
    world.start();
    world.forge(["send", "a", "An", "--no-newline"]).run().ok();
    world.forge(["send", "a", "ton"]).run().ok();
    world.wait_line("a", "hello Anton\r");
}

#[test]
fn attach_is_the_terminal_itself() {
    let world =
        World::with("dev:\n  - {name: a, command: nasty tty-size prompt print bye forever, tty: true}\n");
    world.start();
    let mut terminal = world.terminal(["attach", "a"]);
    terminal.wait_for("size 24 rows 80 columns");
    terminal.wait_for("name? ");
    terminal.resize(40, 100);
    terminal.wait_for("size 40 rows 100 columns");
    terminal.type_text("Ann\r");
    terminal.wait_for("hello Ann");
    let before = world.pid("a");
    // Ctrl-]
    terminal.type_text("\x1d");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
    assert!(terminal.is_cooked(), "the terminal is as it was before");
    assert_eq!(world.pid("a"), before, "detached, it runs on");
}

#[test]
fn attach_again_shows_what_was_there() {
    let world = World::with("dev:\n  - {name: a, command: nasty prompt forever, tty: true}\n");
    world.start();
    for key in ["\x1d", "\x10\x11"] {
        let mut terminal = world.terminal(["attach", "a"]);
        terminal.wait_for("name? ");
        terminal.type_text(key);
        assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
    }
}

#[test]
fn keys_go_to_the_program_and_its_end_is_told() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty print ready forever, tty: true, auto_restart: false}\n",
    );
    world.start();
    let mut terminal = world.terminal(["attach", "a"]);
    terminal.wait_for("ready");
    // Ctrl-C is the program's.
    terminal.type_text("\x03");
    let _code = terminal.wait_exit();
    assert!(terminal.is_cooked(), "the terminal is as it was before: {terminal:?}");
    let a = world.wait_status("a", "crashed");
    assert_eq!(a["signal"], "SIGINT", "{a:#}");
}

#[test]
fn two_can_attach_at_once() {
    let world = World::with("dev:\n  - {name: a, command: nasty prompt forever, tty: true}\n");
    world.start();
    let mut one = world.terminal(["attach", "a"]);
    let two = world.terminal(["attach", "a"]);
    one.wait_for("name? ");
    two.wait_for("name? ");
    one.type_text("Ann\r");
    one.wait_for("hello Ann");
    two.wait_for("hello Ann");
}

#[test]
fn what_has_no_terminal_cannot_be_attached_to() {
    let world = World::with(
        "dev:\n  - {name: plain, command: nasty forever}\n  - {name: a, command: nasty forever, tty: true}\n",
    );
    world.start();
    world.forge(["stop", "a"]).run().ok();
    for (name, code) in [("plain", 1), ("nobody", 3), ("a", 1)] {
        let mut terminal = world.terminal(["attach", name]);
        assert_eq!(terminal.wait_exit(), code, "{name}: {terminal:?}");
        terminal.wait_for(name);
        assert!(terminal.is_cooked(), "the terminal is as it was before");
    }
    let refused = world.forge(["attach", "a", "--json"]).run();
    refused.code(2);
    assert_eq!(refused.error_code(), "usage", "without a terminal of one's own: {refused}");
}

#[test]
fn a_real_interpreter_can_be_talked_to() {
    let world = World::with("dev:\n  - {name: py, command: python3 -i -q, tty: true}\n");
    if world.forge(["check"]).run().code != Some(0) {
        forge_tests::skip("a_real_interpreter_can_be_talked_to", "there is no python3");
        return;
    }
    world.start();
    let mut terminal = world.terminal(["attach", "py"]);
    terminal.wait_for(">>> ");
    terminal.type_text("print(6 * 7, 'is it')\r");
    terminal.wait_for("42 is it");
    terminal.type_text("\x1d");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn a_real_node_can_be_talked_to() {
    let world = World::with("dev:\n  - {name: repl, command: node, tty: true}\n");
    if world.forge(["check"]).run().code != Some(0) {
        forge_tests::skip("a_real_node_can_be_talked_to", "there is no node");
        return;
    }
    world.start();
    let mut terminal = world.terminal(["attach", "repl"]);
    terminal.wait_for("> ");
    terminal.type_text("'it is ' + 6 * 7\r");
    terminal.wait_for("'it is 42'");
    terminal.resize(30, 100);
    wait_until("it knows its size", || {
        terminal.type_text("`${process.stdout.rows} rows, ${process.stdout.columns} columns`\r");
        let until = std::time::Instant::now() + std::time::Duration::from_secs(1);
        while std::time::Instant::now() < until && !terminal.screen().contains("'30 rows, 100 columns'") {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        terminal.screen().contains("'30 rows, 100 columns'")
    });
    detach(&world, terminal, "repl");
}

#[test]
fn a_real_redis_client_can_be_talked_to() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - name: redis
    command: redis-server --bind 127.0.0.1 --port {port} --save '' --appendonly no
    port: {port}
  - {{name: client, command: redis-cli -p {port}, tty: true, depends_on: [redis]}}
"
    ));
    if world.forge(["check"]).run().code != Some(0) {
        forge_tests::skip("a_real_redis_client_can_be_talked_to", "there is no redis");
        return;
    }
    world.start();
    let mut terminal = world.terminal(["attach", "client"]);
    let prompt = format!("127.0.0.1:{port}>");
    terminal.wait_for(&prompt);
    terminal.type_text("SET answer 6x7\r");
    terminal.wait_for("OK");
    terminal.resize(30, 100);
    terminal.type_text("APPEND answer =42\r");
    terminal.wait_for("(integer) 6");
    terminal.type_text("GET answer\r");
    terminal.wait_for("\"6x7=42\"");
    detach(&world, terminal, "client");
}

/// Ctrl-] leaves a program that runs on.
fn detach(world: &World, mut terminal: forge_tests::Terminal, name: &str) {
    let before = world.pid(name);
    terminal.type_text("\x1d");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
    assert!(terminal.is_cooked(), "the terminal is as it was before");
    assert_eq!(world.pid(name), before, "detached, it runs on");
}

#[test]
fn a_start_on_a_terminal_shows_progress_and_then_the_table() {
    let world = World::with(
        "dev:
  - {name: slowpoke, command: nasty forever, health_check: test -e go}
  - {name: follower, command: nasty forever, depends_on: [slowpoke]}
",
    );
    let mut terminal = world.terminal(["start"]);
    terminal.wait_for("slowpoke");
    terminal.wait_for("follower");
    world.write("go", "");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
    terminal.wait_for(&world.pid("follower").pid.to_string());
    assert!(terminal.is_cooked(), "the terminal is as it was before");
}
