//! What the window and the tray ask of the supervisor, over its socket: workspaces, trust, notices, costs, details.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use forge_tests::{Rpc, World, wait_until};
use serde_json::{Value, json};

/// Subscribed to everything, as a face is.
pub(crate) fn face(world: &World) -> Rpc {
    // Any command starts a supervisor where none runs.
    world.forge(["workspaces"]).run().ok();
    let mut face = world.rpc().expect("a connection");
    face.ask("subscribe", json!({"workspace": null, "metrics": true}));
    face
}

/// What starts by a click has a login shell's environment: gives the world's user the tests' programs in it.
pub(crate) fn with_login_path(world: &World) {
    let path = &world.variables()["PATH"];
    fs::write(world.folder().join("user/.profile"), format!("PATH='{path}'\n")).expect("a profile");
}

pub(crate) fn click_start(world: &World, face: &mut Rpc, names: Value) -> Value {
    let params = json!({
        "workspace": world.workspace(), "names": names, "variables": null, "trust": false, "on_conflict": "fail",
    });
    face.call("start", params).expect("an answer")
}

pub(crate) fn environment(face: &mut Rpc) -> Value {
    face.ask("workspaces", json!({}))["workspaces"][0]["environments"][0].clone()
}

/// The next notice of a kind; what else is told is passed over.
pub(crate) fn notice(face: &mut Rpc, kind: &str) -> Value {
    face.update(|update| update["update"] == "notice" && update["notice"]["kind"] == kind)["notice"].clone()
}

pub(crate) fn actions(notice: &Value) -> Vec<&str> {
    let actions = notice["actions"].as_array().expect("a list");
    actions.iter().map(|action| action["id"].as_str().expect("a text")).collect()
}

#[test]
fn a_click_runs_nothing_of_a_workspace_that_nobody_has_trusted() {
    let world = World::with("dev:\n  - {name: a, command: nasty touch ran forever}\n");
    with_login_path(&world);
    let mut face = face(&world);
    world.forge(["workspaces", "add"]).run().ok();
    let refused = click_start(&world, &mut face, json!([]));
    assert_eq!(refused["error"]["data"]["code"], "untrusted", "{refused}");
    let asked = face.ask("workspaces.commands", json!({"path": world.workspace()}));
    assert_eq!(
        asked["commands"][0]["command"], "nasty touch ran forever",
        "it says what it would run: {asked}"
    );
    assert_eq!(asked["trusted"], false, "{asked}");
    face.ask("workspaces.trust", json!({"path": world.workspace(), "hash": asked["hash"]}));
    assert!(!world.path("ran").exists(), "trusting runs nothing");
    let started = click_start(&world, &mut face, json!([]));
    assert_eq!(started["result"]["environment"], "dev", "{started}");
    wait_until("it runs", || world.path("ran").exists());

    // A pull that changes commands asks again; a restart by a click is no way around it.
    world.configure("dev:\n  - {name: a, command: nasty touch evil forever}\n");
    let stale = face.call("workspaces.trust", json!({"path": world.workspace(), "hash": asked["hash"]}));
    assert_eq!(
        stale.expect("an answer")["error"]["data"]["code"],
        "untrusted",
        "what was seen is not what is"
    );
    let again = json!({"workspace": world.workspace(), "names": ["a"], "variables": null});
    let refused = face.call("restart", again).expect("an answer");
    assert_eq!(refused["error"]["data"]["code"], "untrusted", "{refused}");
    assert!(!world.path("evil").exists(), "nothing of it ran");
}

#[test]
fn a_start_that_is_typed_is_trust_and_puts_the_workspace_on_the_list() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    with_login_path(&world);
    let mut face = face(&world);
    assert_eq!(face.ask("workspaces", json!({}))["workspaces"], json!([]), "nobody has named it");
    world.start();
    let workspaces = face.ask("workspaces", json!({}))["workspaces"].clone();
    assert_eq!(workspaces[0]["path"], json!(world.workspace()), "{workspaces}");
    assert_eq!(workspaces[0]["trusted"], true, "{workspaces}");
    world.forge(["stop"]).run().ok();
    let started = click_start(&world, &mut face, json!(["a"]));
    assert!(started["error"].is_null(), "a click may start it now: {started}");
}

#[test]
fn the_words_beside_an_environment_follow_what_happens_to_it() {
    let world = World::with(
        "dev:
  - {name: a, command: nasty forever}
  - {name: b, command: nasty wait-for go exit 3, auto_restart: false}
",
    );
    let mut face = face(&world);
    world.forge(["workspaces", "add"]).run().ok();
    let before = environment(&mut face);
    assert_eq!((&before["state"], &before["mood"]), (&json!("stopped"), &json!("stopped")), "{before}");
    world.start();
    let up = environment(&mut face);
    assert_eq!(
        (&up["state"], &up["mood"], &up["ready"]),
        (&json!("running"), &json!("ready"), &json!(2)),
        "{up}"
    );
    world.write("go", "");
    face.update(|update| update["update"] == "environment" && update["summary"]["state"] == "b crashed");
    world.forge(["stop"]).run().ok();
    face.update(|update| update["update"] == "environment" && update["summary"]["state"] == "stopped");
}

#[test]
fn a_workspace_is_added_with_an_example_that_runs_and_removed_once_it_is_stopped() {
    let world = World::new();
    world.forge(["workspaces", "add"]).run().code(3);
    world.forge(["workspaces", "add", "--create"]).run().ok();
    world.start();
    let listed = world.forge(["workspaces", "list", "--json"]).run().ok().json();
    assert_eq!(listed[0]["environments"][0]["state"], "running", "{listed}");
    world.forge(["workspaces", "remove"]).run().code(2).says("stop it first");
    world.forge(["stop"]).run().ok();
    world.forge(["workspaces", "remove"]).run().ok();
    world.forge(["workspaces", "remove"]).run().code(3).says("not on the list");
    assert_eq!(world.forge(["workspaces", "--json"]).run().ok().json(), json!([]), "nothing is shown");
}

#[test]
fn an_edited_configuration_is_told_to_the_faces() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    let mut face = face(&world);
    world.forge(["workspaces", "add"]).run().ok();
    face.update(|update| update["update"] == "workspaces");
    world.configure(
        "dev:\n  - {name: a, command: nasty forever}\ntest:\n  - {name: t, command: nasty forever}\n",
    );
    face.update(|update| update["update"] == "workspaces");
    let environments = face.ask("workspaces", json!({}))["workspaces"][0]["environments"].clone();
    assert_eq!(environments[1]["environment"], "test", "{environments}");
}

#[test]
fn a_process_of_forges_own_in_the_way_can_be_stopped_for_the_start() {
    let world = World::new();
    with_login_path(&world);
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - {{name: api, command: 'nasty listen $PORT forever', port: {port}}}
other:
  - {{name: mine, command: 'nasty listen $PORT forever', port: {port}}}
"
    ));
    let mut face = face(&world);
    world.forge(["start", "dev"]).run().ok();
    click_start(&world, &mut face, json!(["other"]));
    let offered = notice(&mut face, "port_conflict");
    assert_eq!(actions(&offered), ["kill", "next", "show"], "{offered}");
    assert_eq!(offered["actions"][0]["label"], "Stop dev/api and start", "{offered}");
    face.ask("notices.act", json!({"id": offered["id"], "action": "kill"}));
    let status =
        |name: &str| world.forge(["status", name, "--json"]).run().ok().json()["processes"][0].clone();
    wait_until("the other one is ready", || status("other")["ready"] == true);
    assert_eq!(status("other")["ports"][0], port, "it has the port");
    let api = status("dev");
    assert_eq!(
        (&api["status"], &api["wanted"]),
        (&json!("stopped"), &json!(false)),
        "an ordinary stop: {api}"
    );
}

#[test]
fn a_clicked_start_in_front_of_a_held_port_offers_another_one_and_dependents_follow() {
    let world = World::new();
    with_login_path(&world);
    let port = world.free_port();
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("free");
    world.configure(&format!(
        "dev:
  - {{name: api, command: 'nasty listen $PORT forever', port: {port}}}
  - {{name: web, command: 'nasty print \"api at $API\" forever', env: {{API: '${{api.url}}'}}, depends_on: [api]}}
  - {{name: spoken-for, command: nasty forever, port: {}, disabled: true}}
",
        port + 1
    ));
    let mut face = face(&world);
    world.forge(["workspaces", "trust"]).run().ok();
    let refused = click_start(&world, &mut face, json!(["dev"]));
    assert_eq!(refused["error"]["data"]["code"], "port_conflict", "{refused}");
    let conflict = refused["error"]["data"]["details"]["conflicts"][0].clone();
    assert_eq!(conflict["pid"], std::process::id(), "it names who holds it: {conflict}");
    let offered = notice(&mut face, "port_conflict");
    assert_eq!(offered["summary"], format!("Port {port} is in use"), "{offered}");
    assert_eq!(actions(&offered), ["kill", "next", "show"], "{offered}");

    face.ask("notices.act", json!({"id": offered["id"], "action": "next"}));
    wait_until("both are ready", || world.status()["ready"] == true);
    let moved = world.process("api")["ports"][0].as_u64().expect("a port");
    assert!(moved > u64::from(port + 1), "neither {port} nor what another asks for: {moved}");
    let expected = format!("api at http://localhost:{moved}");
    wait_until("the dependent has the new address", || {
        world.forge(["logs", "web"]).run().stdout.contains(&expected)
    });
    world.forge(["restart", "api"]).run().ok();
    assert_eq!(world.process("api")["ports"][0], moved, "a restart keeps it");
    world.kill_supervisor();
    wait_until("the next supervisor answers", || world.process("api")["status"] == "running");
    assert_eq!(world.process("api")["outdated"], false, "the next supervisor knows of the move");
    drop(holder);
    world.forge(["stop"]).run().ok();
    world.start();
    assert_eq!(world.process("api")["ports"][0], port, "a stop forgets it");
}

#[test]
fn the_holder_of_a_port_is_ended_when_that_is_what_was_asked() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:\n  - {{name: api, command: 'nasty listen $PORT forever', port: {port}}}\n"
    ));
    let holder = forge_tests::Invocation::new(forge_tests::nasty())
        .args(["ignore", "TERM", "listen", &port.to_string(), "forever"])
        .spawn();
    wait_until("it is held", || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err());
    world.forge(["start"]).run().code(1).says(&format!("PID {}", holder.pid()));
    world.forge(["start", "--on-conflict", "kill"]).run().ok();
    assert_eq!(world.process("api")["ports"][0], port, "it has its port");
}

#[test]
fn nobody_is_ended_but_whom_the_user_has_seen() {
    let world = World::new();
    with_login_path(&world);
    let port = world.free_port();
    world.configure(&format!(
        "dev:\n  - {{name: api, command: 'nasty listen $PORT forever', port: {port}}}\n"
    ));
    world.forge(["workspaces", "trust"]).run().ok();
    let holder = forge_tests::Invocation::new(forge_tests::nasty())
        .args(["listen", &port.to_string(), "forever"])
        .spawn();
    wait_until("it is held", || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err());
    let mut face = face(&world);
    let mut refused = |holders: Value| {
        let start = json!({
            "workspace": world.workspace(), "names": ["dev"], "on_conflict": "kill", "holders": holders,
        });
        face.call("start", start).expect("an answer")
    };
    let told = refused(json!([]));
    assert_eq!(told["error"]["data"]["code"], "port_conflict", "nobody has seen it: {told:#}");
    let seen = told["error"]["data"]["details"]["conflicts"][0].clone();
    assert_eq!(seen["pid"], holder.pid(), "{told:#}");
    let other = refused(json!([{"pid": seen["pid"], "started_at": "2001-01-01T00:00:00Z"}]));
    assert_eq!(other["error"]["data"]["code"], "port_conflict", "another one of that PID: {other:#}");
    assert!(holder.is_alive(), "nothing was ended");
    let begun = refused(json!([{"pid": seen["pid"], "started_at": seen["started_at"]}]));
    assert!(begun["error"].is_null(), "{begun:#}");
    wait_until("it has its port", || !holder.is_alive() && world.process("api")["ports"][0] == port);
}

#[test]
fn a_process_of_forges_own_is_never_ended_for_its_port() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - {{name: api, command: 'nasty listen $PORT forever', port: {port}}}
other:
  - {{name: mine, command: 'nasty listen $PORT forever', port: {port}}}
"
    ));
    world.forge(["start", "dev"]).run().ok();
    let pid = world.forge(["status", "dev", "--json"]).run().ok().json()["processes"][0]["pid"].clone();
    world
        .forge(["start", "other", "--on-conflict", "kill"])
        .run()
        .code(1)
        .says("dev/api")
        .says("forge stop dev/api");
    let after = world.forge(["status", "dev", "--json"]).run().ok().json()["processes"][0].clone();
    assert_eq!((&after["pid"], &after["restarts"]), (&pid, &json!(0)), "untouched: {after}");
}

#[test]
fn what_processes_cost_is_told_each_second_and_remembered() {
    // What a busy process gets is its share of a machine on which others are busy too.
    const BUSY: f64 = 10.0;
    const IDLE: f64 = 5.0;
    let world = World::with(
        "dev:\n  - {name: busy, command: 'nasty spin'}\n  - {name: idle, command: nasty forever}\n",
    );
    let mut face = face(&world);
    world.start();
    let told = face.update(|update| {
        update["update"] == "metrics"
            && update["costs"].as_array().is_some_and(|costs| {
                costs
                    .iter()
                    .any(|cost| cost["process"] == "busy" && cost["cpu_percent"].as_f64() > Some(BUSY))
            })
    });
    let idle = told["costs"].as_array().and_then(|costs| costs.iter().find(|cost| cost["process"] == "idle"));
    assert!(idle.is_some_and(|idle| idle["cpu_percent"].as_f64() < Some(IDLE)), "{told}");
    let asked = json!({"workspace": world.workspace(), "environment": "dev", "after_ms": 0});
    let series = face.ask("metrics", asked)["series"].clone();
    let busy = series.as_array().and_then(|all| all.iter().find(|one| one["process"] == "busy"));
    let busy = busy.expect("a series of it");
    assert_eq!(
        busy["times_ms"].as_array().map(Vec::len),
        busy["memory_bytes"].as_array().map(Vec::len),
        "columns are equally long: {busy}"
    );
    let costs = |busy: &Value| busy["cpu_percent"].as_f64() > Some(BUSY);
    let status = world.wait_process("busy", "`status` has it too", costs);
    assert!(status["memory_bytes"].as_u64() > Some(100_000), "{status}");
    world.forge(["stop"]).run().ok();
    assert_eq!(world.process("busy")["cpu_percent"], Value::Null, "nothing runs, nothing is measured");
}

#[test]
fn a_process_is_explained_with_masked_secrets() {
    let world = World::with(
        "dev:
  - name: db
    command: nasty forever
  - name: api
    command: nasty forever
    env: {API_TOKEN: hush, MODE: dev}
    depends_on: [db]
    health_check: 'true'
",
    );
    world.start();
    let mut face = face(&world);
    let api = face.ask("inspect", json!({"workspace": world.workspace(), "name": "dev/api"}));
    let variable = |name: &str| {
        let all = api["variables"].as_array().expect("a list");
        all.iter().find(|one| one["name"] == name).cloned().expect("the variable")
    };
    assert_eq!(variable("API_TOKEN")["value"], "********", "masked");
    assert_eq!((&variable("MODE")["value"], &variable("MODE")["origin"]), (&json!("dev"), &json!("env")));
    assert!(!api.to_string().contains("hush"), "nowhere: {api}");
    assert_eq!(api["depends_on"][0], json!({"process": "db", "condition": "ready"}));
    assert_eq!(api["health_check"], "run `true` every 2s");
    assert_eq!(
        api["health_history"].as_array().and_then(|all| all.last()).map(|one| &one["state"]),
        Some(&json!("healthy"))
    );
    let db = face.ask("inspect", json!({"workspace": world.workspace(), "name": "db"}));
    assert_eq!(db["needed_by"], json!(["api"]));
    let events = face.ask(
        "events",
        json!({"workspace": world.workspace(), "environment": "dev", "process": "db", "limit": 1}),
    );
    assert_eq!(events["events"][0]["title"], "started", "{events}");
}

#[test]
fn the_users_own_settings_hold_where_the_workspace_says_nothing() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.settings("sampling: false\nlog_quota: 5MB\n");
    world.start();
    let folders = world.run_folders();
    let spec = fs::read_to_string(folders[0].join("spec.json")).expect("the run's");
    assert!(spec.contains("\"quota_bytes\":5000000"), "the user's quota: {spec}");
    assert_eq!(world.process("a")["memory_bytes"], Value::Null, "nothing is measured");
    world.settings("smapling: false\n");
    world.forge(["check"]).run().code(2).says("settings.yml:1:1").says("did you mean `sampling`");
}

#[test]
fn what_is_out_of_date_is_told_without_being_asked() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    let mut face = face(&world);
    world.start();
    world.configure("dev:\n  - {name: a, command: nasty forever forever}\n");
    face.update(|update| update["update"] == "process" && update["process"]["outdated"] == true);
    assert_eq!(environment(&mut face)["startable"], true, "a start would apply it");
    world.start();
    face.update(|update| {
        update["update"] == "process"
            && update["process"]["outdated"] == false
            && update["process"]["status"] == "running"
    });
}

#[test]
fn ports_that_nobody_declared_are_told_too() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!("dev:\n  - {{name: a, command: 'nasty listen {port} --after 300 forever'}}\n"));
    let mut face = face(&world);
    world.start();
    face.update(|update| update["update"] == "process" && update["process"]["ports"] == json!([port]));
}
