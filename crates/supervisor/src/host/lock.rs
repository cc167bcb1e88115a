//! One supervisor a user and home: a lock on a file of our own, held for life.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::time::{Duration, Instant};

use forge_api::{Code, Error, HandOver, Hello, HelloAnswer, Operation, PROTOCOL, wire};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::already_running;
use crate::endpoint;
use crate::home::Home;

/// How long the supervisor before may take to write down its state and go.
const HAND_OVER: Duration = Duration::from_secs(10);

/// Held for the supervisor's life.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    /// PID of the background supervisor that let go of it for us.
    pub(super) before: Option<u32>,
}

/// One that was killed a moment ago lets go of it once the system has cleared up behind it.
const DYING: Duration = Duration::from_millis(500);

/// Gets the lock, from a background supervisor by its leave, unless we are a background one too.
pub(super) async fn acquire(home: &Home, background: bool) -> Result<Lock, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let path = home.lock();
    let mut file = options.open(&path).map_err(|error| Error::system(path.display(), error))?;
    let mut before = None;
    if !try_lock(&file)? {
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        let holder: u32 = holder.trim().parse().unwrap_or(0);
        let patience = if background {
            DYING
        } else {
            before = take_over(home, holder).await?;
            HAND_OVER
        };
        let deadline = Instant::now() + patience;
        while !try_lock(&file)? {
            if Instant::now() > deadline {
                let stays = || format!("the supervisor before (PID {holder}) does not end");
                return Err(match background {
                    true => already_running(holder),
                    false => Error::new(Code::AlreadyRunning, stays()),
                });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    note_pid(&file);
    Ok(Lock { _file: file, before })
}

fn try_lock(file: &File) -> Result<bool, Error> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::system("the supervisor's lock", error)),
    }
}

/// For people; the lock itself is what counts.
fn note_pid(mut file: &File) {
    use std::io::{Seek, Write};
    let _ =
        file.rewind().and_then(|()| file.set_len(0)).and_then(|()| writeln!(file, "{}", std::process::id()));
}

/// Asks the supervisor that runs to let go. Returns its PID, unless it was just ending by itself.
async fn take_over(home: &Home, holder: u32) -> Result<Option<u32>, Error> {
    let connected = tokio::time::timeout(HAND_OVER, endpoint::connect(home)).await;
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        // It is just ending, or has not begun to listen yet: the lock tells.
        Ok(Err(_)) | Err(_) => return Ok(None),
    };
    let mut stream = BufReader::new(stream);
    let hello = Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() };
    let answer: HelloAnswer = match call(&mut stream, 1, &hello).await {
        Ok(answer) => answer,
        // It ended between two words.
        Err(Unanswered::Gone) => return Ok(None),
        Err(Unanswered::Fault(error)) => return Err(error),
    };
    if !answer.background {
        return Err(already_running(if answer.pid == 0 { holder } else { answer.pid }));
    }
    // Whether or not its answer still comes: the lock tells when it has gone.
    let _ = call(&mut stream, 2, &HandOver {}).await;
    Ok(Some(answer.pid))
}

/// Why there is no answer.
enum Unanswered {
    /// Nobody is at the other end any more.
    Gone,
    Fault(Error),
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

async fn call<O: Operation>(
    stream: &mut BufReader<endpoint::Connection>,
    id: u64,
    operation: &O,
) -> Result<O::Answer, Unanswered> {
    let request = wire::request(id, operation).map_err(|error| Error::system("a request", error))? + "\n";
    let exchange = async {
        let mut line = String::new();
        stream.get_mut().write_all(request.as_bytes()).await?;
        stream.read_line(&mut line).await?;
        io::Result::Ok(line)
    };
    let line = match tokio::time::timeout(HAND_OVER, exchange).await {
        Ok(Ok(line)) if !line.is_empty() => line,
        Ok(Ok(_) | Err(_)) => return Err(Unanswered::Gone),
        Err(_) => {
            return Err(Error::new(Code::NoSupervisor, "the supervisor that runs does not answer").into());
        }
    };
    let unreadable = |error| Error::system("the answer of the supervisor that runs", error);
    let message: wire::Message = serde_json::from_str(&line).map_err(unreadable)?;
    match (message.result, message.error) {
        (Some(result), _) => Ok(serde_json::from_value(result).map_err(unreadable)?),
        (None, Some(error)) => Err(Error::from(error).into()),
        (None, None) => Err(Error::new(Code::Protocol, "an empty answer of the supervisor that runs").into()),
    }
}
