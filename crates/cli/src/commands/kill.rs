//! `forge kill`.

use forge_api::Kill;

use crate::args;
use crate::commands::stop;
use crate::context::Context;
use crate::failure::Outcome;

pub(crate) async fn run(context: &Context, args: args::Names) -> Outcome {
    let mut client = context.client().await?;
    let workspace = context.root(&mut client).await?;
    let killed = client.call(&Kill { workspace, names: args.names }).await?;
    stop::report(context, &killed, "Killed")
}
