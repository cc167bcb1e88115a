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

use std::sync::Once;

use forge_api::{Notice, NoticeKind};
use notify_rust::{Notification, NotificationResponse};
use tokio::sync::mpsc;

/// What happens to a notification that is shown.
#[derive(Debug)]
pub(crate) enum Order {
    Replace(Notice),
    Close,
}

/// What the user did with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Response {
    Default,
    Action(String),
    Closed,
}

impl From<&NotificationResponse> for Response {
    fn from(response: &NotificationResponse) -> Self {
        match response {
            NotificationResponse::Default => Self::Default,
            NotificationResponse::Action(id) => Self::Action(id.clone()),
            NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => Self::Closed,
        }
    }
}

/// Shows a notice, without waiting. What is done with it goes to `responses`, with the notice's id; when it is gone,
/// the returned way to it closes.
pub(crate) fn show(
    notice: Notice,
    responses: mpsc::UnboundedSender<(String, Response)>,
) -> mpsc::UnboundedSender<Order> {
    let (orders, ordered) = mpsc::unbounded_channel();
    platform::show(notice, ordered, responses);
    orders
}

/// Something that needs no answer.
pub(crate) async fn say(summary: &str, body: &str) {
    let mut notification = blank();
    notification.summary(summary).body(body);
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
    notification.summary(&notice.summary).body(&escaped(&notice.body));
    notification.action("default", "Open");
    for action in &notice.actions {
        notification.action(&action.id, &action.label);
    }
    #[cfg(not(target_os = "macos"))]
    notification.urgency(match notice.kind {
        // It stays until it is seen: nothing goes on by itself.
        NoticeKind::CrashLoop | NoticeKind::PortConflict => notify_rust::Urgency::Critical,
        NoticeKind::Crash | NoticeKind::Unhealthy | NoticeKind::StartFailed => notify_rust::Urgency::Normal,
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
