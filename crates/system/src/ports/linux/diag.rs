//! `NETLINK_SOCK_DIAG`: the kernel filters by state, so that a busy machine's connections cost nothing.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use super::super::{Listener, Protocol};

// linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST_DUMP: u16 = 0x301;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 56;
/// `TCP_LISTEN` and `TCP_CLOSE` of net/tcp_states.h; a UDP socket is in the latter until it is connected.
const LISTEN: u32 = 1 << 10;
const CLOSE: u32 = 1 << 7;

/// One table: a socket for each, so that what is left of one that failed cannot be taken for the next one's.
pub(super) fn dump(protocol: Protocol, v6: bool) -> io::Result<Vec<Listener>> {
    let (family, diag) = (AddressFamily::NETLINK, Some(netlink::SOCK_DIAG));
    let socket = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, diag)?;
    send(&socket, &request(protocol, v6), SendFlags::empty())?;
    // The kernel fills at most this much at a time (NLMSG_GOODSIZE is a page, and 32 KiB when it can).
    let mut datagram = vec![0; 32 * 1024];
    let mut listeners = Vec::new();
    loop {
        let (length, _) = recv(&socket, &mut datagram[..], RecvFlags::empty())?;
        if !parse(datagram.get(..length).unwrap_or_default(), protocol, &mut listeners)? {
            return Ok(listeners);
        }
    }
}

/// An `nlmsghdr` and an `inet_diag_req_v2`, whose socket id is left empty: all of them.
fn request(protocol: Protocol, v6: bool) -> [u8; REQUEST] {
    let (number, states) = match protocol {
        Protocol::Tcp => (libc::IPPROTO_TCP, LISTEN),
        Protocol::Udp => (libc::IPPROTO_UDP, CLOSE),
    };
    let family = if v6 { libc::AF_INET6 } else { libc::AF_INET };
    let mut message = [0; REQUEST];
    message[0..4].copy_from_slice(&(REQUEST as u32).to_ne_bytes());
    message[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message[6..8].copy_from_slice(&NLM_F_REQUEST_DUMP.to_ne_bytes());
    message[HEADER] = family as u8;
    message[HEADER + 1] = number as u8;
    message[HEADER + 4..HEADER + 8].copy_from_slice(&states.to_ne_bytes());
    message
}

/// Reads the messages of one datagram. Whether more will follow.
fn parse(mut datagram: &[u8], protocol: Protocol, listeners: &mut Vec<Listener>) -> io::Result<bool> {
    while let (Some(length), Some(kind)) = (u32_at(datagram, 0), u16_at(datagram, 4)) {
        let length = length as usize;
        let Some(message) = datagram.get(HEADER..length) else { break };
        match kind {
            NLMSG_DONE => return Ok(false),
            NLMSG_ERROR => {
                let number = u32_at(message, 0).map_or(0, u32::cast_signed);
                return Err(io::Error::from_raw_os_error(number.wrapping_neg()));
            }
            SOCK_DIAG_BY_FAMILY => listeners.extend(listener(message, protocol)),
            _ => {}
        }
        // Messages begin at multiples of four.
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(true)
}

/// An `inet_diag_msg`.
fn listener(message: &[u8], protocol: Protocol) -> Option<Listener> {
    let family = i32::from(*message.first()?);
    let address: IpAddr = if family == libc::AF_INET {
        Ipv4Addr::from(<[u8; 4]>::try_from(message.get(8..12)?).ok()?).into()
    } else {
        Ipv6Addr::from(<[u8; 16]>::try_from(message.get(8..24)?).ok()?).into()
    };
    let port = u16::from_be_bytes(message.get(4..6)?.try_into().ok()?);
    Some(Listener {
        protocol,
        address,
        port,
        uid: Some(u32_at(message, 64)?),
        socket: u32_at(message, 68)?.into(),
    })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}
