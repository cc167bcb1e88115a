//! Programs that can be run, and the reasons why others cannot.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use forge_system::binaries::{Missing, find, version};

const LIMIT: Duration = Duration::from_secs(20);

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn script(&self, name: &str, body: &str) -> PathBuf {
        self.write(name, &format!("#!/bin/sh\n{body}\n"), 0o755)
    }

    fn find(&self, name: &str) -> Result<PathBuf, Missing> {
        find(name, Some(self.0.path().as_os_str()), Path::new("/"))
    }

    #[track_caller]
    fn why(&self, name: &str) -> String {
        let sentence = self.find(name).expect_err("it cannot be run").to_string();
        sentence.replace(self.0.path().to_str().unwrap(), "DIR")
    }
}

#[test]
fn the_first_that_can_be_run_is_found() {
    let folder = Folder::new();
    folder.write("one/tool", "", 0o644);
    let tool = folder.script("two/tool", "");
    fs::create_dir_all(folder.0.path().join("zero/tool")).unwrap();
    let found = |path: &str| find("tool", Some(OsStr::new(path)), folder.0.path());
    assert_eq!(
        found("zero:one:two"),
        Ok(tool.clone()),
        "relative folders, and what cannot be run passed over"
    );
    assert_eq!(found("two:one"), Ok(tool.clone()), "the first");
    assert!(matches!(found("one:zero"), Err(Missing::NotExecutable { .. })), "the first reason");
    assert_eq!(find("two/tool", None, folder.0.path()), Ok(tool.clone()), "a path, against the folder");
    assert_eq!(find(tool.to_str().unwrap(), None, Path::new("/nowhere")), Ok(tool), "an absolute one");
    assert!(find("sh", None, Path::new("/")).is_ok(), "without PATH the system's default");
}

#[test]
fn each_reason_is_a_sentence() {
    let folder = Folder::new();
    folder.write("plain", "", 0o644);
    folder.write("old", "#!/nowhere/python2\n", 0o755);
    folder.write("dos", "#!/bin/sh\r\necho\r\n", 0o755);
    folder.write("viaenv", "#!/usr/bin/env -S A=b nosuchruby -w\n", 0o755);
    fs::create_dir(folder.0.path().join("dir")).unwrap();
    symlink("gone", folder.0.path().join("dangling")).unwrap();
    assert_eq!(folder.why("plain"), "DIR/plain is not executable");
    assert_eq!(folder.why("dir"), "DIR/dir is a directory");
    assert_eq!(folder.why("dangling"), "DIR/dangling is a link to gone, which does not exist");
    assert_eq!(folder.why("old"), "DIR/old is a script for `/nowhere/python2`, which was not found");
    assert_eq!(
        folder.why("dos"),
        "DIR/dos is a script for `/bin/sh`, which was not found (its lines end with CR LF)"
    );
    assert_eq!(folder.why("viaenv"), "DIR/viaenv is a script for `nosuchruby`, which was not found");
    assert_eq!(folder.why("nothing-like-it"), "`nothing-like-it` was not found in PATH");
    assert_eq!(folder.why("./nothing"), "`./nothing` was not found");
}

#[test]
fn a_near_miss_is_named() {
    let folder = Folder::new();
    for name in ["node20", "nodes", "gem3.1", "pythn"] {
        folder.script(name, "");
    }
    folder.write("gems", "", 0o644);
    assert_eq!(folder.why("node"), "`node` was not found in PATH; `node20` was: is that meant?");
    assert_eq!(folder.why("gem"), "`gem` was not found in PATH; `gem3.1` was: is that meant?");
    assert_eq!(folder.why("python"), "`python` was not found in PATH; `pythn` was: is that meant?");
}

#[test]
fn a_version_is_asked_for_in_three_ways() {
    let folder = Folder::new();
    let asked =
        |name: &str, body: &str| version(&folder.script(name, body), LIMIT).map(|found| found.to_string());
    assert_eq!(asked("gnu", "[ $1 = --version ] && echo gnu 1.2.3").as_deref(), Some("1.2.3"));
    assert_eq!(asked("java", "[ $1 = -version ] && echo 'java \"17.0.1\"' >&2").as_deref(), Some("17.0.1"));
    assert_eq!(asked("go", "[ $1 = version ] && echo go version go1.22").as_deref(), Some("1.22"));
    assert_eq!(asked("mute", "exit 0"), None, "nothing said");
    assert_eq!(asked("wrong", "echo usage: wrong 9.9; exit 2"), None, "a failure's numbers are no version");
    assert_eq!(asked("flood", "[ $1 = --version ] && { echo 4.5; yes; }"), None, "a flood is no answer");
}

#[test]
fn a_program_that_takes_the_question_for_an_order_is_ended_with_its_children() {
    let folder = Folder::new();
    let pid = folder.0.path().join("pid");
    let server = folder
        .script("server", &format!("sleep 300 & echo $! >{}; echo on 127.0.0.1; cat; wait", pid.display()));
    let started = Instant::now();
    assert_eq!(version(&server, Duration::from_millis(500)), None, "no answer in time");
    assert!(started.elapsed() < LIMIT, "and it was not waited for");
    let child: u32 = fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    let deadline = Instant::now() + LIMIT;
    while forge_system::ProcessId::of(child).unwrap().is_some_and(|id| id.is_alive().unwrap()) {
        assert!(Instant::now() < deadline, "its child {child} still runs");
        std::thread::yield_now();
    }
}
