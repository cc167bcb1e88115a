//! The real redis-server and PostgreSQL, where they are installed.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use forge_config::model::{self, Probe};

use super::{asked, closed_port, here};
use crate::probe::{Answer, Context};

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Server {
    fn psql(&self, port: u16, user: &str) -> Command {
        let mut psql = Command::new(program("psql", &postgres_folders()).expect("it comes with the server"));
        psql.args(["-X", "-q", "-h", "127.0.0.1", "-U", user, "-p"]).arg(port.to_string()).arg("postgres");
        psql.stdin(Stdio::piped());
        psql
    }

    /// As its superuser.
    pub(crate) fn sql(&self, port: u16, text: &str) {
        let done = self.psql(port, "postgres").args(["-c", text]).status().expect("psql runs");
        assert!(done.success(), "{text}");
    }

    /// Somebody who is connected until this is dropped.
    pub(crate) fn session(&self, port: u16, user: &str) -> Session {
        Session(self.psql(port, user).spawn().expect("psql runs"))
    }
}

/// A client that says nothing.
pub(crate) struct Session(Child);

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            // PostgreSQL's fast shutdown, so that it takes its workers along; redis knows it too.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first place where a program is.
fn program(name: &str, more: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(more.iter().cloned());
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    if found.is_none() {
        forge_tests::skip("a check with a real server", &format!("{name} is not installed"));
    }
    found
}

/// Asks until it is healthy, and says what was answered before.
pub(crate) async fn healthy(probe: &Probe, server: &mut Server) -> Answer {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = asked(probe).await;
        if answer.healthy {
            return answer;
        }
        let ended = server.child.try_wait().expect("its state");
        assert!(ended.is_none() && Instant::now() < deadline, "{probe:?}: {answer:?}, ended: {ended:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Asks until there is an answer.
pub(crate) async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "no answer");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn redis(port: u16, more: &[&str]) -> Option<Server> {
    let folder = tempfile::tempdir().expect("a folder");
    let child = Command::new(program("redis-server", &[])?)
        .args(["--bind", "127.0.0.1", "--save", "", "--port"])
        .arg(port.to_string())
        .args(more)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server starts");
    Some(Server { child, folder })
}

#[tokio::test]
async fn redis_answers_with_and_without_a_password() {
    let port = closed_port().await;
    let Some(mut server) = redis(port, &[]) else { return };
    let probe = Probe::Redis(format!("redis://localhost:{port}"));
    assert_eq!(healthy(&probe, &mut server).await, Answer::healthy("PONG received"), "open");

    let port = closed_port().await;
    let Some(mut server) = redis(port, &["--requirepass", "top secret"]) else { return };
    for (user, message) in [
        (":top%20secret@", "PONG received"),
        ("default:top%20secret@", "PONG received"),
        ("", "Alive, asks for a password"),
        (":wrong@", "Alive, but refuses the password"),
    ] {
        let probe = Probe::Redis(format!("redis://{user}127.0.0.1:{port}/0"));
        assert_eq!(healthy(&probe, &mut server).await.message, message, "{user}");
    }
}

/// Where Debian, Fedora and Homebrew keep what is not on the PATH.
fn postgres_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).collect()
}

/// PostgreSQL refuses to be root.
fn as_anybody(program: &Path) -> Option<Command> {
    if !rustix::process::geteuid().is_root() {
        return Some(Command::new(program));
    }
    let mut command = Command::new(self::program("setpriv", &[])?);
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    Some(command)
}

pub(crate) fn postgres(port: u16) -> Option<Server> {
    postgres_with(port, |_| vec!["--auth=trust".to_owned()])
}

/// With what `initdb` is to be told; it may need a file in the folder.
pub(crate) fn postgres_with(port: u16, more: impl FnOnce(&Path) -> Vec<String>) -> Option<Server> {
    let folder = tempfile::tempdir_in("/tmp").expect("a folder");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(folder.path(), Some(65534), Some(65534)).expect("the folder is given away");
    }
    let (cluster, sockets) = (folder.path().join("data"), folder.path());
    let made = as_anybody(&program("initdb", &postgres_folders())?)?
        .args(more(folder.path()))
        .args(["--username=postgres", "--no-sync", "--pgdata"])
        .arg(&cluster)
        .current_dir(folder.path())
        .output()
        .expect("initdb runs");
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let child = as_anybody(&program("postgres", &postgres_folders())?)?
        .args(["-c", "fsync=off", "-h", "127.0.0.1", "-p"])
        .arg(port.to_string())
        .arg("-D")
        .arg(&cluster)
        .arg("-k")
        .arg(sockets)
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .spawn()
        .expect("postgres starts");
    Some(Server { child, folder })
}

#[tokio::test]
async fn postgres_accepts_connections() {
    let port = closed_port().await;
    let Some(mut server) = postgres(port) else { return };
    for user in ["", "postgres@", "nobody:secret@"] {
        let probe = Probe::Postgres(format!("postgres://{user}localhost:{port}/postgres"));
        assert_eq!(healthy(&probe, &mut server).await.message, "Accepting connections", "{user}");
    }
    let Some(pg_isready) = program("pg_isready", &postgres_folders()) else { return };
    let mut context = here();
    context.env.extend(
        [("PGPORT", port.to_string()), ("PGHOST", "127.0.0.1".into())].map(|(k, v)| (k.to_owned(), v)),
    );
    let probe = Probe::Exec(model::Command::Exec(vec![pg_isready.display().to_string()]));
    let answer = isready(&probe, &context).await;
    assert_eq!((answer.healthy, answer.message.as_str()), (true, "Accepting connections"), "pg_isready");
    assert!(server.folder.path().join("data/PG_VERSION").exists(), "it was this cluster");
    drop(server);
    let answer = isready(&probe, &context).await;
    assert_eq!(
        answer.message,
        format!("the health check's command exited with 2: 127.0.0.1:{port} - no response"),
        "after its end"
    );
}

async fn isready(probe: &Probe, context: &Context) -> Answer {
    crate::probe::ask(probe, super::LIMIT, context).await
}
