//! A conversation with the supervisor: requests with answers, and what it tells unasked.
//!
//! One owner, no tasks: whoever holds the [`Client`] reads from it, so a slow terminal slows the supervisor's
//! sending down rather than filling memory here.

mod launch;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use forge_api::wire::{self, WireError};
use forge_api::{Code, Error, Hello, HelloAnswer, Host, Operation, PROTOCOL, Update};
use forge_supervisor::endpoint::{self, Connection};
use forge_supervisor::home::Home;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};

/// For the first answer; a supervisor that hangs is as good as none.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Client {
    reader: BufReader<ReadHalf<Connection>>,
    writer: WriteHalf<Connection>,
    /// Of a line that has not come whole yet.
    partial: Vec<u8>,
    asked: u64,
    /// What was told while an answer was waited for.
    told: VecDeque<Update>,
    peer: HelloAnswer,
    log: String,
}

/// The number of a request whose answer is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pending(u64);

#[derive(Debug)]
pub(crate) enum Incoming {
    Update(Update),
    Answer(Pending, Answer),
}

/// An answer before it is known which operation it belongs to.
#[derive(Debug)]
pub(crate) struct Answer(Result<Box<RawValue>, Error>);

impl Answer {
    /// As the answer of `O`.
    ///
    /// # Errors
    /// The supervisor refused, or answered something else.
    pub(crate) fn of<O: Operation>(self) -> Result<O::Answer, Error> {
        let raw = self.0?;
        serde_json::from_str(raw.get())
            .map_err(|error| protocol(format!("the answer to {}: {error}", O::METHOD)))
    }
}

/// A line from the supervisor. Answers are kept as text until somebody knows their type: pages of logs are large.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    method: Option<String>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<WireError>,
}

/// A supervisor that is being killed or is handing over is gone after as many tries, this far apart.
const RECONNECTS: usize = 40;
const RECONNECT: Duration = Duration::from_millis(25);

impl Client {
    /// The supervisor that runs, or a headless one started now.
    ///
    /// # Errors
    /// None answers and none can be started, or it speaks another protocol.
    pub(crate) async fn connect(home: &Home) -> Result<Self, Error> {
        match Self::connect_if_running(home).await? {
            Some(client) => Ok(client),
            None => launch::launch(home).await,
        }
    }

    /// The supervisor that runs, if one does.
    ///
    /// # Errors
    /// What listens is not ours, does not answer, or speaks another protocol.
    pub(crate) async fn connect_if_running(home: &Home) -> Result<Option<Self>, Error> {
        for _ in 0..RECONNECTS {
            match Self::try_connect(home).await {
                // One that was just killed still took the connection.
                Err(error) if is_lost(&error) => tokio::time::sleep(RECONNECT).await,
                outcome => return outcome,
            }
        }
        Self::try_connect(home).await
    }

    async fn try_connect(home: &Home) -> Result<Option<Self>, Error> {
        let connection = match endpoint::connect(home).await {
            Ok(connection) => connection,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => {
                return Err(Error::new(
                    Code::NoSupervisor,
                    format!("cannot talk to the supervisor at {}: {error}", home.socket().display()),
                )
                .help("`forge doctor` looks at folders and socket"));
            }
        };
        Self::greet(connection, home).await.map(Some)
    }

    async fn greet(connection: Connection, home: &Home) -> Result<Self, Error> {
        let (reader, writer) = tokio::io::split(connection);
        let mut client = Self {
            reader: BufReader::with_capacity(64 << 10, reader),
            writer,
            partial: Vec::new(),
            asked: 0,
            told: VecDeque::new(),
            peer: HelloAnswer {
                protocol: PROTOCOL,
                version: String::new(),
                pid: 0,
                host: Host::Serve,
                background: false,
                held: 0,
            },
            log: home.own_log().display().to_string(),
        };
        let hello = Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() };
        client.peer = match tokio::time::timeout(HELLO_LIMIT, client.call(&hello)).await {
            Ok(answer) => answer?,
            Err(_) => {
                return Err(Error::new(
                    Code::NoSupervisor,
                    format!(
                        "the supervisor took the connection but did not answer within {} s",
                        HELLO_LIMIT.as_secs()
                    ),
                )
                .help(format!("its log is {}", client.log)));
            }
        };
        if client.peer.protocol == PROTOCOL { Ok(client) } else { Err(mismatch(&client.peer)) }
    }

    /// Who answers.
    pub(crate) fn peer(&self) -> &HelloAnswer {
        &self.peer
    }

    /// Asks and waits for the answer; what is told meanwhile is kept for [`Self::next`].
    ///
    /// # Errors
    /// The supervisor's own, or the connection is lost.
    pub(crate) async fn call<O: Operation>(&mut self, operation: &O) -> Result<O::Answer, Error> {
        let pending = self.ask(operation).await?;
        loop {
            match self.receive().await? {
                Incoming::Answer(id, answer) if id == pending => return answer.of::<O>(),
                // Of a request that nobody waits for any more.
                Incoming::Answer(..) => {}
                Incoming::Update(update) => self.told.push_back(update),
            }
        }
    }

    /// Asks without waiting: the answer comes out of [`Self::next`].
    ///
    /// # Errors
    /// The connection is lost.
    pub(crate) async fn ask<O: Operation>(&mut self, operation: &O) -> Result<Pending, Error> {
        self.asked += 1;
        let mut line = wire::request(self.asked, operation).map_err(|error| protocol(error.to_string()))?;
        line.push('\n');
        match self.writer.write_all(line.as_bytes()).await {
            Ok(()) => Ok(Pending(self.asked)),
            Err(error) => Err(self.lost(&error.to_string())),
        }
    }

    /// The next thing that comes. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The connection is lost, or what comes is no message.
    pub(crate) async fn next(&mut self) -> Result<Incoming, Error> {
        if let Some(update) = self.told.pop_front() {
            return Ok(Incoming::Update(update));
        }
        self.receive().await
    }

    async fn receive(&mut self) -> Result<Incoming, Error> {
        loop {
            let incoming = {
                self.read_line().await?;
                parse(&self.partial)
            };
            self.partial.clear();
            if let Some(incoming) = incoming? {
                return Ok(incoming);
            }
        }
    }

    /// Fills `partial` up to a line feed, which is left out.
    async fn read_line(&mut self) -> Result<(), Error> {
        loop {
            let chunk = match self.reader.fill_buf().await {
                Ok([]) => return Err(self.lost("it closed the connection")),
                Ok(chunk) => chunk,
                Err(error) => return Err(self.lost(&error.to_string())),
            };
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(chunk.len());
            self.partial.extend_from_slice(&chunk[..taken]);
            self.reader.consume(end.map_or(taken, |end| end + 1));
            if end.is_some() {
                return Ok(());
            }
            if self.partial.len() > wire::MAX_LINE {
                return Err(protocol(format!("a message of more than {} MiB", wire::MAX_LINE >> 20)));
            }
        }
    }

    fn lost(&self, why: &str) -> Error {
        let pid = self.peer.pid;
        let who = if pid == 0 { "the supervisor".to_owned() } else { format!("the supervisor (PID {pid})") };
        Error::new(Code::NoSupervisor, format!("lost {who}: {why}"))
            .help(format!(
                "the processes go on; run the command again and a supervisor finds them. Its log is {}",
                self.log
            ))
            .details(serde_json::json!({ LOST: true }))
    }
}

/// In an error's details: the supervisor was there and is gone, killed perhaps. Another try finds or starts the next one.
const LOST: &str = "lost";

/// The connection broke, and nothing else was wrong.
pub(crate) fn is_lost(error: &Error) -> bool {
    error.details.as_ref().is_some_and(|details| details.get(LOST).is_some())
}

/// `None`: something that this version does not know, and need not.
fn parse(line: &[u8]) -> Result<Option<Incoming>, Error> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| protocol(error.to_string()))?;
    if line.method.as_deref() == Some(wire::UPDATE) {
        let update = line.params.and_then(|params| serde_json::from_str(params.get()).ok());
        return Ok(update.map(Incoming::Update));
    }
    let result = match (line.error, line.result) {
        (Some(error), _) => Err(error.into()),
        (None, Some(result)) => Ok(result.to_owned()),
        (None, None) => return Ok(None),
    };
    match (line.id, result) {
        (Some(id), result) => Ok(Some(Incoming::Answer(Pending(id), Answer(result)))),
        // It could not even read what we asked.
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Ok(None),
    }
}

fn protocol(message: String) -> Error {
    Error::new(
        Code::Protocol,
        format!("the supervisor said something that is not of this interface: {message}"),
    )
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn mismatch(peer: &HelloAnswer) -> Error {
    let host = match peer.host {
        Host::Serve => "forge serve",
        Host::Desktop => "the desktop app",
    };
    let message = format!(
        "the supervisor ({host}, PID {}, version {}) speaks protocol {}, this forge (version {}) speaks {PROTOCOL}",
        peer.pid,
        peer.version,
        peer.protocol,
        env!("CARGO_PKG_VERSION"),
    );
    let help = if peer.protocol < PROTOCOL {
        format!("end the older one (it leaves its processes running): kill {}; then run this again", peer.pid)
    } else {
        "upgrade this forge to the supervisor's version".to_owned()
    };
    Error::new(Code::NoSupervisor, message).help(help)
}

#[cfg(test)]
mod tests {
    use forge_api::{Done, GetStatus, Stop};

    use super::*;

    #[test]
    fn answers_keep_the_supervisors_error() {
        let error = Error::new(Code::NotFound, "no process `x`").help("`forge status` lists them");
        let line = wire::answer::<serde_json::Value>(&7.into(), &Err(error.clone().into()));
        match parse(line.as_bytes()) {
            Ok(Some(Incoming::Answer(Pending(7), answer))) => {
                assert_eq!(answer.of::<Stop>().err(), Some(error), "the same error");
            }
            other => panic!("{other:?}"),
        }
    }

    #[cfg(unix)]
    mod conversation {
        use tokio::net::UnixStream;

        use super::*;

        /// What a supervisor says when `lines` come in, one after the other.
        async fn supervisor(stream: UnixStream, answers: Vec<String>) {
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            for answer in answers {
                lines.next_line().await.expect("read").expect("a request");
                writer.write_all(answer.as_bytes()).await.expect("written");
            }
        }

        fn hello(protocol: u32) -> String {
            let hello = HelloAnswer {
                protocol,
                version: "0.1.0".to_owned(),
                pid: 4711,
                host: Host::Serve,
                background: true,
                held: 0,
            };
            format!("{}\n", wire::answer(&1.into(), &Ok(serde_json::to_value(hello).expect("JSON"))))
        }

        async fn client(answers: Vec<String>) -> Result<Client, Error> {
            let (ours, theirs) = UnixStream::pair().expect("a pair");
            tokio::spawn(supervisor(theirs, answers));
            let home = Home::below(&std::env::temp_dir().join("forge-nobody-home"));
            Client::greet(ours, &home).await
        }

        #[tokio::test]
        async fn updates_before_an_answer_are_kept_in_their_order() {
            let lagged = wire::update(&Update::Lagged {});
            let closed = wire::update(&Update::TerminalClosed { message: "exit 0".to_owned() });
            let done = wire::answer(&2.into(), &Ok(serde_json::json!({"stopped": [], "survivors": []})));
            let mut client =
                client(vec![hello(PROTOCOL), format!("{lagged}\n{closed}\n{done}\n")]).await.expect("hello");
            client.call(&Stop::default()).await.expect("stopped");
            let mut told = Vec::new();
            for _ in 0..2 {
                match client.next().await {
                    Ok(Incoming::Update(update)) => told.push(update),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(
                told,
                [Update::Lagged {}, Update::TerminalClosed { message: "exit 0".to_owned() }],
                "in order"
            );
        }

        #[tokio::test]
        async fn another_protocol_is_refused_with_exit_4() {
            let error = client(vec![hello(PROTOCOL + 1)]).await.expect_err("refused");
            assert_eq!((error.code, error.code.exit_code()), (Code::NoSupervisor, 4), "{error}");
        }

        #[tokio::test]
        async fn a_lost_supervisor_is_said_to_be_lost() {
            let mut client = client(vec![hello(PROTOCOL)]).await.expect("hello");
            let error = client.call(&Stop::default()).await.expect_err("lost");
            assert_eq!(error.code, Code::NoSupervisor, "{error}");
        }

        #[tokio::test]
        async fn a_message_without_end_is_cut_off() {
            let endless = "x".repeat(wire::MAX_LINE + 2);
            let mut client = client(vec![hello(PROTOCOL), endless]).await.expect("hello");
            let error = client.call(&Stop::default()).await.expect_err("cut off");
            assert_eq!(error.code, Code::Protocol, "{error}");
        }
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        for line in [
            r#"{"jsonrpc":"2.0","method":"update","params":{"update":"from_the_future"}}"#,
            r#"{"jsonrpc":"2.0","method":"other","params":[]}"#,
        ] {
            assert!(matches!(parse(line.as_bytes()), Ok(None)), "{line}");
        }
        assert!(parse(b"no JSON").is_err(), "garbage is an error");
    }

    #[test]
    fn an_answer_of_another_shape_is_a_protocol_error() {
        let line = wire::answer(&1.into(), &Ok(serde_json::to_value(Done {}).expect("JSON")));
        let Ok(Some(Incoming::Answer(_, answer))) = parse(line.as_bytes()) else { panic!("no answer") };
        assert_eq!(answer.of::<GetStatus>().map_err(|error| error.code), Err(Code::Protocol), "refused");
    }

    #[test]
    fn a_mismatch_says_which_versions_and_what_to_do() {
        let peer = HelloAnswer {
            protocol: 0,
            version: "0.0.9".to_owned(),
            pid: 4711,
            host: Host::Desktop,
            background: false,
            held: 3,
        };
        let error = mismatch(&peer);
        assert_eq!(error.code.exit_code(), 4, "no answer from the supervisor");
        insta::assert_snapshot!(format!("{error}\n{}", error.help.clone().unwrap_or_default()));
    }
}
