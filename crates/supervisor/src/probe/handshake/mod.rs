//! The first words of a few protocols: just enough to tell a server that is ready from one that is not, or is another.

pub(super) mod amqp;
pub(super) mod memcached;
pub(super) mod mysql;
pub(super) mod nats;
pub(super) mod postgres;
pub(super) mod redis;

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, text};

/// The longest line or message that is read: errors are shorter, and what is longer is no answer to our question.
const LONGEST: usize = 16 * 1024;

/// Reads until a line feed, which is not part of the line, at most [`LONGEST`] bytes.
async fn read_line(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while line.len() < LONGEST {
        // A byte at a time: an answer is one short line, and what follows it belongs to the next reader.
        match stream.read_u8().await {
            Ok(b'\n') => break,
            Ok(byte) => line.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !line.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
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
