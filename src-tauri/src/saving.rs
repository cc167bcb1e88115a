//! Files that the page writes, bit by bit, at places that the user chose in a dialogue.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
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
    /// Dialogues that are open.
    asked: u32,
    files: HashMap<u32, Unfinished>,
}

/// It has another name until it is whole: what the user replaces is there until then.
struct Unfinished {
    file: File,
    part: PathBuf,
    path: PathBuf,
}

/// What the page knows of a file.
#[derive(Debug, Serialize)]
pub(crate) struct Begun {
    id: u32,
    path: String,
}

impl Saves {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a file that is to be at `path`.
    fn begin(&self, path: PathBuf) -> Result<Begun, String> {
        let (file, part) = new_part(&path)?;
        let mut open = self.open();
        open.last += 1;
        let id = open.last;
        let begun = Begun { id, path: path.to_string_lossy().into_owned() };
        open.files.insert(id, Unfinished { file, part, path });
        Ok(begun)
    }

    /// Adds to a file that was begun.
    fn write(&self, id: u32, text: &str) -> Result<(), String> {
        let mut open = self.open();
        let one = open.files.get_mut(&id).ok_or("the file is not open")?;
        one.file.write_all(text.as_bytes()).map_err(|error| told("write", &one.part, &error))
    }

    /// A file is being written, or asked for.
    pub(crate) fn is_busy(&self) -> bool {
        let open = self.open();
        open.asked > 0 || !open.files.is_empty()
    }

    /// The page that wrote them is gone: leaves nothing of what is not whole.
    pub(crate) fn give_up(&self) {
        for (_, Unfinished { file, part, .. }) in self.open().files.drain() {
            drop(file);
            // Who is there to be told?
            let _gone = fs::remove_file(&part);
        }
    }

    /// Ends a file: gives it its name, or leaves nothing of it.
    fn end(&self, id: u32, keep: bool) -> Result<(), String> {
        let Some(Unfinished { file, part, path }) = self.open().files.remove(&id) else { return Ok(()) };
        drop(file);
        if !keep {
            return fs::remove_file(&part).map_err(|error| told("remove", &part, &error));
        }
        fs::rename(&part, &path).map_err(|error| {
            // It has no other place to go to; what counts is why it has not this one.
            let _gone = fs::remove_file(&part);
            told("write", &path, &error)
        })
    }
}

/// A file beside `path` that nobody has made before.
fn new_part(path: &Path) -> Result<(File, PathBuf), String> {
    let mut number = 1;
    loop {
        let mut part = OsString::from(path);
        part.push(if number == 1 { ".part".to_owned() } else { format!(".part{number}") });
        let part = PathBuf::from(part);
        let mut new = File::options();
        new.write(true).create_new(true);
        // Logs hold secrets.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
        match new.open(&part) {
            Ok(file) => return Ok((file, part)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            Err(error) => return Err(told("create", &part, &error)),
        }
    }
}

fn told(act: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {act} {}: {error}", path.display())
}

/// Asks where, and begins a file there; none if the user changed their mind.
#[tauri::command]
pub(crate) async fn save_begin(
    name: String,
    app: AppHandle,
    saves: State<'_, Saves>,
) -> Result<Option<Begun>, String> {
    let (picked, answer) = oneshot::channel();
    saves.open().asked += 1;
    app.dialog().file().set_title("Save the log").set_file_name(name).save_file(move |path| {
        let _ = picked.send(path);
    });
    let path = answer.await.ok().flatten().and_then(|path| path.into_path().ok());
    saves.open().asked -= 1;
    path.map(|path| saves.begin(path)).transpose()
}

#[tauri::command(async)]
pub(crate) fn save_write(id: u32, text: String, saves: State<'_, Saves>) -> Result<(), String> {
    saves.write(id, &text)
}

#[tauri::command(async)]
pub(crate) fn save_end(id: u32, keep: bool, saves: State<'_, Saves>) -> Result<(), String> {
    saves.end(id, keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a file in it that was saved before.
    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("dev.log");
        fs::write(&path, "before").expect("our own folder");
        (folder, path)
    }

    fn names(folder: &Path) -> Vec<String> {
        let found = fs::read_dir(folder).expect("our own folder").flatten();
        found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn what_stood_there_is_replaced_once_the_new_file_is_whole() {
        let (folder, path) = folder();
        let saves = Saves::default();
        let begun = saves.begin(path.clone()).expect("a file");
        assert_eq!(Path::new(&begun.path), path, "it is told as it was chosen");
        saves.write(begun.id, "first\n").expect("room");
        saves.write(begun.id, "second\n").expect("room");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "before", "until then it is as it was");
        saves.end(begun.id, true).expect("its name");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "first\nsecond\n", "all of it");
        assert_eq!(names(folder.path()), ["dev.log"], "and nothing beside it");
    }

    #[test]
    fn a_file_of_the_users_with_that_name_is_left_alone() {
        let (folder, path) = folder();
        let own = folder.path().join("dev.log.part");
        fs::write(&own, "mine").expect("our own folder");
        let saves = Saves::default();
        let begun = saves.begin(path.clone()).expect("a file");
        saves.write(begun.id, "saved").expect("room");
        saves.end(begun.id, true).expect("its name");
        let texts = [&path, &own].map(|path| fs::read_to_string(path).expect("it is there"));
        assert_eq!(texts, ["saved", "mine"], "each has its own");
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let (folder, path) = folder();
        let saves = Saves::default();
        let begun = saves.begin(path.clone()).expect("a file");
        saves.write(begun.id, "half").expect("room");
        saves.end(begun.id, false).expect("it goes");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "before", "what stood there stays");
        assert_eq!(names(folder.path()), ["dev.log"], "and nothing beside it");
        let error = saves.write(begun.id, "more").expect_err("it is over");
        assert_eq!(error, "the file is not open", "said as it is");
    }

    #[test]
    fn a_page_that_is_gone_leaves_nothing_half_written() {
        let (folder, path) = folder();
        let saves = Saves::default();
        let begun =
            [path.clone(), folder.path().join("other.log")].map(|path| saves.begin(path).expect("a file"));
        saves.write(begun[0].id, "half").expect("room");
        saves.give_up();
        assert_eq!(names(folder.path()), ["dev.log"], "only what stood there");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "before", "as it was");
        saves.end(begun[1].id, true).expect("nothing to be done");
        assert_eq!(names(folder.path()), ["dev.log"], "and nothing later");
    }

    #[test]
    fn a_place_that_cannot_be_written_to_is_named_with_the_reason() {
        let (folder, path) = folder();
        // In the place of its folder stands a file, which stops root as well.
        let error = Saves::default().begin(path.join("dev.log")).expect_err("no folder");
        assert!(error.starts_with(&format!("cannot create {}", path.display())), "{error}");
        assert_eq!(names(folder.path()), ["dev.log"], "nothing is made");
    }

    #[test]
    fn a_file_that_cannot_have_its_name_is_not_left_half_written() {
        let (folder, _) = folder();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).expect("our own folder");
        fs::write(taken.join("kept"), "").expect("our own folder");
        let saves = Saves::default();
        let begun = saves.begin(taken.clone()).expect("a file");
        let error = saves.end(begun.id, true).expect_err("a folder has that name");
        assert!(error.starts_with(&format!("cannot write {}", taken.display())), "{error}");
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, ["dev.log", "taken"], "nothing beside them");
    }
}
