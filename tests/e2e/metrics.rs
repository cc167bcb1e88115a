//! What processes cost, over time, and what of that is worth a warning.

use std::fs;

use forge_tests::{Rpc, World, wait_until};
use serde_json::{Value, json};

fn face(world: &World) -> Rpc {
    world.forge(["workspaces"]).run().ok();
    let mut face = world.rpc().expect("a connection");
    face.ask("subscribe", json!({"workspace": null, "metrics": true}));
    face
}

fn metrics(world: &World) -> Value {
    // Any command starts a supervisor where none runs.
    world.forge(["workspaces"]).run().ok();
    world
        .rpc()
        .expect("a connection")
        .ask("metrics", json!({"workspace": world.workspace(), "environment": "dev"}))
}

/// The warning of a kind about a process.
fn warning(world: &World, process: &str, kind: &str) -> Option<Value> {
    let warnings = world.status()["warnings"].clone();
    let found = |one: &&Value| one["process"] == process && one["kind"] == kind;
    warnings.as_array().expect("a list").iter().find(found).cloned()
}

#[test]
fn status_tells_what_a_tree_uses_as_proc_has_it() {
    let world = World::with(
        "dev:
  - name: a
    command: exec 7</dev/null 8</dev/null; exec sleep 1000
  - name: writer
    command: 'dd if=/dev/zero of=written bs=1M count=20 conv=fsync 2>/dev/null; exec sleep 1000'
",
    );
    world.start();
    let folder = format!("/proc/{}/fd", world.pid("a").pid);
    let open = fs::read_dir(folder).expect("it runs").count();
    let process = world.wait_process("a", "measured", |one| one["cpu_percent"].is_number());
    assert_eq!(process["threads"], 1, "{process:#}");
    assert_eq!(process["open_files"], open, "{process:#}");
    assert!(process["open_files_limit"].as_u64() >= Some(64), "{process:#}");
    assert!(process["memory_bytes"].as_u64() > Some(100_000), "{process:#}");
    for column in ["disk_read_bytes", "net_received_bytes", "net_sent_bytes"] {
        assert!(process[column].is_u64(), "{column}: {process:#}");
    }
    let written = |one: &Value| {
        one["disk_written_bytes"].as_u64().is_some_and(|bytes| bytes.abs_diff(20 << 20) < 1 << 20)
    };
    world.wait_process("writer", "told what it has written", written);
    let machine = world.status()["machine"].clone();
    assert!(machine["cores"].as_u64() >= Some(1), "{machine}");
    assert!(machine["memory_used_bytes"].as_u64() > Some(1 << 20), "{machine}");
}

#[test]
fn a_killed_supervisor_leaves_its_history_and_the_marks_on_it() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    world.forge(["restart", "a"]).run().ok();
    // It is written every ten seconds.
    wait_until("the first of it is on disk", || {
        let times = metrics(&world)["series"][0]["times_ms"].clone();
        let at = |time: Option<&Value>| time.and_then(Value::as_i64).unwrap_or_default();
        times.as_array().is_some_and(|times| at(times.last()) - at(times.first()) > 13_000)
    });
    let before = metrics(&world);
    world.kill_supervisor();
    wait_until("the next supervisor measures", || {
        let after = metrics(&world);
        let last = |told: &Value| told["series"][0]["times_ms"].as_array()?.last()?.as_i64();
        last(&after) > last(&before)
    });
    let after = metrics(&world);
    let first = &before["series"][0]["times_ms"][0];
    assert_eq!(&after["series"][0]["times_ms"][0], first, "it begins where the first began");
    assert_eq!(after["series"][0]["process"], "a", "{after}");
    assert!(after["machine"]["times_ms"].as_array().is_some_and(|times| times.len() > 8), "{after}");
    let kinds: Vec<&str> =
        after["marks"].as_array().expect("a list").iter().filter_map(|mark| mark["kind"].as_str()).collect();
    assert_eq!(kinds, ["start", "restart"], "{after}");
}

#[test]
fn a_configuration_that_has_changed_is_a_deploy() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    world.configure("dev:\n  - {name: a, command: nasty print hello forever}\n");
    world.start();
    let marks = metrics(&world)["marks"].clone();
    let last = marks.as_array().and_then(|marks| marks.last()).cloned().unwrap_or_default();
    assert_eq!(last["kind"], "deploy", "{marks}");
}

#[test]
fn a_gauge_of_the_configuration_is_told_with_its_value_or_the_reason_why_not() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty forever
    env: {LENGTH: '41'}
    metrics:
      queue: {exec: 'echo length $((LENGTH + 1))', interval: 1s}
      broken: {exec: 'echo oops >&2; exit 3'}
",
    );
    world.start();
    let process = world.wait_process("a", "asked", |one| one["gauges"].as_array().map(Vec::len) == Some(2));
    let gauges = &process["gauges"];
    assert_eq!((&gauges[0]["name"], &gauges[0]["value"]), (&json!("broken"), &Value::Null), "{gauges}");
    assert_eq!(gauges[0]["problem"], "its command exited with 3: oops", "{gauges}");
    assert_eq!((&gauges[1]["name"], &gauges[1]["value"]), (&json!("queue"), &json!(42.0)), "{gauges}");
    wait_until("its series", || {
        let told = metrics(&world)["series"][0]["gauges"].clone();
        told[0]["name"] == "queue"
            && told[0]["values"].as_array().is_some_and(|all| all.contains(&json!(42.0)))
    });
}

#[test]
fn a_database_that_its_health_check_may_log_in_to_is_asked_without_configuration() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - name: cache
    command: redis-server --port {port} --bind 127.0.0.1 --save '' --maxclients 77
    port: {port}
    health_check: redis://127.0.0.1:{port}
"
    ));
    world.start();
    let of = |process: &Value, name: &str| {
        let gauges = process["gauges"].as_array().cloned().unwrap_or_default();
        gauges.into_iter().find(|gauge| gauge["name"] == name)
    };
    let cache = world.wait_process("cache", "asked", |cache| of(cache, "connections").is_some());
    let connections = of(&cache, "connections").expect("told");
    assert_eq!(connections["maximum"], 77.0, "{connections}");
    assert!(connections["value"].as_f64().is_some(), "how many now: {connections}");
}

/// Takes a megabyte every tenth of a second.
const LEAK: &str =
    "import time\nkept = []\nwhile True:\n    kept.append(b'x' * 1000000)\n    time.sleep(0.1)\n";

/// A process whose leak has just been told, to whom that was, and how.
fn leaking() -> (World, Rpc, Value) {
    let world = World::with(
        "settings: {alerts: {memory_growth: 10MB, memory_window: 10s}}
dev:
  - {name: leak, command: python3 leak.py}
",
    );
    world.write("leak.py", LEAK);
    world.start();
    let mut face = face(&world);
    let told = face.update(|update| update["update"] == "notice" && update["notice"]["kind"] == "alert");
    (world, face, told["notice"].clone())
}

#[test]
fn a_leak_is_told_once_and_muted_for_good() {
    let (world, mut face, notice) = leaking();
    assert!(notice["summary"].as_str().is_some_and(|text| text.starts_with("leak +")), "{notice}");
    let actions: Vec<&Value> =
        notice["actions"].as_array().expect("a list").iter().map(|action| &action["id"]).collect();
    assert_eq!(actions, ["show", "mute"], "{notice}");
    let warned = warning(&world, "leak", "memory_growth").expect("a warning");
    assert!(warned["text"].as_str().is_some_and(|text| text.contains("possible leak")), "{warned}");
    assert!(warned["since"].is_string() && warned["muted"] == false, "{warned}");

    face.ask("notices.act", json!({"id": notice["id"], "action": "mute"}));
    assert_eq!(face.ask("notices", json!({}))["notices"], json!([]), "muted");
    assert_eq!(warning(&world, "leak", "memory_growth").expect("a warning")["muted"], true, "shown as such");
    world.wait_saved("memory_growth");
    world.kill_supervisor();
    wait_until("it leaks on", || warning(&world, "leak", "memory_growth").is_some());
    assert_eq!(warning(&world, "leak", "memory_growth").expect("a warning")["muted"], true, "still");
    let mut face = self::face(&world);
    assert_eq!(face.ask("notices", json!({}))["notices"], json!([]), "not told again");
    let unmuted = json!({
        "workspace": world.workspace(), "environment": "dev", "process": "leak", "kind": "memory_growth",
        "muted": false,
    });
    face.ask("alerts.mute", unmuted);
    assert_eq!(warning(&world, "leak", "memory_growth").expect("a warning")["muted"], false, "heard again");
}

#[test]
fn a_leak_that_goes_on_is_not_told_again_by_the_next_supervisor() {
    let (world, _face, _notice) = leaking();
    let since = warning(&world, "leak", "memory_growth").expect("a warning")["since"].clone();
    world.wait_saved("\"memory_growth\"");
    world.kill_supervisor();
    wait_until("it leaks on", || warning(&world, "leak", "memory_growth").is_some());
    let warned = warning(&world, "leak", "memory_growth").expect("a warning");
    assert_eq!(warned["since"], since, "the same episode: {warned}");
    let mut face = self::face(&world);
    assert_eq!(face.ask("notices", json!({}))["notices"], json!([]), "told once");
}

#[test]
fn what_costs_too_much_or_fails_too_often_is_warned_of() {
    let world = World::with(
        "settings: {alerts: {cpu: 20, cpu_window: 4s, open_files: 50}}
dev:
  - {name: busy, command: nasty spin}
  - {name: failing, command: sh failing.sh}
  - {name: hoarder, command: sh hoarder.sh}
  - {name: well, command: nasty forever}
",
    );
    world.write(
        "failing.sh",
        "i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo ERROR: no $i; done; exec sleep 1000\n",
    );
    world.write(
        "hoarder.sh",
        "ulimit -n 64; exec python3 -c 'import time; kept = [open(\"/dev/null\") for _ in range(40)]; time.sleep(1000)'\n",
    );
    world.start();
    for (process, kind, words) in [
        ("busy", "cpu", "% of a core for over 4 s"),
        ("failing", "error_rate", "30 errors in the last minute"),
        ("hoarder", "open_files", "of 64 files open"),
    ] {
        wait_until(kind, || warning(&world, process, kind).is_some());
        let warned = warning(&world, process, kind).expect("a warning");
        assert!(warned["text"].as_str().is_some_and(|text| text.contains(words)), "{warned}");
        world.forge(["status"]).run().ok().prints(words);
    }
    let status = world.status();
    let of_well = status["warnings"].as_array().expect("a list").iter().find(|one| one["process"] == "well");
    assert_eq!(of_well, None, "{status:#}");
}

#[test]
fn single_checks_are_told_with_their_latency_and_failures_with_the_reason() {
    let world = World::new();
    let port = world.free_port();
    world.configure(&format!(
        "dev:
  - name: a
    command: nasty forever
    health_check: {{tcp: '127.0.0.1:{port}', interval: 50ms, retries: 1, start_period: 0s}}
"
    ));
    world.forge(["start", "-d"]).run().ok();
    let process = world.wait_process("a", "unhealthy", |one| one["health"]["state"] == "unhealthy");
    let expected = format!("connection refused at 127.0.0.1:{port}; nothing of a listens there");
    assert_eq!(process["health"]["message"], expected, "{process:#}");
    let details = world
        .rpc()
        .expect("a connection")
        .ask("inspect", json!({"workspace": world.workspace(), "name": "a"}));
    let checks = details["health_checks"].as_array().expect("a list");
    assert!(!checks.is_empty(), "{details}");
    assert!(checks.iter().all(|one| one["passed"] == false && one["latency_ms"].is_number()), "{details}");
    assert!(details["health_history"][0]["mean_latency_ms"].is_number(), "{details}");
}

#[test]
fn what_health_checks_said_outlives_the_supervisor() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty forever
    health_check: {exec: 'test ! -e ill || { echo no database; exit 1; }', interval: 200ms, retries: 1, start_period: 0s}
",
    );
    world.start();
    world.write("ill", "");
    let ill = world.wait_process("a", "unhealthy", |one| one["health"]["state"] == "unhealthy");
    let words = &ill["health"]["message"];
    fs::remove_file(world.path("ill")).expect("it was written");
    world.wait_process("a", "healthy again", |one| one["health"]["state"] == "healthy");
    let history = || {
        let inspect = json!({"workspace": world.workspace(), "name": "a"});
        let details = world.rpc().ok()?.ask("inspect", inspect);
        Some((details["health_history"].as_array()?.clone(), details["health_checks"].as_array()?.clone()))
    };
    let (before, checks) = history().expect("a supervisor");
    // In batches of ten seconds, so what is to survive a kill has been there for as long.
    let database = world.state().join("history.db-wal");
    wait_until("it is written down", || {
        fs::read(&database).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("no database"))
    });
    world.kill_supervisor();
    wait_until("the next one answers", || world.process("a")["status"] == "running");
    wait_until("it remembers", || {
        history().is_some_and(|(now, later)| {
            let ill = now.iter().find(|one| one["state"] == "unhealthy");
            ill.is_some_and(|ill| ill["message"] == *words)
                && now.first() == before.first()
                && later.first() == checks.first()
        })
    });
}

#[test]
fn the_next_supervisor_goes_on_with_what_is_known_of_health() {
    let check =
        |file: &str| format!("{{exec: 'test ! -e {file}', interval: 1s, retries: 3, start_period: 0s}}");
    let world = World::with(&format!(
        "settings: {{alerts: {{unhealthy: 200ms}}}}
dev:
  - {{name: well, command: nasty forever, health_check: {}}}
  - {{name: ill, command: nasty forever, health_check: {}}}
  - {{name: told, command: nasty print 'listening on 80' forever, health_check: {{log: listening}}}}
",
        check("later"),
        check("now"),
    ));
    world.start();
    world.write("now", "");
    let notices = || face(&world).ask("notices", json!({}))["notices"].clone();
    wait_until("the notice", || notices().as_array().is_some_and(|all| all.len() == 1));
    let inspect = |name: &str| {
        let inspect = json!({"workspace": world.workspace(), "name": name});
        world.rpc().expect("a connection").ask("inspect", inspect)
    };
    let found = inspect("told")["health_history"].clone();
    assert_eq!(found[0]["message"], "listening on 80", "what a line told is history too: {found}");
    world.wait_saved("\"unhealthy_since\"");
    world.kill_supervisor();
    world.write("later", "");
    // After three of its checks, a second apart.
    world.wait_process("well", "unhealthy", |one| {
        assert_ne!(one["health"]["state"], "starting", "what was healthy has started: {one:#}");
        one["health"]["state"] == "unhealthy"
    });
    let told = notices();
    let about = told.as_array().expect("a list").iter().filter(|one| one["process"] == "ill");
    assert_eq!(about.count(), 1, "it stands among the notices of the next one too: {told}");
    let asked = json!({"workspace": world.workspace(), "environment": "dev", "process": "ill", "limit": 100});
    let events = face(&world).ask("events", asked)["events"].clone();
    let titles = events.as_array().expect("a list").iter().map(|one| &one["title"]);
    assert_eq!(titles.filter(|title| **title == "unhealthy").count(), 1, "{events}");
}

#[test]
fn nothing_is_followed_once_nothing_runs() {
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    world.wait_process("a", "measured", |one| one["net_sent_bytes"].is_u64());
    let supervisor = world.wait_supervisor().pid;
    let follows = || {
        let tasks = fs::read_dir(format!("/proc/{supervisor}/task")).into_iter().flatten().flatten();
        let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        names.into_iter().any(|name| name.trim() == "sockets")
    };
    wait_until("ends of sockets are followed", follows);
    world.forge(["stop"]).run().ok();
    wait_until("they are no longer", || !follows());
    assert_eq!(world.status()["machine"], Value::Null, "nor is the machine looked at");
}
