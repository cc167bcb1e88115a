//! macOS: by `libproc`, through the `listeners` crate. It sees what the processes that this user may look at have open:
//! another user's sockets are silently absent, so that [`is_free`](super::is_free) binds rather than reads.

use std::io;

use listeners::SocketState;

pub(super) use super::unix::bind;
use super::{Listener, Protocol};
use crate::process::macos::look_up;

pub(super) fn listeners() -> io::Result<Vec<Listener>> {
    let open = listeners::get_all().map_err(|error| io::Error::other(error.to_string()))?;
    let waiting = open.into_iter().filter_map(|one| {
        let protocol = match one.protocol {
            listeners::Protocol::TCP if one.state == SocketState::Listen => Protocol::Tcp,
            listeners::Protocol::UDP => Protocol::Udp,
            listeners::Protocol::TCP => return None,
        };
        let uid = look_up(one.process.pid).ok().flatten().map(|told| told.pbi_uid);
        Some(Listener {
            protocol,
            address: one.socket.ip(),
            port: one.socket.port(),
            uid,
            socket: one.process.pid.into(),
        })
    });
    Ok(waiting.filter(|listener| listener.port != 0).collect())
}

/// The table already says which process holds a socket: only those are asked about.
pub(super) fn processes(listeners: &[Listener]) -> io::Result<Vec<u32>> {
    let mut pids: Vec<_> = listeners.iter().filter_map(|one| u32::try_from(one.socket).ok()).collect();
    pids.sort_unstable();
    pids.dedup();
    Ok(pids)
}

pub(super) fn sockets_of(pid: u32, found: &mut dyn FnMut(u64)) -> io::Result<()> {
    found(pid.into());
    Ok(())
}
