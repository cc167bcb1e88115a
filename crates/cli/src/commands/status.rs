//! `forge status`.

use std::process::ExitCode;

use forge_api::{GetStatus, Time};
use jiff::tz::TimeZone;

use crate::args;
use crate::context::Context;
use crate::failure::Outcome;
use crate::view::status;

pub(crate) async fn run(context: &Context, args: args::Status) -> Outcome {
    let mut client = context.client().await?;
    let workspace = context.root(&mut client).await?;
    let found = client.call(&GetStatus { workspace, environment: args.environment }).await?;
    if context.output.json {
        context.output.document(&found)?;
    } else {
        let style = context.output.stdout();
        context.output.text(&status::page(&found, Time::now(), &TimeZone::system(), style))?;
    }
    Ok(ExitCode::SUCCESS)
}
