//! The programs that Forge's examples and tests use, and where they hide.

use std::fmt;
use std::path::{Path, PathBuf};

/// Something that may have to be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Node,
    Npm,
    Python,
    Redis,
    Postgres,
    Tmux,
    /// The libraries that the desktop app is built with, and a compiler that finds them.
    WebKit,
    /// A screen without a screen, and a session bus: where the tests look at the app.
    Screen,
    /// What drives the app's window.
    WebKitDriver,
    Chromium,
    /// Side by side in the benchmark only.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the benchmark is for Linux"))]
    S6,
    /// The same.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "the benchmark is for Linux"))]
    Ripgrep,
    /// Which looks into the package for others.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "packages are made on Linux"))]
    Rpm,
    /// A Rust whose standard library comes as source, for [`crate::targets`].
    RustSource,
}

impl Tool {
    /// For the bundled example.
    pub(crate) const FOR_RUN: &[Self] = &[Self::Node, Self::Npm];
    /// For the desktop app, where there is a screen for it.
    pub(crate) const FOR_APP: &[Self] = &[Self::Node, Self::Npm, Self::WebKit];
    /// For the tests.
    pub(crate) const FOR_TESTS: &[Self] = &[
        Self::Node,
        Self::Npm,
        Self::Python,
        Self::Redis,
        Self::Postgres,
        Self::Tmux,
        Self::WebKit,
        Self::Screen,
        Self::WebKitDriver,
        Self::Chromium,
    ];

    /// Said before it is installed.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Node => "which the example's services are written in",
            Self::Npm => "which fetches what the window is built with, and Vite for examples/shop",
            Self::Python => {
                "which examples/shop's API is written in, and which the tests attach to as a REPL"
            }
            Self::Redis => "the cache of examples/shop",
            Self::Postgres => "the database of examples/shop",
            Self::Tmux => "in which the tests look at Forge as a person in a terminal does",
            Self::WebKit => "which the app's window is drawn with",
            Self::Screen => "on which the tests open the app, with a session bus for its tray",
            Self::WebKitDriver => "with which the tests click in the app's window",
            Self::Chromium => "with which the tests use Forge in a browser",
            Self::S6 => "whose s6-log the benchmark compares with",
            Self::Ripgrep => "whose search the benchmark compares with",
            Self::Rpm => "which tells what is in the .rpm",
            Self::RustSource => {
                "a Rust with the source of its standard library, to build that for other systems"
            }
        }
    }

    /// All of these must be found.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Node => &["node"],
            Self::Npm => &["npm"],
            Self::Python if cfg!(windows) => &["python"],
            Self::Python => &["python3"],
            Self::Redis => &["redis-server", "redis-cli"],
            Self::Postgres => &["postgres", "initdb", "psql"],
            Self::Tmux => &["tmux"],
            Self::Screen => &["Xvfb", "xauth", "dbus-daemon", "dbus-run-session"],
            Self::WebKitDriver => &["WebKitWebDriver"],
            Self::Chromium => &["chromium"],
            Self::S6 => &["s6-log", "s6-svscan"],
            Self::Ripgrep => &["rg"],
            Self::Rpm => &["rpm"],
            // No programs: they are looked for otherwise.
            Self::RustSource | Self::WebKit => &[],
        }
    }

    /// Whether nothing has to be installed for it.
    pub(crate) fn is_there(self) -> bool {
        match self {
            Self::RustSource => crate::targets::source_is_there(),
            // Windows and macOS bring their own.
            Self::WebKit => !cfg!(target_os = "linux") || libraries_are_there(),
            Self::Screen | Self::WebKitDriver if !cfg!(target_os = "linux") => true,
            _ => self.programs().iter().all(|program| find(program).is_some()),
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "Node",
            Self::Npm => "npm",
            Self::Python => "Python 3",
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
            Self::Tmux => "tmux",
            Self::WebKit => "WebKitGTK",
            Self::Screen => "Xvfb and D-Bus",
            Self::WebKitDriver => "WebKitWebDriver",
            Self::Chromium => "Chromium",
            Self::S6 => "s6",
            Self::Ripgrep => "ripgrep",
            Self::Rpm => "rpm",
            Self::RustSource => "Rust's source",
        })
    }
}

/// The path of a program, in PATH or where its packages put it outside of that.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(outside_of_path()).find_map(|folder| executable(&folder, program))
}

/// As the build asks for them.
fn libraries_are_there() -> bool {
    let asked = std::process::Command::new("pkg-config")
        .args(["--exists", "webkit2gtk-4.1", "librsvg-2.0"])
        .stderr(std::process::Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn executable(folder: &Path, program: &str) -> Option<PathBuf> {
    let suffixes: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
    suffixes.iter().map(|suffix| folder.join(format!("{program}{suffix}"))).find(|path| path.is_file())
}

/// Debian and Homebrew keep PostgreSQL's server programs out of PATH, so that several versions fit beside each other.
fn outside_of_path() -> Vec<PathBuf> {
    let parents: [(&str, &str); 3] =
        [("/usr/lib/postgresql", ""), ("/opt/homebrew/opt", "postgresql"), ("/usr/local/opt", "postgresql")];
    let mut folders = Vec::new();
    for (parent, prefix) in parents {
        let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
        folders.extend(
            entries
                .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
                .map(|entry| entry.path().join("bin")),
        );
    }
    folders.sort();
    folders.reverse();
    folders
}
