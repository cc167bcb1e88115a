//! What is said to a server, by protocol.

use std::io;
use std::time::Duration;

use forge_config::model::Probe;
use tokio::net::TcpStream;

use super::handshake::{amqp, memcached, mysql, nats, postgres, redis};
use super::http::{self, Request};
use super::target::Target;
use super::{Answer, grpc};

/// A question over the network.
#[derive(Debug)]
pub(super) struct Question {
    target: Target,
    protocol: Protocol,
}

#[derive(Debug)]
enum Protocol {
    Http(Box<Request>),
    Tcp,
    Redis,
    Postgres,
    Mysql,
    Nats,
    Amqp,
    Memcached,
    Grpc,
}

impl Question {
    /// The question that a probe asks, or why it cannot be asked.
    pub(super) fn of(probe: &Probe) -> Result<Self, String> {
        let (place, protocol, port) = match probe {
            Probe::Http { url, status, headers } => {
                let target = Target::parse(url, Some(http::default_port(url)))?;
                let request = Request::new(url, &target, status, headers)?;
                return Ok(Self { target, protocol: Protocol::Http(Box::new(request)) });
            }
            Probe::Tcp(place) => (place, Protocol::Tcp, None),
            Probe::Redis(url) => (url, Protocol::Redis, Some(6379)),
            Probe::Postgres(url) => (url, Protocol::Postgres, Some(5432)),
            Probe::Mysql(url) => (url, Protocol::Mysql, Some(3306)),
            Probe::Nats(url) => (url, Protocol::Nats, Some(4222)),
            Probe::Amqp(url) => (url, Protocol::Amqp, Some(5672)),
            Probe::Memcached(url) => (url, Protocol::Memcached, Some(11211)),
            Probe::Grpc(url) => (url, Protocol::Grpc, Some(50051)),
            Probe::Exec(_) | Probe::Log(_) => return Err("this check asks no server".into()),
        };
        Ok(Self { target: Target::parse(place, port)?, protocol })
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// What is known when the limit is reached.
    pub(super) fn late(&self, limit: Duration) -> Answer {
        let known = match &self.protocol {
            Protocol::Http(request) => request.late(&self.target, limit),
            _ => None,
        };
        known.unwrap_or_else(|| Answer::late(limit))
    }

    /// Says it to a server that has accepted.
    pub(super) async fn put(&self, mut stream: TcpStream) -> io::Result<Answer> {
        // Everything is said in one small packet, which must not wait for another one.
        let _ = stream.set_nodelay(true);
        let target = &self.target;
        match &self.protocol {
            Protocol::Http(request) => request.put(stream, target).await,
            Protocol::Tcp => Ok(Answer::healthy("Accepting connections")),
            Protocol::Redis => redis::ask(&mut stream, target).await,
            Protocol::Postgres => postgres::ask(&mut stream, target).await,
            Protocol::Mysql => mysql::ask(&mut stream, target).await,
            Protocol::Nats => nats::ask(&mut stream).await,
            Protocol::Amqp => amqp::ask(&mut stream).await,
            Protocol::Memcached => memcached::ask(&mut stream).await,
            Protocol::Grpc => grpc::ask(stream, target).await,
        }
    }
}
