//! `cargo xtask package`: the app as the system's package manager wants it, with everything that belongs to it.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::console::{self, cargo, output, section};
use crate::setup::{self, Tool, find};
use crate::{ui, workspace};

/// Of the same version as the library.
const BUNDLER: &str = "@tauri-apps/cli@2.12.5";

/// Programs that lie beside the app.
const BESIDE: [&str; 2] = ["forge", "forge-keeper"];

/// A shell, and what its completions are called.
const COMPLETIONS: [(&str, &str); 3] = [("bash", "forge.bash"), ("zsh", "_forge"), ("fish", "forge.fish")];

pub(crate) fn run() -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("only .deb and .rpm are made so far");
    }
    section("What is needed", || {
        setup::ensure(Tool::FOR_APP)?;
        setup::ensure(&[Tool::Screen, Tool::Rpm])
    })?;
    section("Page", ui::build)?;
    section("Build", || {
        let packages = ["--package", "forge-cli", "--package", "forge-keeper", "--package", "forge-desktop"];
        console::run(cargo(["build", "--release"]).args(packages))
    })?;
    section("What goes in", gather)?;
    section("Packages", bundle)?;
    let (deb, rpm) = (made("deb")?, made("rpm")?);
    section("What the packages hold", || holds(&deb, &rpm))?;
    section("What the .deb installs", || try_out(&deb))?;
    for made in [deb, rpm] {
        println!("   {}", workspace::shown(&made));
    }
    Ok(())
}

/// What both packages put below `/usr`: the programs, and what a menu of applications shows.
const WITHIN: [&str; 6] = [
    "/usr/bin/forge",
    "/usr/bin/forge-keeper",
    "/usr/bin/forge-desktop",
    "/usr/share/applications/Forge.desktop",
    "/usr/share/bash-completion/completions/forge",
    "/usr/share/fish/vendor_completions.d/forge.fish",
];

/// Each puts those of zsh where its distributions look.
const ZSH: [&str; 2] = ["/usr/share/zsh/vendor-completions/_forge", "/usr/share/zsh/site-functions/_forge"];

/// Each of the packages has all that belongs to it, and says what it needs of the system.
fn holds(deb: &Path, rpm: &Path) -> Result<()> {
    let in_deb = output(Command::new("dpkg-deb").arg("-c").arg(deb))?;
    let in_deb: Vec<&str> = in_deb.lines().filter_map(|line| line.split_whitespace().last()).collect();
    let in_rpm = output(Command::new("rpm").args(["-q", "-l", "-p"]).arg(rpm))?;
    let in_rpm: Vec<&str> = in_rpm.lines().collect();
    for (package, files) in [(deb, in_deb), (rpm, in_rpm)] {
        // Archives begin with `./`, `/`, or neither.
        let bare = |path: &'_ str| path.trim_start_matches(['.', '/']).to_owned();
        let has = |path: &str| files.iter().any(|file| bare(file) == bare(path));
        if let Some(missing) = WITHIN.iter().find(|path| !has(path)) {
            bail!("{} has no {missing}, but: {}", package.display(), files.join(" "));
        }
        if !ZSH.iter().any(|path| has(path)) {
            bail!("{} has no completion for zsh", package.display());
        }
        if !files.iter().any(|file| file.contains("usr/share/icons/") && file.ends_with(".png")) {
            bail!("{} has no icon", package.display());
        }
    }
    for needs in [
        output(Command::new("dpkg-deb").arg("-f").arg(deb).arg("Depends"))?,
        output(Command::new("rpm").args(["-q", "-R", "-p"]).arg(rpm))?,
    ] {
        if !needs.contains("webkit2gtk") {
            bail!("a package does not say that it needs WebKitGTK, but: {needs}");
        }
    }
    // Says of all that it needs where it would come from; nothing is installed.
    console::run(Command::new("apt-get").args(["install", "--simulate", "--quiet=2"]).arg(deb))
}

/// Lets `dpkg` install the package in a system of its own, uses what is there, and has it removed again: all programs
/// are of this version, an environment starts and stops, the app runs, and in the end nothing of it is left.
fn try_out(deb: &Path) -> Result<()> {
    let root = workspace::target().join("installed");
    let _ = fs::remove_dir_all(&root);
    let register = root.join("var/lib/dpkg");
    for folder in ["info", "updates"] {
        fs::create_dir_all(register.join(folder))?;
    }
    fs::write(register.join("status"), "")?;
    dpkg(&root, "--install", deb)?;
    used(&root)?;
    let name = output(Command::new("dpkg-deb").arg("-f").arg(deb).arg("Package"))?;
    dpkg(&root, "--purge", name.trim())?;
    match WITHIN.iter().find(|path| root.join(path.trim_start_matches('/')).exists()) {
        Some(left) => bail!("{left} is still there after the package was removed"),
        None => Ok(()),
    }
}

/// In a system below `root`, which has none of what the package needs: the system around it has.
fn dpkg(root: &Path, action: &str, what: impl AsRef<OsStr>) -> Result<()> {
    let mut command = Command::new("dpkg");
    command.arg(format!("--root={}", root.display())).arg("--log=/dev/null");
    command.args(["--force-not-root", "--force-depends", "--force-bad-path", "--force-script-chrootless"]);
    console::run(command.arg(action).arg(what.as_ref()))
}

fn used(root: &Path) -> Result<()> {
    let programs = root.join("usr/bin");
    for name in ["forge", "forge-keeper", "forge-desktop"] {
        let told = output(Command::new(programs.join(name)).arg("--version"))?;
        if !told.contains(env!("CARGO_PKG_VERSION")) {
            bail!("the installed {name} is of another version: {told}");
        }
    }
    for (folder, name) in [
        ("bash-completion/completions", "forge"),
        ("zsh/vendor-completions", "_forge"),
        ("fish/vendor_completions.d", "forge.fish"),
    ] {
        let path = root.join("usr/share").join(folder).join(name);
        if !fs::read_to_string(&path).is_ok_and(|text| text.contains("restart")) {
            bail!("{} is no completion", path.display());
        }
    }
    let workspace = root.join("workspace");
    fs::create_dir_all(workspace.join(".forge"))?;
    fs::write(workspace.join(".forge/processes.yml"), "dev:\n  - { name: a, command: sleep 60 }\n")?;
    let forge = |arguments: &[&str]| {
        let mut command = Command::new(programs.join("forge"));
        command.args(arguments).current_dir(&workspace).env("FORGE_HOME", root.join("home"));
        output(&mut command)
    };
    let started = forge(&["start"]);
    // Whatever came of it, it is not left behind.
    let status = forge(&["status", "--json"]);
    let stopped = forge(&["stop", "--all"]);
    let status: Value = serde_json::from_str(&status?).context("forge status --json")?;
    // The supervisor that the first command started: it would stay for ten minutes.
    let pid = status["supervisor"]["pid"].as_u64().context("status names no supervisor")?;
    console::run(Command::new("kill").args(["-TERM", &pid.to_string()]))?;
    started.and(stopped)?;
    if status["ready"] != true {
        bail!("what was installed does not get an environment ready: {status}");
    }
    app_runs(&programs, root)
}

/// Starts the app on a screen of its own: it hosts the supervisor that the command line then finds.
fn app_runs(programs: &Path, root: &Path) -> Result<()> {
    let screen = ["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"];
    let mut screen = Ended(Command::new("Xvfb").args(screen).stdout(Stdio::piped()).spawn()?);
    let mut number = String::new();
    BufReader::new(screen.0.stdout.take().context("a pipe")?).read_line(&mut number)?;
    let home = root.join("home-of-the-app");
    let mut app = Command::new(programs.join("forge-desktop"));
    app.env("FORGE_HOME", &home).env("DISPLAY", format!(":{}", number.trim()));
    let mut app = Ended(app.spawn()?);
    let until = Instant::now() + STARTED;
    loop {
        let mut status = Command::new(programs.join("forge"));
        status.args(["--json", "status"]).current_dir(root.join("workspace")).env("FORGE_HOME", &home);
        let told = output(&mut status);
        let host = told.ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let host = host.map(|status| status["supervisor"]["host"].clone());
        if host.as_ref().is_some_and(|host| host == "desktop") {
            break;
        }
        if let Some(code) = app.0.try_wait()? {
            bail!("the installed app ends with {code}");
        }
        if Instant::now() > until {
            bail!("the installed app hosts no supervisor: {host:?}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    console::run(Command::new("kill").args(["-TERM", &app.0.id().to_string()]))?;
    app.0.wait()?;
    Ok(())
}

/// From the start of the app until its supervisor answers.
const STARTED: Duration = Duration::from_secs(30);

/// A program that is not left behind.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _over = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Puts everything where `tauri.bundle.conf.json` looks for it.
fn gather() -> Result<()> {
    // By this very path it stands there, wherever Cargo builds.
    let folder = workspace::root().join("target/bundled");
    let completions = folder.join("completions");
    fs::create_dir_all(&completions).with_context(|| format!("cannot make {}", completions.display()))?;
    let triple = triple()?;
    for name in BESIDE {
        let from = workspace::built("release", name);
        let to = folder.join(format!("{name}-{triple}"));
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    for (shell, name) in COMPLETIONS {
        let text = output(Command::new(workspace::built("release", "forge")).args(["completions", shell]))?;
        fs::write(completions.join(name), text).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

fn triple() -> Result<String> {
    let told = output(Command::new("rustc").arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say what it builds for")
}

/// Tauri's bundler. It is fetched when it is wanted: its packages for all systems would be part of every set-up.
fn bundle() -> Result<()> {
    for kind in ["deb", "rpm"] {
        // Those of another version would be taken for what is made now.
        let _ = fs::remove_dir_all(workspace::target().join("release/bundle").join(kind));
    }
    let npx = find("npx").context("npx is not found")?;
    let mut command = Command::new(npx);
    command.args(["--yes", BUNDLER]).current_dir(workspace::root());
    console::run(command.args(["bundle", "--bundles", "deb,rpm", "--config", "tauri.bundle.conf.json"]))
}

fn made(kind: &str) -> Result<PathBuf> {
    let folder = workspace::target().join("release/bundle").join(kind);
    let entries = fs::read_dir(&folder).with_context(|| format!("no .{kind} was made"))?;
    let mut made = entries.flatten().map(|entry| entry.path());
    made.find(|path| path.extension().is_some_and(|extension| extension == Path::new(kind)))
        .with_context(|| format!("there is no .{kind} in {}", folder.display()))
}
