//! Which ports are listened on, who holds them, and which are free.
//!
//! The table knows every user's sockets on Linux; their processes only where this user may look. [`Listening`] is one look at
//! it that answers for many trees: reading it costs a fraction of a millisecond (Linux: `sock_diag`, which unlike
//! `/proc/net/tcp` does not walk the table of connections), and asking it costs what the processes asked
//! about have open.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(target_os = "macos")]
use macos as platform;
#[cfg(windows)]
use windows as platform;

use crate::process::ProcessId;

/// Transport protocols that have ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Protocol {
    Tcp,
    Udp,
}

/// A socket that waits for peers: TCP in LISTEN, UDP bound and not connected.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Listener {
    pub protocol: Protocol,
    pub address: IpAddr,
    pub port: u16,
    /// Whose socket it is; `None` where the system does not say (Windows).
    pub uid: Option<u32>,
    /// What ties it to its holders: the socket's inode on Linux, the holder's PID elsewhere.
    socket: u64,
}

/// A listener and the processes that have it open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Holder {
    pub listener: Listener,
    /// Several after a fork. Empty: another user's, and not ours to look at.
    pub processes: Vec<ProcessId>,
}

/// All listeners of the machine at one moment.
#[derive(Debug, Clone, Default)]
pub struct Listening {
    listeners: Vec<Listener>,
}

impl Listening {
    /// Reads the tables: every user's sockets on Linux and Windows, on macOS those of the processes that this user may
    /// look at.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read() -> io::Result<Self> {
        platform::listeners().map(|listeners| Self { listeners })
    }

    /// Every listener.
    pub fn all(&self) -> &[Listener] {
        &self.listeners
    }

    /// The listeners on a port, of either protocol.
    pub fn on(&self, port: u16) -> impl Iterator<Item = &Listener> {
        self.listeners.iter().filter(move |listener| listener.port == port)
    }

    /// Those that one of these processes has open. Processes that are gone, or not ours to look at, hold nothing.
    ///
    /// # Errors
    /// When the system could not be asked: that is not "they listen on nothing".
    pub fn of(&self, pids: &[u32]) -> io::Result<Vec<Listener>> {
        if self.listeners.is_empty() {
            return Ok(Vec::new());
        }
        let mut open = HashSet::new();
        for pid in pids {
            platform::sockets_of(*pid, &mut |socket| {
                open.insert(socket);
            })?;
        }
        Ok(self.listeners.iter().filter(|listener| open.contains(&listener.socket)).cloned().collect())
    }

    /// Who holds a port: one entry a listener on it. Looks at every process of the machine.
    ///
    /// # Errors
    /// When the system could not be asked.
    pub fn holders(&self, port: u16) -> io::Result<Vec<Holder>> {
        let mut holders: Vec<Holder> = self
            .on(port)
            .map(|listener| Holder { listener: listener.clone(), processes: Vec::new() })
            .collect();
        if holders.is_empty() {
            return Ok(holders);
        }
        for pid in platform::processes(&self.listeners)? {
            let mut held = HashSet::new();
            platform::sockets_of(pid, &mut |socket| {
                held.insert(socket);
            })?;
            if holders.iter().any(|holder| held.contains(&holder.listener.socket))
                && let Some(id) = ProcessId::of(pid)?
            {
                for holder in holders.iter_mut().filter(|holder| held.contains(&holder.listener.socket)) {
                    holder.processes.push(id);
                }
            }
        }
        Ok(holders)
    }
}

/// Every listener now; [`Listening::read`] if more than one question follows.
///
/// # Errors
/// As [`Listening::read`].
pub fn listening() -> io::Result<Vec<Listener>> {
    Listening::read().map(|now| now.listeners)
}

/// The listeners that these processes have open now.
///
/// # Errors
/// As [`Listening::of`].
pub fn listening_of(pids: &[u32]) -> io::Result<Vec<Listener>> {
    Listening::read()?.of(pids)
}

/// Who holds a port now.
///
/// # Errors
/// As [`Listening::holders`].
pub fn holders(port: u16) -> io::Result<Vec<Holder>> {
    Listening::read()?.holders(port)
}

/// Whether a server could listen on this TCP port: on loopback and on every address, IPv4 and IPv6.
///
/// Found out by binding as such a server would (`SO_REUSEADDR` on Unix, so that closed connections do not count), without
/// listening: no client can mistake the question for a server, and a server that binds meanwhile succeeds.
/// A port that this user may not bind at all (below 1024) counts as free unless somebody holds it.
pub fn is_free(port: u16) -> bool {
    let everywhere: [IpAddr; 4] = [
        Ipv4Addr::LOCALHOST.into(),
        Ipv4Addr::UNSPECIFIED.into(),
        Ipv6Addr::LOCALHOST.into(),
        Ipv6Addr::UNSPECIFIED.into(),
    ];
    everywhere.into_iter().all(|address| match platform::bind(SocketAddr::new(address, port)) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => false,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => !is_listened_on(port),
        // No IPv6 here, or the like: then no server can be in the way there either.
        Err(_) => true,
    })
}

/// The first free TCP port from this one upwards, itself included. `None` if there is none.
pub fn next_free(from: u16) -> Option<u16> {
    (from.max(1)..=u16::MAX).find(|port| is_free(*port))
}

fn is_listened_on(port: u16) -> bool {
    Listening::read().is_ok_and(|now| now.on(port).any(|listener| listener.protocol == Protocol::Tcp))
}
