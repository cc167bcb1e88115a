//! A docker client and its engine, for machines that have none.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::{Invocation, Process, Running, Signal, World, nasty, wait_until};

/// `nasty` as `docker`, first on the world's PATH, and its engine. Dropping it ends engine and containers.
#[derive(Debug)]
pub struct FakeDocker {
    folder: PathBuf,
    _engine: Running,
}

impl FakeDocker {
    /// Starts the engine, and puts the client on `world`'s PATH.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn new(world: &mut World) -> Self {
        let folder = world.folder().join("docker");
        fs::create_dir_all(&folder).expect("a folder for the engine");
        symlink(nasty(), world.bin().join("docker")).expect("a client");
        world.set_env("FAKE_DOCKER", folder.to_str().expect("UTF-8"));
        let mut engine = Invocation::new(nasty()).args([Path::new("docker-engine"), &folder]).spawn();
        engine.wait_for_output("engine ready");
        Self { folder, _engine: engine }
    }

    /// The main processes of the containers that run.
    #[must_use]
    pub fn containers(&self) -> Vec<Process> {
        let files = fs::read_dir(self.folder.join("containers")).into_iter().flatten().flatten();
        let pids = files.filter_map(|file| fs::read_to_string(file.path()).ok()?.parse().ok());
        pids.filter_map(Process::find).collect()
    }

    /// What the client was called with, a line a call.
    #[must_use]
    pub fn calls(&self) -> String {
        fs::read_to_string(self.folder.join("calls")).unwrap_or_default()
    }
}

impl Drop for FakeDocker {
    fn drop(&mut self) {
        for container in self.containers() {
            container.signal(Signal::KILL);
            if !std::thread::panicking() {
                wait_until("a container ends", || !container.is_alive());
            }
        }
    }
}
