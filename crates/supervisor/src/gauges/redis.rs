//! Redis: `INFO` (<https://redis.io/docs/latest/commands/info/>).

use forge_api::{Gauge, GaugeUnit};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Refused, gauge};
use crate::probe::{self, redis_command};

/// `INFO` is some kilobytes.
const LONGEST: u64 = 256 * 1024;

/// What servers since version 6 say to a password that they do not have, and those before.
const WITHOUT_PASSWORD: [&str; 2] = ["without any password configured", "no password is set"];

pub(super) async fn ask(url: &str) -> Result<Vec<Gauge>, Refused> {
    let (target, mut stream) = probe::connect(url, 6379).await.map_err(Refused::Now)?;
    let mut words = vec!["AUTH"];
    words.extend(target.user.as_deref());
    let mut said = Vec::new();
    if let Some(password) = &target.password {
        words.push(password);
        said.extend(redis_command(&words));
    }
    said.extend(redis_command(&["INFO"]));
    stream.write_all(&said).await?;
    let mut reader = BufReader::new(stream).take(LONGEST);
    if target.password.is_some() {
        let answer = line(&mut reader).await?;
        // Of a server that has no password, the question is answered all the same.
        if answer.starts_with('-') && !WITHOUT_PASSWORD.iter().any(|words| answer.contains(words)) {
            return Err(refused(&answer));
        }
    }
    let head = line(&mut reader).await?;
    if head.starts_with('-') {
        return Err(refused(&head));
    }
    let length: u64 = head
        .strip_prefix('$')
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| Refused::Now(format!("it said {head}")))?;
    let mut info = Vec::new();
    reader.take(length).read_to_end(&mut info).await?;
    Ok(gauges(&String::from_utf8_lossy(&info)))
}

/// Whom it lets in does not change; that it has too many clients does, for example.
fn refused(error: &str) -> Refused {
    const WHOM: [&str; 4] = ["-WRONGPASS", "-NOAUTH", "-NOPERM", "-ERR invalid password"];
    if WHOM.iter().any(|words| error.starts_with(words)) {
        Refused::ForGood
    } else {
        Refused::Now(format!("it said {}", error.trim_start_matches('-')))
    }
}

async fn line(reader: &mut tokio::io::Take<BufReader<TcpStream>>) -> std::io::Result<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// Lines of `name:value`.
fn gauges(info: &str) -> Vec<Gauge> {
    let number = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().parse::<f64>().ok().filter(|number| number.is_finite())
    };
    let some = |limit: f64| (limit > 0.0).then_some(limit);
    let mut gauges = Vec::new();
    if let Some(clients) = number("connected_clients") {
        // The one that asks is one of them.
        let clients = (clients - 1.0).max(0.0);
        gauges.push(gauge("connections", GaugeUnit::Number, clients, number("maxclients").and_then(some)));
    }
    if let (Some(hits), Some(misses)) = (number("keyspace_hits"), number("keyspace_misses"))
        && hits + misses > 0.0
    {
        gauges.push(gauge("keyspace hit rate", GaugeUnit::Percent, 100.0 * hits / (hits + misses), None));
    }
    if let Some(used) = number("used_memory") {
        gauges.push(gauge("used memory", GaugeUnit::Bytes, used, number("maxmemory").and_then(some)));
    }
    gauges
}

#[cfg(test)]
mod tests {
    use super::gauges;

    #[test]
    fn what_info_tells_becomes_gauges() {
        let info = "# Clients\r\nconnected_clients:4\r\nmaxclients:10000\r\n# Memory\r\nused_memory:1024\r\n\
                    used_memory_human:1K\r\nmaxmemory:0\r\nkeyspace_hits:3\r\nkeyspace_misses:1\r\n";
        let told: Vec<_> = gauges(info).into_iter().map(|one| (one.name, one.value, one.maximum)).collect();
        let expected = [
            ("connections".to_owned(), Some(3.0), Some(10_000.0)),
            ("keyspace hit rate".to_owned(), Some(75.0), None),
            ("used memory".to_owned(), Some(1024.0), None),
        ];
        assert_eq!(told, expected, "without the one that asks; no limit is none");
        assert_eq!(gauges("connected_clients:x\nkeyspace_hits:0\nkeyspace_misses:0\n"), [], "no numbers");
    }
}
