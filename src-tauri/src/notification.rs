//! Native notifications: one facade over what the systems can do.
//!
//! Linux shows, replaces and closes them, and says what was clicked. Windows and macOS can do neither of the middle
//! two through this library: there what changed is shown anew, and what is over stays until it is cleared away.

#[cfg(not(target_os = "linux"))]
#[path = "notification/elsewhere.rs"]
mod platform;
#[cfg(target_os = "linux")]
#[path = "notification/linux.rs"]
mod platform;

use std::collections::HashMap;
use std::sync::Once;

use forge_api::{Notice, NoticeKind};
use forge_tray::{Announcements, Answer, Response, Step};
use notify_rust::{CloseReason, Notification, NotificationResponse};
use tokio::sync::mpsc;

/// What happens to a notification that is shown.
#[derive(Debug)]
enum Order {
    Replace(Notice),
    Close,
}

/// A response, with the id of the notice that it is to.
pub(crate) type Responded = (String, Response);

/// The notifications that are out.
#[derive(Debug)]
pub(crate) struct Notifications {
    announcements: Announcements,
    /// A way that is closed leads to one that the user has put away.
    orders: HashMap<String, mpsc::UnboundedSender<Order>>,
    responses: mpsc::UnboundedSender<Responded>,
}

impl Notifications {
    /// What users do with them comes out of the receiver, for [`Self::answered`].
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Responded>) {
        let (responses, responded) = mpsc::unbounded_channel();
        (Self { announcements: Announcements::default(), orders: HashMap::new(), responses }, responded)
    }

    /// Shows a notice, or what is new about it. Waits for nothing.
    pub(crate) fn tell(&mut self, notice: &Notice) {
        let step = self.announcements.tell(notice);
        self.take(step);
    }

    /// It is over.
    pub(crate) fn close(&mut self, id: &str) {
        let step = self.announcements.close(id);
        self.take(step);
    }

    /// All that is wrong now.
    pub(crate) fn sync(&mut self, notices: &[Notice]) {
        let steps = self.announcements.sync(notices);
        self.take(steps);
    }

    /// What a response means, if anything.
    pub(crate) fn answered(&mut self, (id, response): Responded) -> Option<Answer> {
        // It may be shown anew meanwhile: that one has not been answered.
        if self.orders.get(&id).is_some_and(mpsc::UnboundedSender::is_closed) {
            self.orders.remove(&id);
        }
        self.announcements.answered(&id, response)
    }

    fn take(&mut self, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            match step {
                Step::Show(notice) => self.show(notice),
                Step::Replace(notice) => {
                    let order = Order::Replace(notice.clone());
                    if self.orders.get(&notice.id).is_none_or(|orders| orders.send(order).is_err()) {
                        self.show(notice);
                    }
                }
                Step::Close(id) => {
                    if let Some(orders) = self.orders.remove(&id) {
                        let _ = orders.send(Order::Close);
                    }
                }
            }
        }
    }

    fn show(&mut self, notice: Notice) {
        let (orders, ordered) = mpsc::unbounded_channel();
        self.orders.insert(notice.id.clone(), orders);
        platform::show(notice, ordered, self.responses.clone());
    }
}

fn response(response: &NotificationResponse) -> Response {
    match response {
        NotificationResponse::Default => Response::Default,
        NotificationResponse::Action(id) => Response::Action(id.clone()),
        NotificationResponse::Closed(CloseReason::Dismissed) => Response::PutAway,
        NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => Response::Closed,
    }
}

/// Something that needs no answer.
pub(crate) async fn say(summary: &str, body: &str) {
    let mut notification = blank();
    notification.summary(summary).body(&escaped(body));
    if let Err(error) = platform::say(notification).await {
        unavailable(&error);
    }
}

fn blank() -> Notification {
    let mut notification = Notification::new();
    notification.appname("Forge");
    #[cfg(target_os = "linux")]
    notification.icon("forge-desktop").hint(notify_rust::Hint::DesktopEntry("Forge".to_owned()));
    notification
}

fn notification(notice: &Notice) -> Notification {
    let mut notification = blank();
    notification.summary(&notice.summary).body(&escaped(&notice.body)).action("default", "Open");
    for action in &notice.actions {
        notification.action(&action.id, &action.label);
    }
    #[cfg(not(target_os = "macos"))]
    notification.urgency(match notice.kind {
        // It stays until it is seen: nothing goes on by itself.
        NoticeKind::CrashLoop | NoticeKind::PortConflict => notify_rust::Urgency::Critical,
        NoticeKind::Crash | NoticeKind::Unhealthy | NoticeKind::Alert | NoticeKind::StartFailed => {
            notify_rust::Urgency::Normal
        }
        NoticeKind::Ready => notify_rust::Urgency::Low,
    });
    notification
}

/// A body may be read as markup there (Desktop Notifications Specification 1.2, "Markup"), and output of programs is
/// not ours.
fn escaped(body: &str) -> String {
    if cfg!(target_os = "linux") {
        body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    } else {
        body.to_owned()
    }
}

/// Many systems have nobody who shows notifications; one line of log is enough.
fn unavailable(error: &notify_rust::error::Error) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::warn!("notifications cannot be shown: {error}"));
}
