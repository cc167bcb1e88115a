//! The folder that holds `.forge/`, and reading what is in it.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::check;
use crate::diagnostics::{Diagnostics, Report};
use crate::model::{Config, Place, Settings};

/// A configuration is a few kilobytes; this is generous, and a wrong file (a log, a device) ends here.
const MOST_BYTES: u64 = 1 << 20;
/// Accepted names, the first one preferred.
const NAMES: [&str; 2] = ["processes.yml", "processes.yaml"];

/// A folder with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// The folder that holds `.forge/`, absolute.
    pub root: PathBuf,
    /// Its `.forge/processes.yml`, or `.yaml`.
    pub file: PathBuf,
}

/// The workspace of `from`: the nearest folder upwards, itself included, that holds `.forge/processes.yml` (or
/// `.yaml`).
#[must_use]
pub fn find(from: &Path) -> Option<Workspace> {
    let from = std::path::absolute(from).ok()?;
    from.ancestors().find_map(|folder| {
        NAMES.iter().map(|name| folder.join(".forge").join(name)).find_map(|file| {
            // Not `is_file`: what can't be read is found too, and then explained.
            file.symlink_metadata().ok()?;
            Some(Workspace { root: folder.to_path_buf(), file })
        })
    })
}

/// Reads and checks the configuration of a workspace.
///
/// # Errors
/// Everything that is wrong with the file, or why it can't be read.
pub fn load(workspace: &Workspace) -> Result<Config, Diagnostics> {
    load_over(workspace, &Settings::default())
}

/// As [`load`], with the workspace's settings over those of the user ([`load_settings`]).
///
/// # Errors
/// Everything that is wrong with the file, or why it can't be read.
pub fn load_over(workspace: &Workspace, user: &Settings) -> Result<Config, Diagnostics> {
    let text = read(&workspace.file)?;
    check::check(&text, &workspace.root, &workspace.file, user)
}

/// Checks the text of a configuration that is, or will be, at `file` in the workspace `root`.
///
/// # Errors
/// Everything that is wrong with the text.
pub fn parse(text: &str, root: &Path, file: &Path) -> Result<Config, Diagnostics> {
    check::check(text.strip_prefix('\u{feff}').unwrap_or(text), root, file, &Settings::default())
}

/// The user's own settings: `settings.yml` (or `.yaml`) in Forge's configuration folder; the defaults if there is none.
///
/// # Errors
/// Everything that is wrong with the file, or why it can't be read.
pub fn load_settings(folder: &Path) -> Result<Settings, Diagnostics> {
    let file =
        ["settings.yml", "settings.yaml"].iter().map(|name| folder.join(name)).find(|file| file.exists());
    match file {
        Some(file) => check::settings_file(&read(&file)?, &file),
        None => Ok(Settings::default()),
    }
}

/// The text of a file of ours, without a byte-order mark.
pub(crate) fn read(path: &Path) -> Result<String, Diagnostics> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).and_then(|file| {
        if file.metadata()?.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes)
    });
    if let Err(error) = opened {
        return Err(whole_file(path, "unreadable_file", format!("the file can't be read: {error}")));
    }
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("the file is larger than {} KiB", MOST_BYTES / 1024);
        return Err(whole_file(path, "too_large", message));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(not_text(path, bytes, error.valid_up_to())),
    }
}

fn whole_file(path: &Path, code: &'static str, message: String) -> Diagnostics {
    let mut report = Report::new(path, "");
    report.error(code, Place::default(), message);
    report.into_errors()
}

fn not_text(path: &Path, bytes: &[u8], at: usize) -> Diagnostics {
    let text = String::from_utf8_lossy(bytes);
    let mut report = Report::new(path, &*text);
    let place = report.place(at, '\u{fffd}'.len_utf8());
    let wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let diagnostic = report.error("not_utf8", place, "the file is not UTF-8 from here on");
    diagnostic.help(if wide { "it looks like UTF-16: save it as UTF-8" } else { "save it as UTF-8" });
    report.into_errors()
}
