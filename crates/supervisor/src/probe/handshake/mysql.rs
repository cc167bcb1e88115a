//! MySQL and MariaDB: the greeting, and a login that is meant to fail
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>).
//!
//! To leave after the greeting counts as a broken handshake, and a server blocks a host with a hundred of those in a row.

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::{Answer, LONGEST, read_message, stranger, text, write};
use crate::probe::target::Target;

const GREETING: u8 = 0x0a;
const OK: u8 = 0x00;
const ERROR: u8 = 0xff;
/// CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION and CLIENT_PLUGIN_AUTH.
const CAPABILITIES: u32 = 0x0000_0200 | 0x0000_8000 | 0x0008_0000;
const UTF8: u8 = 33;
const QUIT: &[u8] = &[1, 0, 0, 0, 1];
/// Questions of the server about the password, each answered with none, before we leave.
const MOST_ROUNDS: usize = 3;

/// The first packet has the number 0 and is short, so that its header as a number is its length. A greeting is health; an error in its place ("too many connections", "host is blocked") is not.
pub(in crate::probe) async fn ask(stream: &mut TcpStream, target: &Target) -> io::Result<Answer> {
    let header = stream.read_u32_le().await?;
    if header == 0 || header as usize > LONGEST {
        return Ok(stranger("MySQL", &header.to_le_bytes()));
    }
    let greeting = read_message(stream, header as usize).await?;
    match greeting.first() {
        Some(&GREETING) => {
            let version = greeting[1..].split(|byte| *byte == 0).next().unwrap_or_default();
            let answer = Answer::healthy("Accepting connections").detail(text::first_line(version));
            let user = target.user.as_deref().unwrap_or("forge");
            // Whatever comes of the login, the server has shown that it is there.
            let _ = log_in(stream, user).await;
            Ok(answer)
        }
        Some(&ERROR) => Ok(Answer::unhealthy(error(&greeting))),
        _ => Ok(stranger("MySQL", &greeting)),
    }
}

async fn log_in(stream: &mut TcpStream, user: &str) -> io::Result<()> {
    let mut login = Vec::new();
    login.extend(CAPABILITIES.to_le_bytes());
    login.extend((LONGEST_PACKET as u32).to_le_bytes());
    login.push(UTF8);
    login.extend([0; 23]);
    login.extend(user.bytes().filter(|byte| *byte != 0));
    // The end of the name, a password of no bytes, and how it was made.
    login.extend(b"\0\0mysql_native_password\0");
    write(stream, &packet(1, &login)).await?;
    for _ in 0..MOST_ROUNDS {
        let (answered, reply) = read_packet(stream).await?;
        match reply.first() {
            Some(&OK) => return write(stream, QUIT).await,
            Some(&ERROR) | None => return Ok(()),
            Some(_) => {
                write(stream, &packet(answered.wrapping_add(1), &[])).await?;
            }
        }
    }
    Ok(())
}

const LONGEST_PACKET: usize = 1 << 24;

/// Three bytes of length, one of sequence, and the payload.
async fn read_packet(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let header = stream.read_u32_le().await?;
    let [sequence, ..] = header.to_be_bytes();
    let payload = read_message(stream, (header & 0x00ff_ffff) as usize).await?;
    Ok((sequence, payload))
}

fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX) & 0x00ff_ffff;
    let header = length | u32::from(sequence) << 24;
    [&header.to_le_bytes()[..], payload].concat()
}

/// `0xff`, a number, and before login just the text; a state of `#` and five characters may come between.
fn error(packet: &[u8]) -> String {
    let words = packet.get(3..).unwrap_or_default();
    let words = if words.first() == Some(&b'#') { words.get(6..).unwrap_or_default() } else { words };
    let said = text::first_line(words);
    if said.is_empty() { "refuses connections".into() } else { said }
}
