//! What is worth a warning although nobody asked.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::time::Instant;
use std::{fs, thread};

use forge_tests::{FakeDocker, Invocation, Value, World, json, nasty, wait_until};

/// A warning of that kind: of a process, or of the machine.
fn warning(world: &World, process: Option<&str>, kind: &str) -> Option<Value> {
    let status = world.status();
    let warnings = status["warnings"].as_array().expect("a list");
    warnings.iter().find(|one| one["process"] == json!(process) && one["kind"] == kind).cloned()
}

#[test]
fn a_program_that_eats_the_machine_is_named_though_it_is_not_ours() {
    let world = World::with(
        "settings: {alerts: {hog_cpu: 1}}
dev:
  - {name: a, command: nasty forever}
",
    );
    let cores = thread::available_parallelism().expect("a number").get();
    let hogs: Vec<_> = (0..cores).map(|_| Invocation::new(nasty()).args(["spin"]).spawn()).collect();
    world.start();
    let names: Vec<String> = hogs.iter().map(|hog| format!("nasty (PID {}", hog.pid())).collect();
    // Others may take as much of the machine: whatever runs these tests, for one.
    let named = || {
        let warnings = world.status()["warnings"].as_array().cloned().unwrap_or_default();
        warnings.into_iter().find(|warning| {
            let text = warning["text"].as_str().unwrap_or_default();
            warning["kind"] == "hog" && names.iter().any(|name| text.contains(name))
        })
    };
    wait_until("one of them is named", || named().is_some());
    world.forge(["status"]).run().ok().prints("not Forge's, uses");
    let since = named().expect("a warning")["since"].clone();
    world.wait_saved("\"hogs\":[{");
    let notices = world.rpc().expect("a connection").ask("notices", json!({}))["notices"].clone();
    let told: Vec<&str> = notices
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["summary"].as_str().filter(|text| text.contains("not Forge's")))
        .collect();
    assert!(
        !told.is_empty() && told.iter().all(|one| told.iter().filter(|other| one == *other).count() == 1),
        "{told:?}"
    );
    world.kill_supervisor();
    wait_until("the next supervisor sees it", || named().is_some());
    assert_eq!(named().expect("a warning")["since"], since, "it is the same episode");
    let mute = json!({
        "workspace": world.workspace(), "environment": "dev", "process": null, "kind": "hog", "muted": true,
    });
    world.rpc().expect("a connection").ask("alerts.mute", mute);
    assert_eq!(named().map(|one| one["muted"].clone()), Some(json!(true)), "it can be muted");
    drop(hogs);
    wait_until("and it is over when they have ended", || named().is_none());
}

#[test]
fn a_log_that_fills_the_disk_is_warned_of() {
    let world = World::with(
        "settings: {alerts: {log_growth: 2MB}}
dev:
  - {name: chatty, command: nasty flood --rate 10000}
  - {name: quiet, command: nasty print hello forever}
",
    );
    world.start();
    wait_until("it is warned of", || warning(&world, Some("chatty"), "log_growth").is_some());
    let warned = warning(&world, Some("chatty"), "log_growth").expect("a warning");
    assert!(warned["text"].as_str().is_some_and(|text| text.starts_with("has logged ")), "{warned}");
    assert_eq!(warning(&world, Some("quiet"), "log_growth"), None, "the other is well");
}

#[test]
fn whatever_is_measured_can_be_muted_and_heard_again() {
    let world = World::with(
        "settings: {alerts: {cpu: 10, cpu_window: 2s, log_growth: 2MB}}
dev:
  - {name: busy, command: nasty spin}
  - {name: chatty, command: nasty flood --rate 10000}
  - {name: failing, command: \"nasty count 30 --tag 'ERROR it failed' forever\"}
  - {name: slow, command: \"nasty print 'GET /reports took 2500 ms' forever\"}
  - name: bundle
    command: nasty print 'asset main.js 1000 KiB' sleep 1500 print 'asset main.js 1200 KiB' forever
",
    );
    world.start();
    let mut rpc = world.rpc().expect("a connection");
    // And the words of the notice that each is; slow work and a size that grew are none.
    let kinds = [
        ("busy", "cpu", Some("% of a core")),
        ("chatty", "log_growth", Some("has logged")),
        ("failing", "error_rate", Some("errors in")),
        ("slow", "slow", None),
        ("bundle", "grew", None),
    ];
    for (process, kind, _) in kinds {
        wait_until(&format!("{process} is warned of"), || warning(&world, Some(process), kind).is_some());
    }
    let about = |notices: &Value, process: &str, words: &str| {
        let all = notices.as_array().expect("a list");
        all.iter()
            .filter(|one| {
                one["process"] == process && one["summary"].as_str().is_some_and(|text| text.contains(words))
            })
            .count()
    };
    for (process, kind, words) in kinds {
        let warned = || warning(&world, Some(process), kind);
        if let Some(words) = words {
            let told = rpc.ask("notices", json!({}))["notices"].clone();
            assert_eq!(about(&told, process, words), 1, "{kind} is told once: {told}");
        }
        let mut mute = |muted: bool| {
            let mute = json!({
                "workspace": world.workspace(), "environment": "dev", "process": process, "kind": kind,
                "muted": muted,
            });
            rpc.ask("alerts.mute", mute);
            rpc.ask("notices", json!({}))["notices"].clone()
        };
        let open = mute(true);
        assert_eq!(warned().map(|one| one["muted"].clone()), Some(json!(true)), "{kind} is shown as muted");
        assert!(words.is_none_or(|words| about(&open, process, words) == 0), "and told no more: {open}");
        mute(false);
        assert_eq!(warned().map(|one| one["muted"].clone()), Some(json!(false)), "{kind} is heard again");
    }
}

/// Answers questions about a container: it uses half a core since the engine began, and has moved some bytes.
fn engine(path: &std::path::Path) {
    let listener = UnixListener::bind(path).expect("a socket");
    let begun = Instant::now();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let used = begun.elapsed().as_nanos() / 2;
            let figures = format!(
                r#"{{"cpu_stats": {{"cpu_usage": {{"total_usage": {used}}}}},
                "memory_stats": {{"usage": 70000000, "stats": {{"inactive_file": 20000000}}}},
                "pids_stats": {{"current": 17}},
                "networks": {{"eth0": {{"rx_bytes": 1234, "tx_bytes": 5678}}}}}}"#
            );
            let mut asked = [0; 1 << 12];
            // Who has asked may have gone.
            let _ = stream.read(&mut asked);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{figures}", figures.len());
        }
    });
}

#[test]
fn what_a_container_costs_is_what_its_engine_says() {
    let mut world = World::new();
    let _docker = FakeDocker::new(&mut world);
    let socket = world.folder().join("engine.sock");
    engine(&socket);
    world.configure(&format!(
        "dev:
  - name: db
    command: docker run --rm postgres
    env: {{DOCKER_HOST: 'unix://{}'}}
",
        socket.display()
    ));
    world.start();
    let db = world.wait_process("db", "the engine's figures", |db| db["memory_bytes"] == 50_000_000);
    for (figure, value) in [("threads", 17), ("net_received_bytes", 1234), ("net_sent_bytes", 5678)] {
        assert_eq!(db[figure], value, "{figure}: {db:#}");
    }
    assert!(db["open_files"].is_null(), "what it does not say is not known: {db:#}");
    world.wait_process("db", "half a core", |db| {
        db["cpu_percent"].as_f64().is_some_and(|percent| (45.0..=55.0).contains(&percent))
    });
    fs::remove_file(&socket).expect("it was bound");
}
