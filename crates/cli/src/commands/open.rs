//! `forge open`.

use std::process::ExitCode;

use forge_api::{Code, Error, GetStatus};
use forge_config::{ResolvedEnvironment, ResolvedProcess};

use crate::args;
use crate::chosen::{self, Chosen};
use crate::client::Client;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::view::words;

pub(crate) async fn run(context: &Context, args: args::Open) -> Outcome {
    let chosen = Chosen::load(context, None)?;
    let (environment, process) = pick(&chosen, args.name.as_deref())?;
    let declared = process.url();
    let url =
        live(context, &chosen, &environment.name, &process.name).await?.or(declared).ok_or_else(|| {
            Error::new(Code::Unsupported, format!("{} has no URL", process.name))
                .help("give it an HTTP `port`, or say what to open with `open:`")
        })?;
    let shown = context.output.json || !in_browser(&url);
    if context.output.json {
        context.output.document(&serde_json::json!({"process": process.name, "url": url}))?;
    } else if shown {
        context.output.text(&format!("{url}\n"))?;
    } else {
        context.output.note(&format!("opening {url}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// As the supervisor that runs knows it: ports may have been moved.
async fn live(
    context: &Context,
    chosen: &Chosen,
    environment: &str,
    process: &str,
) -> Result<Option<String>, Failure> {
    let Some(mut client) = Client::connect_if_running(&context.home).await? else { return Ok(None) };
    let request =
        GetStatus { workspace: chosen.workspace.root.clone(), environment: Some(environment.to_owned()) };
    let status = client.call(&request).await?;
    Ok(status.processes.into_iter().find(|candidate| candidate.name == process).and_then(|found| found.url))
}

/// The process that is meant.
fn pick<'a>(
    chosen: &'a Chosen,
    name: Option<&str>,
) -> Result<(&'a ResolvedEnvironment, &'a ResolvedProcess), Error> {
    let environments = &chosen.environments;
    let named = |wanted: &str| environments.iter().find(|environment| environment.name == wanted);
    let Some(name) = name else {
        let environment = chosen::default(&chosen.config)?;
        return named(&environment).and_then(front).ok_or_else(|| nothing_to_open(&environment));
    };
    if let Some((environment, process)) = name.split_once('/') {
        let found = named(environment).and_then(|found| Some((found, found.process(process)?)));
        return found.ok_or_else(|| unknown(name));
    }
    if let Some(environment) = named(name) {
        return front(environment).ok_or_else(|| nothing_to_open(name));
    }
    let holders: Vec<_> = environments
        .iter()
        .filter_map(|environment| Some((environment, environment.process(name)?)))
        .collect();
    let default = chosen::default(&chosen.config).ok();
    match holders.as_slice() {
        [] => Err(unknown(name)),
        [only] => Ok(*only),
        several => several
            .iter()
            .find(|(environment, _)| Some(&environment.name) == default.as_ref())
            .copied()
            .ok_or_else(|| {
                let choices: Vec<String> =
                    several.iter().map(|(e, p)| format!("{}/{}", e.name, p.name)).collect();
                Error::new(
                    Code::Ambiguous,
                    format!("`{name}` is in several environments: {}", words::list(&choices)),
                )
                .help("name one of them")
                .details(serde_json::json!({"choices": choices}))
            }),
    }
}

/// The process whose URL opens the environment.
fn front(environment: &ResolvedEnvironment) -> Option<(&ResolvedEnvironment, &ResolvedProcess)> {
    let enabled = environment.processes.iter().filter(|process| !process.disabled);
    forge_config::front(enabled).map(|process| (environment, process))
}

fn unknown(name: &str) -> Error {
    Error::new(Code::NotFound, format!("no process is called `{name}`")).help("`forge status` lists them")
}

fn nothing_to_open(environment: &str) -> Error {
    Error::new(Code::NotFound, format!("nothing in {environment} has a URL"))
        .help("give a process an HTTP `port`, or say what to open with `open:`")
}

/// Whether there is a browser to show it, which then does.
pub(crate) fn in_browser(url: &str) -> bool {
    !no_display() && open::that_detached(url).is_ok()
}

/// A browser would have nowhere to show: a server, a container, a remote shell.
fn no_display() -> bool {
    cfg!(target_os = "linux")
        && ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER"]
            .iter()
            .all(|name| std::env::var_os(name).is_none())
}
