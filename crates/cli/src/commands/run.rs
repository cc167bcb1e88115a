//! `forge run`: one command with an environment's variables.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::Command;

use forge_api::{Code, Error};
use forge_config::{Origin, ResolvedEnvironment};
use forge_system::binaries::{self, Missing};

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
    Err(refused(&command, program, &error).into())
}

#[cfg(not(unix))]
fn become_it(mut command: Command, program: &OsString) -> Outcome {
    use std::process::ExitCode;
    let status = command.status().map_err(|error| refused(&command, program, &error))?;
    let code = status.code().unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Why it cannot be run, and what to do.
fn refused(command: &Command, program: &OsStr, error: &io::Error) -> Error {
    let found = command.get_envs().find(|(name, _)| *name == "PATH");
    let path = found.map_or_else(|| std::env::var_os("PATH"), |(_, value)| value.map(OsStr::to_owned));
    let cwd = command.get_current_dir().unwrap_or(Path::new("."));
    let name = program.to_string_lossy();
    let missing = match binaries::find(&name, path.as_deref(), cwd) {
        Err(missing) => missing,
        Ok(_) => return Error::system(format!("running `{name}`"), error),
    };
    let help = match &missing {
        Missing::NotExecutable { path } => format!("chmod +x {}", path.display()),
        // One word, as a shell's line in quotes would be.
        _ if name.contains(char::is_whitespace) => {
            "it takes a program and its arguments; for a shell's syntax: forge run -- sh -c '…'".to_owned()
        }
        _ => format!("install `{name}`, or put it on the PATH that `forge run` gives it"),
    };
    Error::new(Code::Missing, format!("nothing was run: {missing}")).help(help)
}
