use proptest::prelude::*;

use super::*;

use Level::{Debug, Error, Info, Trace, Warn};

#[test]
fn the_status_of_a_request_counts_however_long_its_path_is() {
    for (status, level) in [(502, Some(Error)), (200, None)] {
        for length in [10, 150, 3000] {
            let line = format!(
                "127.0.0.1 - - [25/Nov/2026:23:23:08 +0000] \"GET /callback?code={} HTTP/1.1\" {status} 157",
                "x".repeat(length)
            );
            assert_eq!(detect(line.as_bytes()), level, "{status} after {length}");
        }
    }
}

#[test]
fn lines_of_real_programs_have_their_levels() {
    let table: &[(&str, Option<Level>)] = &[
        // JSON: pino, bunyan, zap, slog, structlog, Google Cloud, MongoDB
        (r#"{"level":30,"time":1531171074631,"pid":657,"msg":"hello"}"#, Some(Info)),
        (r#"{"level":50,"msg":"boom"}"#, Some(Error)),
        (r#"{"level":60,"msg":"boom"}"#, Some(Error)),
        (r#"{"time":"2026-11-21T14:30:15Z","level":"WARN","msg":"slow"}"#, Some(Warn)),
        (r#"{"msg":"\"level\":\"error\" is text","level":"debug"}"#, Some(Debug)),
        (r#"{"msg": "level", "lvl": "trace"}"#, Some(Trace)),
        (r#"{"severity":"ERROR","message":"x"}"#, Some(Error)),
        (r#"{"inner":{"level":"error"},"level":"info"}"#, Some(Info)),
        (r#"{"t":{"$date":"2026-11-21T14:30:15.123+00:00"},"s":"I","c":"NETWORK"}"#, Some(Info)),
        (r#"{"msg":"no level"}"#, None),
        (r#"{"level":"#, None),
        (r#"{"level":3,"msg":"whose three is this"}"#, None),
        (r#"{"@timestamp":"2026","log":{"level":"warn"},"message":"ECS"}"#, Some(Warn)),
        (r#"{"time":"2026","level":"ERROR+2","msg":"slog"}"#, Some(Error)),
        (r#"{"level":"dpanic","msg":"zap"}"#, Some(Error)),
        (r#"{"level":"http","message":"winston"}"#, Some(Info)),
        // … behind a time, or a name as docker compose has it; in prose it is what the line is about
        (r#"2026-11-21T14:30:15.123Z {"level":"warn","msg":"slow"}"#, Some(Warn)),
        (r#"[2026-11-21 14:30:15.123 +0000] {"level":50}"#, Some(Error)),
        (r#"api-1  | {"severity":"ERROR"}"#, Some(Error)),
        (r#"answered with {"level":"error"}"#, None),
        // logfmt: logrus, slog, Prometheus, Traefik
        (r#"time="2026-11-21T14:30:15Z" level=info msg="level=error is text""#, Some(Info)),
        ("ts=2026-11-21T14:30:15.123Z caller=main.go:10 level=warn msg=slow", Some(Warn)),
        ("lvl=\"eror\" msg=x", Some(Error)),
        ("INFO[0000] Starting server", Some(Info)),
        // Rust: env_logger, tracing, cargo, a panic
        ("[2026-11-21T14:30:15Z INFO  api::server] listening", Some(Info)),
        ("2026-11-21T14:30:15.123456Z  WARN api::db: slow query", Some(Warn)),
        (" INFO api: without time", Some(Info)),
        ("\x1b[2m2026-11-21T14:30:15.123Z\x1b[0m \x1b[31mERROR\x1b[0m \x1b[2mapi\x1b[0m: boom", Some(Error)),
        ("error[E0308]: mismatched types", Some(Error)),
        ("warning: unused variable: `x`", Some(Warn)),
        ("thread 'main' panicked at src/main.rs:4:5:", Some(Error)),
        // Go
        ("2026/11/21 14:30:15 INFO listening port=8080", Some(Info)),
        ("2026/11/21 14:30:15 listening", None),
        ("panic: runtime error: invalid memory address", Some(Error)),
        ("E1121 14:30:15.123456   123 reflector.go:10] failed", Some(Error)),
        ("W1121 14:30:15.123456   123 reflector.go:10] slow", Some(Warn)),
        ("2:30PM INF listening", Some(Info)),
        // Python: logging, uvicorn, gunicorn, a traceback, Tornado, Celery
        ("WARNING:root:watch out", Some(Warn)),
        ("2026-11-21 14:30:15,123 - app.views - ERROR - failed", Some(Error)),
        ("2026-11-21 14:30:15,123 - app - DEBUG - x", Some(Debug)),
        ("INFO:     127.0.0.1:50000 - \"GET / HTTP/1.1\" 200 OK", Some(Info)),
        ("[2026-11-21 14:30:15 +0000] [123] [INFO] Booting worker", Some(Info)),
        ("[2026-11-21 14:30:15,123: ERROR/MainProcess] consumer: Cannot connect", Some(Error)),
        ("[2026-11-21 14:30:15,123: INFO/ForkPoolWorker-8] Task mail.send succeeded", Some(Info)),
        ("[error/handler] compiled", None),
        ("Traceback (most recent call last):", Some(Error)),
        ("ValueError: bad", Some(Error)),
        ("[E 2026-11-21 14:30:15 web:10] 500", Some(Error)),
        // Node: npm, a stack's head, winston, vite, Next.js, tsc, deprecations
        ("npm ERR! code ELIFECYCLE", Some(Error)),
        ("npm warn deprecated x@1", Some(Warn)),
        ("TypeError: x is not a function", Some(Error)),
        ("Error: listen EADDRINUSE: address already in use :::3000", Some(Error)),
        ("info: server started", Some(Info)),
        ("src/a.ts(1,2): error TS2304: Cannot find name", Some(Error)),
        ("src/a.ts:1:2 - error TS2304: Cannot find name", Some(Error)),
        ("(node:4711) DeprecationWarning: old", Some(Warn)),
        (" ⨯ Failed to compile", Some(Error)),
        (" ⚠ Port 3000 is in use", Some(Warn)),
        ("✘ [ERROR] Could not resolve", Some(Error)),
        ("  VITE v8.3.0  ready in 300 ms", None),
        // Java, .NET, Ruby, Elixir
        ("2026-11-21T14:30:15.123+01:00  INFO 12345 --- [main] o.s.b.w.Tomcat : Tomcat started", Some(Info)),
        ("14:30:15.123 [main] WARN  com.example.App - slow", Some(Warn)),
        ("SEVERE: cannot", Some(Error)),
        ("java.lang.NullPointerException: x", Some(Error)),
        ("Exception in thread \"main\" java.lang.RuntimeException", Some(Error)),
        ("info: Microsoft.Hosting.Lifetime[14]", Some(Info)),
        ("fail: Microsoft.AspNetCore[1]", Some(Error)),
        ("[14:30:15 INF] Now listening", Some(Info)),
        ("I, [2026-11-21T14:30:15.123 #123]  INFO -- : Started GET", Some(Info)),
        ("14:30:15.123 [error] GenServer terminating", Some(Error)),
        // Servers: PostgreSQL, Redis, MySQL, nginx, NATS, systemd
        ("2026-11-21 14:30:15.123 UTC [123] LOG:  database system is ready", Some(Info)),
        ("2026-11-21 14:30:15.123 UTC [123] ERROR:  relation \"x\" does not exist", Some(Error)),
        ("2026-11-21 14:30:15.123 UTC [123] FATAL:  the database system is starting up", Some(Error)),
        ("4711:M 21 Nov 2026 14:30:15.123 * Ready to accept connections tcp", Some(Info)),
        ("4711:M 21 Nov 2026 14:30:15.123 # WARNING overcommit_memory", Some(Warn)),
        ("2026-11-21T14:30:15.123456Z 0 [Warning] [MY-010068] [Server] CA certificate", Some(Warn)),
        ("2026-11-21T14:30:15.123456Z 0 [ERROR] [MY-010119] [Server] Aborting", Some(Error)),
        ("2026/11/21 14:30:15 [error] 29#29: *1 open() failed", Some(Error)),
        ("[1] 2026/11/21 14:30:15.123456 [INF] Starting nats-server", Some(Info)),
        ("<4>careful", Some(Warn)),
        // Access logs, by their status
        (
            "127.0.0.1 - - [25/Nov/2026:23:23:08 +0000] \"GET /up HTTP/1.1\" 502 157 \"-\" \"curl\"",
            Some(Error),
        ),
        ("127.0.0.1 - - [25/Nov/2026:23:23:08 +0000] \"GET /up HTTP/1.1\" 200 157 \"-\" \"curl\"", None),
        ("[25/Nov/2026 23:31:42] \"GET /boom HTTP/1.1\" 500 56646", Some(Error)),
        ("\x1b[0mGET /boom \x1b[31m500\x1b[0m 209.105 ms - 148\x1b[0m", Some(Error)),
        ("GET /500 200 12 ms", None),
        // Others
        ("\x1b[31mERRO\x1b[0m[0000] could not open", Some(Error)),
        ("initdb: warning: enabling \"trust\"", Some(Warn)),
        ("a.rb:1:in `f': wrong (ArgumentError)", Some(Error)),
        ("11:24:26 PM [vite] Internal server error: Failed to parse source", Some(Error)),
        (r#"{"@t":"2026-11-21T14:30:15Z","@mt":"Failed {Id}","@l":"Error","@x":"boom"}"#, Some(Error)),
        ("[2026-11-21 14:30:15] local.ERROR: SQLSTATE[42S02]: Base table not found", Some(Error)),
        ("[2026-11-21T14:30:15.123456+00:00] request.CRITICAL: Uncaught PHP Exception", Some(Error)),
        ("[2026-11-21 14:30:15] local.INFO: served", Some(Info)),
        ("[GIN] 2026/11/21 - 14:30:15 | 500 |      1.2ms | ::1 | GET      \"/boom\"", Some(Error)),
        ("[GIN] 2026/11/21 - 14:30:15 | 200 |      1.2ms | ::1 | GET      \"/500\"", None),
        ("<w> [webpack.cache.PackFileCacheStrategy] Serializing big strings (101kiB)", Some(Warn)),
        ("<e> [webpack-dev-server] cannot listen", Some(Error)),
        ("<em>hello</em>", None),
        ("ActiveRecord::RecordNotFound (Couldn't find Order with 'id'=\"99\"):", Some(Error)),
        ("ArgumentError (no stock):", Some(Error)),
        ("Note (see below):", None),
        ("Foo::Bar (x) is up", None),
        ("web:dev: ERROR cannot connect", Some(Error)),
        ("web:dev: src/a.ts(1,2): error TS2304: Cannot find name", Some(Error)),
        ("web:dev: all is well", None),
        ("apps/web dev: ERROR cannot connect", Some(Error)),
        ("apps/web dev: connected", None),
        // A lower-case word at the head
        ("error: two", Some(Error)),
        ("error two", Some(Error)),
        ("warning: low on space", Some(Warn)),
        ("warn low on space", Some(Warn)),
        ("info listening", Some(Info)),
        ("debug", Some(Debug)),
        ("14:30:15 error two", Some(Error)),
        ("2026-11-21T14:30:15.123Z info listening", Some(Info)),
        // Prose and noise
        ("no error two", None),
        ("an error occurred", None),
        ("200 error pages written", None),
        ("found 3 warnings", None),
        ("Error two is a sentence", None),
        ("note that this is a sentence", None),
        ("fine so far", None),
        ("errors two", None),
        ("info-desk opened", None),
        ("No ERROR found in this run", None),
        ("Everything is fine", None),
        ("the error: none", None),
        ("GET /error 200", None),
        ("errors: 0", None),
        ("", None),
        ("   ", None),
        ("\x1b[", None),
        ("[[[[[[[[", None),
    ];
    for (line, level) in table {
        assert_eq!(detect(line.as_bytes()), *level, "{line}");
    }
}

/// The level of each line of a text, by its letter.
fn letters(text: &str) -> String {
    let mut block = Block::default();
    let letter = |level: Option<Level>| level.map_or('-', |level| level.as_str().to_uppercase().remove(0));
    text.lines().map(|line| letter(block.level(line.as_bytes()))).collect()
}

#[test]
fn lines_of_a_block_have_the_level_of_its_head() {
    for (text, expected) in [
        ("ERROR a\n    at f (a.js:1:2)\n  }\nlistening", "EEE-"),
        ("2026 WARN a\n\n  b", "W--"),
        ("INFO a\nb", "I-"),
        (
            "Traceback (most recent call last):\n  File \"a\", line 1\n    error = INFO\nKeyError\n\nDuring handling of the \
             above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File\nx.Odd: no\nnext",
            "EEEE-E-EEE-",
        ),
        ("thread 'main' (7) panicked at t.rs:3:3:\nindex out of bounds\nnote: run with\nok", "EEE-"),
        (
            "panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:2 +0x1\nexit status 2\nINFO on",
            "E-EEEEI",
        ),
        (
            "2026-11-25T23:28:56.717Z\tERROR\tcould not\nmain.run\n\t/a.go:3\nmain.main\n\t/a.go:4\n2026-11-25T23:28:56.718Z\tINFO\tb",
            "EEEEEI",
        ),
        (
            "java.lang.RuntimeException: boom\n\tat A.main(A.java:3)\nCaused by: java.io.IOException: x\n\t... 8 more\nb",
            "EEEE-",
        ),
        (
            "2026-11-25 23:30:00 UTC [7] ERROR:  no\n2026-11-25 23:30:00 UTC [7] STATEMENT:  selec 1\n\tfrom two\n\
             2026-11-25 23:30:00 UTC [7] LOG:  ok",
            "EEEI",
        ),
        (
            "\x1b[1m\x1b[91merror[E0308]\x1b[0m: mismatched\n\x1b[1m--> \x1b[0msrc\n\x1b[94m1\x1b[0m | fn\n  |\nx",
            "EEEE-",
        ),
        ("warning: a\n \x1b[31mx\n\x1b[31m  y", "WWW"),
        // webpack: the text stands below the place, up to an empty line, or as far as such a text goes
        (
            "ERROR in ./src/index.js 1:0-18\nModule not found: Error: Can't resolve './nope.js' in '/app/src'\n @ ./src/index.js\n\n\
             webpack 5.112.2 compiled with 1 error in 37 ms",
            "EEE--",
        ),
        ("WARNING in configuration\nThe 'mode' option has not been set.\nYou can set it.\n\nbuilt", "WWW--"),
        ("ERROR in ./a.js\na\nb\nc\nd\nlistening\n  at x", "EEEEE--"),
        ("ERROR in ./a.js\na\nINFO b\nc", "EEI-"),
        (
            "ERROR in ./a.js 1:16\nModule build failed (from ./loader.js):\nSyntaxError: /app/a.js: Unexpected token\n\n\
             > 1 | export default (\n    |                 ^\n    at f (a.js:1:2)\n\nbuilt",
            "EEE-EEE--",
        ),
        // rolldown: what a colon announces may stand behind an empty line, and the stack behind another
        (
            "error during build:\nBuild failed with 1 error:\n\n[UNRESOLVED_IMPORT] Could not resolve './nope.js'\n   ╭─[ main.js:1:8 ]\n\
             ───╯\n\n    at f (file:///a.mjs:50:18) {\n  errors: [Getter/Setter]\n}\nlistening",
            "EE-EEE-EEE-",
        ),
        ("INFO: routes:\n\nlistening", "I--"),
        ("ERROR: no:\n\n\nthis\nlistening", "E--E-"),
        // esbuild, and Rust's anyhow
        (
            "✘ [ERROR] Could not resolve \"./nope\"\n\n    main.js:1:7:\n      1 │ import \"./nope\"\n        ╵        ~~~~\n\n\
             1 error",
            "E-EEE--",
        ),
        ("Error: could not start\n\nCaused by:\n    no such file\n\nbye", "E-EE--"),
        // … which it can't be told of what else is indented
        ("ERROR a\n\n  ➜  Local: http://localhost:5173/", "E--"),
        ("INFO a\n\n    at f (a.js:1:2)", "I--"),
        ("ERROR a\n\nplain\n\n    at f (a.js:1:2)", "E----"),
        // A field among the words of a line that goes on is of what it goes on with.
        (" INFO t: no error here\n  second line id=7 level=\"error\"", "II"),
        ("  starting level=\"error\"", "E"),
    ] {
        assert_eq!(letters(text), expected, "{text}");
    }
}

#[test]
fn looking_back_finds_the_same_levels() {
    let text = "listening\nplain\nERROR a\n    at f (a.js:1:2)\nplain\nTraceback (most recent call last):\n  File\nx.Odd: no\n\n\
                During handling of the above exception, another one:\nnext\nplain\nwarning: a\n  |\n  = note: b\n\n\
                panic: x\n\ngoroutine 1 [running]:\nmain.main()\n\t/a.go:2\nplain\nINFO a\nb\n c";
    let lines: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
    let mut block = Block::default();
    for (number, line) in lines.iter().enumerate() {
        let expected = block.level(line);
        if let Some(found) = looking_back(lines[..=number].iter().rev().map(|line| Some(*line))) {
            assert_eq!(found, expected, "line {number}: {}", String::from_utf8_lossy(line));
        } else {
            assert!(number < 2, "line {number} can be told by those before it");
        }
    }
    assert_eq!(looking_back([Some(&b" a"[..]), None].into_iter()), None, "one is missing");
}

/// Lines of all the forms that blocks are made of.
fn any_of_a_block() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just("plain"),
        3 => Just(""),
        1 => Just("it ends with a colon:"),
        8 => proptest::sample::select(vec![
            "INFO a", "ERROR a", "warning: b:", "error: c:", "  indented", "  indented:", "    at f (a.js:1:2)", "}",
            "Traceback (most recent call last):", "x.Odd: no", "thread 'main' panicked at a.rs:1:2:", "panic: x",
            "goroutine 1 [running]:", "main.main()", "a.ts:1:2 - error TS1: x", "1 export", "1 | export", "> 1 | x",
            "ERROR in ./a.js", "WARNING in b", "───╯", "Caused by:", "    main.js:1:7:", "note: x", "- a", "  error: z",
            "2026 UTC [7] STATEMENT:  select", "  k level=error", "stack backtrace:", "[signal SIGSEGV: x]",
        ]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn looking_back_never_finds_another_level(lines in proptest::collection::vec(any_of_a_block(), 1..40)) {
        let mut block = Block::default();
        for (number, line) in lines.iter().enumerate() {
            let expected = block.level(line.as_bytes());
            let found = looking_back(lines[..=number].iter().rev().map(|line| Some(line.as_bytes())));
            prop_assert!(found.is_none_or(|found| found == expected), "line {}: {:?}", number, found);
        }
    }
}

#[test]
fn names_are_read_and_ordered() {
    assert_eq!("WARNING".parse(), Ok(Warn), "a longer name");
    assert_eq!("loud".parse::<Level>(), Err(UnknownLevel), "no name");
    assert!(Trace < Debug && Debug < Info && Info < Warn && Warn < Error, "their order");
}
