//! The command `forge`: one of Forge's faces. It reads what was asked, asks the supervisor, and shows the answer;
//! what is decided is decided there.
//!
//! - `args` declares the command line; `commands` has one file for each command.
//! - `client` is the conversation with the supervisor, and starts a headless one where none runs.
//! - `monitor` and `viewer` have the whole screen, and `screen` is what they stand on.
//! - `view` makes text of what is known, as pure functions; `output` is the only one who writes.

mod args;
mod chosen;
mod client;
mod commands;
mod context;
mod detach_keys;
mod failure;
mod interrupt;
mod log_sink;
mod moment;
mod monitor;
mod output;
mod painter;
mod screen;
mod view;
mod viewer;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use forge_api::{Code, Error};
use forge_supervisor::home::Home;

use args::{Cli, ColorChoice, Command};
use context::Context;
use failure::{Failure, Outcome};
use interrupt::Interrupts;
use output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    let output = Output::new(cli.global.json, cli.global.color);
    match run(cli, output) {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            failure.exit_code()
        }
    }
}

/// Help and version are answers; the rest is a mistake, told in the form that was asked for.
fn misused(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json");
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) || !json {
        // Where nobody reads, nothing is to be said.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    let text = error.render().to_string();
    let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let help = "`forge help` lists the commands, `forge help COMMAND` its options";
    let failure = Failure::from(Error::new(Code::Usage, message).help(help));
    Output::new(true, ColorChoice::Never).failure(&failure);
    failure.exit_code()
}

fn run(cli: Cli, output: Output) -> Outcome {
    // Before the folder changes: FORGE_HOME may be relative to the present one.
    let home = Home::locate()?;
    // As with git, each is against the one before.
    for folder in &cli.global.directory {
        std::env::set_current_dir(folder).map_err(|error| {
            Error::new(Code::Usage, format!("-C {}: {error}", folder.display()))
                .help("name a folder that exists")
        })?;
    }
    let here = std::env::current_dir().map_err(|error| Error::system("the working directory", error))?;
    let context = Context { output, home, here };
    match cli.command {
        None => commands::welcome::run(&context),
        Some(Command::Version) => commands::version::run(&context),
        Some(Command::Completions(args)) => commands::completions::run(&context, &args),
        Some(Command::Config(args)) => commands::config::run(&context, &args),
        // Becomes the command, so nothing of a runtime may be left in its way.
        Some(Command::Run(args)) => commands::run::run(&context, args),
        Some(command) => {
            if let Command::Serve(args) = &command {
                commands::serve::step_aside(args);
            }
            converse(&context, command).map_err(|failure| chosen::with_lines(&context, failure))
        }
    }
}

fn converse(context: &Context, command: Command) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::system("starting", error))?;
    let outcome = runtime.block_on(interruptible(context, command));
    // A thread may still wait for a key.
    runtime.shutdown_background();
    outcome
}

/// Ctrl-C ends with 130 whatever a command does; some have something to do about it first.
async fn interruptible(context: &Context, command: Command) -> Outcome {
    let own = match &command {
        Command::Start(_)
        | Command::Restart(_)
        | Command::Attach(_)
        | Command::Monitor(_)
        | Command::Serve(_) => true,
        Command::Logs(args) => args.follow,
        _ => false,
    };
    if own {
        return persist(context, command).await;
    }
    let mut interrupts =
        Interrupts::listen().map_err(|error| Error::system("listening for Ctrl-C", error))?;
    tokio::select! {
        outcome = persist(context, command) => outcome,
        () = interrupts.next() => Err(Failure::Told(Code::Interrupted)),
    }
}

/// Should the supervisor be killed meanwhile, what can be asked twice is asked the next one.
async fn persist(context: &Context, command: Command) -> Outcome {
    let repeatable = match &command {
        Command::Start(_) | Command::Stop(_) | Command::Kill(_) | Command::Status(_) | Command::Check(_) => {
            true
        }
        // Lines go on at the next one where they stopped.
        Command::Logs(args) => args.patterns,
        _ => false,
    };
    let outcome = dispatch(context, command.clone()).await;
    match &outcome {
        Err(Failure::Error(error)) if repeatable && client::is_lost(error) => {
            dispatch(context, command).await
        }
        _ => outcome,
    }
}

async fn dispatch(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Start(args) => commands::start::run(context, args).await,
        Command::Stop(args) => commands::stop::run(context, args).await,
        Command::Restart(args) => commands::restart::run(context, args).await,
        Command::Kill(args) => commands::kill::run(context, args).await,
        Command::Status(args) => commands::status::run(context, args).await,
        Command::Logs(args) => commands::logs::run(context, args).await,
        Command::Monitor(args) => monitor::run(context, args).await,
        Command::Check(args) => commands::check::run(context, args).await,
        Command::Workspaces(args) => commands::workspaces::run(context, args).await,
        Command::Serve(args) => commands::serve::run(context, args).await,
        Command::Signal(args) => commands::signal::run(context, args).await,
        Command::Send(args) => commands::send::run(context, args).await,
        Command::Attach(args) => commands::attach::run(context, args).await,
        Command::Open(args) => commands::open::run(context, args).await,
        Command::Doctor => commands::doctor::run(context).await,
        Command::Version => commands::version::run(context),
        Command::Completions(args) => commands::completions::run(context, &args),
        Command::Config(args) => commands::config::run(context, &args),
        Command::Run(args) => commands::run::run(context, args),
    }
}
