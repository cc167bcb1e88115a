//! Real files, changed as editors and tools change them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::worker::refused;
use super::{FileWatch, QUIET};

const LIMIT: Duration = Duration::from_secs(20);

/// A workspace that is watched.
struct Watched {
    folder: tempfile::TempDir,
    told: Receiver<Vec<PathBuf>>,
    watch: Option<FileWatch>,
}

impl Watched {
    /// With these files, each of which may be made in folders that are made too.
    fn new(files: &[(&str, &str)], root: &str, globs: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            write(&folder.path().join(name), text);
        }
        let root = folder.path().join(root);
        fs::create_dir_all(&root).expect("the root");
        let (sender, told) = channel();
        let globs: Vec<_> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        let changed = move |files| {
            let _ = sender.send(files);
        };
        let watch = FileWatch::start(&root, folder.path(), &globs, changed).expect("it watches");
        Self { folder, told, watch: Some(watch) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("a path").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        write(&self.path(name), text);
    }

    /// The files of the next burst, against the workspace.
    fn next(&self) -> Vec<String> {
        self.names(&self.told.recv_timeout(LIMIT).expect("a change is told"))
    }

    fn names(&self, files: &[PathBuf]) -> Vec<String> {
        let top = self.path("");
        files.iter().map(|file| file.strip_prefix(&top).unwrap_or(file).display().to_string()).collect()
    }

    /// Nothing of what was done before is told, but `name`, which is changed now, is: in the order of the events nothing else
    /// can come later.
    fn only(&self, name: &str, what: &str) {
        self.write(name, "the last one");
        assert_eq!(self.next(), [name], "{what}");
    }
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
    fs::write(file, text).expect("a file");
}

#[test]
fn a_changed_a_new_and_a_removed_file_are_told() {
    let watched = Watched::new(&[("src/a.rs", "")], "", &["**/*.rs"]);
    watched.write("src/a.rs", "changed");
    assert_eq!(watched.next(), ["src/a.rs"], "changed");
    watched.write("src/b.rs", "");
    assert_eq!(watched.next(), ["src/b.rs"], "new");
    fs::remove_file(watched.path("src/a.rs")).expect("removed");
    assert_eq!(watched.next(), ["src/a.rs"], "removed");
}

#[test]
fn a_burst_of_saves_is_one_change() {
    let watched = Watched::new(&[], "", &["*.rs"]);
    for round in 0..20 {
        for name in ["a.rs", "b.rs", "c.rs"] {
            watched.write(name, &format!("{round}"));
        }
    }
    let mut bursts = vec![watched.next()];
    while let Ok(files) = watched.told.recv_timeout(QUIET * 3) {
        bursts.push(watched.names(&files));
    }
    let mut files = bursts.concat();
    files.sort();
    files.dedup();
    assert_eq!(files, ["a.rs", "b.rs", "c.rs"], "all of them");
    // One, unless this test was kept waiting in between.
    assert!(bursts.len() < 6, "sixty saves, told {} times", bursts.len());
}

#[test]
fn a_file_that_is_written_all_the_time_is_told_of_while_it_is() {
    let watched = Watched::new(&[], "", &["busy.rs"]);
    let began = Instant::now();
    while watched.told.recv_timeout(QUIET / 10).is_err() {
        watched.write("busy.rs", "again");
        assert!(began.elapsed() < LIMIT, "never told");
    }
}

#[test]
fn an_atomic_save_is_seen() {
    let watched = Watched::new(&[("main.ts", "old")], "", &["*.ts"]);
    for round in 0..3 {
        watched.write("main.ts.tmp.1234", "new");
        fs::rename(watched.path("main.ts.tmp.1234"), watched.path("main.ts")).expect("renamed over");
        assert_eq!(watched.next(), ["main.ts"], "round {round}");
    }
}

#[test]
fn a_touch_is_a_change_and_reading_or_chmod_is_none() {
    let watched = Watched::new(&[("a.rs", "text"), ("b.rs", "text"), ("z.rs", "")], "", &["*.rs"]);
    let a = watched.path("a.rs");
    let file = fs::File::options().append(true).open(&a).expect("opened");
    file.set_modified(std::time::SystemTime::now()).expect("touched");
    drop(file);
    assert_eq!(watched.next(), ["a.rs"], "the content is the same, the time is not");
    if cfg!(target_os = "linux") {
        fs::read(watched.path("b.rs")).expect("read");
        let mut mode = fs::metadata(&a).expect("a mode").permissions();
        mode.set_readonly(true);
        fs::set_permissions(&a, mode).expect("chmod");
        watched.only("z.rs", "neither the mode nor the reading");
    }
}

#[test]
fn new_folders_are_watched_with_what_came_in_them() {
    let watched = Watched::new(&[], "", &["src/**/*.rs", "!**/*_test.rs"]);
    watched.write("src/a/b/c.rs", "");
    assert_eq!(watched.next(), ["src/a/b/c.rs"], "made before its folder could be watched");
    watched.write("src/a/b/d.rs", "");
    assert_eq!(watched.next(), ["src/a/b/d.rs"], "made after it");
    fs::rename(watched.path("src/a"), watched.path("src/z")).expect("moved");
    assert_eq!(watched.next(), ["src/z/b/c.rs", "src/z/b/d.rs"], "moved");
    watched.write("src/z/b/c_test.rs", "");
    watched.only("src/z/b/c.rs", "the excluded one is not told");
}

#[test]
fn a_folder_that_is_removed_and_made_again_is_watched_again() {
    let watched = Watched::new(&[("dist/app.js", "")], "", &["dist/**"]);
    for round in 0..3 {
        fs::remove_dir_all(watched.path("dist")).expect("removed");
        assert!(watched.next().contains(&"dist/app.js".to_owned()), "removed in round {round}");
        watched.write("dist/app.js", "new");
        assert_eq!(watched.next(), ["dist/app.js"], "made in round {round}");
    }
}

#[test]
fn what_git_ignores_is_not_told() {
    let files = [
        (".gitignore", "/target/\n*.log\n"),
        ("web/.gitignore", "build/\n!keep.log\n"),
        ("target/debug/a.rs", ""),
        ("web/build/b.rs", ""),
        ("web/node_modules/lib/c.rs", ""),
        (".git/HEAD", ""),
        ("z.rs", ""),
    ];
    let watched = Watched::new(&files, "", &["**"]);
    let ignored = [
        "target/debug/a.rs",
        "target/new/a.rs",
        "web/build/b.rs",
        "web/node_modules/lib/c.rs",
        ".git/HEAD",
        "a.log",
    ];
    for name in ignored {
        watched.write(name, "changed");
    }
    watched.only("z.rs", "none of the ignored ones");
    watched.only("web/keep.log", "a nested file takes it in again");
    watched.write("web/.gitignore", "");
    assert_eq!(watched.next(), ["web/.gitignore"], "a file as any other, and the rules follow it");
    watched.only("web/build/b.rs", "not ignored any more");
}

#[test]
#[cfg(target_os = "linux")]
fn ignored_folders_cost_no_watch() {
    let watches = || -> usize {
        let descriptors = fs::read_dir("/proc/self/fdinfo").expect("descriptors");
        let texts = descriptors.flatten().filter_map(|entry| fs::read_to_string(entry.path()).ok());
        texts.map(|text| text.lines().filter(|line| line.starts_with("inotify wd:")).count()).sum()
    };
    let files = [
        (".gitignore", "target\n"),
        ("target/a/b/c", ""),
        ("node_modules/a/b/c", ""),
        ("src/a/x", ""),
        ("docs/x", ""),
    ];
    let before = watches();
    let watched = Watched::new(&files, "", &["src/**"]);
    let expected = ["", "src", "src/a"].len();
    // Other tests of this process may watch too, if they run as threads of it: nextest runs each alone.
    if before == 0 {
        assert_eq!(watches(), expected, "the workspace, src and src/a; not docs, which no glob leads to");
    }
    drop(watched);
}

#[test]
fn what_a_glob_names_is_not_ignored() {
    let files =
        [(".gitignore", ".env\ndist\n"), (".env", ""), ("dist/app.js", ""), ("node_modules/lib/a.js", "")];
    let watched = Watched::new(&files, "", &[".env", "dist/*.js", "node_modules/lib/**"]);
    for name in [".env", "dist/app.js", "node_modules/lib/a.js"] {
        watched.only(name, "it is named");
    }
}

#[test]
fn globs_are_against_the_folder_of_the_process() {
    let watched = Watched::new(
        &[("api/main.go", ""), ("web/main.go", ""), ("shared/x.go", "")],
        "api",
        &["*.go", "../shared/**"],
    );
    watched.write("web/main.go", "changed");
    watched.only("api/main.go", "not another's");
    watched.only("shared/x.go", "beside it");
}

#[test]
fn a_watch_that_is_dropped_tells_nothing() {
    let mut watched = Watched::new(&[], "", &["*.rs"]);
    watched.write("a.rs", "");
    watched.watch = None;
    assert_eq!(
        watched.told.recv_timeout(LIMIT),
        Err(RecvTimeoutError::Disconnected),
        "its thread has ended in silence"
    );
}

#[test]
fn the_limit_of_the_system_is_named() {
    let error = refused(notify::Error::new(notify::ErrorKind::MaxFilesWatch), Path::new("/work"));
    let message = error.to_string();
    assert!(message.starts_with("cannot watch /work: the system's limit"), "{message}");
    assert!(message.contains("fs.inotify.max_user_watches"), "{message}");
    let help = error.help().expect("something can be done");
    assert!(help.contains("sudo sysctl fs.inotify.max_user_watches=N"), "{help}");
}
