//! `auto_restart` and `shutdown`.

use std::time::Duration;

use super::fields::{self, Fields};
use super::suggest;
use crate::diagnostics::Report;
use crate::model::{RestartOn, RestartPolicy, Shutdown};
use crate::schema::keys;
use crate::tree::{Node, Value};

/// Signals that can be asked for, in the order of their numbers on Linux.
const SIGNALS: [(&str, u8); 19] = [
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGABRT", 6),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGCHLD", 17),
    ("SIGCONT", 18),
    ("SIGSTOP", 19),
    ("SIGTSTP", 20),
    ("SIGTTIN", 21),
    ("SIGTTOU", 22),
    ("SIGWINCH", 28),
    ("SIGIO", 29),
    ("SIGPWR", 30),
];
/// Those that end nothing, or nothing in order.
const USELESS: [&str; 8] =
    ["SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGIO", "SIGPWR"];

pub(super) fn auto_restart(report: &mut Report, node: Option<&Node>) -> RestartPolicy {
    let mut policy = RestartPolicy {
        on: RestartOn::Crash,
        delay: Duration::from_secs(5),
        max_crashes: 5,
        within: Duration::from_secs(600),
    };
    let Some(node) = node else { return policy };
    if let Value::Map(_) = node.value {
        let Some(fields) = Fields::open(report, node, &keys::RESTART_POLICY, "`auto_restart`") else {
            return policy;
        };
        policy.on = restart_on(report, &fields).unwrap_or(policy.on);
        policy.delay = fields.duration(report, "delay").unwrap_or(policy.delay);
        policy.max_crashes = fields.count(report, "max_crashes").unwrap_or(policy.max_crashes);
        policy.within = fields.duration(report, "within").unwrap_or(policy.within);
    } else if fields::boolean(report, node, "auto_restart") == Some(false) {
        policy.on = RestartOn::Never;
    }
    policy
}

fn restart_on(report: &mut Report, fields: &Fields<'_>) -> Option<RestartOn> {
    let node = fields.get("on")?;
    match fields::text(report, node, "on")?.as_str() {
        "crash" => Some(RestartOn::Crash),
        "always" => Some(RestartOn::Always),
        "never" => Some(RestartOn::Never),
        other => {
            report
                .error("bad_type", node.place, format!("`on: {other}` says nothing about restarts"))
                .help(suggest::did_you_mean(other, &["crash", "always", "never"], "choices"));
            None
        }
    }
}

pub(super) fn shutdown(report: &mut Report, node: Option<&Node>) -> Shutdown {
    let mut shutdown =
        Shutdown { signal: "SIGTERM".to_owned(), timeout: Duration::from_secs(10), command: None };
    let fields = node.and_then(|node| Fields::open(report, node, &keys::SHUTDOWN, "`shutdown`"));
    let Some(fields) = fields else { return shutdown };
    if let Some(node) = fields.get("signal") {
        shutdown.signal = signal(report, node).unwrap_or(shutdown.signal);
    }
    shutdown.timeout = fields.duration(report, "timeout").unwrap_or(shutdown.timeout);
    shutdown.command = fields.command(report, "command");
    shutdown
}

fn signal(report: &mut Report, node: &Node) -> Option<String> {
    let text = fields::text(report, node, "signal")?;
    let upper = text.to_ascii_uppercase();
    let found = SIGNALS.iter().find(|(name, number)| {
        *name == upper || name.strip_prefix("SIG") == Some(upper.as_str()) || number.to_string() == upper
    });
    match found {
        Some((name, _)) if USELESS.contains(name) => {
            report
                .error("bad_signal", node.place, format!("`{name}` does not ask a process to end"))
                .help("most understand `SIGTERM` or `SIGINT`");
            None
        }
        Some((name, _)) => Some((*name).to_owned()),
        None => {
            let with_prefix = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
            let useful: Vec<&str> =
                SIGNALS.iter().map(|(name, _)| *name).filter(|name| !USELESS.contains(name)).collect();
            report
                .error("bad_signal", node.place, format!("there is no signal `{text}`"))
                .help(suggest::did_you_mean(&with_prefix, &useful, "signals"));
            None
        }
    }
}
