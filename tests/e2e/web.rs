//! `forge serve --http`: the page and the WebSocket, for whoever may.

mod refused;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use forge_tests::tungstenite::Message;
use forge_tests::{Session, Value, Web, World, json, wait_until};

const ONE: &str = "dev:\n  - {name: a, command: nasty print up forever}\n";

fn status_of(world: &World, session: &mut Session) -> Value {
    session.call("status", json!({"workspace": world.workspace()})).expect("an answer")
}

/// `status` without what changes from one moment to the next.
fn settled(mut answer: Value) -> Value {
    let processes = answer["result"]["processes"].as_array_mut().expect("processes");
    for process in processes.iter_mut().filter_map(Value::as_object_mut) {
        process.retain(|name, value| {
            !matches!(name.as_str(), "uptime_seconds" | "health") && !value.is_number() || name == "pid"
        });
    }
    answer["id"] = Value::Null;
    answer
}

#[test]
fn the_url_is_all_that_serve_prints() {
    let world = World::new();
    let web = Web::serve(&world);
    assert!(web.address.ip().is_loopback(), "{web:?}");
    assert!(web.token.len() >= 43, "256 bits in 6 a letter: {}", web.token);
    let url = format!("http://{}/#token={}\n", web.address, web.token);
    let outcome = web.end();
    outcome.ok().says("supervises");
    assert_eq!(outcome.stdout, url);
    assert!(!outcome.stderr.contains("token="), "{outcome}");

    let serve = world.forge(["serve", "--http", "127.0.0.1:0", "--json"]).spawn();
    wait_until("a line", || serve.stdout().ends_with('\n'));
    let document: Value = serde_json::from_str(&serve.stdout()).expect("one document");
    assert!(document["url"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")), "{document}");
}

#[test]
fn the_same_is_said_as_at_the_socket() {
    let world = World::with(ONE);
    let web = Web::serve(&world);
    world.start();
    let mut socket = world.rpc().expect("the socket");
    let expected = socket.call("status", json!({"workspace": world.workspace()})).expect("an answer");
    let expected = settled(expected);
    assert_eq!(expected["result"]["processes"][0]["name"], "a", "{expected:#}");

    let mut by_subprotocol = web.session();
    assert_eq!(by_subprotocol.protocol.as_deref(), Some("forge"), "the token is not echoed");
    assert_eq!(settled(status_of(&world, &mut by_subprotocol)), expected, "by subprotocol");

    let bearer = format!("Bearer {}", web.token);
    let mut by_bearer = web.try_session("/ws", &[("authorization", &bearer)]).expect("let in");
    assert_eq!(by_bearer.protocol, None, "none was offered");
    assert_eq!(settled(status_of(&world, &mut by_bearer)), expected, "by bearer");

    let pretty = serde_json::to_string_pretty(
        &json!({"jsonrpc": "2.0", "id": 9, "method": "environments", "params": {}}),
    );
    by_bearer.send(Message::text(pretty.expect("JSON"))).expect("sent");
    assert_eq!(by_bearer.read().expect("an answer")["id"], 9, "JSON on several lines");
    by_bearer.send(Message::text("not JSON")).expect("sent");
    let error = by_bearer.read().expect("an answer");
    assert_eq!(error["error"]["code"], -32700, "{error}");
    let unknown = by_bearer.call("no.such", json!({})).expect("an answer");
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
}

#[test]
fn a_subscriber_sees_a_process_start() {
    let world = World::with(ONE);
    let web = Web::serve(&world);
    let mut session = web.session();
    let picture = session.call("subscribe", json!({"workspace": world.workspace()})).expect("an answer");
    assert!(picture["result"]["environments"].is_array(), "{picture}");
    let start = world.forge(["start"]).spawn();
    loop {
        let update = session.read().expect("an update");
        let process = &update["params"]["process"];
        if update["params"]["update"] == "process" && process["status"] == "running" {
            assert_eq!(process["name"], "a", "{update}");
            break;
        }
    }
    start.wait().ok();
}

#[test]
fn log_text_stays_text() {
    let text = "<script>alert('1')</script> \"quoted\" \u{2028} ] } end";
    let world = World::new();
    world.write("text", format!("{text}\n"));
    world.configure("dev:\n  - {name: a, command: cat text && nasty forever}\n");
    let web = Web::serve(&world);
    world.start();
    world.wait_line("a", text);
    let read = json!({"query": {"workspace": world.workspace(), "names": ["a"]}});
    let answer = web.session().call("logs.read", read).expect("an answer");
    let lines = answer["result"]["lines"].as_array().expect("lines");
    assert!(lines.iter().any(|line| line["text"] == text), "{answer}");
}

#[test]
fn many_come_and_what_is_too_many_is_told() {
    let world = World::with(ONE);
    let web = Web::serve(&world);
    world.start();
    let headers = [("authorization", format!("Bearer {}", web.token))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut sessions = Vec::new();
    let refusal = loop {
        match web.try_session("/ws", &headers) {
            Ok(session) => sessions.push(session),
            Err(status) => break status,
        }
        assert!(sessions.len() < 1000, "somewhere there is an end");
    };
    assert_eq!(refusal, 503, "it is full");
    assert!(sessions.len() >= 100, "{} are many enough", sessions.len());
    for session in &mut sessions {
        let answer = status_of(&world, session);
        assert_eq!(answer["result"]["processes"][0]["status"], "running", "{answer}");
    }
    assert_eq!(web.get("/").status, 200, "the page is there for all that");
    drop(sessions.pop());
    wait_until("who goes leaves a place", || web.try_session("/ws", &headers).is_ok());
}

#[test]
fn a_client_that_reads_nothing_holds_up_nobody() {
    let world = World::with("dev:\n  - {name: a, command: nasty count 20000 --bytes 200 forever}\n");
    let web = Web::serve(&world);
    world.start();
    wait_until("there is much to read", || world.lines("a").len() >= 20_000);
    let mut stalled = web.session();
    stalled.request("subscribe", json!({"workspace": world.workspace()})).expect("sent");
    let read = json!({"query": {"workspace": world.workspace(), "names": ["a"]}, "max_bytes": 1 << 20});
    // Together more than the sockets and the supervisor hold for whoever reads nothing.
    let mut unanswered: BTreeSet<u64> =
        (0..24).map(|_| stalled.request("logs.read", read.clone()).expect("sent")).collect();
    let mut other = web.session();
    for _ in 0..20 {
        let answer = status_of(&world, &mut other);
        assert_eq!(answer["result"]["processes"][0]["status"], "running", "{answer}");
    }
    assert_eq!(web.get("/").status, 200);
    world.forge(["restart", "a"]).run().ok();
    // It comes back to life, and has missed no answer.
    while !unanswered.is_empty() {
        let message = stalled.read().expect("an answer");
        if let Some(id) = message["id"].as_u64() {
            assert!(message["error"].is_null(), "{message}");
            unanswered.remove(&id);
        }
    }
}

#[test]
fn what_is_no_message_ends_that_session_alone() {
    let world = World::with(ONE);
    let web = Web::serve(&world);
    let mut bystander = web.session();
    let mut session = web.session();
    session.send(Message::binary(vec![0; 4])).expect("sent");
    let frame = session.wait_end().expect("a reason");
    assert_eq!(u16::from(frame.code), 1003, "only text: {frame:?}");

    let mut session = web.session();
    let long = format!("{{\"padding\": \"{}\"}}", "x".repeat(16 << 20));
    // It may be cut off before it has said all of it.
    let _sent = session.send(Message::text(long));
    session.wait_end();
    let answer = bystander.call("environments", json!({})).expect("an answer");
    assert!(answer["result"].is_object(), "{answer}");

    let largest = "x".repeat((16 << 20) - 200);
    let mut session = web.session();
    let answer = session.call("no.such", json!({"padding": largest})).expect("an answer");
    assert_eq!(answer["error"]["code"], -32601, "what fits is read");
}

#[test]
fn the_pages_hear_that_it_ends_and_the_processes_go_on() {
    let world = World::with(ONE);
    let web = Web::serve(&world);
    world.start();
    let a = world.pid("a");
    let mut session = web.session();
    status_of(&world, &mut session);
    let ended = std::thread::spawn(move || session.wait_end());
    web.end().ok();
    let frame = ended.join().expect("no panic").expect("a last word");
    assert_eq!(u16::from(frame.code), 1001, "going away: {frame:?}");
    assert_eq!(world.pid("a"), a, "the process runs on");
}

#[test]
fn it_takes_over_from_a_background_supervisor_and_says_so() {
    let world = World::with(ONE);
    world.start();
    let (a, background) = (world.pid("a"), world.wait_supervisor());
    let web = Web::serve(&world);
    assert_eq!(status_of(&world, &mut web.session())["result"]["processes"][0]["pid"], a.pid, "adopted");
    web.end().ok().says(&format!("PID {}", background.pid));
}

#[test]
fn an_address_that_is_not_to_be_had_costs_nothing() {
    let world = World::with(ONE);
    world.start();
    let background = world.wait_supervisor();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = holder.local_addr().expect("bound").to_string();
    let refused = world.forge(["serve", "--http", &taken]).run();
    refused.code(1).says(&taken).says(&format!("PID {}", std::process::id())).says("--http 127.0.0.1:0");
    assert_eq!(refused.stdout, "", "no URL");
    assert_eq!(world.forge(["serve", "--json", "--http", &taken]).run().error_code(), "port_conflict");
    for everywhere in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        world.forge(["serve", "--http", everywhere]).run().code(2).says("127.0.0.1");
    }
    for nonsense in ["8080", "localhost", "nowhere:80", "127.0.0.1:99999"] {
        world.forge(["serve", "--http", nonsense]).run().code(2).says("--http");
    }
    assert_eq!(world.wait_supervisor(), background, "it still supervises");
}

#[test]
fn only_loopback_is_listened_on() {
    let world = World::new();
    let web = Web::serve(&world);
    let port = format!("{:04X}", web.address.port());
    let table = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let listening: Vec<&str> = table
        .iter()
        .flat_map(|table| table.lines().skip(1))
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            (fields[3] == "0A" && fields[1].ends_with(&format!(":{port}"))).then_some(fields[1])
        })
        .collect();
    assert_eq!(listening, [format!("0100007F:{port}")], "127.0.0.1 and nothing else");
}

#[test]
fn the_token_is_kept_nowhere() {
    let world = World::with(ONE);
    let web = Web::serve(&world);
    world.start();
    status_of(&world, &mut web.session());
    assert_eq!(web.try_session(&format!("/ws?token={}", web.token), &[]).err(), Some(401), "not in a query");
    wait_until("the log says something", || world.state().join("supervisor.log").exists());
    let contains = |path: &Path| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(web.token.len()).any(|window| window == web.token.as_bytes())
    };
    let files = files_below(&world.home());
    assert!(files.iter().any(|path| path.ends_with("supervisor.log")), "{files:?}");
    for process in world.alive() {
        for name in ["cmdline", "environ"] {
            let path = format!("/proc/{}/{name}", process.pid);
            assert!(!contains(Path::new(&path)), "{path} of {process:?}");
        }
    }
    for file in files {
        assert!(!contains(&file), "{}", file.display());
    }
}

/// Every file, sockets and FIFOs excepted.
fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_below(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}
