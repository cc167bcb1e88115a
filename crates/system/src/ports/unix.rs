//! What Linux and macOS share.

use std::io;
use std::net::SocketAddr;

use rustix::net::{AddressFamily, SocketType, bind as bind_to, socket, sockopt};

/// Binds as std's `TcpListener` does, and closes the socket again.
pub(super) fn bind(address: SocketAddr) -> io::Result<()> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket(family, SocketType::STREAM, None)?;
    // A child that is forked in this moment must not keep the port.
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    Ok(bind_to(&socket, &address)?)
}
