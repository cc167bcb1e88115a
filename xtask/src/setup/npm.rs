//! npm packages, fetched only when the lock file says something new.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::find;
use crate::{console, workspace};

/// A copy of the lock file as it was when the packages were installed.
const STAMP: &str = "node_modules/.installed-lock.json";

/// `npm ci` in `folder`, unless what is installed is what its lock file names.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let wanted = std::fs::read(&lock).with_context(|| format!("cannot read {}", workspace::shown(&lock)))?;
    let stamp = folder.join(STAMP);
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("   npm packages of {}: as {} names them", workspace::shown(folder), workspace::shown(&lock));
    let npm = find("npm").context("npm is not found")?;
    console::run(Command::new(npm).current_dir(folder).args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", workspace::shown(&stamp)))
}
