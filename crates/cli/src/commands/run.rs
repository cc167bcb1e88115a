//! `forge run`: one command with an environment's variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Command;

use forge_api::{Code, Error};
use forge_config::{Origin, ResolvedEnvironment};

use crate::args;
use crate::chosen::Chosen;
use crate::context::Context;
use crate::failure::Outcome;

pub(crate) fn run(context: &Context, args: args::Run) -> Outcome {
    let chosen = Chosen::one(context, args.env.as_deref())?;
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Error::new(Code::Usage, "no command was given").into());
    };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&context.here);
    for environment in &chosen.environments {
        for name in removed(environment) {
            command.env_remove(name);
        }
        command.envs(common(environment));
    }
    become_it(command, program)
}

/// What the environment gives: its own `env`, and what the files give to every process of it alike.
fn common(environment: &ResolvedEnvironment) -> BTreeMap<String, String> {
    let mut common = BTreeMap::new();
    for variable in environment.processes.iter().flat_map(|process| &process.env) {
        let shared = || {
            environment.processes.iter().all(|process| {
                process.env.iter().any(|other| other.name == variable.name && other.value == variable.value)
            })
        };
        let given = match variable.origin {
            Origin::Environment => true,
            Origin::EnvFile { .. } | Origin::DotEnv { .. } => shared(),
            Origin::Caller | Origin::Debug | Origin::Port | Origin::Process => false,
        };
        if given {
            common.entry(variable.name.clone()).or_insert_with(|| variable.value.clone());
        }
    }
    common
}

/// What it takes away from all of its processes.
fn removed(environment: &ResolvedEnvironment) -> Vec<String> {
    let Some(first) = environment.processes.first() else { return Vec::new() };
    let by_all = |name: &&String| environment.processes.iter().all(|process| process.removed.contains(name));
    first.removed.iter().filter(by_all).cloned().collect()
}

/// This process becomes the command: its signals, terminal and exit code are the caller's to see.
#[cfg(unix)]
fn become_it(mut command: Command, program: &OsString) -> Outcome {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(refused(program, &error).into())
}

#[cfg(not(unix))]
fn become_it(mut command: Command, program: &OsString) -> Outcome {
    use std::process::ExitCode;
    let status = command.status().map_err(|error| refused(program, &error))?;
    let code = status.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn refused(program: &OsString, error: &std::io::Error) -> Error {
    let program = program.display();
    if error.kind() == std::io::ErrorKind::NotFound {
        return Error::new(Code::Missing, format!("`{program}` was not found")).help(
            "`forge run` takes a program and its arguments; for a shell's syntax: forge run -- sh -c '…'",
        );
    }
    Error::system(format!("running `{program}`"), error)
}
