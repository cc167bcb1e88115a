//! The page that the window and the browser show: `ui/`, an npm package.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::console;
use crate::setup::{find, npm};
use crate::workspace;

pub(crate) fn folder() -> PathBuf {
    workspace::root().join("ui")
}

/// Builds it into `ui/dist`, unless that is newer than all it is made of.
pub(crate) fn build() -> Result<()> {
    npm::install(&folder())?;
    // Without assets it is the stand-in that the app's build makes.
    let built = modified(&folder().join("dist/assets"));
    let sources = ["src", "public", "index.html", "package-lock.json", "vite.config.ts"];
    let newest = sources.iter().filter_map(|name| newest(&folder().join(name))).max();
    if built.is_some() && built > newest {
        println!("   ui/dist is up to date");
        return Ok(());
    }
    script("build")
}

/// Types, and the tests of its parts.
pub(crate) fn check() -> Result<()> {
    script("check")?;
    script("test")
}

/// The whole of it against a real supervisor, in a browser.
pub(crate) fn in_browser() -> Result<()> {
    script("e2e")
}

fn script(name: &str) -> Result<()> {
    let npm = find("npm").context("npm is not found")?;
    console::run(Command::new(npm).current_dir(folder()).args(["run", "--silent", name]))
}

/// Of a file, or of any file below a folder.
fn newest(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        return modified(path);
    }
    let entries = std::fs::read_dir(path).ok()?;
    entries.flatten().filter_map(|entry| newest(&entry.path())).max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}
