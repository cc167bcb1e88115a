//! PostgreSQL: one query over the simple protocol
//! (<https://www.postgresql.org/docs/current/protocol-message-formats.html>), after a login without a password, with one
//! in clear over the loopback, by MD5 as servers up to version 13 ask for it, or by SCRAM-SHA-256 (RFC 5802, RFC 7677).
//!
//! Each time a new connection: one that stayed would stand in the way of `DROP DATABASE`.

use std::num::NonZeroU32;

use forge_api::{Gauge, GaugeUnit};
use forge_keeper::base64;
use md5::{Digest, Md5};
use ring::{digest, hmac, pbkdf2};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Refused, gauge};
use crate::probe::{self, Target, postgres_startup};

/// The longest message that is read.
const LONGEST: usize = 64 * 1024;

/// Messages until the answer is complete; servers send a dozen parameters first.
const MOST_MESSAGES: usize = 200;

/// RFC 7677 wants 4096 at least; so many take a tenth of a second.
const MOST_ITERATIONS: u32 = 200_000;

/// Of sessions of others an ordinary role sees the database and the user, and nothing else.
const QUERY: &str = "SELECT \
    (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL AND usesysid IS NOT NULL \
        AND coalesce(backend_type, 'client backend') = 'client backend' AND pid <> pg_backend_pid()), \
    current_setting('max_connections'), \
    (SELECT sum(blks_hit) * 100.0 / nullif(sum(blks_hit) + sum(blks_read), 0) FROM pg_stat_database)";

pub(super) async fn ask(url: &str) -> Result<Vec<Gauge>, Refused> {
    let (target, mut stream) = probe::connect(url, 5432).await.map_err(Refused::Now)?;
    stream.write_all(&postgres_startup(&target)).await?;
    log_in(&mut stream, &target).await?;
    let mut query = QUERY.as_bytes().to_vec();
    query.push(0);
    send(&mut stream, b'Q', &query).await?;
    let mut gauges = Vec::new();
    for _ in 0..MOST_MESSAGES {
        match receive(&mut stream).await? {
            (b'D', row) => gauges = self::gauges(&columns(&row)),
            (b'E', fields) => return Err(Refused::Now(error(&fields))),
            // Before the query it may be ready too.
            (b'Z', _) if !gauges.is_empty() => break,
            _ => {}
        }
    }
    let _ = send(&mut stream, b'X', &[]).await;
    Ok(gauges)
}

async fn log_in(stream: &mut TcpStream, target: &Target) -> Result<(), Refused> {
    let mut scram: Option<Scram> = None;
    for _ in 0..MOST_MESSAGES {
        let (kind, body) = receive(stream).await?;
        let asked = body.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let more = body.get(4..).unwrap_or_default();
        match (kind, asked) {
            (b'R', Some(0)) => return Ok(()),
            (b'R', Some(3)) if target.is_loopback() => {
                let mut password = password(stream, target).await?.as_bytes().to_vec();
                password.push(0);
                send(stream, b'p', &password).await?;
            }
            (b'R', Some(5)) => {
                let salt = more.get(..4).ok_or(Refused::ForGood)?;
                let user = target.user.as_deref().unwrap_or("postgres");
                let answer = md5_answer(user, password(stream, target).await?, salt);
                send(stream, b'p', answer.as_bytes()).await?;
            }
            (b'R', Some(10)) if more.split(|byte| *byte == 0).any(|name| name == b"SCRAM-SHA-256") => {
                let password = password(stream, target).await?;
                let begun = Scram::new(password, uuid::Uuid::new_v4().simple().to_string());
                let first = begun.first();
                let length = u32::try_from(first.len()).unwrap_or_default().to_be_bytes();
                send(stream, b'p', &[b"SCRAM-SHA-256\0", &length[..], first.as_bytes()].concat()).await?;
                scram = Some(begun);
            }
            (b'R', Some(11)) => {
                let said = String::from_utf8_lossy(more).into_owned();
                let last = scram.as_ref().and_then(|scram| scram.last(&said)).ok_or(Refused::ForGood)?;
                send(stream, b'p', last.as_bytes()).await?;
            }
            // The server's own proof: we tell it nothing, and take from it numbers to look at.
            (b'R', Some(12)) => {}
            // 57P03: it starts, or stops.
            (b'E', _) if body.windows(6).any(|field| field == b"C57P03") => {
                return Err(Refused::Now(error(&body)));
            }
            // 3D000: the database is not made yet.
            (b'E', _) if body.windows(6).any(|field| field == b"C3D000") => {
                return Err(Refused::Now(error(&body)));
            }
            // 53300: too many connections. The gauge would be of interest, but nobody is let in.
            (b'E', _) if body.windows(6).any(|field| field == b"C53300") => {
                return Err(Refused::Now(error(&body)));
            }
            (b'R' | b'E', _) => {
                let _ = send(stream, b'X', &[]).await;
                return Err(Refused::ForGood);
            }
            _ => {}
        }
    }
    Err(Refused::Now("it talks on and on".to_owned()))
}

/// `md5` and what `md5(md5(password user) salt)` is in PostgreSQL's terms, with the zero at the end.
fn md5_answer(user: &str, password: &str, salt: &[u8]) -> String {
    let hex = |bytes: &[u8]| -> String {
        let digest = Md5::digest(bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let inner = hex(&[password.as_bytes(), user.as_bytes()].concat());
    format!("md5{}\0", hex(&[inner.as_bytes(), salt].concat()))
}

async fn password<'t>(stream: &mut TcpStream, target: &'t Target) -> Result<&'t str, Refused> {
    if target.password.is_none() {
        // Without it the server's log would tell of a client that vanished.
        let _ = send(stream, b'X', &[]).await;
    }
    target.password.as_deref().ok_or(Refused::ForGood)
}

async fn send(stream: &mut TcpStream, kind: u8, body: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    stream.write_all(&[&[kind], &length.to_be_bytes()[..], body].concat()).await
}

async fn receive(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await?;
    let length = (stream.read_u32().await? as usize).saturating_sub(4);
    if length > LONGEST {
        return Err(std::io::Error::other("what answers there is not PostgreSQL"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok((kind, body))
}

/// Of a `DataRow`; `NULL` and what is no number are `None`.
fn columns(row: &[u8]) -> Vec<Option<f64>> {
    let mut columns = Vec::new();
    let mut rest = row.get(2..).unwrap_or_default();
    while let Some(length) = rest.first_chunk().map(|bytes| i32::from_be_bytes(*bytes)) {
        rest = rest.get(4..).unwrap_or_default();
        // -1 is NULL, and nothing follows.
        let length = usize::try_from(length).unwrap_or(0);
        let text = rest.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
        columns.push(text.and_then(|text| text.parse().ok()).filter(|number: &f64| number.is_finite()));
        rest = rest.get(length..).unwrap_or_default();
    }
    columns
}

fn gauges(columns: &[Option<f64>]) -> Vec<Gauge> {
    let [connections, maximum, rate] = columns else { return Vec::new() };
    let connections = connections.map(|count| gauge("connections", GaugeUnit::Number, count, *maximum));
    let rate = rate.map(|rate| gauge("cache hit rate", GaugeUnit::Percent, rate, None));
    connections.into_iter().chain(rate).collect()
}

/// The message of an `ErrorResponse`.
fn error(fields: &[u8]) -> String {
    let text = fields.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"M"));
    String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
}

/// The client's side of SCRAM-SHA-256, without channel binding.
struct Scram {
    password: String,
    /// Without the header: `n=,r=…`. PostgreSQL takes the name from the start-up message.
    bare: String,
    nonce: String,
}

impl Scram {
    fn new(password: &str, nonce: String) -> Self {
        Self { password: password.to_owned(), bare: format!("n=,r={nonce}"), nonce }
    }

    fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The answer to the server's first message. `None` if that is none, or asks for more work than one should do.
    fn last(&self, server: &str) -> Option<String> {
        let field =
            |key: &str| server.split(',').find_map(|field| field.strip_prefix(key)?.strip_prefix('='));
        let nonce = field("r").filter(|nonce| nonce.starts_with(&self.nonce))?;
        let salt = base64::decode(field("s")?)?;
        let iterations: u32 = field("i")?.parse().ok().filter(|count| *count <= MOST_ITERATIONS)?;
        let mut salted = [0; digest::SHA256_OUTPUT_LEN];
        let iterations = NonZeroU32::new(iterations)?;
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, self.password.as_bytes(), &mut salted);
        let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
        let client_key = sign(&salted, b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
        // `biws` is the header `n,,`.
        let bare = format!("c=biws,r={nonce}");
        let signature = sign(stored_key.as_ref(), format!("{},{server},{bare}", self.bare).as_bytes());
        let proof: Vec<u8> =
            client_key.as_ref().iter().zip(signature.as_ref()).map(|(key, sign)| key ^ sign).collect();
        Some(format!("{bare},p={}", base64::encode(&proof)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7677_is_answered_as_it_says() {
        // Its user is named in the first message, which PostgreSQL leaves out.
        let scram = Scram {
            password: "pencil".into(),
            bare: "n=user,r=rOprNGfwEbeRWgbNEkqO".into(),
            nonce: "rOprNGfwEbeRWgbNEkqO".into(),
        };
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let last = scram.last(server);
        let expected = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(last.as_deref(), Some(expected), "the proof");
        for server in
            ["", "r=other,s=AAAA,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=0", "r=rOprNGfwEbeRWgbNEkqOx,s=A"]
        {
            assert_eq!(scram.last(server), None, "{server}");
        }
    }

    #[test]
    fn a_password_is_answered_by_md5_with_the_servers_salt() {
        assert_eq!(md5_answer("postgres", "secret", &[1, 2, 3, 4]), "md5bb41a296aab6baccb36ff243a562abff\0");
    }

    #[test]
    fn a_row_is_read_and_one_that_is_cut_short_does_no_harm() {
        let row = b"\0\x03\0\0\0\x013\0\0\0\x03100\xff\xff\xff\xff";
        assert_eq!(columns(row), [Some(3.0), Some(100.0), None], "a NULL at the end");
        let told: Vec<_> = gauges(&columns(row)).into_iter().map(|one| (one.value, one.maximum)).collect();
        assert_eq!(told, [(Some(3.0), Some(100.0))], "no rate yet");
        for length in 0..row.len() {
            let _ = gauges(&columns(&row[..length]));
        }
    }
}
