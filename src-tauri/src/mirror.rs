//! Follows the supervisor for the tray and the notifications.

use std::time::Duration;

use forge_api::{Error, Notices, Subscribe, Update, Workspaces};
use forge_tray::{Applied, Client, Picture};
use tauri::{AppHandle, Manager};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::notification::Notifications;
use crate::supervision::Supervision;
use crate::{errands, tray, window};

/// The tray is changed at most so often.
const PACE: Duration = Duration::from_millis(50);

/// For as long as the supervisor runs.
pub(crate) async fn keep(app: AppHandle) {
    if let Err(error) = follow(&app).await {
        tracing::warn!("the tray follows no longer: {error}");
    }
}

async fn follow(app: &AppHandle) -> Result<(), Error> {
    let stream = app.state::<Supervision>().connect().await?;
    let (client, mut updates) = Client::greet(stream).await?;
    app.manage(client.clone());
    let (mut notifications, mut responses) = Notifications::new();
    let mut picture = Picture::default();
    picture.launch_at_login = errands::launches_at_login(app);
    let mut stale = true;
    loop {
        while std::mem::take(&mut stale) {
            refresh(&client, &mut picture).await?;
            notifications.sync(&picture.notices);
            // What was told meanwhile is older than some of it, and news to the rest.
            stale = drain(app, &mut updates, &mut picture, &mut notifications);
        }
        tray::paint(app, picture.clone());
        let painted = Instant::now();
        tokio::select! {
            update = updates.recv() => match update {
                Some(update) => stale |= take_in(app, update, &mut picture, &mut notifications),
                None => return Ok(()),
            },
            Some(response) = responses.recv() => {
                if let Some(answer) = notifications.answered(response) {
                    errands::answer(app, &picture, answer);
                }
                continue;
            }
            () = errands::settings_changed(app) => {
                picture.launch_at_login = errands::launches_at_login(app);
            }
        }
        while let Ok(update) = tokio::time::timeout_at(painted + PACE, updates.recv()).await {
            let Some(update) = update else { return Ok(()) };
            stale |= take_in(app, update, &mut picture, &mut notifications);
        }
    }
}

/// The whole picture. Subscribes anew: updates come on top of it.
async fn refresh(client: &Client, picture: &mut Picture) -> Result<(), Error> {
    let environments = client.call(&Subscribe { workspace: None, metrics: false }).await?.environments;
    let workspaces = client.call(&Workspaces {}).await?.workspaces;
    let notices = client.call(&Notices {}).await?.notices;
    picture.replace(workspaces, environments, notices);
    Ok(())
}

fn drain(
    app: &AppHandle,
    updates: &mut UnboundedReceiver<Update>,
    picture: &mut Picture,
    notifications: &mut Notifications,
) -> bool {
    let mut stale = false;
    while let Ok(update) = updates.try_recv() {
        stale |= take_in(app, update, picture, notifications);
    }
    stale
}

/// Whether the picture must be asked for anew.
fn take_in(
    app: &AppHandle,
    update: Update,
    picture: &mut Picture,
    notifications: &mut Notifications,
) -> bool {
    match &update {
        // Good news is for who looks elsewhere.
        Update::Notice { notice } if !notice.kind.is_trouble() && window::is_shown(app) => {}
        Update::Notice { notice } => notifications.tell(notice),
        Update::NoticeClosed { id } => notifications.close(id),
        _ => {}
    }
    picture.apply(update) == Applied::Stale
}
