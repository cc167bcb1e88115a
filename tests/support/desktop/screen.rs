//! An X server and a session bus that nobody else uses.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Bus, Notifications, TrayHost, Windows};
use crate::{DEADLINE, Signal};

/// A screen of 1280 × 800 with no window manager, and a session bus with nothing on it until it is asked for.
#[derive(Debug)]
pub struct Screen {
    tray: OnceCell<TrayHost>,
    windows: Windows,
    display: String,
    address: String,
    _bus: Server,
    _xvfb: Server,
    runtime: TempDir,
}

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}

impl Screen {
    /// # Panics
    /// `Xvfb` or `dbus-daemon` are missing or do not start.
    #[must_use]
    pub fn new() -> Self {
        let runtime = tempfile::Builder::new().prefix("forge-screen-").tempdir().expect("a temporary folder");
        fs::set_permissions(runtime.path(), fs::Permissions::from_mode(0o700)).expect("our own folder");
        // It says on standard output which display it found free.
        let (xvfb, display) = Server::start(Command::new("Xvfb").args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1280x800x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]));
        let display = format!(":{display}");
        let (bus, address) = session_bus(&runtime);
        Self {
            tray: OnceCell::new(),
            windows: Windows::of(&display),
            display,
            address,
            _bus: bus,
            _xvfb: xvfb,
            runtime,
        }
    }

    /// What a program needs in its environment to be seen here.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("DISPLAY", self.display.clone()),
            ("DBUS_SESSION_BUS_ADDRESS", self.address.clone()),
            ("XDG_RUNTIME_DIR", self.runtime.path().to_str().expect("UTF-8").to_owned()),
            ("GDK_BACKEND", "x11".to_owned()),
            // Neither the settings of a desktop nor its screen readers.
            ("GSETTINGS_BACKEND", "memory".to_owned()),
            ("NO_AT_BRIDGE", "1".to_owned()),
        ])
    }

    /// The tray, from the first time that it is asked for.
    pub fn tray(&self) -> &TrayHost {
        self.tray.get_or_init(|| TrayHost::start(&self.address))
    }

    #[must_use]
    pub fn windows(&self) -> &Windows {
        &self.windows
    }

    /// Begins to show notifications.
    #[must_use]
    pub fn notifications(&self) -> Notifications {
        Notifications::start(Bus::connect(&self.address))
    }
}

fn session_bus(runtime: &TempDir) -> (Server, String) {
    let folder = runtime.path().display();
    let configuration = runtime.path().join("bus.conf");
    // No service is started by its name.
    let text = format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#
    );
    fs::write(&configuration, text).expect("the configuration of the bus");
    Server::start(Command::new("dbus-daemon").arg("--config-file").arg(&configuration).args([
        "--nofork",
        "--nopidfile",
        "--print-address=1",
    ]))
}

/// A program that says one line when it is there. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Server(Child);

impl Server {
    /// Also what it says.
    fn start(command: &mut Command) -> (Self, String) {
        let program = command.get_program().to_string_lossy().into_owned();
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
        let stdout = child.stdout.take().expect("piped");
        let server = Self(child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert!(!line.trim().is_empty(), "{program} ended and said nothing");
        (server, line.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Rather than kill it: an X server has a lock and a socket to take away.
        crate::send_signal(self.0.id(), Signal::TERM);
        let until = std::time::Instant::now() + DEADLINE;
        while matches!(self.0.try_wait(), Ok(None)) && std::time::Instant::now() < until {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let _killed = self.0.kill();
        let _status = self.0.wait();
    }
}
