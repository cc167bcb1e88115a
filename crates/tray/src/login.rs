//! Launch at login on a freedesktop system: an entry in the autostart folder
//! (<https://specifications.freedesktop.org/autostart-spec/latest/>).

use std::io;
use std::path::{Path, PathBuf};

/// Whether there is an entry.
#[must_use]
pub fn is_enabled() -> bool {
    entry_path().is_some_and(|path| path.exists())
}

/// Writes the entry for `program`, or removes it.
///
/// # Errors
/// The system's, or there is no folder to put it into.
pub fn set(enabled: bool, program: &Path) -> io::Result<()> {
    let path = entry_path().ok_or_else(|| io::Error::other("neither XDG_CONFIG_HOME nor HOME is set"))?;
    if !enabled {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let home = std::env::var_os("FORGE_HOME").filter(|home| !home.is_empty());
    std::fs::write(path, entry(program, home.map(PathBuf::from).as_deref()))
}

fn entry_path() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(folder.join("autostart/forge-desktop.desktop"))
}

/// What a session reads. The app looks after the folders of its own `FORGE_HOME` then, too.
fn entry(program: &Path, home: Option<&Path>) -> String {
    let program = quoted(program);
    let command = match home {
        Some(home) => format!("env FORGE_HOME={} {program}", quoted(home)),
        None => program,
    };
    format!(
        "[Desktop Entry]\nType=Application\nName=Forge\nComment=Runs what you develop\n\
         Exec={command} --background\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
    )
}

/// An argument of `Exec`: in quotes unless it is plain, with what is special in them escaped, and `%` doubled.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy().replace('%', "%%");
    if text.chars().all(|c| c.is_alphanumeric() || "-_./+%".contains(c)) {
        return text;
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '`' | '$' | '\\') {
            // Once for the quotes, and the backslash itself once more for the file's own escapes.
            quoted.push_str("\\\\");
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::entry;

    #[test]
    fn the_command_survives_odd_folders() {
        let command = |program: &str, home: Option<&str>| {
            let entry = entry(Path::new(program), home.map(Path::new));
            entry.lines().find_map(|line| line.strip_prefix("Exec=")).map(str::to_owned)
        };
        for (program, home, expected) in [
            ("/usr/bin/forge-desktop", None, "/usr/bin/forge-desktop --background"),
            ("/a b/forge-desktop", None, "\"/a b/forge-desktop\" --background"),
            ("/50%/forge-desktop", None, "/50%%/forge-desktop --background"),
            ("/x$y/f", Some("/h"), "env FORGE_HOME=/h \"/x\\\\$y/f\" --background"),
        ] {
            assert_eq!(command(program, home).as_deref(), Some(expected), "{program}");
        }
    }
}
