//! What a command needs on this machine, and getting it there.
//!
//! [`Tool`] says what and why, [`packages`] turns what is missing into the commands of the platform's package
//! manager (a pure function, tested as a table), this file looks, tells and runs.

pub(crate) mod npm;
mod packages;
mod tool;

use std::io::IsTerminal;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};

pub(crate) use tool::{Tool, find};

use crate::console;
use packages::{Lists, PackageManager, Plan, Privilege};

/// `cargo xtask set-up`.
pub(crate) fn command(check: bool) -> Result<ExitCode> {
    if !check {
        for_tests()?;
        return Ok(ExitCode::SUCCESS);
    }
    let missing = missing_of(Tool::FOR_TESTS);
    for tool in &missing {
        println!("missing: {tool}: {}", tool.why());
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All that the tests need.
pub(crate) fn for_tests() -> Result<()> {
    ensure(Tool::FOR_TESTS)?;
    npm::install(&crate::workspace::root().join("examples/shop/frontend"))?;
    npm::install(&crate::ui::folder())
}

/// Installs those of `tools` that are missing; says which and why.
///
/// # Errors
/// One that is required could not be had; the message says how to get it by hand.
pub(crate) fn ensure(tools: &[Tool]) -> Result<()> {
    let missing = missing_of(tools);
    if missing.is_empty() {
        println!("   all there: {}", tools.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        return Ok(());
    }
    for tool in &missing {
        println!("   missing: {tool}, {}", tool.why());
    }
    let Some(manager) = PackageManager::ALL.into_iter().find(|manager| find(manager.program()).is_some())
    else {
        bail!("no package manager that this knows: please install {} by hand", list(&missing));
    };
    let plan = packages::plan(&missing, manager, privilege(manager)?, lists(manager));
    carry_out(&plan)?;
    if let Some(note) = packages::note(&missing, manager) {
        println!("   note: {note}");
    }
    let required: Vec<_> =
        missing_of(&missing).into_iter().filter(|tool| !plan.unavailable.contains(tool)).collect();
    if !required.is_empty() {
        bail!("{} was installed but is not found; is its folder in PATH?", list(&required));
    }
    for tool in &plan.unavailable {
        println!("   {} has no package of {tool}: what needs it is left out", manager.program());
    }
    Ok(())
}

fn carry_out(plan: &Plan) -> Result<()> {
    let Err(first) = run_all(&plan.commands) else { return Ok(()) };
    // The usual reason is a package list from before the last update of a package.
    let Some(refresh) = &plan.refresh else { return Err(first) };
    println!("   {first:#}; once more with fresh package lists");
    run_all(std::slice::from_ref(refresh))?;
    run_all(&plan.commands)
}

fn run_all(commands: &[Vec<String>]) -> Result<()> {
    commands.iter().try_for_each(|words| {
        let (program, arguments) = words.split_first().context("an empty command")?;
        console::run(Command::new(program).args(arguments))
    })
}

fn missing_of(tools: &[Tool]) -> Vec<Tool> {
    tools.iter().copied().filter(|tool| !tool.is_there()).collect()
}

fn list(tools: &[Tool]) -> String {
    tools.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn privilege(manager: PackageManager) -> Result<Privilege> {
    if !manager.needs_root() || is_root() {
        return Ok(Privilege::Own);
    }
    if find("sudo").is_none() {
        bail!("{} must be run by root, and there is no sudo", manager.program());
    }
    Ok(if std::io::stdin().is_terminal() { Privilege::Sudo } else { Privilege::SudoSilently })
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Whether the package manager's own lists can be relied on. Only apt does not look by itself.
fn lists(manager: PackageManager) -> Lists {
    const STALE_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);
    if manager != PackageManager::Apt {
        return Lists::Fresh;
    }
    let newest = newest_list(Path::new("/var/lib/apt/lists"));
    match newest.and_then(|time| SystemTime::now().duration_since(time).ok()) {
        Some(age) if age < STALE_AFTER => Lists::Fresh,
        _ => Lists::Stale,
    }
}

fn newest_list(folder: &Path) -> Option<SystemTime> {
    std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .max()
}
