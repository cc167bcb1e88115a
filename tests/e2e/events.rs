//! `events`: lines of the log that become events.

use forge_tests::{World, wait_until};
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

/// Events of `a` with a title, oldest first.
fn titled(world: &World, title: &str) -> Vec<Value> {
    let mut rpc = world.rpc().expect("a connection");
    let asked = json!({"workspace": world.workspace(), "environment": "dev", "process": "a"});
    let events = rpc.ask("events", asked)["events"].as_array().cloned().unwrap_or_default();
    events.into_iter().filter(|event| event["title"] == title).collect()
}

/// How many lines they tell of.
fn counted(events: &[Value]) -> u64 {
    let lines = |event: &Value| {
        let text = event["text"].as_str().unwrap_or_default();
        text.split_once(" more, the last: ").map_or(1, |(count, _)| count.parse().expect("a number"))
    };
    events.iter().map(lines).sum()
}

#[test]
fn a_flood_of_matching_lines_is_counted_exactly_and_not_again_by_the_next_supervisor() {
    let world = World::with(
        "dev:
  - name: a
    command: nasty count 20000 print 'line last' wait-for go print 'line over' forever
    events: [{match: '^line', title: a line}]
",
    );
    world.start();
    wait_until("all of them are told", || counted(&titled(&world, "a line")) >= 20_001);
    let before = titled(&world, "a line");
    assert_eq!(counted(&before), 20_001, "each line once");
    assert!(before.len() <= 12, "a flood does not flood the history: {before:#?}");
    assert!(before.iter().all(|event| event["at"].is_string()), "each says where its line is: {before:#?}");
    world.kill_supervisor();
    wait_until("the next supervisor answers", || world.process("a")["status"] == "running");
    world.write("go", "");
    let over = |event: &Value| event["text"] == "line over";
    wait_until("what comes now is told", || titled(&world, "a line").iter().any(over));
    assert_eq!(counted(&titled(&world, "a line")), 20_002, "nothing old is counted again");
}

#[test]
fn known_tools_need_no_configuration() {
    let world = World::with(
        "dev:
  - name: a
    command: >-
      nasty print 'asset main.js 1.00 MiB [emitted]' print 'webpack 5.1 compiled successfully in 300 ms'
      print 'Hot reload: user.go modified' print 'GET /api/users - 200 (1450ms)' print 'GET /api/users - 200 (45ms)'
      print 'Database query: 145ms (slow)' print 'SELECT * FROM users took 1.2s'
      sleep 1100 print 'asset main.js 1.15 MiB [emitted]' forever
",
    );
    world.start();
    let grew = || !titled(&world, "Bundle size increased").is_empty();
    wait_until("the last line is told", grew);
    let texts = |title: &str| -> Vec<String> {
        let text = |event: &Value| event["text"].as_str().unwrap_or_default().to_owned();
        titled(&world, title).iter().map(text).collect()
    };
    assert_eq!(texts("Compiled successfully"), ["in 300 ms"]);
    assert_eq!(texts("Hot reload"), ["user.go modified"]);
    assert_eq!(texts("Slow request"), ["GET /api/users - 200 (1450ms)"]);
    let status = world.status();
    let warning = |kind: &str| -> Vec<String> {
        let warnings = status["warnings"].as_array().cloned().unwrap_or_default();
        let of_kind = warnings.iter().filter(|warning| warning["kind"] == kind && warning["process"] == "a");
        of_kind.map(|warning| warning["text"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(warning("slow"), ["1 slow request in the last hour", "2 slow queries in the last hour"]);
    assert_eq!(warning("grew"), ["Bundle size increased by 157 KB: main.js has 1.21 MB now"]);
    let health = &world.process("a")["health"];
    assert_eq!(health["state"], "none", "there is no check: {health}");
    assert_eq!(health["message"], "Webpack compiled successfully", "its own words: {health}");
    let shown = world.forge(["status"]).run();
    let page = &shown.ok().stdout;
    for words in
        ["Webpack compiled successfully", "Hot reload: user.go modified", "2 slow queries in the last hour"]
    {
        assert!(page.contains(words), "{words:?} in {page}");
    }
    // The next supervisor knows all of it, and tells nothing twice.
    wait_until("its words are written down", || {
        let files = std::fs::read_dir(world.state().join("environments")).into_iter().flatten().flatten();
        let mut texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        texts.any(|text| text.contains("Webpack compiled successfully"))
    });
    world.kill_supervisor();
    wait_until("the next supervisor answers", || world.process("a")["status"] == "running");
    assert_eq!(
        world.process("a")["health"]["message"],
        "Webpack compiled successfully",
        "its words are known"
    );
    let slow = |warning: &Value| warning["text"] == "2 slow queries in the last hour";
    assert!(
        world.status()["warnings"].as_array().is_some_and(|all| all.iter().any(slow)),
        "so is what was slow"
    );
    assert_eq!(texts("Hot reload").len(), 1, "each event once");
}

#[test]
fn what_is_slow_is_as_the_settings_say() {
    let lines = "nasty print 'GET /quick - 200 (45ms)' print 'GET /lame - 200 (300ms)' print end forever";
    for (setting, expected) in [("", &[][..]), ("settings: {slow: 200ms}\n", &["GET /lame - 200 (300ms)"])] {
        let world = World::with(&format!(
            "{setting}dev:\n  - {{name: a, command: \"{lines}\", events: [{{match: ^end, title: end}}]}}\n"
        ));
        world.start();
        wait_until("all of it is read", || !titled(&world, "end").is_empty());
        let slow = titled(&world, "Slow request");
        let slow: Vec<&str> = slow.iter().filter_map(|event| event["text"].as_str()).collect();
        assert_eq!(slow, expected, "{setting:?}");
    }
}
