//! Incidents as faces are told of them: once, until they are over, whichever supervisor it is.

use std::fs;

use forge_tests::{Rpc, World, wait_until};
use serde_json::{Value, json};

use crate::faces::{actions, click_start, environment, face, notice, with_login_path};

#[test]
fn a_crash_is_one_incident_with_its_last_line_until_it_stays_up_or_is_stopped() {
    let world = World::with(
        "dev:
  - name: api
    command: nasty eprint 'panic - nil pointer' wait-for go exit 1
    auto_restart: {delay: 30s}
",
    );
    let mut face = face(&world);
    world.start();
    world.write("go", "");
    let crash = notice(&mut face, "crash");
    assert_eq!(crash["summary"], "api crashed", "{crash}");
    assert_eq!(crash["body"], "exit 1: panic - nil pointer\nRestarts in 30 s", "{crash}");
    assert_eq!(actions(&crash), ["restart", "keep-stopped", "show-log"], "{crash}");
    assert_eq!(face.ask("notices", json!({}))["notices"][0]["id"], crash["id"], "it is open");

    face.ask("notices.act", json!({"id": crash["id"], "action": "restart"}));
    let second = notice(&mut face, "crash");
    face.ask("notices.act", json!({"id": second["id"], "action": "keep-stopped"}));
    assert_eq!(world.process("api")["status"], "stopped", "it stays down");
    assert_eq!(face.ask("notices", json!({}))["notices"], json!([]), "nothing is open");
    let late = face.call("notices.act", json!({"id": second["id"], "action": "restart"})).expect("an answer");
    assert_eq!(late["error"]["data"]["code"], "not_found", "what is over cannot be acted on: {late}");
}

#[test]
fn a_crash_that_was_restarted_is_told_as_mended_and_offers_nothing_to_decide() {
    let world = World::with(
        "dev:
  - {name: api, command: nasty crash-n-times count 1 forever, auto_restart: {delay: 500ms}}
",
    );
    let mut face = face(&world);
    world.forge(["start", "-d"]).run().ok();
    let crash = notice(&mut face, "crash");
    assert_eq!(crash["settled"], false, "{crash}");
    let mended = notice(&mut face, "crash");
    assert_eq!(mended["id"], crash["id"], "the same incident: {mended}");
    assert_eq!(mended["summary"], "api runs again", "{mended}");
    assert_eq!((&mended["settled"], &mended["until"]), (&json!(true), &Value::Null), "{mended}");
    assert_eq!(actions(&mended), ["show-log"], "{mended}");
    let late =
        face.call("notices.act", json!({"id": crash["id"], "action": "keep-stopped"})).expect("an answer");
    assert_eq!(late["error"]["data"]["code"], "usage", "what runs again is not stopped by it: {late}");
    assert_eq!(world.process("api")["status"], "running", "it goes on");
}

#[test]
fn crashes_in_a_row_are_the_same_incident_that_gets_worse() {
    let world = World::with(
        "dev:
  - {name: api, command: nasty exit 1, auto_restart: {delay: 0s, max_crashes: 3}}
",
    );
    let mut face = face(&world);
    // A start that waits may see it running before it exits: on a busy machine that takes a while.
    world.forge(["start", "-d"]).run().ok();
    let last = notice(&mut face, "crash_loop");
    assert_eq!(last["summary"], "api keeps crashing", "{last}");
    let open = face.ask("notices", json!({}))["notices"].clone();
    assert_eq!(open.as_array().map(Vec::len), Some(1), "one incident: {open}");
    world.forge(["stop"]).run().ok();
    face.update(|update| update["update"] == "notice_closed" && update["id"] == last["id"]);
}

#[test]
fn a_crash_loop_that_is_muted_is_not_told() {
    let world = World::with(
        "dev:
  - {name: api, command: nasty exit 1, auto_restart: {delay: 0s, max_crashes: 3}}
  - {name: other, command: nasty exit 1, auto_restart: {delay: 0s, max_crashes: 3}, disabled: true}
",
    );
    let mut face = face(&world);
    let mute = |process: &str| {
        json!({
            "workspace": world.workspace(), "environment": "dev", "process": process, "kind": "crash_loop",
            "muted": true,
        })
    };
    face.ask("alerts.mute", mute("api"));
    world.forge(["start", "-d", "dev/api"]).run().ok();
    world.wait_status("api", "failed");
    // Told after it, if it were.
    world.forge(["start", "-d", "dev/other"]).run().ok();
    let told = notice(&mut face, "crash_loop");
    assert_eq!(told["process"], "other", "the first is not told");
    wait_until("nothing of it is open", || {
        let open = face.ask("notices", json!({}))["notices"].clone();
        open.as_array().is_some_and(|open| open.iter().all(|notice| notice["process"] == "other"))
    });
    assert_eq!(world.status()["muted"], json!([{"process": "api", "kind": "crash_loop"}]), "it is listed");
    face.ask("alerts.mute", mute("other"));
    face.update(|update| update["update"] == "notice_closed" && update["id"] == told["id"]);
}

#[test]
fn unhealthy_for_long_is_told_and_closed_when_it_is_well_again() {
    let world = World::with(
        "settings: {alerts: {unhealthy: 200ms}}
dev:
  - name: api
    command: nasty touch well wait-for never
    health_check: {exec: 'test -e well', interval: 50ms, retries: 1, start_period: 0s}
",
    );
    let mut face = face(&world);
    world.start();
    fs::remove_file(world.path("well")).expect("it was made");
    let told = notice(&mut face, "unhealthy");
    assert_eq!(told["summary"], "api is unhealthy", "{told}");
    assert_eq!(actions(&told), ["restart", "show-log"], "{told}");
    world.write("well", "");
    face.update(|update| update["update"] == "notice_closed" && update["id"] == told["id"]);
}

#[test]
fn a_crash_that_nobody_has_looked_after_is_told_by_the_next_supervisor() {
    let world =
        World::with("dev:\n  - {name: api, command: nasty eprint ouch exit 3, auto_restart: false}\n");
    world.forge(["start", "-d"]).run().ok();
    world.wait_status("api", "crashed");
    world.kill_supervisor();
    let mut face = face(&world);
    let mut notices = || face.ask("notices", json!({}))["notices"].clone();
    wait_until("it is told", || notices()[0]["summary"] == "api crashed");
    let told = notices();
    assert_eq!(told[0]["body"], "exit 3: ouch\nStays down, as configured", "{told}");
    world.forge(["stop"]).run().ok();
    wait_until("and is over when it was stopped", || notices() == json!([]));
}

#[test]
fn a_countdown_goes_on_with_the_next_supervisor() {
    let world = World::with("dev:\n  - {name: api, command: nasty exit 3, auto_restart: {delay: 10m}}\n");
    world.forge(["start", "-d"]).run().ok();
    let due = world.wait_status("api", "restarting")["restart_at"].clone();
    world.kill_supervisor();
    let api = world.wait_status("api", "restarting");
    let seconds = |time: &Value| -> i64 {
        let time: jiff::Timestamp = time.as_str().and_then(|text| text.parse().ok()).expect("a time");
        time.as_second()
    };
    assert!((seconds(&api["restart_at"]) - seconds(&due)).abs() <= 2, "{due} and {api}");
    assert_eq!(api["run"], 1, "it was not started: {api}");
    let mut face = face(&world);
    wait_until("the ways out are offered", || {
        face.ask("notices", json!({}))["notices"][0]["actions"][1]["id"] == "keep-stopped"
    });
}

#[test]
fn what_is_gone_from_the_configuration_is_gone_from_the_faces_and_so_is_what_was_told_of_it() {
    let crashing = "  - {name: bad, command: nasty exit 7, auto_restart: {delay: 0s, max_crashes: 2}}\n";
    let world = World::with(&format!("dev:\n  - {{name: a, command: nasty forever}}\n{crashing}"));
    world.forge(["workspaces", "add"]).run().ok();
    let mut face = face(&world);
    world.forge(["start", "-d"]).run().ok();
    let told = notice(&mut face, "crash_loop");
    assert_eq!(told["process"], "bad", "{told}");
    let names = || {
        let processes = world.status()["processes"].as_array().cloned().unwrap_or_default();
        processes.iter().map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["a", "bad"], "both");
    world.configure("dev:\n  - {name: b, command: nasty forever}\n");
    face.update(|update| update["update"] == "notice_closed" && update["id"] == told["id"]);
    assert_eq!(names(), ["b", "a"], "what runs is shown, what has failed and is not configured is not");
    world.forge(["stop", "a"]).run().ok();
    face.update(|update| update["update"] == "workspaces");
    assert_eq!(names(), ["b"], "nothing can be done with the other any more");
    let environment = environment(&mut face);
    assert_eq!(
        (&environment["processes"], &environment["startable"]),
        (&json!(1), &json!(true)),
        "{environment}"
    );
}

#[test]
fn workspaces_of_one_name_are_told_apart_and_notices_go_with_theirs() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    let mut face = face(&world);
    for folder in ["shop/backend", "blog/backend", "alone"] {
        world.write(
            &format!("{folder}/.forge/processes.yml"),
            "dev:\n  - {name: a, command: nasty exit 1, auto_restart: {delay: 0s, max_crashes: 2}}\n",
        );
        world.forge(["workspaces", "add", folder]).run().ok();
    }
    let workspaces = face.ask("workspaces", json!({}))["workspaces"].clone();
    let names: Vec<&str> =
        workspaces.as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["alone", "blog/backend", "shop/backend"], "{workspaces}");
    world.forge(["-C", "alone", "start", "-d"]).run().ok();
    let told = notice(&mut face, "crash_loop");
    world.forge(["workspaces", "remove", "alone"]).run().ok();
    face.update(|update| update["update"] == "notice_closed" && update["id"] == told["id"]);
}

#[test]
fn what_was_not_ready_in_time_is_told_until_it_is() {
    let world = World::with(
        "dev:
  - name: api
    command: nasty forever
    health_check: {exec: 'test -e well', interval: 50ms, start_interval: 50ms, retries: 2, start_period: 0s}
",
    );
    with_login_path(&world);
    let mut face = face(&world);
    world.forge(["workspaces", "add"]).run().ok();
    let asked = face.ask("workspaces.commands", json!({"path": world.workspace()}));
    face.ask("workspaces.trust", json!({"path": world.workspace(), "hash": asked["hash"]}));
    let started = click_start(&world, &mut face, json!(["dev/"]));
    assert_eq!(started["result"]["environment"], "dev", "{started}");
    let told = notice(&mut face, "start_failed");
    assert_eq!(told["summary"], "dev is not ready", "{told}");
    world.write("well", "");
    face.update(|update| update["update"] == "notice_closed" && update["id"] == told["id"]);
    assert_eq!(world.process("api")["ready"], true, "since it is");
}

#[test]
fn what_was_put_away_is_not_told_by_the_next_supervisor() {
    let world = World::with(
        "dev:
  - {name: api, command: nasty exit 1, auto_restart: {delay: 0s, max_crashes: 2}}
  - {name: web, command: nasty exit 1, auto_restart: {delay: 0s, max_crashes: 2}}
",
    );
    let mut face = face(&world);
    world.forge(["start", "-d"]).run().ok();
    let open = |face: &mut Rpc| {
        let open = face.ask("notices", json!({}))["notices"].clone();
        open.as_array().expect("a list").iter().map(|one| one["process"].clone()).collect::<Vec<_>>()
    };
    for name in ["api", "web"] {
        world.wait_status(name, "failed");
    }
    wait_until("both are told", || open(&mut face).len() == 2);
    let all = face.ask("notices", json!({}))["notices"].clone();
    let api = all.as_array().expect("a list").iter().find(|one| one["process"] == "api").expect("told");
    face.ask("notices.dismiss", json!({"id": api["id"]}));
    world.wait_saved("\"dismissed\":[\"crash\"]");
    world.kill_supervisor();
    let mut face = crate::faces::face(&world);
    wait_until("the other one is told again", || !open(&mut face).is_empty());
    assert_eq!(open(&mut face), ["web"], "and that one is not");
}
