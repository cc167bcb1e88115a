//! Connections, as they come in. Before one has shown that it may, it gets little: few bytes, and little time.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::{House, page, session};

/// Connections that are no session (yet). Who comes then waits.
const MOST: usize = 256;

/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(10);

/// How long a connection may be used for the page, and how long its last answer may take after that.
const VISIT: Duration = Duration::from_secs(60);
const LAST_ANSWER: Duration = Duration::from_secs(10);

/// Bytes of a request's head.
const HEAD_BYTES: usize = 16 * 1024;

/// Attends to whoever connects. Never returns.
pub(crate) async fn accept(listener: &TcpListener, house: &Arc<House>) {
    let permits = Arc::new(Semaphore::new(MOST));
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let house = Arc::clone(house);
                tokio::spawn(async move {
                    attend(stream, house).await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Out of descriptors, say: those who are connected go on, and others get their turn.
                tracing::warn!("a web client could not be accepted: {error}");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Answers the requests of one connection until it ends, or becomes a session.
async fn attend(stream: TcpStream, house: Arc<House>) {
    // Or each key typed into a terminal would wait for the one before to be acknowledged.
    let _ = stream.set_nodelay(true);
    let mut closing = house.closing.clone();
    let service = service_fn(move |request| {
        let house = Arc::clone(&house);
        async move { Ok::<_, Infallible>(answer(&house, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = sleep(VISIT) => {}
        _ = closing.wait_for(|closing| *closing) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST_ANSWER, connection).await;
}

async fn answer(house: &Arc<House>, request: hyper::Request<Incoming>) -> Response {
    let (mut head, _) = request.into_parts();
    let admitted = house.gate.admit(&head);
    let mut response = match &admitted {
        Ok(_) if head.uri.path() == "/ws" => session::open(house, &mut head).await,
        Ok(_) => page::file(head.uri.path()),
        Err(refusal) => refusal.into_response(),
    };
    page::protect(response.headers_mut(), admitted.as_deref().ok());
    response
}
