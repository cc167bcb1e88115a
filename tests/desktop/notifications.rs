//! Native notifications, and what their buttons do.

use std::net::{Ipv4Addr, TcpListener};

use forge_tests::desktop::{Desktop, Item, Notifications};
use forge_tests::{Invocation, nasty, wait_until};

/// With a button for each of its ways out.
const FRAGILE: &str = "dev:
  - name: api
    command: nasty eprint 'panic - <nil> pointer' wait-for go exit 1
    auto_restart: {delay: 30s}
";

fn after_a_crash(desktop: &Desktop, item: &Item) {
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    desktop.write("go", "");
}

#[test]
fn a_crash_is_told_with_its_last_line_and_what_can_be_done() {
    let desktop = Desktop::with(FRAGILE);
    let notifications = desktop.screen.notifications();
    let (_app, item) = desktop.launch_in_tray();
    after_a_crash(&desktop, &item);
    let crash = notifications.wait("api crashed");
    assert_eq!(crash.app, "Forge", "{crash:?}");
    // The body is markup, and what a program says is not.
    assert_eq!(crash.body, "exit 1: panic - &lt;nil&gt; pointer\nRestarts in 30 s", "{crash:?}");
    assert_eq!(crash.action_ids(), ["default", "restart", "keep-stopped", "show-log"], "{crash:?}");
    let labels: Vec<&str> = crash.actions.iter().skip(1).map(|(_, label)| label.as_str()).collect();
    assert_eq!(labels, ["Restart now", "Keep stopped", "Show log"], "each says what it does: {crash:?}");
    desktop.forge(["stop"]).run().ok();
    wait_until("what is over is taken away", || !notifications.is_open(crash.id));
}

#[test]
fn a_crash_that_mends_itself_says_so_and_offers_no_way_to_stop_what_runs() {
    let desktop = Desktop::with(
        "dev:
  - {name: api, command: nasty wait-for go crash-n-times count 1 forever, auto_restart: {delay: 300ms}}
",
    );
    let notifications = desktop.screen.notifications();
    let (_app, item) = desktop.launch_in_tray();
    after_a_crash(&desktop, &item);
    let crash = notifications.wait("api crashed");
    let mended = notifications.wait("api runs again");
    assert_eq!(mended.action_ids(), ["default", "show-log"], "nothing is left to be decided: {mended:?}");
    item.wait_menu("nothing needs attention", |menu| {
        menu.find(&["api crashed"]).is_none() && menu.find(&["api runs again"]).is_none()
    });
    item.wait_label("dev — running");
    wait_until("in its place", || !notifications.is_open(crash.id) || crash.id == mended.id);
}

/// Long enough for its user to have turned to something else.
const SLOW: &str = "dev:
  - {name: api, command: nasty sleep 10200 touch up forever, health_check: test -e up}
  - {name: late, command: nasty wait-for go exit 1, auto_restart: false}
";

#[test]
fn the_end_of_a_long_start_is_told_to_who_looks_elsewhere() {
    let desktop = Desktop::with(SLOW);
    let notifications = desktop.screen.notifications();
    let (_app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    let ready = notifications.wait("dev is ready");
    assert!(ready.body.starts_with("after 1"), "{ready:?}");
    notifications.invoke(&ready, "default");
    desktop.screen.windows().wait_shown("Forge");
}

#[test]
fn who_has_the_window_open_is_not_told_that_all_is_ready() {
    let desktop = Desktop::with(SLOW);
    let notifications = desktop.screen.notifications();
    let app = desktop.launch([]);
    desktop.screen.windows().wait_shown("Forge");
    let item = app.item(&desktop.screen);
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    // What is told after it.
    desktop.write("go", "");
    let _late = notifications.wait("late crashed");
    let told: Vec<String> = notifications.history().into_iter().map(|one| one.summary).collect();
    assert_eq!(told, ["late crashed"], "nothing else");
}

#[test]
fn unhealthy_for_long_is_told_and_restart_mends_it() {
    let desktop = Desktop::with(
        "settings: {alerts: {unhealthy: 200ms}}
dev:
  - name: api
    command: nasty touch well forever
    health_check: {exec: 'test -e well', interval: 50ms, retries: 1, start_period: 0s}
",
    );
    let notifications = desktop.screen.notifications();
    let (_app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    let before = desktop.pid("api");
    std::fs::remove_file(desktop.path("well")).expect("it was made");
    let unhealthy = notifications.wait("api is unhealthy");
    assert_eq!(unhealthy.action_ids(), ["default", "restart", "show-log"], "{unhealthy:?}");
    notifications.invoke(&unhealthy, "restart");
    desktop.wait_process("api", "well again", |api| api["ready"] == true && api["pid"] != before.pid);
    wait_until("what is over is taken away", || !notifications.is_open(unhealthy.id));
}

#[test]
fn restart_starts_it_at_once() {
    let desktop = Desktop::with(FRAGILE);
    let notifications = desktop.screen.notifications();
    let (_app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    let before = desktop.pid("api");
    desktop.write("go", "");
    let crash = notifications.wait("api crashed");
    std::fs::remove_file(desktop.path("go")).expect("it was written");
    notifications.invoke(&crash, "restart");
    desktop.wait_process("api", "ready again", |api| api["ready"] == true && api["pid"] != before.pid);
    item.wait_label("dev — running");
    assert!(desktop.screen.windows().titles().is_empty(), "no window in the way");
}

#[test]
fn keep_stopped_keeps_it_stopped() {
    let desktop = Desktop::with(FRAGILE);
    let notifications = desktop.screen.notifications();
    let (_app, item) = desktop.launch_in_tray();
    after_a_crash(&desktop, &item);
    notifications.invoke(&notifications.wait("api crashed"), "keep-stopped");
    desktop.wait_status("api", "stopped");
    item.wait_label("dev — stopped");
    item.wait_menu("nothing needs attention", |menu| menu.find(&["api crashed"]).is_none());
    desktop.wait_nothing_left();
}

#[test]
fn the_log_and_the_notification_itself_open_the_window() {
    for action in ["show-log", "default"] {
        let desktop = Desktop::with(FRAGILE);
        let notifications = desktop.screen.notifications();
        let (_app, item) = desktop.launch_in_tray();
        after_a_crash(&desktop, &item);
        notifications.invoke(&notifications.wait("api crashed"), action);
        desktop.screen.windows().wait_shown("Forge");
        assert_eq!(desktop.process("api")["status"], "restarting", "{action} changes nothing");
    }
}

#[test]
fn crashes_in_a_row_are_one_notification_that_gets_worse() {
    let desktop = Desktop::with(
        "dev:
  - {name: api, command: nasty exit 1, auto_restart: {delay: 100ms, max_crashes: 3}}
",
    );
    let notifications = desktop.screen.notifications();
    let (_app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    let last = notifications.wait("api keeps crashing");
    let history = notifications.history();
    assert!(history.iter().all(|notification| notification.id == last.id), "one incident: {history:#?}");
    assert!(
        history.iter().skip(1).all(|notification| notification.replaces == last.id),
        "in the place of the first: {history:#?}"
    );
    assert!(notifications.is_open(last.id), "and it is still there");
}

#[test]
fn what_kept_crashing_is_started_again_by_its_notification() {
    let desktop = Desktop::with(
        "dev:
  - {name: api, command: nasty crash-n-times count 2 forever, auto_restart: {delay: 100ms, max_crashes: 2}}
",
    );
    let notifications = desktop.screen.notifications();
    let (_app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    let last = notifications.wait("api keeps crashing");
    assert!(last.action_ids().contains(&"restart"), "{last:?}");
    notifications.invoke(&last, "restart");
    desktop.wait_process("api", "ready", |api| api["ready"] == true);
    wait_until("what is over is taken away", || !notifications.is_open(last.id));
    item.wait_label("dev — running");
}

/// An `api` with a port that somebody else holds, and a click on Start.
fn start_before_a_held_port(
    desktop: &Desktop,
    port: u16,
) -> (Notifications, forge_tests::desktop::App, Item) {
    desktop.trust(&format!("dev:\n  - {{name: api, command: 'nasty listen $PORT forever', port: {port}}}\n"));
    let notifications = desktop.screen.notifications();
    let (app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    (notifications, app, item)
}

#[test]
fn a_held_port_is_told_and_another_one_can_be_taken() {
    let desktop = Desktop::new();
    let port = desktop.free_port();
    let _holder = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("free");
    let (notifications, _app, item) = start_before_a_held_port(&desktop, port);
    let conflict = notifications.wait(&format!("Port {port} is in use"));
    assert_eq!(conflict.action_ids(), ["default", "kill", "next", "show"], "{conflict:?}");
    assert!(conflict.body.contains(&std::process::id().to_string()), "it names who holds it: {conflict:?}");
    item.wait_menu("it needs attention", |menu| menu.find(&[&format!("Port {port} is in use")]).is_some());
    assert!(desktop.programs().is_empty(), "nothing was started: {:?}", desktop.programs());
    notifications.invoke(&conflict, "next");
    item.wait_label("dev — running");
    let moved = desktop.process("api")["ports"][0].as_u64();
    assert!(moved.is_some_and(|moved| moved > u64::from(port)), "another port than {port}: {moved:?}");
    item.wait_menu("it is settled", |menu| menu.find(&[&format!("Port {port} is in use")]).is_none());
    wait_until("its notification is gone", || !notifications.is_open(conflict.id));
}

#[test]
fn a_port_that_is_still_held_is_told_again_and_one_that_is_free_no_more() {
    let desktop = Desktop::new();
    let port = desktop.free_port();
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("free");
    let (notifications, _app, item) = start_before_a_held_port(&desktop, port);
    let title = format!("Port {port} is in use");
    let first = notifications.wait(&title);
    // Looked at, and not settled.
    notifications.invoke(&first, "show");
    item.click(&["dev", "Start dev"]);
    let second =
        notifications.wait_where("it is told again", |one| one.summary == title && one.id != first.id);
    drop(holder);
    wait_until("nobody is in the way any more", || !notifications.is_open(second.id));
    item.wait_menu("it needs no attention", |menu| menu.find(&[&title]).is_none());
}

#[test]
fn what_is_in_the_way_can_be_looked_at_first() {
    let desktop = Desktop::new();
    let port = desktop.free_port();
    let _holder = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("free");
    let (notifications, _app, item) = start_before_a_held_port(&desktop, port);
    notifications.invoke(&notifications.wait(&format!("Port {port} is in use")), "show");
    desktop.screen.windows().wait_shown("Forge");
    assert!(desktop.programs().is_empty(), "nothing is started by looking: {:?}", desktop.programs());
    assert!(item.menu().find(&[&format!("Port {port} is in use")]).is_some(), "it is still to be settled");
}

#[test]
fn the_holder_of_a_port_can_be_ended() {
    let desktop = Desktop::new();
    let port = desktop.free_port();
    let holder = Invocation::new(nasty()).args(["listen", &port.to_string(), "forever"]).spawn();
    wait_until("it is held", || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err());
    let (notifications, _app, item) = start_before_a_held_port(&desktop, port);
    let conflict = notifications.wait(&format!("Port {port} is in use"));
    assert!(holder.is_alive(), "nothing is ended unasked");
    notifications.invoke(&conflict, "kill");
    item.wait_label("dev — running");
    assert!(!holder.is_alive(), "its holder has been ended");
    assert_eq!(desktop.process("api")["ports"][0], port, "it has its port");
}

#[test]
fn what_is_refused_to_a_click_in_the_tray_is_told() {
    let desktop = Desktop::with("dev: [{name: api, command: no-such-program --port 1}]\n");
    let notifications = desktop.screen.notifications();
    let (_app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    let refused = notifications.wait("dev could not be started");
    assert!(refused.body.contains("no-such-program"), "it says why: {refused:?}");
    desktop.screen.windows().wait_shown("Forge");
}

#[test]
fn without_anybody_to_show_notifications_the_app_goes_on() {
    let desktop = Desktop::with(FRAGILE);
    let (app, item) = desktop.launch_in_tray();
    after_a_crash(&desktop, &item);
    item.wait_label("dev — api crashed");
    item.click(&["dev", "Stop dev"]);
    item.wait_label("dev — stopped");
    assert!(app.is_alive(), "it lives on");
}
