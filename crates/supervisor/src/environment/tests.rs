//! Real shells with rc files in a home of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::platform::{ask, shell};
use super::{ShellError, own};

const LIMIT: Duration = Duration::from_secs(20);

/// A home folder and a workspace.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        for folder in [place.home(), place.workspace()] {
            std::fs::create_dir(folder).expect("a folder");
        }
        for (name, text) in files {
            let file = place.home().join(name);
            std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            std::fs::write(file, text).expect("an rc file");
        }
        place
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn workspace(&self) -> PathBuf {
        self.folder.path().join("it's a workspace")
    }

    async fn ask(&self, shell: &Path, limit: Duration) -> Result<BTreeMap<String, String>, ShellError> {
        let home = self.home();
        ask(shell, &self.workspace(), limit, move |command| {
            command.env_clear().env("HOME", &home).env("PATH", "/usr/bin:/bin").env("OLDPWD", "/");
        })
        .await
    }
}

/// Where a shell is, if it is installed.
fn installed(name: &str) -> Option<PathBuf> {
    ["/bin", "/usr/bin", "/opt/homebrew/bin"]
        .map(|folder| Path::new(folder).join(name))
        .into_iter()
        .find(|path| path.is_file())
}

#[tokio::test]
async fn each_shell_reads_its_own_files_in_the_workspace() {
    let posix =
        "echo junk; export FROM_RC=\"in $PWD\"; export LINES_OF='a\nb=c'; export PATH=/opt/tool:$PATH";
    let fish =
        "echo junk; set -gx FROM_RC \"in $PWD\"; set -gx LINES_OF a\\nb=c; set -gx PATH /opt/tool $PATH";
    for (name, file, text) in [
        ("sh", ".profile", posix),
        ("dash", ".profile", posix),
        ("bash", ".bash_profile", posix),
        ("zsh", ".zshrc", posix),
        ("fish", ".config/fish/config.fish", fish),
    ] {
        let Some(shell) = installed(name) else { continue };
        let place = Place::new(&[(file, text)]);
        let variables = place.ask(&shell, LIMIT).await.expect(name);
        let of = |key: &str| variables.get(key).map(String::as_str);
        let workspace = place.workspace().display().to_string();
        assert_eq!(
            of("FROM_RC"),
            Some(format!("in {workspace}").as_str()),
            "{name}: the rc file was read there"
        );
        assert_eq!(of("LINES_OF"), Some("a\nb=c"), "{name}: a value of two lines");
        assert!(of("PATH").is_some_and(|path| path.starts_with("/opt/tool:")), "{name}: {:?}", of("PATH"));
        assert_eq!(of("PWD"), Some(workspace.as_str()), "{name}: PWD is the workspace");
        for key in ["_", "SHLVL", "OLDPWD", "FORGE_RESOLVING_ENVIRONMENT"] {
            assert_eq!(of(key), None, "{name}: {key} belongs to the shell that was asked");
        }
    }
}

#[tokio::test]
async fn what_acts_at_a_prompt_or_on_entering_a_folder_has_acted() {
    for (name, file, text) in [
        ("bash", ".bash_profile", "hook() { export HOOKED=$PWD; }; PROMPT_COMMAND=(true hook)"),
        ("bash", ".bash_profile", "hook() { export HOOKED=$PWD; }; PROMPT_COMMAND='hook;'"),
        ("zsh", ".zshrc", "hook() { export HOOKED=$PWD; }; chpwd_functions+=(hook)"),
        (
            "fish",
            ".config/fish/config.fish",
            "function hook --on-event fish_prompt; set -gx HOOKED $PWD; end",
        ),
    ] {
        let Some(shell) = installed(name) else { continue };
        let place = Place::new(&[(file, text)]);
        let variables = place.ask(&shell, LIMIT).await.expect(name);
        assert_eq!(variables.get("HOOKED"), Some(&place.workspace().display().to_string()), "{name}: {text}");
    }
}

#[tokio::test]
async fn junk_around_the_answer_is_ignored() {
    let Some(bash) = installed("bash") else { return };
    let rc = "printf 'A=1\\0B=2\\0\\xff'; echo oops >&2; set -x; trap 'printf \"C=3\\0\"' EXIT; export REAL=yes; alias env=false";
    let variables = Place::new(&[(".bash_profile", rc)]).ask(&bash, LIMIT).await.expect("an answer");
    assert_eq!(variables.get("REAL").map(String::as_str), Some("yes"), "the real one");
    for key in ["A", "B", "C"] {
        assert!(!variables.contains_key(key), "{key} was only printed");
    }
}

#[tokio::test]
async fn an_rc_file_that_hangs_is_given_up_and_killed() {
    let Some(bash) = installed("bash") else { return };
    let rc = "trap '' TERM HUP INT; echo loading nvm >&2; echo $$ >$HOME/pids; sleep 1000 & echo $! >>$HOME/pids; wait";
    let place = Place::new(&[(".bash_profile", rc)]);
    let began = Instant::now();
    let error = place.ask(&bash, Duration::from_secs(1)).await.expect_err("it hangs");
    assert!(began.elapsed() < Duration::from_secs(5), "took {:?}", began.elapsed());
    let message = error.to_string();
    let expected = "did not get through its rc files within 1 s; the last that it said: loading nvm";
    assert!(message.ends_with(expected), "{message}");
    let pids = std::fs::read_to_string(place.home().join("pids")).expect("they were noted");
    assert_eq!(pids.lines().count(), 2, "the shell and its child");
    let deadline = Instant::now() + Duration::from_secs(10);
    for pid in pids.lines().map(|pid| pid.parse::<u32>().expect("a number")) {
        while forge_system::ProcessId::of(pid)
            .expect("an answer")
            .is_some_and(|id| id.is_alive().unwrap_or(true))
        {
            assert!(Instant::now() < deadline, "{pid} lives");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn an_rc_file_that_puts_another_program_in_the_shells_place_is_passed_by() {
    let Some(bash) = installed("bash") else { return };
    let rc = "export LOGIN=yes; case $- in *i*) exec false;; esac";
    let variables = Place::new(&[(".bash_profile", rc)]).ask(&bash, LIMIT).await.expect("an answer");
    assert_eq!(variables.get("LOGIN").map(String::as_str), Some("yes"), "asked again, not interactive");
}

#[tokio::test]
async fn a_shell_that_says_nothing_is_explained() {
    let Some(bash) = installed("bash") else { return };
    let place = Place::new(&[(".bash_profile", "echo 'no such thing' >&2; exit 3")]);
    let message = place.ask(&bash, LIMIT).await.expect_err("it ends").to_string();
    let expected =
        "ended (exit code 3) without printing its environment; the last that it said: no such thing";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn a_shell_that_is_none_is_passed_over() {
    let sh = PathBuf::from("/bin/sh");
    assert_eq!(shell(Some(sh.clone())), sh, "the one that is named");
    for named in ["/no/such/shell", "/bin/false", "/", "sh"] {
        let found = shell(Some(named.into()));
        assert!(found.is_file() && found != Path::new(named), "{named}: {}", found.display());
    }
}

#[test]
fn the_own_environment_is_what_this_process_has() {
    assert_eq!(own().get("PATH").map(String::as_str), std::env::var("PATH").ok().as_deref(), "PATH");
}
