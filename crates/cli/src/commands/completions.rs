//! `forge completions`.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::args::{self, Cli};
use crate::context::Context;
use crate::failure::Outcome;

pub(crate) fn run(context: &Context, args: &args::Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "forge", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if context.output.json {
        context.output.document(&serde_json::json!({"shell": args.shell.to_string(), "script": script}))?;
    } else {
        context.output.text(&script)?;
    }
    Ok(ExitCode::SUCCESS)
}
