//! One process, resolved.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::ports::{self, Moves};
use super::variables::{self, DotEnv, Variables, variable};
use super::{Context, Findings, Origin, ResolvedProcess, debug, path_in};
use crate::check::{health, strings, suggest};
use crate::diagnostics::Report;
use crate::interpolate::{Found, Mode, Part, Source, bare_variables, handed_on, interpolate};
use crate::model::{Config, Environment, Process};
use crate::{texts, url, workspace};

/// What resolving one process needs to see.
pub(super) struct Scope<'s> {
    pub(super) config: &'s Config,
    pub(super) environment: &'s Environment,
    pub(super) context: &'s Context,
    pub(super) dot_env: &'s DotEnv,
}

impl Scope<'_> {
    /// The port that is used for a declared one.
    fn moved(&self, process: &str, port: u16) -> u16 {
        self.moves(process).get(&port).copied().unwrap_or(port)
    }

    fn moves(&self, process: &str) -> Moves {
        self.context.ports.get(process).cloned().unwrap_or_default()
    }
}

/// Where a process's strings get their values from.
struct Values<'v> {
    scope: &'v Scope<'v>,
    variables: &'v Variables,
    /// The processes that were asked for.
    asked: &'v RefCell<BTreeSet<String>>,
}

impl Source for Values<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        let own = self.variables.get(name).map(|variable| &variable.value);
        own.or_else(|| self.scope.dot_env.values.get(name)).cloned()
    }

    fn inherited(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    fn process(&self, name: &str, part: Part) -> Found {
        let Some(process) = self.scope.environment.process(name) else { return Found::NoProcess };
        self.asked.borrow_mut().insert(name.to_owned());
        let port = process.ports.first().map(|port| self.scope.moved(name, *port));
        let scheme = ports::scheme(process.health_check.as_ref().map(|check| &check.probe));
        match (part, port) {
            (Part::Host, _) => Found::Value("localhost".to_owned()),
            (_, None) => Found::NoPort,
            (Part::Port, Some(port)) => Found::Value(port.to_string()),
            (Part::Url, Some(port)) => Found::Value(format!("{scheme}://localhost:{port}")),
        }
    }

    fn unknown_process(&self, name: &str) -> String {
        let names: Vec<&str> =
            self.scope.environment.processes.iter().map(|process| process.name.as_str()).collect();
        suggest::did_you_mean(name, &names, "processes")
    }
}

/// Resolves a process. Whatever is wrong goes to `findings`, and the rest is resolved all the same.
pub(super) fn resolve(scope: &Scope<'_>, declared: &Process, findings: &mut Findings) -> ResolvedProcess {
    let mut process = declared.clone();
    let mut report = Report::new(&scope.config.file, Arc::clone(&scope.config.text));
    let asked = RefCell::new(BTreeSet::new());
    let debugged = scope.context.debug.contains(&process.name);

    let mut env = variables::callers(scope.context);
    let before = Values { scope, variables: &env, asked: &asked };
    fill_files(&mut process, &before, &mut report);
    read_files(scope, &process, declared, &mut env, &mut report, findings);
    let removed = set_variables(scope, &mut process, &mut env, &asked, &mut report);
    if debugged {
        set_debug(&process, &mut env);
    }

    follow_ports(scope, &mut process);
    let source = Values { scope, variables: &env, asked: &asked };
    texts::walk(&mut process, &mut |path, text, mode| fill(text, mode, path, declared, &source, &mut report));
    check_target(scope, &mut process, &mut report);
    findings.add(report);

    let mut refers_to = asked.into_inner();
    refers_to.remove(&process.name);
    let debug_command = process.debug.take().and_then(|debug| debug.command).filter(|_| debugged);
    ResolvedProcess {
        command: debug_command.unwrap_or(process.command),
        cwd: path_in(&scope.config.root, process.cwd.as_deref().unwrap_or_default()),
        ports: process.ports.iter().map(|port| scope.moved(&process.name, *port)).collect(),
        declared_ports: process.ports,
        env: env.into_values().collect(),
        removed,
        depends_on: process.depends_on,
        health_check: process.health_check,
        auto_restart: process.auto_restart,
        daemon: process.daemon,
        one_shot: process.one_shot,
        shutdown: process.shutdown,
        tty: process.tty,
        watch: process.watch,
        requires: process.requires,
        metrics: process.metrics,
        events: process.events,
        groups: process.groups,
        disabled: process.disabled,
        open: process.open,
        debug: debugged,
        refers_to,
        name: process.name,
    }
}

/// Fills in one string, and reports what can't be.
fn fill(
    text: &mut String,
    mode: Mode,
    path: &str,
    process: &Process,
    source: &dyn Source,
    report: &mut Report,
) {
    if !text.contains('$') {
        return;
    }
    if mode == Mode::Text && (path == "cwd" || path.starts_with("env_file.") || path.starts_with("env.")) {
        warn_of_bare(text, path, process, source, report);
    }
    let mut problems = Vec::new();
    *text = interpolate(text, mode, source, &mut problems);
    for problem in problems {
        strings::report(report, &problem, strings::place(process, path));
    }
}

/// Warns of `$HOME` where only `${HOME}` is filled in, if there is such a variable.
fn warn_of_bare(text: &str, path: &str, process: &Process, source: &dyn Source, report: &mut Report) {
    for name in bare_variables(text).into_iter().filter(|name| source.variable(name).is_some()) {
        let whole = strings::place(process, path);
        let place = report.inside(whole, &format!("${name}")).unwrap_or(whole);
        report
            .warning("bare_variable", place, format!("`${name}` is not filled in here"))
            .help(format!("write `${{{name}}}`, or `$${name}` if the text is meant"));
    }
}

fn fill_files(process: &mut Process, source: &dyn Source, report: &mut Report) {
    let mut files = std::mem::take(&mut process.env_files);
    for file in &mut files {
        let path = format!("env_file.{file}");
        fill(file, Mode::Text, &path, process, source, report);
    }
    process.env_files = files;
}

fn read_files(
    scope: &Scope<'_>,
    process: &Process,
    declared: &Process,
    env: &mut Variables,
    report: &mut Report,
    findings: &mut Findings,
) {
    for (name, written) in process.env_files.iter().zip(&declared.env_files) {
        let path = path_in(&scope.config.root, name);
        match workspace::read(&path) {
            Ok(text) => {
                let mut own = Report::new(&path, text);
                variables::add_file(env, scope.dot_env, &path, &mut own);
                findings.add(own);
            }
            Err(_) if !path.exists() => {
                let place = strings::place(declared, &format!("env_file.{written}"));
                report
                    .error(
                        "missing_env_file",
                        place,
                        format!("the env file `{name}` of `{}` does not exist", process.name),
                    )
                    .help(format!("it was looked for at {}", path.display()));
            }
            Err(errors) => findings.list.extend(errors.iter().cloned()),
        }
    }
}

/// Applies `env` and `PORT`; what was taken away is returned.
fn set_variables(
    scope: &Scope<'_>,
    process: &mut Process,
    env: &mut Variables,
    asked: &RefCell<BTreeSet<String>>,
    report: &mut Report,
) -> Vec<String> {
    let outer = env.clone();
    let source = Values { scope, variables: &outer, asked };
    let declared = process.clone();
    texts::walk_variables(process, &mut |path, text, mode| {
        // A bare `KEY` is no text to fill in.
        let name = path.rsplit_once('.').map_or(path, |(_, name)| name);
        if *text != handed_on(name) {
            fill(text, mode, path, &declared, &source, report);
        }
    });
    if let (false, Some(port)) = (process.env.contains_key("PORT"), process.ports.first()) {
        let port = scope.moved(&process.name, *port).to_string();
        variables::set(env, variable("PORT", port, Origin::Port));
    }
    let mut removed = Vec::new();
    for (name, value) in &process.env {
        let of_environment = process.environment_env.contains(name);
        match value {
            None if variables::remove(env, name) => removed.push(name.clone()),
            None => {}
            Some(value) if *value == handed_on(name) => variables::hand_on(env, scope.dot_env, name),
            Some(value) => {
                let origin = if of_environment { Origin::Environment } else { Origin::Process };
                variables::set(env, variable(name, value.clone(), origin));
            }
        }
    }
    removed.sort();
    removed
}

fn set_debug(process: &Process, env: &mut Variables) {
    if let Some(debug) = &process.debug {
        for (name, value) in &debug.env {
            match value {
                Some(value) => variables::set(env, variable(name, value.clone(), Origin::Debug)),
                None => {
                    variables::remove(env, name);
                }
            }
        }
        return;
    }
    for setting in debug::settings(&process.command) {
        let existing = env.get(setting.name);
        let configured = existing.is_some_and(|variable| variable.origin != Origin::Caller);
        let value = match existing.filter(|variable| setting.option && !variable.value.is_empty()) {
            Some(variable) => format!("{} {}", variable.value, setting.value),
            None if configured => continue,
            None => setting.value.to_owned(),
        };
        variables::set(env, variable(setting.name, value, Origin::Debug));
    }
}

/// Lets the literal addresses in the health check and in `open` follow moved ports, before anything is filled in:
/// what `${…}` brings is moved already.
fn follow_ports(scope: &Scope<'_>, process: &mut Process) {
    let moves = scope.moves(&process.name);
    if let Some(open) = &mut process.open {
        *open = ports::follow(open, &moves);
    }
    let Some(check) = &mut process.health_check else { return };
    texts::health_check(check, &mut |_, text, _| *text = ports::follow(text, &moves));
}

/// Checks the address of the health check, now that it is known.
fn check_target(scope: &Scope<'_>, process: &mut Process, report: &mut Report) {
    let moves = scope.moves(&process.name);
    let place = strings::place(process, "health_check");
    let Some(check) = &mut process.health_check else { return };
    let (kind, target) = texts::target(&mut check.probe);
    let Some(target) = target else { return };
    let checked = match kind {
        "tcp" => url::host_and_port(target)
            .and_then(|(_, port)| port.map(drop).ok_or("it names no port".to_owned())),
        _ => health::check_url(kind, target),
    };
    if let Err(reason) = checked {
        // It may hold a password that came from a variable.
        let target = super::masked("", target);
        report.error("bad_url", place, format!("`{target}` is no address for a check by `{kind}`: {reason}"));
        return;
    }
    ports::with_port(&mut check.probe, &moves);
}
