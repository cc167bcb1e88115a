//! PostgreSQL: the start-up message of protocol 3.0, as `pg_isready` asks
//! (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).

use std::io;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::{Answer, read_message, stranger, text, write};
use crate::probe::target::Target;

const PROTOCOL_3_0: u32 = 3 << 16;
/// SQLSTATE `cannot_connect_now`: it starts, stops or recovers.
const CANNOT_CONNECT_NOW: &[u8] = b"57P03";
/// The only message without a type byte in front is ours.
const TERMINATE: &[u8] = b"X\0\0\0\x04";

/// A request for a password is an answer, and so is an error about the user or the database.
pub(in crate::probe) async fn ask(stream: &mut TcpStream, target: &Target) -> io::Result<Answer> {
    write(stream, &startup(target)).await?;
    let kind = stream.read_u8().await?;
    match kind {
        b'R' => {
            // Without it the server's log would tell of a client that vanished.
            let _ = write(stream, TERMINATE).await;
            Ok(Answer::healthy("Accepting connections"))
        }
        b'E' => {
            let length = stream.read_u32().await?;
            let fields = read_message(stream, (length as usize).saturating_sub(4)).await?;
            Ok(error(&fields))
        }
        other => Ok(stranger("PostgreSQL", &[other])),
    }
}

pub(crate) fn startup(target: &Target) -> Vec<u8> {
    let user = target.user.as_deref().unwrap_or("postgres");
    let database = target.path.trim_start_matches('/').split('?').next().filter(|name| !name.is_empty());
    let mut body = PROTOCOL_3_0.to_be_bytes().to_vec();
    for word in ["user", user, "database", database.unwrap_or("postgres"), "application_name", "forge"] {
        body.extend(word.bytes().filter(|byte| *byte != 0));
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], &body].concat()
}

/// Fields of a type byte and a text that ends with NUL.
fn error(fields: &[u8]) -> Answer {
    let field = |kind: u8| {
        let mut texts = fields.split(|byte| *byte == 0);
        texts.find(|text| text.first() == Some(&kind)).map(|text| &text[1..])
    };
    let said = text::first_line(field(b'M').unwrap_or_default());
    if field(b'C') == Some(CANNOT_CONNECT_NOW) {
        return Answer::unhealthy(if said.is_empty() { "cannot take connections now".into() } else { said });
    }
    Answer::healthy("Accepting connections").detail(said)
}

#[cfg(test)]
mod tests {
    use super::error;

    #[test]
    fn only_a_server_that_starts_or_stops_is_not_ready() {
        let starting = error(b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0");
        assert!(!starting.healthy, "57P03");
        assert_eq!(starting.message, "the database system is starting up", "its own words");
        let unknown = error(b"SFATAL\0C28000\0Mrole \"me\" does not exist\0\0");
        assert!(unknown.healthy, "it knows that it does not know us");
        assert_eq!(unknown.detail.as_deref(), Some("role \"me\" does not exist"), "its own words");
        assert!(error(b"").healthy, "an error without a word is an answer");
    }
}
