//! `forge serve`.

use std::net::SocketAddr;
use std::process::ExitCode;

use forge_api::{Code, Error, Host};
use forge_supervisor::host::{self, Ending, Entrance, ServeEnd, ServeOptions};
use forge_system::ports::Protocol;
use forge_web::Server;
use tokio::sync::oneshot;

use crate::args;
use crate::context::Context;
use crate::failure::Outcome;
use crate::interrupt::Interrupts;

/// Before the runtime: a background supervisor leaves the session of the command that started it.
pub(crate) fn step_aside(args: &args::Serve) {
    #[cfg(unix)]
    if args.background {
        // It fails only for a group's leader, which has no terminal to lose then.
        let _ = rustix::process::setsid();
    }
    #[cfg(not(unix))]
    let _ = args;
}

pub(crate) async fn run(context: &Context, args: args::Serve) -> Outcome {
    // First: for a port that is not to be had, nobody shall be made to hand over.
    let web = match args.http {
        Some(address) => Some(Server::bind(address).await.map_err(|error| with_holders(error, address))?),
        None => None,
    };
    let options = ServeOptions {
        host: Host::Serve,
        background: args.background,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut interrupts =
        Interrupts::listen().map_err(|error| Error::system("listening for Ctrl-C", error))?;
    let stop = async move { interrupts.next().await };
    let (close, closing) = oneshot::channel::<()>();
    let mut served = None;
    let ready = |entrance: Entrance| {
        announce(context, args.background, entrance.took_over_from());
        if let Some(web) = web {
            tell_url(context, &web.url());
            let shutdown = async { drop(closing.await) };
            served = Some(tokio::spawn(web.serve(move || entrance.connect(), shutdown)));
        }
    };
    let end = host::serve(context.home.clone(), options, stop, ready).await;
    drop(close);
    if let Some(served) = served {
        // The pages are told that it is over.
        let _ = served.await;
    }
    match end {
        Ok(end) => {
            if !args.background {
                context.output.note(&farewell(end));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if args.background => {
            // The command that started us reads this line.
            context.output.text(&format!("{}\n", serde_json::json!({ "error": error })))?;
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Tells that clients can connect.
fn announce(context: &Context, background: bool, before: Option<u32>) {
    if background {
        // Nobody may be left to read it.
        let _ = context.output.text(&format!("{}\n", forge_supervisor::background::READY));
        detach_stdout();
        return;
    }
    if let Some(before) = before {
        context.output.note(&format!("took over from the background supervisor (PID {before})"));
    }
    context.output.note(&format!(
        "forge {} supervises; Ctrl-C ends it and leaves the processes running",
        env!("CARGO_PKG_VERSION")
    ));
}

/// The one line on stdout. If nobody reads it, what is supervised goes on all the same.
fn tell_url(context: &Context, url: &str) {
    let _ = if context.output.json {
        context.output.document(&serde_json::json!({ "url": url }))
    } else {
        context.output.text(&format!("{url}\n"))
    };
}

/// Names those who listen on the port that is not to be had.
fn with_holders(mut error: Error, address: SocketAddr) -> Error {
    if error.code != Code::PortConflict {
        return error;
    }
    let holders = forge_system::ports::holders(address.port()).unwrap_or_default();
    let mut names: Vec<String> = holders
        .iter()
        .filter(|holder| holder.listener.protocol == Protocol::Tcp)
        .flat_map(|holder| &holder.processes)
        .map(|process| {
            let name = process.name().ok().flatten().unwrap_or_else(|| "a process".to_owned());
            format!("{name} (PID {})", process.pid)
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        error.message = format!("cannot serve on {address}: {} listens on it", names.join(", "));
    }
    error
}

/// Closes the pipe to the command that started us.
fn detach_stdout() {
    #[cfg(unix)]
    if let Ok(null) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(null);
    }
}

fn farewell(end: ServeEnd) -> String {
    let processes = match end.running {
        0 => return "nothing runs; forge ends".to_owned(),
        1 => "1 process goes on".to_owned(),
        many => format!("{many} processes go on"),
    };
    match end.reason {
        Ending::HandedOver => format!("another supervisor takes over; {processes}"),
        Ending::Left => {
            format!("{processes}; any `forge` command finds them again, `forge stop --all` ends them")
        }
    }
}
