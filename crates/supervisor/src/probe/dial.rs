//! Finds the server and puts the question to it, at each address that its name has.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::question::Question;
use super::target::Target;
use super::{Answer, Failure, text};

/// A name may have dozens of addresses; one that answers is enough.
const MOST_ADDRESSES: usize = 4;

/// Until the next address is tried beside one that does not accept (RFC 8305 names 250 ms for the Internet). Windows takes
/// two seconds to refuse a connection to this very machine.
const CONNECT_PATIENCE: Duration = Duration::from_millis(50);

/// Lookups that may wait at once. One cannot be called off, so that with a dead name server each question would leave a
/// waiting thread behind.
static LOOKUPS: Semaphore = Semaphore::const_new(8);

/// What came of one address.
struct Outcome {
    answer: Answer,
    rank: Rank,
}

/// The later, the more it says about the server.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Unreachable,
    Refused,
    Connected,
}

/// Asks the addresses of the question's host, one after the other until one is healthy. An address that does not accept
/// holds the next one up for a moment only, one that accepts and does not answer for half of the limit.
/// At the limit, what is known by then is the answer.
pub(super) async fn ask(question: Question, limit: Duration) -> Answer {
    let (half, end) = (Instant::now() + limit / 2, Instant::now() + limit);
    let addresses = match timeout_at(end, addresses(question.target())).await {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => {
            let host = &question.target().host;
            return Answer::unhealthy(format!("cannot resolve `{host}`: {}", text::error(&error)));
        }
        Err(_) => return Answer::late(limit),
    };
    let question = Arc::new(question);
    let connected = Arc::new(AtomicBool::new(false));
    let mut waiting = addresses.into_iter();
    let mut asking: JoinSet<Outcome> = JoinSet::new();
    let mut best: Option<Outcome> = None;
    let mut patience = Instant::now();
    while waiting.len() > 0 || !asking.is_empty() {
        tokio::select! {
            Some(Ok(outcome)) = asking.join_next() => {
                if outcome.answer.healthy {
                    return outcome.answer;
                }
                if best.as_ref().is_none_or(|best| best.rank < outcome.rank) {
                    best = Some(outcome);
                }
                connected.store(false, Ordering::Relaxed);
                patience = Instant::now();
            }
            () = tokio::time::sleep_until(patience), if waiting.len() > 0 => {
                if connected.swap(false, Ordering::Relaxed) && patience < half {
                    patience = half;
                } else if let Some(address) = waiting.next() {
                    asking.spawn(ask_one(Arc::clone(&question), address, Arc::clone(&connected)));
                    patience = Instant::now() + CONNECT_PATIENCE;
                }
            }
            () = tokio::time::sleep_until(end) => break,
        }
    }
    let answered = best.filter(|best| asking.is_empty() || best.rank == Rank::Connected);
    answered.map_or_else(|| question.late(limit), |best| best.answer)
}

/// The place of a URL, connected to: the first of its addresses that accepts. Not bounded in time.
pub(super) async fn connect(url: &str, default_port: u16) -> Result<(Target, TcpStream), String> {
    let target = Target::parse(url, Some(default_port))?;
    let addresses = addresses(&target).await;
    let addresses =
        addresses.map_err(|error| format!("cannot resolve `{}`: {}", target.host, text::error(&error)))?;
    let mut why = String::new();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok((target, stream));
            }
            Err(error) => why = not_connected(&target.authority(), address, &error).answer.message,
        }
    }
    Err(why)
}

async fn ask_one(question: Arc<Question>, address: SocketAddr, connected: Arc<AtomicBool>) -> Outcome {
    let place = question.target().authority();
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => return not_connected(&place, address, &error),
    };
    connected.store(true, Ordering::Relaxed);
    let answer = question.put(stream).await.unwrap_or_else(|error| broken_off(&place, &error));
    Outcome { answer, rank: Rank::Connected }
}

fn not_connected(place: &str, address: SocketAddr, error: &io::Error) -> Outcome {
    let (answer, rank) = if error.kind() == io::ErrorKind::ConnectionRefused {
        let answer = Answer::unhealthy(format!("connection refused at {place}"));
        (Answer { failure: Some(Failure::Refused), ..answer }, Rank::Refused)
    } else {
        let answer = Answer::unhealthy(format!("cannot connect to {place}: {}", text::error(error)));
        (answer, Rank::Unreachable)
    };
    Outcome { answer: answer.detail(format!("{address}: {error}")), rank }
}

fn broken_off(place: &str, error: &io::Error) -> Answer {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Answer::unhealthy(format!("{place} closed the connection without an answer"))
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            Answer::unhealthy(format!("{place} broke the connection off without an answer"))
        }
        _ => Answer::unhealthy(format!("{place}: {}", text::error(error))),
    }
}

async fn addresses(target: &Target) -> io::Result<Vec<SocketAddr>> {
    let port = target.port;
    if let Some(known) = target.known_addresses() {
        return Ok(known.into_iter().map(|address| SocketAddr::new(address, port)).collect());
    }
    let found = lookup(target.host.clone(), port).await?;
    if found.is_empty() { Err(io::Error::other("it has no address")) } else { Ok(found) }
}

/// The system's resolver, on a thread of its own: neither the question nor the end of the program waits for it.
async fn lookup(host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
    let permit = LOOKUPS.acquire().await.map_err(io::Error::other)?;
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new().name("lookup".into()).spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs();
        // Nobody waits any more once the limit is over.
        let _ = sender.send(found.map(|found| found.take(MOST_ADDRESSES).collect()));
        drop(permit);
    })?;
    receiver.await.map_err(io::Error::other)?
}
