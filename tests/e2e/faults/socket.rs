//! The socket is stale, or not ours.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use forge_tests::{World, json};

fn world() -> World {
    World::with("dev:\n  - {name: a, command: nasty forever}\n")
}

#[test]
fn fault_20_a_stale_socket_is_replaced() {
    let world = world();
    world.start();
    let a = world.pid("a");
    world.kill_supervisor();
    assert!(world.socket().exists(), "a killed supervisor leaves it behind");
    assert_eq!(world.pid("a"), a, "the next one takes its place");
}

#[test]
fn fault_20_something_else_in_the_sockets_place_is_replaced_or_refused_and_never_followed() {
    let world = world();
    world.start();
    let a = world.pid("a");
    let precious = world.folder().join("precious");
    fs::write(&precious, "mine").expect("a file");
    let put: [(&str, &dyn Fn()); 2] = [
        ("a file", &|| fs::write(world.socket(), "not a socket").expect("a file")),
        ("a link", &|| symlink(&precious, world.socket()).expect("a link")),
    ];
    for (what, put) in put {
        world.kill_supervisor();
        // It may be gone already.
        let _gone = fs::remove_file(world.socket());
        put();
        let status = world.forge(["status", "--json"]).run();
        assert_eq!(
            fs::read_to_string(&precious).expect("it is still there"),
            "mine",
            "{what} is not followed"
        );
        assert!(matches!(status.code, Some(0 | 1 | 4)), "{what}: {status}");
        if status.code != Some(0) {
            fs::remove_file(world.socket()).expect("it was left there");
        }
        assert_eq!(world.pid("a"), a, "{what}");
    }
}

#[test]
fn fault_20_a_listener_that_talks_garbage_is_no_supervisor() {
    let world = world();
    world.start();
    let a = world.pid("a");
    world.kill_supervisor();
    fs::remove_file(world.socket()).expect("it was left behind");
    let listener = UnixListener::bind(world.socket()).expect("a socket");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _sent = stream.write_all(b"220 smtp.example ESMTP\r\n\xff\xfe\n");
            let _read = stream.read(&mut [0; 100]);
        }
    });
    let status = world.forge(["status", "--json"]).run();
    assert!(matches!(status.code, Some(0 | 4)), "an answer within the time: {status}");
    if status.code == Some(4) {
        assert!(matches!(&*status.error_code(), "no_supervisor" | "protocol"), "{status}");
        fs::remove_file(world.socket()).expect("it is there");
    }
    assert_eq!(world.pid("a"), a, "the process goes on");
}

#[test]
fn fault_20_a_listener_that_says_nothing_is_no_supervisor() {
    let world = world();
    world.start();
    world.kill_supervisor();
    fs::remove_file(world.socket()).expect("it was left behind");
    let listener = UnixListener::bind(world.socket()).expect("a socket");
    let status = world.forge(["status", "--json"]).run();
    assert!(matches!(status.code, Some(0 | 4)), "an answer within the time: {status}");
    drop(listener);
    let _gone = fs::remove_file(world.socket());
    assert_eq!(world.process("a")["status"], "running", "the process goes on");
}

#[test]
fn a_runtime_folder_that_is_a_link_is_refused() {
    let world = world();
    fs::create_dir_all(world.home()).expect("the home");
    let elsewhere = world.folder().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    symlink(&elsewhere, world.home().join("run")).expect("a link");
    let outcome = world.forge(["start"]).run();
    assert!(matches!(outcome.code, Some(1 | 4)), "{outcome}");
    outcome.says("link");
    assert_eq!(fs::read_dir(&elsewhere).expect("a folder").count(), 0, "nothing was made behind it");
    fs::remove_file(world.home().join("run")).expect("the link");
}

#[test]
fn a_runtime_folder_of_somebody_else_is_refused() {
    if !rustix_is_root() {
        forge_tests::skip("a_runtime_folder_of_somebody_else_is_refused", "only root can give a folder away");
        return;
    }
    let world = world();
    let run = world.home().join("run");
    fs::create_dir_all(&run).expect("the folder");
    std::os::unix::fs::chown(&run, Some(65_534), None).expect("given to nobody");
    let outcome = world.forge(["start"]).run();
    assert!(matches!(outcome.code, Some(1 | 4)), "{outcome}");
    outcome.says("65534");
    std::os::unix::fs::chown(&run, Some(0), None).expect("taken back");
}

fn rustix_is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[test]
fn folders_are_0700_and_files_and_the_socket_0600() {
    let world = World::with(
        "dev:\n  - {name: a, command: nasty print hello forever}\n  - {name: t, command: nasty forever, tty: true}\n",
    );
    world.start();
    world.wait_line("a", "hello");
    let mut open = vec![world.home()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        let found = fs::symlink_metadata(&path).expect("it exists");
        let mode = found.permissions().mode() & 0o777;
        seen += 1;
        if found.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            open.extend(fs::read_dir(&path).expect("a folder").flatten().map(|entry| entry.path()));
        } else {
            // A program of Forge's own may be run by its owner.
            assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
        }
    }
    assert!(seen > 10, "there is something to look at");
    let mode = fs::symlink_metadata(world.socket()).expect("the socket").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "the socket");
}

#[test]
fn what_is_not_the_protocol_costs_only_its_own_connection() {
    let world = world();
    world.start();
    let supervisor = world.wait_supervisor();
    let mut other = world.rpc().expect("it answers");
    let mut raw = forge_tests::Rpc::connect_raw(&world.socket()).expect("it listens");
    raw.send_line("this is no JSON").expect("sent");
    let answer = raw.read();
    assert!(answer.as_ref().map_or(true, |answer| answer["error"]["code"] == -32700), "{answer:?}");
    let unknown = other.call("no.such.method", json!({})).expect("an answer");
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    let wrong = other.call("stop", json!({"names": 7})).expect("an answer");
    assert_eq!(wrong["error"]["code"], -32602, "{wrong}");
    let more = other
        .call("status", json!({"workspace": world.workspace(), "from_the_future": true}))
        .expect("an answer");
    assert!(more["result"].is_object(), "members that are not known are ignored: {more}");
    let mut flood = forge_tests::Rpc::connect_raw(&world.socket()).expect("it listens");
    let chunk = "x".repeat(1 << 20);
    // It is cut off at some point, or simply never answered; either way the others go on.
    for _ in 0..20 {
        if flood.send_line(&chunk).is_err() {
            break;
        }
    }
    drop(flood);
    assert_eq!(world.wait_supervisor(), supervisor, "the same supervisor");
}

#[test]
fn another_protocol_is_answered_in_words() {
    let world = world();
    world.start();
    let mut old = forge_tests::Rpc::connect_raw(&world.socket()).expect("it listens");
    let answer = old.call("hello", json!({"protocol": 99, "version": "9.0.0"})).expect("an answer");
    // Either it is refused with both versions named, or the answer lets the client decide.
    let text = answer.to_string();
    assert!(answer["error"].is_object() || answer["result"]["protocol"] == 1, "{text}");
}

/// Connects as whoever runs it, says hello, and prints how many bytes are answered. Perl stands where everybody may run
/// it.
const STRANGER: &str = r#"
$SIG{PIPE} = "IGNORE";
my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "no connection: $!";
syswrite($socket, qq({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1, "version": "0"}}\n));
my $count = sysread($socket, my $answer, 100);
print $count // 0;
"#;

#[test]
fn another_user_gets_no_word_even_where_folders_and_sockets_are_open_to_all() {
    const TEST: &str = "another_user_gets_no_word_even_where_folders_and_sockets_are_open_to_all";
    if !rustix_is_root() {
        return forge_tests::skip(TEST, "only root can become another user");
    }
    let world = World::with("dev:\n  - {name: a, command: nasty forever}\n");
    world.start();
    let (_, spec) = world.run_folder("a");
    let keeper = std::path::PathBuf::from(spec["socket"].as_str().expect("its socket"));
    for socket in [world.socket(), keeper] {
        for path in socket.ancestors().take_while(|path| path.starts_with(world.folder())) {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("opened to all");
        }
        let ask = |who: &[&str]| {
            let perl =
                ["/usr/bin/perl", "-MIO::Socket::UNIX", "-e", STRANGER, socket.to_str().expect("UTF-8")];
            let told =
                world.program("/usr/bin/env".as_ref(), who.iter().chain(&perl)).run().ok().stdout.clone();
            told.trim().parse::<usize>().expect("a number")
        };
        let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
        assert_eq!(ask(&nobody), 0, "{}", socket.display());
        if socket == world.socket() {
            assert!(ask(&[]) > 0, "its own user is answered");
        }
    }
    assert_eq!(world.process("a")["status"], "running", "and nothing was harmed");
}
