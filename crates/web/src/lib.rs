//! The web carrier: the page, and the supervisor's interface over a WebSocket, for a browser on this machine.
//!
//! A [`Server`] listens on loopback. Whoever gets through the [`gate`] is shown the [`page`], which is static files
//! without a secret in them. `/ws` is a [`session`] for who holds the token: a WebSocket whose messages are the lines
//! that the local socket speaks ([`forge_api::wire`]), so that nothing is decided here.
//!
//! A loopback port is open to every user of the machine, and to every web site that its user looks at. Hence the
//! token, which is in the URL's fragment and so in no request and no log; hence a `Host` that must be ours, or a
//! foreign name that resolves to us would make its site our origin; hence an `Origin` that must be ours; and no
//! cookies, which would come along with other sites' requests, and to other ports.

mod connections;
mod gate;
mod page;
mod session;
mod token;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use forge_api::{Code, Error};
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use gate::Gate;
use token::Token;

/// A port that is listened on. Whoever connects waits until [`Server::serve`].
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    token: Token,
}

/// What every connection shares.
struct House {
    gate: Gate,
    connect: Box<dyn Fn() -> DuplexStream + Send + Sync>,
    /// One for each session that there may be.
    places: Arc<Semaphore>,
    /// Becomes true at the end.
    closing: watch::Receiver<bool>,
}

impl Server {
    /// Listens on `address`, which must be of this machine's loopback, with a new token. Port 0 takes a free one.
    ///
    /// # Errors
    /// The address can be reached from elsewhere, or is not to be had.
    pub async fn bind(address: SocketAddr) -> Result<Self, Error> {
        if !address.ip().is_loopback() {
            return Err(not_loopback(address));
        }
        let token = Token::random().map_err(|error| Error::system("random bytes for a token", error))?;
        let listener = TcpListener::bind(address).await.map_err(|error| not_to_be_had(address, &error))?;
        let address = listener.local_addr().map_err(|error| Error::system(address, error))?;
        Ok(Self { listener, address, token })
    }

    /// What is listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to open in a browser. It holds the token: for the user's eyes, not for a log.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/#token={}", self.address, self.token.reveal())
    }

    /// Serves until `shutdown`, then tells the clients that it goes. `connect` opens a connection to the supervisor
    /// for each of them: one message a line, in each direction.
    pub async fn serve(
        self,
        connect: impl Fn() -> DuplexStream + Send + Sync + 'static,
        shutdown: impl Future<Output = ()>,
    ) {
        let (close, closing) = watch::channel(false);
        let house = Arc::new(House {
            gate: Gate::new(self.address, self.token),
            connect: Box::new(connect),
            places: Arc::new(Semaphore::new(session::MOST)),
            closing,
        });
        tracing::info!("the web page listens on {}", self.address);
        tokio::select! {
            () = shutdown => {}
            () = connections::accept(&self.listener, &house) => {}
        }
        drop(self.listener);
        close.send_replace(true);
        session::all_ended(&house.places).await;
    }
}

/// `ADDRESS:PORT`, or `localhost:PORT`.
///
/// # Errors
/// It is neither; what is said is meant for the command line.
pub fn parse_address(text: &str) -> Result<SocketAddr, String> {
    if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    text.parse().map_err(|_| "write ADDRESS:PORT, as in 127.0.0.1:8080; port 0 takes a free one".to_owned())
}

fn not_loopback(address: SocketAddr) -> Error {
    let port = address.port();
    Error::new(
        Code::Usage,
        format!(
            "{address} can be reached from other machines, and who gets in can run programs as you; forge serves on \
             loopback only"
        ),
    )
    .help(format!(
        "use 127.0.0.1:{port}; from another machine reach it through `ssh -L PORT:127.0.0.1:PORT`, with the same \
         port at both ends"
    ))
}

fn not_to_be_had(address: SocketAddr, error: &io::Error) -> Error {
    let (code, why) = match error.kind() {
        io::ErrorKind::AddrInUse => (Code::PortConflict, "something else listens on it".to_owned()),
        io::ErrorKind::PermissionDenied => (Code::System, "this user may not listen on that port".to_owned()),
        _ => (Code::System, error.to_string()),
    };
    let free = SocketAddr::new(address.ip(), 0);
    Error::new(code, format!("cannot serve on {address}: {why}"))
        .help(format!("name another port; `--http {free}` takes a free one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_literal_or_localhost() {
        for (text, address) in [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("localhost:8080", "127.0.0.1:8080"),
            ("[::1]:8080", "[::1]:8080"),
            ("0.0.0.0:80", "0.0.0.0:80"),
        ] {
            assert_eq!(parse_address(text), Ok(address.parse().expect("an address")), "{text}");
        }
        for text in
            ["", "8080", ":8080", "localhost", "localhost:x", "127.0.0.1", "example.com:80", "::1:80x"]
        {
            parse_address(text).expect_err(text);
        }
    }

    #[tokio::test]
    async fn only_loopback_is_listened_on() {
        for text in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:127.0.0.1]:0"] {
            let error = Server::bind(text.parse().expect("an address")).await.expect_err(text);
            assert_eq!(error.code, Code::Usage, "{text}: {error}");
            assert!(error.help.is_some(), "{text}: what to do");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let first = Server::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
        let error = Server::bind(first.address()).await.expect_err("taken");
        assert_eq!(error.code, Code::PortConflict, "{error}");
        assert!(error.message.contains(&first.address().to_string()), "{error}");
    }

    #[tokio::test]
    async fn the_token_is_in_the_fragment_and_in_nothing_that_is_printed_for_debugging() {
        let server = Server::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
        let url = server.url();
        let (page, token) = url.split_once("#token=").expect("a fragment");
        assert_eq!(page, format!("http://{}/", server.address()));
        assert!(!format!("{server:?}").contains(token), "{server:?}");
    }
}
