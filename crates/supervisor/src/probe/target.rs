//! Where a question goes, from a URL or `host:port`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The parts of a URL that questions need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Percent-decoded.
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// With the leading slash and the query; never empty.
    pub(crate) path: String,
}

impl Target {
    /// Reads `scheme://user:password@host:port/path`, where all but the host may be missing.
    pub(super) fn parse(text: &str, default_port: Option<u16>) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{}` {why}", without_password(text));
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (who, place) =
            authority.rsplit_once('@').map_or((None, authority), |(who, place)| (Some(who), place));
        let (user, password) = who.map_or((None, None), credentials);
        let (host, port) = split_port(place).ok_or_else(|| wrong("is not host:port"))?;
        let port = match port {
            Some(port) => port.parse().map_err(|_| wrong("has no valid port"))?,
            None => default_port.ok_or_else(|| wrong("needs a port"))?,
        };
        let host = if host.is_empty() { "localhost" } else { host };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { host: host.to_owned(), port, user, password, path })
    }

    /// `host:port` as one writes it.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The path without its query, which may hold a secret.
    pub(super) fn shown_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The addresses that need no resolver: literal ones, and this machine's own. `localhost` is both families (RFC 6761),
    /// since servers listen on either.
    pub(super) fn known_addresses(&self) -> Option<Vec<IpAddr>> {
        const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
        const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
        if self.is_localhost() {
            return Some(vec![V4, V6]);
        }
        let address: IpAddr = self.host.parse().ok()?;
        // Servers print "listening on 0.0.0.0"; to connect to it means this machine on some systems only.
        Some(vec![match address {
            IpAddr::V4(address) if address.is_unspecified() => V4,
            IpAddr::V6(address) if address.is_unspecified() => V6,
            address => address,
        }])
    }

    /// Nobody but this machine can answer there.
    pub(crate) fn is_loopback(&self) -> bool {
        self.known_addresses().is_some_and(|addresses| addresses.iter().all(IpAddr::is_loopback))
    }

    fn is_localhost(&self) -> bool {
        let host = self.host.trim_end_matches('.').to_ascii_lowercase();
        host == "localhost" || host.ends_with(".localhost")
    }
}

fn split_port(place: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        return match port.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => port.is_empty().then_some((host, None)),
        };
    }
    match place.split_once(':') {
        Some((_, port)) if port.contains(':') => None,
        Some((host, port)) => Some((host, Some(port))),
        None => (!place.is_empty()).then_some((place, None)),
    }
}

fn credentials(text: &str) -> (Option<String>, Option<String>) {
    let (user, password) =
        text.split_once(':').map_or((text, None), |(user, password)| (user, Some(password)));
    (Some(percent_decoded(user)).filter(|user| !user.is_empty()), password.map(percent_decoded))
}

/// RFC 3986, section 2.1; what is no escape stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.first_chunk::<2>()).flatten();
        let byte = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// For messages.
fn without_password(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    match url[start..].rfind('@') {
        Some(at) => format!("{}…{}", &url[..start], &url[start + at..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    fn target(host: &str, port: u16, path: &str) -> Target {
        Target { host: host.into(), port, user: None, password: None, path: path.into() }
    }

    #[test]
    fn what_is_missing_is_filled_in() {
        for (text, default, expected) in [
            ("redis://localhost", Some(6379), target("localhost", 6379, "/")),
            ("redis://localhost:7000/2", Some(6379), target("localhost", 7000, "/2")),
            ("127.0.0.1:5432", None, target("127.0.0.1", 5432, "/")),
            ("tcp://[::1]:80", None, target("::1", 80, "/")),
            ("http://[::1]/a?b=c#d", Some(80), target("::1", 80, "/a?b=c")),
            ("http://host?b=c", Some(80), target("host", 80, "/?b=c")),
            (":8080", None, target("localhost", 8080, "/")),
        ] {
            assert_eq!(Target::parse(text, default), Ok(expected), "{text}");
        }
    }

    #[test]
    fn credentials_are_decoded() {
        let target = Target::parse("redis://me%40home:p%3A%zz@localhost", Some(6379)).expect("a URL");
        assert_eq!(target.user.as_deref(), Some("me@home"), "user");
        assert_eq!(target.password.as_deref(), Some("p:%zz"), "password, with something that is no escape");
        let target = Target::parse("redis://:secret@localhost", Some(6379)).expect("a URL");
        assert_eq!((target.user, target.password.as_deref()), (None, Some("secret")), "password alone");
    }

    #[test]
    fn what_cannot_be_asked_is_named_without_its_password() {
        for (text, message) in [
            ("tcp://localhost", "`tcp://localhost` needs a port"),
            ("localhost:http", "`localhost:http` has no valid port"),
            ("localhost:70000", "`localhost:70000` has no valid port"),
            ("redis://me:secret@", "`redis://…@` is not host:port"),
            ("tcp://::1:80", "`tcp://::1:80` is not host:port"),
            ("tcp://[::1", "`tcp://[::1` is not host:port"),
        ] {
            assert_eq!(Target::parse(text, None), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn this_machine_has_both_families() {
        let addresses = |host: &str| {
            let found = target(host, 1, "/").known_addresses();
            found.map(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        for (host, expected) in [
            ("localhost", Some("127.0.0.1 ::1")),
            ("API.localhost", Some("127.0.0.1 ::1")),
            ("0.0.0.0", Some("127.0.0.1")),
            ("::", Some("::1")),
            ("192.0.2.1", Some("192.0.2.1")),
            ("example.org", None),
        ] {
            assert_eq!(addresses(host).as_deref(), expected, "{host}");
        }
    }
}
