//! `forge workspaces`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use forge_api::{
    AddWorkspace, Error, RemoveWorkspace, TrustWorkspace, Workspace, WorkspaceCommands, Workspaces,
};

use crate::args::{self, WorkspacesAct};
use crate::client::Client;
use crate::context::Context;
use crate::failure::Outcome;
use crate::view::style::Ink;

pub(crate) async fn run(context: &Context, args: args::Workspaces) -> Outcome {
    let mut client = context.client().await?;
    match args.act.unwrap_or(WorkspacesAct::List) {
        WorkspacesAct::List => list(context, &mut client).await,
        WorkspacesAct::Add { folder, create } => {
            let workspace = client.call(&AddWorkspace { path: absolute(context, folder)?, create }).await?;
            told(context, &workspace, &format!("{} is shown from now on", workspace.path.display()))
        }
        WorkspacesAct::Remove { folder } => {
            let path = absolute(context, folder)?;
            let done = client.call(&RemoveWorkspace { path: path.clone() }).await?;
            if context.output.json {
                context.output.document(&done)?;
            } else {
                context.output.text(&format!("{} is shown no longer\n", path.display()))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        WorkspacesAct::Trust { folder } => trust(context, &mut client, absolute(context, folder)?).await,
    }
}

/// Shows what is confirmed, and confirms just that.
async fn trust(context: &Context, client: &mut Client, path: PathBuf) -> Outcome {
    let asked = client.call(&WorkspaceCommands { path: path.clone() }).await?;
    let workspace = client.call(&TrustWorkspace { path, hash: Some(asked.hash) }).await?;
    if !context.output.json {
        for command in &asked.commands {
            let purpose = match command.purpose.as_str() {
                "command" => String::new(),
                other => format!(" ({other})"),
            };
            let line = format!("{}/{}{purpose}: {}\n", command.environment, command.process, command.command);
            context.output.text(&line)?;
        }
    }
    told(context, &workspace, "these may be started from the tray and the window")
}

fn told(context: &Context, workspace: &Workspace, text: &str) -> Outcome {
    if context.output.json {
        context.output.document(workspace)?;
    } else {
        context.output.text(&format!("{text}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(context: &Context, client: &mut Client) -> Outcome {
    let workspaces = client.call(&Workspaces {}).await?.workspaces;
    if context.output.json {
        context.output.document(&workspaces)?;
        return Ok(ExitCode::SUCCESS);
    }
    if workspaces.is_empty() {
        context.output.note("no workspace is known; `forge workspaces add DIR`, or `forge start` in one");
    }
    let style = context.output.stdout();
    for workspace in &workspaces {
        let trusted = if workspace.trusted { "" } else { "  not trusted" };
        let name = style.paint(Ink::Bold, &workspace.name);
        let mut text = format!("{name}  {}{}\n", workspace.path.display(), style.paint(Ink::Dim, trusted));
        let width = workspace.environments.iter().map(|one| one.environment.chars().count()).max();
        for environment in &workspace.environments {
            let width = width.unwrap_or_default();
            text.push_str(&format!("  {:width$}  {}\n", environment.environment, environment.state));
        }
        if let Some(problem) = &workspace.problem {
            text.push_str(&format!("  {}\n", problem.message));
        }
        context.output.text(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn absolute(context: &Context, folder: Option<PathBuf>) -> Result<PathBuf, Error> {
    let path = context.here.join(folder.as_deref().unwrap_or(Path::new(".")));
    std::fs::canonicalize(&path).or_else(|error| {
        // A workspace that was deleted can still be taken off the list.
        std::path::absolute(&path).map_err(|_| Error::system(path.display(), error))
    })
}
