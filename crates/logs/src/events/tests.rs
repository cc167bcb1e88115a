use super::*;
use crate::{Cursor, Stream};

fn line(text: &str) -> Line {
    let at = Cursor { segment: 1, offset: 0 };
    let text = text.as_bytes().to_vec();
    Line {
        time_ns: 0,
        stream: Stream::Stdout,
        run: 1,
        level: None,
        text,
        omitted: 0,
        partial: false,
        cursor: at,
        end: at,
    }
}

/// `level title: text | state`.
fn told(text: &str) -> String {
    let watch = Watch::new(Vec::new(), Duration::from_secs(1));
    let one = |told: Told| {
        let state = match told.what {
            What::State(state) => format!(" | {state}"),
            What::Slow(work) => format!(" | {}", work.counted(2)),
            What::Size { name, bytes } => return format!("{name} {bytes}"),
            What::Event => String::new(),
        };
        format!("{} {}: {}{state}", told.level, told.title, told.text)
    };
    watch.look(&line(text)).into_iter().map(one).collect::<Vec<_>>().join("; ")
}

#[test]
fn every_rule_is_a_regular_expression() {
    assert_eq!(COMPILED.rules.len(), RULES.len(), "all of them compile");
    assert_eq!(COMPILED.set.len(), RULES.len(), "and are looked for at once");
}

#[test]
fn lines_of_known_tools_are_told() {
    for (text, expected) in [
        // webpack
        (
            "webpack 5.112.2 compiled successfully in 2939 ms",
            "info Compiled successfully: in 2939 ms | Webpack compiled successfully",
        ),
        ("webpack compiled successfully", "info Compiled successfully:  | Webpack compiled successfully"),
        ("Webpack compiled successfully", "info Compiled successfully:  | Webpack compiled successfully"),
        (
            "webpack 5.112.2 compiled with 1 warning in 3784 ms",
            "warn Compiled with warnings: 1 warning | Webpack compiled with 1 warning",
        ),
        (
            "webpack 5.1 compiled with 2 errors and 1 warning in 3 ms",
            "error Failed to compile: 2 errors | Webpack failed to compile",
        ),
        ("Compiled successfully!", "info Compiled successfully:  | Compiled successfully"),
        ("Compiled with warnings.", "warn Compiled with warnings:  | Compiled with warnings"),
        ("Failed to compile.", "error Failed to compile:  | Failed to compile"),
        ("[HMR] Updated modules:", "info Hot reload: "),
        // Next.js
        (" ✓ Ready in 1234ms", "info Ready: in 1234ms | Next is ready"),
        (
            " ✓ Compiled /users in 2.3s (512 modules)",
            "info Compiled successfully: /users in 2.3s | Next compiled /users",
        ),
        (" ✓ Compiled in 145ms", "info Compiled successfully: in 145ms | Next compiled successfully"),
        (" ⨯ Failed to compile", "error Failed to compile:  | Failed to compile"),
        // Vite
        (
            "\x1b[32m\x1b[1mVITE\x1b[22m v8.3.8\x1b[39m  \x1b[2mready in \x1b[0m\x1b[1m5254\x1b[22m\x1b[2m\x1b[0m ms\x1b[22m",
            "info Ready: in 5254 ms | Vite is ready",
        ),
        (
            "11:24:27 PM [vite] (client) hmr update /src/App.svelte, /src/app.css",
            "info Hot reload: /src/App.svelte modified",
        ),
        ("11:24:27 PM [vite] (client) page reload index.html", "info Page reload: index.html modified"),
        (
            "11:24:26 PM [vite] Internal server error: Failed to parse source",
            "error Failed to compile: Failed to parse source | Vite failed to compile",
        ),
        ("✓ built in 3.89s", "info Compiled successfully: in 3.89s | Vite built in 3.89s"),
        ("✗ Build failed in 2.03s", "error Build failed: after 2.03s | Vite's build failed"),
        // tsc, nodemon, ts-node-dev, tsx
        (
            "11:26:03 PM - Found 0 errors. Watching for file changes.",
            "info Compiled successfully:  | TypeScript found no errors",
        ),
        (
            "11:26:02 PM - Found 2 errors. Watching for file changes.",
            "error Failed to compile: 2 errors | TypeScript found 2 errors",
        ),
        (
            "Found 2 errors in the same file, starting at: a.ts:1",
            "error Failed to compile: 2 errors | TypeScript found 2 errors",
        ),
        ("[nodemon] restarting due to changes...", "info Hot reload: restarting after changes"),
        (
            "[nodemon] app crashed - waiting for file changes before starting...",
            "error App crashed: waiting for file changes | App crashed, nodemon waits for changes",
        ),
        (
            "[INFO] 14:30:15 Restarting: /app/src/user.ts has been modified",
            "info Hot reload: /app/src/user.ts modified",
        ),
        // cargo-watch, air
        (
            "    Finished `dev` profile [unoptimized + debuginfo] target(s) in 0.52s",
            "info Compiled successfully: in 0.52s | Cargo compiled in 0.52s",
        ),
        (
            "error: could not compile `api` (bin \"api\") due to 1 previous error",
            "error Failed to compile: api | Cargo could not compile api",
        ),
        ("[Running 'cargo run']", "info Running: cargo run"),
        ("[Finished running. Exit status: 101]", "error Build failed: exit 101"),
        ("[Finished running. Exit status: 0]", ""),
        ("handlers/user.go has changed", "info Hot reload: handlers/user.go modified"),
        (
            "failed to build, error: exit status 1",
            "error Failed to compile: exit status 1 | Air failed to build",
        ),
        // Python
        ("/app/views.py changed, reloading.", "info Hot reload: /app/views.py modified"),
        (" * Detected change in '/app/main.py', reloading", "info Hot reload: /app/main.py modified"),
        (
            "WARNING:  WatchFiles detected changes in 'main.py'. Reloading...",
            "info Hot reload: main.py modified",
        ),
        (
            "Starting development server at http://127.0.0.1:8000/",
            "info Listening: at http://127.0.0.1:8000/",
        ),
        (
            "INFO:     Uvicorn running on http://127.0.0.1:7394 (Press CTRL+C to quit)",
            "info Listening: on http://127.0.0.1:7394",
        ),
        // Java, Ruby
        (
            "2026-11-21T14:30:15.123Z  INFO 1 --- [main] o.s.b.w.e.t.TomcatWebServer : Tomcat started on port 8080 (http)",
            "info Listening: on port 8080",
        ),
        (
            "2026-11-21T14:30:15.123Z  INFO 1 --- [main] c.e.DemoApplication : Started DemoApplication in 2.153 seconds (process running for 2.5)",
            "info Ready: DemoApplication in 2.153 s | DemoApplication is ready",
        ),
        ("* Listening on http://127.0.0.1:3000", "info Listening: on http://127.0.0.1:3000"),
        // Anything
        ("Hot reload: user.go modified", "info Hot reload: user.go modified"),
        ("Server listening on port 8080", "info Listening: on 8080"),
        ("listening on :8080", "info Listening: on :8080"),
        ("listening at http://localhost:3000/api", "info Listening: on http://localhost:3000/api"),
        (
            "2026/11/21 14:30:15 Server started at http://0.0.0.0:8080",
            "info Listening: on http://0.0.0.0:8080",
        ),
        // Prose
        ("nothing was compiled", ""),
        ("we are listening", ""),
        ("running migrations on 2024-01-01 12:30", ""),
        ("server error on port 8080 connection", ""),
        ("Backup started at 14:30:15", ""),
        ("Job started at 2026-11-21T14:30:15Z", ""),
        (
            r#"{"level":"info","message":"Server listening at http://localhost:3000","timestamp":"2026-11-21T14:30:15Z"}"#,
            "info Listening: on http://localhost:3000",
        ),
        (r#"time=x level=INFO msg="listening on :8080" env=dev"#, "info Listening: on :8080"),
        (r#"{"msg":"listening on 0.0.0.0:8080","port":1}"#, "info Listening: on 0.0.0.0:8080"),
        ("listening on [::1]:8080", "info Listening: on [::1]:8080"),
        ("dotnet watch 🔥 Hot reload enabled. For a list of supported edits, see https://aka.ms", ""),
        ("dotnet watch 🔥 Hot reload of changes succeeded.", "info Hot reload: of changes succeeded."),
        ("To hot reload changes while running, press \"r\"", ""),
        (
            "Found 2 errors in 1 file (checked 3 source files)",
            "error Failed to compile: 2 errors | Found 2 errors",
        ),
        ("Found 3 errors.", "error Failed to compile: 3 errors | Found 3 errors"),
        ("Found 0 errors.", ""),
        ("Serving request on 12345", ""),
        (
            "Serving HTTP on 127.0.0.1 port 8000 (http://127.0.0.1:8000/) ...",
            "info Listening: on 127.0.0.1 port 8000",
        ),
        ("found 3 warnings", ""),
        ("a hot reload", ""),
        ("", ""),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn slow_work_is_told_by_its_kind() {
    for (text, expected) in [
        ("GET /api/users - 200 (1450ms)", "request"),
        ("GET /api/users - 200 (45ms)", ""),
        ("Completed 200 OK in 2145ms (Views: 12.1ms | ActiveRecord: 3.2ms)", "request"),
        (r#"{"level":30,"req":{"method":"GET"},"responseTime":1234,"msg":"request completed"}"#, "request"),
        ("[GIN] 2026/11/21 - 14:30:15 | 200 |  1.234567s |  127.0.0.1 | GET      \"/users\"", "request"),
        ("GET /api/stats?period=24h 200 12 ms - 5", ""),
        ("GET /api/stats?period=24h 200 1200 ms - 5", "request"),
        ("GET \"/a?t=90s\" 3ms", ""),
        (r#"{"c":"COMMAND","msg":"Slow query","attr":{"ns":"shop.orders","durationMillis":1523}}"#, "query"),
        ("[info] Sent 200 in 1523ms", "request"),
        ("[info] Sent 200 in 15ms", ""),
        ("Sent mail in 1523ms", ""),
        ("2026-11-21 UTC [7] LOG:  duration: 1101.229 ms  statement: select pg_sleep(1.1);", "query"),
        ("Database query: 145ms (slow)", "query"),
        ("Query execution: 12ms", ""),
        ("SELECT * FROM users took 1.2s", "query"),
        ("time=x level=INFO msg=\"served\" duration=1.5s", "operation"),
        ("import took 2300 ms", "operation"),
        ("import took 230 ms", ""),
        ("request timeout is 30s", ""),
        ("retrying request in 5s", ""),
        ("webpack 5.112.2 compiled successfully in 2939 ms", ""),
        ("sleeping for 10s", ""),
        ("slow down", ""),
    ] {
        let watch = Watch::new(Vec::new(), Duration::from_secs(1));
        let slow = watch.look(&line(text)).into_iter().find_map(|told| match told.what {
            What::Slow(work) => Some(work.name()),
            _ => None,
        });
        assert_eq!(slow.unwrap_or(""), expected, "{text}");
    }
}

#[test]
fn rules_of_the_user_are_told_beside_the_built_in_ones() {
    let own = |pattern: &str, title: &str, level| OwnRule {
        pattern: Regex::new(pattern).expect("a regular expression"),
        title: title.to_owned(),
        level,
    };
    let watch = Watch::new(
        vec![own("order \\d+", "stuck order", Level::Error), own("stuck", "", Level::Info)],
        Duration::from_secs(1),
    );
    let told = watch.look(&line("\x1b[31morder\x1b[0m 7 is stuck, listening on :8080"));
    let shown: Vec<String> =
        told.iter().map(|told| format!("{} {}: {}", told.level, told.title, told.text)).collect();
    let text = "order 7 is stuck, listening on :8080";
    let expected = [
        format!("error stuck order: {text}"),
        format!("info {text}: "),
        "info Listening: on :8080".to_owned(),
    ];
    assert_eq!(shown, expected, "as the line is shown");
    let mut rules: Vec<usize> = told.iter().map(|told| told.rule).collect();
    rules.dedup();
    assert_eq!(rules.len(), 3, "each has a rule of its own");
}
