//! The icon in the tray and its menu.

use std::fs;

use forge_tests::desktop::{Desktop, Item, Menu, Screen};
use forge_tests::wait_until;

const PAIR: &str = "dev:
  - {name: api, command: nasty forever}
  - {name: web, command: nasty forever, depends_on: [api]}
";

#[test]
fn the_menu_has_the_words_and_the_order_of_the_contract() {
    let desktop = Desktop::with(PAIR);
    let (_app, item) = desktop.launch_in_tray();
    let menu = item.wait_label("dev — stopped");
    let expected = "\
Open Forge
---
workspace (disabled)
dev — stopped
  Start dev
  Stop dev (disabled)
  Restart dev (disabled)
  ---
  api — stopped
    Start
    Stop (disabled)
    Restart (disabled)
    Show log
  web — stopped
    Start
    Stop (disabled)
    Restart (disabled)
    Show log
---
Ports…
---
[ ] Launch at login
Quit Forge
";
    assert_eq!(menu.to_string(), expected, "line by line");
    assert_eq!(item.property("Title"), "Forge", "its name");
    assert_eq!(item.property("Status"), "Active", "it is shown");
    assert_eq!(item.property("ItemIsMenu"), false, "a left click is something else than the menu");
    assert!(item.property("ToolTip").to_string().contains("nothing runs"), "{}", item.property("ToolTip"));
}

#[test]
fn a_click_starts_real_processes_and_another_stops_them() {
    let desktop = Desktop::with(
        "dev:
  - {name: api, command: nasty forever}
  - {name: web, command: nasty forever, health_check: test -e go}
",
    );
    let (_app, item) = desktop.launch_in_tray();
    let stopped = item.wait_label("dev — stopped");
    let idle = item.icon();
    assert!(!stopped.item(&["dev", "Stop dev"]).enabled, "nothing to stop\n{stopped}");
    item.click(&["dev", "Start dev"]);
    let some = item.wait_label("dev — 1 of 2 ready");
    assert!(some.item(&["dev", "Stop dev"]).enabled, "there is something to stop\n{some}");
    wait_until("the icon tells that something goes on", || item.icon() != idle);
    let busy = item.icon();
    assert_eq!(desktop.programs().len(), 2, "real processes: {:#?}", desktop.programs());
    desktop.write("go", "");
    let running = item.wait_label("dev — running");
    wait_until("the icon tells that all is well", || item.icon() != idle && item.icon() != busy);
    assert!(!running.item(&["dev", "Start dev"]).enabled, "nothing to start\n{running}");
    assert!(running.item(&["dev", "Restart dev"]).enabled, "{running}");
    item.wait_menu("web is ready", |menu| menu.find(&["dev — running", "web — ready"]).is_some());
    wait_until("the tooltip says so", || item.property("ToolTip").to_string().contains("dev — running"));
    item.click(&["dev", "Stop dev"]);
    item.wait_label("dev — stopped");
    desktop.wait_nothing_left();
    wait_until("the icon is as it was", || item.icon() == idle);
}

#[test]
fn a_crash_is_told_by_the_label_by_an_item_on_top_and_by_the_icon() {
    let desktop = Desktop::with(
        "dev:
  - {name: api, command: nasty wait-for go exit 3, auto_restart: false}
  - {name: web, command: nasty forever}
",
    );
    let (_app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    let well = item.icon();
    desktop.write("go", "");
    let menu = item.wait_label("dev — api crashed");
    let menu = if menu.find(&["api crashed"]).is_some() { menu } else { item.wait_label("api crashed") };
    let top: Vec<&str> = menu.0.items.iter().take(2).map(|item| item.label.as_str()).collect();
    assert_eq!(top, ["Open Forge", "api crashed"], "what needs attention is on top\n{menu}");
    wait_until("another icon", || item.icon() != well);
    item.click(&["api crashed"]);
    desktop.screen.windows().wait_shown("Forge");
    item.click(&["dev", "Stop dev"]);
    item.wait_menu("nothing needs attention", |menu| menu.find(&["api crashed"]).is_none());
}

#[test]
fn each_process_can_be_stopped_started_and_restarted_by_itself() {
    let desktop = Desktop::with(PAIR);
    let (_app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    let (api, web) = (desktop.pid("api"), desktop.pid("web"));
    item.click(&["dev", "web", "Restart"]);
    wait_until("it is another process", || !web.is_alive() && desktop.process("web")["ready"] == true);
    item.wait_enabled(&["dev", "web — ready", "Stop"], true);
    item.click(&["dev", "web", "Stop"]);
    item.wait_menu("web is stopped", |menu| menu.find(&["dev", "web — stopped"]).is_some());
    assert!(api.is_alive(), "its neighbour is left alone");
    item.click(&["dev", "web", "Start"]);
    item.wait_menu("web is up", |menu| menu.find(&["dev", "web — ready"]).is_some());
    assert!(api.is_alive(), "its neighbour is left alone");
    let web = desktop.pid("web");
    item.wait_enabled(&["dev", "Restart dev"], true);
    item.click(&["dev", "Restart dev"]);
    wait_until("all of them are other processes", || !api.is_alive() && !web.is_alive());
    item.wait_label("dev — running");
}

#[test]
fn an_open_menu_is_changed_in_place() {
    let desktop = Desktop::with(PAIR);
    let (_app, item) = desktop.launch_in_tray();
    let before = item.wait_label("dev — stopped");
    item.opened(&[]);
    item.opened(&["dev"]);
    let _earlier = item.take_signals();
    item.click(&["dev", "Start dev"]);
    let running = item.wait_label("dev — running");
    assert_eq!(running.ids(), before.ids(), "each item is the one that it was");
    item.click(&["dev", "Stop dev"]);
    item.wait_menu("all is as before", |menu| *menu == before);
    let signals = item.take_signals();
    assert!(signals.iter().all(|name| name == "ItemsPropertiesUpdated"), "nothing is rebuilt: {signals:?}");
    assert!(!signals.is_empty(), "and the panel is told");
    item.closed(&["dev"]);
    item.closed(&[]);
}

#[test]
fn a_crash_is_put_into_an_open_menu_beside_what_stays() {
    let desktop = Desktop::with(
        "dev:
  - {name: api, command: nasty wait-for go exit 3, auto_restart: false}
  - {name: web, command: nasty forever}
",
    );
    let (_app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
    let before = item.wait_enabled(&["dev", "Stop dev"], true);
    item.opened(&[]);
    item.opened(&["dev"]);
    let _earlier = item.take_signals();
    desktop.write("go", "");
    let after = item.wait_label("api crashed");
    let lines = |menu: &Menu| menu.to_string().lines().count();
    assert_eq!(lines(&after), lines(&before) + 1, "one more, and all others\n{after}");
    // The tray's library gives all items new numbers then; the panel is to ask for them once.
    let rebuilt = item.take_signals().iter().filter(|name| *name == "LayoutUpdated").count();
    assert_eq!(rebuilt, 1, "one change of layout");
    item.closed(&["dev"]);
    item.closed(&[]);
    item.click(&["dev", "Stop dev"]);
    let settled = item.wait_menu("it is taken away", |menu| menu.find(&["api crashed"]).is_none());
    assert_eq!(lines(&settled), lines(&before), "and all others stay\n{settled}");
}

#[test]
fn a_workspace_comes_and_goes_with_the_list() {
    let desktop = Desktop::with(PAIR);
    let (_app, item) = desktop.launch_in_tray();
    item.wait_label("dev — stopped");
    let other = desktop.folder().join("other_one");
    fs::create_dir_all(other.join(".forge")).expect("a folder");
    fs::write(other.join(".forge/processes.yml"), "test:\n  - {name: t, command: nasty forever}\n")
        .expect("a file");
    let other = other.to_str().expect("UTF-8");
    desktop.forge(["-C", other, "workspaces", "add"]).run().ok();
    let menu = item.wait_label("test — stopped");
    assert!(menu.find(&["other_one"]).is_some(), "its name, with the underscore\n{menu}");
    assert!(menu.find(&["dev", "Start dev"]).is_some(), "beside the first\n{menu}");
    desktop.forge(["-C", other, "workspaces", "remove"]).run().ok();
    let menu = item.wait_menu("it goes", |menu| menu.find(&["test"]).is_none());
    assert!(menu.find(&["other_one"]).is_none(), "its name too\n{menu}");
    assert!(menu.find(&["dev", "Start dev"]).is_some(), "the first stays\n{menu}");
}

#[test]
fn a_process_that_is_added_to_the_file_is_in_the_menu() {
    let desktop = Desktop::with(PAIR);
    let (_app, item) = desktop.launch_in_tray();
    item.wait_label("dev — stopped");
    desktop.configure(&format!("{PAIR}  - {{name: worker, command: nasty forever}}\n"));
    item.wait_menu("it is there", |menu| menu.find(&["dev", "worker — stopped"]).is_some());
}

#[test]
fn launch_at_login_is_a_file_of_the_desktop_and_is_quiet() {
    let desktop = Desktop::new();
    let (app, item) = desktop.launch_in_tray();
    let login = |item: &Item, checked| {
        item.wait_menu("Launch at login", |menu| {
            menu.find(&["Launch at login"]).is_some_and(|item| item.checked == Some(checked))
        });
    };
    login(&item, false);
    item.click(&["Launch at login"]);
    login(&item, true);
    let folder = desktop.user().join("configuration/autostart");
    let entries =
        || fs::read_dir(&folder).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    // The toolkit ticks the item before the app hears of the click.
    let text =
        || entries().first().and_then(|entry| fs::read_to_string(entry.path()).ok()).unwrap_or_default();
    wait_until("there is an entry", || text().ends_with("enabled=true\n"));
    assert_eq!(entries().len(), 1, "one entry in {}", folder.display());
    let entry = text();
    let command = entry.lines().find_map(|line| line.strip_prefix("Exec=")).expect("a command");
    assert!(command.contains("forge-desktop") && command.ends_with("--background"), "{entry}");
    app.terminate().ok();
    // As the next one runs it.
    let app = desktop.launch_by("sh", ["-c", &format!("exec {command}")]);
    let item = app.item(&desktop.screen);
    login(&item, true);
    assert_eq!(desktop.screen.windows().titles(), [""; 0], "no window opens");
    item.click(&["Launch at login"]);
    login(&item, false);
    wait_until("the entry is gone", || entries().is_empty());
}

#[test]
fn a_left_click_and_the_first_item_show_the_window() {
    let desktop = Desktop::new();
    let (_app, item) = desktop.launch_in_tray();
    let windows = desktop.screen.windows();
    item.activate();
    windows.wait_shown("Forge");
    windows.close("Forge");
    windows.wait_hidden("Forge");
    item.click(&["Open Forge"]);
    windows.wait_shown("Forge");
    windows.close("Forge");
    windows.wait_hidden("Forge");
    item.click(&["Ports…"]);
    windows.wait_shown("Forge");
}

#[test]
fn what_nobody_has_looked_at_is_shown_and_not_run() {
    let desktop = Desktop::new();
    desktop.configure("dev:\n  - {name: a, command: nasty touch ran forever}\n");
    desktop.forge(["workspaces", "add"]).run().ok();
    let (_app, item) = desktop.launch_in_tray();
    item.click(&["dev", "Start dev"]);
    desktop.screen.windows().wait_shown("Forge");
    assert!(!desktop.path("ran").exists(), "nothing of it runs");
    assert!(desktop.programs().is_empty(), "{:?}", desktop.programs());
}

#[test]
fn a_tray_that_comes_later_gets_the_icon_too() {
    let screen = std::rc::Rc::new(Screen::new());
    let desktop = Desktop::on(&screen);
    desktop.trust(PAIR);
    desktop.forge(["stop", "--all"]).run().ok();
    let app = desktop.launch(["--background"]);
    wait_until("the app's supervisor answers", || {
        desktop.supervisor().is_some_and(|supervisor| supervisor.pid == app.pid())
    });
    let item = app.item(&screen);
    item.click(&["dev", "Start dev"]);
    item.wait_label("dev — running");
}
