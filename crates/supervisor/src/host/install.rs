//! The keeper's program, copied to a place where it stays: an image that is mounted goes away, a build is made anew,
//! and a program that runs cannot be replaced everywhere.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use forge_api::{Code, Error};

use crate::home::{Home, private_folder, short_hash};

/// The name of the program.
const NAME: &str = if cfg!(windows) { "forge-keeper.exe" } else { "forge-keeper" };

/// The keeper to start, of this version.
pub(super) fn keeper(home: &Home, version: &str) -> Result<PathBuf, Error> {
    let own = std::env::current_exe().map_err(|error| Error::system("our own program", error))?;
    let source = own.with_file_name(NAME);
    let bytes = fs::read(&source).map_err(|error| {
        Error::new(Code::System, format!("{}: {error}", source.display()))
            .help("forge-keeper belongs beside forge; install both, or build with `cargo build`")
    })?;
    let name = format!("{version}-{}", short_hash(&bytes));
    let target = home.data.join("keepers").join(name).join(NAME);
    if !target.is_file() {
        copy(&bytes, &target).map_err(|error| Error::system(target.display(), error))?;
    }
    Ok(target)
}

fn copy(bytes: &[u8], target: &Path) -> io::Result<()> {
    let folder = target.parent().unwrap_or(target);
    private_folder(folder)?;
    let next = folder.join(format!("next-{}", std::process::id()));
    fs::write(&next, bytes)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&next, fs::Permissions::from_mode(0o700))?;
    }
    fs::rename(&next, target)
}
