//! JSON-RPC on the supervisor's socket, by hand.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};

use crate::DEADLINE;

/// A connection that has said hello.
#[derive(Debug)]
pub struct Rpc {
    stream: BufReader<UnixStream>,
    id: u64,
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
        Ok(Self { stream: BufReader::new(stream), id: 0, hello: Value::Null })
    }

    /// Sends a request, and returns the whole message that answers it. Updates in between are dropped.
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
