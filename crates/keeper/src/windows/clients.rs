//! Who is connected to the keeper's pipe. Each client has a thread that reads and one that writes; both end with it.

use std::ffi::OsStr;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use forge_keeper::frame::{self, Frames};
use forge_keeper::message::{Report, Request};
use forge_logs::Position;

use super::keeper::Event;
use super::pipe::{Connection, Listener};

/// Frames that wait for a client that does not read, at most; then it is dropped.
const MOST_WAITING: usize = 256;

/// What a client did.
#[derive(Debug)]
pub(super) enum ClientEvent {
    Connected(Connection),
    Request(Request),
    /// A request of a later protocol.
    Unknown(String),
    Gone,
}

/// One client.
#[derive(Debug)]
struct Client {
    id: u64,
    outgoing: SyncSender<Vec<u8>>,
    greeted: bool,
    follows: bool,
    told: Option<Position>,
}

/// All clients.
#[derive(Debug, Default)]
pub(super) struct Clients {
    clients: Vec<Client>,
    pub(super) had_any: bool,
}

impl Clients {
    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Begins to serve a connection.
    pub(super) fn add(&mut self, id: u64, connection: Connection, events: SyncSender<Event>) {
        let (outgoing, waiting) = sync_channel(MOST_WAITING);
        let writer = connection.clone();
        thread::spawn(move || write_frames(&writer, &waiting));
        thread::spawn(move || read_requests(&connection, id, &events));
        self.had_any = true;
        self.clients.push(Client { id, outgoing, greeted: false, follows: false, told: None });
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.clients.retain(|client| client.id != id);
    }

    pub(super) fn greet(&mut self, id: u64) {
        if let Some(client) = self.client(id) {
            client.greeted = true;
        }
    }

    pub(super) fn is_greeted(&self, id: u64) -> bool {
        self.clients.iter().any(|client| client.id == id && client.greeted)
    }

    pub(super) fn follow(&mut self, id: u64, follow: bool) {
        if let Some(client) = self.client(id) {
            client.follows = follow;
            client.told = None;
        }
    }

    /// Tells one client; a stuck one is dropped.
    pub(super) fn tell(&mut self, id: u64, report: &Report) {
        let told = self.client(id).is_none_or(|client| client.tell(report));
        if !told {
            self.remove(id);
        }
    }

    pub(super) fn tell_all(&mut self, report: &Report) {
        self.clients.retain_mut(|client| !client.greeted || client.tell(report));
    }

    /// Tells those who follow where the log ends. One that has not taken the last word yet gets the next.
    pub(super) fn written(&mut self, position: Position) {
        let report = Report::Written { segment: position.segment, offset: position.offset };
        for client in self.clients.iter_mut().filter(|client| client.follows && client.told != Some(position))
        {
            if let Ok(frame) = frame::encode(&report)
                && client.outgoing.try_send(frame).is_ok()
            {
                client.told = Some(position);
            }
        }
    }

    fn client(&mut self, id: u64) -> Option<&mut Client> {
        self.clients.iter_mut().find(|client| client.id == id)
    }
}

impl Client {
    fn tell(&mut self, report: &Report) -> bool {
        let Ok(frame) = frame::encode(report) else { return true };
        match self.outgoing.try_send(frame) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }
}

/// Lets clients in for as long as the keeper lives.
pub(super) fn listen(name: &OsStr, events: SyncSender<Event>) -> io::Result<()> {
    let mut listener = Listener::bind(name)?;
    thread::spawn(move || {
        let mut id = 0;
        while let Ok(connection) = listener.accept() {
            id += 1;
            if events.send(Event::Client(id, ClientEvent::Connected(connection))).is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn write_frames(connection: &Connection, waiting: &Receiver<Vec<u8>>) {
    while let Ok(frame) = waiting.recv() {
        if connection.write_all(&frame).is_err() {
            return;
        }
    }
}

fn read_requests(connection: &Connection, id: u64, events: &SyncSender<Event>) {
    let mut frames = Frames::new();
    let mut bytes = [0; 16 << 10];
    'reading: while let Ok(read @ 1..) = connection.read(&mut bytes) {
        frames.push(&bytes[..read]);
        loop {
            let event = match frames.next_json() {
                Ok(Some(json)) => understand(&json),
                Ok(None) => break,
                Err(_) => None,
            };
            let Some(event) = event else { break 'reading };
            if events.send(Event::Client(id, event)).is_err() {
                return;
            }
        }
    }
    let _ = events.send(Event::Client(id, ClientEvent::Gone));
}

/// What a frame means; `None` if it is garbage.
fn understand(json: &[u8]) -> Option<ClientEvent> {
    if let Ok(request) = serde_json::from_slice(json) {
        return Some(ClientEvent::Request(request));
    }
    let value: serde_json::Value = serde_json::from_slice(json).ok()?;
    Some(ClientEvent::Unknown(value.get("do")?.as_str()?.to_owned()))
}
