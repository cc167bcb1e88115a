//! How a container that the command started is told to end.

use std::fs;

use forge_keeper::spec::Container;

/// The command that ends the container, in order or with `force` now; `None` while the container has no name.
pub(crate) fn command(container: &Container, force: bool) -> Option<Vec<String>> {
    let argv = if force { &container.kill } else { &container.stop };
    let Some(file) = &container.cidfile else { return Some(argv.clone()) };
    let id = fs::read_to_string(file).ok()?;
    let id = id.trim();
    (!id.is_empty()).then(|| argv.iter().map(|argument| argument.replace("{cid}", id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_containers_command_waits_for_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let cidfile = folder.path().join("cid");
        let argv = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let mut container = Container {
            cidfile: Some(cidfile.clone()),
            stop: argv(&["docker", "stop", "{cid}"]),
            kill: argv(&["docker", "kill", "{cid}"]),
        };
        assert_eq!(command(&container, false), None, "before the file is there");
        fs::write(&cidfile, "").unwrap();
        assert_eq!(command(&container, false), None, "before it is written");
        fs::write(&cidfile, "abc123\n").unwrap();
        assert_eq!(command(&container, false), Some(argv(&["docker", "stop", "abc123"])), "stop");
        assert_eq!(command(&container, true), Some(argv(&["docker", "kill", "abc123"])), "kill");
        container.cidfile = None;
        container.stop = argv(&["docker", "compose", "down"]);
        assert_eq!(command(&container, false), Some(argv(&["docker", "compose", "down"])), "compose");
    }
}
