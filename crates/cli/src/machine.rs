//! Whether this machine has what a process needs. Looks, and runs nothing of the workspace's.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use forge_config::ResolvedProcess;
use forge_config::model::Requirement;
use forge_system::binaries::{self, Missing, Version};
use forge_system::ports::{Listening, Protocol};
use serde::Serialize;

/// How long a program may take to say its version.
const VERSION: Duration = Duration::from_secs(2);

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// `cwd`, `command`, `requires`, `port`.
    pub(crate) kind: &'static str,
    pub(crate) ok: bool,
    pub(crate) text: String,
    pub(crate) help: Option<String>,
}

impl Finding {
    fn good(kind: &'static str, text: impl Into<String>) -> Self {
        Self { kind, ok: true, text: text.into(), help: None }
    }

    fn bad(kind: &'static str, text: impl Into<String>, help: Option<String>) -> Self {
        Self { kind, ok: false, text: text.into(), help }
    }
}

/// What is known of who listens.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) listening: Listening,
    /// Ports that processes of this workspace listen on now: environment, process, port.
    pub(crate) own: Vec<(String, String, u16)>,
}

/// Everything that one process needs, good or not.
pub(crate) fn look(environment: &str, process: &ResolvedProcess, root: &Path, held: &Held) -> Vec<Finding> {
    if let Some(missing) = folder(process) {
        return vec![missing];
    }
    let path = process
        .env
        .iter()
        .find(|variable| variable.name == "PATH")
        .map(|variable| OsStr::new(&variable.value));
    let mut findings = Vec::new();
    for program in forge_config::shell::programs(&process.command) {
        findings.push(match binaries::find(&program, path, &process.cwd) {
            Ok(found) => Finding::good("command", format!("`{program}` is {}", found.display())),
            Err(missing) => Finding::bad("command", missing.to_string(), advice(&missing)),
        });
    }
    for requirement in &process.requires {
        findings.push(required(requirement, path, process, root));
    }
    for port in &process.ports {
        findings.push(self::port(environment, process, *port, held));
    }
    findings
}

fn folder(process: &ResolvedProcess) -> Option<Finding> {
    let cwd = process.cwd.display();
    if process.cwd.is_dir() {
        return None;
    }
    let what = if process.cwd.exists() { "is not a folder" } else { "does not exist" };
    Some(Finding::bad("cwd", format!("its folder {cwd} {what}"), Some("make it, or change `cwd`".to_owned())))
}

fn advice(missing: &Missing) -> Option<String> {
    match missing {
        // The message asks already whether another one was meant.
        Missing::NotFound { near: Some(_), .. } => None,
        Missing::NotFound { name, .. } => Some(format!("install `{name}`, or put it on your PATH")),
        Missing::NotExecutable { path } => Some(format!("chmod +x {}", path.display())),
        _ => None,
    }
}

fn required(
    requirement: &Requirement,
    path: Option<&OsStr>,
    process: &ResolvedProcess,
    root: &Path,
) -> Finding {
    let name = &requirement.binary;
    let program = match binaries::find(name, path, &process.cwd) {
        Ok(program) => program,
        Err(missing) => return Finding::bad("requires", missing.to_string(), advice(&missing)),
    };
    let Some(wanted) = requirement.version.as_deref() else {
        return Finding::good("requires", format!("`{name}` is {}", program.display()));
    };
    let Ok(least) = wanted.parse::<Version>() else {
        return Finding::bad("requires", format!("`{wanted}` is no version"), None);
    };
    if program.starts_with(root) {
        // Asking means running, and what the workspace brings is not run by looking at it.
        return Finding::good(
            "requires",
            format!("`{name}` is {}, its version is asked at the start", program.display()),
        );
    }
    match binaries::version(&program, VERSION) {
        Some(version) if version >= least => {
            Finding::good("requires", format!("`{name}` is version {version}"))
        }
        Some(version) => Finding::bad(
            "requires",
            format!("`{name}` is version {version}, {wanted} or later is required"),
            Some(format!("upgrade `{name}`")),
        ),
        None => Finding::bad(
            "requires",
            format!("`{name}` does not say its version, {wanted} or later is required"),
            None,
        ),
    }
}

fn port(environment: &str, process: &ResolvedProcess, port: u16, held: &Held) -> Finding {
    if let Some((holder, name, _)) = held.own.iter().find(|(_, _, known)| *known == port) {
        if holder == environment && *name == process.name {
            return Finding::good("port", format!("port {port} is its own, it runs"));
        }
        return Finding::good("port", format!("port {port} is held by {holder}/{name}, which runs"));
    }
    let Some(listener) = held.listening.on(port).find(|listener| listener.protocol == Protocol::Tcp) else {
        return Finding::good("port", format!("port {port} is free"));
    };
    let holders = held.listening.holders(port).unwrap_or_default();
    let who = match (holders.iter().flat_map(|holder| &holder.processes).next(), listener.uid) {
        (Some(id), _) => {
            let name = id.name().ok().flatten().unwrap_or_else(|| "a process".to_owned());
            format!("{name} (PID {})", id.pid)
        }
        (None, Some(uid)) => format!("a process of user {uid}"),
        (None, None) => "another process".to_owned(),
    };
    Finding::bad(
        "port",
        format!("port {port} is in use by {who}"),
        Some("stop it, or change `port`".to_owned()),
    )
}
