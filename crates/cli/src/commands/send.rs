//! `forge send`.

use std::process::ExitCode;

use forge_api::{Done, SendText};

use crate::args;
use crate::context::Context;
use crate::failure::Outcome;

pub(crate) async fn run(context: &Context, args: args::Send) -> Outcome {
    let mut client = context.client().await?;
    let workspace = context.root(&mut client).await?;
    let text = if args.no_newline { args.text } else { format!("{}\n", args.text) };
    let done: Done = client.call(&SendText { workspace, name: args.name, text }).await?;
    if context.output.json {
        context.output.document(&done)?;
    }
    Ok(ExitCode::SUCCESS)
}
