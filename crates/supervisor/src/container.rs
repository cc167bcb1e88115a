//! What a container costs, as its engine tells (<https://docs.docker.com/reference/api/engine/>, `ContainerStats`). What was
//! started with `docker run` is a client that costs nothing; what one wants to know is the container's.

mod engine;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use forge_system::metrics::Sample;
use serde::Deserialize;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::probe;

pub(crate) use engine::engine;

/// Between two questions: what is shown is as fresh as that of processes.
const INTERVAL: Duration = Duration::from_secs(1);

/// After two that were not answered: the container is being made, or there is no engine.
const AGAIN: Duration = Duration::from_secs(5);

const LIMIT: Duration = Duration::from_secs(5);

/// Questions that go on until this is dropped.
#[derive(Debug)]
pub(crate) struct Watched(AbortHandle);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks about the container whose id the client writes into `cidfile`, every second, and reports what it costs.
pub(crate) fn watch(
    engine: PathBuf,
    cidfile: PathBuf,
    report: impl Fn(Option<Sample>) + Send + 'static,
) -> Watched {
    let task = tokio::spawn(async move {
        let (mut last, mut missed) = (None, false);
        loop {
            let told = timeout(LIMIT, ask(&engine, &cidfile)).await.ok().flatten();
            match &told {
                Some(stats) => {
                    report(Some(stats.sample(last)));
                    last = Some((stats.cpu_stats.cpu_usage.total_usage, Instant::now()));
                }
                // Once is a hiccup of the engine: what it said last holds.
                None if !missed => {}
                None => {
                    last = None;
                    report(None);
                }
            }
            let pause = if missed && told.is_none() { AGAIN } else { INTERVAL };
            missed = told.is_none();
            sleep(pause).await;
        }
    });
    Watched(task.abort_handle())
}

async fn ask(engine: &Path, cidfile: &Path) -> Option<Stats> {
    // 64 characters, in the folder of the run.
    let id = std::fs::read_to_string(cidfile).ok()?;
    let id = id.trim();
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric()) {
        return None;
    }
    let url = format!("http://docker/containers/{id}/stats?stream=false&one-shot=true");
    serde_json::from_slice(&probe::fetch_from_socket(engine, &url).await.ok()?).ok()
}

/// As much of it as is of interest; each part may be missing, by engine and by version of control groups.
#[derive(Debug, Deserialize)]
struct Stats {
    cpu_stats: Cpu,
    #[serde(default)]
    memory_stats: Memory,
    #[serde(default)]
    pids_stats: Pids,
    #[serde(default)]
    blkio_stats: Blocks,
    #[serde(default)]
    networks: Option<std::collections::BTreeMap<String, Network>>,
}

#[derive(Debug, Deserialize)]
struct Cpu {
    cpu_usage: CpuUsage,
}

#[derive(Debug, Deserialize)]
struct CpuUsage {
    /// Nanoseconds.
    total_usage: u64,
}

#[derive(Debug, Default, Deserialize)]
struct Memory {
    usage: Option<u64>,
    #[serde(default)]
    stats: std::collections::BTreeMap<String, u64>,
}

#[derive(Debug, Default, Deserialize)]
struct Pids {
    /// Threads, as the kernel counts them for a control group.
    current: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
struct Blocks {
    #[serde(default)]
    io_service_bytes_recursive: Option<Vec<Block>>,
}

#[derive(Debug, Deserialize)]
struct Block {
    op: String,
    value: u64,
}

#[derive(Debug, Deserialize)]
struct Network {
    rx_bytes: u64,
    tx_bytes: u64,
}

impl Stats {
    /// `last`: CPU time at the question before, and when that was.
    fn sample(&self, last: Option<(u64, Instant)>) -> Sample {
        let cpu = self.cpu_stats.cpu_usage.total_usage;
        let cpu_percent = last.map(|(before, then)| {
            100.0 * cpu.saturating_sub(before) as f64 / then.elapsed().as_nanos().max(1) as f64
        });
        // As `docker stats` has it: without the page cache that could be given back.
        let cached = ["total_inactive_file", "inactive_file"]
            .iter()
            .find_map(|name| self.memory_stats.stats.get(*name));
        let blocks = self.blkio_stats.io_service_bytes_recursive.as_ref();
        let moved = |op: &str| {
            let of = |block: &&Block| block.op.eq_ignore_ascii_case(op);
            blocks.map(|blocks| blocks.iter().filter(of).map(|block| block.value).sum())
        };
        let networks = self.networks.as_ref();
        Sample {
            cpu_percent,
            memory_bytes: self.memory_stats.usage.map(|used| used.saturating_sub(*cached.unwrap_or(&0))),
            threads: self.pids_stats.current,
            disk_read_bytes: moved("read"),
            disk_written_bytes: moved("write"),
            net_received_bytes: networks.map(|all| all.values().map(|one| one.rx_bytes).sum()),
            net_sent_bytes: networks.map(|all| all.values().map(|one| one.tx_bytes).sum()),
            ..Sample::default()
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    fn stats(cpu: u64) -> String {
        format!(
            r#"{{"read":"2026-01-01T00:00:00Z","pids_stats":{{"current":7}},
            "blkio_stats":{{"io_service_bytes_recursive":[{{"major":8,"minor":0,"op":"read","value":100}},
                {{"major":8,"minor":0,"op":"write","value":200}},{{"major":9,"minor":0,"op":"Write","value":3}}]}},
            "cpu_stats":{{"cpu_usage":{{"total_usage":{cpu}}},"system_cpu_usage":1}},
            "memory_stats":{{"usage":5000,"stats":{{"inactive_file":10,"total_inactive_file":1000,"anon":1}},"limit":9}},
            "networks":{{"eth0":{{"rx_bytes":10,"tx_bytes":20}},"eth1":{{"rx_bytes":1,"tx_bytes":2}}}}}}"#
        )
    }

    #[tokio::test]
    async fn an_engine_tells_what_the_container_of_a_cidfile_costs() {
        let folder = tempfile::tempdir().unwrap();
        let (socket, cidfile) = (folder.path().join("docker.sock"), folder.path().join("cid"));
        let listener = UnixListener::bind(&socket).unwrap();
        std::fs::write(&cidfile, "abc123\n").unwrap();
        let engine = tokio::spawn(async move {
            let mut asked = Vec::new();
            for number in 0..2 {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).await.unwrap();
                asked.push(String::from_utf8_lossy(&request[..read]).into_owned());
                let body = stats(number * 10_000_000_000);
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let watched = watch(socket, cidfile, move |sample| _ = sender.send(sample));
        let first = told.recv().await.unwrap().expect("figures");
        assert_eq!(
            (first.cpu_percent, first.memory_bytes, first.threads),
            (None, Some(4000), Some(7)),
            "{first:?}"
        );
        assert_eq!((first.disk_read_bytes, first.disk_written_bytes), (Some(100), Some(203)), "{first:?}");
        assert_eq!((first.net_received_bytes, first.net_sent_bytes), (Some(11), Some(22)), "{first:?}");
        let second = told.recv().await.unwrap().expect("figures");
        assert!(second.cpu_percent.is_some_and(|percent| percent > 50.0), "10 s of CPU since: {second:?}");
        let asked = engine.await.unwrap();
        assert!(asked[0].starts_with("GET /containers/abc123/stats?stream=false"), "{asked:?}");
        drop(watched);
    }

    #[tokio::test]
    async fn without_an_engine_or_an_id_there_are_no_figures() {
        let folder = tempfile::tempdir().unwrap();
        for id in ["", "../../etc/passwd", "abc123"] {
            let cidfile = folder.path().join("cid");
            std::fs::write(&cidfile, id).unwrap();
            assert!(ask(&folder.path().join("none.sock"), &cidfile).await.is_none(), "{id}");
        }
    }

    #[test]
    fn an_engine_that_tells_little_is_believed_that_little() {
        let stats: Stats = serde_json::from_str(
            r#"{"cpu_stats":{"cpu_usage":{"total_usage":1}},"networks":null,
                "blkio_stats":{"io_service_bytes_recursive":null}}"#,
        )
        .unwrap();
        assert_eq!(stats.sample(None), Sample::default(), "nothing is null, not zero");
    }
}
