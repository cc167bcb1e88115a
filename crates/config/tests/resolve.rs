//! What will really run: variables with their origins, moved ports, and what is wrong with env files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use forge_config::model::{Command, Probe};
use forge_config::{
    Config, Context, Diagnostics, Origin, ResolvedEnvironment, ResolvedProcess, Workspace, find, fingerprint,
    load, resolve, supervision_fingerprint,
};

/// A workspace in a folder of its own.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new(configuration: &str) -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a folder") };
        project.write(".forge/processes.yml", configuration);
        project
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn config(&self) -> Config {
        let workspace = find(self.root()).expect("a workspace");
        load(&workspace).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn resolve(&self, context: &Context) -> Result<ResolvedEnvironment, Diagnostics> {
        resolve(&self.config(), "dev", context)
    }

    fn process(&self, name: &str, context: &Context) -> ResolvedProcess {
        let environment = self.resolve(context).unwrap_or_else(|errors| panic!("{errors}"));
        environment.process(name).expect("the process").clone()
    }

    /// The messages of a failure, without the parts that depend on where the test runs.
    fn failure(&self, context: &Context) -> String {
        let errors = self.resolve(context).expect_err("a failure").relative_to(self.root());
        errors.render(false, true).replace(&*self.root().to_string_lossy(), "/ROOT")
    }
}

fn caller(pairs: &[(&str, &str)]) -> Context {
    let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Context { variables, ..Context::default() }
}

fn moved(process: &str, from: u16, to: u16) -> Context {
    let ports = BTreeMap::from([(process.to_owned(), BTreeMap::from([(from, to)]))]);
    Context { ports, ..Context::default() }
}

fn origin<'p>(process: &'p ResolvedProcess, name: &str) -> Option<(&'p str, &'p Origin)> {
    let variable = process.env.iter().find(|variable| variable.name == name)?;
    Some((&variable.value, &variable.origin))
}

#[test]
fn each_variable_has_the_value_of_the_last_that_names_it() {
    let project = Project::new(
        "dev:\n  env: { D: environment, E: environment }\n  env_file: one.env\n  processes:\n  - name: api\n    command: ./api\n    port: 8080\n    env_file: [two.env]\n    env: { E: process, GONE: null }\n",
    );
    project.write("one.env", "B=one\nC=one\n");
    project.write("two.env", "# comment\nC=two\nD=two\n");
    let caller = caller(&[("A", "caller"), ("B", "caller"), ("GONE", "caller"), ("PORT", "1")]);
    let api = project.process("api", &caller);
    let file = |name: &str, line| Origin::EnvFile { file: project.root().join(name), line };
    for (name, value, from) in [
        ("A", "caller", Origin::Caller),
        ("B", "one", file("one.env", 1)),
        ("C", "two", file("two.env", 2)),
        ("D", "environment", Origin::Environment),
        ("E", "process", Origin::Process),
        ("PORT", "8080", Origin::Port),
    ] {
        assert_eq!(origin(&api, name), Some((value, &from)), "{name}");
    }
    assert_eq!(origin(&api, "GONE"), None, "null did not take it away");
    assert_eq!(api.removed, ["GONE"]);
    assert!(api.env.is_sorted_by_key(|variable| variable.name.clone()), "not sorted");
    assert_eq!(api.variable("E"), Some("process"));
}

#[test]
fn port_is_left_to_env_where_that_sets_it() {
    let project = Project::new(
        "dev:\n  - { name: a, command: run, port: 8080, env: { PORT: 1 } }\n  - { name: b, command: run, port: 8080, env: { PORT: null } }\n  - { name: c, command: run, ports: [3000, 9229] }\n  - { name: d, command: run }\n",
    );
    let environment = project.resolve(&Context::default()).expect("resolved");
    let port = |name: &str| {
        environment.process(name).and_then(|process| process.variable("PORT").map(str::to_owned))
    };
    assert_eq!(
        [port("a"), port("b"), port("c"), port("d")],
        [Some("1".into()), None, Some("3000".into()), None]
    );
}

#[test]
fn dot_env_fills_in_and_is_no_environment() {
    let project = Project::new(
        "dev:\n  - name: api\n    command: ./api ${NAME}\n    cwd: ${DIR:-none}\n    env: [\"FULL=${NAME}-${LEVEL:-info}\", NAME, ABSENT]\n    health_check: test ${ONLY_HERE} = ${API}\n",
    );
    project.write(".env", "NAME=dotenv\nDIR=sub/dir\nONLY_HERE=${NAME}!\nCALLER=dotenv\n");
    let api = project.process("api", &caller(&[("CALLER", "caller")]));
    assert_eq!(api.command, Command::Shell("./api ${NAME}".into()), "a command is the shell's");
    assert_eq!(api.cwd, project.root().join("sub/dir"));
    let file = project.root().join(".env");
    assert_eq!(origin(&api, "NAME"), Some(("dotenv", &Origin::DotEnv { file })), "a bare KEY is handed on");
    assert_eq!(api.variable("ABSENT"), None, "a bare KEY that nobody has set");
    assert_eq!(api.variable("FULL"), Some("dotenv-info"));
    assert_eq!(api.variable("ONLY_HERE"), None);
    let Some(Probe::Exec(Command::Shell(check))) = api.health_check.map(|check| check.probe) else {
        panic!("no command");
    };
    assert_eq!(check, "test dotenv! = ${API}", "what the shell would not see, and only that, is filled in");
}

#[test]
fn a_variable_is_what_the_process_sees() {
    let project = Project::new(
        "dev:\n  - name: api\n    command: ./api\n    port: 8080\n    env_file: api.env\n    env: { OUT: \"${A}${B}${C}\" }\n    open: http://localhost:${PORT}/${OUT}\n",
    );
    project.write(".env", "A=1\nB=1\nC=1\n");
    project.write("api.env", "B=2\nC=2\nD=$B$C\n");
    let api = project.process("api", &caller(&[("C", "3")]));
    assert_eq!(api.variable("OUT"), Some("122"));
    assert_eq!(api.variable("D"), Some("22"));
    assert_eq!(api.open.as_deref(), Some("http://localhost:8080/122"));
}

#[test]
fn other_processes_are_reached_at_their_ports() {
    let project = Project::new(
        "dev:\n  - name: web\n    command: run --api ${api.url} --own ${web.port} '${nobody.port}'\n    port: 3000\n    env: { API: \"${api.host}:${api.port}\", DB: \"${db.url}/app\" }\n  - { name: api, command: [api, --port, \"${api.port}\", \"$X\"], port: 8080 }\n  - { name: db, command: postgres, port: 5432, health_check: \"postgres://me@localhost/app\" }\n",
    );
    let environment = project.resolve(&moved("api", 8080, 8081)).expect("resolved");
    let web = environment.process("web").expect("web");
    assert_eq!(
        web.command,
        Command::Shell("run --api http://localhost:8081 --own 3000 '${nobody.port}'".into())
    );
    assert_eq!(web.variable("API"), Some("localhost:8081"));
    assert_eq!(web.variable("DB"), Some("postgres://localhost:5432/app"));
    assert_eq!(web.refers_to, BTreeSet::from(["api".to_owned(), "db".to_owned()]));
    let api = environment.process("api").expect("api");
    assert_eq!(api.command, Command::Exec(["api", "--port", "8081", "$X"].map(str::to_owned).to_vec()));
    assert_eq!((&api.ports[..], &api.declared_ports[..]), (&[8081][..], &[8080][..]));
    assert_eq!(api.variable("PORT"), Some("8081"));
    assert!(api.refers_to.is_empty(), "one's own name is no reference");
}

#[test]
fn the_health_check_follows_a_moved_port() {
    let project = Project::new(
        "dev:\n  - { name: a, command: run, port: 3000, health_check: \"http://localhost:3000/x\", open: \"http://127.0.0.1:3000/\" }\n  - { name: b, command: run, port: 3000, health_check: \"tcp://localhost:3000\" }\n  - { name: c, command: run, port: 3000, health_check: \"curl http://localhost:3000/ http://example.com:3000\" }\n  - { name: d, command: run, port: 3000, health_check: \"http://localhost:${PORT}/\" }\n  - { name: e, command: run, port: 6379, health_check: \"redis://localhost\" }\n  - { name: f, command: run, port: 3000, health_check: \"http://localhost:${f.port}/\" }\n",
    );
    let mut context = Context::default();
    for name in ["a", "b", "c", "d", "f"] {
        // The second move would catch what the first one brought, if moves were applied twice.
        context.ports.insert(name.to_owned(), BTreeMap::from([(3000, 3001), (3001, 3002)]));
    }
    context.ports.insert("e".to_owned(), BTreeMap::from([(6379, 6380)]));
    let environment = project.resolve(&context).expect("resolved");
    let probe = |name: &str| {
        environment.process(name).and_then(|process| process.health_check.clone()).map(|check| check.probe)
    };
    let http = |url: &str| {
        Some(Probe::Http { url: url.to_owned(), status: Vec::new(), headers: Default::default() })
    };
    assert_eq!(probe("a"), http("http://localhost:3001/x"));
    assert_eq!(probe("b"), Some(Probe::Tcp("localhost:3001".into())));
    assert_eq!(
        probe("c"),
        Some(Probe::Exec(Command::Shell("curl http://localhost:3001/ http://example.com:3000".into())))
    );
    assert_eq!(probe("d"), http("http://localhost:3001/"));
    assert_eq!(probe("e"), Some(Probe::Redis("redis://localhost:6380".into())));
    assert_eq!(probe("f"), http("http://localhost:3001/"));
    assert_eq!(environment.process("a").and_then(|a| a.open.clone()), Some("http://127.0.0.1:3001/".into()));
}

#[test]
fn extends_layers_one_environment_over_the_other() {
    let project = Project::new(
        "base:\n  env: { A: base, B: base }\n  processes:\n    - { name: api, command: ./api, env: { B: base-api, C: base-api } }\ndev:\n  extends: base\n  env: { C: dev }\n  processes:\n    - { name: api, command: ./api --dev }\n",
    );
    let api = project.process("api", &Context::default());
    assert_eq!(api.command, Command::Shell("./api --dev".into()));
    let values: Vec<_> = ["A", "B", "C"].iter().map(|name| api.variable(name)).collect();
    assert_eq!(values, [Some("base"), Some("base-api"), Some("dev")]);
    assert_eq!(origin(&api, "C").map(|(_, origin)| origin), Some(&Origin::Environment));
}

#[test]
fn debug_mode_knows_ecosystems_and_heeds_the_file() {
    let project = Project::new(
        "dev:\n  - { name: node, command: npm run dev, env: { NODE_OPTIONS: --max-old-space-size=99 } }\n  - { name: rust, command: cargo run }\n  - { name: python, command: [python3, app.py] }\n  - { name: told, command: npm start, debug: { command: npm run debug, env: { LEVEL: debug } } }\n  - { name: other, command: ./run }\n",
    );
    let names = ["node", "rust", "python", "told", "other"];
    let context = Context {
        debug: names.iter().map(|name| (*name).to_owned()).collect(),
        ..caller(&[("RUST_LOG", "warn")])
    };
    let environment = project.resolve(&context).expect("resolved");
    let value = |name: &str, variable: &str| {
        environment.process(name).and_then(|process| process.variable(variable)).map(str::to_owned)
    };
    assert_eq!(value("node", "NODE_OPTIONS").as_deref(), Some("--max-old-space-size=99 --inspect"));
    assert_eq!(value("rust", "RUST_BACKTRACE").as_deref(), Some("1"));
    assert_eq!(value("rust", "RUST_LOG").as_deref(), Some("debug"));
    assert_eq!(value("python", "PYTHONDEVMODE").as_deref(), Some("1"));
    assert_eq!(value("told", "LEVEL").as_deref(), Some("debug"));
    assert_eq!(value("told", "NODE_OPTIONS"), None, "`debug` says all that changes");
    let told = environment.process("told").expect("told");
    assert_eq!((&told.command, told.debug), (&Command::Shell("npm run debug".into()), true));
    let quiet = project.process("told", &Context::default());
    assert_eq!((&quiet.command, quiet.debug), (&Command::Shell("npm start".into()), false));
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let project = Project::new(
        "dev:\n  - name: api\n    command: ./api\n    cwd: ${HERE:?say where}\n    env_file: [one.env, broken.env]\n    env:\n      TOKEN: \"a${TOKEN:?}\"\n  - name: web\n    command: ./web\n    env_file: web.env\n    health_check: http://${HOST:-}:3000\n",
    );
    project.write("broken.env", "A=1\nB = \"open\nC\n");
    insta::assert_snapshot!(project.failure(&Context::default()));
}

#[test]
fn what_is_wrong_with_others_does_not_stop_a_start() {
    let project = Project::new(
        "dev:\n  - { name: api, command: ./api }\n  - { name: web, command: ./web, env_file: missing.env }\n  - { name: off, command: ./off, env_file: missing.env, disabled: true }\n",
    );
    assert_eq!(
        project.resolve(&Context::default()).expect_err("web is wrong").len(),
        1,
        "a disabled one counts"
    );
    let only = Context { only: Some(BTreeSet::from(["api".to_owned()])), ..Context::default() };
    let environment = project.resolve(&only).expect("api is right");
    assert_eq!(environment.warnings.len(), 2);
}

#[test]
fn what_is_unset_becomes_empty_with_a_warning() {
    let project =
        Project::new("dev:\n  - { name: api, command: ./api, env: { A: \"x${NOPE}y\", B: $HOME } }\n");
    let environment = project.resolve(&caller(&[("HOME", "/home/me")])).expect("resolved");
    let api = environment.process("api").expect("api");
    assert_eq!((api.variable("A"), api.variable("B")), (Some("xy"), Some("$HOME")));
    let warnings = Diagnostics::from(environment.warnings.clone()).relative_to(project.root());
    insta::assert_snapshot!(warnings.render(false, true));
}

#[test]
fn an_unknown_environment_is_told_with_those_that_there_are() {
    let project = Project::new("dev: [{ name: a, command: run }]\ntest: [{ name: a, command: run }]\n");
    let errors = resolve(&project.config(), "tset", &Context::default()).expect_err("unknown");
    insta::assert_snapshot!(errors.relative_to(project.root()).to_string());
}

#[test]
fn a_fingerprint_sees_what_the_file_changes_and_not_who_calls() {
    let text = "dev:\n  - { name: api, command: ./api, port: 80, env: { A: \"1\" }, health_check: \"http://localhost\" }\n";
    let project = Project::new(text);
    let base = project.process("api", &caller(&[("SHELL", "x")]));
    let other_caller = project.process("api", &caller(&[("SHELL", "y"), ("TERM", "z")]));
    assert_eq!(fingerprint(&base), fingerprint(&other_caller), "the caller's variables count");
    assert_eq!(fingerprint(&base).len(), 32);
    for (from, to, restart) in [
        ("./api", "./api -v", true),
        ("\"1\"", "\"2\"", true),
        ("port: 80", "port: 81", true),
        ("http://localhost", "http://localhost/x", false),
        ("name: api", "name: api, auto_restart: false", false),
        ("name: api", "name: api, tty: true", true),
    ] {
        let changed = Project::new(&text.replace(from, to));
        let mut process = changed.process("api", &Context::default());
        // Another folder is another workspace; here only the text is compared.
        process.cwd.clone_from(&base.cwd);
        assert_eq!(fingerprint(&process) != fingerprint(&base), restart, "{to}: a restart");
        let supervision = supervision_fingerprint(&process) != supervision_fingerprint(&base);
        assert_eq!(supervision, !restart, "{to}: no restart");
    }
}

#[test]
fn a_workspace_is_found_from_below_and_yml_comes_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let below = folder.path().join("a/b");
    std::fs::create_dir_all(&below).expect("folders");
    std::fs::create_dir_all(folder.path().join("a/.forge")).expect("folders");
    assert_eq!(find(&below).filter(|found| found.root.starts_with(folder.path())), None);
    let yaml = folder.path().join("a/.forge/processes.yaml");
    std::fs::write(&yaml, "").expect("a file");
    assert_eq!(find(&below), Some(Workspace { root: folder.path().join("a"), file: yaml }));
    let yml = folder.path().join("a/.forge/processes.yml");
    std::fs::write(&yml, "").expect("a file");
    assert_eq!(find(&folder.path().join("a")).map(|found| found.file), Some(yml));
}

#[test]
fn the_users_settings_are_below_those_of_the_workspace() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(forge_config::load_settings(folder.path()).expect("defaults").log_quota, 1 << 30);
    let text = "log_quota: 5MB\nslow: 1s\neditor: vim\nalerts: {cpu: 50, open_files: 50}\n";
    std::fs::write(folder.path().join("settings.yml"), text).expect("a file");
    let user = forge_config::load_settings(folder.path()).expect("settings");
    let project = Project::new(
        "settings: { slow: 2s, alerts: { open_files: 70% } }\ndev: [{ name: a, command: run }]\n",
    );
    let workspace = find(project.root()).expect("a workspace");
    let config = forge_config::load_over(&workspace, &user).expect("a configuration");
    assert_eq!(config.settings.log_quota, 5_000_000);
    assert_eq!(config.settings.slow, Duration::from_secs(2), "the workspace's own");
    assert_eq!(config.settings.editor.as_deref(), Some("vim"), "the user's");
    assert_eq!((config.settings.alerts.cpu, config.settings.alerts.open_files), (50, 70), "both, key by key");
    std::fs::write(folder.path().join("settings.yml"), "log_quota: [\n").expect("a file");
    assert!(forge_config::load_settings(folder.path()).is_err(), "broken settings were taken");
}

/// A process whose port comes from everywhere, and one that asks for it.
const TEXT_PORTS: &str = "dev:
  - name: web
    command: ./web --api ${api.url}
    ports: [\"${WEB_PORT:-3000}\", 9229]
    env: { API: \"${api.port}\" }
    health_check: http://localhost:${web.port}/
  - { name: api, command: ./api, port: \"${API_PORT}\", env_file: api.env, open: \"http://localhost:${PORT}/\" }
  - { name: admin, command: ./admin, port: \"1${db.port}\" }
  - { name: db, command: ./db, port: 5432 }
";

#[test]
fn a_port_is_filled_in_before_all_that_asks_for_it() {
    let project = Project::new(TEXT_PORTS);
    project.write("api.env", "");
    for (dot_env, env_file, caller_pairs, port) in [
        ("API_PORT=1001\n", "", &[][..], 1001),
        ("API_PORT=1001\n", "API_PORT=1002\n", &[][..], 1002),
        ("API_PORT=1001\n", "", &[("API_PORT", "1003")][..], 1003),
        ("BASE=20\n", "API_PORT=${BASE}04\n", &[("PORT", "1")][..], 2004),
    ] {
        project.write(".env", dot_env);
        project.write("api.env", env_file);
        let environment = project.resolve(&caller(caller_pairs)).unwrap_or_else(|errors| panic!("{errors}"));
        let api = environment.process("api").expect("api");
        assert_eq!((&api.ports, &api.declared_ports), (&vec![port], &vec![port]), "{dot_env}{env_file}");
        assert_eq!(origin(api, "PORT"), Some((&*port.to_string(), &Origin::Port)), "{port}");
        assert_eq!(api.open, Some(format!("http://localhost:{port}/")));
        let web = environment.process("web").expect("web");
        assert_eq!(web.ports, [3000, 9229]);
        assert_eq!(web.variable("API"), Some(&*port.to_string()));
        assert_eq!(web.command, Command::Shell(format!("./web --api http://localhost:{port}")));
        assert_eq!(environment.process("admin").expect("admin").ports, [15432]);
    }
}

#[test]
fn a_port_that_was_filled_in_can_be_moved() {
    let project = Project::new(TEXT_PORTS);
    project.write("api.env", "API_PORT=8080\n");
    let environment = project.resolve(&moved("api", 8080, 8081)).expect("resolved");
    let api = environment.process("api").expect("api");
    assert_eq!((&api.ports[..], &api.declared_ports[..]), (&[8081][..], &[8080][..]));
    assert_eq!(api.variable("PORT"), Some("8081"));
    assert_eq!(environment.process("web").and_then(|web| web.variable("API")), Some("8081"));
}

#[test]
fn what_becomes_no_port_is_told_with_what_it_became() {
    let project = Project::new(
        "dev:
  - { name: unset, command: run, port: \"${NOBODY_SETS_IT}\" }
  - { name: part, command: run, port: \"80${NOBODY_SETS_IT}x\" }
  - { name: empty, command: run, port: \"${EMPTY}\" }
  - { name: word, command: run, port: \"${WORD}\" }
  - { name: zero, command: run, ports: [3000, \"${ZERO:-0}\"] }
  - { name: large, command: run, port: \"7${WORD:+0000}\" }
  - { name: must, command: run, port: \"${NOBODY_SETS_IT:?say where}\" }
  - { name: late, command: run, port: \"${LATE}\", env: { LATE: 3001 } }
  - { name: hidden, command: run, port: \"${API_TOKEN}\" }
  - { name: twice, command: run, ports: [3002, \"${TWICE:-3002}\"] }
  - { name: asks, command: run, env: { HERE: \"${word.port}\" } }
",
    );
    let context = caller(&[("EMPTY", ""), ("WORD", "http"), ("API_TOKEN", "abc123")]);
    let failure = project.failure(&context);
    assert!(!failure.contains("abc123"), "a secret is shown:\n{failure}");
    insta::assert_snapshot!(failure);
}

#[test]
fn two_that_come_to_want_one_port_are_told() {
    let project = Project::new(
        "dev:
  - { name: web, command: run, port: 3000 }
  - { name: api, command: run, port: \"${API_PORT:-3000}\" }
  - { name: off, command: run, port: 3000, disabled: true }
",
    );
    let environment = project.resolve(&Context::default()).expect("resolved");
    let warnings = Diagnostics::from(environment.warnings).relative_to(project.root());
    insta::assert_snapshot!(warnings.render(false, true));
    for context in [caller(&[("API_PORT", "3001")]), moved("api", 3000, 3001)] {
        assert_eq!(project.resolve(&context).expect("resolved").warnings, [], "{context:?}");
    }
}

#[test]
fn a_disabled_one_that_is_depended_on_has_to_be_right() {
    let project = Project::new(
        "dev:\n  - { name: api, command: run, depends_on: [db] }\n  - { name: db, command: run, disabled: true, depends_on: [disk] }\n  - { name: disk, command: run, disabled: true, env_file: missing.env }\n  - { name: off, command: run, disabled: true, env_file: missing.env }\n",
    );
    let errors = project.resolve(&Context::default()).expect_err("disk starts");
    assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [4], "{errors}");
}
