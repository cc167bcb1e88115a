//! `GET` over HTTP/1.1, and what its status means.

use std::io;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use indexmap::IndexMap;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::target::Target;
use super::{Answer, dial, text, tls};

/// What is read of a body, to see that it comes, and for its first line. A page may be as long as it likes.
const MOST_BODY: usize = 64 * 1024;

/// What is read of a page that is wanted as a whole.
const MOST_PAGE: usize = 8 << 20;

/// A request that can be sent again and again.
#[derive(Debug)]
pub(super) struct Request {
    uri: Uri,
    tls: bool,
    /// Accepted; empty: 200–399.
    status: Vec<u16>,
    headers: HeaderMap,
    /// What has been answered, while the body is still awaited.
    answered: OnceLock<StatusCode>,
}

/// The port that the scheme of a URL means.
pub(super) fn default_port(url: &str) -> u16 {
    if is_tls(url) { 443 } else { 80 }
}

fn is_tls(url: &str) -> bool {
    url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

impl Request {
    /// The request to `target`, which is the place of `url`; or why it cannot be sent.
    pub(super) fn new(
        url: &str,
        target: &Target,
        status: &[u16],
        headers: &IndexMap<String, String>,
    ) -> Result<Self, String> {
        let uri =
            target.path.parse().map_err(|error| format!("`{}` is no path of a URL: {error}", target.path))?;
        let headers = all_headers(url, target, headers)?;
        Ok(Self { uri, tls: is_tls(url), status: status.to_vec(), headers, answered: OnceLock::new() })
    }

    pub(super) async fn put(&self, stream: TcpStream, target: &Target) -> io::Result<Answer> {
        if self.tls {
            self.exchange(tls::connect(stream, target).await?, target).await
        } else {
            self.exchange(stream, target).await
        }
    }

    async fn exchange<S>(&self, stream: S, target: &Target) -> io::Result<Answer>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.talk(stream, async |response| self.judge(response, target).await).await
    }

    /// Sends it, and hands the response on while the connection is looked after.
    async fn talk<S, T>(&self, stream: S, read: impl AsyncFnOnce(Response<Incoming>) -> T) -> io::Result<T>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(plain_error)?;
        let mut request = hyper::Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let mut talk = pin!(async {
            let response = sender.send_request(request).await.map_err(plain_error)?;
            Ok(read(response).await)
        });
        let mut connection = pin!(connection);
        tokio::select! {
            answer = &mut talk => return answer,
            // Over, with what it has read still to be looked at.
            _ = &mut connection => {}
        }
        talk.await
    }

    async fn judge(&self, response: Response<Incoming>, target: &Target) -> Answer {
        let status = response.status();
        // Of two addresses that answer late, the first one will do.
        let _ = self.answered.set(status);
        let said = said(status, target);
        let body = Beginning::of(response.into_body(), MOST_BODY).await;
        if !self.accepts(status) {
            let line = text::first_line(&body.bytes);
            return Answer::unhealthy(if line.is_empty() { said } else { format!("{said}: {line}") });
        }
        match body.error {
            None => Answer::healthy(said),
            Some(error) => Answer::unhealthy(format!("{said}, but its body broke off")).detail(error),
        }
    }

    /// When the limit is reached: what the status was, if there was one.
    pub(super) fn late(&self, target: &Target, limit: Duration) -> Option<Answer> {
        let status = *self.answered.get()?;
        let said = said(status, target);
        Some(Answer::unhealthy(if self.accepts(status) {
            format!("{said}, but its body did not end within {}", text::duration(limit))
        } else {
            said
        }))
    }

    fn accepts(&self, status: StatusCode) -> bool {
        if self.status.is_empty() {
            (200..400).contains(&status.as_u16())
        } else {
            self.status.contains(&status.as_u16())
        }
    }
}

fn said(status: StatusCode, target: &Target) -> String {
    format!("HTTP {} from {}", status.as_u16(), target.shown_path())
}

/// What a server has where it was asked.
enum Page {
    Here(Vec<u8>),
    /// It is said to be there, in an answer of this status.
    Elsewhere(String, StatusCode),
}

/// The body of a page, if its status says that it is one; at most [`MOST_PAGE`] of it. Where the server says that it is
/// elsewhere on the same server, it is fetched there.
pub(super) async fn fetch(url: &str) -> Result<Vec<u8>, String> {
    const MOST_MOVES: usize = 3;
    let (mut url, mut answer) = (url.to_owned(), String::new());
    for _ in 0..MOST_MOVES {
        let (target, stream) = dial::connect(&url, default_port(&url)).await?;
        let page = if is_tls(&url) {
            match tls::connect(stream, &target).await {
                Ok(stream) => page(stream, &url, &target).await?,
                Err(error) => return Err(format!("{}: {}", target.authority(), text::error(&error))),
            }
        } else {
            page(stream, &url, &target).await?
        };
        let (location, status) = match page {
            Page::Here(body) => return Ok(body),
            Page::Elsewhere(location, status) => (location, status),
        };
        answer = said(status, &target);
        let Some(next) = on_same_server(&url, &location) else {
            return Err(format!("{answer}, to {location}"));
        };
        url = next;
    }
    Err(format!("{answer}, again and again"))
}

/// Where `location` of an answer leads: an absolute path, or a URL of the same server.
fn on_same_server(url: &str, location: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let server = format!("{scheme}://{}", &rest[..end]);
    // `//elsewhere/` has a server of its own.
    let path = location.strip_prefix(&server).unwrap_or(location);
    (path.starts_with('/') && !path.starts_with("//")).then(|| format!("{server}{path}"))
}

/// The same over a Unix socket, whoever the URL names.
#[cfg(unix)]
pub(super) async fn fetch_from_socket(socket: &std::path::Path, url: &str) -> Result<Vec<u8>, String> {
    let stream = tokio::net::UnixStream::connect(socket).await;
    let stream = stream.map_err(|error| format!("{}: {}", socket.display(), text::error(&error)))?;
    let target = Target::parse(url, Some(80))?;
    match page(stream, url, &target).await? {
        Page::Here(body) => Ok(body),
        Page::Elsewhere(_, status) => Err(said(status, &target)),
    }
}

async fn page<S>(stream: S, url: &str, target: &Target) -> Result<Page, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = Request::new(url, target, &[], &IndexMap::new())?;
    let read = async |response: Response<Incoming>| {
        let status = response.status();
        let location = response.headers().get(hyper::header::LOCATION).and_then(|text| text.to_str().ok());
        if let Some(location) = location.filter(|_| status.is_redirection()) {
            return Ok(Page::Elsewhere(location.to_owned(), status));
        }
        let body = Beginning::of(response.into_body(), MOST_PAGE).await;
        match body.error {
            _ if !request.accepts(status) => Err(said(status, target)),
            Some(error) => Err(format!("{}, but its body broke off: {error}", said(status, target))),
            None => Ok(Page::Here(body.bytes)),
        }
    };
    request
        .talk(stream, read)
        .await
        .unwrap_or_else(|error| Err(format!("{}: {}", target.authority(), text::error(&error))))
}

/// The beginning of a body, and what kept it from going on.
struct Beginning {
    bytes: Vec<u8>,
    error: Option<String>,
}

impl Beginning {
    async fn of(mut body: impl Body<Data = Bytes, Error = hyper::Error> + Unpin, most: usize) -> Self {
        let mut bytes = Vec::new();
        while bytes.len() < most {
            match body.frame().await {
                Some(Ok(frame)) => bytes.extend(frame.data_ref().into_iter().flatten()),
                Some(Err(error)) => return Self { bytes, error: Some(error.to_string()) },
                None => break,
            }
        }
        Self { bytes, error: None }
    }
}

fn all_headers(url: &str, target: &Target, own: &IndexMap<String, String>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, host(url, target)?);
    headers
        .insert(header::USER_AGENT, HeaderValue::from_static(concat!("forge/", env!("CARGO_PKG_VERSION"))));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if let Some(basic) = basic(target) {
        headers.insert(header::AUTHORIZATION, basic);
    }
    for (name, value) in own {
        let name = HeaderName::try_from(name).map_err(|_| format!("`{name}` is no name of a header"))?;
        let value =
            HeaderValue::try_from(value).map_err(|_| format!("the header {name} has no valid value"))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// As a browser writes it: without the port that the scheme means.
fn host(url: &str, target: &Target) -> Result<HeaderValue, String> {
    let authority = target.authority();
    let host = authority.strip_suffix(&format!(":{}", default_port(url))).unwrap_or(&authority);
    HeaderValue::try_from(host).map_err(|_| format!("`{host}` is no name of a host"))
}

/// User and password of the URL (RFC 7617).
fn basic(target: &Target) -> Option<HeaderValue> {
    let user = target.user.as_deref().or(target.password.as_ref().map(|_| ""))?;
    let pair = format!("{user}:{}", target.password.as_deref().unwrap_or_default());
    let mut value =
        HeaderValue::try_from(format!("Basic {}", forge_keeper::base64::encode(pair.as_bytes()))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// hyper's words say what broke off; the system's below them say why.
fn plain_error(error: hyper::Error) -> io::Error {
    let below = std::error::Error::source(&error).and_then(|below| below.downcast_ref::<io::Error>());
    if let Some(below) = below {
        return io::Error::new(below.kind(), below.to_string());
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return io::ErrorKind::UnexpectedEof.into();
    }
    if error.is_parse() {
        return io::Error::other(format!("no HTTP: {error}"));
    }
    io::Error::other(error)
}
