//! `forge signal`.

use std::process::ExitCode;

use forge_api::{Done, Signal};

use crate::args;
use crate::context::Context;
use crate::failure::Outcome;

pub(crate) async fn run(context: &Context, args: args::Signal) -> Outcome {
    let mut client = context.client().await?;
    let workspace = context.root(&mut client).await?;
    let request = Signal { workspace, name: args.name, signal: args.signal };
    let done: Done = client.call(&request).await?;
    if context.output.json {
        context.output.document(&done)?;
    }
    Ok(ExitCode::SUCCESS)
}
