use proptest::prelude::*;

use super::*;
use crate::Stream;

fn line(number: u64, text: &str) -> Line {
    let at = Cursor { segment: 1, offset: number };
    Line {
        time_ns: i64::try_from(number).unwrap_or(0) * 1_000,
        stream: Stream::Stdout,
        run: 1 + u32::try_from(number / 10).unwrap_or(0),
        level: level::detect(text.as_bytes()),
        text: text.as_bytes().to_vec(),
        omitted: 0,
        partial: false,
        cursor: at,
        end: at,
    }
}

fn mine<'a>(lines: impl IntoIterator<Item = &'a str>) -> Miner {
    let mut miner = Miner::new(Span::default());
    for (number, text) in lines.into_iter().enumerate() {
        miner.feed(&line(number as u64, text));
    }
    miner
}

fn templates(lines: &[&str]) -> Vec<String> {
    mine(lines.iter().copied())
        .patterns()
        .into_iter()
        .map(|one| format!("{} {}", one.count, one.template))
        .collect()
}

#[test]
fn what_varies_by_its_look_is_masked() {
    for (text, template) in [
        ("GET /users/42 - 200 (45ms)", "GET /users/<*> - <*> (<*>)"),
        ("GET /users/42/orders?page=2&x=y HTTP/1.1", "GET /users/<*>/orders?<*> HTTP/<*>"),
        ("Connection from 127.0.0.1:54321", "Connection from <*>"),
        ("took 1.2s, 145ms or 30%", "took <*>, <*> or <*>"),
        ("job 550e8400-e29b-41d4-a716-446655440000 done", "job <*> done"),
        ("commit 9fceb02d0ae5 at 0xdeadbeef", "commit <*> at <*>"),
        ("opened /var/lib/app/data.db for reading", "opened <*> for reading"),
        (
            "src/a.ts(1,2): error TS2304: Cannot find name 'x'.",
            "<*>(<*>): error TS<*>: Cannot find name '<*>'.",
        ),
        ("relation \"users\" does not exist", "relation \"<*>\" does not exist"),
        ("it isn't what it's said", "it isn't what it's said"),
        ("see http://localhost:3000/x?y for more", "see <*> for more"),
        ("2026-11-21 14:30:15.123 UTC [123] LOG:  database system is ready", "database system is ready"),
        ("2026-11-21T14:30:15.123456Z  WARN api::db: slow query", "api::db: slow query"),
        (
            "4711:M 21 Nov 2026 14:30:15.123 * Ready to accept connections tcp",
            "Ready to accept connections tcp",
        ),
        (
            "[2026-11-21 14:30:15 +0000] [123] [INFO] Booting worker with pid: 7",
            "Booting worker with pid: <*>",
        ),
        ("I, [2026-11-21T14:30:15.123 #123]  INFO -- : Started GET", "Started GET"),
        ("2026/11/21 14:30:15 [error] 29#29: *1 open() failed", "open() failed"),
        (r#"{"level":30,"pid":7,"msg":"user 12 logged in","x":"y"}"#, "user <*> logged in"),
        (r#"time=2026 level=INFO msg="served 3 files" port=1"#, "served <*> files"),
        (
            "127.0.0.1 - - [21/Nov/2026:14:30:15 +0000] \"GET /a/7 HTTP/1.1\" 200 12",
            "\"GET /a/<*> HTTP/<*>\" <*> <*>",
        ),
        ("main.go:45 worker-3 v8.3.0", "main.go:<*> worker-<*> v<*>"),
        ("12 34", "<*>"),
        ("0 errors, 3 warnings", "<*> errors, <*> warnings"),
        ("2026-11-21 14:30:15 12 slow queries", "<*> slow queries"),
        ("error", "error"),
        ("Unpacking git (1:2.39.5-0+deb12u2~bpo) ...", "Unpacking git (<*>) ..."),
        ("mounted /api at /", "mounted <*> at /"),
        ("GET /api/users 404 Not Found", "GET /api/users <*> <*>"),
        ("answered 404 Not found", "answered <*> Not found"),
        (
            "connect() failed (111: Connection refused) twice",
            "connect() failed (<*>: Connection refused) twice",
        ),
        ("http: GET /a 200", "GET /a <*>"),
        (r#"{"level":"INFO","fields":{"message":"took 3 s","port":1},"target":"t"}"#, "took <*> s"),
        ("time=2026 level=INFO msg=listening port=1", "listening"),
        ("listening msg=x", "listening msg=x"),
        (r#"level=info event="user alice logged in" user_id=7"#, "user alice logged in"),
        (r#"clicked event="buy 3" twice"#, r#"clicked event="<*>" twice"#),
        (r#"{"@t":"2026-11-21T14:30:15Z","@mt":"Served {Path}","Path":"/"}"#, "Served {Path}"),
        (
            r#"{"EventId":14,"LogLevel":"Information","Message":"Now listening on: 5000"}"#,
            "Now listening on: <*>",
        ),
    ] {
        assert_eq!(mask::mask(text).template(), template, "{text}");
    }
}

#[test]
fn lines_that_say_the_same_are_one_pattern() {
    let lines = [
        "user alice logged in from 10.0.0.1",
        "user bob logged in from 10.0.0.2",
        "user carol logged in from 10.0.0.3",
        "user alice logged out after 3 minutes",
        "cache is warm",
        "cache is cold and empty",
        "ERROR: user alice logged in twice from 10.0.0.1",
        "cache is warm",
    ];
    assert_eq!(
        templates(&lines),
        [
            "1 user alice logged in twice from <*>",
            "3 user <*> logged in from <*>",
            "2 cache is warm",
            "1 cache is cold and empty",
            "1 user alice logged out after <*> minutes",
        ]
    );
}

#[test]
fn two_words_are_what_is_said_and_three_are_values() {
    let said = ["startup complete now", "shutdown complete now", "worker a started", "worker b stopped"];
    assert_eq!(templates(&said).len(), 4, "{:?}", templates(&said));
    let words = ["worker alice started", "worker bob started", "worker bob started", "worker carol started"];
    assert_eq!(templates(&words[..3]), ["2 worker bob started", "1 worker alice started"]);
    assert_eq!(templates(&words), ["4 worker <*> started"]);
    // What is one already takes what fits.
    let more: Vec<_> = words.into_iter().chain(["worker dave started", "worker 7 started"]).collect();
    assert_eq!(templates(&more), ["6 worker <*> started"]);
    // Of many words one that differs is a value at once.
    let long = ["the queue of alice is full again by now", "the queue of bob is full again by now"];
    assert_eq!(templates(&long), ["2 the queue of <*> is full again by now"]);
}

#[test]
fn values_are_known_by_where_they_stand() {
    for (lines, template) in [
        (["\"GET / HTTP/1.1\" 200 OK", "\"GET /a HTTP/1.1\" 404 Not Found"], "\"GET <*> HTTP/<*>\" <*> <*>"),
        (["GET /users 200", "GET /orders 404"], "GET <*> <*>"),
        (["user=alice on db=x", "user=bob on db=x"], "user=<*> on db=x"),
        (
            [
                "open() failed (2: No such file), client: x",
                "open() failed (13: Permission denied), client: x",
            ],
            "open() failed <*> client: x",
        ),
        (["asset a.js [emitted] (name: a)", "asset a.js [emitted] (name: a b)"], "asset a.js [emitted] <*>"),
        (["Not Found: /", "Not Found: /none"], "Not Found: <*>"),
    ] {
        assert_eq!(templates(&lines), [format!("2 {template}")]);
        let pattern = &mine(lines).patterns()[0].regex;
        let regex = regex::Regex::new(pattern).unwrap();
        assert!(lines.iter().all(|line| regex.is_match(line)), "{pattern} finds {lines:?}");
    }
    let different = ["user=alice on db=x", "group=alice on db=x", "DELETE one", "DELETE two"];
    assert_eq!(templates(&different).len(), 4, "{:?}", templates(&different));
}

#[test]
fn a_pattern_says_how_often_since_when_and_where() {
    let mut miner = Miner::new(Span { from_ns: 0, until_ns: 30_000, parts: 3 });
    for number in [4, 12, 13, 29] {
        miner.feed(&line(number, &format!("job {number} failed")));
    }
    let [pattern] = &miner.patterns()[..] else { panic!("one pattern: {:?}", miner.patterns()) };
    assert_eq!(
        (pattern.count, pattern.first_ns, pattern.last_ns),
        (4, 4_000, 29_000),
        "how often, since when"
    );
    assert_eq!(pattern.first_run, 1, "the first run that wrote it");
    assert_eq!((pattern.example.as_str(), pattern.at.offset), ("job 29 failed", 29), "the newest line");
    assert_eq!(pattern.over_time, [1, 2, 1], "counts over time");
}

#[test]
fn what_goes_on_with_an_error_is_of_no_pattern() {
    let mut miner = Miner::new(Span::default());
    miner.feed(&line(1, "ERROR: boom"));
    miner.feed(&Line { level: Some(Level::Error), ..line(2, "    at f (a.js:1:2)") });
    miner.feed(&line(3, "  "));
    miner.feed(&line(4, "  ➜  Local: http://localhost:5173/"));
    let found: Vec<String> = miner.patterns().into_iter().map(|one| one.template).collect();
    assert_eq!(found, ["boom", "➜ Local: <*>"]);
}

#[test]
fn memory_is_bounded_and_the_frequent_stay() {
    let word = |number: u32| {
        let letters =
            (0..6).map(|place| char::from(b'a' + u8::try_from(number / 7_u32.pow(place) % 7).unwrap_or(0)));
        letters.collect::<String>()
    };
    let mut miner = Miner { most: 40, ..Miner::new(Span::default()) };
    miner.feed(&line(0, "ERROR the disk is full"));
    for number in 0..600 {
        let (one, other, third) = (word(number), word(number * 31), word(number * 17));
        miner.feed(&line(u64::from(number), &format!("{one} {other} {third}")));
        miner.feed(&line(u64::from(number), "always the same"));
    }
    assert!(miner.patterns().len() < 50, "{} patterns", miner.patterns().len());
    assert!(miner.patterns().iter().any(|one| one.count == 600), "the frequent one is there");
    assert!(miner.patterns().iter().any(|one| one.template.contains("disk is full")), "so is the one error");
    let counted: u64 = miner.patterns().iter().map(|one| one.count).sum();
    assert_eq!(counted + miner.forgotten(), 1201, "no line is lost from the counts");
}

/// Lines of a few shapes, so that some of them belong together.
fn any_line() -> impl Strategy<Value = String> {
    let name =
        prop_oneof![Just("alice"), Just("bob"), Just("\"a b\""), Just("x=1"), Just("/a/b.rs"), Just("'q'")];
    let shaped = (name, 0..2000_u32, 0..10_u8).prop_map(|(name, number, shape)| match shape {
        0 => format!("user {name} logged in after {number}ms"),
        1 => format!("ERROR {name}: failed with {number}"),
        2 => format!("2026-11-21 14:30:15 WARN [{number}] {name} is slow"),
        4 => format!("GET {name} {} Not Found", 400 + number % 8),
        5 => format!("{name} failed ({number}: for  {name}) of user={name}"),
        6 => format!("worker {name} started"),
        7 => format!("level=info msg={name} n={number}"),
        8 => format!("open [it {number}] (at {name}"),
        3 => format!(r#"{{"level":30,"msg":"user {number} did it","n":{number}}}"#),
        _ => format!("level=info msg=\"took {number}\" name={name}"),
    });
    prop_oneof![4 => shaped, 1 => "\\PC{0,40}"]
}

proptest! {
    // Regular expressions are slow to build without optimisation.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn patterns_are_the_same_each_time_and_find_their_lines(lines in proptest::collection::vec(any_line(), 1..16)) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let miner = mine(lines.iter().copied());
        prop_assert_eq!(miner.patterns(), mine(lines.iter().copied()).patterns(), "the same lines, the same patterns");
        let written = lines.iter().filter(|line| !line.trim().is_empty()).count() as u64;
        prop_assert_eq!(miner.patterns().iter().map(|one| one.count).sum::<u64>(), written, "each line is counted");
        let told: Vec<_> = miner.patterns().into_iter().map(|one| (one.level, one.regex)).collect();
        prop_assert!(told.iter().all(|one| told.iter().filter(|other| one == *other).count() == 1), "each once");
        for pattern in miner.patterns() {
            let regex = regex::Regex::new(&pattern.regex);
            prop_assert!(regex.is_ok(), "{} is no regular expression", pattern.regex);
            let found = lines.iter().filter(|line| regex.as_ref().is_ok_and(|regex| regex.is_match(line))).count() as u64;
            prop_assert!(found >= pattern.count, "{} finds {} of {}", pattern.regex, found, pattern.count);
        }
    }
}
