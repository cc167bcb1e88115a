//! `cargo xtask run`: from a fresh clone to a running environment.

use std::process::Command;

use anyhow::Result;

use crate::console::{cargo, heading, run_quietly, section};
use crate::setup::{self, Tool};
use crate::workspace;

/// The bundled example, which needs Node and nothing else.
const EXAMPLE: &str = "examples/hello";

pub(crate) fn run() -> Result<()> {
    section("What is needed", || setup::ensure(Tool::FOR_RUN))?;
    section("Build", || {
        // The development profile: half the time of a release build, and the example can't tell the difference.
        crate::console::run(&mut cargo(["build", "--package", "forge-cli", "--package", "forge-keeper"]))
    })?;
    heading("The example");
    let forge = workspace::built("debug", "forge");
    let shown = workspace::shown(&forge);
    println!("   $ {shown} -C {EXAMPLE} start\n");
    run_quietly(Command::new(&forge).current_dir(workspace::root()).args(["-C", EXAMPLE, "start"]))?;
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
