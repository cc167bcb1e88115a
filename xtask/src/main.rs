//! The project's own commands: `cargo xtask …`.
//!
//! One file a command; [`console`] is how they speak and run other programs, [`setup`] what they need on the machine.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program: printing is what it does"
)]

mod bench;
mod console;
mod desktop;
mod generate;
mod licences;
mod package;
mod run;
mod setup;
mod targets;
mod test;
mod ui;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::prelude::*;

const HELP: &str = "\
cargo xtask COMMAND

  run                    install what is missing, build, start the bundled example, and open the app on it;
                         without a screen, serve it for a browser
  test [FILTER…]         set up, check and test everything; with a filter only the tests that match
  set-up [--check]       only install what the tests need; --check only says what is missing
  generate [--check]     write the files that are made from code; --check fails if one has drifted
  licences               licences and sources of all dependencies, against deny.toml
  check-targets [--prepare]
                         type-check for Windows and macOS; --prepare fetches what that needs, and with
                         FORGE_CHECK_APP=1 the desktop app is checked too
  package                the app as .deb and .rpm, with forge, forge-keeper and completions inside
  soak [--minutes N]     the app with its window open, hidden, opened and ended again and again: its memory must not
                         grow; N is 30
  bench [NAME…] [--install] [--write] [--quick]
                         the figures, side by side with floors and rivals; --write keeps them in bench/RESULTS.md
";

/// What was asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Help,
    Run,
    Test { filters: Vec<String> },
    SetUp { check: bool },
    Generate { check: bool },
    Licences,
    CheckTargets { prepare: bool },
    Package,
    Soak { minutes: u32 },
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match parse(lexopt::Parser::from_env()).and_then(execute) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<ExitCode> {
    match command {
        Command::Help => print!("{HELP}"),
        Command::Run => run::run()?,
        Command::Test { filters } => test::run(&filters)?,
        Command::SetUp { check } => return setup::command(check),
        Command::Generate { check } => generate::run(check)?,
        Command::Licences => licences::run()?,
        Command::CheckTargets { prepare } => targets::run(prepare)?,
        Command::Package => package::run()?,
        Command::Soak { minutes } => desktop::soak(minutes)?,
        Command::Bench(options) => bench::run(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn parse(mut parser: lexopt::Parser) -> Result<Command> {
    let Some(first) = parser.next()? else { return Ok(Command::Help) };
    let name = match first {
        Value(name) => name.string()?,
        Short('h') | Long("help") => return Ok(Command::Help),
        other => return Err(other.unexpected().into()),
    };
    if name == "soak" {
        return soak(parser);
    }
    let (mut values, mut flags) = (Vec::new(), Vec::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Value(value) => values.push(value.string()?),
            Short('h') | Long("help") => return Ok(Command::Help),
            Long(flag) => flags.push(flag.to_owned()),
            other => return Err(other.unexpected().into()),
        }
    }
    let command = from_parts(&name, values, &mut flags)?;
    if let Some(flag) = flags.first() {
        bail!("`{name}` has no option --{flag}");
    }
    Ok(command)
}

/// The only one whose option has a value.
fn soak(mut parser: lexopt::Parser) -> Result<Command> {
    let mut minutes = 30;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("minutes") => minutes = parser.value()?.parse()?,
            Short('h') | Long("help") => return Ok(Command::Help),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Soak { minutes })
}

/// Takes what it knows out of `flags`; what is left there was not meant for this command.
fn from_parts(name: &str, values: Vec<String>, flags: &mut Vec<String>) -> Result<Command> {
    let mut flag = |wanted: &str| {
        let before = flags.len();
        flags.retain(|flag| flag != wanted);
        flags.len() != before
    };
    let command = match name {
        "test" => return Ok(Command::Test { filters: values }),
        "bench" => {
            return Ok(Command::Bench(bench::Options {
                names: values,
                install: flag("install"),
                write: flag("write"),
                quick: flag("quick"),
            }));
        }
        "help" => Command::Help,
        "run" => Command::Run,
        "package" => Command::Package,
        "set-up" | "setup" => Command::SetUp { check: flag("check") },
        "generate" => Command::Generate { check: flag("check") },
        "licences" | "licenses" => Command::Licences,
        "check-targets" => Command::CheckTargets { prepare: flag("prepare") },
        _ => bail!("no command `{name}`; `cargo xtask help` lists them"),
    };
    match values.first() {
        Some(value) => bail!("`{name}` takes no argument (`{value}`)"),
        None => Ok(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Command> {
        parse(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn commands_take_their_own_options_and_no_others() {
        assert_eq!(parsed(&[]).unwrap(), Command::Help, "nothing asked for");
        assert_eq!(parsed(&["generate", "--check"]).unwrap(), Command::Generate { check: true }, "a flag");
        let filters = vec!["keeper".to_owned(), "tty".to_owned()];
        assert_eq!(parsed(&["test", "keeper", "tty"]).unwrap(), Command::Test { filters }, "filters");
        assert_eq!(parsed(&["soak", "--minutes", "2"]).unwrap(), Command::Soak { minutes: 2 }, "a value");
        assert!(parsed(&["soak", "2"]).is_err(), "a value of nothing");
        assert!(parsed(&["run", "--check"]).is_err(), "another command's option");
        assert!(parsed(&["run", "it"]).is_err(), "an argument too many");
        assert!(parsed(&["walk"]).is_err(), "no such command");
    }
}
