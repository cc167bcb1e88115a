//! The desktop app under test: on a screen and a session bus of its own, with whatever of a desktop a test wants.

mod bus;
mod keyboard;
mod menu;
mod notifications;
mod screen;
mod tray;
mod webdriver;
mod windows;

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::rc::Rc;

pub use bus::Bus;
pub use menu::{Menu, MenuItem};
pub use notifications::{Notification, Notifications};
pub use screen::Screen;
pub use tray::{Item, TrayHost};
pub use webdriver::{Window, test_id};
pub use windows::Windows;

use crate::{Outcome, Running, Signal, World, binaries, wait_for, wait_until};

/// A [`World`] whose user sits in front of a [`Screen`].
#[derive(Debug)]
pub struct Desktop {
    pub world: World,
    pub screen: Rc<Screen>,
}

impl Deref for Desktop {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Desktop {
    /// An empty workspace, which is not on the list, and a tray.
    #[must_use]
    pub fn new() -> Self {
        let screen = Screen::new();
        screen.tray();
        Self::on(&Rc::new(screen))
    }

    /// A workspace with this `.forge/processes.yml`, on the list and trusted.
    #[must_use]
    pub fn with(processes: &str) -> Self {
        let desktop = Self::new();
        desktop.trust(processes);
        desktop
    }

    /// A world on a screen, and on its bus, that others may share.
    ///
    /// # Panics
    /// Its folders can't be made.
    #[must_use]
    pub fn on(screen: &Rc<Screen>) -> Self {
        let mut world = World::new();
        let user = world.folder().join("user");
        // What starts by a click has a login shell's environment: the tests' programs are in it.
        fs::write(user.join(".profile"), format!("PATH='{}'\n", world.variables()["PATH"]))
            .expect("a profile");
        for (name, folder) in [
            ("XDG_CONFIG_HOME", "configuration"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            world.set_env(name, user.join(folder).to_str().expect("UTF-8"));
        }
        for (name, value) in screen.variables() {
            world.set_env(name, &value);
        }
        Self { world, screen: Rc::clone(screen) }
    }

    /// Writes `.forge/processes.yml`, and puts the workspace on the list as one whose commands were looked at.
    #[track_caller]
    pub fn trust(&self, processes: &str) {
        self.configure(processes);
        self.forge(["workspaces", "trust"]).run().ok();
    }

    /// `forge-desktop ARGUMENTS`, which goes on in the background.
    #[must_use]
    pub fn launch<const N: usize>(&self, arguments: [&str; N]) -> App {
        App(Some(self.program(binaries::desktop(), arguments).spawn()))
    }

    /// By a program that becomes the app.
    #[must_use]
    pub fn launch_by<const N: usize>(&self, program: &str, arguments: [&str; N]) -> App {
        App(Some(self.program(Path::new(program), arguments).spawn()))
    }

    /// The app with no window, and its item in the tray.
    #[track_caller]
    pub fn launch_in_tray(&self) -> (App, Item) {
        let app = self.launch(["--background"]);
        let item = app.item(&self.screen);
        (app, item)
    }

    /// The user's own folder.
    #[must_use]
    pub fn user(&self) -> PathBuf {
        self.folder().join("user")
    }
}

impl Default for Desktop {
    fn default() -> Self {
        Self::new()
    }
}

/// The app that runs. Dropping it is the end of the user's session.
#[derive(Debug)]
pub struct App(Option<Running>);

impl App {
    fn running(&self) -> &Running {
        self.0.as_ref().expect("only waiting takes it")
    }

    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running().pid()
    }

    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.running().is_alive()
    }

    /// Its item in the tray.
    ///
    /// # Panics
    /// It ends, or puts none there.
    #[must_use]
    #[track_caller]
    pub fn item(&self, screen: &Screen) -> Item {
        wait_for("an item in the tray", || {
            assert!(self.is_alive(), "the app has ended: {}", self.running().stderr());
            screen.tray().item_of(self.pid())
        })
    }

    /// As the kernel would for memory.
    #[track_caller]
    pub fn kill(self) {
        self.running().signal(Signal::KILL);
        // It has no exit code.
        let _outcome = self.wait();
    }

    /// As at the end of the user's session.
    #[must_use]
    #[track_caller]
    pub fn terminate(self) -> Outcome {
        self.running().signal(Signal::TERM);
        self.wait()
    }

    /// Waits for its end.
    #[must_use]
    #[track_caller]
    pub fn wait(mut self) -> Outcome {
        self.0.take().expect("only waiting takes it").wait()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(running) = &self.0 {
            running.signal(Signal::TERM);
            if !std::thread::panicking() {
                wait_until("the app heeds SIGTERM", || !running.is_alive());
            }
        }
    }
}
