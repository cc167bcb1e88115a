//! Windows: the IP Helper tables, which name the owner of every socket.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, NO_ERROR};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GetExtendedTcpTable, GetExtendedUdpTable, MIB_TCP6ROW_OWNER_PID, MIB_TCPROW_OWNER_PID,
    MIB_UDP6ROW_OWNER_PID, MIB_UDPROW_OWNER_PID, TCP_TABLE_OWNER_PID_LISTENER, UDP_TABLE_OWNER_PID,
};
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6};

use super::{Listener, Protocol};

pub(super) fn listeners() -> io::Result<Vec<Listener>> {
    let v4 = |address: u32| Ipv4Addr::from(address.to_ne_bytes()).into();
    let v6 = |address: [u8; 16]| Ipv6Addr::from(address).into();
    let listener = |protocol, address, port: u32, pid: u32| Listener {
        protocol,
        address,
        // The lower half, in network order.
        port: u16::from_be(port as u16),
        uid: None,
        socket: pid.into(),
    };
    let mut all: Vec<Listener> = Vec::new();
    for row in rows::<MIB_TCPROW_OWNER_PID>(Protocol::Tcp, AF_INET)? {
        all.push(listener(Protocol::Tcp, v4(row.dwLocalAddr), row.dwLocalPort, row.dwOwningPid));
    }
    for row in rows::<MIB_TCP6ROW_OWNER_PID>(Protocol::Tcp, AF_INET6)? {
        all.push(listener(Protocol::Tcp, v6(row.ucLocalAddr), row.dwLocalPort, row.dwOwningPid));
    }
    for row in rows::<MIB_UDPROW_OWNER_PID>(Protocol::Udp, AF_INET)? {
        all.push(listener(Protocol::Udp, v4(row.dwLocalAddr), row.dwLocalPort, row.dwOwningPid));
    }
    for row in rows::<MIB_UDP6ROW_OWNER_PID>(Protocol::Udp, AF_INET6)? {
        all.push(listener(Protocol::Udp, v6(row.ucLocalAddr), row.dwLocalPort, row.dwOwningPid));
    }
    Ok(all)
}

/// A table is a count of 32 bits and that many rows. `Row` must be the one of this protocol and family.
fn rows<Row: Copy>(protocol: Protocol, family: u16) -> io::Result<Vec<Row>> {
    let family = u32::from(family);
    let mut room = 16 * 1024_u32;
    loop {
        let mut table = vec![0_u32; room as usize / size_of::<u32>()];
        let buffer = table.as_mut_ptr().cast();
        let status = match protocol {
            // SAFETY: the buffer is as large as is said.
            Protocol::Tcp => unsafe {
                GetExtendedTcpTable(buffer, &mut room, 0, family, TCP_TABLE_OWNER_PID_LISTENER, 0)
            },
            // SAFETY: as above.
            Protocol::Udp => unsafe {
                GetExtendedUdpTable(buffer, &mut room, 0, family, UDP_TABLE_OWNER_PID, 0)
            },
        };
        match status {
            NO_ERROR => {
                let (Some((count, rows)), size) = (table.split_first(), size_of::<Row>()) else {
                    return Ok(Vec::new());
                };
                let fits = (size_of_val(rows) / size).min(*count as usize);
                let first = rows.as_ptr().cast::<Row>();
                // SAFETY: rows are of plain integers, and that many fit into the buffer.
                return Ok((0..fits).map(|at| unsafe { first.add(at).read_unaligned() }).collect());
            }
            // It has said how much it wants; more may be there by the next call.
            ERROR_INSUFFICIENT_BUFFER => room = room.saturating_add(4 * 1024),
            error => return Err(io::Error::from_raw_os_error(error.cast_signed())),
        }
    }
}

/// The table names the owners: only those are asked about.
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

/// Windows has no state between bound and listening that a second server would respect: it listens for a moment.
pub(super) fn bind(address: SocketAddr) -> io::Result<()> {
    TcpListener::bind(address).map(drop)
}
