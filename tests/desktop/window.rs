//! The page in the window, against real processes.

use std::net::{Ipv4Addr, TcpListener};

use forge_tests::desktop::{Desktop, Window, test_id};
use forge_tests::wait_until;

/// Goes to a place of the first environment: `p/api/logs`, or nothing for its own page.
pub(super) fn go(window: &Window, desktop: &Desktop, place: &str) {
    let workspace = desktop.workspace();
    let rest = if place.is_empty() { String::new() } else { format!("/{place}") };
    window.run(&format!(
        "location.hash = '#/e/' + encodeURIComponent('{}') + '/dev{rest}'",
        workspace.display()
    ));
}

fn status_of(window: &Window, process: &str, wanted: &str) {
    window.wait_text(&test_id(&format!("process-{process}-status")), wanted, |text| text.contains(wanted));
}

#[test]
fn clicks_lead_from_start_through_a_crash_to_stop() {
    let desktop = Desktop::with(
        "dev:
  - {name: api, command: nasty wait-for go exit 3, auto_restart: {delay: 60s}}
  - {name: web, command: nasty forever}
",
    );
    let window = Window::open(&desktop);
    window.click(&test_id("environment-dev"));
    status_of(&window, "api", "stopped");
    window.click(&test_id("start-dev"));
    status_of(&window, "api", "ready");
    status_of(&window, "web", "ready");
    window.wait_text(&test_id("environment-dev"), "running", |text| text.contains("running"));
    let (api, web) = (desktop.pid("api"), desktop.pid("web"));

    desktop.write("go", "");
    window.wait_text(&test_id("environment-dev"), "api crashed", |text| text.contains("api crashed"));
    window.wait_text("[data-testid^=\"crash-\"]", "exit 3", |text| {
        text.contains("api crashed") && text.contains("exit 3")
    });
    std::fs::remove_file(desktop.path("go")).expect("it was written");
    window.click(&test_id("start-api"));
    status_of(&window, "api", "ready");
    assert_ne!(desktop.pid("api"), api, "another process");
    assert_eq!(desktop.pid("web"), web, "its neighbour is the same");

    window.click(&test_id("stop-web"));
    status_of(&window, "web", "stopped");
    window.click(&test_id("stop-dev"));
    status_of(&window, "api", "stopped");
    desktop.wait_nothing_left();
}

#[test]
fn what_a_program_prints_is_text_and_nothing_else() {
    let desktop = Desktop::with(
        "dev:
  - name: api
    command:
      - nasty
      - print
      - 'plain & simple'
      - print
      - '<script>window.owned = 1</script>'
      - print
      - '<img src=x onerror=\"window.owned = 2\">'
      - forever
",
    );
    let window = Window::open(&desktop);
    go(&window, &desktop, "p/api/logs");
    desktop.start();
    for line in
        ["plain & simple", "<script>window.owned = 1</script>", "<img src=x onerror=\"window.owned = 2\">"]
    {
        window.wait_text(&test_id("log"), line, |text| text.contains(line));
    }
    assert!(window.text(&test_id("log-line")).is_some(), "a line is an element of its own");
    let made = window
        .run("return document.querySelectorAll('[data-testid=log] img, [data-testid=log] script').length");
    assert_eq!(made, 0, "no element comes of it");
    assert!(window.run("return window.owned ?? null").is_null(), "and nothing runs");
}

#[test]
fn lines_appear_while_one_looks() {
    let desktop =
        Desktop::with("dev:\n  - {name: api, command: nasty print first wait-for go print second forever}\n");
    let window = Window::open(&desktop);
    desktop.start();
    go(&window, &desktop, "logs");
    window.wait_text(&test_id("log"), "the first line", |text| text.contains("first"));
    desktop.write("go", "");
    window.wait_text(&test_id("log"), "the second line", |text| text.contains("second"));
}

#[test]
fn commands_are_shown_and_trusted_before_they_run() {
    let desktop = Desktop::new();
    desktop.configure("dev:\n  - {name: a, command: nasty touch ran forever}\n");
    desktop.forge(["workspaces", "add"]).run().ok();
    let window = Window::open(&desktop);
    window.click(&test_id("environment-dev"));
    let shown =
        window.wait_text(&test_id("trust"), "the command", |text| text.contains("nasty touch ran forever"));
    assert!(!desktop.path("ran").exists(), "nothing runs before: {shown}");
    window.click(&format!("{} button", test_id("trust")));
    wait_until("it runs", || desktop.path("ran").exists());
    status_of(&window, "a", "ready");
}

#[test]
fn a_first_run_leads_from_a_folder_to_an_example_that_runs() {
    let desktop = Desktop::new();
    let window = Window::open(&desktop);
    window.click(".welcome button");
    let folder = desktop.workspace();
    desktop.screen.windows().fill_in("Add a workspace", folder.to_str().expect("UTF-8"));
    // It has no configuration yet: the same button writes one.
    window.wait_text(&test_id("workspace-add"), "an offer", |text| text.contains("Write an example"));
    assert!(!desktop.path(".forge/processes.yml").exists(), "nothing is written without a click");
    window.click(&test_id("workspace-add"));
    wait_until("the example is there", || desktop.path(".forge/processes.yml").exists());
    window.click(&test_id("environment-dev"));
    window.wait_text(&test_id("trust"), "its commands", |text| text.contains("Trust"));
    desktop.forge(["check"]).run().ok();
}

#[test]
fn the_tray_leads_the_page() {
    let desktop = Desktop::with("dev:\n  - {name: api, command: nasty forever}\n");
    let window = Window::open(&desktop);
    let item = desktop.screen.tray().item_of(window.app().pid).expect("the app has a tray");
    item.click(&["dev", "Start dev"]);
    window.wait_text(&test_id("environment-dev"), "running", |text| text.contains("running"));
    item.click(&["dev", "api", "Show log"]);
    window.wait_route(|route| route.ends_with("/dev/p/api/logs"));
    item.click(&["Ports…"]);
    window.wait_route(|route| route == "#/ports");
}

#[test]
fn each_word_of_a_crash_leads_to_its_place() {
    for action in ["show-log", "default"] {
        let desktop = Desktop::with(
            "dev:\n  - {name: api, command: nasty eprint ouch wait-for go exit 1, auto_restart: {delay: 60s}}\n",
        );
        let notifications = desktop.screen.notifications();
        let window = Window::open(&desktop);
        desktop.start();
        desktop.write("go", "");
        notifications.invoke(&notifications.wait("api crashed"), action);
        window.wait_route(|route| route.contains("/dev/p/api/logs?notice="));
        window.wait_text(&test_id("log"), "its last line", |text| text.contains("ouch"));
        let item = desktop.screen.tray().item_of(window.app().pid).expect("the app has a tray");
        item.click(&["api crashed"]);
        window.wait_route(|route| route.contains("/dev/p/api?notice="));
        window.wait_text("[data-testid^=\"crash-\"]", "its exit", |text| text.contains("exit 1"));
    }
}

#[test]
fn a_held_port_leads_to_the_ways_out() {
    let desktop = Desktop::new();
    let port = desktop.free_port();
    let _holder = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("free");
    desktop.trust(&format!("dev:\n  - {{name: api, command: 'nasty listen $PORT forever', port: {port}}}\n"));
    let notifications = desktop.screen.notifications();
    let window = Window::open(&desktop);
    // Where a page that is still loading goes is where its address says.
    window.wait_text(&test_id("environment-dev"), "the page", |text| text.contains("stopped"));
    let item = desktop.screen.tray().item_of(window.app().pid).expect("the app has a tray");
    item.click(&["dev", "Start dev"]);
    let title = format!("Port {port} is in use");
    let conflict = notifications.wait(&title);
    window.run("location.hash = '#/'");
    notifications.invoke(&conflict, "show");
    window.wait_route(|route| route.contains("/dev?notice="));
    window.wait_text("main", "what it is about", |text| text.contains(&title));
    window.run("location.hash = '#/'");
    item.click(&[&title]);
    window.wait_route(|route| route.contains("/dev?notice="));
}

#[test]
fn closing_hides_it_and_it_comes_back_where_it_was() {
    let desktop = Desktop::with("dev:\n  - {name: api, command: nasty forever}\n");
    let window = Window::open(&desktop);
    go(&window, &desktop, "p/api");
    let route = window.wait_route(|route| route.ends_with("/p/api"));
    status_of(&window, "api", "stopped");
    let windows = desktop.screen.windows();
    windows.close("Forge");
    windows.wait_hidden("Forge");
    assert!(window.app().is_alive(), "the app stays in the tray");
    desktop.start();
    desktop.launch([]).wait().ok();
    windows.wait_shown("Forge");
    assert_eq!(window.route(), route, "the same place");
    status_of(&window, "api", "ready");
}

#[test]
fn a_closed_window_is_kept_for_a_while_and_then_ended() {
    let mut desktop = Desktop::with("dev:\n  - {name: api, command: nasty forever}\n");
    desktop.world.set_env("FORGE_WINDOW_LINGER_MS", "5000");
    let window = Window::open(&desktop);
    let pages = || -> Vec<u32> {
        let all = desktop.alive();
        let pages = all.iter().filter(|process| process.command.contains("WebKitWebProcess"));
        pages.map(|process| process.pid).collect()
    };
    let page = pages();
    assert_eq!(page.len(), 1, "{:?}", desktop.alive());
    let windows = desktop.screen.windows();
    let close = || {
        windows.close("Forge");
        windows.wait_hidden("Forge");
    };
    close();
    desktop.launch([]).wait().ok();
    windows.wait_shown("Forge");
    assert_eq!(pages(), page, "whoever comes back soon finds the same page");
    close();
    assert_eq!(pages(), page, "it is still there");
    wait_until("the page is ended", || pages().is_empty());
    assert!(window.app().is_alive(), "the app stays in the tray");
}

#[test]
fn a_window_that_was_ended_comes_back_where_it_was() {
    let mut desktop = Desktop::with("dev:\n  - {name: api, command: nasty forever}\n");
    desktop.world.set_env("FORGE_WINDOW_LINGER_MS", "0");
    let window = Window::open(&desktop);
    go(&window, &desktop, "p/api");
    let route = window.wait_route(|route| route.ends_with("/p/api"));
    status_of(&window, "api", "stopped");
    let pages =
        || desktop.alive().iter().filter(|process| process.command.contains("WebKitWebProcess")).count();
    assert_eq!(pages(), 1, "{:?}", desktop.alive());
    desktop.screen.windows().close("Forge");
    wait_until("the page is ended", || pages() == 0);
    assert!(window.app().is_alive(), "the app stays in the tray");
    desktop.launch([]).wait().ok();
    window.follow();
    assert_eq!(window.wait_route(|route| !route.is_empty()), route, "the same place");
    status_of(&window, "api", "stopped");
}
