//! `forge serve --http`, and clients of it: a WebSocket, and requests byte by byte.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::protocol::CloseFrame;
use tungstenite::{HandshakeError, Message, WebSocket};

use crate::{DEADLINE, Outcome, Process, Running, Signal, World, wait_for};

/// A foreground supervisor with the page.
#[derive(Debug)]
pub struct Web {
    pub address: SocketAddr,
    pub token: String,
    running: Running,
}

impl Web {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// It prints no URL.
    #[must_use]
    #[track_caller]
    pub fn serve(world: &World) -> Self {
        let running = world.forge(["serve", "--http", "127.0.0.1:0"]).spawn();
        let url = wait_for("serve prints a line", || running.stdout().strip_suffix('\n').map(str::to_owned));
        let (address, token) = parse_url(&url).unwrap_or_else(|| panic!("no such URL: {url:?}"));
        Self { address, token, running }
    }

    /// The program.
    ///
    /// # Panics
    /// It has ended.
    #[must_use]
    pub fn process(&self) -> Process {
        Process::find(self.running.pid()).expect("it serves")
    }

    /// Ends it with Ctrl-C.
    #[must_use]
    #[track_caller]
    pub fn end(self) -> Outcome {
        self.running.signal(Signal::INT);
        self.running.wait()
    }

    /// `GET` as a browser would send it.
    ///
    /// # Panics
    /// No answer comes.
    #[must_use]
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.request(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address))
    }

    /// Sends these bytes and reads an answer.
    ///
    /// # Panics
    /// None comes, or it is no HTTP.
    #[must_use]
    #[track_caller]
    pub fn request(&self, request: &str) -> Reply {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("a request is taken");
        let has_body = !request.starts_with("HEAD");
        Reply::read(stream, has_body).unwrap_or_else(|error| panic!("{error}: no answer to {request:?}"))
    }

    /// A connection on which nothing was said.
    ///
    /// # Panics
    /// It is not accepted.
    #[must_use]
    #[track_caller]
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        stream
    }

    /// A session, as the page opens it: the token beside the subprotocol, and an origin.
    ///
    /// # Panics
    /// It is refused.
    #[must_use]
    #[track_caller]
    pub fn session(&self) -> Session {
        let protocols = format!("forge, {}", self.token);
        let origin = format!("http://{}", self.address);
        let headers = [("sec-websocket-protocol", protocols.as_str()), ("origin", origin.as_str())];
        self.try_session("/ws", &headers).unwrap_or_else(|status| panic!("refused with {status}"))
    }

    /// Asks for a session with these headers.
    ///
    /// # Errors
    /// It is refused, with this status.
    ///
    /// # Panics
    /// The answer is no HTTP.
    pub fn try_session(&self, target: &str, headers: &[(&'static str, &str)]) -> Result<Session, u16> {
        let mut request = format!("ws://{}{target}", self.address).into_client_request().expect("a request");
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a header");
            // The first of a name replaces what the client would send.
            request.headers_mut().insert(*name, value);
        }
        match tungstenite::client::client(request, self.connect()) {
            Ok((socket, answer)) => {
                let protocol = answer.headers().get("sec-websocket-protocol");
                let protocol = protocol.map(|value| value.to_str().expect("ASCII").to_owned());
                Ok(Session { socket, waiting: VecDeque::new(), id: 0, protocol })
            }
            Err(HandshakeError::Failure(tungstenite::Error::Http(answer))) => Err(answer.status().as_u16()),
            Err(error) => panic!("neither a session nor a refusal: {error}"),
        }
    }
}

/// Address and token of `http://ADDRESS/#token=TOKEN`.
fn parse_url(url: &str) -> Option<(SocketAddr, String)> {
    let (address, token) = url.strip_prefix("http://")?.split_once("/#token=")?;
    Some((address.parse().ok()?, token.to_owned()))
}

/// An answer to a request.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    /// Reads an answer with a `Content-Length`.
    ///
    /// # Errors
    /// It ends before its end, or is no HTTP.
    pub fn read(stream: TcpStream, has_body: bool) -> io::Result<Self> {
        let mut stream = BufReader::new(stream);
        let mut line = || {
            let mut line = String::new();
            let read = stream.read_line(&mut line)?;
            if read == 0 { Err(io::Error::from(io::ErrorKind::UnexpectedEof)) } else { Ok(line) }
        };
        let first = line()?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(first.clone()))?;
        let mut headers = Vec::new();
        while let Some((name, value)) = line()?.trim_end().split_once(':') {
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut reply = Self { status, headers, body: String::new() };
        if has_body {
            let length = reply.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let mut body = vec![0; length];
            stream.read_exact(&mut body)?;
            reply.body = String::from_utf8_lossy(&body).into_owned();
        }
        Ok(reply)
    }

    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// JSON-RPC over a WebSocket.
#[derive(Debug)]
pub struct Session {
    socket: WebSocket<TcpStream>,
    /// Of an array, those that were not read yet.
    waiting: VecDeque<Value>,
    id: u64,
    /// The subprotocol that the server chose.
    pub protocol: Option<String>,
}

impl Session {
    /// As [`crate::Rpc::call`].
    ///
    /// # Errors
    /// The session ended, or no answer came.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, tungstenite::Error> {
        let id = self.request(method, params)?;
        loop {
            let message = self.read()?;
            if message["id"] == id {
                return Ok(message);
            }
        }
    }

    /// Sends a request and returns its id.
    ///
    /// # Errors
    /// The session has ended.
    pub fn request(&mut self, method: &str, params: Value) -> Result<u64, tungstenite::Error> {
        self.id += 1;
        let request = json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params});
        self.send(Message::text(request.to_string()))?;
        Ok(self.id)
    }

    /// Sends anything.
    ///
    /// # Errors
    /// The session has ended.
    pub fn send(&mut self, message: Message) -> Result<(), tungstenite::Error> {
        self.socket.send(message)
    }

    /// The next message, whatever it is, and whether or not it came with others.
    ///
    /// # Errors
    /// The session has ended.
    ///
    /// # Panics
    /// What came is not JSON.
    pub fn read(&mut self) -> Result<Value, tungstenite::Error> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Ok(message);
            }
            let Message::Text(text) = self.socket.read()? else { continue };
            match serde_json::from_str(text.as_str()).expect("JSON") {
                Value::Array(messages) => self.waiting.extend(messages),
                message => self.waiting.push_back(message),
            }
        }
    }

    /// Reads until the server ends the session. What it said at the end, if it did.
    pub fn wait_end(&mut self) -> Option<CloseFrame> {
        let mut last = None;
        while let Ok(message) = self.socket.read() {
            if let Message::Close(frame) = message {
                last = frame;
            }
        }
        last
    }
}
