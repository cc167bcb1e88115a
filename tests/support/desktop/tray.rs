//! The desktop's side of the tray: the watcher with which icons register, and a host that reads and clicks them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use zbus::interface;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedValue, Value as Variant};

use super::bus::{Bus, Signals, plain};
use super::menu::{Menu, MenuItem};
use crate::{DEADLINE, wait_until};

const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

/// Unique names of those that registered.
type Registered = Arc<Mutex<Vec<String>>>;

/// <https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/StatusNotifierWatcher/>
#[derive(Debug)]
struct Watcher(Registered);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    async fn register_status_notifier_item(
        &self,
        service: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        self.0.lock().expect("only appended to").push(sender);
        Self::status_notifier_item_registered(&emitter, &service).await?;
        Ok(())
    }

    async fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    async fn registered_status_notifier_items(&self) -> Vec<String> {
        self.0.lock().expect("only appended to").clone()
    }

    #[zbus(property)]
    async fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    async fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(signal)]
    async fn status_notifier_item_registered(emitter: &SignalEmitter<'_>, service: &str) -> zbus::Result<()>;
}

/// A panel with a tray.
#[derive(Debug)]
pub struct TrayHost {
    bus: Bus,
    registered: Registered,
}

impl TrayHost {
    /// Before the app starts: it looks for a tray once.
    pub(super) fn start(address: &str) -> Self {
        let bus = Bus::connect(address);
        let registered = Registered::default();
        let watcher = Watcher(Arc::clone(&registered));
        bus.wait("a tray", async {
            let connection = bus.connection();
            connection.object_server().at("/StatusNotifierWatcher", watcher).await.expect("a free path");
            connection.request_name("org.kde.StatusNotifierWatcher").await.expect("a free name");
        });
        Self { bus, registered }
    }

    /// Whether a program has registered an item, which is not asked anything.
    #[must_use]
    pub fn has_item_of(&self, pid: u32) -> bool {
        let names = self.registered.lock().expect("only appended to").clone();
        names.iter().any(|name| self.pid_of(name) == Some(pid))
    }

    /// The item of a program, if it has registered one.
    #[must_use]
    pub fn item_of(&self, pid: u32) -> Option<Item> {
        let names = self.registered.lock().expect("only appended to").clone();
        let own = names.into_iter().find(|name| self.pid_of(name) == Some(pid))?;
        Some(Item::of(self.bus.clone(), own))
    }

    /// Of a connection, while it is there.
    fn pid_of(&self, name: &str) -> Option<u32> {
        let method = ("org.freedesktop.DBus", "GetConnectionUnixProcessID");
        let answer = self.bus.call("org.freedesktop.DBus", "/org/freedesktop/DBus", method, &name).ok()?;
        answer.body().deserialize().ok()
    }
}

/// An icon in the tray.
#[derive(Debug)]
pub struct Item {
    bus: Bus,
    name: String,
    menu: String,
    /// Of its menu.
    signals: Signals,
}

impl Item {
    fn of(bus: Bus, name: String) -> Self {
        let signals = bus.collect(&name, MENU);
        let mut item = Self { bus, name, menu: String::new(), signals };
        item.menu = item.property("Menu").as_str().expect("a path").to_owned();
        item
    }

    /// A property of the item: `Title`, `ToolTip`, `IconPixmap` …
    ///
    /// # Panics
    /// It has none of that name.
    #[must_use]
    #[track_caller]
    pub fn property(&self, name: &str) -> Value {
        let get = ("org.freedesktop.DBus.Properties", "Get");
        let answer = self.bus.call(&self.name, "/StatusNotifierItem", get, &(ITEM, name));
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        let body = answer.body();
        let value: Variant<'_> = body.deserialize().unwrap_or_else(|error| panic!("{name}: {error}"));
        plain(&value)
    }

    /// What one sees of it: the picture or its name.
    #[must_use]
    #[track_caller]
    pub fn icon(&self) -> Value {
        serde_json::json!([self.property("IconName"), self.property("IconPixmap")])
    }

    /// The whole menu, as it is now.
    ///
    /// # Panics
    /// The app does not answer.
    #[must_use]
    #[track_caller]
    pub fn menu(&self) -> Menu {
        type Node = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);
        let everything = (0_i32, -1_i32, Vec::<String>::new());
        let answer = self.bus.call(&self.name, &self.menu, (MENU, "GetLayout"), &everything);
        let body = answer.unwrap_or_else(|error| panic!("no menu: {error}")).body();
        let (_revision, (id, _, items)): (u32, Node) = body.deserialize().expect("a layout");
        let items: Vec<Value> = items.iter().map(|item| plain(item)).collect();
        Menu(MenuItem::read(&serde_json::json!([id, {}, items])))
    }

    /// Waits until the menu is as it should be.
    ///
    /// # Panics
    /// It never is; says how it was at last.
    #[track_caller]
    pub fn wait_menu(&self, what: &str, mut condition: impl FnMut(&Menu) -> bool) -> Menu {
        let until = std::time::Instant::now() + DEADLINE;
        loop {
            let menu = self.menu();
            if condition(&menu) {
                return menu;
            }
            assert!(std::time::Instant::now() < until, "waited in vain: {what}; the menu is\n{menu}");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Waits for an item of the top whose label this is.
    #[track_caller]
    pub fn wait_label(&self, label: &str) -> Menu {
        self.wait_menu(label, |menu| menu.0.items.iter().any(|item| item.label == label))
    }

    /// Waits until an item is there, and can be clicked or not.
    #[track_caller]
    pub fn wait_enabled(&self, path: &[&str], enabled: bool) -> Menu {
        let what = format!("{path:?} is {}", if enabled { "enabled" } else { "disabled" });
        self.wait_menu(&what, |menu| menu.find(path).is_some_and(|item| item.enabled == enabled))
    }

    /// Clicks an item, once it is there and can be clicked.
    ///
    /// # Panics
    /// It never can, or the app does not answer.
    #[track_caller]
    pub fn click(&self, path: &[&str]) {
        let menu = self.wait_enabled(path, true);
        self.event(menu.item(path).id, "clicked");
    }

    /// A panel tells that a submenu was opened, or the menu itself; it stays open until it is `closed`.
    #[track_caller]
    pub fn opened(&self, path: &[&str]) {
        let id = i32::try_from(self.menu().item(path).id).expect("an id");
        let about = self.bus.call(&self.name, &self.menu, (MENU, "AboutToShow"), &id);
        about.unwrap_or_else(|error| panic!("AboutToShow: {error}"));
        self.event(id.into(), "opened");
    }

    #[track_caller]
    pub fn closed(&self, path: &[&str]) {
        self.event(self.menu().item(path).id, "closed");
    }

    #[track_caller]
    fn event(&self, id: i64, kind: &str) {
        let event = (i32::try_from(id).expect("an id"), kind, Variant::from(""), 0_u32);
        let sent = self.bus.call(&self.name, &self.menu, (MENU, "Event"), &event);
        sent.unwrap_or_else(|error| panic!("{kind}: {error}"));
    }

    /// A left click on the icon.
    ///
    /// # Panics
    /// The app does not take it.
    #[track_caller]
    pub fn activate(&self) {
        let sent = self.bus.call(&self.name, "/StatusNotifierItem", (ITEM, "Activate"), &(10_i32, 10_i32));
        sent.unwrap_or_else(|error| panic!("Activate: {error}"));
    }

    /// Signals of the menu since the last call.
    ///
    /// # Panics
    /// A thread that collects them did.
    #[must_use]
    pub fn take_signals(&self) -> Vec<String> {
        std::mem::take(&mut *self.signals.lock().expect("only appended to"))
    }

    /// Waits until it is there no longer.
    #[track_caller]
    pub fn wait_gone(&self) {
        wait_until("the icon leaves the tray", || !self.bus.is_connected(&self.name));
    }
}
