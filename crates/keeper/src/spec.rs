//! The run folder, and `spec.json` in it: all that a keeper needs to know, written before it is started.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Names of the files in a run folder.
#[derive(Debug, Clone)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// The folder at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// [`Spec`], written by the supervisor before the keeper starts.
    #[must_use]
    pub fn spec(&self) -> PathBuf {
        self.0.join("spec.json")
    }

    /// Held with an exclusive `flock` for the keeper's life: whoever gets it knows that no keeper lives. Once it has
    /// the lock, a keeper makes sure that this path still names the file that it has locked, and ends otherwise: a
    /// supervisor claims and removes the folder of a run that no keeper had taken yet.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// One [`crate::record::Record`] a line, only ever appended to.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.0.join("events")
    }

    /// The last word, a [`crate::record::Ended`]: written in one step, after the output is drained.
    #[must_use]
    pub fn exit(&self) -> PathBuf {
        self.0.join("exit.json")
    }

    /// The child's standard output (Unix).
    #[must_use]
    pub fn out_fifo(&self) -> PathBuf {
        self.0.join("out.fifo")
    }

    /// The child's standard error (Unix).
    #[must_use]
    pub fn err_fifo(&self) -> PathBuf {
        self.0.join("err.fifo")
    }

    /// The child's standard input, where [`Spec::stdin`] asks for one (Unix).
    #[must_use]
    pub fn in_fifo(&self) -> PathBuf {
        self.0.join("in.fifo")
    }

    /// Where the keeper complains.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join("keeper.log")
    }
}

/// One run of one process, as the keeper needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// [`crate::message::PROTOCOL`] of the supervisor that wrote this.
    pub protocol: u32,
    /// A UUID; the child finds it in `FORGE_RUN`.
    pub run: String,
    /// Counts the runs of this process, from 1.
    pub number: u32,
    /// For people and for the supervisor that finds this folder.
    pub workspace: PathBuf,
    pub environment: String,
    pub process: String,
    /// Program and arguments, the shell included where one is wanted.
    pub argv: Vec<String>,
    pub cwd: PathBuf,
    /// The whole environment of the child, but for `FORGE_RUN`.
    pub env: Vec<(String, String)>,
    pub tty: bool,
    /// The program is a shell that runs a compound command: exit 128+N of it means signal N.
    pub shell_status: bool,
    /// Keep the child's standard input open for `send`; else it is the null device.
    pub stdin: bool,
    /// The folder of this process's segments.
    pub logs: PathBuf,
    pub segment_bytes: u64,
    pub quota_bytes: u64,
    /// The keeper's socket (Unix: a path of at most 104 bytes; Windows: a pipe's name).
    pub socket: PathBuf,
    /// Set where the command is a docker client.
    pub container: Option<Container>,
    /// What to start, program first, when the child ends by itself and no supervisor is connected.
    pub supervisor: Option<Vec<String>>,
    /// Milliseconds since 1970 at which the supervisor asked for this run.
    pub asked_at_ms: i64,
    /// A hash of what was run, by which a supervisor tells that the configuration has changed since.
    pub fingerprint: String,
    /// Whatever else the supervisor wants to find again; the keeper does not look into it.
    #[serde(default)]
    pub note: serde_json::Value,
}

/// How a container that the command started is ended: by its own client, since killing that leaves the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Where the client writes the container's id; `{cid}` in the commands below stands for what it holds. `None`
    /// for `docker compose`, whose commands need none.
    pub cidfile: Option<PathBuf>,
    /// Program and arguments that end it in order, e.g. `docker stop -t 10 {cid}`.
    pub stop: Vec<String>,
    /// Program and arguments that end it now, e.g. `docker kill {cid}`.
    pub kill: Vec<String>,
}
