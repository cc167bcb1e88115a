//! A notification server: remembers what it was asked to show, and clicks it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use zbus::interface;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

use super::bus::{Bus, plain};
use crate::{wait_for, wait_until};

const PATH: &str = "/org/freedesktop/Notifications";
const INTERFACE: &str = "org.freedesktop.Notifications";

/// A click that was not heard is made again.
const AGAIN: Duration = Duration::from_millis(300);

/// What a program asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    pub id: u32,
    /// The id of the one that it takes the place of; 0: none.
    pub replaces: u32,
    pub app: String,
    pub summary: String,
    pub body: String,
    /// Ids and what is written on them.
    pub actions: Vec<(String, String)>,
    pub hints: HashMap<String, Value>,
    sender: String,
}

impl Notification {
    /// In the order in which they are shown.
    #[must_use]
    pub fn action_ids(&self) -> Vec<&str> {
        self.actions.iter().map(|(id, _)| id.as_str()).collect()
    }
}

#[derive(Debug, Default)]
struct Shown {
    /// All that were asked for, oldest first.
    history: Vec<Notification>,
    /// Ids.
    open: Vec<u32>,
    last: u32,
}

/// <https://specifications.freedesktop.org/notification-spec/1.2/protocol.html>
#[derive(Debug)]
struct Server(Arc<Mutex<Shown>>);

#[interface(name = "org.freedesktop.Notifications")]
impl Server {
    async fn get_capabilities(&self) -> Vec<&'static str> {
        vec!["actions", "body", "body-markup", "persistence"]
    }

    async fn get_server_information(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        ("forge-tests", "forge", "1", "1.2")
    }

    #[expect(clippy::too_many_arguments, reason = "the protocol has them")]
    async fn notify(
        &self,
        app: String,
        replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _timeout: i32,
        #[zbus(header)] header: Header<'_>,
    ) -> u32 {
        let mut shown = self.0.lock().expect("no panic while it was held");
        let id = if replaces == 0 { shown.last + 1 } else { replaces };
        shown.last = shown.last.max(id);
        if !shown.open.contains(&id) {
            shown.open.push(id);
        }
        let (ids, labels) = (actions.iter().step_by(2), actions.iter().skip(1).step_by(2));
        shown.history.push(Notification {
            id,
            replaces,
            app,
            summary,
            body,
            actions: ids.cloned().zip(labels.cloned()).collect(),
            hints: hints.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
            sender: header.sender().map(ToString::to_string).unwrap_or_default(),
        });
        id
    }

    async fn close_notification(&self, id: u32, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) {
        self.0.lock().expect("no panic while it was held").open.retain(|open| *open != id);
        // By a call.
        let _sent = Self::notification_closed(&emitter, id, 3).await;
    }

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;
}

/// What the user sees of notifications.
#[derive(Debug)]
pub struct Notifications {
    bus: Bus,
    shown: Arc<Mutex<Shown>>,
}

impl Notifications {
    pub(super) fn start(bus: Bus) -> Self {
        let shown = Arc::new(Mutex::new(Shown::default()));
        let server = Server(Arc::clone(&shown));
        bus.wait("a notification server", async {
            let connection = bus.connection();
            connection.object_server().at(PATH, server).await.expect("a free path");
            connection.request_name(INTERFACE).await.expect("a free name");
        });
        Self { bus, shown }
    }

    /// All that were asked for, oldest first.
    ///
    /// # Panics
    /// The server did.
    #[must_use]
    pub fn history(&self) -> Vec<Notification> {
        self.shown.lock().expect("no panic while it was held").history.clone()
    }

    /// Whether the one with this id is on the screen.
    ///
    /// # Panics
    /// The server did.
    #[must_use]
    pub fn is_open(&self, id: u32) -> bool {
        self.shown.lock().expect("no panic while it was held").open.contains(&id)
    }

    /// Waits for the newest one with this summary.
    #[must_use]
    #[track_caller]
    pub fn wait(&self, summary: &str) -> Notification {
        self.wait_where(summary, |notification| notification.summary == summary)
    }

    /// Waits for one that is `wanted`; the newest, if several are.
    #[must_use]
    #[track_caller]
    pub fn wait_where(&self, what: &str, wanted: impl Fn(&Notification) -> bool) -> Notification {
        wait_for(&format!("a notification: {what}"), || self.history().into_iter().rev().find(&wanted))
    }

    /// Clicks one: on a button, or, as `default`, on itself. It leaves the screen.
    ///
    /// # Panics
    /// Nobody listens.
    #[track_caller]
    pub fn invoke(&self, notification: &Notification, action: &str) {
        self.shown.lock().expect("no panic while it was held").open.retain(|open| *open != notification.id);
        let emitter = SignalEmitter::new(self.bus.connection(), PATH).expect("a path");
        // A program listens some time after it was told the id, sooner than anybody clicks. The connection for one
        // notification is given up when that was answered.
        wait_until(&format!("{action:?} is heard"), || {
            let sent = Server::action_invoked(&emitter, notification.id, action);
            self.bus.wait("a click", sent).expect("a signal");
            let until = Instant::now() + AGAIN;
            while Instant::now() < until && self.bus.is_connected(&notification.sender) {
                thread::sleep(Duration::from_millis(5));
            }
            !self.bus.is_connected(&notification.sender)
        });
        // Dismissed by the user.
        let closed = Server::notification_closed(&emitter, notification.id, 2);
        self.bus.wait("its end", closed).expect("a signal");
    }
}
