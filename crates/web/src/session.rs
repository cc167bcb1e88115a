//! A session: one WebSocket, one connection to the supervisor. A message of the client's is a line; lines for the
//! client are messages, several of which may come together as a JSON array.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseCode, CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use forge_api::wire;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::House;
use crate::gate::{Refusal, SUBPROTOCOL};

/// Sessions at a time.
pub(crate) const MOST: usize = 256;

/// Bytes of a client's message at most: with its line feed it is a line.
const MAX_MESSAGE: usize = wire::MAX_LINE - 1;

/// Bytes that are read from a client at a time.
const READ: usize = 16 * 1024;

/// Updates go out this long after the last message, and those that come in between together.
const PACE: Duration = Duration::from_millis(30);

/// Bytes of updates that go together.
const BATCH: usize = 256 * 1024;

/// How long a client may take for one message before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a client may take to hear that it is over.
const FAREWELL: Duration = Duration::from_secs(1);

type Client = WebSocket;

/// Makes a session of a request that shows the token, if there is a place.
pub(crate) async fn open(house: &Arc<House>, head: &mut Parts) -> Response {
    if let Err(refusal) = house.gate.shows_token(&head.headers) {
        return refusal.into_response();
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(head, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Ok(place) = Arc::clone(&house.places).try_acquire_owned() else {
        return Refusal::Full.into_response();
    };
    let house = Arc::clone(house);
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .read_buffer_size(READ)
        .on_upgrade(async move |socket| {
            carry(socket, (house.connect)(), house.closing.clone()).await;
            drop(place);
        })
}

/// Waits until every session has ended, but not for one that does not listen.
pub(crate) async fn all_ended(places: &Semaphore) {
    let all = u32::try_from(MOST).unwrap_or(u32::MAX);
    let _ = timeout(FAREWELL, places.acquire_many(all)).await;
}

/// Carries messages between client and supervisor until one of them ends it, or the server does.
async fn carry(socket: Client, supervisor: DuplexStream, mut closing: watch::Receiver<bool>) {
    let (mut to_client, mut from_client) = socket.split();
    let (from_supervisor, to_supervisor) = tokio::io::split(supervisor);
    let last_word = tokio::select! {
        word = inward(&mut from_client, to_supervisor) => word,
        word = outward(from_supervisor, &mut to_client) => word,
        _ = closing.wait_for(|closing| *closing) => Some(close_code::AWAY),
    };
    let Some(code) = last_word else { return };
    let farewell = async {
        let frame = CloseFrame { code, reason: "".into() };
        if to_client.send(Message::Close(Some(frame))).await.is_ok() {
            // Until the client has closed its side: whoever closes on unread bytes takes back what he has said.
            while let Some(Ok(_)) = from_client.next().await {}
        }
    };
    let _ = timeout(FAREWELL, farewell).await;
}

/// The client's messages to the supervisor. Returns what is to be said at the end, if it can be.
async fn inward(
    client: &mut SplitStream<Client>,
    mut supervisor: impl AsyncWrite + Unpin,
) -> Option<CloseCode> {
    while let Some(message) = client.next().await {
        match message {
            Ok(Message::Text(text)) => {
                // A client that is not read, because a terminal takes nothing, say, waits.
                if supervisor.write_all(&line(text.as_str())).await.is_err() {
                    return Some(close_code::AWAY);
                }
            }
            Ok(Message::Binary(_)) => return Some(close_code::UNSUPPORTED),
            // A ping is answered, and so is the client's goodbye, with the next look.
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => {}
            Err(error) => {
                tracing::info!("a web client is cut off: {error}");
                return None;
            }
        }
    }
    None
}

/// A message as a line. JSON has line feeds only between its tokens, where a space is as good.
fn line(message: &str) -> Vec<u8> {
    let spaced = |byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte };
    message.bytes().map(spaced).chain([b'\n']).collect()
}

/// The supervisor's lines to the client. Returns what is to be said at the end, if it can be.
async fn outward(
    supervisor: impl AsyncRead + Unpin,
    client: &mut SplitSink<Client, Message>,
) -> Option<CloseCode> {
    let mut lines = BufReader::new(supervisor).lines();
    let mut due = Instant::now();
    loop {
        let Ok(Some(first)) = lines.next_line().await else { return Some(close_code::AWAY) };
        let mut batch = Batch::of(first);
        while batch.can_wait() {
            match timeout_at(due, lines.next_line()).await {
                Ok(Ok(Some(line))) => batch.push(line),
                // Its end is seen again after this batch.
                Ok(_) | Err(_) => break,
            }
        }
        let message = Message::Text(batch.into_message().into());
        if !matches!(timeout(PATIENCE, client.send(message)).await, Ok(Ok(()))) {
            return None;
        }
        due = Instant::now() + PACE;
    }
}

/// Lines that go together.
#[derive(Debug)]
struct Batch {
    lines: Vec<String>,
    bytes: usize,
}

impl Batch {
    fn of(first: String) -> Self {
        Self { bytes: first.len(), lines: vec![first] }
    }

    fn push(&mut self, line: String) {
        self.bytes += line.len();
        self.lines.push(line);
    }

    /// There are only updates in it, and not too many: for an answer somebody waits.
    fn can_wait(&self) -> bool {
        self.bytes < BATCH && self.lines.last().is_some_and(|line| is_update(line))
    }

    fn into_message(mut self) -> String {
        match self.lines.pop() {
            Some(only) if self.lines.is_empty() => only,
            last => {
                self.lines.extend(last);
                format!("[{}]", self.lines.join(","))
            }
        }
    }
}

/// Whether a line of the supervisor's is nobody's answer. Should it be written otherwise one day, it goes out at once.
fn is_update(line: &str) -> bool {
    line.starts_with(r#"{"jsonrpc":"2.0","method":"#)
}

#[cfg(test)]
mod tests {
    use forge_api::Update;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_update_can_wait_and_an_answer_cannot() {
        assert!(is_update(&wire::update(&Update::Lagged {})));
        assert!(!is_update(&wire::answer(&json!(1), &Ok(json!({"method": "x"})))));
        let mut batch = Batch::of(wire::update(&Update::Lagged {}));
        assert!(batch.can_wait());
        batch.push(wire::answer(&json!(1), &Ok(Value::Null)));
        assert!(!batch.can_wait(), "what came before goes with it");
        let mut batch = Batch::of(wire::update(&Update::Lagged {}));
        batch.push(wire::update(&Update::Terminal { data: "x".repeat(BATCH) }));
        assert!(!batch.can_wait(), "it is enough");
    }

    #[test]
    fn one_line_is_itself_and_several_are_an_array() {
        assert_eq!(Batch::of("{}".to_owned()).into_message(), "{}");
        let mut batch = Batch::of("1".to_owned());
        batch.push("2".to_owned());
        batch.push("3".to_owned());
        assert_eq!(batch.into_message(), "[1,2,3]");
    }

    #[test]
    fn a_message_is_one_line_and_the_same_json() {
        let message = json!({"text": "a\nb\r\n", "list": [1, 2]});
        let pretty = serde_json::to_string_pretty(&message).expect("JSON").replace('\n', "\r\n");
        let line = line(&pretty);
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1, "one line feed, at the end");
        assert_eq!(serde_json::from_slice::<Value>(&line).expect("JSON"), message);
    }
}
