//! Ports of real sockets.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};

use common::{Ground, id, until};
use forge_system::ProcessId;
use forge_system::ports::{Listening, Protocol, holders, is_free, listening_of, next_free};

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn a_listener_is_seen_with_its_holder() {
    let me = ProcessId::current().unwrap();
    let (listener, port) = listener();
    let now = Listening::read().unwrap();
    let on: Vec<_> = now.on(port).collect();
    assert_eq!(on.len(), 1, "{on:?}");
    assert_eq!((on[0].protocol, on[0].address), (Protocol::Tcp, Ipv4Addr::LOCALHOST.into()), "where");
    assert_eq!(on[0].uid, Some(rustix::process::geteuid().as_raw()), "whose");

    let held = now.holders(port).unwrap();
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!(held[0].processes, [me], "who");
    assert!(now.of(&[me.pid]).unwrap().contains(on[0]), "asked by process");
    assert_eq!(now.of(&[]).unwrap(), [], "nobody holds nothing");
    drop(listener);
    assert!(Listening::read().unwrap().on(port).next().is_none(), "closed");
    assert!(holders(port).unwrap().is_empty(), "nobody holds it");
}

#[test]
fn ipv6_and_udp_are_seen_connections_are_not() {
    let me = std::process::id();
    let (listener, port) = listener();
    let _client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let _server = listener.accept().unwrap();
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let connected = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    connected.connect((Ipv4Addr::LOCALHOST, 9)).unwrap();
    let mine = listening_of(&[me]).unwrap();
    assert_eq!(mine.iter().filter(|one| one.port == port).count(), 1, "{mine:?}: the listener alone");
    let has = |socket: &UdpSocket| {
        let port = socket.local_addr().unwrap().port();
        mine.iter().any(|one| one.protocol == Protocol::Udp && one.port == port)
    };
    assert!(has(&udp), "{mine:?}: a UDP socket that waits");
    assert!(!has(&connected), "{mine:?}: a connected one does not");

    let Ok(v6) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
    let port = v6.local_addr().unwrap().port();
    let mine = listening_of(&[me]).unwrap();
    assert!(mine.iter().any(|one| (one.port, one.address) == (port, Ipv6Addr::LOCALHOST.into())), "{mine:?}");
}

#[test]
fn a_socket_that_a_child_inherits_has_two_holders() {
    let ground = Ground::new();
    let (listener, port) = listener();
    rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::empty()).unwrap();
    let mut child = ground.spawn("exec sleep 300");
    let child_id = id(&child);
    until("both hold it", || {
        let held = holders(port).unwrap();
        held.len() == 1 && held[0].processes.contains(&child_id) && held[0].processes.len() >= 2
    });
    drop(listener);
    assert!(
        listening_of(&[child.id()]).unwrap().iter().any(|one| one.port == port),
        "the child keeps it open"
    );
    assert!(!is_free(port), "and the port taken");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_port_is_free_if_a_server_could_listen_anywhere() {
    let (on_loopback, port) = listener();
    assert!(!is_free(port), "taken on 127.0.0.1");
    let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (server, _) = on_loopback.accept().unwrap();
    drop(on_loopback);
    // The side that closes first waits in TIME_WAIT, which keeps no server out.
    drop(server);
    drop(client);
    until("free again", || is_free(port));
    let again = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).expect("free means that a server can");
    assert!(!is_free(port), "taken on 0.0.0.0");
    drop(again);

    if let Ok(v6) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        assert!(!is_free(v6.local_addr().unwrap().port()), "taken on ::1");
    }
}

#[test]
fn the_next_free_port_is_the_first_that_can_be_had() {
    let (_listener, port) = listener();
    let next = next_free(port).unwrap();
    assert!(next > port, "{next} is after the taken {port}");
    assert!(next_free(next).unwrap() >= next, "itself included");
    assert_eq!(next_free(u16::MAX).is_some(), is_free(u16::MAX), "the last one");
}
