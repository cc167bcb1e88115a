//! `events`: lines of the log that become events.

use forge_tests::{Signal, World, wait_until};
use serde_json::{Value, json};

/// Level, title and text of the events of `a`, but for those of its life.
fn told(world: &World) -> Vec<(String, String, String)> {
    let status = world.status();
    let events = status["events"].as_array().cloned().unwrap_or_default();
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let own = events.iter().filter(|event| event["process"] == "a" && event["title"] != "started");
    own.map(|event| (text(event, "level"), text(event, "title"), text(event, "text"))).collect()
}

#[test]
fn lines_that_match_become_events_once() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty print 'compiled in 3 s' eprint 'order 7 is stuck' print nothing forever
    events:
      - {match: ^compiled, title: compiled}
      - {match: 'order \\d+ is stuck', title: stuck order, level: error}
",
    );
    world.start();
    wait_until("both are told", || told(&world).len() == 2);
    world.kill_supervisor();
    // The next one reads the same output again.
    wait_until("the next supervisor answers", || world.process("a")["status"] == "running");
    let mut found = told(&world);
    found.sort();
    let event = |level: &str, title: &str, text: &str| (level.to_owned(), title.to_owned(), text.to_owned());
    let expected =
        [event("error", "stuck order", "order 7 is stuck"), event("info", "compiled", "compiled in 3 s")];
    assert_eq!(found, expected, "each line once");
}

#[test]
fn the_next_supervisor_does_not_count_again_what_was_told() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty count 200 print 'line last' wait-for go print 'line over' forever
    events: [{match: '^line', title: a line}]
",
    );
    let events = || {
        let mut rpc = world.rpc().expect("a connection");
        let asked = json!({"workspace": world.workspace(), "environment": "dev", "process": "a"});
        rpc.ask("events", asked)["events"].as_array().cloned().unwrap_or_default()
    };
    let has = |text: &str| events().iter().any(|event| event["text"] == text);
    let counted = || events().iter().filter(|event| event["title"] == "many events").count();
    world.start();
    // The last line may be one of those that are only counted.
    wait_until("all of them are told", || has("line last") || counted() > 0);
    // One that ends by itself writes down how far it has come.
    let supervisor = world.supervisor().expect("it runs");
    supervisor.signal(Signal::TERM);
    wait_until("it has ended", || !supervisor.is_alive());
    wait_until("the next supervisor answers", || world.process("a")["status"] == "running");
    let before = counted();
    world.write("go", "");
    wait_until("what comes now is told", || has("line over") || counted() > before);
    assert!(has("line over"), "it is told, not counted: {:?}", events());
    assert_eq!(counted(), before, "nothing old is counted again: {:?}", events());
}
