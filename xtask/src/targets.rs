//! `cargo xtask check-targets`: does it still compile for Windows and macOS?
//!
//! With `rustup target add` that is a plain `cargo check`. Where no other target's standard library can be had, one
//! is built from Debian's source package into a private sysroot, once, and used from then on. Nothing is linked and
//! nothing is run: a pass says that it compiles.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::console::{cargo, output, run as run_command};
use crate::setup::{self, Tool};
use crate::workspace;

const TARGETS: [&str; 2] = ["x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

/// Debian's Rust, whose standard library comes as source.
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";

/// Build scripts that compile C want a compiler for the target. As nothing is linked, empty objects do; only what a
/// script asks about the compiler itself is passed on to a real one.
#[cfg(unix)]
const STAND_IN_COMPILER: &str = r#"#!/bin/sh
case $1 in
    '-?') exit 1 ;;
    -E) exec cc -D__clang__ "$@" ;;
esac
previous=
for argument; do
    if [ "$previous" = -o ]; then : > "$argument"; fi
    previous=$argument
done
"#;

/// What checks a target here.
enum Checker {
    /// The toolchain in use has its standard library.
    Installed,
    /// Debian's, with this sysroot.
    Sysroot(PathBuf),
}

/// Whether `cargo xtask test` should check: when it was asked for, or costs no preparation.
pub(crate) fn wanted() -> bool {
    match std::env::var("FORGE_CHECK_TARGETS").as_deref() {
        Ok("0") => false,
        Ok(_) => true,
        Err(_) => TARGETS.iter().all(|target| checker(target).is_some()),
    }
}

/// Checks the workspace for each target; fetches and builds what that needs if `prepare` or if it was asked for by
/// name.
pub(crate) fn run(prepare: bool) -> Result<()> {
    let prepare = prepare || std::env::var_os("FORGE_CHECK_TARGETS").is_some();
    let ready = TARGETS
        .into_iter()
        .map(|target| match checker(target) {
            Some(checker) => Ok((target, checker)),
            None if prepare => Ok((target, self::prepare(target)?)),
            None => bail!(
                "no standard library of {target}: `rustup target add {target}`, or `cargo xtask check-targets \
                 --prepare` on Debian"
            ),
        })
        .collect::<Result<Vec<_>>>()?;
    ready.iter().try_for_each(|(target, checker)| check(target, checker))
}

fn checker(target: &str) -> Option<Checker> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"])).ok()?;
    if has_std(Path::new(sysroot.trim()), target) {
        return Some(Checker::Installed);
    }
    let sysroot = sysroot_of(target)?;
    (has_std(&sysroot, target) && Path::new(CARGO).is_file()).then_some(Checker::Sysroot(sysroot))
}

fn has_std(sysroot: &Path, target: &str) -> bool {
    library(sysroot, target).read_dir().is_ok_and(|mut entries| entries.next().is_some())
}

fn library(sysroot: &Path, target: &str) -> PathBuf {
    sysroot.join("lib/rustlib").join(target).join("lib")
}

/// Outside of the clone, as it serves every clone; a version of Rust has its own, as its files fit no other.
fn sysroot_of(target: &str) -> Option<PathBuf> {
    let version = output(Command::new(RUSTC).arg("--version")).ok()?;
    let version = version.split_whitespace().nth(1)?.to_owned();
    Some(cache()?.join(format!("sysroot-{version}-{target}")))
}

fn cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
        .map(|base| base.join("forge-xtask"))
}

/// Whether Debian's package with the standard library's source is installed.
pub(crate) fn source_is_there() -> bool {
    Path::new(CARGO).is_file() && Path::new("/usr/lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
}

/// Builds the standard library of `target` from source, as far as type-checking needs it.
fn prepare(target: &str) -> Result<Checker> {
    setup::ensure(&[Tool::RustSource])?;
    let sysroot = sysroot_of(target).context("neither HOME nor XDG_CACHE_HOME says where to keep it")?;
    let scratch = sysroot.with_file_name(format!("build-{target}"));
    // Cargo builds a standard library only for something that uses it: an empty crate.
    std::fs::create_dir_all(scratch.join("src"))?;
    std::fs::write(
        scratch.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    std::fs::write(scratch.join("src/lib.rs"), "")?;
    let build = debian(Command::new(CARGO).current_dir(&scratch))
        .args(["check", "--tests", "-Zbuild-std", "--target", target, "--target-dir", "target"])
        .env("RUSTC_BOOTSTRAP", "1")
        .status();
    if !build.context(CARGO)?.success() {
        bail!("the standard library of {target} does not build");
    }
    let library = library(&sysroot, target);
    std::fs::create_dir_all(&library)?;
    for entry in scratch.join("target").join(target).join("debug/deps").read_dir()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rmeta") && !name.starts_with("libempty") {
            std::fs::copy(entry.path(), library.join(&name)).with_context(|| name)?;
        }
    }
    std::fs::remove_dir_all(&scratch)?;
    Ok(Checker::Sysroot(sysroot))
}

fn check(target: &str, checker: &Checker) -> Result<()> {
    let mut command = match checker {
        Checker::Installed => cargo([]),
        Checker::Sysroot(sysroot) => {
            let flags = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"));
            let mut command = Command::new(CARGO);
            debian(command.current_dir(workspace::root()))
                .env(flags, format!("--sysroot={}", sysroot.display()));
            command
        }
    };
    let name = target.replace('-', "_");
    if cfg!(target_os = "linux") {
        let compiler = stand_in_compiler()?;
        command.env(format!("CC_{name}"), &compiler).env(format!("AR_{name}"), "ar");
        command.env("PATH", first_on_path(compiler.parent().context("a folder")?)?);
    }
    // What ships. The end-to-end tests are Unix programs, as is what they run.
    // The app takes longer to check than all the rest: it is asked for by name.
    let mut ships = vec!["--workspace", "--exclude", "forge-tests", "--exclude", "nasty"];
    if !app_too() {
        ships.extend(["--exclude", "forge-desktop"]);
    }
    command.args(["check", "--quiet"]).args(ships).args(["--target", target, "--target-dir"]);
    // A folder of its own: another compiler, and no waiting for the lock of the usual one.
    run_command(command.arg(workspace::target().join("targets")))
}

fn app_too() -> bool {
    std::env::var_os("FORGE_CHECK_APP").is_some()
}

fn first_on_path(folder: &Path) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(folders)?)
}

#[cfg(unix)]
fn stand_in_compiler() -> Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let folder = workspace::target().join("targets/bin");
    std::fs::create_dir_all(&folder)?;
    // By this name `windres` asks for its preprocessor, for the app's icon.
    let path = folder.join("x86_64-w64-mingw32-gcc");
    std::fs::write(&path, STAND_IN_COMPILER).with_context(|| format!("cannot write {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

#[cfg(not(unix))]
fn stand_in_compiler() -> Result<PathBuf> {
    bail!("only Linux needs it")
}

/// Debian's compiler, whatever toolchain we were called from.
fn debian(command: &mut Command) -> &mut Command {
    for variable in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"] {
        command.env_remove(variable);
    }
    command.env("RUSTC", RUSTC).env("RUSTDOC", "/usr/bin/rustdoc")
}
