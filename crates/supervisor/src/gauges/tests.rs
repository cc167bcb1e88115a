use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::probe::tests::{closed_port, here, servers};

fn shell(text: &str) -> Kind {
    Kind::Exec { name: "queue".into(), command: Command::Shell(text.into()) }
}

async fn asked(kind: Kind) -> Option<Vec<Gauge>> {
    Source { interval: INTERVAL, kind }.ask(&here()).await
}

#[test]
fn the_last_number_of_what_a_command_prints_counts() {
    for (text, number) in [
        ("12\n", Some((12.0, GaugeUnit::Number))),
        ("queue: 7 of 20\n", Some((20.0, GaugeUnit::Number))),
        ("length=-3.5e2", Some((-350.0, GaugeUnit::Number))),
        ("hit rate 93.5%", Some((93.5, GaugeUnit::Percent))),
        ("hit rate 93.5 %", Some((93.5, GaugeUnit::Percent))),
        ("There are 5.", Some((5.0, GaugeUnit::Number))),
        ("1,234 jobs", Some((1234.0, GaugeUnit::Number))),
        ("-12,345,678.5", Some((-12_345_678.5, GaugeUnit::Number))),
        ("jobs=1,234, waiting", Some((1234.0, GaugeUnit::Number))),
        ("[100,200]", Some((200.0, GaugeUnit::Number))),
        ("5,12", Some((12.0, GaugeUnit::Number))),
        ("{\"jobs\": 4}", Some((4.0, GaugeUnit::Number))),
        ("nan inf none", None),
        ("v1.2", None),
        ("", None),
    ] {
        assert_eq!(last_number(text), number, "{text:?}");
    }
}

#[tokio::test]
async fn a_command_that_tells_no_number_is_shown_with_the_reason() {
    for (command, problem) in [
        ("echo nothing here", "its command printed no number: nothing here"),
        ("true", "its command printed nothing"),
        ("echo 5; echo broken >&2; exit 3", "its command exited with 3: broken"),
        ("printf '\\377\\376\\000'", "its command printed no number: "),
    ] {
        let gauges = asked(shell(command)).await.expect("gauges");
        let told = (gauges[0].value, gauges[0].problem.as_deref().unwrap_or_default());
        assert_eq!(told.0, None, "{command}");
        assert!(told.1.starts_with(problem), "{command}: {}", told.1);
    }
    let gauges = asked(shell("yes 17 | head -c 20000000")).await.expect("gauges");
    assert!(gauges[0].value.is_some(), "a flood is bounded: {gauges:?}");
}

#[tokio::test]
async fn a_command_that_hangs_is_ended_and_said_to() {
    let begun = Instant::now();
    let gauges = asked(shell("sleep 600")).await.expect("gauges");
    assert!(begun.elapsed() < LIMIT * 3, "bounded");
    assert_eq!(gauges[0].problem.as_deref(), Some("its command has not ended after 5 s"), "why");
}

/// Serves `page` on a port of its own until the test ends; counts the requests.
async fn web(status: &'static str, page: &'static str) -> (u16, Arc<AtomicUsize>) {
    web_of(move |_| (status.to_owned(), page)).await
}

/// The same with another status and page for each path.
async fn web_of(answer: impl Fn(&str) -> (String, &'static str) + Send + 'static) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..read]);
            let (status, page) = answer(request.split(' ').nth(1).unwrap_or_default());
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, count)
}

#[tokio::test]
async fn a_series_of_a_prometheus_page_is_a_gauge() {
    let page = "# TYPE jobs gauge\njobs{queue=\"mail\"} 4\njobs{queue=\"sms\"} 3\nidle NaN\n";
    let (port, _) = web("200 OK", page).await;
    for (path, series, value, problem) in [
        ("/metrics", "jobs{queue=\"mail\"}", Some(4.0), None),
        ("/metrics", "jobs", Some(7.0), None),
        ("/metrics", "other", None, Some(format!("http://127.0.0.1:{port}/metrics has no series other"))),
        ("/metrics", "idle", None, Some(format!("idle is NaN at http://127.0.0.1:{port}/metrics"))),
        ("/metrics", "{", None, Some("`{` is no series".to_owned())),
    ] {
        let url = format!("http://127.0.0.1:{port}{path}");
        let kind = Kind::Prometheus { name: "jobs".into(), url, series: series.into() };
        let gauges = asked(kind).await.expect("gauges");
        assert_eq!((gauges[0].value, &gauges[0].problem), (value, &problem), "{series}");
    }
    // Where a framework has mounted it, a slash may be missing.
    for (location, answer) in [
        ("/metrics/", Ok(7.0)),
        ("metrics/", Err("HTTP 307 from /moved, to metrics/".to_owned())),
        ("/moved", Err("HTTP 307 from /moved, again and again".to_owned())),
    ] {
        let elsewhere = format!("307 Temporary Redirect\r\nLocation: {location}");
        let (port, _) = web_of(move |path| match path {
            "/moved" => (elsewhere.clone(), ""),
            _ => ("200 OK".to_owned(), page),
        })
        .await;
        let url = format!("http://127.0.0.1:{port}/moved");
        let kind = Kind::Prometheus { name: "jobs".into(), url, series: "jobs".into() };
        let gauge = asked(kind).await.expect("gauges").remove(0);
        assert_eq!(gauge.value.ok_or(gauge.problem.unwrap_or_default()), answer, "{location}");
    }
    let (port, _) = web("500 Oops", "jobs 1\n").await;
    let url = format!("http://127.0.0.1:{port}/metrics");
    let gauges = asked(Kind::Prometheus { name: "jobs".into(), url, series: "jobs".into() }).await;
    let problem = gauges.expect("gauges")[0].problem.clone();
    assert_eq!(problem.as_deref(), Some("HTTP 500 from /metrics"), "an error page is no page");
    let closed = closed_port().await;
    let url = format!("http://127.0.0.1:{closed}/metrics");
    let gauges = asked(Kind::Prometheus { name: "jobs".into(), url, series: "jobs".into() }).await;
    let problem = gauges.expect("gauges")[0].problem.clone();
    assert_eq!(problem, Some(format!("connection refused at 127.0.0.1:{closed}")), "nobody is there");
}

#[tokio::test]
async fn sources_are_asked_again_and_again_until_they_are_dropped() {
    let (port, count) = web("200 OK", "jobs 1\n").await;
    let url = format!("http://127.0.0.1:{port}/");
    let kind = Kind::Prometheus { name: "jobs".into(), url, series: "jobs".into() };
    let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
    let source = Source { interval: Duration::from_millis(20), kind };
    let watched = spawn(vec![source], &here(), move |number, gauges| _ = sender.send((number, gauges)));
    for _ in 0..3 {
        let (number, gauges) = timeout(LIMIT, told.recv()).await.expect("in time").expect("an answer");
        assert_eq!((number, gauges[0].value), (0, Some(1.0)), "each time");
    }
    drop(watched);
    assert!(timeout(LIMIT, async { while told.recv().await.is_some() {} }).await.is_ok(), "it ends");
    assert!(count.load(Ordering::Relaxed) >= 3, "asked anew each time");
}

#[test]
fn sources_are_those_of_the_configuration_and_of_a_database() {
    let metrics = serde_json::json!({
        "queue": {"exec": "./queue-length", "interval": "10s"},
        "args": {"exec": ["redis-cli", "llen", "jobs"], "interval": "1ms"},
        "latency": {"prometheus": "http://localhost/metrics", "series": "latency"},
    });
    let told: Vec<_> = metrics
        .as_object()
        .expect("a mapping")
        .iter()
        .filter_map(|(name, metric)| source(name, metric))
        .map(|source| source.interval)
        .collect();
    assert_eq!(told, [LEAST_INTERVAL, INTERVAL, Duration::from_secs(10)], "args, latency, queue");
}

fn told_by(gauges: &[Gauge]) -> Vec<(&str, Option<f64>)> {
    gauges.iter().map(|gauge| (gauge.name.as_str(), gauge.maximum)).collect()
}

#[tokio::test]
async fn redis_tells_its_clients_and_its_memory_to_whom_it_lets_in() {
    let port = closed_port().await;
    let Some(mut server) = servers::redis(port, &["--requirepass", "top secret", "--maxclients", "77"])
    else {
        return;
    };
    let url = format!("redis://:top%20secret@127.0.0.1:{port}/0");
    servers::healthy(&Probe::Redis(url.clone()), &mut server).await;
    let gauges = asked(Kind::Redis(url)).await.expect("gauges");
    assert_eq!(told_by(&gauges), [("connections", Some(77.0)), ("used memory", None)], "{gauges:?}");
    assert_eq!(gauges[0].value, Some(0.0), "without the one that asks");
    let open = closed_port().await;
    let Some(mut without) = servers::redis(open, &["--maxclients", "1"]) else { return };
    servers::healthy(&Probe::Redis(format!("redis://127.0.0.1:{open}")), &mut without).await;
    let url = format!("redis://:whatever@127.0.0.1:{open}");
    let told = servers::until(async || {
        let told = asked(Kind::Redis(url.clone())).await.expect("not given up");
        (!told.is_empty()).then_some(told)
    });
    assert_eq!(told_by(&told.await)[0], ("connections", Some(1.0)), "a password that nobody asks for");
    let _only = tokio::net::TcpStream::connect(("127.0.0.1", open)).await.expect("the only client");
    assert_eq!(asked(Kind::Redis(url)).await, Some(Vec::new()), "too many clients, for now");
    for user in ["", ":wrong@"] {
        let refused = asked(Kind::Redis(format!("redis://{user}127.0.0.1:{port}/0"))).await;
        assert_eq!(refused, None, "{user}: not tried again");
    }
    drop(server);
    assert_eq!(asked(Kind::Redis(format!("redis://127.0.0.1:{port}"))).await, Some(Vec::new()), "it is gone");
}

#[tokio::test]
async fn postgres_tells_its_connections_and_its_cache_to_whom_it_lets_in() {
    let trusting = closed_port().await;
    let Some(mut server) = servers::postgres(trusting) else { return };
    let url = |who: &str| format!("postgres://{who}127.0.0.1:{trusting}/postgres");
    servers::healthy(&Probe::Postgres(url("postgres@")), &mut server).await;
    server.sql(trusting, "CREATE ROLE app LOGIN; CREATE ROLE other LOGIN");
    let _sessions: Vec<_> = (0..3).map(|_| server.session(trusting, "other")).collect();
    servers::until(async || {
        let gauges = asked(Kind::Postgres(url("app@"))).await.expect("gauges");
        (gauges[0].value == Some(3.0)).then_some(())
    })
    .await;
    // As servers ask for a password since version 14, and before.
    for method in ["scram-sha-256", "md5"] {
        let port = closed_port().await;
        let with_password = |folder: &std::path::Path| {
            let file = folder.join("password");
            std::fs::write(&file, "secret\n").expect("a file");
            vec![format!("--auth={method}"), format!("--pwfile={}", file.display())]
        };
        let Some(mut server) = servers::postgres_with(port, with_password) else { return };
        let url = |who: &str| format!("postgres://{who}127.0.0.1:{port}/postgres");
        servers::healthy(&Probe::Postgres(url("")), &mut server).await;
        let gauges = asked(Kind::Postgres(url("postgres:secret@"))).await.expect("gauges");
        assert_eq!(gauges[0].name, "connections", "{method}: {gauges:?}");
        assert_eq!(
            (gauges[0].value, gauges[0].maximum),
            (Some(0.0), Some(100.0)),
            "without the one that asks"
        );
        let rate = gauges.iter().find(|gauge| gauge.name == "cache hit rate").and_then(|gauge| gauge.value);
        assert!(rate.is_some_and(|rate| (0.0..=100.0).contains(&rate)), "{method}: {gauges:?}");
        for who in ["", "postgres@", "postgres:wrong@", "nobody:secret@"] {
            assert_eq!(asked(Kind::Postgres(url(who))).await, None, "{method}, {who}: not tried again");
        }
    }
}
