//! Windows and macOS: a thread for each, because the library waits there.

use forge_api::Notice;
use notify_rust::error::Error;
use notify_rust::{Notification, NotificationResponse};
use tokio::sync::mpsc;

use super::{Order, Responded, notification, response, unavailable};

pub(super) fn show(
    notice: Notice,
    // What is shown cannot be changed; with its receiver gone, the next order shows it anew.
    _orders: mpsc::UnboundedReceiver<Order>,
    responses: mpsc::UnboundedSender<Responded>,
) {
    std::thread::spawn(move || {
        let id = notice.id.clone();
        let answered = |response: &NotificationResponse| {
            let _ = responses.send((id.clone(), self::response(response)));
        };
        if let Err(error) = notification(&notice).show().and_then(|shown| shown.wait_for_response(answered)) {
            unavailable(&error);
        }
    });
}

pub(super) async fn say(notification: Notification) -> Result<(), Error> {
    notification.show().map(|_| ())
}
