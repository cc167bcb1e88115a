//! Over the session bus, as tasks: nothing waits for a notification server that is slow, or not there.

use forge_api::Notice;
use forge_tray::Response;
use notify_rust::error::Error;
use notify_rust::{Notification, NotificationHandle, NotificationResponse};
use tokio::sync::mpsc;

use super::{Order, Responded, notification, response, unavailable};

pub(super) fn show(
    notice: Notice,
    orders: mpsc::UnboundedReceiver<Order>,
    responses: mpsc::UnboundedSender<Responded>,
) {
    tauri::async_runtime::spawn(async move {
        let id = notice.id.clone();
        match hold(&notice, orders).await {
            Ok(Some(response)) => {
                let _ = responses.send((id, response));
            }
            Ok(None) => {}
            Err(error) => unavailable(&error),
        }
    });
}

pub(super) async fn say(notification: Notification) -> Result<(), Error> {
    notification.show_async().await.map(|_| ())
}

/// Until it is answered, or over: `None`.
async fn hold(
    notice: &Notice,
    mut orders: mpsc::UnboundedReceiver<Order>,
) -> Result<Option<Response>, Error> {
    let mut shown = notification(notice).show_async().await?;
    // Some servers close a notification when the connection that it first came on is gone.
    let mut first: Option<NotificationHandle> = None;
    loop {
        let order = tokio::select! {
            response = answer(&shown) => return Ok(Some(response)),
            order = orders.recv() => order,
        };
        match order {
            Some(Order::Replace(notice)) => {
                let next = notification(&notice).id(shown.id()).show_async().await?;
                let before = std::mem::replace(&mut shown, next);
                first.get_or_insert(before);
            }
            Some(Order::Close) | None => {
                shown.close_async().await;
                return Ok(None);
            }
        }
    }
}

async fn answer(shown: &NotificationHandle) -> Response {
    let mut answer = Response::Closed;
    shown.wait_for_action_async(|response: &NotificationResponse| answer = self::response(response)).await;
    answer
}
