//! Which engine a client asks, found as the client finds it
//! (<https://docs.docker.com/engine/manage-resources/contexts/>).

use std::path::{Path, PathBuf};

use forge_config::container::EngineOptions;
use ring::digest::{SHA256, digest};
use serde::Deserialize;

/// Where an engine listens that nobody says anything about.
const USUAL: &str = "/var/run/docker.sock";

/// A context of this name stands in no file.
const DEFAULT: &str = "default";

/// The socket of the engine, by the options and the variables of its client; `None`: it is on another machine, or has
/// none.
pub(crate) fn engine<'v>(
    options: &EngineOptions<'_>,
    variables: impl Iterator<Item = (&'v str, &'v str)>,
) -> Option<PathBuf> {
    let mut known = Variables::default();
    for (name, value) in variables.filter(|(_, value)| !value.is_empty()) {
        match name {
            "DOCKER_HOST" => known.host = Some(value),
            "DOCKER_CONTEXT" => known.context = Some(value),
            "DOCKER_CONFIG" => known.config = Some(PathBuf::from(value)),
            "CONTAINER_HOST" => known.podman = Some(value),
            "XDG_RUNTIME_DIR" => known.runtime = Some(Path::new(value)),
            "HOME" => known.home = Some(Path::new(value)),
            _ => {}
        }
    }
    match options.client {
        "docker" => docker(options, &known),
        "podman" => podman(options, &known),
        _ => None,
    }
}

#[derive(Default)]
struct Variables<'v> {
    host: Option<&'v str>,
    context: Option<&'v str>,
    config: Option<PathBuf>,
    podman: Option<&'v str>,
    runtime: Option<&'v Path>,
    home: Option<&'v Path>,
}

/// What stands on the command line counts before variables, and a host before a context.
fn docker(options: &EngineOptions<'_>, known: &Variables<'_>) -> Option<PathBuf> {
    let config = known.config.clone().or_else(|| Some(known.home?.join(".docker")));
    if let Some(host) = options.host {
        return unix(host);
    }
    if let Some(name) = options.context {
        return of_context(config.as_deref(), name);
    }
    if let Some(host) = known.host {
        return unix(host);
    }
    let chosen = || current_context(config.as_deref()?);
    match known.context.map(str::to_owned).or_else(chosen) {
        Some(name) => of_context(config.as_deref(), &name),
        None => Some(USUAL.into()),
    }
}

/// Its service answers as docker's engine does, if it runs.
fn podman(options: &EngineOptions<'_>, known: &Variables<'_>) -> Option<PathBuf> {
    if let Some(host) = options.host.or(known.podman) {
        return unix(host);
    }
    Some(known.runtime.unwrap_or(Path::new("/run")).join("podman/podman.sock"))
}

fn unix(host: &str) -> Option<PathBuf> {
    host.strip_prefix("unix://").map(PathBuf::from)
}

fn current_context(config: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(rename = "currentContext")]
        current_context: Option<String>,
    }
    read::<Config>(&config.join("config.json"))?.current_context.filter(|name| !name.is_empty())
}

/// Of a context docker keeps a file, in a folder that is called by the SHA-256 of its name.
fn of_context(config: Option<&Path>, name: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Context {
        #[serde(rename = "Endpoints")]
        endpoints: Endpoints,
    }
    #[derive(Deserialize)]
    struct Endpoints {
        docker: Docker,
    }
    #[derive(Deserialize)]
    struct Docker {
        #[serde(rename = "Host")]
        host: String,
    }
    if name == DEFAULT {
        return Some(USUAL.into());
    }
    let folder: String =
        digest(&SHA256, name.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let file = config?.join("contexts/meta").join(folder).join("meta.json");
    unix(&read::<Context>(&file)?.endpoints.docker.host)
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use forge_config::container::container;
    use forge_config::model::Command;

    use super::*;

    fn asked(command: &str, variables: &[(&str, &str)]) -> Option<String> {
        let command = container(&Command::Shell(command.to_owned())).expect("a client");
        let engine = engine(&command.engine(), variables.iter().copied());
        engine.map(|path| path.display().to_string())
    }

    #[test]
    fn the_engine_is_the_one_that_its_client_asks() {
        let home = tempfile::tempdir().unwrap();
        let folder: String =
            digest(&SHA256, b"rootless").as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let context = home.path().join(".docker/contexts/meta").join(folder);
        std::fs::create_dir_all(&context).unwrap();
        let text = r#"{"Name":"rootless","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///run/user/1/docker.sock"}}}"#;
        std::fs::write(context.join("meta.json"), text).unwrap();
        let at_home = ("HOME", home.path().to_str().unwrap());
        let rootless = Some("/run/user/1/docker.sock");
        let usual = Some(USUAL);
        for (command, variables, expected) in [
            ("docker run a", &[][..], usual),
            ("docker run a", &[("DOCKER_HOST", "unix:///h.sock")], Some("/h.sock")),
            ("docker run a", &[("DOCKER_HOST", "tcp://10.0.0.1:2375")], None),
            ("docker -H unix:///o.sock run a", &[("DOCKER_HOST", "unix:///h.sock")], Some("/o.sock")),
            ("docker --host=unix:///o.sock run a", &[], Some("/o.sock")),
            ("docker run -H x a", &[], usual),
            ("docker --context rootless run a", &[at_home], rootless),
            ("docker -c rootless run a", &[at_home, ("DOCKER_HOST", "unix:///h.sock")], rootless),
            ("docker run a", &[at_home, ("DOCKER_CONTEXT", "rootless")], rootless),
            ("docker run a", &[at_home, ("DOCKER_CONTEXT", "default")], usual),
            ("docker run a", &[at_home, ("DOCKER_CONTEXT", "unknown")], None),
            ("docker run a", &[at_home], usual),
            ("podman run a", &[("XDG_RUNTIME_DIR", "/run/user/1")], Some("/run/user/1/podman/podman.sock")),
            ("podman run a", &[("CONTAINER_HOST", "ssh://elsewhere")], None),
            ("nerdctl run a", &[], None),
        ] {
            assert_eq!(asked(command, variables).as_deref(), expected, "{command} with {variables:?}");
        }
        std::fs::write(home.path().join(".docker/config.json"), r#"{"currentContext": "rootless"}"#).unwrap();
        assert_eq!(asked("docker run a", &[at_home]).as_deref(), rootless, "the one in use");
    }
}
