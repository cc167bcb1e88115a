//! As much of URLs as health checks and port moves need: where the host and the port stand in the text.

use std::ops::Range;

/// A URL with an authority, taken apart. Borrowed parts are slices of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url<'u> {
    pub(crate) text: &'u str,
    pub(crate) scheme: &'u str,
    /// Without brackets.
    pub(crate) host: &'u str,
    pub(crate) port: Option<u16>,
    /// Where `host` or `host:port` stands in the text.
    authority: Range<usize>,
}

/// The scheme of a text that begins like a URL.
pub(crate) fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let mut bytes = scheme.bytes();
    let valid = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    valid.then_some(scheme)
}

impl<'u> Url<'u> {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// What is wrong with it, as half a sentence.
    pub(crate) fn parse(text: &'u str) -> Result<Self, String> {
        let scheme = scheme(text).ok_or("it does not begin with `scheme://`")?;
        if let Some(bad) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
            return Err(if bad == ' ' {
                "there is a space in it".into()
            } else {
                "there is white space in it".into()
            });
        }
        let begin = scheme.len() + 3;
        let end = text[begin..].find(['/', '?', '#']).map_or(text.len(), |at| begin + at);
        let begin = text[begin..end].rfind('@').map_or(begin, |at| begin + at + 1);
        let (host, port) = host_and_port(&text[begin..end])?;
        Ok(Self { text, scheme, host, port, authority: begin..end })
    }

    /// The same URL with another port.
    pub(crate) fn with_port(&self, port: u16) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_owned() };
        format!("{}{host}:{port}{}", &self.text[..self.authority.start], &self.text[self.authority.end..])
    }
}

/// Takes `host:port` apart; IPv6 addresses stand in brackets.
///
/// # Errors
/// What is wrong with it, as half a sentence.
pub(crate) fn host_and_port(text: &str) -> Result<(&str, Option<u16>), String> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(inner) => inner.split_once(']').ok_or("its `[` is not closed")?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    if host.is_empty() {
        return Err("it names no host".to_owned());
    }
    if rest.is_empty() {
        return Ok((host, None));
    }
    let port = rest.strip_prefix(':').ok_or("something stands between its host and its port")?;
    match port.parse() {
        Ok(port) if port > 0 => Ok((host, Some(port))),
        _ => Err(format!("`{port}` is no port")),
    }
}

/// Names and addresses by which a machine means itself.
pub(crate) fn loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host == "::1"
        || host == "0.0.0.0"
        || host == "::"
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_found() {
        for (text, host, port) in [
            ("http://localhost:3000/health", "localhost", Some(3000)),
            ("http://localhost", "localhost", None),
            ("postgres://me:p@ss@db:5432/app", "db", Some(5432)),
            ("http://[::1]:80/?a@b:9", "::1", Some(80)),
            ("redis://127.0.0.1?x", "127.0.0.1", None),
        ] {
            let url = Url::parse(text).expect(text);
            assert_eq!((url.host, url.port), (host, port), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_told_why() {
        for text in [
            "localhost:3000",
            "http://",
            "http://:80",
            "http://a:b",
            "http://a:0",
            "http://a:70000",
            "http://a b/",
            "1://a",
            "http://[::1",
        ] {
            assert!(Url::parse(text).is_err(), "{text} was taken for a URL");
        }
    }

    #[test]
    fn another_port_changes_nothing_else() {
        for (text, moved) in [
            ("http://localhost:3000/a:3000", "http://localhost:3001/a:3000"),
            ("http://u:3000@[::1]:3000?x", "http://u:3000@[::1]:3001?x"),
            ("http://localhost/", "http://localhost:3001/"),
        ] {
            assert_eq!(Url::parse(text).expect(text).with_port(3001), moved);
        }
    }
}
