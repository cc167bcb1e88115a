//! Commands, and what they leave behind.
#![cfg(unix)]

use std::path::Path;
use std::time::{Duration, Instant};

use forge_config::model::{Command, Probe};

use super::{asked, here};
use crate::probe::{Answer, Context, ask};

fn shell(text: &str) -> Probe {
    Probe::Exec(Command::Shell(text.into()))
}

#[tokio::test]
async fn the_last_line_of_a_command_is_the_message() {
    for (command, healthy, message) in [
        ("echo one; echo two; echo", true, "two"),
        ("true", true, "Exited with 0"),
        ("echo localhost:5432 - accepting connections", true, "Accepting connections"),
        ("echo 'no response'; exit 2", false, "the health check's command exited with 2: no response"),
        ("echo out; echo err >&2; exit 1", false, "the health check's command exited with 1: err"),
        ("false", false, "the health check's command exited with 1"),
        ("kill -KILL $$", false, "the health check's command was killed by SIGKILL"),
    ] {
        let answer = asked(&shell(command)).await;
        assert_eq!((answer.healthy, answer.message.as_str()), (healthy, message), "{command}");
    }
}

#[tokio::test]
async fn it_runs_in_the_folder_and_environment_of_its_process_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().canonicalize().expect("a path");
    let context = Context { cwd: folder.clone(), env: vec![("COLOUR".into(), "blue".into())] };
    let answer = ask(&shell("echo $COLOUR $HOME $(/bin/pwd)"), Duration::from_secs(10), &context).await;
    assert_eq!(answer.message, format!("blue {}", folder.display()), "no HOME of ours");
}

#[tokio::test]
async fn what_cannot_be_run_is_explained() {
    let missing = asked(&Probe::Exec(Command::Exec(vec!["no-such-program-here".into()]))).await;
    assert_eq!(
        missing.message, "cannot run `no-such-program-here`: No such file or directory",
        "the program"
    );
    let context = Context { cwd: "/no/such/folder".into(), env: Vec::new() };
    let nowhere = ask(&shell("true"), Duration::from_secs(10), &context).await;
    assert_eq!(nowhere.message, "cannot run in /no/such/folder: there is no such folder", "the folder");
    let empty = asked(&Probe::Exec(Command::Exec(Vec::new()))).await;
    assert_eq!(empty.message, "the command is empty", "nothing to run");
}

#[tokio::test]
async fn a_flood_is_read_and_only_its_end_is_kept() {
    let answer = asked(&shell("yes | head -c 3000000; echo; echo the end")).await;
    assert_eq!(answer.message, "the end", "the last line");
    assert!(answer.detail.is_some_and(|detail| detail.len() <= 8192), "what is kept is bounded");
}

/// Until `count` processes have noted themselves, and none of them lives.
async fn wait_until_gone(pids: &Path, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let text = std::fs::read_to_string(pids).unwrap_or_default();
        let noted: Vec<u32> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
        let alive = |pid: &u32| {
            forge_system::ProcessId::of(*pid).ok().flatten().is_some_and(|id| id.is_alive().unwrap_or(true))
        };
        let living: Vec<_> = noted.iter().filter(|pid| alive(pid)).collect();
        if noted.len() == count && living.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "of {noted:?} there still live {living:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_command_that_hangs_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let pids = folder.path().join("pids");
    // One child in the group, one that has left it for a session of its own, and neither listens to SIGTERM.
    let away = if Path::new("/usr/bin/setsid").exists() { "setsid" } else { "" };
    let command = format!(
        "trap '' TERM; echo $$ >>{0}; sh -c 'echo $$ >>{0}; exec sleep 1000' & \
         {away} sh -c 'echo $$ >>{0}; exec sleep 1000' & wait",
        pids.display()
    );
    let limit = Duration::from_millis(500);
    let began = Instant::now();
    let answer = ask(&shell(&command), limit, &here()).await;
    assert_eq!(answer, Answer::late(limit), "hangs");
    assert!(began.elapsed() < limit + Duration::from_secs(2), "took {:?}", began.elapsed());
    wait_until_gone(&pids, 3).await;
}

#[tokio::test]
async fn what_a_command_leaves_in_the_background_ends_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let pids = folder.path().join("pids");
    let command = format!("sleep 1000 & echo $! >{}; echo fine", pids.display());
    let began = Instant::now();
    assert_eq!(asked(&shell(&command)).await.message, "fine", "the command's own end counts");
    assert!(began.elapsed() < Duration::from_secs(5), "nobody waits for who holds the pipe");
    wait_until_gone(&pids, 1).await;
}

#[tokio::test]
async fn a_question_that_is_dropped_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let pids = folder.path().join("pids");
    let command = format!("sleep 1000 & echo $! >{0}; echo $$ >>{0}; wait", pids.display());
    let probe = shell(&command);
    let context = here();
    let mut question = Box::pin(ask(&probe, Duration::from_secs(60), &context));
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::fs::read_to_string(&pids).unwrap_or_default().lines().count() < 2 {
        assert!(Instant::now() < deadline, "the command did not start");
        let waited = tokio::time::timeout(Duration::from_millis(10), &mut question).await;
        assert!(waited.is_err(), "it waits for ever");
    }
    drop(question);
    wait_until_gone(&pids, 2).await;
}
