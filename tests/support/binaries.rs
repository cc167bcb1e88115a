//! Where the programs under test are: beside the test's own executable.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The command `forge`.
#[must_use]
pub fn forge() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| program("forge", &["forge-cli"]))
}

/// The holder of one process.
#[must_use]
pub fn keeper() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| program("forge-keeper", &["forge-keeper"]))
}

/// The desktop app, with the page inside.
#[must_use]
#[cfg(target_os = "linux")]
pub(crate) fn desktop() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| program("forge-desktop", &["forge-desktop", "--features", "custom-protocol"]))
}

/// The program that misbehaves.
#[must_use]
pub fn nasty() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| program("nasty", &["nasty"]))
}

/// Built if it is missing: `cargo xtask test` and nextest's set-up script have built everything before, a bare
/// `cargo test -p forge-tests` has not.
fn program(name: &str, package: &[&str]) -> PathBuf {
    let own = std::env::current_exe().expect("the test's own path");
    // target/PROFILE/deps/e2e-HASH
    let folder = own.parent().and_then(Path::parent).expect("a target folder");
    let path = folder.join(name);
    if !path.exists() {
        build(folder, package);
    }
    assert!(path.exists(), "{} is still missing after the build", path.display());
    path
}

fn build(folder: &Path, package: &[&str]) {
    let lock = File::create(folder.join(".forge-tests-build")).expect("a lock in the target folder");
    lock.lock().expect("the build's lock");
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo
        .args(["build", "--package"])
        .args(package)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo runs").success(), "{} does not build", package[0]);
}
