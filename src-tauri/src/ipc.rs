//! Between the page and the supervisor: messages of the interface pass as they are, in batches. The rest is what a
//! page cannot do by itself.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forge_api::Workspaces;
use forge_supervisor::home::Home;
use forge_tray::{Client, Picture};
use serde_json::Value;
use tauri::ipc::{Channel, InvokeResponseBody};
use tauri::{AppHandle, Manager, State};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;
use tokio::io::{AsyncWriteExt, DuplexStream, WriteHalf};
use tokio::sync::{mpsc, oneshot, watch};

use crate::supervision::Supervision;
use crate::tray::Shown;
use crate::window::Window;

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
        () = forge_tray::downward(read, |batch| channel.send(InvokeResponseBody::Json(batch)).is_ok(), visible) => {}
    }
}

async fn upward(mut write: WriteHalf<DuplexStream>, mut outgoing: mpsc::Receiver<String>) {
    while let Some(message) = outgoing.recv().await {
        if write.write_all(message.as_bytes()).await.is_err() {
            return;
        }
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

/// A configuration, in the program that the system has for it.
#[tauri::command]
pub(crate) async fn open_path(app: AppHandle, path: String, home: State<'_, Home>) -> Result<(), String> {
    if !is_configuration(&app, Path::new(&path), &home.config).await {
        return Err(format!("{path} is no configuration of Forge's"));
    }
    app.opener().open_path(path, None::<String>).map_err(|error| error.to_string())
}

/// One of a workspace that was added just now is not in the picture yet.
async fn is_configuration(app: &AppHandle, path: &Path, own: &Path) -> bool {
    if app.state::<Shown>().picture().may_open(path, own) {
        return true;
    }
    let Some(client) = app.try_state::<Client>().map(|client| client.inner().clone()) else { return false };
    let mut picture = Picture::default();
    let known = client.call(&Workspaces {}).await.map(|answer| answer.workspaces).unwrap_or_default();
    picture.replace(known, Vec::new(), Vec::new());
    picture.may_open(path, own)
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
