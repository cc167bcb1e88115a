//! NATS: the server speaks first, `INFO {…}` (<https://docs.nats.io/reference/reference-protocols/nats-protocol>).

use std::io;

use tokio::net::TcpStream;

use super::{Answer, read_line, stranger, text};

pub(in crate::probe) async fn ask(stream: &mut TcpStream) -> io::Result<Answer> {
    let line = read_line(stream).await?;
    if line.strip_prefix(b"INFO ").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{")) {
        return Ok(Answer::healthy("INFO received"));
    }
    Ok(match line.strip_prefix(b"-ERR") {
        Some(said) => Answer::unhealthy(format!("says: {}", text::first_line(said))),
        None => stranger("NATS", &line),
    })
}
