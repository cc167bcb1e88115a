//! Linux: the tables by `sock_diag` (sock_diag(7)), or `/proc/net` where that is not to be had; holders by `/proc/PID/fd`.

mod diag;
mod proc_net;

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;

use super::{Listener, Protocol};
use crate::process::linux::gone_is_none;

pub(super) use super::unix::bind;

/// The tables: protocol, and whether IPv6.
const TABLES: [(Protocol, bool); 4] =
    [(Protocol::Tcp, false), (Protocol::Tcp, true), (Protocol::Udp, false), (Protocol::Udp, true)];

pub(super) fn listeners() -> io::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for (protocol, v6) in TABLES {
        // The first fails where the kernel has no module for it, and in a sandbox without netlink.
        listeners.extend(diag::dump(protocol, v6).or_else(|_| proc_net::read(protocol, v6))?);
    }
    Ok(listeners)
}

pub(super) fn processes(_listeners: &[Listener]) -> io::Result<Vec<u32>> {
    crate::process::linux::numbers_in("/proc")
}

/// Every socket that a process has open, by inode. None if it is gone, or not ours to look at.
pub(super) fn sockets_of(pid: u32, found: &mut dyn FnMut(u64)) -> io::Result<()> {
    let folder = format!("/proc/{pid}/fd");
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        other => gone_is_none(other)?,
    };
    for entry in entries.into_iter().flatten() {
        let Some(entry) = gone_is_none(entry)? else { break };
        match fs::read_link(entry.path()) {
            Ok(target) => {
                if let Some(inode) = socket_inode(target.as_os_str().as_bytes()) {
                    found(inode);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
            // Closed meanwhile.
            Err(_) => {}
        }
    }
    Ok(())
}

/// `socket:[4711]`
fn socket_inode(target: &[u8]) -> Option<u64> {
    let number = target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}
