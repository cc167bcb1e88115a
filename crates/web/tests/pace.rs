//! A session from outside, with a supervisor that is a test: what comes together, in which order, and when it ends.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use forge_api::{Update, wire};
use forge_web::Server;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::{mpsc, oneshot};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// Only a hang is this slow.
const DEADLINE: Duration = Duration::from_secs(60);

/// A server whose supervisor's ends come out here, and what stops it.
async fn serve() -> (String, mpsc::UnboundedReceiver<DuplexStream>, oneshot::Sender<()>) {
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
    let url = server.url();
    let (connected, connections) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let connect = move || {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        connected.send(theirs).expect("the test waits");
        ours
    };
    tokio::spawn(server.serve(connect, async { drop(stopped.await) }));
    (url, connections, stop)
}

fn client(url: &str) -> WebSocket<TcpStream> {
    let (address, token) =
        url.strip_prefix("http://").and_then(|url| url.split_once("/#token=")).expect("a URL");
    let mut request = format!("ws://{address}/ws").into_client_request().expect("a request");
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    tungstenite::client::client(request, stream).expect("let in").0
}

/// Its messages, each as the lines that came in it, up to the answer to 1; and how the session ended after that.
fn read_to_end(mut client: WebSocket<TcpStream>) -> (Vec<Vec<Value>>, Option<u16>) {
    let (mut messages, mut end) = (Vec::new(), None);
    while let Ok(message) = client.read() {
        match message {
            Message::Text(text) => messages.push(match serde_json::from_str(text.as_str()).expect("JSON") {
                Value::Array(lines) => lines,
                line => vec![line],
            }),
            Message::Close(frame) => end = frame.map(|frame| u16::from(frame.code)),
            _ => {}
        }
    }
    (messages, end)
}

#[tokio::test]
async fn updates_come_together_in_order_and_the_end_is_told() {
    const UPDATES: usize = 5000;
    let (url, mut connections, _stop) = serve().await;
    let reading = tokio::task::spawn_blocking(move || read_to_end(client(&url)));
    let mut supervisor = connections.recv().await.expect("a connection");
    for number in 0..UPDATES {
        let update = wire::update(&Update::Terminal { data: number.to_string() });
        supervisor.write_all(format!("{update}\n").as_bytes()).await.expect("taken");
    }
    let answer = wire::answer(&json!(1), &Ok(json!({})));
    supervisor.write_all(format!("{answer}\n").as_bytes()).await.expect("taken");
    drop(supervisor);
    let (messages, end) = reading.await.expect("no panic");
    assert!(messages.len() < UPDATES / 10, "{} messages for {UPDATES} updates", messages.len());
    let mut lines = messages.into_iter().flatten();
    for number in 0..UPDATES {
        let line = lines.next().expect("an update");
        assert_eq!(line["params"]["data"], number.to_string(), "in order");
    }
    assert_eq!(lines.next().expect("the answer")["id"], 1, "after what came before it");
    assert_eq!(end, Some(1001), "the supervisor goes away, and the session says so");
}

#[tokio::test]
async fn a_message_is_a_line_and_its_session_a_connection() {
    let (url, mut connections, stop) = serve().await;
    let asking = tokio::task::spawn_blocking(move || {
        let mut client = client(&url);
        client.send(Message::text("{\n  \"id\": 1\n}")).expect("sent");
        client.send(Message::text("{\"id\": 2}")).expect("sent");
        client
    });
    let mut lines = BufReader::new(connections.recv().await.expect("a connection")).lines();
    for id in [1, 2] {
        let line = lines.next_line().await.expect("a line").expect("a line");
        let message: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(message["id"], id);
    }
    let client = asking.await.expect("no panic");
    let ending = tokio::task::spawn_blocking(move || read_to_end(client));
    stop.send(()).expect("it serves");
    assert_eq!(ending.await.expect("no panic").1, Some(1001), "going away");
    assert!(lines.next_line().await.expect("an end").is_none(), "the connection ends with its session");
}
