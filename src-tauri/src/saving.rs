//! Files that the page writes, bit by bit, at places that the user chose in a dialogue.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tauri::{AppHandle, State};
use tauri_plugin_dialog::DialogExt;
use tokio::sync::oneshot;

/// The files that are being written.
#[derive(Default)]
pub(crate) struct Saves {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    last: u32,
    files: HashMap<u32, Unfinished>,
}

/// It has another name until it is whole: what the user replaces is there until then.
struct Unfinished {
    file: File,
    part: PathBuf,
    path: PathBuf,
}

/// What the page knows of a file.
#[derive(Serialize)]
pub(crate) struct Begun {
    id: u32,
    path: String,
}

impl Saves {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks where, and begins a file there; none if the user changed their mind.
#[tauri::command]
pub(crate) async fn save_begin(
    name: String,
    app: AppHandle,
    saves: State<'_, Saves>,
) -> Result<Option<Begun>, String> {
    let (picked, answer) = oneshot::channel();
    app.dialog().file().set_title("Save the log").set_file_name(name).save_file(move |path| {
        let _ = picked.send(path);
    });
    let Some(path) = answer.await.ok().flatten().and_then(|path| path.into_path().ok()) else {
        return Ok(None);
    };
    let mut part = OsString::from(&path);
    part.push(".part");
    let part = PathBuf::from(part);
    let file = File::create(&part).map_err(|error| format!("{}: {error}", part.display()))?;
    let mut open = saves.open();
    open.last += 1;
    let id = open.last;
    let begun = Begun { id, path: path.to_string_lossy().into_owned() };
    open.files.insert(id, Unfinished { file, part, path });
    Ok(Some(begun))
}

/// Adds to a file that was begun.
#[tauri::command(async)]
pub(crate) fn save_write(id: u32, text: String, saves: State<'_, Saves>) -> Result<(), String> {
    let mut open = saves.open();
    let one = open.files.get_mut(&id).ok_or("the file is not open")?;
    one.file.write_all(text.as_bytes()).map_err(|error| format!("{}: {error}", one.path.display()))
}

/// Ends a file: gives it its name, or leaves nothing of it.
#[tauri::command(async)]
pub(crate) fn save_end(id: u32, keep: bool, saves: State<'_, Saves>) -> Result<(), String> {
    let Some(Unfinished { file, part, path }) = saves.open().files.remove(&id) else { return Ok(()) };
    drop(file);
    let done = if keep { fs::rename(&part, &path) } else { fs::remove_file(&part) };
    done.map_err(|error| format!("{}: {error}", path.display()))
}
