//! The keys of `processes.yml`, declared once: the JSON schema that editors read is made of these types, and the
//! checker takes from them which keys there are.
//!
//! Doc comments in here are what an editor shows when the cursor rests on a key.

#![expect(dead_code, reason = "the types are never filled in: their shape is what matters")]

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};

/// The JSON schema of `processes.yml`, as text that ends with a line break.
#[must_use]
pub fn schema() -> String {
    let mut generator = SchemaSettings::draft07().into_generator();
    let environment = generator.subschema_for::<Environment>();
    let settings = generator.subschema_for::<Settings>();
    let root = json_schema!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Forge: .forge/processes.yml",
        "description": "The processes of a project. Every key but `settings` and `x-…` is an environment.",
        "type": "object",
        "properties": { "settings": settings },
        "patternProperties": { "^x-": {} },
        "additionalProperties": environment,
        "definitions": generator.take_definitions(true),
    });
    let mut text = serde_json::to_string_pretty(root.as_value()).unwrap_or_default();
    text.push('\n');
    text
}

/// The keys of each kind of mapping, sorted.
pub(crate) mod keys {
    use std::sync::LazyLock;

    use schemars::JsonSchema;
    use schemars::generate::SchemaSettings;

    pub(crate) type Keys = LazyLock<Vec<String>>;

    pub(crate) static LONG_ENVIRONMENT: Keys = LazyLock::new(of::<super::LongEnvironment>);
    pub(crate) static PROCESS: Keys = LazyLock::new(of::<super::Process>);
    pub(crate) static DEPENDENCY: Keys = LazyLock::new(of::<super::Dependency>);
    pub(crate) static HEALTH_CHECK: Keys = LazyLock::new(of::<super::LongHealthCheck>);
    pub(crate) static RESTART_POLICY: Keys = LazyLock::new(of::<super::RestartPolicy>);
    pub(crate) static SHUTDOWN: Keys = LazyLock::new(of::<super::Shutdown>);
    pub(crate) static DEBUG: Keys = LazyLock::new(of::<super::Debug>);
    pub(crate) static METRIC: Keys = LazyLock::new(of::<super::Metric>);
    pub(crate) static EVENT: Keys = LazyLock::new(of::<super::Event>);
    pub(crate) static SETTINGS: Keys = LazyLock::new(of::<super::Settings>);
    pub(crate) static ALERTS: Keys = LazyLock::new(of::<super::Alerts>);

    fn of<T: JsonSchema>() -> Vec<String> {
        let schema = T::json_schema(&mut SchemaSettings::draft07().into_generator());
        let properties = schema.get("properties").and_then(serde_json::Value::as_object);
        properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
    }
}

/// What holds for the whole workspace. The same keys in Forge's own `settings.yml` are the user's defaults.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct Settings {
    /// Log kept on disk for each process, e.g. `500MB`, `2GiB`, or a number of bytes. The oldest goes first.
    #[schemars(extend("default" = "1GiB"))]
    log_quota: Option<Text>,
    /// Log kept of all processes together; the oldest goes first. Only in your own `settings.yml`.
    #[schemars(extend("default" = "10GiB"))]
    log_quota_total: Option<Text>,
    /// Requests and queries in a log that took longer are slow.
    #[schemars(extend("default" = "1s"))]
    slow: Option<DurationText>,
    /// From when on a process is worth a warning.
    alerts: Option<Alerts>,
    /// The NATS server that services are announced to, as a URL.
    nats: Option<Text>,
    /// What opens a file in your editor: `code -g {file}:{line}`.
    editor: Option<Text>,
    /// The colours of the window.
    #[schemars(extend("default" = "system"))]
    theme: Option<Theme>,
    /// Whether what ran before a reboot is started again. Default: by the desktop app, not by `forge serve`.
    restore: Option<bool>,
    /// Whether CPU and memory of processes are measured, once a second. Only in your own `settings.yml`.
    #[schemars(extend("default" = true))]
    sampling: Option<bool>,
}

/// From when on a process is worth a warning.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct Alerts {
    /// Memory that it grows by within the window, and does not give back.
    #[schemars(extend("default" = "50MB"))]
    memory_growth: Option<Text>,
    /// The time in which memory is looked at.
    #[schemars(extend("default" = "10m"))]
    memory_window: Option<DurationText>,
    /// Percent of one core, all through the window.
    #[schemars(extend("default" = 90))]
    cpu: Option<Text>,
    /// How long it must need so much of a core.
    #[schemars(extend("default" = "1m"))]
    cpu_window: Option<DurationText>,
    /// Percent of the files that it may have open.
    #[schemars(extend("default" = 80))]
    open_files: Option<Text>,
    /// What it logs within an hour.
    #[schemars(extend("default" = "1GiB"))]
    log_growth: Option<Text>,
    /// Percent of all cores together that one process of the machine may take, whoever's it is.
    #[schemars(extend("default" = 50))]
    hog_cpu: Option<Text>,
    /// Percent of the machine's memory that one process of the machine may take.
    #[schemars(extend("default" = 40))]
    hog_memory: Option<Text>,
    /// How long it may be unhealthy before you are told.
    #[schemars(extend("default" = "30s"))]
    unhealthy: Option<DurationText>,
}

/// The colours of the window.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Theme {
    /// As the desktop has them.
    System,
    Light,
    Dark,
}

/// An environment: a list of processes, or a mapping with `processes` and more.
#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum Environment {
    Short(Vec<Process>),
    Long(LongEnvironment),
}

/// An environment with more than its processes.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct LongEnvironment {
    /// What it is for, in a sentence.
    description: Option<String>,
    /// An environment of this file that this one changes: processes merge by name.
    extends: Option<String>,
    /// Variables for every process of the environment.
    env: Option<Variables>,
    /// Files of variables for every process of the environment. A later file wins over an earlier one.
    env_file: Option<OneOrMore<String>>,
    /// What runs.
    processes: Option<Vec<Process>>,
}

/// One process.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct Process {
    /// Unique in its environment: letters, digits, `.`, `_` and `-`, a letter or digit first.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"))]
    name: String,
    /// What to run: a text for the shell, or a list of program and arguments without one.
    command: Option<CommandLine>,
    /// Where to run it, against the workspace.
    #[schemars(extend("default" = "."))]
    cwd: Option<String>,
    /// The port that it will listen on; put into `PORT` unless `env` sets it.
    port: Option<Port>,
    /// The ports that it will listen on. The first is put into `PORT` and is the one that URLs mean.
    ports: Option<Vec<Port>>,
    /// Its variables. `null` takes a variable away.
    env: Option<Variables>,
    /// Files of variables, in dotenv syntax; read again at every start.
    env_file: Option<OneOrMore<String>>,
    /// What must be there before it starts: names, or a mapping from name to condition.
    depends_on: Option<Dependencies>,
    /// How to learn that it is well: a URL, a command that exits 0, or a mapping.
    health_check: Option<HealthCheck>,
    /// Whether it is started again after a crash.
    #[schemars(extend("default" = true))]
    auto_restart: Option<AutoRestart>,
    /// The command returns and leaves the service running, like `pg_ctl start`.
    #[schemars(extend("default" = false))]
    daemon: Option<bool>,
    /// It runs to its end, like a migration, and is ready when it exits 0.
    #[schemars(extend("default" = false))]
    one_shot: Option<bool>,
    /// How it is asked to end.
    shutdown: Option<Shutdown>,
    /// Run it in a pseudo-terminal: for REPLs, colours and `forge attach`.
    #[schemars(extend("default" = false))]
    tty: Option<bool>,
    /// Globs against `cwd`: it restarts when a matching file changes. `.gitignore` is respected.
    watch: Option<OneOrMore<String>>,
    /// Programs that must be installed: `node`, `node>=20`.
    requires: Option<OneOrMore<String>>,
    /// What debug mode changes.
    debug: Option<Debug>,
    /// Extra gauges beside CPU and memory, by name.
    metrics: Option<IndexMap<String, Metric>>,
    /// Lines of its log that become events.
    events: Option<Vec<Event>>,
    /// Groups that it belongs to, for `forge start GROUP`.
    group: Option<OneOrMore<String>>,
    /// Known, but not started with the environment, unless something that is depends on it.
    #[schemars(extend("default" = false))]
    disabled: Option<bool>,
    /// The URL that "Open" opens. Default: `http://localhost:PORT` of an HTTP port.
    open: Option<String>,
}

/// A text, or what YAML takes for something else while a text is meant.
pub(crate) struct Text;

/// A port, 1 to 65535, or a text with `${…}` that becomes one.
pub(crate) struct Port;

#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum CommandLine {
    /// For the shell.
    Shell(Text),
    /// Program and arguments, no shell.
    Exec(#[schemars(length(min = 1))] Vec<Text>),
}

/// Variables: a mapping, or a list of `KEY=value`. A bare `KEY` in a list hands on the value from outside.
#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum Variables {
    Mapping(BTreeMap<String, Option<Text>>),
    List(Vec<String>),
}

#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum Dependencies {
    One(String),
    Names(Vec<String>),
    Conditions(IndexMap<String, Option<OneDependency>>),
}

#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneDependency {
    Short(Condition),
    Long(Dependency),
}

#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct Dependency {
    /// What must hold of the dependency first.
    #[schemars(extend("default" = "ready"))]
    condition: Option<Condition>,
}

/// `started`, `ready` or `completed`; the names of docker compose and process-compose are understood too.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    Started,
    Ready,
    Completed,
    ServiceStarted,
    ServiceHealthy,
    ServiceCompletedSuccessfully,
    ProcessStarted,
    ProcessHealthy,
    ProcessLogReady,
    ProcessCompleted,
    ProcessCompletedSuccessfully,
}

#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum HealthCheck {
    /// A URL (`http://`, `https://`, `tcp://`, `redis://`, `postgres://`, `mysql://`, `nats://`, `amqp://`,
    /// `memcached://`, `grpc://`), else a command that exits 0.
    Short(Text),
    /// Program and arguments of a command that exits 0.
    Words(Vec<Text>),
    Long(Box<LongHealthCheck>),
}

/// One probe, and how often to ask.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct LongHealthCheck {
    /// A URL that must answer with a good status.
    http: Option<Target>,
    /// `host:port` that must accept a connection.
    tcp: Option<Target>,
    /// A command that must exit 0.
    exec: Option<CommandLine>,
    /// A regular expression that must appear in the output of this run.
    log: Option<String>,
    /// `redis://[user:password@]host:port`.
    redis: Option<Target>,
    /// `postgres://[user@]host:port/database`.
    postgres: Option<Target>,
    /// `mysql://host:port`.
    mysql: Option<Target>,
    /// `nats://host:port`.
    nats: Option<Target>,
    /// `amqp://host:port`.
    amqp: Option<Target>,
    /// `memcached://host:port`.
    memcached: Option<Target>,
    /// `grpc://host:port[/service]`: the standard health service.
    grpc: Option<Target>,
    /// Between two checks, once it was healthy.
    #[schemars(extend("default" = "2s"))]
    interval: Option<DurationText>,
    /// For one check.
    #[schemars(extend("default" = "1s"))]
    timeout: Option<DurationText>,
    /// Failures in a row until it counts as unhealthy.
    #[schemars(extend("default" = 3), range(min = 1))]
    retries: Option<u32>,
    /// After the start, failures do not count for this long.
    #[schemars(extend("default" = "30s"))]
    start_period: Option<DurationText>,
    /// Between two checks, until it is first healthy.
    #[schemars(extend("default" = "100ms"))]
    start_interval: Option<DurationText>,
    /// With `http`: the status codes that are good. Default: 200 to 399.
    status: Option<OneOrMore<u16>>,
    /// With `http`: headers to send.
    headers: Option<IndexMap<String, Text>>,
}

/// A URL, `host:port`, or a port of this machine.
pub(crate) struct Target;

/// A length of time: `500ms`, `2s`, `1m30s`.
pub(crate) struct DurationText;

#[derive(JsonSchema)]
#[serde(untagged)]
pub(crate) enum AutoRestart {
    /// `true` restarts after a crash, `false` never.
    Simple(bool),
    Policy(RestartPolicy),
}

/// When it is started again.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct RestartPolicy {
    /// `crash`: not after exit 0. `always`: after that too.
    #[schemars(extend("default" = "crash"))]
    on: Option<RestartOn>,
    /// Before the first restart; grows with every crash.
    #[schemars(extend("default" = "5s"))]
    delay: Option<DurationText>,
    /// This crash inside the window is not restarted.
    #[schemars(extend("default" = 5), range(min = 1))]
    max_crashes: Option<u32>,
    /// The window.
    #[schemars(extend("default" = "10m"))]
    within: Option<DurationText>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RestartOn {
    Crash,
    Always,
    Never,
}

/// How it is asked to end.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct Shutdown {
    /// Sent to the whole process tree.
    #[schemars(extend("default" = "SIGTERM"))]
    signal: Option<Text>,
    /// For the command and the signal together; then SIGKILL to what is left.
    #[schemars(extend("default" = "10s"))]
    timeout: Option<DurationText>,
    /// Run first, with the process's own variables.
    command: Option<CommandLine>,
}

/// What debug mode changes.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct Debug {
    /// Run in place of `command`.
    command: Option<CommandLine>,
    /// Variables besides.
    env: Option<Variables>,
}

/// An extra gauge: a command that prints a number, or a series of a Prometheus endpoint.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct Metric {
    /// A command that prints a number.
    exec: Option<CommandLine>,
    /// A URL of Prometheus's text format.
    prometheus: Option<String>,
    /// The series to take from it: `name`, or `name{label="value"}`; several that match are added up.
    series: Option<String>,
    /// How often to ask.
    #[schemars(extend("default" = "5s"))]
    interval: Option<DurationText>,
}

/// A log line that becomes an event.
#[derive(JsonSchema)]
#[schemars(extend("patternProperties" = { "^x-": {} }, "additionalProperties" = false))]
pub(crate) struct Event {
    /// A regular expression.
    #[serde(rename = "match")]
    pattern: String,
    /// What to call it. Default: the line.
    title: Option<String>,
    /// How it is shown.
    #[schemars(extend("default" = "info"))]
    level: Option<EventLevel>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventLevel {
    Info,
    Warn,
    Error,
}

/// Schemas of what is a text with rules of its own.
macro_rules! text_schema {
    ($type:ident, $description:literal, $schema:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($schema);
                schema.insert("description".to_owned(), $description.into());
                schema
            }
        }
    };
}

text_schema!(Text, "A text.", { "type": ["string", "number", "boolean"] });
text_schema!(Port, "A port, 1 to 65535, or a text with `${…}` that becomes one.", {
    "type": ["integer", "string"],
    "minimum": 1,
    "maximum": 65535,
    "pattern": r"^[0-9]{1,5}$|\$\{"
});
text_schema!(Target, "A URL, `host:port`, or a port of this machine.", { "type": ["string", "integer"] });
text_schema!(DurationText, "A length of time: `500ms`, `2s`, `1m30s`.", {
    "type": ["string", "integer"],
    "pattern": r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d))+$|^0$"
});
