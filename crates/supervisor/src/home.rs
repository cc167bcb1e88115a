//! Where Forge keeps its files.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use forge_api::{Code, Error};

/// Forge's folders. `FORGE_HOME` puts all of them under one; otherwise they are the platform's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// `settings.yml`.
    pub config: PathBuf,
    /// Versioned copies of the keeper.
    pub data: PathBuf,
    /// Logs, run folders, what is wanted, history, the supervisor's lock and its own log.
    pub state: PathBuf,
    /// Sockets, and nothing else: it vanishes at logout.
    pub runtime: PathBuf,
}

impl Home {
    /// From `FORGE_HOME`, or the platform's folders. Makes nothing.
    ///
    /// # Errors
    /// There is no home folder to derive them from.
    pub fn locate() -> Result<Self, Error> {
        match std::env::var_os("FORGE_HOME").filter(|value| !value.is_empty()) {
            Some(path) => {
                let path = std::path::absolute(&path)
                    .map_err(|error| Error::system(format!("FORGE_HOME={}", path.display()), error))?;
                Ok(Self::below(&path))
            }
            None => Self::of_platform(),
        }
    }

    /// All folders under one.
    #[must_use]
    pub fn below(home: &Path) -> Self {
        Self {
            config: home.join("config"),
            data: home.join("data"),
            state: home.join("state"),
            runtime: runtime_for(&home.join("run")),
        }
    }

    fn of_platform() -> Result<Self, Error> {
        let folders = directories::ProjectDirs::from("", "", "forge").ok_or_else(|| {
            Error::new(Code::System, "no home folder is known for this user")
                .help("set HOME, or FORGE_HOME to a folder of its own")
        })?;
        let state = folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).to_path_buf();
        let runtime = folders.runtime_dir().map_or_else(|| state.join("run"), Path::to_path_buf);
        Ok(Self {
            config: folders.config_dir().to_path_buf(),
            data: folders.data_local_dir().to_path_buf(),
            state,
            runtime: runtime_for(&runtime),
        })
    }

    /// The supervisor's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.runtime.join("forge.sock")
    }

    /// Held by the supervisor for its life.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.state.join("supervisor.lock")
    }

    /// The supervisor's own log.
    #[must_use]
    pub fn own_log(&self) -> PathBuf {
        self.state.join("supervisor.log")
    }

    /// Segments of all processes: `WORKSPACE/ENVIRONMENT/PROCESS` below it.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// Run folders, by boot.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.state.join("runs")
    }
}

/// The longest path that a socket's address can hold, less the longest name that we put under the folder.
const MAX_RUNTIME: usize = 104 - 1 - "k-0123456789abcdef.sock".len() - 1;

/// `wanted`, unless socket addresses below it would be too long: then a folder of this user in the system's
/// temporary one, named by a hash of it.
fn runtime_for(wanted: &Path) -> PathBuf {
    if cfg!(windows) || wanted.as_os_str().len() <= MAX_RUNTIME {
        return wanted.to_path_buf();
    }
    let name = format!("forge-{}-{}", user(), short_hash(wanted.as_os_str().as_encoded_bytes()));
    Path::new("/tmp").join(name)
}

#[cfg(unix)]
fn user() -> u32 {
    rustix::process::getuid().as_raw()
}

#[cfg(not(unix))]
fn user() -> u32 {
    0
}

/// FNV-1a, 64 bits, in hex: names of files, never a proof of anything.
/// Source: <http://www.isthe.com/chongo/tech/comp/fnv/>.
#[must_use]
pub fn short_hash(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Writes a small file of this user alone, whole or not at all: under another name, then renamed.
///
/// # Errors
/// The system's.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&next)?;
    file.write_all(bytes)?;
    drop(file);
    std::fs::rename(&next, path)
}

/// Makes `path` and what leads to it, each new folder for this user alone; an existing one must be a folder of ours
/// and no link, and is closed to others.
///
/// # Errors
/// It is somebody else's, a link, no folder, or cannot be made.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
        builder.mode(0o700).create(path)?;
        let found = std::fs::symlink_metadata(path)?;
        if !found.is_dir() {
            return Err(io::Error::other(format!(
                "{} is not a folder (a link is not followed here)",
                path.display()
            )));
        }
        if found.uid() != user() {
            return Err(io::Error::other(format!(
                "{} belongs to user {}, not to you",
                path.display(),
                found.uid()
            )));
        }
        if found.mode() & 0o077 != 0 {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
    #[cfg(not(unix))]
    builder.create(path)
}
