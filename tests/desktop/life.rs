//! How the app begins and ends, and what becomes of the processes meanwhile.

use std::rc::Rc;
use std::time::{Duration, Instant};

use forge_tests::desktop::{App, Desktop, Screen};
use forge_tests::{Signal, World, nasty, wait_until};

const ONE: &str = "dev:\n  - {name: api, command: nasty forever}\n";

/// Waits until the app is the one that answers.
#[track_caller]
fn wait_host(desktop: &Desktop, app: &App) {
    wait_until("the app's supervisor answers", || {
        desktop.supervisor().is_some_and(|supervisor| supervisor.pid == app.pid())
    });
}

#[test]
fn a_second_launch_shows_the_window_of_the_first() {
    let desktop = Desktop::new();
    let (first, _item) = desktop.launch_in_tray();
    let windows = desktop.screen.windows();
    assert!(windows.titles().is_empty(), "the tray alone: {:?}", windows.titles());
    desktop.launch([]).wait().ok();
    windows.wait_shown("Forge");
    windows.close("Forge");
    windows.wait_hidden("Forge");
    desktop.launch(["--background"]).wait().ok();
    assert!(windows.titles().is_empty(), "one that wants no window changes nothing: {:?}", windows.titles());
    assert!(first.is_alive(), "the first stays");
}

#[test]
fn the_window_comes_back_with_the_size_and_place_that_it_had_even_after_a_kill() {
    const SIZE: (u16, u16) = (940, 610);
    const PLACE: (i16, i16) = (40, 30);
    let desktop = Desktop::new();
    let app = desktop.launch([]);
    let windows = desktop.screen.windows();
    windows.wait_shown("Forge");
    assert_ne!(windows.size("Forge"), SIZE, "it begins with another one");
    windows.resize("Forge", SIZE.0, SIZE.1);
    windows.put("Forge", PLACE.0, PLACE.1);
    windows.close("Forge");
    windows.wait_hidden("Forge");
    let state = desktop.state().join("window.json");
    wait_until("it is written down", || {
        std::fs::read_to_string(&state).is_ok_and(|text| text.contains(&SIZE.0.to_string()))
    });
    app.kill();
    let _app = desktop.launch([]);
    wait_until("it has its size again", || windows.size("Forge") == SIZE);
    wait_until("it is where it was", || windows.position("Forge") == PLACE);
}

#[test]
fn two_homes_are_two_apps() {
    let one = Desktop::with(ONE);
    let two = Desktop::on(&one.screen);
    two.trust("test:\n  - {name: t, command: nasty forever}\n");
    let (_first, item) = one.launch_in_tray();
    let (_second, other) = two.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    let menu = other.wait_label("test — stopped");
    assert!(menu.find(&["dev"]).is_none(), "each shows its own\n{menu}");
}

#[test]
fn a_headless_supervisor_hands_over_and_no_process_notices() {
    let desktop = Desktop::with(ONE);
    desktop.start();
    let (api, headless) = (desktop.pid("api"), desktop.wait_supervisor());
    let (app, item) = desktop.launch_in_tray();
    item.wait_label("dev — running");
    wait_host(&desktop, &app);
    let status = desktop.status();
    assert_eq!(status["supervisor"]["host"], "desktop", "{status}");
    assert_eq!((desktop.pid("api"), desktop.process("api")["restarts"].as_u64()), (api, Some(0)), "{status}");
    wait_until("the headless one has left", || !headless.is_alive());
}

#[test]
fn what_is_written_while_one_supervisor_hands_over_to_the_next_is_all_there() {
    let desktop =
        Desktop::with("dev:\n  - {name: api, command: nasty count 20000 --rate 2000 print over forever}\n");
    desktop.start();
    let headless = desktop.wait_supervisor();
    let (app, item) = desktop.launch_in_tray();
    item.wait_label("dev — running");
    wait_host(&desktop, &app);
    wait_until("the headless one has left", || !headless.is_alive());
    desktop.wait_line("api", "over");
    let lines = desktop.lines("api");
    let counted = lines.iter().filter_map(|line| {
        let text = String::from_utf8_lossy(&line.text).into_owned();
        text.strip_prefix("line ")?.split_whitespace().next()?.parse::<usize>().ok()
    });
    assert!(counted.eq(0..20_000), "each line once and in order");
}

#[test]
fn a_supervisor_in_a_terminal_is_left_there() {
    let desktop = Desktop::with(ONE);
    desktop.forge(["stop", "--all"]).run().ok();
    desktop.wait_supervisor().signal(Signal::TERM);
    wait_until("nobody answers", || desktop.supervisor().is_none());
    let served = desktop.forge(["serve"]).spawn();
    wait_until("it serves", || desktop.supervisor().is_some_and(|supervisor| supervisor.pid == served.pid()));
    let app = desktop.launch([]);
    let windows = desktop.screen.windows();
    windows.wait_shown("Forge cannot start");
    assert!(served.is_alive(), "somebody sits in front of it");
    windows.close("Forge cannot start");
    let outcome = app.wait();
    assert_ne!(outcome.code, Some(0), "{outcome}");
    outcome.says(&format!("PID {}", served.pid()));
    assert!(served.is_alive(), "it goes on");
    served.signal(Signal::INT);
    served.wait().ok();
}

#[test]
fn a_killed_app_leaves_the_processes_and_the_next_one_has_them() {
    let desktop = Desktop::with(ONE);
    let (app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    let api = desktop.pid("api");
    app.kill();
    item.wait_gone();
    assert!(api.is_alive(), "nothing of the user's ends with it");
    let (_next, item) = desktop.launch_in_tray();
    item.wait_label("dev — running");
    assert_eq!(desktop.pid("api"), api, "the same process");
    item.click(&["dev", "Stop dev"]);
    item.wait_label("dev — stopped");
    assert!(!api.is_alive(), "and it is in hand");
}

#[test]
fn what_ran_before_a_reboot_runs_again_after_the_login() {
    let desktop = Desktop::with(ONE);
    let (app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    app.kill();
    desktop.reboot();
    item.wait_gone();
    let (_app, item) = desktop.launch_in_tray();
    item.wait_label("dev — running");
    assert_eq!(desktop.process("api")["restarts"], 0, "{:#}", desktop.process("api"));
}

#[test]
fn quit_asks_nothing_when_nothing_runs() {
    let desktop = Desktop::with(ONE);
    let (app, item) = desktop.launch_in_tray();
    item.wait_label("dev — stopped");
    item.click(&["Quit Forge"]);
    app.wait().ok();
    assert!(desktop.supervisor().is_none(), "nobody is left");
}

/// An app with a process that runs, and the question of what is to become of it.
fn quit_with_a_process(desktop: &Desktop) -> (App, forge_tests::Process) {
    let (app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    let api = desktop.pid("api");
    item.click(&["Quit Forge"]);
    desktop.screen.windows().wait_shown("Quit Forge?");
    (app, api)
}

#[test]
fn a_quit_that_is_thought_better_of_changes_nothing() {
    let desktop = Desktop::with(ONE);
    let (app, api) = quit_with_a_process(&desktop);
    let windows = desktop.screen.windows();
    windows.answer("Quit Forge?", 3, 3);
    windows.wait_hidden("Quit Forge?");
    assert!(app.is_alive() && api.is_alive(), "all goes on");
    app.item(&desktop.screen).click(&["Quit Forge"]);
    windows.wait_shown("Quit Forge?");
    windows.close("Quit Forge?");
    windows.wait_hidden("Quit Forge?");
    app.terminate().ok();
}

#[test]
fn quit_can_stop_everything() {
    let desktop = Desktop::with(ONE);
    let (app, _api) = quit_with_a_process(&desktop);
    desktop.screen.windows().answer("Quit Forge?", 2, 3);
    app.wait().ok();
    desktop.wait_nothing_left();
    assert!(desktop.supervisor().is_none(), "nobody is left");
}

#[test]
fn a_launch_while_the_app_leaves_is_the_next_one() {
    let desktop = Desktop::with(
        "dev:
  - name: api
    command: nasty forever
    shutdown: {command: 'touch leaving; while ! test -e go; do sleep 0.05; done', timeout: 20s}
",
    );
    let (app, _api) = quit_with_a_process(&desktop);
    desktop.screen.windows().answer("Quit Forge?", 2, 3);
    wait_until("it stops everything", || desktop.path("leaving").exists());
    let next = desktop.launch([]);
    desktop.write("go", "");
    app.wait().ok();
    desktop.screen.windows().wait_shown("Forge");
    wait_host(&desktop, &next);
}

#[test]
fn quit_can_keep_everything_running() {
    let desktop = Desktop::with(ONE);
    let (app, api) = quit_with_a_process(&desktop);
    // What does no harm is first.
    desktop.screen.windows().answer("Quit Forge?", 1, 3);
    app.wait().ok();
    assert!(api.is_alive(), "it goes on");
    assert!(desktop.supervisor().is_some(), "in the hands of a supervisor without a window");
    assert_eq!(desktop.status()["supervisor"]["host"], "serve", "without one");
    assert_eq!(desktop.pid("api"), api, "the same process");
    let (_next, item) = desktop.launch_in_tray();
    item.wait_label("dev — running");
    assert_eq!(desktop.pid("api"), api, "still the same");
}

#[test]
fn a_session_that_ends_does_not_wait_for_an_answer() {
    let desktop = Desktop::with(ONE);
    let (app, api) = quit_with_a_process(&desktop);
    app.terminate().ok();
    assert!(api.is_alive(), "it goes on");
}

#[test]
fn sigterm_ends_the_app_and_leaves_the_processes() {
    let desktop = Desktop::with(ONE);
    let (app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    let api = desktop.pid("api");
    app.terminate().ok();
    assert!(api.is_alive(), "it goes on");
    assert_eq!(desktop.pid("api"), api, "and is found");
}

#[test]
fn without_a_session_bus_it_starts_all_the_same() {
    let mut desktop = Desktop::with(ONE);
    desktop.world.set_env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let begin = Instant::now();
    let app = desktop.launch([]);
    wait_host(&desktop, &app);
    desktop.screen.windows().wait_shown("Forge");
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(10), "it stalls: {took:?}");
    desktop.start();
    assert_eq!(desktop.status()["supervisor"]["host"], "desktop", "and it works");
}

#[test]
fn without_a_tray_closing_the_window_is_leaving() {
    let screen = Rc::new(Screen::new());
    let desktop = Desktop::on(&screen);
    desktop.trust(ONE);
    let app = desktop.launch([]);
    wait_host(&desktop, &app);
    screen.windows().wait_shown("Forge");
    desktop.start();
    screen.windows().close("Forge");
    screen.windows().wait_shown("Quit Forge?");
    screen.windows().answer("Quit Forge?", 3, 3);
    screen.windows().wait_hidden("Quit Forge?");
    screen.windows().close("Forge");
    screen.windows().wait_shown("Quit Forge?");
    screen.windows().answer("Quit Forge?", 2, 3);
    app.wait().ok();
    desktop.wait_nothing_left();
}

#[test]
fn without_a_display_it_says_what_to_do_instead() {
    let world = World::new();
    let program = nasty().with_file_name("forge-desktop");
    world.program(&program, [] as [&str; 0]).run().code(1).says("no display").says("forge serve --http");
    assert!(world.alive().is_empty(), "nothing is left: {:?}", world.alive());
}

#[test]
fn a_display_that_nobody_serves_is_no_display() {
    let mut world = World::new();
    world.set_env("DISPLAY", ":4242");
    let program = nasty().with_file_name("forge-desktop");
    world.program(&program, ["--background"]).run().code(1).says(":4242");
}

#[test]
fn in_the_background_it_opens_no_window() {
    let desktop = Desktop::with(ONE);
    let (_app, item) = desktop.launch_in_tray();
    item.wait_label("dev — stopped");
    assert!(desktop.screen.windows().titles().is_empty(), "{:?}", desktop.screen.windows().titles());
}

#[test]
fn the_version_and_the_help_need_no_display() {
    let world = World::new();
    let program = nasty().with_file_name("forge-desktop");
    let forge = world.forge(["version"]).run();
    let number = forge.ok().stdout.split_whitespace().nth(1).expect("a number").to_owned();
    world.program(&program, ["--version"]).run().ok().prints(&number);
    world.program(&program, ["--help"]).run().ok().prints("--background");
    world.program(&program, ["--backgruond"]).run().code(2).says("--backgruond");
    assert!(!world.home().exists(), "asking leaves nothing behind");
}
