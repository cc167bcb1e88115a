//! JSON-RPC on the supervisor's socket, by hand.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::DEADLINE;

/// A connection that has said hello.
#[derive(Debug)]
pub struct Rpc {
    stream: BufReader<UnixStream>,
    id: u64,
    /// Updates that came while an answer was waited for.
    kept: Vec<Value>,
    /// The answer to `hello`.
    pub hello: Value,
}

impl Rpc {
    /// Connects to the socket at `path` and says hello.
    ///
    /// # Errors
    /// Nobody listens there, or what does is no supervisor.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let mut connection = Self::connect_raw(path)?;
        let hello = connection.call("hello", json!({"protocol": 1, "version": "test"}))?;
        connection.hello = hello.get("result").cloned().ok_or_else(|| io::Error::other(hello.to_string()))?;
        Ok(connection)
    }

    /// Connects and says nothing.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect_raw(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        Ok(Self { stream: BufReader::new(stream), id: 0, kept: Vec::new(), hello: Value::Null })
    }

    /// Sends a request, and returns the whole message that answers it. Updates in between are kept for [`Self::update`].
    ///
    /// # Errors
    /// The connection ended, or no answer came.
    pub fn call(&mut self, method: &str, params: Value) -> io::Result<Value> {
        self.id += 1;
        self.send_line(
            &json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}).to_string(),
        )?;
        loop {
            let message = self.read()?;
            if message["id"] == self.id {
                return Ok(message);
            }
            self.kept.push(message);
        }
    }

    /// Sends a request, and returns what it is answered with.
    ///
    /// # Panics
    /// It is refused.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).unwrap_or_else(|error| panic!("{method}: {error}"));
        assert!(answer["error"].is_null(), "{method} was refused: {answer}");
        answer["result"].clone()
    }

    /// The next update that is `wanted`; others are passed over.
    ///
    /// # Panics
    /// None comes.
    #[track_caller]
    pub fn update(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut others = Vec::new();
        let until = Instant::now() + DEADLINE;
        loop {
            let read = if self.kept.is_empty() { self.read() } else { Ok(self.kept.remove(0)) };
            let message = read.unwrap_or_else(|error| panic!("{error}; there was {others:#?}"));
            if message["method"] == "update" && wanted(&message["params"]) {
                return message["params"].clone();
            }
            assert!(Instant::now() < until, "it does not come; there was {others:#?}");
            others.push(message);
        }
    }

    /// Sends any line.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn send_line(&mut self, line: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{line}\n").as_bytes())
    }

    /// The next message, whatever it is.
    ///
    /// # Errors
    /// The connection has ended, or what came is not JSON.
    pub fn read(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}
