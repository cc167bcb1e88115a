//! `logs.scan`: a search in the background, over the socket.

use std::time::{Duration, Instant};

use forge_tests::{Rpc, Value, World, json, wait_until};

/// Numbered lines of `a`, all stored.
fn world(lines: u64) -> World {
    let world =
        World::with(&format!("dev:\n  - {{name: a, command: nasty count {lines} print over forever}}\n"));
    world.start();
    wait_until("all of it is stored", || {
        world.forge(["logs", "a", "-n", "1"]).run().stdout.contains("| over\n")
    });
    world
}

fn scan(world: &World, rpc: &mut Rpc, more: Value) -> u64 {
    let mut request = json!({"query": {"workspace": world.workspace(), "names": ["a"]}, "slot": "test"});
    for (key, value) in more.as_object().expect("an object") {
        match key.as_str() {
            "grep" => request["query"]["grep"] = value.clone(),
            _ => request[key] = value.clone(),
        }
    }
    rpc.ask("logs.scan", request)["scan"].as_u64().expect("its number")
}

/// Every answer until it is done.
fn answers(rpc: &mut Rpc, scan: u64) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let until = Instant::now() + forge_tests::DEADLINE;
    while all.last().is_none_or(|last| last["done"] != true) {
        assert!(Instant::now() < until, "it is never done: {:?}", all.last());
        all.push(rpc.ask("logs.scan.next", json!({"scan": scan})));
    }
    all
}

fn hits(answers: &[Value]) -> Vec<String> {
    let lines = answers.iter().flat_map(|answer| answer["hits"].as_array().expect("a list"));
    lines.map(|line| line["text"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn what_is_found_comes_bit_by_bit_and_in_order() {
    let world = world(40_000);
    let mut rpc = world.rpc().expect("a connection");
    let asked = json!({"grep": "^line \\d+5 ", "newest_first": true, "max_hits": 1500, "counts": true});
    let begun = Instant::now();
    let scan = scan(&world, &mut rpc, asked);
    let first = rpc.ask("logs.scan.next", json!({"scan": scan}));
    assert!(begun.elapsed() < Duration::from_secs(10), "something is told soon: {:?}", begun.elapsed());
    let mut all = vec![first];
    all.extend(answers(&mut rpc, scan));
    let last = all.last().expect("an answer");
    assert_eq!(last["matched"], 4000, "all are counted");
    assert_eq!(last["scanned_bytes"], last["total_bytes"], "all was looked through");
    let expected: Vec<String> =
        (0..1500).map(|number| format!("line {:08} ", 39_995 - number * 10)).collect();
    let found: Vec<String> = hits(&all).iter().map(|text| text[..14].to_owned()).collect();
    assert!(found == expected, "as many as were wanted, the newest first: {} hits", found.len());
    let progress = all.iter().map(|answer| answer["scanned_bytes"].as_u64());
    assert!(progress.is_sorted(), "it goes on");
}

#[test]
fn a_scan_that_is_cancelled_costs_nothing_more() {
    let world = world(100_000);
    let supervisor = world.supervisor().expect("it runs");
    let mut rpc = world.rpc().expect("a connection");
    let scan = scan(&world, &mut rpc, json!({"counts": true, "patterns": true, "buckets": 20}));
    let first = rpc.ask("logs.scan.next", json!({"scan": scan}));
    assert_eq!(first["done"], false, "it takes longer than that: {first}");
    rpc.ask("logs.scan.cancel", json!({"scan": scan}));
    let next = rpc.call("logs.scan.next", json!({"scan": scan})).expect("an answer");
    assert_eq!(next["error"]["data"]["code"], "not_found", "it is over: {next}");
    // A thread ends its block first.
    wait_until("nothing works on it any more", || {
        let before = supervisor.cpu_ticks();
        std::thread::sleep(Duration::from_millis(500));
        supervisor.cpu_ticks() - before <= 2
    });
}

#[test]
fn a_new_scan_of_a_slot_ends_the_one_before() {
    let world = world(100);
    let mut rpc = world.rpc().expect("a connection");
    let before = scan(&world, &mut rpc, json!({"counts": true}));
    let after = scan(&world, &mut rpc, json!({"grep": "line", "max_hits": 10}));
    let ended = rpc.call("logs.scan.next", json!({"scan": before})).expect("an answer");
    assert_eq!(ended["error"]["data"]["code"], "not_found", "{ended}");
    assert_eq!(hits(&answers(&mut rpc, after)).len(), 10, "the other goes on");
}

#[test]
fn what_is_no_regular_expression_is_refused_with_the_place() {
    let world = world(1);
    let mut rpc = world.rpc().expect("a connection");
    let query = json!({"workspace": world.workspace(), "names": ["a"], "grep": "user (id"});
    let refused = rpc.call("logs.scan", json!({"query": query, "slot": "x"})).expect("an answer");
    assert_eq!(refused["error"]["data"]["code"], "usage", "{refused}");
    let message = refused["error"]["message"].as_str().expect("a message");
    assert!(message.contains("column 6") && message.ends_with("\n       ^"), "{message}");
}

#[test]
fn no_answer_is_longer_than_a_message_may_be() {
    let world = World::with("dev:\n  - {name: a, command: nasty pour lines print over forever}\n");
    // A byte that is no text takes three.
    let line = [vec![0xff; 1 << 20], vec![b'\n']].concat();
    world.write("lines", line.repeat(8));
    world.start();
    wait_until("all of it is stored", || {
        world.forge(["logs", "a", "-n", "1"]).run().stdout.contains("| over\n")
    });
    let mut rpc = world.rpc().expect("a connection");
    let scan = scan(&world, &mut rpc, json!({"grep": "\u{fffd}", "max_hits": 100}));
    let all = answers(&mut rpc, scan);
    assert_eq!(hits(&all).len(), 8, "each line");
    let longest = all.iter().map(|answer| answer.to_string().len()).max();
    assert!(longest < Some(14 << 20), "{longest:?} bytes");
}
