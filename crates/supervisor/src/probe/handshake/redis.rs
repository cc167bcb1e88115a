//! Redis and what speaks like it: `PING` (<https://redis.io/docs/latest/develop/reference/protocol-spec/>).

use std::io;

use tokio::net::TcpStream;

use super::{Answer, read_line, stranger, text, write};
use crate::probe::target::Target;

/// `+PONG`. An error is an answer too: only while it loads its data is a server not ready.
pub(in crate::probe) async fn ask(stream: &mut TcpStream, target: &Target) -> io::Result<Answer> {
    let mut refused = None;
    if let Some(password) = &target.password {
        let words = [target.user.as_deref(), Some(password)];
        let words: Vec<&str> = std::iter::once("AUTH").chain(words.into_iter().flatten()).collect();
        write(stream, &command(&words)).await?;
        let reply = read_line(stream).await?;
        refused = reply.starts_with(b"-").then(|| text::first_line(&reply[1..]));
    }
    write(stream, &command(&["PING"])).await?;
    let reply = read_line(stream).await?;
    let said = text::first_line(reply.get(1..).unwrap_or_default());
    Ok(match reply.first() {
        Some(b'+') if said == "PONG" => Answer::healthy("PONG received"),
        Some(b'-') if said.starts_with("LOADING") => Answer::unhealthy("still loading its data").detail(said),
        Some(b'-') if said.starts_with("NOAUTH") => alive_but(refused, said),
        Some(b'-') => Answer::healthy(format!("Alive, but says: {said}")),
        _ => stranger("Redis", &reply),
    })
}

fn alive_but(refused: Option<String>, said: String) -> Answer {
    match refused {
        Some(why) => Answer::healthy("Alive, but refuses the password").detail(why),
        None => Answer::healthy("Alive, asks for a password").detail(said),
    }
}

/// An array of bulk strings: a word may hold anything.
pub(crate) fn command(words: &[&str]) -> Vec<u8> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    command.into_bytes()
}
