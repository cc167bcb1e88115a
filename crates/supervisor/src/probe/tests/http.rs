//! HTTP and HTTPS.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use forge_config::model::Probe;
use indexmap::IndexMap;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{asked, here, says, serve};
use crate::probe::{Answer, ask};

const SHORT: Duration = Duration::from_millis(500);

fn get(url: String) -> Probe {
    Probe::Http { url, status: Vec::new(), headers: IndexMap::new() }
}

async fn response(head: &str, body: &str) -> u16 {
    let length = body.len();
    says(true, format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes()).await
}

#[tokio::test]
async fn a_status_is_named_with_the_path_and_not_the_query() {
    let port = response("200 OK", "fine").await;
    let answer = asked(&get(format!("http://127.0.0.1:{port}/health?key=secret"))).await;
    assert_eq!(answer, Answer::healthy("HTTP 200 from /health"), "200");
}

#[tokio::test]
async fn an_error_is_told_with_the_first_line_of_its_body() {
    let port = response("503 Service Unavailable", "\n\x1b[31mno database\x1b[0m\nmore").await;
    let answer = asked(&get(format!("http://localhost:{port}/health"))).await;
    assert_eq!(answer, Answer::unhealthy("HTTP 503 from /health: no database"), "503");
    let port = response("404 Not Found", "").await;
    let answer = asked(&get(format!("http://localhost:{port}"))).await;
    assert_eq!(answer, Answer::unhealthy("HTTP 404 from /"), "404 without a body");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let port = response("302 Found\r\nLocation: http://127.0.0.1:1/", "").await;
    let answer = asked(&get(format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!(answer, Answer::healthy("HTTP 302 from /"), "302");
}

#[tokio::test]
async fn only_the_named_statuses_are_accepted() {
    let probe = |port| Probe::Http {
        url: format!("http://127.0.0.1:{port}/"),
        status: vec![401, 204],
        headers: IndexMap::new(),
    };
    let answer = asked(&probe(response("401 Unauthorized", "who?").await)).await;
    assert_eq!(answer, Answer::healthy("HTTP 401 from /"), "401 is in the list");
    let answer = asked(&probe(response("200 OK", "welcome").await)).await;
    assert_eq!(answer, Answer::unhealthy("HTTP 200 from /: welcome"), "200 is not");
}

#[tokio::test]
async fn headers_are_sent_and_may_replace_ours() {
    let port = serve(|mut stream| async move {
        let mut request = vec![0; 4096];
        let read = stream.read(&mut request).await.unwrap_or(0);
        let request = String::from_utf8_lossy(&request[..read]).into_owned();
        let lines: Vec<_> = request.lines().map(str::to_ascii_lowercase).collect();
        let all = [
            "get /health http/1.1",
            "host: api.test",
            "x-key: 7",
            "authorization: basic bwu6c2vjcmv0",
            "accept: */*",
        ];
        let missing: Vec<_> = all.iter().filter(|line| !lines.iter().any(|sent| sent == *line)).collect();
        let status = if missing.is_empty() { "200 OK" } else { "400 Bad Request" };
        let body = format!("missing {missing:?} in {lines:?}");
        let reply = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(reply.as_bytes()).await;
    })
    .await;
    let headers =
        [("Host", "api.test"), ("X-Key", "7")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let url = format!("http://me:secret@127.0.0.1:{port}/health");
    let probe = Probe::Http { url, status: Vec::new(), headers: headers.into_iter().collect() };
    assert_eq!(asked(&probe).await.message, "HTTP 200 from /health", "the server saw them all");
}

#[tokio::test]
async fn what_cannot_be_sent_is_explained() {
    let headers = IndexMap::from([("bad name".to_owned(), String::new())]);
    let probe = Probe::Http { url: "http://localhost/".into(), status: Vec::new(), headers };
    assert_eq!(asked(&probe).await.message, "`bad name` is no name of a header", "the header");
    let answer = asked(&get("http://localhost/a b".into())).await;
    assert!(answer.message.starts_with("`/a b` is no path of a URL"), "the path: {}", answer.message);
}

/// Says `start`, then `again` for as long as anybody listens.
async fn trickles(start: &'static str, again: &'static str) -> u16 {
    serve(move |mut stream| async move {
        let _ = stream.write_all(start.as_bytes()).await;
        while !again.is_empty() && stream.write_all(again.as_bytes()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await
}

#[tokio::test]
async fn a_server_that_hangs_or_trickles_is_bounded_as_a_whole() {
    const LATE: &str = "no answer within 500 ms";
    const NO_END: &str = "HTTP 200 from /, but its body did not end within 500 ms";
    let ok = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    for (what, start, again, expected) in [
        ("never a word", "", "", LATE),
        ("a head without an end", "HTTP/1.1 200 OK\r\nX: ", "x", LATE),
        ("headers without an end", "HTTP/1.1 200 OK\r\n", "", LATE),
        ("a body that hangs", ok, "", NO_END),
        ("a body that trickles", ok, "x", NO_END),
        (
            "an error that trickles",
            "HTTP/1.1 500 No\r\nContent-Length: 1000000\r\n\r\n",
            "x",
            "HTTP 500 from /",
        ),
    ] {
        let port = trickles(start, again).await;
        let began = Instant::now();
        let answer = ask(&get(format!("http://127.0.0.1:{port}/")), SHORT, &here()).await;
        assert!(began.elapsed() < SHORT + Duration::from_secs(2), "{what}: took {:?}", began.elapsed());
        assert_eq!((answer.healthy, answer.message.as_str()), (false, expected), "{what}");
    }
}

#[tokio::test]
async fn a_body_without_an_end_is_not_read_for_ever() {
    let flood = "x".repeat(64 * 1024);
    let port = serve(move |mut stream| {
        let flood = flood.clone();
        async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(flood.as_bytes()).await.is_ok() {}
        }
    })
    .await;
    let answer = asked(&get(format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!(answer, Answer::healthy("HTTP 200 from /"), "a long page is no fault");
}

#[tokio::test]
async fn what_is_no_http_is_named() {
    let port = says(false, b"SSH-2.0-OpenSSH_9.2\r\n").await;
    let answer = asked(&get(format!("http://127.0.0.1:{port}/"))).await;
    assert!(!answer.healthy && answer.message.contains("no HTTP"), "a stranger: {answer:?}");
    let port = serve(|stream| async move { drop(stream) }).await;
    let answer = asked(&get(format!("http://127.0.0.1:{port}/"))).await;
    let gone = [" closed the connection without an answer", " broke the connection off without an answer"];
    assert!(gone.iter().any(|words| answer.message.ends_with(words)), "hung up: {answer:?}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_healthy() {
    let port = serve(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
    })
    .await;
    let answer = asked(&get(format!("http://127.0.0.1:{port}/"))).await;
    assert_eq!(answer.message, "HTTP 200 from /, but its body broke off", "{answer:?}");
}

#[tokio::test]
async fn the_answer_of_a_server_with_both_families_is_asked_for_once() {
    let seen = Arc::new(AtomicBool::new(false));
    let twice = Arc::new(AtomicBool::new(false));
    let (first, again) = (Arc::clone(&seen), Arc::clone(&twice));
    let port = serve(move |mut stream: TcpStream| {
        if first.swap(true, Ordering::Relaxed) {
            again.store(true, Ordering::Relaxed);
        }
        async move {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    })
    .await;
    let answer = asked(&get(format!("http://localhost:{port}/"))).await;
    assert!(answer.healthy && !twice.load(Ordering::Relaxed), "one request: {answer:?}");
}

#[tokio::test]
async fn a_self_signed_certificate_is_taken_from_this_machine() {
    let made = rcgen::generate_simple_self_signed(vec!["somebody.test".into()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a server");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let port = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    for host in ["127.0.0.1", "localhost"] {
        let answer = asked(&get(format!("https://{host}:{port}/health"))).await;
        assert_eq!(answer, Answer::healthy("HTTP 200 from /health"), "https://{host}");
    }
    let plain = response("200 OK", "").await;
    let answer = asked(&get(format!("https://127.0.0.1:{plain}/"))).await;
    assert!(!answer.healthy && answer.message.contains("no HTTPS"), "a server without TLS: {answer:?}");
}
