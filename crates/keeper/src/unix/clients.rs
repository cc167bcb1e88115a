//! The keeper's socket and who is connected to it. Nothing here blocks, and nothing grows with what a client does or
//! leaves undone.

use std::fs;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use forge_keeper::base64;
use forge_keeper::frame::{self, Frames};
use forge_keeper::message::{Report, Request};
use forge_logs::Position;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

use super::outgoing::{Full, Outgoing};

/// Connections at once. A supervisor needs one; the rest is for its successor and for looking.
const MOST_CLIENTS: usize = 16;

/// [`Report::Written`] comes to a client at most this often.
const WRITTEN_EVERY: Duration = Duration::from_millis(20);

/// Descriptors or memory ran out: so long nobody is let in, rather than being told of the connection for ever.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Raw output in one [`Report::Output`].
const OUTPUT_PIECE: usize = 32 << 10;

/// Which connection; never used again in a keeper's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientId(u64);

/// What a client sent.
#[derive(Debug)]
pub(super) enum Received {
    /// With the descriptor that came beside it or before it.
    Request(Request, Option<OwnedFd>),
    /// A request of a later protocol, by its name.
    Unknown(String),
}

#[derive(Debug)]
struct Client {
    id: ClientId,
    stream: UnixStream,
    frames: Frames,
    outgoing: Outgoing,
    /// It said hello: it gets reports.
    greeted: bool,
    /// It was told of the end of the main process.
    told: bool,
    follows: Option<Following>,
    attached: bool,
    descriptor: Option<OwnedFd>,
}

/// What a client that follows the log was told last.
#[derive(Debug, Default)]
struct Following {
    told: Option<Position>,
    /// The next time may not be before this.
    again: Option<Instant>,
}

/// The listening socket and its clients.
#[derive(Debug)]
pub(super) struct Clients {
    path: PathBuf,
    listener: Option<(UnixListener, FileId)>,
    accept_after: Option<Instant>,
    clients: Vec<Client>,
    next: u64,
    /// Somebody has been connected since the start.
    had_any: bool,
    /// Somebody took note of the end of the main process.
    end_known: bool,
}

/// Device and inode.
type FileId = (u64, u64);

impl Clients {
    /// Nobody can connect before [`Clients::listen`].
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            listener: None,
            accept_after: None,
            clients: Vec::new(),
            next: 0,
            had_any: false,
            end_known: false,
        }
    }

    /// Makes the socket, in place of one that was left there: the caller holds the run's lock, so nobody else
    /// listens on it.
    pub(super) fn listen(&mut self) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            check_folder(folder)?;
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&self.path)?;
        listener.set_nonblocking(true)?;
        fs::set_permissions(&self.path, fs::Permissions::from_mode(0o600))?;
        let file = file_id(&self.path)?;
        self.listener = Some((listener, file));
        Ok(())
    }

    /// The socket is where clients look for it.
    pub(super) fn is_reachable(&self) -> bool {
        let file = file_id(&self.path).ok();
        self.listener.as_ref().is_some_and(|(_, bound)| file == Some(*bound))
    }

    /// Removes the socket.
    pub(super) fn close(&mut self) {
        if self.is_reachable() {
            let _ = fs::remove_file(&self.path);
        }
        self.listener = None;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    pub(super) fn had_any(&self) -> bool {
        self.had_any
    }

    /// Every client that said hello was told of the end of the main process by now.
    pub(super) fn end_told(&mut self) {
        for client in &mut self.clients {
            client.told = client.greeted;
        }
    }

    /// Somebody took note of that: who goes on talking, or reads it before hanging up. Who is killed with the report
    /// unread resets the connection (Linux).
    pub(super) fn is_end_known(&self) -> bool {
        self.end_known
    }

    /// What to wait for, so that [`Clients::accept`] has something to do.
    pub(super) fn listener(&self) -> Option<BorrowedFd<'_>> {
        let open = self.accept_after.is_none() && self.clients.len() < MOST_CLIENTS;
        self.listener.as_ref().filter(|_| open).map(|(listener, _)| listener.as_fd())
    }

    /// The connections, and whether something waits to be sent.
    pub(super) fn streams(&self) -> impl Iterator<Item = (ClientId, BorrowedFd<'_>, bool)> {
        self.clients.iter().map(|client| (client.id, client.stream.as_fd(), !client.outgoing.is_empty()))
    }

    /// Lets in who waits, if it is our own user.
    pub(super) fn accept(&mut self) {
        while let Some((listener, _)) = self.listener.as_ref().filter(|_| self.clients.len() < MOST_CLIENTS) {
            match listener.accept() {
                Ok((stream, _)) if is_ours(&stream) && stream.set_nonblocking(true).is_ok() => {
                    self.add(stream)
                }
                Ok(_) => super::complain("refused a connection of another user"),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    super::complain(&format!("cannot accept a connection: {error}"));
                    self.accept_after = Some(Instant::now() + ACCEPT_PAUSE);
                    return;
                }
            }
        }
    }

    fn add(&mut self, stream: UnixStream) {
        self.next += 1;
        self.had_any = true;
        self.clients.push(Client {
            id: ClientId(self.next),
            stream,
            frames: Frames::new(),
            outgoing: Outgoing::default(),
            greeted: false,
            told: false,
            follows: None,
            attached: false,
            descriptor: None,
        });
    }

    /// Reads what a client sent. It is gone afterwards if its connection or its sense is.
    pub(super) fn receive(&mut self, id: ClientId) -> Vec<Received> {
        let Some(client) = self.client(id) else { return Vec::new() };
        let open = client.read();
        let mut received = Vec::new();
        let sound = client.take_requests(&mut received);
        let hung_up = matches!(open, Ok(false)) && client.outgoing.is_empty();
        let known = client.told && (hung_up || !received.is_empty());
        self.end_known |= known;
        if !matches!(open, Ok(true)) || !sound {
            self.remove(id);
        }
        received
    }

    /// Sends what waits for a client.
    pub(super) fn send_waiting(&mut self, id: ClientId) {
        let failed = self.client(id).is_some_and(|client| client.send_waiting().is_err());
        if failed {
            self.remove(id);
        }
    }

    /// The client said hello: it gets reports from now on.
    pub(super) fn greet(&mut self, id: ClientId) {
        if let Some(client) = self.client(id) {
            client.greeted = true;
        }
    }

    pub(super) fn is_greeted(&self, id: ClientId) -> bool {
        self.clients.iter().any(|client| client.id == id && client.greeted)
    }

    /// Tells one client.
    pub(super) fn tell(&mut self, id: ClientId, report: &Report) {
        self.tell_with(id, report, None);
    }

    /// Tells one client, with a descriptor.
    pub(super) fn tell_with(&mut self, id: ClientId, report: &Report, descriptor: Option<OwnedFd>) {
        let told = self.client(id).is_none_or(|client| client.tell(report, descriptor).is_ok());
        if !told {
            self.remove(id);
        }
    }

    /// Tells every client that said hello.
    pub(super) fn tell_all(&mut self, report: &Report) {
        self.clients.retain_mut(|client| !client.greeted || client.tell(report, None).is_ok());
    }

    /// Whether to tell a client of the log's end.
    pub(super) fn follow(&mut self, id: ClientId, follow: bool) {
        if let Some(client) = self.client(id) {
            // One that follows already keeps what it was told.
            match follow {
                true => _ = client.follows.get_or_insert_with(Following::default),
                false => client.follows = None,
            }
        }
    }

    /// Whether a client gets the terminal's output.
    pub(super) fn attach(&mut self, id: ClientId, attach: bool) {
        if let Some(client) = self.client(id) {
            client.attached = attach;
        }
    }

    /// The log ends at `position`: tells those that follow it, not too often and only when they have read what they
    /// were told before. Gives the time at which this is due again.
    pub(super) fn written(&mut self, position: Position, now: Instant) -> Option<Instant> {
        let mut due = None;
        self.clients.retain_mut(|client| match client.written(position, now) {
            Ok(at) => {
                due = due.into_iter().chain(at).min();
                true
            }
            Err(_) => false,
        });
        due
    }

    /// What comes next is the last for a while: it is not put off.
    pub(super) fn hurry(&mut self) {
        for following in self.clients.iter_mut().filter_map(|client| client.follows.as_mut()) {
            following.again = None;
        }
    }

    /// Output of the terminal, for those that are attached.
    pub(super) fn output(&mut self, bytes: &[u8]) {
        self.clients.retain_mut(|client| !client.attached || client.output(bytes).is_ok());
    }

    /// The terminal's last output, for one that has just attached.
    pub(super) fn replay(&mut self, id: ClientId, bytes: &[u8]) {
        let told = self.client(id).is_none_or(|client| client.output(bytes).is_ok());
        if !told {
            self.remove(id);
        }
    }

    /// When connections are let in again, if that is put off.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.accept_after
    }

    pub(super) fn act(&mut self, now: Instant) {
        if self.accept_after.is_some_and(|at| now >= at) {
            self.accept_after = None;
        }
    }

    fn client(&mut self, id: ClientId) -> Option<&mut Client> {
        self.clients.iter_mut().find(|client| client.id == id)
    }

    fn remove(&mut self, id: ClientId) {
        self.clients.retain(|client| client.id != id);
    }
}

impl Client {
    /// One read, so that no client can keep the others waiting. `false` at the end of the connection.
    fn read(&mut self) -> io::Result<bool> {
        let mut bytes = [0; 16 << 10];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        #[cfg(target_os = "linux")]
        let flags = RecvFlags::CMSG_CLOEXEC;
        #[cfg(not(target_os = "linux"))]
        let flags = RecvFlags::empty();
        let read =
            rustix::net::recvmsg(&self.stream, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags);
        let read = match read {
            Ok(read) => read.bytes,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                for descriptor in descriptors {
                    let _ = rustix::io::fcntl_setfd(&descriptor, rustix::io::FdFlags::CLOEXEC);
                    self.descriptor = Some(descriptor);
                }
            }
        }
        self.frames.push(&bytes[..read]);
        Ok(read > 0)
    }

    /// Takes the requests that have come whole. `false`: the client makes no sense.
    fn take_requests(&mut self, received: &mut Vec<Received>) -> bool {
        loop {
            let json = match self.frames.next_json() {
                Ok(Some(json)) => json,
                Ok(None) => return true,
                Err(_) => return false,
            };
            match understand(&json) {
                Some(Received::Request(request @ Request::TakeTerminal, _)) => {
                    received.push(Received::Request(request, self.descriptor.take()));
                }
                Some(request) => received.push(request),
                None => return false,
            }
        }
    }

    fn tell(&mut self, report: &Report, descriptor: Option<OwnedFd>) -> Result<(), Full> {
        let Ok(bytes) = frame::encode(report) else { return Ok(()) };
        self.outgoing.push(bytes, descriptor)?;
        self.send_waiting().map_err(|_| Full)
    }

    fn send_waiting(&mut self) -> io::Result<()> {
        while let Some(frame) = self.outgoing.front() {
            let rights = frame.descriptor().map(|descriptor| [descriptor.as_fd()]);
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if let Some(rights) = &rights {
                control.push(SendAncillaryMessage::ScmRights(rights));
            }
            let bytes = [IoSlice::new(frame.rest())];
            match rustix::net::sendmsg(&self.stream, &bytes, &mut control, SendFlags::empty()) {
                Ok(sent) => self.outgoing.sent(sent),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn written(&mut self, position: Position, now: Instant) -> Result<Option<Instant>, Full> {
        let Some(following) = &mut self.follows else { return Ok(None) };
        if following.told == Some(position) || !self.outgoing.is_empty() {
            return Ok(None);
        }
        if let Some(again) = following.again.filter(|&again| now < again) {
            return Ok(Some(again));
        }
        *following = Following { told: Some(position), again: Some(now + WRITTEN_EVERY) };
        self.tell(&Report::Written { segment: position.segment, offset: position.offset }, None)?;
        Ok(None)
    }

    /// A client that does not keep up is no longer attached; a supervisor stays connected all the same.
    fn output(&mut self, bytes: &[u8]) -> Result<(), Full> {
        for piece in bytes.chunks(OUTPUT_PIECE) {
            let report = Report::Output { data: base64::encode(piece) };
            let Ok(frame) = frame::encode(&report) else { return Ok(()) };
            if self.outgoing.push_output(frame).is_err() {
                self.attached = false;
                let message = "the terminal's output came faster than it was read".to_owned();
                return self.tell(&Report::Refused { request: "attach".to_owned(), message }, None);
            }
            self.send_waiting().map_err(|_| Full)?;
        }
        Ok(())
    }
}

/// What a frame means; `None` if it is garbage.
fn understand(json: &[u8]) -> Option<Received> {
    if let Ok(request) = serde_json::from_slice(json) {
        return Some(Received::Request(request, None));
    }
    let value: serde_json::Value = serde_json::from_slice(json).ok()?;
    Some(Received::Unknown(value.get("do")?.as_str()?.to_owned()))
}

/// In a folder that others can write to, somebody else could put a socket in this one's place.
fn check_folder(folder: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    let is_own = metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw();
    if is_own && metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!("{} is not a folder of this user alone", folder.display())))
}

fn file_id(path: &Path) -> io::Result<FileId> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// The other end belongs to the user that this keeper runs as.
#[cfg(target_os = "linux")]
fn is_ours(stream: &UnixStream) -> bool {
    let peer = rustix::net::sockopt::socket_peercred(stream);
    peer.is_ok_and(|peer| peer.uid == rustix::process::geteuid())
}

/// The other end belongs to the user that this keeper runs as.
#[cfg(target_os = "macos")]
fn is_ours(stream: &UnixStream) -> bool {
    use std::os::fd::AsRawFd;

    let (mut uid, mut gid) = (0, 0);
    // SAFETY: the descriptor is open, the places for the answers live through the call.
    let outcome = unsafe { libc::getpeereid(stream.as_raw_fd(), &raw mut uid, &raw mut gid) };
    outcome == 0 && uid == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_can_write_to_gets_no_socket() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        for place in [open, link] {
            let outcome = Clients::new(&place.join("s")).listen();
            assert!(outcome.is_err(), "{} is not safe", place.display());
        }
        assert!(Clients::new(&folder.path().join("s")).listen().is_ok(), "a folder of our own");
    }

    #[test]
    fn later_requests_are_named_and_garbage_is_not_understood() {
        let known = understand(br#"{"do":"follow"}"#);
        assert!(matches!(known, Some(Received::Request(Request::Follow, None))), "{known:?}");
        let later = understand(br#"{"do":"levitate","height":3}"#);
        assert!(matches!(later, Some(Received::Unknown(ref name)) if name == "levitate"), "{later:?}");
        for garbage in [b"".as_slice(), b"GET / HTTP/1.1", b"[]", b"{}", b"{\"do\":7}", b"\xff"] {
            assert!(understand(garbage).is_none(), "{garbage:?}");
        }
    }
}
