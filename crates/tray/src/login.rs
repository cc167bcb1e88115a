//! Launch at login on a freedesktop system: an entry in the autostart folder
//! (<https://specifications.freedesktop.org/autostart-spec/latest/>).

use std::io;
use std::path::{Path, PathBuf};

/// The entry of one home: with several, each has an entry of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    path: PathBuf,
    home: Option<PathBuf>,
}

impl Login {
    /// The entry of this process's home, `FORGE_HOME` or the platform's.
    ///
    /// # Errors
    /// There is no folder to put it into.
    pub fn of_this_home() -> io::Result<Self> {
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = absolute("XDG_CONFIG_HOME")
            .or_else(|| Some(absolute("HOME")?.join(".config")))
            .ok_or_else(|| io::Error::other("neither XDG_CONFIG_HOME nor HOME is set"))?;
        let home = std::env::var_os("FORGE_HOME").filter(|home| !home.is_empty());
        // The session starts it in a folder of its own.
        let home = home.map(std::path::absolute).transpose()?;
        Ok(Self::of(&folder, home))
    }

    fn of(configuration: &Path, home: Option<PathBuf>) -> Self {
        let name = match &home {
            Some(home) => format!("forge-desktop-{}.desktop", plain(home)),
            None => "forge-desktop.desktop".to_owned(),
        };
        Self { path: configuration.join("autostart").join(name), home }
    }

    /// Whether a session heeds it: there is one, and no tool of the desktop has put it out of force.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        std::fs::read_to_string(&self.path).is_ok_and(|entry| is_in_force(&entry))
    }

    /// Writes the entry for `program`, our own, or removes it.
    ///
    /// # Errors
    /// The system's.
    pub fn set(&self, enabled: bool, program: &Path) -> io::Result<()> {
        if !enabled {
            return match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&self.path, entry(&installed(program), self.home.as_deref()))
    }
}

/// What stands where `program` was started from. After an upgrade the kernel says of a program that still runs:
/// "/usr/bin/forge-desktop (deleted)" (proc(5), `/proc/pid/exe`).
fn installed(program: &Path) -> PathBuf {
    let replaced = program.to_str().and_then(|path| path.strip_suffix(" (deleted)"));
    match replaced {
        Some(path) if !program.exists() => PathBuf::from(path),
        _ => program.to_owned(),
    }
}

/// `Hidden=true` is as good as no file (the specification above), and what GNOME's switch writes is the other key.
fn is_in_force(entry: &str) -> bool {
    let says = |key: &str, value: &str| {
        entry
            .lines()
            .filter_map(|line| line.split_once('='))
            .any(|(name, said)| name.trim_end() == key && said.trim() == value)
    };
    !says("Hidden", "true") && !says("X-GNOME-Autostart-enabled", "false")
}

/// A folder as a part of a file's name.
fn plain(home: &Path) -> String {
    let text = home.to_string_lossy();
    text.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect::<String>()
        .trim_matches('-')
        .to_owned()
}

/// What a session reads. The app looks after the folders of its own `FORGE_HOME` then, too.
fn entry(program: &Path, home: Option<&Path>) -> String {
    let program = quoted(&program.to_string_lossy());
    let command = match home {
        Some(home) => format!("env {} {program}", quoted(&format!("FORGE_HOME={}", home.display()))),
        None => program,
    };
    format!(
        "[Desktop Entry]\nType=Application\nName=Forge\nComment=Runs what you develop\n\
         Exec={command} --background\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
    )
}

/// An argument of `Exec`: in quotes unless it is plain, with what is special in them escaped, and `%` doubled.
fn quoted(text: &str) -> String {
    let text = text.replace('%', "%%");
    if text.chars().all(|c| c.is_alphanumeric() || "-_./+%=".contains(c)) {
        return text;
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '`' | '$' | '\\') {
            // For the quotes; and as each backslash, doubled for the file's own escapes.
            quoted.push_str("\\\\");
        }
        quoted.push(character);
        if character == '\\' {
            quoted.push('\\');
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Login, entry, installed, is_in_force};

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
            ("/x\\y/f", None, "\"/x\\\\\\\\y/f\" --background"),
            ("/f", Some("/a b"), "env \"FORGE_HOME=/a b\" /f --background"),
            ("/x$y/f", Some("/h"), "env FORGE_HOME=/h \"/x\\\\$y/f\" --background"),
        ] {
            assert_eq!(command(program, home).as_deref(), Some(expected), "{program}");
        }
    }

    #[test]
    fn an_entry_counts_as_long_as_a_session_heeds_it() {
        let ours = entry(Path::new("/usr/bin/forge-desktop"), None);
        for (entry, expected) in [
            (ours.clone(), true),
            (format!("{ours}Hidden=true\n"), false),
            (ours.replace("enabled=true", "enabled=false"), false),
            (format!("{ours}Hidden = false\n"), true),
        ] {
            assert_eq!(is_in_force(&entry), expected, "{entry}");
        }
    }

    #[test]
    fn a_program_that_was_replaced_while_it_ran_is_started_from_its_place() {
        for (program, expected) in
            [("/x/forge-desktop (deleted)", "/x/forge-desktop"), ("/x/forge-desktop", "/x/forge-desktop")]
        {
            assert_eq!(installed(Path::new(program)), Path::new(expected), "{program}");
        }
    }

    #[test]
    fn each_home_has_its_own_entry() {
        let of = |home: Option<&str>| Login::of(Path::new("/c"), home.map(Into::into)).path;
        assert_eq!(of(None), Path::new("/c/autostart/forge-desktop.desktop"), "the platform's folders");
        assert_eq!(of(Some("/a b/c")), Path::new("/c/autostart/forge-desktop-a-b-c.desktop"), "a home");
    }

    #[test]
    fn it_is_written_and_removed_and_removed_again() {
        let folder = std::env::temp_dir().join(format!("forge-login-{}", std::process::id()));
        let login = Login::of(&folder, None);
        assert!(!login.is_enabled(), "no entry");
        login.set(true, Path::new("/usr/bin/forge-desktop")).expect("written");
        assert!(login.is_enabled(), "an entry");
        login.set(false, Path::new("/usr/bin/forge-desktop")).expect("removed");
        login.set(false, Path::new("/usr/bin/forge-desktop")).expect("nothing to remove");
        assert!(!login.is_enabled(), "none again");
        std::fs::remove_dir_all(folder).expect("cleared away");
    }
}
