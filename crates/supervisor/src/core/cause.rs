//! Why a start did not come to its end, in words.

use std::path::{Path, PathBuf};

use forge_api::{Failure, HealthState, Target};
use forge_config::model::Command;
use forge_config::resolve::Origin;
use forge_system::ports::Listening;

use super::Process;
use crate::owned::Owned;

/// Lines of output that a failure shows.
const OUTPUT: u64 = 15;

/// A process that keeps a start from its end.
pub(super) struct Cause {
    pub(super) target: Target,
    pub(super) reason: Reason,
    pub(super) blocks: Vec<String>,
    /// The folder of its segments, and the run that is meant.
    pub(super) log: PathBuf,
    pub(super) run: u32,
}

pub(super) enum Reason {
    Known(String),
    /// It does not hold these ports; who does is to be looked up.
    Ports {
        missing: Vec<u16>,
    },
}

/// What a running process lacks.
pub(super) fn not_ready(process: &Process) -> Reason {
    let known = |text: &str| Reason::Known(text.to_owned());
    let Some(definition) = &process.definition else { return known("is not ready") };
    if let Some(text) = keeps_its_old_port(process) {
        return Reason::Known(text);
    }
    if definition.health_check.is_some() && process.health.state != HealthState::Healthy {
        return match &process.health.message {
            Some(message) => Reason::Known(format!("is not healthy yet: {message}")),
            None => known("has not answered its health check yet"),
        };
    }
    if !definition.ports.is_empty() && !process.holds_ports {
        let missing = definition.ports.iter().filter(|port| !process.listens.contains(port));
        return Reason::Ports { missing: missing.copied().collect() };
    }
    known(if definition.one_shot { "has not finished yet" } else { "is not ready" })
}

/// Of a process whose port was moved and that listens on the declared one all the same: which text is to change.
pub(super) fn keeps_its_old_port(process: &Process) -> Option<String> {
    let definition = process.definition.as_ref()?;
    let mut moved = definition.declared_ports.iter().zip(&definition.ports).filter(|(old, new)| old != new);
    let listens = |port| process.listens.contains(port);
    let (old, new) = moved.find(|(old, new)| listens(old) && !listens(new))?;
    let command = match &definition.command {
        Command::Shell(text) => text.clone(),
        Command::Exec(words) => words.join(" "),
    };
    let mut own = definition.env.iter().filter(|variable| variable.origin != Origin::Caller);
    let change = if names(&command, *old) {
        format!("{old} stands in its `command`: write ${{{}.port}} there", definition.name)
    } else if let Some(variable) = own.find(|variable| names(&variable.value, *old)) {
        format!("{old} stands in its variable {}: write ${{{}.port}} there", variable.name, definition.name)
    } else {
        format!(
            "neither its `command` nor its `env` says so: let its own configuration read PORT instead of {old}"
        )
    };
    Some(format!("listens on {old} and not on {new}, to which its port was moved; {change}"))
}

/// Whether the number stands in a text, by itself.
fn names(text: &str, port: u16) -> bool {
    let port = port.to_string();
    let digit = |character: Option<char>| character.is_some_and(|character| character.is_ascii_digit());
    text.match_indices(&port).any(|(at, _)| {
        !digit(text[..at].chars().next_back()) && !digit(text[at + port.len()..].chars().next())
    })
}

/// The causes in words, with their last output. Reads the system's tables and logs: not for the core's own thread.
pub(super) fn failures(causes: Vec<Cause>, workspace: &Path, owned: &[Owned]) -> Vec<Failure> {
    let listening = if causes.iter().any(|cause| matches!(cause.reason, Reason::Ports { .. })) {
        Listening::read().unwrap_or_default()
    } else {
        Listening::default()
    };
    let failure = |cause: Cause| Failure {
        reason: match cause.reason {
            Reason::Known(text) => text,
            Reason::Ports { missing } => missing_ports(&missing, &listening, workspace, owned),
        },
        help: Some(format!("forge logs {}", cause.target.process)),
        output: crate::logs::last_lines(&cause.log, &cause.target, cause.run, OUTPUT),
        blocks: cause.blocks,
        target: cause.target,
    };
    causes.into_iter().map(failure).collect()
}

/// Which ports it does not hold, and who else does.
fn missing_ports(missing: &[u16], listening: &Listening, workspace: &Path, owned: &[Owned]) -> String {
    let text = |port: &u16| match crate::machine::holder(listening, *port, workspace, owned) {
        Some(holder) => format!("does not listen on port {port}, which {holder} holds"),
        None => format!("does not listen on port {port} yet"),
    };
    missing.iter().map(text).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_port_stands_in_a_text_by_itself() {
        for (text, expected) in [
            ("serve --port 3000", true),
            ("serve -p3000,x", true),
            ("http://localhost:3000/", true),
            ("serve --port 30001", false),
            ("13000 3000", true),
            ("é3000", true),
            ("", false),
        ] {
            assert_eq!(names(text, 3000), expected, "{text}");
        }
    }
}
