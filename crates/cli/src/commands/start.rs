//! `forge start`.

use std::process::ExitCode;

use forge_api::{Code, Error, Start, StartOutcome, Started, Subscribe, Time};

use crate::args::{self, OnConflict};
use crate::client::Client;
use crate::commands::stay;
use crate::commands::watch::{self, Ended, Watch};
use crate::context::{Context, variables};
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupts;
use crate::output::Output;
use crate::view::style::Mark;
use crate::view::{diagnosis, status, words};

pub(crate) async fn run(context: &Context, args: args::Start) -> Outcome {
    let workspace = context.workspace()?;
    let mut client = context.client().await?;
    let mut interrupts =
        Interrupts::listen().map_err(|error| Error::system("listening for Ctrl-C", error))?;
    let since = Time::now();
    let known = subscribe(&mut client, &workspace.root).await?;
    let start = Start {
        workspace: workspace.root.clone(),
        names: args.names,
        variables: Some(variables()),
        trust: true,
        on_conflict: on_conflict(args.on_conflict),
        holders: None,
    };
    let started = client.call(&start).await.map_err(|error| conflict(error, args.on_conflict))?;
    if args.detach {
        return begun(context, &started);
    }
    let mut watch = Watch::new("Starting", started, &known, context);
    match watch.outcome(&mut client, &mut interrupts, args.timeout).await? {
        Ended::Outcome(outcome) if outcome.ready => {
            if args.attach {
                if !context.output.json {
                    context.output.note(&ready_line(context.output, &watch, &outcome));
                }
                return stay::stay(context, client, interrupts, watch, since).await;
            }
            ready(context, &watch, &outcome)?;
            Ok(ExitCode::SUCCESS)
        }
        Ended::Outcome(outcome) => watch::fail(context, &watch, &outcome).map(|()| ExitCode::SUCCESS),
        Ended::Cancelled(stopped) => Err(watch::cancelled(context, &stopped)),
        Ended::Left => Err(Failure::Told(Code::Interrupted)),
    }
}

/// The table and the URL.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn ready(context: &Context, watch: &Watch, outcome: &StartOutcome) -> Result<(), Failure> {
    let output = context.output;
    if output.json {
        return output.document(&outcome.status);
    }
    let style = output.stdout();
    let mut text = format!("\n{}\n", ready_line(output, watch, outcome));
    text.push_str(&status::services(&outcome.status, &watch.started().processes, style));
    if let Some(url) = &outcome.url {
        text.push_str(&format!("\nYour app is ready at: {url}\n"));
    }
    output.text(&text)?;
    let environment = &watch.started().environment;
    let hints = [
        ("forge logs -f".to_owned(), "everything they write, live"),
        ("forge status".to_owned(), "how they are"),
        (format!("forge stop {environment}"), "ends them all"),
    ];
    output.note(&format!("\n{}", diagnosis::hints(&hints, output.stderr())));
    Ok(())
}

fn ready_line(output: Output, watch: &Watch, outcome: &StartOutcome) -> String {
    let started = watch.started();
    let all = words::count(started.processes.len(), "process is", "processes are");
    let new = started.starting.len();
    let what = match new {
        0 => format!("{all} ready; nothing had to be started"),
        _ => format!("{all} ready after {}", words::took(watch.elapsed())),
    };
    format!("{} {}: {what}", output.stdout().mark(Mark::Good), outcome.status.environment)
}

/// What `-d` answers.
fn begun(context: &Context, started: &Started) -> Outcome {
    if context.output.json {
        context.output.document(started)?;
        return Ok(ExitCode::SUCCESS);
    }
    let names = words::targets(&started.starting);
    if names.is_empty() {
        context.output.text(&format!("{}: nothing had to be started\n", started.environment))?;
        context.output.note("`forge status` shows how it is");
    } else {
        context.output.text(&format!("{}: starting {}\n", started.environment, words::list(&names)))?;
        context.output.note("`forge status` shows how it goes");
    }
    Ok(ExitCode::SUCCESS)
}

/// What the supervisor can do by itself about a port that is held.
fn on_conflict(wanted: Option<OnConflict>) -> forge_api::OnConflict {
    match wanted {
        Some(OnConflict::Kill) => forge_api::OnConflict::Kill,
        Some(OnConflict::Next) => forge_api::OnConflict::Next,
        Some(OnConflict::Ask | OnConflict::Attach | OnConflict::Fail) | None => forge_api::OnConflict::Fail,
    }
}

/// A port that is held, where something was wished that cannot be done about it yet.
fn conflict(error: Error, wanted: Option<OnConflict>) -> Error {
    let (Code::PortConflict, Some(OnConflict::Ask | OnConflict::Attach)) = (error.code, wanted) else {
        return error;
    };
    let help = error.help.clone().unwrap_or_else(|| "end its holder, or change the port".to_owned());
    error.help(format!("--on-conflict can `kill`, `next` and `fail` in this version; {help}"))
}

/// How the workspace stands; what changes from now on is told.
///
/// # Errors
/// The supervisor's.
pub(crate) async fn subscribe(
    client: &mut Client,
    workspace: &std::path::Path,
) -> Result<Vec<forge_api::Status>, Error> {
    Ok(client
        .call(&Subscribe { workspace: Some(workspace.to_path_buf()), metrics: false })
        .await?
        .environments)
}
