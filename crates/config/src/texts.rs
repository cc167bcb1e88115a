//! The strings of a process that may hold `${…}`, each with its path in the file: one walk for the checker, which
//! looks at them, and for the resolver, which fills them in.

use crate::check::ports;
use crate::interpolate::Mode;
use crate::model::{Command, HealthCheck, Port, Probe, Process};

/// Is given a string's path (as in [`Process::places`]), the string, and how it is filled in.
pub(crate) type Visit<'v> = dyn FnMut(&str, &mut String, Mode) + 'v;

/// Visits the env files and the ports: what has to be known before variables can be filled in.
pub(crate) fn walk_early(process: &mut Process, visit: &mut Visit<'_>) {
    for file in &mut process.env_files {
        visit(&format!("env_file.{file}"), file, Mode::Text);
    }
    let paths: Vec<String> = (0..process.ports.len()).map(|index| ports::path(process, index)).collect();
    for (port, path) in process.ports.iter_mut().zip(paths) {
        if let Port::Text(text) = port {
            visit(&path, text, Mode::Text);
        }
    }
}

/// Visits all strings but names, variables and what [`walk_early`] visits.
pub(crate) fn walk(process: &mut Process, visit: &mut Visit<'_>) {
    command(&mut process.command, "command", visit);
    if let Some(cwd) = &mut process.cwd {
        visit("cwd", cwd, Mode::Text);
    }
    if let Some(check) = &mut process.health_check {
        health_check(check, visit);
    }
    if let Some(end) = &mut process.shutdown.command {
        command(end, "shutdown.command", visit);
    }
    for (index, pattern) in process.watch.iter_mut().enumerate() {
        visit(&format!("watch.{index}"), pattern, Mode::Text);
    }
    for required in &mut process.requires {
        visit("requires", &mut required.binary, Mode::Text);
    }
    if let Some(debugged) = process.debug.as_mut().and_then(|debug| debug.command.as_mut()) {
        command(debugged, "debug.command", visit);
    }
    for (name, metric) in &mut process.metrics {
        if let Some(serde_json::Value::String(url)) = metric.get_mut("prometheus") {
            visit(&format!("metrics.{name}"), url, Mode::Text);
        }
        match metric.get_mut("exec") {
            Some(serde_json::Value::String(text)) => visit(&format!("metrics.{name}"), text, Mode::Command),
            Some(serde_json::Value::Array(words)) => {
                for word in words {
                    if let serde_json::Value::String(word) = word {
                        visit(&format!("metrics.{name}"), word, Mode::Command);
                    }
                }
            }
            _ => {}
        }
    }
    for event in &mut process.events {
        visit("events", &mut event.pattern, Mode::Text);
        visit("events", &mut event.title, Mode::Text);
    }
    if let Some(open) = &mut process.open {
        visit("open", open, Mode::Text);
    }
}

/// Visits `env` and `debug.env`: what has to be known before everything else can be filled in.
pub(crate) fn walk_variables(process: &mut Process, visit: &mut Visit<'_>) {
    let debug =
        process.debug.iter_mut().flat_map(|debug| debug.env.iter_mut().map(|pair| ("debug.env", pair)));
    for (path, (name, value)) in process.env.iter_mut().map(|pair| ("env", pair)).chain(debug) {
        if let Some(value) = value {
            visit(&format!("{path}.{name}"), value, Mode::Text);
        }
    }
}

fn command(command: &mut Command, path: &str, visit: &mut Visit<'_>) {
    match command {
        Command::Shell(text) => visit(path, text, Mode::Command),
        Command::Exec(argv) => argv.iter_mut().for_each(|word| visit(path, word, Mode::Command)),
    }
}

/// Visits the strings of a health check.
pub(crate) fn health_check(check: &mut HealthCheck, visit: &mut Visit<'_>) {
    match &mut check.probe {
        Probe::Http { url, headers, .. } => {
            visit("health_check.http", url, Mode::Text);
            for (name, value) in headers {
                visit(&format!("health_check.headers.{name}"), value, Mode::Text);
            }
        }
        Probe::Exec(Command::Shell(text)) => visit("health_check.exec", text, Mode::Check),
        Probe::Exec(Command::Exec(argv)) => {
            argv.iter_mut().for_each(|word| visit("health_check.exec", word, Mode::Text));
        }
        Probe::Log(pattern) => visit("health_check.log", pattern, Mode::Text),
        probe => {
            let (kind, target) = target(probe);
            if let Some(target) = target {
                visit(&format!("health_check.{kind}"), target, Mode::Text);
            }
        }
    }
}

/// The kind of a probe, and the URL or `host:port` that it asks.
pub(crate) fn target(probe: &mut Probe) -> (&'static str, Option<&mut String>) {
    match probe {
        Probe::Http { url, .. } => ("http", Some(url)),
        Probe::Tcp(target) => ("tcp", Some(target)),
        Probe::Exec(_) => ("exec", None),
        Probe::Log(_) => ("log", None),
        Probe::Redis(url) => ("redis", Some(url)),
        Probe::Postgres(url) => ("postgres", Some(url)),
        Probe::Mysql(url) => ("mysql", Some(url)),
        Probe::Nats(url) => ("nats", Some(url)),
        Probe::Amqp(url) => ("amqp", Some(url)),
        Probe::Memcached(url) => ("memcached", Some(url)),
        Probe::Grpc(url) => ("grpc", Some(url)),
    }
}
