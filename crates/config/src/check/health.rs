//! `health_check`, in every form.

use std::time::Duration;

use indexmap::IndexMap;

use super::fields::{self, Fields};
use super::suggest::listed;
use crate::diagnostics::Report;
use crate::model::{HealthCheck, Place, Probe};
use crate::schema::keys;
use crate::tree::{Node, Value};
use crate::url::{self, Url};

/// The keys that choose a probe.
const PROBES: [&str; 11] =
    ["http", "tcp", "exec", "log", "redis", "postgres", "mysql", "nats", "amqp", "memcached", "grpc"];
/// The schemes of the short form.
const SCHEMES: [&str; 10] =
    ["http", "https", "tcp", "redis", "postgres", "mysql", "nats", "amqp", "memcached", "grpc"];

pub(super) fn health_check(report: &mut Report, node: &Node) -> Option<HealthCheck> {
    match &node.value {
        Value::Map(_) => long(report, node),
        Value::Scalar(_) => Some(with_defaults(short(report, node)?)),
        Value::List(_) => {
            fields::command(report, node, "health_check").map(|command| with_defaults(Probe::Exec(command)))
        }
        _ => {
            fields::bad_type(report, node, "`health_check`", "a URL, a command or a mapping");
            None
        }
    }
}

fn with_defaults(probe: Probe) -> HealthCheck {
    HealthCheck {
        probe,
        interval: Duration::from_secs(2),
        timeout: Duration::from_secs(1),
        retries: 3,
        start_period: Duration::from_secs(30),
        start_interval: Duration::from_millis(100),
    }
}

/// A URL of a scheme that is known, else a command.
fn short(report: &mut Report, node: &Node) -> Option<Probe> {
    let text = fields::text(report, node, "health_check")?;
    let text = text.trim();
    let Some(scheme) = url::scheme(text) else {
        return fields::command(report, node, "health_check").map(Probe::Exec);
    };
    let kind = kind_of_scheme(scheme);
    let Some(kind) = kind else {
        let schemes: Vec<String> = SCHEMES.iter().map(|scheme| format!("{scheme}://")).collect();
        report
            .error("bad_url", node.place, format!("there is no health check for `{scheme}://`"))
            .help(format!("the schemes are {}", listed(&schemes)));
        return None;
    };
    target(report, kind, text, node.place)
}

fn kind_of_scheme(scheme: &str) -> Option<&'static str> {
    let scheme = scheme.to_ascii_lowercase();
    match scheme.as_str() {
        "https" => Some("http"),
        "postgresql" => Some("postgres"),
        _ => PROBES.into_iter().find(|kind| *kind == scheme && !matches!(*kind, "exec" | "log")),
    }
}

fn long(report: &mut Report, node: &Node) -> Option<HealthCheck> {
    let fields = Fields::open(report, node, &keys::HEALTH_CHECK, "`health_check`")?;
    let chosen: Vec<&str> = PROBES.into_iter().filter(|kind| fields.get(kind).is_some()).collect();
    let mut probes: Vec<Option<Probe>> = chosen.iter().map(|kind| probe(report, &fields, kind)).collect();
    let probe = match chosen[..] {
        [_] => probes.pop().flatten(),
        [] => {
            report
                .error("missing_key", node.place, "`health_check` does not say what to check")
                .help(format!("add one of {}", listed(&PROBES)));
            None
        }
        [first, second, ..] => {
            let place = fields.key_place(second).unwrap_or(node.place);
            let diagnostic = report
                .error("conflicting_keys", place, format!("one check is either `{first}` or `{second}`"))
                .label("a second probe");
            if let Some(place) = fields.key_place(first) {
                diagnostic.note(place, "the first probe");
            }
            None
        }
    };
    only_for_http(report, &fields, chosen.contains(&"http"));
    let defaults = with_defaults(Probe::Log(String::new()));
    let interval = positive(report, &fields, "interval");
    let timeout = positive(report, &fields, "timeout");
    let retries = fields.count(report, "retries");
    let start_period = fields.duration(report, "start_period");
    let start_interval = positive(report, &fields, "start_interval");
    Some(HealthCheck {
        probe: probe?,
        interval: interval.unwrap_or(defaults.interval),
        timeout: timeout.unwrap_or(defaults.timeout),
        retries: retries.unwrap_or(defaults.retries),
        start_period: start_period.unwrap_or(defaults.start_period),
        start_interval: start_interval.unwrap_or(defaults.start_interval),
    })
}

/// A duration that would make no sense as zero.
fn positive(report: &mut Report, fields: &Fields<'_>, key: &str) -> Option<Duration> {
    let duration = fields.duration(report, key)?;
    if duration.is_zero() {
        let place = fields.get(key).map_or(fields.place, |node| node.place);
        report.error("bad_duration", place, format!("`{key}` must be longer than 0"));
        return None;
    }
    Some(duration)
}

fn only_for_http(report: &mut Report, fields: &Fields<'_>, http: bool) {
    for key in ["status", "headers"] {
        if let (false, Some(place)) = (http, fields.key_place(key)) {
            report.error("conflicting_keys", place, format!("`{key}` belongs to an `http` check"));
        }
    }
}

fn probe(report: &mut Report, fields: &Fields<'_>, kind: &'static str) -> Option<Probe> {
    let node = fields.get(kind)?;
    match kind {
        "exec" => fields.command(report, "exec").map(Probe::Exec),
        "log" => {
            let pattern = fields.text(report, "log")?;
            super::patterns::regex(report, &pattern, node.place).then_some(Probe::Log(pattern))
        }
        "http" => {
            let status = statuses(report, fields);
            let headers = headers(report, fields);
            let url = fields.text(report, kind)?;
            match target(report, kind, &url, node.place)? {
                Probe::Http { url, .. } => Some(Probe::Http { url, status, headers }),
                other => Some(other),
            }
        }
        _ => {
            let text = fields.text(report, kind)?;
            target(report, kind, &text, node.place)
        }
    }
}

/// A probe of `kind` against a URL, a `host:port`, or a port of this machine.
fn target(report: &mut Report, kind: &'static str, text: &str, place: Place) -> Option<Probe> {
    let text = text.trim();
    let full = if url::scheme(text).is_some() {
        text.to_owned()
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{kind}://localhost:{text}")
    } else {
        format!("{kind}://{text}")
    };
    if let Err(reason) = check_url(kind, &full) {
        report
            .error("bad_url", place, format!("`{text}` is no address for a check by `{kind}`: {reason}"))
            .help(example(kind));
        return None;
    }
    Some(make(kind, full))
}

/// Checks a URL as far as it is known: what `${…}` stands for is not.
pub(crate) fn check_url(kind: &str, text: &str) -> Result<(), String> {
    match url::scheme(text) {
        Some(scheme) if kind_of_scheme(scheme) == Some(kind) => {}
        Some(scheme) => return Err(format!("its scheme is `{scheme}`")),
        None => return Err("it does not begin with `scheme://`".to_owned()),
    }
    if text.contains("${") {
        return Ok(());
    }
    let url = Url::parse(text)?;
    if kind == "tcp" && url.port.is_none() {
        return Err("it names no port".to_owned());
    }
    Ok(())
}

fn example(kind: &str) -> String {
    match kind {
        "http" => "for example `http://localhost:3000/health`".to_owned(),
        "tcp" => "for example `localhost:5432`".to_owned(),
        _ => format!("for example `{kind}://localhost:{}`", default_port(kind).unwrap_or(3000)),
    }
}

/// The port that a scheme means when the URL names none.
pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    Some(match scheme {
        "http" => 80,
        "https" => 443,
        "redis" => 6379,
        "postgres" | "postgresql" => 5432,
        "mysql" => 3306,
        "nats" => 4222,
        "amqp" => 5672,
        "memcached" => 11211,
        "grpc" => 50051,
        _ => return None,
    })
}

fn make(kind: &str, url: String) -> Probe {
    match kind {
        "tcp" => Probe::Tcp(url.trim_start_matches("tcp://").trim_end_matches('/').to_owned()),
        "redis" => Probe::Redis(url),
        "postgres" => Probe::Postgres(url),
        "mysql" => Probe::Mysql(url),
        "nats" => Probe::Nats(url),
        "amqp" => Probe::Amqp(url),
        "memcached" => Probe::Memcached(url),
        "grpc" => Probe::Grpc(url),
        _ => Probe::Http { url, status: Vec::new(), headers: IndexMap::new() },
    }
}

fn statuses(report: &mut Report, fields: &Fields<'_>) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (text, place) in fields.texts(report, "status") {
        match text.parse::<u16>() {
            Ok(status) if (100..600).contains(&status) => statuses.push(status),
            _ => {
                report
                    .error("bad_type", place, format!("`{text}` is no HTTP status"))
                    .help("a number from 100 to 599, or a list of them; default: 200 to 399");
            }
        }
    }
    statuses
}

fn headers(report: &mut Report, fields: &Fields<'_>) -> IndexMap<String, String> {
    let mut headers = IndexMap::new();
    let Some(node) = fields.get("headers") else { return headers };
    for (name, entry) in fields::mapping(report, node, "`headers`").into_iter().flatten() {
        let valid = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        if !valid {
            report.error("bad_name", entry.place, format!("`{name}` can't be the name of a header"));
        } else if let Some(value) = fields::text(report, &entry.value, name) {
            if value.contains(['\r', '\n']) {
                report.error("bad_type", entry.value.place, "a header is one line");
            } else {
                headers.insert(name.clone(), value);
            }
        }
    }
    headers
}
