//! Bytes over TCP, against what a transfer has moved.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use forge_system::Signal;
use forge_system::tree::Tree;

use crate::common::{Ground, id, kill, until};
use crate::{BETWEEN, Watched};

/// Accepts on a port of its own: sends what it is told to, or counts what it gets, then closes.
const SERVER: &str = r#"
import socket, threading
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(256)
def serve(client):
    asked = int(client.recv(16, socket.MSG_WAITALL))
    if asked:
        client.sendall(b"x" * asked)
    else:
        while client.recv(1 << 20): pass
    client.close()
open("port.new", "w").write("%d\n" % server.getsockname()[1])
import os; os.rename("port.new", "port")
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
"#;

fn port_in(ground: &Ground) -> u16 {
    let mut port = None;
    until("it listens", || {
        port = fs::read_to_string(ground.file("port")).ok().and_then(|text| text.trim().parse().ok());
        port.is_some()
    });
    port.unwrap()
}

/// Has the server send so many bytes (0: none), and sends it so many besides the 16 of the question.
fn transfer(port: u16, down: usize, up: usize) {
    use std::io::Read;
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("{down:16}").as_bytes()).unwrap();
    let mut left = up;
    while left > 0 {
        let part = left.min(1 << 16);
        stream.write_all(&vec![0; part]).unwrap();
        left -= part;
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).unwrap();
    assert_eq!(got.len(), down, "the transfer itself");
}

#[track_caller]
fn assert_moved(watched: &mut Watched, received: u64, sent: u64) {
    let near = |figure: Option<u64>, moved: u64| figure.unwrap().abs_diff(moved) * 100 <= moved.max(100);
    let mut sample = watched.look();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !(near(sample.net_received_bytes, received) && near(sample.net_sent_bytes, sent)) {
        assert!(Instant::now() < deadline, "moved {received} in and {sent} out, sampled {sample:?}");
        std::thread::sleep(BETWEEN);
        sample = watched.look();
    }
}

#[test]
fn tcp_bytes_are_what_a_known_transfer_has_moved() {
    let ground = Ground::new();
    fs::write(ground.file("server.py"), SERVER).unwrap();
    let child = ground.spawn("exec python3 server.py");
    let mut watched = Watched::new(Tree::of(id(&child)));
    let port = port_in(&ground);
    let first = watched.look();
    assert_eq!((first.net_received_bytes, first.net_sent_bytes), (Some(0), Some(0)), "nothing yet");
    transfer(port, 50_000_000, 0);
    assert_moved(&mut watched, 16, 50_000_000);
    transfer(port, 0, 30_000_000);
    assert_moved(&mut watched, 30_000_032, 50_000_000);
}

#[test]
fn tcp_bytes_of_many_connections_that_are_gone_before_anybody_looks() {
    let ground = Ground::new();
    fs::write(ground.file("server.py"), SERVER).unwrap();
    let child = ground.spawn("exec python3 server.py");
    let mut watched = Watched::new(Tree::of(id(&child)));
    let port = port_in(&ground);
    watched.look();
    for _ in 0..1000 {
        transfer(port, 2000, 0);
    }
    for _ in 0..500 {
        transfer(port, 0, 3000);
    }
    assert_moved(&mut watched, 1_500 * 16 + 1_500_000, 2_000_000);
}

#[test]
fn tcp_bytes_stay_when_the_process_that_moved_them_has_ended() {
    let ground = Ground::new();
    fs::write(ground.file("server.py"), SERVER).unwrap();
    let child = ground.spawn("python3 server.py & echo $! >pid; while true; do sleep 1; done");
    let mut watched = Watched::new(Tree::of(id(&child)));
    let port = port_in(&ground);
    watched.look();
    transfer(port, 5_000_000, 0);
    kill(ground.pid_in("pid").pid, Signal::KILL);
    assert_moved(&mut watched, 16, 5_000_000);
    watched.until("only the shell is left", |sample| sample.processes <= 2);
    assert_moved(&mut watched, 16, 5_000_000);
}

#[test]
fn tcp_bytes_of_a_client_are_its_own_and_not_the_servers() {
    let ground = Ground::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = format!(
        "import socket,sys\ns = socket.create_connection(('127.0.0.1', {port}))\ns.sendall(b'x' * 4000000)\n\
         while s.recv(1 << 20): pass\n"
    );
    fs::write(ground.file("client.py"), client).unwrap();
    let child = ground.spawn("python3 client.py; echo >done; exec sleep 300");
    let mut watched = Watched::new(Tree::of(id(&child)));
    let (mut stream, _) = listener.accept().unwrap();
    // It is there: looked at before it ends.
    watched.look();
    use std::io::Read;
    let mut got = vec![0; 4_000_000];
    stream.read_exact(&mut got).unwrap();
    stream.write_all(&vec![1; 6_000_000]).unwrap();
    drop(stream);
    assert_moved(&mut watched, 6_000_000, 4_000_000);
}

#[test]
fn tcp_bytes_of_a_network_of_its_own_are_not_known() {
    let ground = Ground::new();
    let child = ground.spawn("exec unshare --net --map-root-user sleep 600");
    let mut watched = Watched::new(Tree::of(id(&child)));
    let network = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while network(&child.id().to_string()) == network("self") {
        assert!(Instant::now() < deadline, "this system lets nobody have a network of its own");
        std::thread::sleep(BETWEEN);
    }
    watched.until("nothing is known", |sample| sample.net_received_bytes.is_none());
}
