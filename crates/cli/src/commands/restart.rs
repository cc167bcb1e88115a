//! `forge restart`.

use std::process::ExitCode;
use std::time::Duration;

use forge_api::{Code, Error, Restart};

use crate::args;
use crate::commands::start;
use crate::commands::watch::{self, Ended, Watch};
use crate::context::{Context, variables};
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupts;

/// As long as `start` waits by default.
const LIMIT: Duration = Duration::from_secs(300);

pub(crate) async fn run(context: &Context, args: args::Restart) -> Outcome {
    let mut client = context.client().await?;
    let root = context.root(&mut client).await?;
    let mut interrupts =
        Interrupts::listen().map_err(|error| Error::system("listening for Ctrl-C", error))?;
    let known = start::subscribe(&mut client, &root).await?;
    let restart = Restart { workspace: root, names: args.names, variables: Some(variables()) };
    let started = client.call(&restart).await?;
    let mut watch = Watch::new("Restarting", started, &known, context);
    match watch.outcome(&mut client, &mut interrupts, LIMIT).await? {
        Ended::Outcome(outcome) if outcome.ready => {
            start::ready(context, &watch, &outcome)?;
            Ok(ExitCode::SUCCESS)
        }
        Ended::Outcome(outcome) => watch::fail(context, &watch, &outcome).map(|()| ExitCode::SUCCESS),
        Ended::Cancelled(stopped) => Err(watch::cancelled(context, &stopped)),
        Ended::Left => Err(Failure::Told(Code::Interrupted)),
    }
}
