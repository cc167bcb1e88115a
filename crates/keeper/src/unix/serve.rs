//! What clients ask for.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use forge_keeper::base64;
use forge_keeper::message::{PROTOCOL, Report, Request};
use forge_system::Signal;

use super::clients::{ClientId, Received};
use super::input::Input;
use super::keeper::{Keeper, Life};
use super::terminal;
use crate::ending::Ask;

/// Why a request is not carried out.
type Refusal = String;

impl Keeper {
    /// Carries out what a client asked for, or says why not.
    pub(super) fn serve(&mut self, id: ClientId, received: Received, now: Instant) {
        let (request, descriptor) = match received {
            Received::Request(request, descriptor) => (request, descriptor),
            Received::Unknown(request) => {
                let message = format!("forge-keeper {} does not know this", env!("CARGO_PKG_VERSION"));
                return self.clients.tell(id, &Report::Refused { request, message });
            }
        };
        let name = name(&request);
        let outcome = if self.clients.is_greeted(id) || matches!(request, Request::Hello { .. }) {
            self.carry_out(id, request, descriptor, now)
        } else {
            Err("a hello comes first".to_owned())
        };
        if let Err(message) = outcome {
            self.clients.tell(id, &Report::Refused { request: name.to_owned(), message });
        }
    }

    fn carry_out(
        &mut self,
        id: ClientId,
        request: Request,
        descriptor: Option<OwnedFd>,
        now: Instant,
    ) -> Result<(), Refusal> {
        match request {
            Request::Hello { .. } => self.greet(id),
            Request::End { signal, grace_ms, force } => {
                known_signal(signal)?;
                self.end(id, Ask { signal, grace: Duration::from_millis(grace_ms), force }, now);
            }
            Request::Signal { signal } => return self.signal(known_signal(signal)?),
            Request::Input { data } => return self.take_input(&data),
            Request::Resize { rows, columns } => return self.resize(rows, columns),
            Request::Follow => self.clients.follow(id, true),
            Request::Unfollow => self.clients.follow(id, false),
            Request::Attach => return self.attach(id),
            Request::Detach => self.clients.attach(id, false),
            Request::Terminal => return self.pass_terminal(id),
            Request::TakeTerminal => return self.take_terminal(descriptor),
            Request::Mark { text } => return self.mark(&text),
        }
        Ok(())
    }

    fn greet(&mut self, id: ClientId) {
        let story = self.journal.story();
        let left = if story.exited.is_some() { self.hold.living() } else { Vec::new() };
        let hello = Report::Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            keeper: std::process::id(),
            child: story.child,
            exited: story.exited,
            left,
            not_started: story.not_started,
            empty: story.empty.is_some(),
            wants_terminal: self.screen.wanted,
        };
        let has_ended = !matches!(self.life, Life::Running | Life::Draining { .. });
        self.clients.greet(id);
        self.clients.tell(id, &hello);
        if has_ended {
            self.clients.end_told();
        }
    }

    fn signal(&mut self, signal: Signal) -> Result<(), Refusal> {
        let gone = || "the main process has ended".to_owned();
        let main = self.hold.main().ok_or_else(gone)?;
        match main.signal(signal) {
            Ok(true) => Ok(()),
            Ok(false) => Err(gone()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn take_input(&mut self, data: &str) -> Result<(), Refusal> {
        let bytes = base64::decode(data).ok_or("the data is no base64")?;
        self.input.push(&bytes).map_err(|refusal| refusal.message().to_owned())
    }

    fn resize(&mut self, rows: u16, columns: u16) -> Result<(), Refusal> {
        let master = self.screen.master.as_ref().ok_or("there is no terminal")?;
        terminal::resize(master, rows, columns).map_err(|error| error.to_string())
    }

    fn attach(&mut self, id: ClientId) -> Result<(), Refusal> {
        if !self.spec.tty {
            return Err("this process has no terminal (tty: true gives it one)".to_owned());
        }
        self.clients.attach(id, true);
        self.clients.replay(id, self.screen.replay.bytes());
        Ok(())
    }

    fn pass_terminal(&mut self, id: ClientId) -> Result<(), Refusal> {
        let master = self.screen.master.as_ref().ok_or("there is no terminal")?;
        let duplicate = master.try_clone().map_err(|error| error.to_string())?;
        self.clients.tell_with(id, &Report::Terminal, Some(duplicate));
        Ok(())
    }

    fn take_terminal(&mut self, master: Option<OwnedFd>) -> Result<(), Refusal> {
        if !self.screen.wanted {
            return Err("no terminal is wanted".to_owned());
        }
        let master = master.ok_or("no descriptor came with it")?;
        rustix::termios::tcgetwinsize(&master).map_err(|_| "the descriptor is no terminal")?;
        let output = self.output.as_mut().ok_or("the run is over")?;
        let fault = |error: std::io::Error| error.to_string();
        rustix::io::ioctl_fionbio(&master, true).map_err(|error| error.to_string())?;
        output.add_terminal(master.try_clone().map_err(fault)?);
        self.input = Input::new(Some(master.try_clone().map_err(fault)?));
        self.screen.master = Some(master);
        self.screen.wanted = false;
        Ok(())
    }

    fn mark(&mut self, text: &str) -> Result<(), Refusal> {
        self.output.as_mut().ok_or("the run is over, its log is closed")?.mark(text);
        Ok(())
    }

    /// Ends the tree, or says that it has ended already.
    fn end(&mut self, id: ClientId, ask: Ask, now: Instant) {
        if let Life::Empty { time, heir, .. } = self.life {
            return self.clients.tell(id, &Report::Empty { time, heir });
        }
        self.record_ending(ask.force);
        let acts = self.ending.ask(ask, now);
        self.perform(acts, now);
    }
}

fn known_signal(number: i32) -> Result<Signal, Refusal> {
    Signal::from_raw(number).ok_or_else(|| format!("there is no signal {number}"))
}

/// The request's name on the wire.
fn name(request: &Request) -> &'static str {
    match request {
        Request::Hello { .. } => "hello",
        Request::End { .. } => "end",
        Request::Signal { .. } => "signal",
        Request::Input { .. } => "input",
        Request::Resize { .. } => "resize",
        Request::Follow => "follow",
        Request::Unfollow => "unfollow",
        Request::Attach => "attach",
        Request::Detach => "detach",
        Request::Terminal => "terminal",
        Request::TakeTerminal => "take_terminal",
        Request::Mark { .. } => "mark",
    }
}
