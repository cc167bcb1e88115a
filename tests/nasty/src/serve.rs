//! Servers, good and bad.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{process, thread};

use crate::Failure;
use crate::steps::{Arguments, goes_on};

#[derive(Debug, Default)]
struct Server {
    /// What is answered: a status, `hang`, `trickle`, or nothing at all for plain TCP.
    http: Option<String>,
    /// After so many answers, 200 and 503 change places.
    flip: Option<u32>,
    crash_on: Option<String>,
    answered: AtomicU32,
}

pub(crate) fn listen(rest: &mut Arguments<'_>) -> Result<(), Failure> {
    let port: u16 = match rest.text("listen")? {
        // As set by Forge from the configuration's `port`.
        "env" => std::env::var("PORT")?.parse()?,
        text => text.parse()?,
    };
    let (mut server, mut address, mut after) = (Server::default(), "127.0.0.1", 0);
    while let Some(option) = rest.option() {
        match option {
            "--bind" => address = rest.text(option)?,
            "--after" => after = rest.value(option)?,
            "--http" => server.http = Some(rest.text(option)?.to_owned()),
            "--flip" => server.flip = Some(rest.value(option)?),
            "--crash-on" => server.crash_on = Some(rest.text(option)?.to_owned()),
            _ => return Err(format!("listen does not know {option}").into()),
        }
    }
    thread::sleep(Duration::from_millis(after));
    let listener = TcpListener::bind((address, port)).map_err(|error| format!("port {port}: {error}"))?;
    println!("listening on {address}:{port}");
    let server = Arc::new(server);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = Arc::clone(&server);
            thread::spawn(move || server.answer(stream));
        }
    });
    goes_on();
    Ok(())
}

impl Server {
    /// A client that is gone ends its own connection only.
    fn answer(&self, mut stream: TcpStream) -> Option<()> {
        let Some(kind) = &self.http else {
            // Plain TCP: reads until the other side is done.
            return std::io::copy(&mut stream, &mut std::io::sink()).ok().map(drop);
        };
        let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
        let request = lines.next()?.ok()?;
        let path = request.split(' ').nth(1)?;
        if self.crash_on.as_deref() == Some(path) {
            eprintln!("crashing, as {path} asks");
            process::exit(1);
        }
        while !lines.next()?.ok()?.is_empty() {}
        match kind.as_str() {
            "hang" => stream.read_to_end(&mut Vec::new()).ok().map(drop),
            "trickle" => trickle(stream),
            status => {
                let count = self.answered.fetch_add(1, Ordering::Relaxed);
                let flipped = self.flip.is_some_and(|after| count >= after);
                let status = match (status, flipped) {
                    ("200", true) => "503",
                    ("503", true) => "200",
                    (status, _) => status,
                };
                write!(stream, "HTTP/1.1 {status} Nasty\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                    .ok()
            }
        }
    }
}

/// An answer that never ends, a byte at a time.
fn trickle(mut stream: TcpStream) -> Option<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n").ok()?;
    loop {
        stream.write_all(b"X-A: b\r\n").ok()?;
        thread::sleep(Duration::from_millis(100));
    }
}
