//! gRPC's standard health service, `grpc.health.v1.Health/Check`
//! (<https://github.com/grpc/grpc/blob/master/doc/health-checking.md>), over plain HTTP/2.

use std::io;
use std::pin::pin;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, TE};
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::target::Target;
use super::{Answer, text};

const CHECK: &str = "/grpc.health.v1.Health/Check";
const MOST_BODY: usize = 16 * 1024;
/// Status codes of gRPC.
const OK: &str = "0";
const NOT_FOUND: &str = "5";
const UNIMPLEMENTED: &str = "12";

/// The path of the URL names the service; without one, the server as a whole is meant.
pub(super) async fn ask(stream: TcpStream, target: &Target) -> io::Result<Answer> {
    let service = target.path.trim_matches('/').to_owned();
    let io = TokioIo::new(stream);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.map_err(not_grpc)?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("http://{}{CHECK}", target.authority()))
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .body(Full::new(question(&service)))
        .map_err(io::Error::other)?;
    let mut talk =
        pin!(async { judge(sender.send_request(request).await.map_err(not_grpc)?, &service).await });
    let mut connection = pin!(connection);
    tokio::select! {
        answer = &mut talk => return answer,
        _ = &mut connection => {}
    }
    talk.await
}

/// A message of one field, a string with the number 1, in a frame without compression.
fn question(service: &str) -> Bytes {
    let name = &service.as_bytes()[..service.len().min(0x7f)];
    let mut message = Vec::new();
    if let (false, Ok(length)) = (name.is_empty(), u8::try_from(name.len())) {
        message.extend([0x0a, length]);
        message.extend(name);
    }
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut frame = vec![0];
    frame.extend(length.to_be_bytes());
    frame.extend(message);
    frame.into()
}

async fn judge(response: Response<Incoming>, service: &str) -> io::Result<Answer> {
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        return Ok(Answer::unhealthy(format!("HTTP {}, not gRPC", head.status.as_u16())));
    }
    let body = Limited::new(body, MOST_BODY).collect().await.map_err(io::Error::other)?;
    // An error without a message comes in the headers alone.
    let trailers = body.trailers().cloned().unwrap_or_default();
    let said = |name: &str| found(&trailers, name).or_else(|| found(&head.headers, name));
    let code = said("grpc-status").unwrap_or_else(|| OK.to_owned());
    Ok(match code.as_str() {
        OK => of_status(serving_status(&body.to_bytes())),
        UNIMPLEMENTED => Answer::healthy("Alive, has no health service"),
        NOT_FOUND => Answer::unhealthy(format!("knows no service `{service}`")),
        _ => {
            let words = said("grpc-message").unwrap_or_default();
            Answer::unhealthy(format!("gRPC status {code}: {words}").trim_end_matches([':', ' ']))
        }
    })
}

fn found(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(HeaderValue::as_bytes).map(text::first_line)
}

/// The field 1 of the message in the first frame; a field of value 0 is not written.
fn serving_status(body: &[u8]) -> u8 {
    match body.get(5..) {
        Some([0x08, status, ..]) => *status,
        _ => 0,
    }
}

fn of_status(status: u8) -> Answer {
    match status {
        1 => Answer::healthy("SERVING"),
        2 => Answer::unhealthy("NOT_SERVING"),
        3 => Answer::unhealthy("SERVICE_UNKNOWN"),
        _ => Answer::unhealthy("UNKNOWN"),
    }
}

fn not_grpc(error: hyper::Error) -> io::Error {
    match std::error::Error::source(&error).and_then(|below| below.downcast_ref::<io::Error>()) {
        Some(below) => io::Error::new(below.kind(), below.to_string()),
        None => io::Error::other(format!("no gRPC: {error}")),
    }
}
