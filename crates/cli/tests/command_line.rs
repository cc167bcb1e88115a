//! The command as a script sees it, as far as it needs no supervisor: exit codes, what goes to which stream, JSON.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a `FORGE_HOME` of its own, and a workspace if `config` is given.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new(config: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Self { folder };
        if let Some(config) = config {
            let file = place.workspace().join(".forge/processes.yml");
            fs::create_dir_all(file.parent().expect("a parent")).expect("made");
            fs::write(file, config).expect("written");
        } else {
            fs::create_dir_all(place.workspace()).expect("made");
        }
        place
    }

    fn workspace(&self) -> std::path::PathBuf {
        self.folder.path().join("shop")
    }

    fn forge(&self, arguments: &[&str]) -> Output {
        self.forge_in(&self.workspace(), arguments)
    }

    fn forge_in(&self, folder: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_forge"))
            .args(arguments)
            .current_dir(folder)
            .env("FORGE_HOME", self.folder.path().join("home"))
            .env("LANG", "C.UTF-8")
            .env_remove("NO_COLOR")
            .output()
            .expect("forge runs")
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The one JSON document on stdout.
fn document(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap_or_else(|error| panic!("{error}: {}", stdout(output)))
}

const SHOP: &str = "
dev:
  env: { SHOP: open, API_TOKEN: hunter2 }
  processes:
    - name: api
      command: sh -c 'echo hello'
      port: 4711
      env: { ONLY_API: 'yes' }
    - name: web
      command: sh -c 'sleep 1'
      depends_on: [api]
      open: http://localhost:4712/start
";

#[test]
fn wrong_usage_ends_with_2_and_says_so_where_it_was_asked_to() {
    let place = Place::new(None);
    let people = place.forge(&["frobnicate"]);
    assert_eq!(people.status.code(), Some(2), "{}", stderr(&people));
    assert!(stdout(&people).is_empty() && stderr(&people).contains("frobnicate"), "{people:?}");
    let script = place.forge(&["kill", "--json"]);
    assert_eq!(script.status.code(), Some(2), "--json");
    assert_eq!(document(&script)["error"]["code"], "usage", "{}", stdout(&script));
    assert!(stderr(&script).is_empty(), "nothing else: {}", stderr(&script));
}

#[test]
fn where_there_is_no_workspace_it_says_how_to_make_one() {
    let place = Place::new(None);
    for command in [&["check"][..], &["config"], &["start"], &["run", "--", "true"], &["open"]] {
        let output = place.forge(command);
        assert_eq!(output.status.code(), Some(3), "{command:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("help: "), "{command:?}: {}", stderr(&output));
    }
    let script = place.forge(&["check", "--json"]);
    assert_eq!(document(&script)["error"]["code"], "no_workspace", "{}", stdout(&script));
    let alone = place.forge(&[]);
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
    assert!(stderr(&alone).contains("processes.yml") && stdout(&alone).is_empty(), "{alone:?}");
}

#[test]
fn the_folder_may_be_named_as_in_git() {
    let place = Place::new(Some(SHOP));
    let output = place.forge_in(place.folder.path(), &["check", "-C", "shop", "--json"]);
    let workspace = place.workspace().canonicalize().expect("a path");
    assert_eq!(document(&output)["workspace"], workspace.to_str().expect("UTF-8"), "{}", stdout(&output));
    let nowhere = place.forge(&["-C", "nowhere", "check"]);
    assert_eq!(nowhere.status.code(), Some(2), "{}", stderr(&nowhere));
}

#[test]
fn check_tells_wrong_configuration_from_what_the_machine_lacks() {
    let wrong = Place::new(Some("dev:\n  - name: web\n    comand: npm run dev\n"));
    let output = wrong.forge(&["check"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("did you mean `command`?"), "{}", stderr(&output));
    let lacking = Place::new(Some("dev:\n  - name: web\n    command: no-such-program-anywhere\n"));
    let output = lacking.forge(&["check", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let finding = &document(&output)["processes"][0]["findings"][0];
    assert_eq!((&finding["kind"], &finding["ok"]), (&"command".into(), &false.into()), "{finding}");
}

#[test]
fn check_names_who_holds_a_port() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let config = format!("dev:\n  - name: web\n    command: sh -c 'sleep 1'\n    port: {port}\n");
    let output = Place::new(Some(&config)).forge(&["check"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    let holder = format!("(PID {})", std::process::id());
    assert!(stdout(&output).contains(&holder), "{} in {}", holder, stdout(&output));
}

#[test]
fn config_shows_origins_and_hides_secrets() {
    let place = Place::new(Some(SHOP));
    let text = stdout(&place.forge(&["config"]));
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains(".forge/processes.yml:"), "{text}");
    let script = place.forge(&["config", "dev", "--json"]);
    let env = &document(&script)["environments"][0]["processes"][0]["env"];
    let of = |name: &str| env.as_array().and_then(|all| all.iter().find(|one| one["name"] == name)).cloned();
    assert_eq!(of("PORT").map(|port| port["value"].clone()), Some("4711".into()), "{env}");
    assert_eq!(place.forge(&["config", "prod"]).status.code(), Some(3), "no such environment");
}

#[cfg(unix)]
#[test]
fn run_becomes_the_command_with_the_environments_variables() {
    let place = Place::new(Some(SHOP));
    let script = "echo \"$SHOP $ONLY_API\"; exit 7";
    let output = place.forge(&["run", "--env", "dev", "--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert_eq!(stdout(&output), "open \n", "the environment's variables, not one process's");
    let missing = place.forge(&["run", "no-such-program-anywhere"]);
    assert_eq!(missing.status.code(), Some(1), "{}", stderr(&missing));
}

#[test]
fn open_prints_the_url_for_scripts() {
    let place = Place::new(Some(SHOP));
    for (name, url) in [(None, "http://localhost:4712/start"), (Some("dev/api"), "http://localhost:4711")] {
        let mut arguments = vec!["open", "--json"];
        arguments.extend(name);
        let output = place.forge(&arguments);
        assert_eq!(document(&output)["url"], url, "{name:?}: {}", stderr(&output));
    }
    assert_eq!(place.forge(&["open", "nobody"]).status.code(), Some(3), "no such process");
}

#[test]
fn version_and_completions_need_nothing() {
    let place = Place::new(None);
    assert_eq!(
        stdout(&place.forge(&["version"])),
        concat!("forge ", env!("CARGO_PKG_VERSION"), "\n"),
        "for people"
    );
    assert_eq!(
        document(&place.forge(&["--json", "version"]))["version"],
        env!("CARGO_PKG_VERSION"),
        "for scripts"
    );
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = place.forge(&["completions", shell]);
        assert!(output.status.success() && stdout(&output).contains("forge"), "{shell}: {}", stderr(&output));
    }
}

#[test]
fn doctor_starts_nothing() {
    let place = Place::new(None);
    let output = place.forge(&["doctor", "--json"]);
    let findings = document(&output);
    let supervisor = findings["findings"]
        .as_array()
        .and_then(|all| all.iter().find(|finding| finding["subject"] == "supervisor"))
        .expect("a supervisor's line");
    assert_eq!(supervisor["verdict"], "note", "{supervisor}");
    assert!(!place.folder.path().join("home").exists(), "no folder was made");
}

#[cfg(unix)]
#[test]
fn doctor_finds_a_folder_that_is_open_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(None);
    let state = place.folder.path().join("home/state");
    fs::create_dir_all(&state).expect("made");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).expect("opened");
    let output = place.forge(&["doctor"]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stdout(&output).contains("mode 755"), "{}", stdout(&output));
}
