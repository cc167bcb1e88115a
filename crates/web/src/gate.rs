//! Who may come in, decided from a request's head alone.

use std::net::SocketAddr;

use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::token::Token;

/// The WebSocket subprotocol. A browser's page can send no other header, so the token stands beside it.
pub(crate) const SUBPROTOCOL: &str = "forge";

/// What is ours, and who may use it.
#[derive(Debug)]
pub(crate) struct Gate {
    /// As `Host` may name us. All of them are names that nobody else can make point here.
    authorities: Vec<String>,
    token: Token,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is not exactly one `Host`.
    NoHost,
    ForeignHost,
    ForeignOrigin,
    Method,
    /// There is none, or it is wrong.
    Token,
    /// Too many are here already.
    Full,
}

impl Gate {
    pub(crate) fn new(address: SocketAddr, token: Token) -> Self {
        let port = address.port();
        let mut authorities = vec![address.to_string()];
        for name in ["127.0.0.1", "localhost", "[::1]"] {
            authorities.push(format!("{name}:{port}"));
            if port == 80 {
                // The default port is not written.
                authorities.push(name.to_owned());
            }
        }
        Self { authorities, token }
    }

    /// What every request must fulfil; returns the name that it has for us.
    pub(crate) fn admit(&self, head: &Parts) -> Result<String, Refusal> {
        let host = only(&head.headers, &header::HOST)?.ok_or(Refusal::NoHost)?;
        // A request to a proxy names the target twice.
        let named = head.uri.authority().map(|authority| authority.as_str());
        if !self.is_ours(host) || !named.is_none_or(|named| self.is_ours(named)) {
            return Err(Refusal::ForeignHost);
        }
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return Err(Refusal::Method);
        }
        let origin = only(&head.headers, &header::ORIGIN).map_err(|_| Refusal::ForeignOrigin)?;
        // Without one it is no page of another site's that asks: browsers send it with every upgrade.
        if origin.is_some_and(|origin| !origin.eq_ignore_ascii_case(&format!("http://{host}"))) {
            return Err(Refusal::ForeignOrigin);
        }
        Ok(host.to_owned())
    }

    fn is_ours(&self, authority: &str) -> bool {
        self.authorities.iter().any(|own| own.eq_ignore_ascii_case(authority))
    }

    /// Whether the token is there: as `Authorization: Bearer`, or beside [`SUBPROTOCOL`].
    pub(crate) fn shows_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let protocols: Vec<&str> = words(headers, &header::SEC_WEBSOCKET_PROTOCOL).collect();
        let beside = protocols.iter().filter(|_| protocols.contains(&SUBPROTOCOL)).copied();
        let bearers = headers.get_all(header::AUTHORIZATION).into_iter().filter_map(bearer);
        // No end at the first that fits: all are looked at.
        let fits = beside.chain(bearers).fold(false, |fits, shown| fits | self.token.is(shown));
        if fits { Ok(()) } else { Err(Refusal::Token) }
    }
}

/// The value of a header that may stand there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Refusal::NoHost),
        (Some(_), Some(_)) => Err(Refusal::NoHost),
    }
}

/// The comma-separated words of a header.
fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// The token of `Bearer TOKEN` (RFC 6750).
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NoHost => (StatusCode::BAD_REQUEST, "one Host, please"),
            Self::ForeignHost => (
                StatusCode::FORBIDDEN,
                "this page is at the address that `forge serve` printed, and nowhere else",
            ),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "not for other sites"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only"),
            Self::Token => (
                StatusCode::UNAUTHORIZED,
                "open the whole URL that `forge serve` printed: it ends with the token",
            ),
            Self::Full => (StatusCode::SERVICE_UNAVAILABLE, "too many are connected"),
        };
        let mut response = (status, format!("{text}\n")).into_response();
        let (name, value) = match self {
            Self::Method => (header::ALLOW, "GET, HEAD"),
            Self::Token => (header::WWW_AUTHENTICATE, "Bearer"),
            _ => return response,
        };
        response.headers_mut().insert(name, HeaderValue::from_static(value));
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn gate(address: &str) -> (Gate, String) {
        let token = Token::random().expect("random");
        let shown = token.reveal().to_owned();
        (Gate::new(address.parse().expect("an address"), token), shown)
    }

    fn head(target: &str, headers: &[(&str, &str)]) -> Parts {
        let request = Request::builder().uri(target);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn a_host_is_ours_or_refused() {
        let (gate, _) = gate("127.0.0.1:4000");
        for host in ["127.0.0.1:4000", "localhost:4000", "LocalHost:4000", "[::1]:4000"] {
            assert_eq!(gate.admit(&head("/", &[("host", host)])), Ok(host.to_owned()), "{host}");
        }
        for host in [
            "127.0.0.1",
            "127.0.0.1:4001",
            "localhost",
            "localhost.:4000",
            "evil.example:4000",
            "127.0.0.1.nip.io:4000",
            "127.0.0.1:4000.evil.example",
            "127.0.0.1:4000@evil.example",
            "0.0.0.0:4000",
            "127.1:4000",
            "",
        ] {
            assert_eq!(gate.admit(&head("/", &[("host", host)])), Err(Refusal::ForeignHost), "{host:?}");
        }
        assert_eq!(gate.admit(&head("/", &[])), Err(Refusal::NoHost), "none");
        let twice = [("host", "127.0.0.1:4000"), ("host", "127.0.0.1:4000")];
        assert_eq!(gate.admit(&head("/", &twice)), Err(Refusal::NoHost), "two");
    }

    #[test]
    fn the_default_port_need_not_be_named() {
        let (gate, _) = gate("127.0.0.1:80");
        for host in ["127.0.0.1", "localhost", "[::1]", "127.0.0.1:80"] {
            assert!(gate.admit(&head("/", &[("host", host)])).is_ok(), "{host}");
        }
    }

    #[test]
    fn a_target_that_names_a_host_names_ours() {
        let (gate, _) = gate("127.0.0.1:4000");
        let host = ("host", "127.0.0.1:4000");
        assert!(gate.admit(&head("http://localhost:4000/", &[host])).is_ok(), "ours");
        for target in ["http://evil.example/", "http://evil@127.0.0.1:4000/", "http://127.0.0.1/"] {
            assert_eq!(gate.admit(&head(target, &[host])), Err(Refusal::ForeignHost), "{target}");
        }
    }

    #[test]
    fn an_origin_is_ours_by_the_same_name_or_refused() {
        let (gate, _) = gate("127.0.0.1:4000");
        let admit = |origin| gate.admit(&head("/ws", &[("host", "localhost:4000"), ("origin", origin)]));
        assert!(admit("http://localhost:4000").is_ok(), "ours");
        for origin in [
            "null",
            "",
            "http://localhost",
            "http://localhost:3000",
            "https://localhost:4000",
            "http://127.0.0.1:4000",
            "http://localhost:4000.evil.example",
            "http://localhost:4000/",
            "https://evil.example",
        ] {
            assert_eq!(admit(origin), Err(Refusal::ForeignOrigin), "{origin:?}");
        }
    }

    #[test]
    fn nothing_is_sent_to_us() {
        let (gate, _) = gate("127.0.0.1:4000");
        let mut head = head("/", &[("host", "127.0.0.1:4000")]);
        for method in [Method::POST, Method::PUT, Method::OPTIONS, Method::CONNECT, Method::TRACE] {
            head.method = method.clone();
            assert_eq!(gate.admit(&head), Err(Refusal::Method), "{method}");
        }
    }

    #[test]
    fn a_token_comes_in_two_ways_and_in_no_other() {
        let (gate, token) = gate("127.0.0.1:4000");
        let shows =
            |name: &str, value: &str| gate.shows_token(&head("/ws", &[(name, value)]).headers).is_ok();
        assert!(shows("sec-websocket-protocol", &format!("forge, {token}")), "beside the subprotocol");
        assert!(shows("sec-websocket-protocol", &format!("forge,{token}")), "without the space");
        assert!(shows("authorization", &format!("Bearer {token}")), "bearer");
        assert!(shows("authorization", &format!("bearer {token}")), "the scheme is a word in any case");
        for (name, value) in [
            ("sec-websocket-protocol", token.clone()),
            ("sec-websocket-protocol", format!("other, {token}")),
            ("sec-websocket-protocol", "forge".to_owned()),
            ("sec-websocket-protocol", "forge, forge".to_owned()),
            ("sec-websocket-protocol", format!("forge, {token}x")),
            ("authorization", token.clone()),
            ("authorization", format!("Basic {token}")),
            ("authorization", "Bearer ".to_owned()),
            ("cookie", format!("token={token}")),
            ("x-token", token.clone()),
        ] {
            assert!(!shows(name, &value), "{name}: {value}");
        }
        let query = head(&format!("/ws?token={token}"), &[]);
        assert_eq!(gate.shows_token(&query.headers), Err(Refusal::Token), "in a query");
    }
}
