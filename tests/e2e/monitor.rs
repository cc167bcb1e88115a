//! `forge monitor`, on a terminal as a person sees it.

use forge_tests::{Signal, Terminal, World, wait_until};

/// Two that run, one of them busy, and one that never does.
fn world() -> World {
    let world = World::with(
        "dev:
  - {name: busy, command: nasty print 'I am busy' spin}
  - {name: calm, command: nasty eat-memory 64 print 'I am calm' forever}
  - {name: other, command: nasty forever, disabled: true}
",
    );
    world.start();
    world
}

/// Presses Down until the pointer is on the process.
#[track_caller]
fn select(terminal: &mut Terminal, name: &str) {
    let pointed = |screen: &str| {
        let line = screen.lines().find(|line| line.starts_with('▸'))?;
        line.split_whitespace().nth(2).map(str::to_owned)
    };
    for _ in 0..10 {
        wait_until("something is selected", || pointed(&terminal.screen()).is_some());
        let before = pointed(&terminal.screen());
        if before.as_deref() == Some(name) {
            return;
        }
        terminal.type_text("\x1b[B");
        wait_until("the pointer moves", || pointed(&terminal.screen()) != before);
    }
    panic!("{name} was never selected:\n{}", terminal.screen());
}

#[test]
fn it_shows_what_real_processes_cost_and_leaves_the_screen_as_it_was() {
    let world = world();
    let mut terminal = world.terminal(["monitor"]);
    terminal.wait_for("forge monitor");
    terminal.wait_for("busy");
    let pid = world.pid("busy").pid;
    terminal.wait_for(&format!("PID {pid}"));
    terminal.wait_screen("a busy core is seen", |screen| {
        screen.lines().any(|line| {
            let figure = line.split_whitespace().find_map(|word| word.strip_suffix('%'));
            line.contains("CPU")
                && figure.and_then(|figure| figure.parse::<f64>().ok()).is_some_and(|cpu| cpu > 5.0)
        })
    });
    terminal.wait_screen("64 MB are seen", |screen| {
        screen.lines().any(|line| {
            let mut words = line.split_whitespace().peekable();
            let mut found = false;
            while let Some(word) = words.next() {
                let next = words.peek().copied();
                found |= next == Some("MB") && word.parse::<f64>().is_ok_and(|megabytes| megabytes >= 60.0);
            }
            line.trim_start().starts_with("Memory") && found
        })
    });
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
    assert!(terminal.is_cooked(), "the terminal is as it was before");
    assert!(!terminal.screen().contains("forge monitor"), "the screen too: {terminal:?}");
    assert_eq!(world.pid("busy").pid, pid, "everything runs on");
}

#[test]
fn keys_restart_stop_start_and_kill() {
    let world = world();
    let mut terminal = world.terminal(["monitor", "dev"]);
    terminal.wait_for("calm");
    let before = world.pid("calm");
    select(&mut terminal, "calm");
    terminal.type_text("r");
    wait_until("another process runs", || {
        let calm = world.process("calm");
        calm["pid"].as_u64().is_some_and(|pid| pid != u64::from(before.pid)) && calm["status"] == "running"
    });
    assert!(!before.is_alive(), "the old one is gone");
    terminal.type_text("s");
    world.wait_status("calm", "stopped");
    terminal.wait_for("Stopped");
    terminal.type_text("s");
    world.wait_status("calm", "running");
    terminal.wait_screen("it runs again", |screen| !screen.contains("Stopped · "));
    let before = world.pid("calm");
    terminal.type_text("K");
    terminal.wait_for("Kill calm");
    assert!(before.is_alive(), "it asks first");
    terminal.type_text("y");
    wait_until("it is dead", || !before.is_alive());
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn enter_shows_one_process_large_with_its_last_lines() {
    let world = world();
    let mut terminal = world.terminal(["monitor"]);
    select(&mut terminal, "calm");
    terminal.type_text("\r");
    terminal.wait_for("I am calm");
    terminal.wait_for("Network");
    terminal.type_text("\x1b");
    terminal.wait_screen("back to the list", |screen| screen.contains("busy"));
    terminal.type_text("?");
    terminal.wait_for("any key goes back");
    terminal.type_text("xq");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn the_log_opens_and_comes_back() {
    let world = world();
    let mut terminal = world.terminal(["monitor"]);
    select(&mut terminal, "busy");
    terminal.type_text("l");
    terminal.wait_for("I am busy");
    terminal.wait_for("following");
    terminal.type_text("q");
    terminal.wait_for("forge monitor");
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn it_fits_whatever_size_the_terminal_has() {
    let world = world();
    let mut terminal = world.terminal(["monitor"]);
    terminal.wait_for("calm");
    for (rows, columns) in [(40, 120), (15, 60), (12, 50), (50, 200)] {
        terminal.resize(rows, columns);
        terminal.wait_screen("its keys are in the last row", |screen| {
            screen.lines().nth(usize::from(rows) - 1).is_some_and(|line| line.contains("select"))
        });
        terminal.wait_for("calm");
    }
    terminal.resize(10, 40);
    terminal.wait_for("50×12");
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn a_killed_supervisor_is_told_and_another_one_found() {
    let world = world();
    let pid = world.pid("busy").pid;
    let mut terminal = world.terminal(["monitor"]);
    terminal.wait_for(&format!("PID {pid}"));
    let old = world.supervisor().expect("one runs");
    old.signal(Signal::KILL);
    wait_until("another one runs", || world.supervisor().is_some_and(|supervisor| supervisor.pid != old.pid));
    terminal.wait_screen("it is connected again", |screen| {
        !screen.contains("reconnecting") && screen.contains(&format!("PID {pid}"))
    });
    select(&mut terminal, "calm");
    let before = world.pid("calm");
    terminal.type_text("r");
    wait_until("the keys work", || world.process("calm")["pid"].as_u64() != Some(u64::from(before.pid)));
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn ctrl_c_leaves_and_the_terminal_is_whole() {
    let world = world();
    let mut terminal = world.terminal(["monitor"]);
    terminal.wait_for("calm");
    terminal.type_text("\x03");
    assert_eq!(terminal.wait_exit(), 130, "Ctrl-C: {terminal:?}");
    assert!(terminal.is_cooked(), "the terminal is as it was before");
}

#[test]
fn without_a_terminal_it_tells_once_and_as_json_for_as_long_as_one_reads() {
    let world = world();
    let page = world.forge(["monitor"]).run();
    page.ok().prints("busy").prints("CPU");
    assert!(!page.stdout.contains('\x1b'), "no sequences: {page}");
    let mut stream = world.forge(["monitor", "--json"]).spawn();
    stream.wait_for_output("cpu_percent");
    stream.signal(Signal::INT);
    let outcome = stream.wait();
    outcome.code(130);
    for look in outcome.json_lines() {
        assert_eq!(look["environment"], "dev", "{look}");
        assert!(look["processes"].is_array() && look["time"].is_string(), "{look}");
    }
    world.forge(["monitor", "nobody"]).run().code(3);
}

#[test]
fn nothing_but_ascii_where_the_locale_has_nothing_else() {
    let mut world = world();
    world.set_env("LANG", "C");
    world.set_env("NO_COLOR", "1");
    let mut terminal = world.terminal(["monitor"]);
    terminal.wait_for("calm");
    let screen = terminal.wait_screen("figures", |screen| screen.contains("MB"));
    assert!(screen.is_ascii(), "{screen}");
    terminal.type_text("q");
    assert_eq!(terminal.wait_exit(), 0, "{terminal:?}");
}

#[test]
fn any_terminal_shows_it_as_it_is_reached_from_afar() {
    for term in ["linux", "screen", "tmux-256color", "vt220", "dumb-and-unknown"] {
        let mut world = World::with("dev:\n  - {name: api, command: nasty forever}\n");
        world.set_env("TERM", term);
        world.set_env("SSH_TTY", "/dev/pts/0");
        world.set_env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22");
        world.start();
        let mut terminal = world.terminal(["monitor"]);
        terminal.wait_for("forge monitor");
        terminal.wait_for("api");
        terminal.type_text("?");
        terminal.wait_for("this help");
        // By itself: together with what follows it is another key.
        terminal.type_text("\x1b");
        terminal.wait_screen("the help is closed", |screen| !screen.contains("this help"));
        terminal.type_text("q");
        assert_eq!(terminal.wait_exit(), 0, "{term}: {terminal:?}");
        assert!(terminal.is_cooked(), "{term}: the terminal is as it was before");
    }
}
