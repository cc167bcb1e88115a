//! Ports that were moved: what follows them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::check::health::default_port;
use crate::model::Probe;
use crate::texts;
use crate::url::{self, Url};

/// Declared port → the port that is used instead.
pub(super) type Moves = BTreeMap<u16, u16>;

/// Ways to say "this machine" before a port.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by every test")]
static LOOPBACK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(localhost|127(?:\.[0-9]{1,3}){3}|0\.0\.0\.0|\[::1?\]):([0-9]{1,5})").unwrap()
});

/// The text with the declared ports replaced wherever it names them on this machine: `localhost:3000`.
pub(super) fn follow(text: &str, moves: &Moves) -> String {
    if moves.is_empty() {
        return text.to_owned();
    }
    let replaced = LOOPBACK.replace_all(text, |captures: &Captures<'_>| {
        let whole = captures.get(0).map_or("", |found| found.as_str());
        let (begin, end) = captures.get(0).map_or((0, 0), |found| (found.start(), found.end()));
        let joined = text[..begin].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
            || text[end..].starts_with(|c: char| c.is_ascii_digit());
        let moved = captures[2].parse().ok().and_then(|port: u16| moves.get(&port));
        match moved {
            Some(port) if !joined => format!("{}:{port}", &captures[1]),
            _ => whole.to_owned(),
        }
    });
    replaced.into_owned()
}

/// Writes the port into a probe's URL that leaves it to its scheme, so that nobody else has to know the defaults.
pub(super) fn with_port(probe: &mut Probe, moves: &Moves) {
    let Some(target) = texts::target(probe).1 else { return };
    let Ok(url) = Url::parse(target) else { return };
    let Some(default) = default_port(url.scheme).filter(|_| url.port.is_none()) else { return };
    let moved = moves.get(&default).copied().filter(|_| url::loopback(url.host));
    let http = matches!(url.scheme, "http" | "https");
    if moved.is_some() || !http {
        *target = url.with_port(moved.unwrap_or(default));
    }
}

/// The scheme under which others reach a process, by what its health check speaks.
pub(super) fn scheme(probe: Option<&Probe>) -> &'static str {
    match probe {
        Some(Probe::Http { url, .. }) if url.starts_with("https://") => "https",
        Some(Probe::Redis(_)) => "redis",
        Some(Probe::Postgres(_)) => "postgres",
        Some(Probe::Mysql(_)) => "mysql",
        Some(Probe::Nats(_)) => "nats",
        Some(Probe::Amqp(_)) => "amqp",
        Some(Probe::Memcached(_)) => "memcached",
        Some(Probe::Grpc(_)) => "grpc",
        _ => "http",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_at_the_declared_port_follows() {
        let moves = Moves::from([(3000, 3001), (3001, 3002)]);
        for (text, followed) in [
            ("http://localhost:3000/health", "http://localhost:3001/health"),
            (
                "curl -f http://127.0.0.1:3000 || wget [::1]:3001",
                "curl -f http://127.0.0.1:3001 || wget [::1]:3002",
            ),
            ("http://localhost:30000", "http://localhost:30000"),
            ("http://localhost:4000", "http://localhost:4000"),
            ("http://example.com:3000", "http://example.com:3000"),
            ("http://my.localhost:3000", "http://my.localhost:3000"),
            ("postgres://u:p@LOCALHOST:3000/db", "postgres://u:p@LOCALHOST:3001/db"),
        ] {
            assert_eq!(follow(text, &moves), followed, "{text}");
        }
    }

    #[test]
    fn a_default_port_is_written_out_and_moves() {
        let moved = |url: &str, moves: &[(u16, u16)]| {
            let mut probe = Probe::Redis(url.to_owned());
            with_port(&mut probe, &moves.iter().copied().collect());
            texts::target(&mut probe).1.cloned().unwrap_or_default()
        };
        assert_eq!(moved("redis://localhost", &[]), "redis://localhost:6379");
        assert_eq!(moved("redis://localhost/1", &[(6379, 6380)]), "redis://localhost:6380/1");
        assert_eq!(moved("redis://db/1", &[(6379, 6380)]), "redis://db:6379/1");
        assert_eq!(moved("http://localhost/", &[]), "http://localhost/");
        assert_eq!(moved("http://localhost/", &[(80, 8080)]), "http://localhost:8080/");
    }
}
