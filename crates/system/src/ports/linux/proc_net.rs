//! `/proc/net/{tcp,tcp6,udp,udp6}` (proc_net(5)). Always there, but the kernel walks every connection for it: tens of
//! milliseconds on a machine with much memory.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::{Listener, Protocol};
use crate::process::linux::gone_is_none;

pub(super) fn read(protocol: Protocol, v6: bool) -> io::Result<Vec<Listener>> {
    let name = match (protocol, v6) {
        (Protocol::Tcp, false) => "tcp",
        (Protocol::Tcp, true) => "tcp6",
        (Protocol::Udp, false) => "udp",
        (Protocol::Udp, true) => "udp6",
    };
    // A kernel without IPv6 has no table for it.
    let table = gone_is_none(std::fs::read_to_string(format!("/proc/net/{name}")))?.unwrap_or_default();
    Ok(table.lines().skip(1).filter_map(|line| parse(line, protocol)).collect())
}

/// ` 0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 4711 …`
fn parse(line: &str, protocol: Protocol) -> Option<Listener> {
    let waits = match protocol {
        Protocol::Tcp => "0A",
        Protocol::Udp => "07",
    };
    let mut fields = line.split_ascii_whitespace();
    let (address, port) = fields.nth(1)?.split_once(':')?;
    if fields.nth(1)? != waits {
        return None;
    }
    Some(Listener {
        protocol,
        address: parse_address(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        uid: Some(fields.nth(3)?.parse().ok()?),
        socket: fields.nth(1)?.parse().ok()?,
    })
}

/// Words of 32 bits, each printed as a number of this machine's byte order, of bytes in network order.
fn parse_address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (at, four) in bytes.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(at)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn a_line_of_the_table_gives_the_listener() {
        let line = "   1: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0";
        let listener = parse(line, Protocol::Tcp).unwrap();
        assert_eq!((listener.address, listener.port), (Ipv4Addr::LOCALHOST.into(), 3000), "where");
        assert_eq!((listener.uid, listener.socket), (Some(1000), 4711), "whose");
        assert_eq!(parse(line, Protocol::Udp), None, "a UDP socket in that state is connected");
        let v6 = line.replacen("0100007F", "00000000000000000000000001000000", 1);
        assert_eq!(parse(&v6, Protocol::Tcp).unwrap().address, IpAddr::from(Ipv6Addr::LOCALHOST), "IPv6");
    }

    #[test]
    fn what_is_no_listener_is_passed_over() {
        for line in
            ["", "sl local_address", "0: zz:1 0:0 0A", "0: 0100007F:0BB8 0100007F:9999 01 0:0 0:0 0 0 0 1"]
        {
            assert_eq!(parse(line, Protocol::Tcp), None, "{line:?}");
        }
    }
}
