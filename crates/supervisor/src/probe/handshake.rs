//! The first words of a few protocols: just enough to tell a server that is ready from one that is not, or is another.

pub(super) mod amqp;
pub(super) mod memcached;
pub(super) mod mysql;
pub(super) mod nats;
pub(super) mod postgres;
pub(super) mod redis;

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Answer, text};

/// The longest line or message that is read: errors are shorter, and what is longer is no answer to our question.
const LONGEST: usize = 16 * 1024;

/// Reads until a line feed, which is not part of the line, at most [`LONGEST`] bytes. What the server says beyond the line is
/// lost: it has not been asked for more yet.
async fn read_line(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(stream).take(LONGEST as u64).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.pop_if(|last| *last == b'\n');
    Ok(line)
}

/// Reads `length` bytes, or the first [`LONGEST`] of them.
async fn read_message(stream: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut message = vec![0; length.min(LONGEST)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Something answers, but it speaks another language.
fn stranger(server: &str, said: &[u8]) -> Answer {
    let said = text::first_line(said);
    let answer = Answer::unhealthy(format!("what answers there is not {server}"));
    if said.is_empty() { answer } else { answer.detail(format!("it said: {said}")) }
}
