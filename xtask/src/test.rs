//! `cargo xtask test`: everything that has to hold before a change lands, the cheapest check first.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::console::{self, cargo, heading, run_quietly, section};
use crate::{generate, licences, setup, targets, ui, workspace};

/// With `filters` only the tests whose names hold one of them, and no other check.
pub(crate) fn run(filters: &[String]) -> Result<()> {
    section("What is needed", setup::for_tests)?;
    // The programs have it in them.
    section("Page", ui::build)?;
    if filters.is_empty() {
        checks()?;
    }
    if filters.is_empty() {
        section("Window", ui::check)?;
    }
    // Tests start these programs by their path, which Cargo does not know.
    section("Programs", || console::run(&mut cargo(["build", "--workspace", "--bins"])))?;
    if filters.is_empty() {
        section("Generated files", || generate::from_built(true))?;
        section("Examples in the documentation", || {
            console::run(&mut cargo(["test", "--workspace", "--doc", "--quiet"]))
        })?;
    }
    // What fails here says nothing of the tests below: one run tells of both.
    let in_browser = if filters.is_empty() { section("In a browser", ui::in_browser) } else { Ok(()) };
    heading("Tests");
    let skipped = workspace::target().join("tests-skipped");
    let _ = fs::remove_file(&skipped);
    let tests = console::run(runner(filters).env("FORGE_TESTS_SKIPPED", &skipped));
    let left_out = tell_skipped(&fs::read_to_string(&skipped).unwrap_or_default());
    in_browser.and(tests).and(left_out)
}

/// What a test could not do on this machine is told at the end. Where all was set up for it, that is a failure.
fn tell_skipped(list: &str) -> Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    println!("\nLeft out:\n{list}");
    if std::env::var_os("CI").is_some() {
        bail!("in CI nothing may be left out");
    }
    Ok(())
}

fn checks() -> Result<()> {
    section("Format", || console::run(&mut cargo(["fmt", "--all", "--check"])))?;
    section("Licences and sources", licences::run)?;
    section("Lints", || {
        console::run(&mut cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "--deny",
            "warnings",
        ]))
    })?;
    // They are no members of the workspace. Nothing is linked, so that it needs neither the fuzzer nor a C++ compiler.
    section("Fuzz targets", || {
        let folder = workspace::target().join("fuzz");
        let mut check = cargo(["check", "--quiet", "--manifest-path"]);
        check.arg(workspace::root().join("fuzz/Cargo.toml")).arg("--target-dir").arg(&folder);
        console::run(check.env("CUSTOM_LIBFUZZER_PATH", folder.join("libFuzzer.a")))
    })?;
    if targets::wanted() {
        section("Windows and macOS", || targets::run(false))?;
    }
    Ok(())
}

/// nextest where it is there (a process a test, and a summary as its last line), else Cargo's own.
fn runner(filters: &[String]) -> Command {
    let nextest =
        run_quietly(cargo(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null())).is_ok();
    let mut command = if nextest {
        let profile = if std::env::var_os("CI").is_some() { "ci" } else { "default" };
        cargo(["nextest", "run", "--workspace", "--no-fail-fast", "--profile", profile])
    } else {
        cargo(["test", "--workspace", "--bins", "--lib", "--tests"])
    };
    command.args(filters);
    command
}
