//! First words as servers say them, recorded from their protocols' descriptions.

use forge_config::model::Probe;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{asked, says, serve};
use crate::probe::Answer;

/// `asked`: it speaks when it is spoken to.
async fn answers(scheme: &str, asked_first: bool, reply: &[u8]) -> Answer {
    let port = says(asked_first, reply).await;
    let url = format!("{scheme}://127.0.0.1:{port}");
    asked(&match scheme {
        "redis" => Probe::Redis(url),
        "postgres" => Probe::Postgres(url),
        "mysql" => Probe::Mysql(url),
        "nats" => Probe::Nats(url),
        "amqp" => Probe::Amqp(url),
        _ => Probe::Memcached(url),
    })
    .await
}

#[tokio::test]
async fn redis() {
    for (reply, healthy, message) in [
        ("+PONG\r\n", true, "PONG received"),
        ("-NOAUTH Authentication required.\r\n", true, "Alive, asks for a password"),
        ("-LOADING Redis is loading the dataset in memory\r\n", false, "still loading its data"),
        ("-DENIED running in protected mode\r\n", true, "Alive, but says: DENIED running in protected mode"),
        ("HTTP/1.1 400 Bad Request\r\n", false, "what answers there is not Redis"),
    ] {
        let answer = answers("redis", true, reply.as_bytes()).await;
        assert_eq!((answer.healthy, answer.message.as_str()), (healthy, message), "{reply:?}");
    }
}

#[tokio::test]
async fn postgres() {
    let error = |code: &str, text: &str| {
        let fields = format!("SFATAL\0C{code}\0M{text}\0\0");
        let length = u32::try_from(fields.len() + 4).expect("short");
        [b"E".as_slice(), &length.to_be_bytes(), fields.as_bytes()].concat()
    };
    for (reply, healthy, message) in [
        (b"R\0\0\0\x08\0\0\0\0".to_vec(), true, "Accepting connections"),
        (error("28000", "no pg_hba.conf entry"), true, "Accepting connections"),
        (error("57P03", "the database system is starting up"), false, "the database system is starting up"),
        (b"HTTP/1.1 400 Bad Request\r\n".to_vec(), false, "what answers there is not PostgreSQL"),
    ] {
        let answer = answers("postgres", true, &reply).await;
        assert_eq!((answer.healthy, answer.message.as_str()), (healthy, message), "{reply:?}");
    }
}

const GREETING: &[u8] =
    b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xf7\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0\
    abcdefghijkl\0mysql_native_password\0";

#[tokio::test]
async fn mysql() {
    for (reply, healthy, message) in [
        (GREETING, true, "Accepting connections"),
        (b"\x17\0\0\0\xff\x10\x04Too many connections".as_slice(), false, "Too many connections"),
        (b"\x0e\0\0\0\xff\x10\x04#08004Sorry".as_slice(), false, "Sorry"),
        (b"INFO {}\r\n".as_slice(), false, "what answers there is not MySQL"),
    ] {
        let port = serve(move |mut stream| async move {
            let _ = stream.write_all(reply).await;
        })
        .await;
        let answer = asked(&Probe::Mysql(format!("mysql://127.0.0.1:{port}"))).await;
        assert_eq!((answer.healthy, answer.message.as_str()), (healthy, message), "{reply:?}");
    }
}

#[tokio::test]
async fn mysql_gets_a_whole_handshake_so_that_it_blocks_nobody() {
    let (seen, mut logins) = tokio::sync::mpsc::unbounded_channel();
    let port = serve(move |mut stream| {
        let seen = seen.clone();
        async move {
            let _ = stream.write_all(GREETING).await;
            let mut login = [0; 1024];
            let read = stream.read(&mut login).await.unwrap_or(0);
            let switch = b"\x2c\0\0\x02\xfecaching_sha2_password\0abcdefghijklmnopqrst\0";
            let _ = stream.write_all(switch).await;
            let mut empty = [0; 4];
            let _ = stream.read_exact(&mut empty).await;
            let denied = b"\x16\0\0\x04\xff\x15\x04#28000Access denied";
            let _ = stream.write_all(denied).await;
            let _ = seen.send((login[..read].to_vec(), empty));
        }
    })
    .await;
    let answer = asked(&Probe::Mysql(format!("mysql://app@127.0.0.1:{port}"))).await;
    assert!(answer.healthy, "a denied login is an answer: {answer:?}");
    assert_eq!(answer.detail.as_deref(), Some("8.0.36"), "the version");
    let (login, empty) = logins.recv().await.expect("the server was asked");
    assert_eq!(usize::from(login[0]) + 4, login.len(), "the login's length is its packet's");
    assert_eq!(login[3], 1, "it is the second packet");
    assert_eq!(&login[36..40], b"app\0", "the user of the URL");
    assert_eq!(empty, [0, 0, 0, 3], "no password, in order");
}

#[tokio::test]
async fn nats() {
    for (reply, healthy, message) in [
        ("INFO {\"server_id\":\"N1\",\"max_payload\":1048576}\r\n", true, "INFO received"),
        ("-ERR 'maximum connections exceeded'\r\n", false, "says: 'maximum connections exceeded'"),
        ("220 mail ready\r\n", false, "what answers there is not NATS"),
    ] {
        let answer = answers("nats", false, reply.as_bytes()).await;
        assert_eq!((answer.healthy, answer.message.as_str()), (healthy, message), "{reply:?}");
    }
}

#[tokio::test]
async fn amqp() {
    for (reply, healthy, message) in [
        (b"\x01\0\0\0\0\x01\xd4\0\x0a\0\x0a\0\x09".as_slice(), true, "Connection.Start received"),
        (b"AMQP\x03\x01\0\0".as_slice(), false, "speaks AMQP 1.0.0, not 0-9-1"),
        (b"HTTP/1.1 400 Bad Request\r\n".as_slice(), false, "what answers there is not an AMQP server"),
    ] {
        let answer = answers("amqp", true, reply).await;
        assert_eq!((answer.healthy, answer.message.as_str()), (healthy, message), "{reply:?}");
    }
}

#[tokio::test]
async fn memcached() {
    for (reply, healthy, message) in [
        ("VERSION 1.6.18\r\n", true, "VERSION 1.6.18 received"),
        ("CLIENT_ERROR unauthenticated\r\n", true, "Alive, asks for a login"),
        ("+PONG\r\n", false, "what answers there is not memcached"),
    ] {
        let answer = answers("memcached", true, reply.as_bytes()).await;
        assert_eq!((answer.healthy, answer.message.as_str()), (healthy, message), "{reply:?}");
    }
}

/// HTTP/2 as a gRPC server without compression says it: settings, headers, data, trailers.
mod grpc {
    use super::{Answer, AsyncReadExt, AsyncWriteExt, Probe, asked, serve};

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).expect("short");
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    }

    /// A header that is not remembered, its name in plain letters (RFC 7541, 6.2.2).
    fn header(name: &str, value: &str) -> Vec<u8> {
        let length = |text: &str| u8::try_from(text.len()).expect("short");
        [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
    }

    /// `:status: 200` is number 8 of the static table.
    const OK: u8 = 0x88;
    const HEADERS: u8 = 1;
    const END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;

    async fn served(frames: Vec<u8>, service: &str) -> (Answer, Vec<u8>) {
        let (seen, mut requests) = tokio::sync::mpsc::unbounded_channel();
        let port = serve(move |mut stream| {
            let (frames, seen) = (frames.clone(), seen.clone());
            async move {
                let mut request = Vec::new();
                let _ = stream.write_all(&frame(4, 0, 0, &[])).await;
                // Until the stream's half is closed: a data frame (0) of stream 1 with its last flag.
                while !request.windows(6).any(|bytes| bytes == [0, END_STREAM, 0, 0, 0, 1]) {
                    let mut chunk = [0; 1024];
                    let Ok(read @ 1..) = stream.read(&mut chunk).await else { return };
                    request.extend(&chunk[..read]);
                }
                let _ = seen.send(request);
                let _ = stream.write_all(&frames).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        })
        .await;
        let answer = asked(&Probe::Grpc(format!("grpc://127.0.0.1:{port}/{service}"))).await;
        (answer, requests.recv().await.expect("a request"))
    }

    fn reply(status: u8) -> Vec<u8> {
        let head = [&[OK][..], &header("content-type", "application/grpc")].concat();
        [
            frame(HEADERS, END_HEADERS, 1, &head),
            frame(0, 0, 1, &[0, 0, 0, 0, 2, 8, status]),
            frame(HEADERS, END_HEADERS | END_STREAM, 1, &header("grpc-status", "0")),
        ]
        .concat()
    }

    fn error(code: &str, words: &str) -> Vec<u8> {
        let head = [&[OK][..], &header("grpc-status", code), &header("grpc-message", words)].concat();
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &head)
    }

    #[tokio::test]
    async fn the_status_of_the_health_service_counts() {
        for (what, frames, healthy, message) in [
            ("serving", reply(1), true, "SERVING"),
            ("not serving", reply(2), false, "NOT_SERVING"),
            ("unknown", reply(0), false, "UNKNOWN"),
            ("no health service", error("12", "no"), true, "Alive, has no health service"),
            ("no such service", error("5", "no"), false, "knows no service `shop.Cart`"),
            ("an error", error("14", "try later"), false, "gRPC status 14: try later"),
        ] {
            let (answer, request) = served(frames, "shop.Cart").await;
            assert_eq!((answer.healthy, answer.message.as_str()), (healthy, message), "{what}");
            let named = request.windows(16).any(|bytes| bytes == b"\0\0\0\0\x0b\x0a\x09shop.Cart");
            assert!(named, "{what}: the service is named in the request");
        }
    }

    #[tokio::test]
    async fn what_is_no_http_2_is_named() {
        let port = super::says(false, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        let answer = asked(&Probe::Grpc(format!("grpc://127.0.0.1:{port}"))).await;
        assert!(!answer.healthy && answer.message.contains("no gRPC"), "{answer:?}");
    }
}
