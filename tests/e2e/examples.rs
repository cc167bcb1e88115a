//! The examples, with real programs: Node; PostgreSQL, Redis, a Python API and Vite.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use forge_tests::{Process, Signal, Value, World, skip, wait_until};

/// An example in a world of its own, on ports of its own; `None`, with a word about it, where a program is missing.
fn example(test: &str, name: &str, programs: &[&str], ports: &[u16]) -> Option<World> {
    let path = std::env::var("PATH").unwrap_or_default();
    // Debian keeps PostgreSQL's programs out of the PATH.
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    let missing = programs.iter().find(|name| !folders.iter().any(|folder| folder.join(name).is_file()));
    if let Some(missing) = missing {
        skip(test, &format!("{missing} is not installed"));
        return None;
    }
    let mut world = World::new();
    // Package managers have their caches there.
    world.set_env("HOME", &std::env::var("HOME").unwrap_or_default());
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name), &world.workspace());
    let mut processes = world.read(".forge/processes.yml");
    for port in ports {
        let free = world.free_port();
        processes = processes.replace(&format!("port: {port}\n"), &format!("port: {free}\n"));
        processes = processes.replace(&format!("localhost:{port}"), &format!("localhost:{free}"));
    }
    world.configure(&processes);
    Some(world)
}

fn shop(test: &str) -> Option<World> {
    let programs = ["node", "npm", "python3", "redis-server", "setpriv", "postgres"];
    example(test, "shop", &programs, &[3000, 8080, 5432, 6379, 5433])
}

fn hello(test: &str) -> Option<World> {
    example(test, "hello", &["node"], &[4310, 4311, 4312])
}

/// Copies a folder; what has been fetched by a package manager is linked, what a database keeps is left out.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the example").flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let target = to.join(&name);
        match name.to_str() {
            Some(".data") => {}
            Some("node_modules") => symlink(&path, target).expect("a link"),
            _ if path.is_dir() => copy(&path, &target),
            _ => drop(fs::copy(&path, &target).expect("a copy")),
        }
    }
}

/// The port on which a process of an example listens.
fn port(world: &World, name: &str) -> u16 {
    let process = world.process(name);
    let port = process["declared_ports"][0].as_u64().or(process["ports"][0].as_u64());
    port.and_then(|port| u16::try_from(port).ok()).unwrap_or_else(|| panic!("no port: {process:#}"))
}

/// The first line and the body of an answer; `None` if the connection broke.
fn request(port: u16, method: &str, path: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(forge_tests::DEADLINE)).ok()?;
    let length = if method == "POST" { "content-length: 0\r\n" } else { "" };
    write!(stream, "{method} {path} HTTP/1.0\r\nhost: localhost\r\n{length}\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.lines().next()?.to_owned(), body.to_owned()))
}

#[test]
fn the_shop_starts_crashes_comes_back_and_stops() {
    let Some(world) = shop("the_shop_starts_crashes_comes_back_and_stops") else { return };
    world.start();
    let status = world.status();
    assert_eq!(status["ready"], true, "{status:#}");
    for (name, message) in [
        ("redis", "PONG received"),
        ("postgres", "Accepting connections"),
        ("backend", "HTTP 200 from /health"),
        ("frontend", "HTTP 200 from /health"),
    ] {
        assert_eq!(world.process(name)["health"]["message"], message, "{name}");
    }
    let shown = world.forge(["status"]).run();
    shown.ok().prints("PONG received").prints("Accepting connections").prints("HTTP 200 from /health");

    let [backend, frontend] = [port(&world, "backend"), port(&world, "frontend")];
    let (head, body) = request(frontend, "GET", "/api/products").expect("the page reaches the API");
    assert!(head.contains("200") && body.contains("Anvil"), "{head}\n{body}");

    let others = ["frontend", "postgres", "redis"].map(|name| world.pid(name));
    let before = world.pid("backend");
    let _broken = request(backend, "POST", "/crash");
    wait_until("it dies of its bug", || !before.is_alive());
    let crashed = world
        .wait_process("backend", "it crashed", |one| one["restart_at"].is_string() || one["restarts"] == 1);
    assert!(crashed["message"].is_string() || crashed["restarts"] == 1, "{crashed:#}");
    let back =
        world.wait_process("backend", "it is back", |one| one["restarts"] == 1 && one["ready"] == true);
    assert_eq!(back["status"], "running", "{back:#}");
    assert_eq!(
        ["frontend", "postgres", "redis"].map(|name| world.pid(name)),
        others,
        "nobody else was touched"
    );
    let logs = world.forge(["logs", "backend", "--grep", "KeyError"]).run();
    logs.ok().prints("KeyError");

    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "nothing is left: {:#?}", world.programs());
    for name in ["backend", "frontend", "postgres", "redis"] {
        assert_eq!(world.process(name)["status"], "stopped", "{name}");
    }
}

#[test]
fn the_shops_tests_are_an_environment_of_their_own() {
    let Some(world) = shop("the_shops_tests_are_an_environment_of_their_own") else { return };
    world.forge(["start", "test"]).run().ok();
    let status = world.forge(["status", "test", "--json"]).run().ok().json();
    assert_eq!(status["ready"], true, "{status:#}");
    let database = &status["processes"][0];
    assert_eq!(
        (&database["name"], &database["health"]["message"]),
        (&"test-db".into(), &"Accepting connections".into())
    );
    wait_until("the tests have run", || {
        let told = world.forge(["logs", "test/test-runner"]).run().stdout;
        told.contains("# fail 0") && told.contains("# skipped 0")
    });
    let dev = world.forge(["status", "dev", "--json"]).run().ok().json();
    assert_eq!(dev["ready"], false, "dev is another environment: {dev:#}");
    world.forge(["stop", "test"]).run().ok();
    assert!(world.programs().is_empty(), "nothing is left: {:#?}", world.programs());
}

#[test]
fn the_shop_survives_its_supervisor() {
    let Some(world) = shop("the_shop_survives_its_supervisor") else { return };
    world.start();
    let names = ["frontend", "backend", "postgres", "redis"];
    let before = names.map(|name| world.pid(name));
    world.kill_supervisor();
    assert_eq!(names.map(|name| world.pid(name)), before, "the same processes");
    world.forge(["restart", "backend"]).run().ok();
    world.wait_process("backend", "healthy", |one| one["health"]["state"] == "healthy");
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "nothing is left: {:#?}", world.programs());
}

#[test]
fn the_bundled_example_starts_in_order_talks_crashes_comes_back_and_stops() {
    let Some(world) = hello("the_bundled_example_starts_in_order_talks_crashes_comes_back_and_stops") else {
        return;
    };
    let started = world.forge(["start"]).run();
    let [web, api] = [port(&world, "web"), port(&world, "api")];
    started.ok().prints(&format!("http://localhost:{web}"));
    assert_eq!(world.status()["ready"], true, "{:#}", world.status());
    assert_eq!(world.process("seed")["exit_code"], 0, "it ran to its end");
    let (head, body) = request(web, "GET", "/").expect("there is a page");
    assert!(head.contains("200") && body.contains("<html"), "{head}\n{body}");
    wait_until("the worker talks", || {
        !world.forge(["logs", "worker", "-n", "1"]).run().ok().stdout.is_empty()
    });
    let _broken = request(api, "POST", "/crash");
    world.wait_process("api", "it is back", |one| one["restarts"] == 1 && one["ready"] == true);
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "nothing is left: {:#?}", world.programs());
}

/// Texts of the events of `frontend` with a title.
fn told(world: &World, title: &str) -> Vec<String> {
    let status = world.status();
    let events = status["events"].as_array().cloned().unwrap_or_default();
    let of_it = events.iter().filter(|event| event["process"] == "frontend" && event["title"] == title);
    of_it.map(|event| event["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_a_real_vite_says_is_told() {
    let Some(world) = example("what_a_real_vite_says_is_told", "shop", &["node", "npm"], &[]) else { return };
    let port = world.free_port();
    // Without a check its own words are what is known of its health.
    world.configure(&format!(
        "dev:\n  - {{name: frontend, command: npm run dev, cwd: ./frontend, port: {port}}}\n"
    ));
    world.start();
    let ready = |one: &Value| one["health"]["message"] == "Vite is ready";
    world.wait_process("frontend", "it says that it is ready", ready);
    wait_until("so does an event", || !told(&world, "Ready").is_empty());

    // It speaks of files only that somebody has loaded.
    for path in ["/", "/@vite/client", "/src/main.js"] {
        let (head, body) = request(port, "GET", path).expect("an answer");
        assert!(head.contains("200"), "{path}: {head}\n{body}");
    }
    world.write("frontend/src/main.js", world.read("frontend/src/main.js") + "\n// changed\n");
    wait_until("a page has to be loaded again", || {
        told(&world, "Page reload").iter().any(|text| text.contains("main.js modified"))
    });
}

/// The programs of a world that run, by a word of their command.
fn running(world: &World, word: &str) -> Vec<Process> {
    world.programs().into_iter().filter(|one| one.command.contains(word)).collect()
}

#[test]
fn what_pg_ctl_starts_is_watched_restarted_and_stopped() {
    let test = "what_pg_ctl_starts_is_watched_restarted_and_stopped";
    let Some(world) = example(test, "shop", &["setpriv", "postgres"], &[]) else { return };
    let port = world.free_port();
    // As the example makes and owns it; only its last command is another.
    let script = world.read("database/postgres.sh");
    let (made, _) = script.split_once("# No Unix socket").expect("the server is started last");
    let options = "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off";
    let start = format!("exec $as_owner pg_ctl start -w -D \"$data\" -o \"{options}\"\n");
    world.write("database/postgres.sh", format!("{made}{start}"));
    world.configure(&format!(
        "dev:
  - name: db
    command: ./database/postgres.sh .data/db {port}
    daemon: true
    port: {port}
    health_check: postgres://shop@127.0.0.1:{port}/shop
    shutdown: {{signal: SIGINT}}
    auto_restart: {{delay: 100ms}}
"
    ));
    world.start();
    let db = world.process("db");
    assert_eq!((&db["status"], &db["ready"]), (&"running".into(), &true.into()), "{db:#}");
    assert_eq!(db["health"]["message"], "Accepting connections", "{db:#}");
    wait_until("its command has returned", || running(&world, "pg_ctl").is_empty());
    world.wait_line("db", "server started");
    let server = || running(&world, " -D ").into_iter().next();
    let before = server().expect("the server");

    before.signal(Signal::KILL);
    let back = |one: &Value| one["restarts"] == 1 && one["ready"] == true;
    world.wait_process("db", "another one accepts connections", back);
    assert!(server().is_some_and(|after| after != before), "{:#?}", world.programs());
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "nothing is left: {:#?}", world.programs());
    assert_eq!(world.process("db")["status"], "stopped", "as it was asked to");
}

#[test]
fn a_node_that_outlives_its_npm_is_ended_before_the_next_one_needs_its_port() {
    let test = "a_node_that_outlives_its_npm_is_ended_before_the_next_one_needs_its_port";
    let Some(world) = example(test, "hello", &["node", "npm"], &[]) else { return };
    let port = world.free_port();
    world.write("package.json", r#"{"scripts": {"start": "node server.js"}}"#);
    let server =
        "require('node:http').createServer((_, answer) => answer.end('here')).listen(process.env.PORT)";
    world.write("server.js", server);
    world.configure(&format!(
        "dev:
  - name: web
    command: npm start
    port: {port}
    health_check: http://localhost:{port}/
    auto_restart: {{delay: 100ms}}
"
    ));
    world.start();
    let before = running(&world, "server.js");
    world.pid("web").signal(Signal::KILL);
    let back = |one: &Value| one["restarts"] == 1 && one["ready"] == true;
    world.wait_process("web", "another one answers", back);
    assert!(before.iter().all(|one| !one.is_alive()), "the one before has gone: {:#?}", world.programs());
    let (_, body) = request(port, "GET", "/").expect("an answer");
    assert_eq!(body, "here", "from the new one");
    world.forge(["stop"]).run().ok();
    assert!(world.programs().is_empty(), "node goes with its npm: {:#?}", world.programs());
}
