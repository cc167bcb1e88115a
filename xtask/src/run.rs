//! `cargo xtask run`: from a fresh clone to a running environment, in the app or in a browser.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::console::{self, cargo, heading, run_quietly, section};
use crate::setup::{self, Tool};
use crate::{ui, workspace};

/// What the app takes to get up; as a rule a second.
const APP_UP: Duration = Duration::from_secs(30);

/// The bundled example, which needs Node and nothing else.
const EXAMPLE: &str = "examples/hello";

pub(crate) fn run() -> Result<()> {
    let screen = has_screen();
    section("What is needed", || setup::ensure(if screen { Tool::FOR_APP } else { Tool::FOR_RUN }))?;
    section("Page", ui::build)?;
    section("Build", || {
        // The development profile: half the time of a release build, and the example can't tell the difference.
        let mut build = cargo(["build", "--package", "forge-cli", "--package", "forge-keeper"]);
        if screen {
            build.args(["--package", "forge-desktop"]);
        }
        console::run(&mut build)
    })?;
    heading("The example");
    let forge = workspace::built("debug", "forge");
    let shown = workspace::shown(&forge);
    println!("   $ {shown} -C {EXAMPLE} start\n");
    run_quietly(Command::new(&forge).current_dir(workspace::root()).args(["-C", EXAMPLE, "start"]))?;
    if screen {
        heading("The app");
        if let Err(error) = open_app() {
            // A screen was named, and nobody is there.
            println!("   {error:#}");
            serve()?;
        }
    } else {
        heading("In a browser");
        serve()?;
    }
    println!(
        "
Go on with

   {shown} -C {EXAMPLE} status        what runs, and how it is
   {shown} -C {EXAMPLE} logs -f       what it says
   {shown} -C {EXAMPLE} stop          and nothing is left behind

To have `forge` everywhere:

   cargo install --path crates/cli && cargo install --path crates/keeper"
    );
    Ok(())
}

/// Whether a window could be seen.
fn has_screen() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// The app takes the example over from the command line's supervisor; it goes on when this command has ended.
fn open_app() -> Result<()> {
    let app = workspace::built("debug", "forge-desktop");
    let runs_already = is_hosted_by_app();
    let log = workspace::target().join("forge-desktop.log");
    let said = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut child = aside(&mut Command::new(&app))
        .stdout(Stdio::null())
        .stderr(said)
        .spawn()
        .with_context(|| format!("cannot run {}", app.display()))?;
    if runs_already {
        println!("   the app runs already; its window shows");
        return Ok(());
    }
    let until = Instant::now() + APP_UP;
    while !is_hosted_by_app() {
        match child.try_wait()? {
            Some(status) => bail!("the app has ended: {status}\n{}", std::fs::read_to_string(&log)?),
            None if Instant::now() > until => {
                child.kill()?;
                bail!("the app does not get up");
            }
            None => thread::sleep(Duration::from_millis(100)),
        }
    }
    println!("   {} runs (PID {}): the window, and an icon in the tray", workspace::shown(&app), child.id());
    Ok(())
}

/// Whether the supervisor that answers is the app's.
fn is_hosted_by_app() -> bool {
    let mut status = Command::new(workspace::built("debug", "forge"));
    let told = status.current_dir(workspace::root()).args(["-C", EXAMPLE, "status", "--json"]).output();
    let told = told.ok().and_then(|told| serde_json::from_slice::<serde_json::Value>(&told.stdout).ok());
    told.is_some_and(|status| status["supervisor"]["host"] == "desktop")
}

/// The same page from a server on loopback; it goes on when this command has ended.
fn serve() -> Result<()> {
    let forge = workspace::built("debug", "forge");
    let mut server = aside(Command::new(&forge).args(["serve", "--http", "127.0.0.1:0"]))
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", forge.display()))?;
    let mut url = String::new();
    BufReader::new(server.stdout.take().context("a pipe")?).read_line(&mut url)?;
    if url.trim().is_empty() {
        bail!("`forge serve --http` has ended: {}", server.wait()?);
    }
    println!("   no screen here, so in a browser: {}", url.trim());
    println!(
        "   from another machine: ssh -L with that port; `kill {}` ends the server, the example goes on",
        server.id()
    );
    Ok(())
}

/// Not ended by this terminal's Ctrl-C. What it says later must not hold up whoever reads this command's output.
fn aside(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command.current_dir(workspace::root()).stdin(Stdio::null()).stderr(Stdio::null())
}
