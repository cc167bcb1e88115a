//! A face's conversation with the supervisor of this program: the tray's and the notifications'.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use forge_api::{Code, Error, Hello, Operation, PROTOCOL, Update, wire};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

/// A request on its way, and where its answer goes.
struct Ask {
    id: u64,
    line: String,
    answer: oneshot::Sender<Result<Value, Error>>,
}

/// Asks; clones share the connection.
#[derive(Debug, Clone)]
pub struct Client {
    asks: mpsc::UnboundedSender<Ask>,
    last: Arc<AtomicU64>,
}

impl Client {
    /// Introduces itself on `stream`. What it is told unasked comes out of the receiver, which ends with the
    /// connection.
    ///
    /// # Errors
    /// The supervisor has ended.
    pub async fn greet(stream: DuplexStream) -> Result<(Self, mpsc::UnboundedReceiver<Update>), Error> {
        let (asks, asked) = mpsc::unbounded_channel();
        // Unbounded, because its reader also waits for answers, which come on the same way.
        let (told, updates) = mpsc::unbounded_channel();
        tokio::spawn(converse(stream, asked, told));
        let client = Self { asks, last: Arc::new(AtomicU64::new(0)) };
        let hello = Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() };
        client.call(&hello).await?;
        Ok((client, updates))
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The supervisor's own, or it has ended.
    pub async fn call<O: Operation>(&self, operation: &O) -> Result<O::Answer, Error> {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let line = wire::request(id, operation).map_err(|error| Error::system(O::METHOD, error))? + "\n";
        let (answer, answered) = oneshot::channel();
        let gone = || Error::new(Code::NoSupervisor, "the supervisor has ended");
        self.asks.send(Ask { id, line, answer }).map_err(|_| gone())?;
        let value = answered.await.map_err(|_| gone())??;
        serde_json::from_value(value).map_err(|error| Error::system(O::METHOD, error))
    }
}

type Waiting = HashMap<u64, oneshot::Sender<Result<Value, Error>>>;

async fn converse(
    stream: DuplexStream,
    mut asked: mpsc::UnboundedReceiver<Ask>,
    told: mpsc::UnboundedSender<Update>,
) {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    let mut waiting = Waiting::new();
    loop {
        tokio::select! {
            line = lines.next_line() => match line {
                Ok(Some(line)) => hear(&line, &mut waiting, &told),
                Ok(None) | Err(_) => return,
            },
            ask = asked.recv() => {
                let Some(Ask { id, line, answer }) = ask else { return };
                waiting.insert(id, answer);
                if !say(&mut write, &mut lines, &line, &mut waiting, &told).await {
                    return;
                }
            }
        }
    }
}

type Lines = tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>;

/// Writes while it goes on reading: the supervisor may be waiting for us to read before it reads on.
async fn say(
    write: &mut WriteHalf<DuplexStream>,
    lines: &mut Lines,
    line: &str,
    waiting: &mut Waiting,
    told: &mpsc::UnboundedSender<Update>,
) -> bool {
    let written = write.write_all(line.as_bytes());
    tokio::pin!(written);
    loop {
        tokio::select! {
            result = &mut written => return result.is_ok(),
            line = lines.next_line() => match line {
                Ok(Some(line)) => hear(&line, waiting, told),
                Ok(None) | Err(_) => return false,
            },
        }
    }
}

fn hear(line: &str, waiting: &mut Waiting, told: &mpsc::UnboundedSender<Update>) {
    let Ok(message) = serde_json::from_str::<wire::Message>(line) else {
        tracing::warn!("the supervisor said something that is no message");
        return;
    };
    if message.method.as_deref() == Some(wire::UPDATE) {
        // What a newer supervisor tells and we do not know, we do not show.
        if let Ok(update) = serde_json::from_value(message.params) {
            let _ = told.send(update);
        }
        return;
    }
    let Some(answer) = message.id.as_ref().and_then(Value::as_u64).and_then(|id| waiting.remove(&id)) else {
        return;
    };
    let _ = answer.send(match message.error {
        Some(error) => Err(error.into()),
        None => Ok(message.result.unwrap_or_default()),
    });
}
