//! One process, resolved.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ports::{self, Moves};
use super::variables::{self, DotEnv, Variables, variable};
use super::{Context, Findings, Origin, ResolvedProcess, Variable, debug, path_in, text_ports};
use crate::check::ports::{self as declared_ports, Wanted};
use crate::check::{health, strings, suggest};
use crate::diagnostics::Report;
use crate::interpolate::{Found, Mode, Part, Source, bare_variables, handed_on, interpolate};
use crate::model::{Config, Environment, Port, Process};
use crate::{texts, url, workspace};

/// What resolving one process needs to see.
pub(super) struct Scope<'s> {
    pub(super) config: &'s Config,
    pub(super) environment: &'s Environment,
    pub(super) context: &'s Context,
    pub(super) dot_env: &'s DotEnv,
    /// The first port of each process that declares one, before moves; `None` where that is a text and no number.
    first_ports: BTreeMap<&'s str, Option<u16>>,
    /// What to say where it is none.
    undecided: &'static str,
    /// About the configuration, and empty: its lines are counted once.
    report: Report,
}

impl<'s> Scope<'s> {
    /// The scope in which ports are found: only those that the file writes as numbers are known.
    pub(super) fn early(
        config: &'s Config,
        environment: &'s Environment,
        context: &'s Context,
        dot_env: &'s DotEnv,
    ) -> Self {
        let processes = environment.processes.iter();
        let first_ports = processes.filter_map(|process| first_port(&process.name, process)).collect();
        let report = Report::new(&config.file, Arc::clone(&config.text));
        Self { config, environment, context, dot_env, first_ports, undecided: strings::EARLY, report }
    }

    /// From here on, the ports are known.
    pub(super) fn know_ports(&mut self, begun: &[Begun<'s>]) {
        let processes = begun.iter();
        self.first_ports = processes.filter_map(|one| first_port(&one.declared.name, &one.process)).collect();
        self.undecided = "its own `port` is wrong";
    }

    /// Warns of two processes of what starts together that want one port, where the file alone does not show it.
    pub(super) fn shared_ports(&self, begun: &[Begun<'s>], starting: &BTreeSet<&str>) -> Report {
        let mut report = self.report.another();
        let begun = begun.iter().filter(|one| starting.contains(one.declared.name.as_str()));
        let wanted = begun.flat_map(|one| {
            one.process.ports.iter().enumerate().filter_map(|(index, port)| {
                let port = self.moved(&one.declared.name, port.number()?);
                Some(Wanted { process: one.declared, index, port })
            })
        });
        declared_ports::shared(&mut report, wanted, |one, other| !(one.written() && other.written()));
        report
    }

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
        let port = match self.scope.first_ports.get(name) {
            _ if part == Part::Host => return Found::Value("localhost".to_owned()),
            None => return Found::NoPort,
            Some(None) => return Found::Undecided(self.scope.undecided),
            Some(Some(port)) => self.scope.moved(name, *port),
        };
        if part == Part::Port {
            return Found::Value(port.to_string());
        }
        let scheme = ports::scheme(process.health_check.as_ref().map(|check| &check.probe));
        Found::Value(format!("{scheme}://localhost:{port}"))
    }

    fn unknown_process(&self, name: &str) -> String {
        let names: Vec<&str> =
            self.scope.environment.processes.iter().map(|process| process.name.as_str()).collect();
        suggest::did_you_mean(name, &names, "processes")
    }
}

/// The name and the first port of a process, if it declares one.
fn first_port<'n>(name: &'n str, process: &Process) -> Option<(&'n str, Option<u16>)> {
    process.ports.first().map(|port| (name, port.number()))
}

/// A process of which as much is known as its ports need: the env files are read.
pub(super) struct Begun<'s> {
    declared: &'s Process,
    /// The env files and ports filled in, the rest as declared.
    process: Process,
    /// Without `PORT` and `env`.
    variables: Variables,
    asked: RefCell<BTreeSet<String>>,
    report: Report,
    /// What is wrong with the env files.
    findings: Findings,
}

impl<'s> Scope<'s> {
    /// Reads the env files of a process and fills in its ports.
    pub(super) fn begin(&self, declared: &'s Process) -> Begun<'s> {
        let mut process = declared.clone();
        let mut report = self.report.another();
        let mut findings = Findings::default();
        let asked = RefCell::new(BTreeSet::new());
        let mut variables = variables::callers(self.context);
        let before = Values { scope: self, variables: &variables, asked: &asked };
        fill_files(&mut process, &before, &mut report);
        read_files(self, &process, declared, &mut variables, &mut report, &mut findings);
        let source = Values { scope: self, variables: &variables, asked: &asked };
        text_ports::fill(&mut process, &source, &mut report);
        Begun { declared, process, variables, asked, report, findings }
    }
}

impl Begun<'_> {
    /// Resolves the rest. Whatever is wrong is told beside it, and all else is resolved all the same.
    pub(super) fn finish(self, scope: &Scope<'_>) -> (ResolvedProcess, Findings) {
        let Self { declared, mut process, variables: mut env, asked, mut report, mut findings } = self;
        let debugged = scope.context.debug.contains(&process.name);
        let removed = set_variables(scope, &mut process, &mut env, &asked, &mut report);
        if debugged {
            set_debug(&process, &mut env);
        }
        follow_ports(scope, &mut process);
        let source = Values { scope, variables: &env, asked: &asked };
        texts::walk(&mut process, &mut |path, text, mode| {
            fill(text, mode, path, declared, &source, &mut report);
        });
        check_target(scope, &mut process, &mut report);
        findings.add(report);

        let debug_command = process.debug.take().and_then(|debug| debug.command).filter(|_| debugged);
        if let Some(command) = debug_command {
            process.command = command;
        }
        let mut refers_to = asked.into_inner();
        refers_to.remove(&process.name);
        let env = env.into_values().collect();
        (resolved(scope, process, env, removed, refers_to), findings)
    }
}

/// A process whose strings are filled in, as its face to the outside.
fn resolved(
    scope: &Scope<'_>,
    process: Process,
    env: Vec<Variable>,
    removed: Vec<String>,
    refers_to: BTreeSet<String>,
) -> ResolvedProcess {
    let declared_ports: Vec<u16> = process.ports.iter().filter_map(Port::number).collect();
    ResolvedProcess {
        cwd: path_in(&scope.config.root, process.cwd.as_deref().unwrap_or_default()),
        ports: declared_ports.iter().map(|port| scope.moved(&process.name, *port)).collect(),
        declared_ports,
        debug: scope.context.debug.contains(&process.name),
        command: process.command,
        env,
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
    let first = process.ports.first().and_then(Port::number);
    if let (false, Some(port)) = (process.env.contains_key("PORT"), first) {
        let port = scope.moved(&process.name, port).to_string();
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
