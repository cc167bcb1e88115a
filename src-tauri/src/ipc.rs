//! Between the page and the supervisor: messages of the interface pass as they are, in batches. The rest is what a
//! page cannot do by itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forge_api::{Update, wire};
use serde::Deserialize;
use serde_json::Value;
use tauri::ipc::{Channel, InvokeResponseBody};
use tauri::{AppHandle, State};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::supervision::Supervision;
use crate::window::Window;

/// Updates wait for each other at most so long. The first after a silence does not wait.
const PACE: Duration = Duration::from_millis(50);
/// Bytes of a batch, about; what is more goes at once.
const BATCH: usize = 256 << 10;
/// Messages of the page that wait for the supervisor.
const WAITING: usize = 256;

/// The page's connections.
#[derive(Debug)]
pub(crate) struct Connections {
    last: AtomicU32,
    open: Mutex<HashMap<u32, mpsc::Sender<String>>>,
    visible: watch::Sender<bool>,
}

impl Default for Connections {
    fn default() -> Self {
        Self { last: AtomicU32::new(0), open: Mutex::default(), visible: watch::Sender::new(true) }
    }
}

impl Connections {
    fn open(&self) -> MutexGuard<'_, HashMap<u32, mpsc::Sender<String>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page is gone.
    pub(crate) fn drop_all(&self) {
        self.open().clear();
    }

    /// A page that nobody sees is told nothing; when it is seen again, that it missed something.
    pub(crate) fn set_visible(&self, visible: bool) {
        self.visible.send_replace(visible);
    }
}

/// A new connection to the supervisor; its messages come through `channel`, a list at a time.
#[tauri::command]
pub(crate) async fn connect(
    channel: Channel<InvokeResponseBody>,
    supervision: State<'_, Supervision>,
    connections: State<'_, Arc<Connections>>,
) -> Result<u32, String> {
    let stream = supervision.connect().await.map_err(|error| error.to_string())?;
    let id = connections.last.fetch_add(1, Ordering::Relaxed) + 1;
    let (messages, outgoing) = mpsc::channel(WAITING);
    connections.open().insert(id, messages);
    let (connections, visible) = (Arc::clone(&connections), connections.visible.subscribe());
    tauri::async_runtime::spawn(async move {
        carry(stream, outgoing, channel, visible).await;
        connections.open().remove(&id);
    });
    Ok(id)
}

#[tauri::command]
pub(crate) async fn send(
    connection: u32,
    message: Value,
    connections: State<'_, Arc<Connections>>,
) -> Result<(), String> {
    let gone = || format!("connection {connection} is closed");
    let messages = connections.open().get(&connection).cloned().ok_or_else(gone)?;
    messages.send(format!("{message}\n")).await.map_err(|_| gone())
}

#[tauri::command]
pub(crate) fn disconnect(connection: u32, connections: State<'_, Arc<Connections>>) {
    connections.open().remove(&connection);
}

/// Until one side has had enough.
async fn carry(
    stream: DuplexStream,
    outgoing: mpsc::Receiver<String>,
    channel: Channel<InvokeResponseBody>,
    visible: watch::Receiver<bool>,
) {
    let (read, write) = tokio::io::split(stream);
    tokio::select! {
        () = upward(write, outgoing) => {}
        () = downward(read, PACE, |batch| channel.send(InvokeResponseBody::Json(batch)).is_ok(), visible) => {}
    }
}

async fn upward(mut write: WriteHalf<DuplexStream>, mut outgoing: mpsc::Receiver<String>) {
    while let Some(message) = outgoing.recv().await {
        if write.write_all(message.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// What comes next from the supervisor's side.
enum Next {
    Line(String),
    /// The page is seen again, or no longer.
    Seen,
    End,
}

async fn next(
    lines: &mut tokio::io::Lines<BufReader<ReadHalf<DuplexStream>>>,
    seen: &mut watch::Receiver<bool>,
) -> Next {
    tokio::select! {
        biased;
        Ok(()) = seen.changed() => Next::Seen,
        line = lines.next_line() => match line {
            Ok(Some(line)) => Next::Line(line),
            Ok(None) | Err(_) => Next::End,
        },
    }
}

async fn downward(
    read: ReadHalf<DuplexStream>,
    pace: Duration,
    emit: impl Fn(String) -> bool,
    mut seen: watch::Receiver<bool>,
) {
    let mut lines = BufReader::new(read).lines();
    let mut batch = Batch::default();
    let mut due = Instant::now();
    loop {
        let wait = async {
            if batch.is_empty() { std::future::pending().await } else { tokio::time::sleep_until(due).await }
        };
        tokio::select! {
            biased;
            next = next(&mut lines, &mut seen), if !batch.is_full() => match next {
                Next::Line(line) => batch.push(line, *seen.borrow()),
                Next::Seen => batch.seen(*seen.borrow()),
                Next::End => {
                    emit(batch.take());
                    return;
                }
            },
            () = wait => {
                if !emit(batch.take()) {
                    return;
                }
                due = Instant::now() + pace;
            }
        }
        if batch.is_full() || batch.urgent {
            due = Instant::now();
        }
    }
}

/// Messages on their way to the page: the inside of a JSON list.
#[derive(Debug, Default)]
struct Batch {
    text: String,
    /// Somebody waits for an answer in it.
    urgent: bool,
    /// Something was not told while nobody looked.
    missed: bool,
}

/// As much of a message as matters here.
#[derive(Deserialize)]
struct Head<'a> {
    method: Option<&'a str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    update: Option<&'a str>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn is_full(&self) -> bool {
        self.text.len() >= BATCH
    }

    fn push(&mut self, line: String, visible: bool) {
        let head: Option<Head<'_>> = serde_json::from_str(&line).ok();
        let update =
            head.filter(|head| head.method == Some(wire::UPDATE)).and_then(|head| head.params?.update);
        match update {
            None => self.urgent = true,
            // The bytes of a terminal cannot be asked for again.
            Some("terminal" | "terminal_closed") => {}
            Some(_) if visible => {}
            Some(_) => {
                self.missed = true;
                return;
            }
        }
        self.add(&line);
    }

    fn seen(&mut self, visible: bool) {
        if visible && std::mem::take(&mut self.missed) {
            self.add(&wire::update(&Update::Lagged {}));
        }
    }

    fn add(&mut self, message: &str) {
        self.text.push(if self.text.is_empty() { '[' } else { ',' });
        self.text.push_str(message);
    }

    /// The list, and begins a new one.
    fn take(&mut self) -> String {
        self.urgent = false;
        let mut text = std::mem::take(&mut self.text);
        text.push_str(if text.is_empty() { "[]" } else { "]" });
        text
    }
}

/// A folder of the user's choice; none if they changed their mind.
#[tauri::command]
pub(crate) async fn pick_folder(app: AppHandle) -> Option<String> {
    let (picked, answer) = oneshot::channel();
    app.dialog().file().set_title("Add a workspace").pick_folder(move |folder| {
        let _ = picked.send(folder);
    });
    let folder = answer.await.ok()??;
    folder.into_path().ok().map(|path| path.to_string_lossy().into_owned())
}

/// In the browser.
#[tauri::command]
pub(crate) async fn open_url(app: AppHandle, url: tauri::Url) -> Result<(), String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{url} is no web page"));
    }
    app.opener().open_url(url, None::<String>).map_err(|error| error.to_string())
}

/// A file or folder, in the program that the system has for it.
#[tauri::command]
pub(crate) async fn open_path(app: AppHandle, path: String) -> Result<(), String> {
    app.opener().open_path(path, None::<String>).map_err(|error| error.to_string())
}

/// Where the page is, for when the window is opened again.
#[tauri::command]
pub(crate) fn remember_route(route: String, window: State<'_, Window>) {
    window.remember(route);
}

/// Where a page that has just loaded should go.
#[tauri::command]
pub(crate) fn initial_route(window: State<'_, Window>) -> Option<String> {
    window.route()
}

#[cfg(test)]
mod tests;
