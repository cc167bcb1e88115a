//! Looking for a program as `execvp` (or on Windows `CreateProcess` with `PATHEXT`) would, and saying why there is none.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Why a program cannot be run. Prints as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// In no folder of `PATH`, or no file at that path; `near` is a program there that may have been meant.
    NotFound { name: String, near: Option<String> },
    /// It is there, and may not be executed.
    NotExecutable { path: PathBuf },
    /// It is there, and is a directory.
    Directory { path: PathBuf },
    /// A symbolic link to nowhere.
    BrokenLink { path: PathBuf, target: PathBuf },
    /// A script whose first line asks for a program that is not there.
    NoInterpreter { path: PathBuf, interpreter: String },
}

/// The program that `name` would run: with a separator in it the path itself, against `cwd`; else the first that can
/// be run in the folders of `path_var` (relative ones against `cwd`; where it is `None`, the system's default).
///
/// # Errors
/// When there is none: the first reason met on the way.
pub fn find(name: &str, path_var: Option<&OsStr>, cwd: &Path) -> Result<PathBuf, Missing> {
    if name.is_empty() {
        return Err(Missing::NotFound { name: String::new(), near: None });
    }
    let folders = folders(path_var, cwd);
    let path = if is_path(name) { look_at(&cwd.join(name)) } else { look_in(&folders, name) };
    let path = path.map_err(|reason| {
        let near = || if is_path(name) { None } else { near_miss(&folders, name) };
        reason.unwrap_or_else(|| Missing::NotFound { name: name.to_owned(), near: near() })
    })?;
    match missing_interpreter(&path, &folders, cwd) {
        Some(interpreter) => Err(Missing::NoInterpreter { path, interpreter }),
        None => Ok(path),
    }
}

fn is_path(name: &str) -> bool {
    name.contains(std::path::is_separator)
}

fn folders(path_var: Option<&OsStr>, cwd: &Path) -> Vec<PathBuf> {
    let default = OsString::from(if cfg!(windows) { "" } else { "/usr/bin:/bin" });
    // An empty entry means the working directory, to POSIX at least: joining gives just that.
    std::env::split_paths(path_var.unwrap_or(&default)).map(|folder| cwd.join(folder)).collect()
}

/// Goes on after what cannot be run, as `execvp` does, but remembers it.
fn look_in(folders: &[PathBuf], name: &str) -> Result<PathBuf, Option<Missing>> {
    let mut reason = None;
    for folder in folders {
        match look_at(&folder.join(name)) {
            Ok(path) => return Ok(path),
            Err(why) => reason = reason.or(why),
        }
    }
    Err(reason)
}

/// The file at this path, or with one of the system's extensions. `Err(None)`: there is nothing.
fn look_at(path: &Path) -> Result<PathBuf, Option<Missing>> {
    let mut reason = None;
    for candidate in candidates(path) {
        match why_not(&candidate) {
            Ok(true) => return Ok(candidate),
            Ok(false) => {}
            Err(why) => reason = reason.or(Some(why)),
        }
    }
    Err(reason)
}

#[cfg(unix)]
fn candidates(path: &Path) -> Vec<PathBuf> {
    vec![path.to_owned()]
}

/// `PATHEXT` first: beside a `npm.cmd` lies an `npm` that is a shell script.
#[cfg(windows)]
fn candidates(path: &Path) -> Vec<PathBuf> {
    let extensions = std::env::var("PATHEXT").unwrap_or_else(|_| ".COM;.EXE;.BAT;.CMD".to_owned());
    let with = |extension: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(extension);
        PathBuf::from(name)
    };
    let mut candidates: Vec<_> = extensions.split(';').filter(|text| text.len() > 1).map(with).collect();
    if path.extension().is_some() {
        candidates.insert(0, path.to_owned());
    }
    candidates
}

/// Whether there is something that can be run; what is there but cannot be is an error.
fn why_not(path: &Path) -> Result<bool, Missing> {
    let Ok(entry) = fs::symlink_metadata(path) else { return Ok(false) };
    let Ok(file) = fs::metadata(path) else {
        let target = fs::read_link(path).unwrap_or_default();
        return if entry.is_symlink() {
            Err(Missing::BrokenLink { path: path.to_owned(), target })
        } else {
            Ok(false)
        };
    };
    if file.is_dir() {
        Err(Missing::Directory { path: path.to_owned() })
    } else if may_execute(path) {
        Ok(true)
    } else {
        Err(Missing::NotExecutable { path: path.to_owned() })
    }
}

#[cfg(unix)]
fn may_execute(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Windows runs what has an extension of `PATHEXT`, and only such are candidates.
#[cfg(windows)]
fn may_execute(path: &Path) -> bool {
    path.is_file()
}

/// The program that a script's `#!` line asks for, if it is not there. `env NAME` asks for NAME.
fn missing_interpreter(script: &Path, folders: &[PathBuf], cwd: &Path) -> Option<String> {
    if cfg!(windows) {
        return None;
    }
    // The kernel reads no more of it (BINPRM_BUF_SIZE).
    let mut start = Vec::with_capacity(256);
    fs::File::open(script).ok()?.take(256).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    let interpreter = words.next()?;
    if why_not(&cwd.join(interpreter)) != Ok(true) {
        return Some(interpreter.to_owned());
    }
    if Path::new(interpreter).file_name() != Some(OsStr::new("env")) {
        return None;
    }
    let program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    let found = if is_path(program) { look_at(&cwd.join(program)) } else { look_in(folders, program) };
    found.is_err().then(|| program.to_owned())
}

/// The nearest name of a program in these folders: the same with a version behind it, else one letter off.
fn near_miss(folders: &[PathBuf], name: &str) -> Option<String> {
    let versioned = |other: &str| {
        let rest = other.strip_prefix(name).map(|rest| rest.trim_start_matches('-'));
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut best: Option<(bool, String)> = None;
    for entry in folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten() {
        let file = entry.file_name();
        let Some(other) = file.to_str().map(|file| file.strip_suffix(".exe").unwrap_or(file)) else {
            continue;
        };
        let rank = if versioned(other) {
            true
        } else if name.len() > 2 && one_edit_apart(name, other) {
            false
        } else {
            continue;
        };
        let better = best.as_ref().is_none_or(|(old, text)| (rank, other) > (*old, text));
        if better && why_not(&entry.path()) == Ok(true) {
            best = Some((rank, other.to_owned()));
        }
    }
    best.map(|(_, name)| name)
}

/// Whether one letter more, less, other, or two neighbours swapped make one the other.
fn one_edit_apart(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > 1 || one == other {
        return false;
    }
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[same..], &other[same..]);
    match (one, other) {
        ([_, rest @ ..], all) | (all, [_, rest @ ..]) if rest == all => true,
        ([_, all @ ..], rest) if rest == all => true,
        ([_, one @ ..], [_, other @ ..]) if one == other => true,
        ([a, b, one @ ..], [c, d, other @ ..]) => (a, b) == (d, c) && one == other,
        _ => false,
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { name, near } if is_path(name) || near.is_none() => {
                let place = if is_path(name) { "" } else { " in PATH" };
                write!(f, "`{name}` was not found{place}")
            }
            Self::NotFound { name, near } => {
                let near = near.as_deref().unwrap_or_default();
                write!(f, "`{name}` was not found in PATH; `{near}` was: is that meant?")
            }
            Self::NotExecutable { path } => write!(f, "{} is not executable", path.display()),
            Self::Directory { path } => write!(f, "{} is a directory", path.display()),
            Self::BrokenLink { path, target } => {
                write!(f, "{} is a link to {}, which does not exist", path.display(), target.display())
            }
            Self::NoInterpreter { path, interpreter } => {
                let shown = interpreter.trim_end_matches('\r');
                write!(f, "{} is a script for `{shown}`, which was not found", path.display())?;
                if shown == interpreter { Ok(()) } else { f.write_str(" (its lines end with CR LF)") }
            }
        }
    }
}

impl std::error::Error for Missing {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_edit_is_a_letter_more_less_other_or_two_swapped() {
        for (one, other) in
            [("node", "nodes"), ("noded", "node"), ("node", "nude"), ("ndoe", "node"), ("ode", "node")]
        {
            assert!(one_edit_apart(one, other), "{one} {other}");
            assert!(one_edit_apart(other, one), "{other} {one}");
        }
        for (one, other) in
            [("node", "node"), ("node", "nudes"), ("node", "deno"), ("abcd", "badc"), ("a", "abc")]
        {
            assert!(!one_edit_apart(one, other), "{one} {other}");
        }
    }
}
