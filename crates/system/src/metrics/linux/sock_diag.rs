//! The machine's TCP sockets, asked by netlink (sock_diag(7), linux/inet_diag.h, `struct tcp_info` of linux/tcp.h). No
//! privilege is needed for any of it. Only sockets of this process's network namespace are told.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
/// Of a netlink message.
const HEADER: usize = 16;
/// `struct inet_diag_msg`.
const MESSAGE: usize = 72;
/// `INET_DIAG_INFO`, the attribute that holds `struct tcp_info`.
const INFO: u16 = 2;
const BYTES_ACKED: usize = 120;
const BYTES_RECEIVED: usize = 128;
const TCP: u8 = 6;
const LISTEN: u8 = 10;
/// All but `TIME_WAIT` (6), `CLOSE` (7), and those that are not sockets yet (`SYN_RECV` 3, `NEW_SYN_RECV` 12).
const STATES: u32 = 0xfff & !(1 << 6 | 1 << 7 | 1 << 3);
/// `SKNLGRP_INET_TCP_DESTROY` (1) and `SKNLGRP_INET6_TCP_DESTROY` (3), as a mask.
const DESTROYED: u32 = 1 << 0 | 1 << 2;
/// Two of what the kernel fills in one go (NLMSG_GOODSIZE and more, since 3.15 up to 32 KiB).
const BUFFER: usize = 64 * 1024;
/// Sockets often end in bursts: one is waited for, then a moment, then all are read. The queue of the socket holds more
/// than what ends in such a moment.
const BURST: Duration = Duration::from_millis(20);
/// Bytes of that queue; the system grants as much of it as `net.core.rmem_max` says.
const QUEUE: usize = 4 << 20;

/// A TCP socket, and what it has moved since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Socket {
    /// No other socket has or will have it, until the next boot.
    pub(super) cookie: u64,
    /// 0: no descriptor means it (any more, or yet).
    pub(super) inode: u32,
    pub(super) listens: bool,
    /// An IPv4 address is one, whatever the socket's family.
    pub(super) local: SocketAddr,
    /// Payload.
    pub(super) received: u64,
    /// Payload that the other side has acknowledged.
    pub(super) sent: u64,
}

/// A netlink socket that is asked.
#[derive(Debug)]
pub(super) struct SockDiag {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl SockDiag {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self { socket: socket(0)?, buffer: vec![0; BUFFER] })
    }

    /// All sockets of both families.
    pub(super) fn dump(&mut self) -> io::Result<Vec<Socket>> {
        let mut sockets = Vec::new();
        for family in [AddressFamily::INET, AddressFamily::INET6] {
            match self.dump_family(family, &mut sockets) {
                // A kernel without IPv6.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(sockets)
    }

    fn dump_family(&mut self, family: AddressFamily, into: &mut Vec<Socket>) -> io::Result<()> {
        rustix::net::send(&self.socket, &request(family), SendFlags::empty())?;
        loop {
            let (length, _) =
                rustix::net::recv(&self.socket, self.buffer.as_mut_slice(), RecvFlags::empty())?;
            for message in Messages(self.buffer.get(..length).unwrap_or_default()) {
                match message.kind {
                    NLMSG_DONE => return Ok(()),
                    NLMSG_ERROR => return Err(error(message.payload)),
                    _ => into.extend(parse(message.payload)),
                }
            }
        }
    }
}

/// Tells of sockets that have ended, with their last counts.
#[derive(Debug)]
pub(super) struct Endings {
    told: Receiver<Socket>,
    /// Its other end tells the thread that nobody listens any more.
    _open: OwnedFd,
}

impl Endings {
    /// Starts a thread that sleeps until a socket ends.
    pub(super) fn watch() -> io::Result<Self> {
        let socket = socket(DESTROYED)?;
        // What it may not be, it stays.
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size(&socket, QUEUE);
        let (ended, open) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (sender, told) = mpsc::channel();
        std::thread::Builder::new()
            .name("sockets".to_owned())
            .stack_size(256 * 1024)
            .spawn(move || follow(&socket, &ended, &sender))?;
        Ok(Self { told, _open: open })
    }

    pub(super) fn so_far(&self) -> impl Iterator<Item = Socket> {
        self.told.try_iter()
    }
}

fn follow(socket: &OwnedFd, ended: &OwnedFd, sender: &Sender<Socket>) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let mut fds = [PollFd::new(socket, PollFlags::IN), PollFd::new(ended, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) => {}
        }
        if !fds[1].revents().is_empty() {
            return;
        }
        std::thread::sleep(BURST);
        loop {
            match rustix::net::recv(socket, buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((length, _)) => {
                    let messages = Messages(buffer.get(..length).unwrap_or_default());
                    for socket in messages.filter_map(|message| parse(message.payload)) {
                        if sender.send(socket).is_err() {
                            return;
                        }
                    }
                }
                // More ended at once than the queue holds: those are lost, the next are not.
                Err(rustix::io::Errno::NOBUFS | rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                Err(_) => return,
            }
        }
    }
}

fn socket(groups: u32) -> io::Result<OwnedFd> {
    let protocol = Some(netlink::SOCK_DIAG);
    let socket =
        rustix::net::socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, protocol)?;
    rustix::net::bind(socket.as_fd(), &SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

/// `struct nlmsghdr` and `struct inet_diag_req_v2`, in the machine's own byte order.
fn request(family: AddressFamily) -> [u8; HEADER + 56] {
    let mut bytes = [0; HEADER + 56];
    bytes[..4].copy_from_slice(&((HEADER + 56) as u32).to_ne_bytes());
    bytes[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    bytes[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    bytes[HEADER] = u8::try_from(family.as_raw()).unwrap_or_default();
    bytes[HEADER + 1] = TCP;
    bytes[HEADER + 2] = 1 << (INFO - 1);
    bytes[HEADER + 4..HEADER + 8].copy_from_slice(&STATES.to_ne_bytes());
    bytes
}

struct Message<'a> {
    kind: u16,
    payload: &'a [u8],
}

/// The netlink messages of one datagram. What is cut short ends them.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let length = usize::try_from(number(self.0, 0)?).ok()?;
        let kind = u16::from_ne_bytes(*self.0.get(4..)?.first_chunk()?);
        let payload = self.0.get(HEADER..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, payload })
    }
}

fn parse(payload: &[u8]) -> Option<Socket> {
    let cookie = payload.get(44..52)?;
    let info = attribute(payload.get(MESSAGE..)?, INFO);
    let bytes = |at| info.and_then(|info| number_64(info, at)).unwrap_or_default();
    Some(Socket {
        cookie: number_64(cookie, 0)?,
        inode: number(payload, 68)?,
        listens: *payload.get(1)? == LISTEN,
        local: local(payload)?,
        received: bytes(BYTES_RECEIVED),
        sent: bytes(BYTES_ACKED),
    })
}

fn local(payload: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(*payload.get(4..)?.first_chunk()?);
    let address: [u8; 16] = *payload.get(8..)?.first_chunk()?;
    let address = if AddressFamily::from_raw(u16::from(*payload.first()?)) == AddressFamily::INET {
        IpAddr::from([address[0], address[1], address[2], address[3]])
    } else {
        IpAddr::from(address).to_canonical()
    };
    Some(SocketAddr::new(address, port))
}

/// `struct nlattr`: length, kind, and what it holds, each beginning at a multiple of four.
fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(*attributes.first_chunk()?));
        let kind = u16::from_ne_bytes(*attributes.get(2..)?.first_chunk()?);
        let held = attributes.get(4..length)?;
        if kind == wanted {
            return Some(held);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn number_64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The payload of `NLMSG_ERROR` begins with a negative number of errno(3).
fn error(payload: &[u8]) -> io::Error {
    let number = payload.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
    io::Error::from_raw_os_error(number.saturating_neg())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_short_is_no_socket_and_no_panic() {
        let mut whole = vec![0_u8; MESSAGE];
        whole[0] = 2;
        whole[1] = LISTEN;
        whole[8..12].copy_from_slice(&[127, 0, 0, 1]);
        whole[4..6].copy_from_slice(&8080_u16.to_be_bytes());
        whole[44] = 7;
        whole[68] = 9;
        let mut info = vec![0_u8; 4 + 136];
        info[..2].copy_from_slice(&140_u16.to_ne_bytes());
        info[2..4].copy_from_slice(&INFO.to_ne_bytes());
        info[4 + BYTES_RECEIVED] = 5;
        info[4 + BYTES_ACKED] = 6;
        // One that nobody asked for, in front.
        whole.extend([5, 0, 99, 0, 1, 0, 0, 0]);
        whole.extend(&info);
        let socket = parse(&whole).unwrap();
        assert_eq!((socket.cookie, socket.inode), (7, 9), "who");
        assert_eq!(socket.local, "127.0.0.1:8080".parse().unwrap(), "where");
        assert_eq!((socket.listens, socket.received, socket.sent), (true, 5, 6), "what");
        for length in 0..whole.len() {
            let told = parse(&whole[..length]);
            assert!(told.is_none_or(|told| told.received == 0 && told.cookie == 7), "{length} bytes");
        }
    }

    #[test]
    fn messages_end_where_their_lengths_are_no_lengths() {
        for bytes in [&[][..], &[0; 16], &[255; 40], &[16, 0, 0, 0], &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(Messages(bytes).count(), 0, "{bytes:?}");
        }
    }

    #[test]
    fn a_socket_of_this_process_is_among_those_told() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let told = SockDiag::open().unwrap().dump().unwrap();
        assert!(told.iter().any(|one| one.listens && one.local == local), "{local} in {told:?}");
    }
}
