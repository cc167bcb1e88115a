//! The supervisor's own log: what `forge doctor` looks into.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// At this size the file becomes `.before`, and a new one is begun.
const MAX_BYTES: u64 = 4 << 20;

/// Begins to log into `path`, once a program.
pub(super) fn start(path: &Path) {
    let Ok(file) = Rotated::open(path) else { return };
    let subscriber = tracing_subscriber::fmt()
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .with_max_level(tracing::level_filters::LevelFilter::INFO)
        .finish();
    // A host may have its own already.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

struct Rotated {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Rotated {
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_path_buf(), file, bytes })
    }
}

impl Write for Rotated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes > MAX_BYTES {
            std::fs::rename(&self.path, self.path.with_extension("log.before"))?;
            *self = Self::open(&self.path)?;
        }
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
