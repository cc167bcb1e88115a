//! `forge monitor --json`: an object for each look at an environment, for scripts.

use std::path::Path;

use forge_api::{Code, Cost, Error, Machine, Status, Subscribe, Time, Update};
use serde::Serialize;

use super::model::Scope;
use crate::client::{Client, Incoming};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupts;

/// One line: what the processes of an environment cost at a time.
#[derive(Debug, Serialize)]
struct Look<'a> {
    time: Time,
    workspace: &'a Path,
    environment: &'a str,
    processes: &'a [Cost],
    machine: Option<&'a Machine>,
}

/// Until Ctrl-C, or until nobody reads it: what is known at first, then every look, once a second while something
/// runs.
pub(super) async fn stream(context: &Context, client: Client, scope: &Scope) -> Outcome {
    let mut client = client;
    let mut interrupts =
        Interrupts::listen().map_err(|error| Error::system("listening for Ctrl-C", error))?;
    let subscribe = Subscribe { workspace: scope.workspace().map(Path::to_path_buf), metrics: true };
    for status in client.call(&subscribe).await?.environments {
        if scope.holds(&status.workspace, &status.environment) {
            first(context, &status)?;
        }
    }
    loop {
        let update = tokio::select! {
            incoming = client.next() => match incoming {
                Ok(Incoming::Update(update)) => update,
                Ok(Incoming::Answer(..)) => continue,
                Err(error) if error.code == Code::NoSupervisor => {
                    client = context.client().await?;
                    client.call(&subscribe).await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            },
            () = interrupts.next() => return Err(Failure::Told(Code::Interrupted)),
        };
        match update {
            Update::Lagged {} => drop(client.call(&subscribe).await?),
            Update::Metrics { workspace, environment, time_ms, costs, machine }
                if scope.holds(&workspace, &environment) =>
            {
                context.output.document(&Look {
                    time: Time::from_millis(time_ms),
                    workspace: &workspace,
                    environment: &environment,
                    processes: &costs,
                    machine: machine.as_ref(),
                })?;
            }
            _ => {}
        }
    }
}

fn first(context: &Context, status: &Status) -> Result<(), Failure> {
    let alive = status.processes.iter().filter(|process| process.status.is_alive());
    #[expect(clippy::cast_possible_truncation, reason = "percent, as all others are")]
    let costs: Vec<Cost> = alive
        .map(|process| Cost {
            process: process.name.clone(),
            cpu_percent: process.cpu_percent.map(|percent| percent as f32),
            memory_bytes: process.memory_bytes,
            threads: process.threads,
            open_files: process.open_files,
            gauges: process.gauges.clone(),
            ..Cost::default()
        })
        .collect();
    context.output.document(&Look {
        time: Time::now(),
        workspace: &status.workspace,
        environment: &status.environment,
        processes: &costs,
        machine: status.machine.as_ref(),
    })
}
