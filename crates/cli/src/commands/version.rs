//! `forge version`.

use std::process::ExitCode;

use forge_api::PROTOCOL;
use serde_json::json;

use crate::context::Context;
use crate::failure::Outcome;

pub(crate) fn run(context: &Context) -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    if context.output.json {
        let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
        context.output.document(&json!({"version": version, "protocol": PROTOCOL, "platform": platform}))?;
    } else {
        context.output.text(&format!("forge {version}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
