//! Addresses, and servers that are not there.

use std::time::{Duration, Instant};

use forge_config::model::Probe;
use tokio::net::TcpListener;

use super::{asked, closed_port, here, says, serve};
use crate::probe::{Answer, ask};

#[tokio::test]
async fn a_refused_connection_names_the_place_as_it_was_written() {
    let port = closed_port().await;
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let answer = asked(&Probe::Tcp(format!("{host}:{port}"))).await;
        if host == "[::1]" && answer.message.starts_with("cannot connect") {
            continue; // A machine without IPv6.
        }
        assert_eq!(answer.message, format!("connection refused at {host}:{port}"), "{host}");
        assert!(!answer.healthy, "{host} is not healthy");
    }
}

#[tokio::test]
async fn localhost_is_asked_in_both_families() {
    let v4 = serve(|_stream| async {}).await;
    assert_eq!(
        asked(&Probe::Tcp(format!("localhost:{v4}"))).await,
        Answer::healthy("Accepting connections"),
        "IPv4"
    );
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let v6 = listener.local_addr().expect("an address").port();
    assert_eq!(
        asked(&Probe::Tcp(format!("localhost:{v6}"))).await,
        Answer::healthy("Accepting connections"),
        "IPv6"
    );
}

#[tokio::test]
async fn a_stranger_on_one_family_does_not_hide_the_server_on_the_other() {
    let Ok(v6) = TcpListener::bind("[::1]:0").await else { return };
    let port = v6.local_addr().expect("an address").port();
    let Ok(stranger) = TcpListener::bind(("127.0.0.1", port)).await else { return };
    tokio::spawn(async move {
        // It accepts, and never says a word.
        let mut held = Vec::new();
        while let Ok((stream, _)) = stranger.accept().await {
            held.push(stream);
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = v6.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"INFO {}\r\n").await;
        }
    });
    let answer = ask(&Probe::Nats(format!("nats://localhost:{port}")), Duration::from_secs(2), &here()).await;
    assert_eq!(
        answer,
        Answer::healthy("INFO received"),
        "the other address is asked when half of the time is over"
    );
}

#[tokio::test]
async fn what_one_family_has_said_is_told_though_the_other_hangs() {
    let Ok(v6) = TcpListener::bind("[::1]:0").await else { return };
    let port = v6.local_addr().expect("an address").port();
    let Ok(v4) = TcpListener::bind(("127.0.0.1", port)).await else { return };
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = v4.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"-ERR 'too many'\r\n").await;
        }
    });
    // The other one's connections wait in its backlog.
    let limit = Duration::from_millis(500);
    let answer = ask(&Probe::Nats(format!("nats://localhost:{port}")), limit, &here()).await;
    assert_eq!(answer, Answer::unhealthy("says: 'too many'"), "rather than that the other one is late");
    drop(v6);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_at_the_limit() {
    let port = says(true, b"").await;
    let limit = Duration::from_millis(200);
    for probe in [
        Probe::Redis(format!("redis://127.0.0.1:{port}")),
        Probe::Postgres(format!("postgres://127.0.0.1:{port}")),
        Probe::Mysql(format!("mysql://127.0.0.1:{port}")),
        Probe::Nats(format!("nats://127.0.0.1:{port}")),
        Probe::Amqp(format!("amqp://127.0.0.1:{port}")),
        Probe::Memcached(format!("memcached://127.0.0.1:{port}")),
        Probe::Grpc(format!("grpc://127.0.0.1:{port}")),
    ] {
        let began = Instant::now();
        let answer = ask(&probe, limit, &here()).await;
        assert_eq!(answer, Answer::late(limit), "{probe:?}");
        assert!(began.elapsed() < limit + Duration::from_secs(2), "{probe:?} took {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told() {
    let answer = asked(&Probe::Tcp("no-such-host.invalid:80".into())).await;
    let told = answer.message.starts_with("cannot resolve `no-such-host.invalid`");
    assert!(told || answer.message.starts_with("no answer within"), "{answer:?}");
}

#[tokio::test]
async fn a_log_check_cannot_be_asked() {
    let answer = asked(&Probe::Log("ready".into())).await;
    assert_eq!(answer, Answer::unhealthy("a `log` check is answered by the output, not by asking"), "log");
}
