//! `forge serve`.

use std::process::ExitCode;

use forge_api::{Error, Host};
use forge_supervisor::host::{self, Ending, ServeEnd, ServeOptions};

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
    let options = ServeOptions {
        host: Host::Serve,
        background: args.background,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut interrupts =
        Interrupts::listen().map_err(|error| Error::system("listening for Ctrl-C", error))?;
    let stop = async move { interrupts.next().await };
    let ready = || announce(context, args.background);
    match host::serve(context.home.clone(), options, stop, ready).await {
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
fn announce(context: &Context, background: bool) {
    if background {
        // Nobody may be left to read it.
        let _ = context.output.text(&format!("{}\n", crate::client::READY));
        detach_stdout();
    } else {
        context.output.note(&format!(
            "forge {} supervises; Ctrl-C ends it and leaves the processes running",
            env!("CARGO_PKG_VERSION")
        ));
    }
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
