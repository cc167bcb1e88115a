//! The desktop app as it ships, watched from outside: `cargo xtask soak`, and for the benchmark.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::console::{self, cargo, section};
use crate::setup::{self, Tool};
use crate::{ui, workspace};

/// How long many processes write much, unless the soak is shorter.
const FLOOD_SECONDS: u64 = 300;

/// `cargo xtask soak`: so many minutes with the window open, and as many with it hidden.
pub(crate) fn soak(minutes: u32) -> Result<()> {
    build()?;
    let watch = |arguments: [&str; 2]| console::run(Command::new(example("desktop-watch")).args(arguments));
    let seconds = FLOOD_SECONDS.min(u64::from(minutes) * 60);
    section("Flood", || watch(["flood", &seconds.to_string()]))?;
    section("Soak", || watch(["soak", &minutes.to_string()]))
}

/// Builds the app, the bare one beside it, and what watches both.
pub(crate) fn build() -> Result<()> {
    section("What the app needs", || {
        setup::ensure(Tool::FOR_APP)?;
        setup::ensure(&[Tool::Screen])
    })?;
    section("Page", ui::build)?;
    section("Release build of the app", || {
        // The same packages at once as for the packages that ship: others have other features in common.
        let packages = ["--package", "forge-cli", "--package", "forge-keeper", "--package", "forge-desktop"];
        let targets = ["--bins", "--example", "bare-tauri"];
        console::run(cargo(["build", "--release"]).args(packages).args(targets))?;
        let watching =
            ["--package", "nasty", "--package", "forge-tests", "--bins", "--example", "desktop-watch"];
        console::run(cargo(["build", "--release"]).args(watching))
    })
}

/// Where a built one is.
pub(crate) fn example(name: &str) -> PathBuf {
    workspace::built("release/examples", name)
}
