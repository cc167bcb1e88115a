//! `forge attach`: the terminal of a process, with this terminal around it.

use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use forge_api::{Attach, AttachInput, AttachResize, Code, Detach, Error, Update};
use tokio::sync::mpsc;

use crate::args;
use crate::client::{Client, Incoming, Pending};
use crate::context::Context;
use crate::detach_keys::{DetachKeys, Typed};
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// Chunks of typing that may wait for the supervisor.
const TYPED: usize = 64;

/// What a full-screen program may have left switched on: colours, the cursor, mouse reports, bracketed paste.
const CALM: &str = "\x1b[0m\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>";

pub(crate) async fn run(context: &Context, args: args::Attach) -> Outcome {
    if context.output.json || !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(Error::new(Code::Usage, "`attach` needs a terminal")
            .help(format!(
                "`forge send {0} TEXT` writes to it, `forge logs -f {0}` shows what it says",
                args.name
            ))
            .into());
    }
    let mut client = context.client().await?;
    let workspace = context.root(&mut client).await?;
    let (columns, rows) = terminal_size();
    let attached = client.call(&Attach { workspace, name: args.name, rows, columns }).await?;
    let name = attached.target.process;
    context.output.note(&format!("attached to {name}; Ctrl-] detaches"));
    let raw = RawTerminal::enter()?;
    let ended = converse(&mut client).await;
    drop(raw);
    match ended? {
        Ended::Detached => {
            // Best effort: closing the connection does the same.
            let _ = client.call(&Detach {}).await;
            context.output.note(&format!("\ndetached; {name} goes on"));
        }
        Ended::Closed(message) => context.output.note(&format!("\n{name}: {message}")),
    }
    Ok(ExitCode::SUCCESS)
}

enum Ended {
    Detached,
    /// What the process ended with.
    Closed(String),
}

/// Keys one way, output the other, until either side is done.
async fn converse(client: &mut Client) -> Result<Ended, Failure> {
    let mut keys = DetachKeys::default();
    let mut typed = keyboard();
    let mut resized = Resizes::listen()?;
    let mut hangup = Hangup::listen()?;
    let mut last: Option<Pending> = None;
    loop {
        tokio::select! {
            incoming = client.next() => match incoming? {
                Incoming::Update(Update::Terminal { data }) => show(&data)?,
                Incoming::Update(Update::TerminalClosed { message }) => return Ok(Ended::Closed(message)),
                Incoming::Update(_) => {}
                Incoming::Answer(id, answer) => if Some(id) == last {
                    answer.of::<AttachInput>()?;
                },
            },
            chunk = typed.recv() => {
                let Some(chunk) = chunk else { return Ok(Ended::Detached) };
                let Typed { forward, detach } = keys.feed(&chunk);
                if !forward.is_empty() {
                    last = Some(client.ask(&AttachInput { data: STANDARD.encode(&forward) }).await?);
                }
                if detach {
                    return Ok(Ended::Detached);
                }
            }
            () = resized.next() => {
                let (columns, rows) = terminal_size();
                client.ask(&AttachResize { rows, columns }).await?;
            }
            () = hangup.next() => return Ok(Ended::Detached),
        }
    }
}

fn show(data: &str) -> Result<(), Failure> {
    let bytes = STANDARD.decode(data).map_err(|error| {
        Error::new(Code::Protocol, format!("terminal output that is not base64: {error}"))
    })?;
    let mut stdout = io::stdout().lock();
    stdout.write_all(&bytes)?;
    Ok(stdout.flush()?)
}

/// Reads the keyboard on a thread of its own: a terminal cannot be read without blocking somewhere. The thread ends
/// with the command.
fn keyboard() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(TYPED);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut buffer = [0; 4096];
        loop {
            match stdin.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => {
                    if sender.blocking_send(buffer[..count].to_vec()).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
    receiver
}

/// Columns and rows as the system knows them; nothing is made up that a program would then draw for.
fn terminal_size() -> (u16, u16) {
    crossterm::terminal::size().unwrap_or((80, 24))
}

/// The terminal in raw mode, and as it was before once this is dropped, whatever happens in between.
struct RawTerminal;

impl RawTerminal {
    fn enter() -> Result<Self, Error> {
        crossterm::terminal::enable_raw_mode()
            .map_err(|error| Error::system("setting the terminal to raw mode", error))?;
        Ok(Self)
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        let _ = crossterm::terminal::disable_raw_mode();
        Output::raw(CALM);
    }
}

/// The window changed its size.
struct Resizes {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
    #[cfg(not(unix))]
    known: (u16, u16),
}

impl Resizes {
    #[cfg(unix)]
    fn listen() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let signal = signal(SignalKind::window_change())
            .map_err(|error| Error::system("listening for SIGWINCH", error))?;
        Ok(Self { signal })
    }

    #[cfg(not(unix))]
    fn listen() -> Result<Self, Error> {
        Ok(Self { known: terminal_size() })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        self.signal.recv().await;
    }

    /// The console tells of it only among its input events, which are not read as such: looked at, while attached.
    #[cfg(not(unix))]
    async fn next(&mut self) {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
            let now = terminal_size();
            if now != self.known {
                self.known = now;
                return;
            }
        }
    }
}

/// The terminal goes away, or somebody ends this command: both leave the process alone.
struct Hangup {
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Hangup {
    #[cfg(unix)]
    fn listen() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error| Error::system("listening for signals", error);
        Ok(Self {
            hangup: signal(SignalKind::hangup()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
        })
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    fn listen() -> Result<Self, Error> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.hangup.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        std::future::pending().await
    }
}
