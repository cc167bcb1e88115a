//! Programs in a terminal.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Run, wait_for};
use forge_keeper::message::{Report, Request};
use forge_keeper::record::Exit;

/// A shell in a terminal, and a client that is attached to it.
fn shell() -> (Run, common::Client) {
    let run = Run::of(&["/bin/sh", "-i"]).with(|spec| {
        spec.tty = true;
        spec.env.push(("PS1".into(), "ready> ".into()));
    });
    let (run, mut client) = run.start();
    client.send(&Request::Attach);
    client.wait_for_output("ready> ");
    (run, client)
}

#[test]
fn a_shell_believes_in_its_terminal() {
    let (run, mut client) = shell();
    client.input(b"test -t 0 && test -t 1 && stty size && echo $TERM\r");
    let shown = client.wait_for_output("xterm-256color");
    assert!(shown.contains("24 80"), "its first size: {shown}");
    client.send(&Request::Resize { rows: 50, columns: 132 });
    client.input(b"stty size\r");
    client.wait_for_output("50 132\r\nready> ");
    // What came back as well as being echoed was read by `cat`: it runs, so the signal reaches it and no shell on its
    // way to exec. `noflsh`: an interrupt discards what waits to be shown, and the prompt may wait there already.
    client.input(b"stty noflsh; cat\r");
    client.input(b"typed\r");
    client.wait_for_output("typed\r\ntyped\r\n");
    client.input(b"\x03");
    client.wait_for_output("ready> ");
    client.input(b"exit 4\r");
    assert_eq!(client.wait_for_exit(), Exit::Code(4), "Ctrl-C ended what ran in the shell, not the shell");
    client.wait_for_empty();
    assert!(run.lines("stdout").iter().any(|line| line.contains("50 132")), "it is in the log as well");
}

#[test]
fn who_attaches_later_sees_what_was_shown() {
    let (run, client) = shell();
    drop(client);
    let mut client = run.connect();
    client.send(&Request::Attach);
    client.wait_for_output("ready> ");
    client.send(&Request::Detach);
    client.input(b"echo un''seen\r");
    wait_for("it is in the log", || run.lines("stdout").iter().any(|line| line.contains("unseen")));
    client.force();
    client.wait_for_empty();
}

#[test]
fn the_last_words_before_an_exit_are_kept() {
    let script = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i; done; exit 5";
    let (run, mut client) = Run::script(script).with(|spec| spec.tty = true).start();
    assert_eq!(client.wait_for_exit(), Exit::Code(5), "its code");
    let lines = run.lines("stdout");
    let last = lines.last().map(|line| line.trim_end());
    assert_eq!((lines.len(), last), (3_000, Some("line 3000")), "everything it wrote");
}

#[test]
fn a_terminal_survives_its_keeper_while_somebody_holds_it() {
    let (mut run, mut client) = shell();
    let child = run.child();
    client.send(&Request::Terminal);
    client.wait_for("the terminal", |report| matches!(report, Report::Terminal));
    let terminal = client.terminal.take().unwrap();
    drop(client);
    run.kill_keeper();
    let mut client = run.adopt();
    let Some(Report::Hello { wants_terminal: true, .. }) = &client.hello else {
        panic!("{:?}", client.hello)
    };
    client.send(&Request::TakeTerminal);
    assert_eq!(client.wait_for_refusal("take_terminal"), "no descriptor came with it");
    client.send_with(&Request::TakeTerminal, &terminal);
    drop(terminal);
    client.send(&Request::Attach);
    client.input(b"echo still $((40 + 2))\r");
    client.wait_for_output("still 42");
    assert!(child.is_alive().unwrap(), "the same shell");
    client.input(b"exit\r");
    client.wait_for_exit();
    client.wait_for_empty();
}

#[test]
fn without_a_terminal_there_is_nothing_to_attach_to() {
    let (_run, mut client) = Run::of(&["sleep", "1000"]).start();
    client.send(&Request::Attach);
    assert!(client.wait_for_refusal("attach").contains("no terminal"), "attach");
    client.send(&Request::Resize { rows: 1, columns: 1 });
    assert_eq!(client.wait_for_refusal("resize"), "there is no terminal", "resize");
    client.send(&Request::Terminal);
    assert_eq!(client.wait_for_refusal("terminal"), "there is no terminal", "terminal");
    client.force();
    client.wait_for_empty();
}
