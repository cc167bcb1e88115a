//! memcached: `version` (<https://github.com/memcached/memcached/blob/master/doc/protocol.txt>).

use std::io;

use tokio::net::TcpStream;

use super::{Answer, read_line, stranger, text, write};

/// A server that wants a login first answers with an error, and is alive.
pub(in crate::probe) async fn ask(stream: &mut TcpStream) -> io::Result<Answer> {
    write(stream, b"version\r\n").await?;
    let reply = read_line(stream).await?;
    let said = text::first_line(&reply);
    let _ = write(stream, b"quit\r\n").await;
    Ok(if said.starts_with("VERSION") {
        Answer::healthy(format!("{said} received"))
    } else if said.starts_with("CLIENT_ERROR") || said == "ERROR" {
        Answer::healthy("Alive, asks for a login").detail(said)
    } else {
        stranger("memcached", &reply)
    })
}
