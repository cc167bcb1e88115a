//! What clicks in the tray and on notifications ask for.

use forge_api::{ActOnNotice, Code, Error, Restart, Start, Stop};
#[cfg(target_os = "linux")]
use forge_tray::login::Login;
use forge_tray::{Act, Answer, Choice, Client, Picture, route};
use tauri::{AppHandle, Manager};
use tauri_plugin_opener::OpenerExt;
use tokio::sync::Notify;

use crate::tray::Shown;
use crate::{quit, window};

/// Something that the tray shows and the supervisor does not know was changed.
#[derive(Debug, Default)]
pub(crate) struct Settings(Notify);

/// Until it is so.
pub(crate) async fn settings_changed(app: &AppHandle) {
    app.state::<Settings>().0.notified().await;
}

/// Does what an item of the tray's menu stands for.
pub(crate) fn run(app: &AppHandle, act: Act) {
    match act {
        // What was started now would run on with nobody to watch it.
        _ if app.state::<quit::Quitting>().is_leaving() => {}
        Act::Show(route) => window::show(app, route),
        Act::Quit => quit::ask(app),
        Act::LaunchAtLogin => launch_at_login(app),
        Act::Start(named) | Act::Stop(named) | Act::Restart(named) if app.try_state::<Client>().is_none() => {
            tracing::warn!("{} was clicked before the supervisor was there", named.name());
        }
        act => {
            tauri::async_runtime::spawn(operate(app.clone(), act));
        }
    }
}

async fn operate(app: AppHandle, act: Act) {
    let client = app.state::<Client>().inner().clone();
    let (Act::Start(named) | Act::Restart(named) | Act::Stop(named)) = &act else { return };
    let (workspace, names) = (named.workspace.clone(), vec![named.target()]);
    let result = match &act {
        Act::Start(_) => client.call(&Start { workspace, names, ..Start::default() }).await.map(|_| ()),
        Act::Stop(_) => stop(&client, Stop { workspace, names, all: false }).await,
        _ => client.call(&Restart { workspace, names, variables: None }).await.map(|_| ()),
    };
    if let Err(error) = result {
        tracing::info!("{}: {error}", named.name());
        // Why a start was refused, the supervisor tells in a notice; that of a held port has the ways out.
        if error.code != Code::PortConflict {
            window::show(&app, Some(named.route()));
        }
        if matches!(act, Act::Stop(_)) {
            let summary = format!("{} could not be stopped", named.name());
            crate::notification::say(&summary, &error.message).await;
        }
    }
}

async fn stop(client: &Client, stop: Stop) -> Result<(), Error> {
    let stopped = client.call(&stop).await?;
    match stopped.survivors.first() {
        Some(survivor) => Err(Error::new(
            Code::Survivors,
            format!("{} (PID {}) could not be ended", survivor.name, survivor.pid),
        )),
        None => Ok(()),
    }
}

fn launch_at_login(app: &AppHandle) {
    // As the user saw it: a tool of the desktop may have changed it since.
    let shown = app.state::<Shown>().picture().launch_at_login;
    if let Err(error) = set_login(app, !shown) {
        tracing::error!("launch at login could not be set: {error}");
        let text = error.to_string();
        tauri::async_runtime::spawn(async move {
            crate::notification::say("Launch at login could not be changed", &text).await;
        });
    }
    app.state::<Settings>().0.notify_one();
}

#[cfg(target_os = "linux")]
pub(crate) fn launches_at_login(_: &AppHandle) -> bool {
    Login::of_this_home().is_ok_and(|login| login.is_enabled())
}

#[cfg(target_os = "linux")]
fn set_login(_: &AppHandle, enabled: bool) -> std::io::Result<()> {
    Login::of_this_home()?.set(enabled, &std::env::current_exe()?)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn launches_at_login(app: &AppHandle) -> bool {
    tauri_plugin_autostart::ManagerExt::autolaunch(app).is_enabled().unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
fn set_login(app: &AppHandle, enabled: bool) -> Result<(), tauri_plugin_autostart::Error> {
    let login = tauri_plugin_autostart::ManagerExt::autolaunch(app);
    if enabled { login.enable() } else { login.disable() }
}

/// Does what was chosen on a notification.
pub(crate) fn answer(app: &AppHandle, picture: &Picture, answer: Answer) {
    let Answer { notice, choice } = answer;
    match choice {
        _ if app.state::<quit::Quitting>().is_leaving() => {}
        Choice::Look => window::show(app, Some(route::behind(&notice))),
        Choice::Action(action) if !action.shows => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                let act = ActOnNotice { id: notice.id.clone(), action: action.id };
                let client = app.state::<Client>().inner().clone();
                if let Err(error) = client.call(&act).await {
                    tracing::info!("{}: {error}", notice.summary);
                    window::show(&app, Some(route::place(&notice)));
                }
            });
        }
        Choice::Action(action) if action.id == "open" => {
            let url = picture.url(&notice.workspace, &notice.environment);
            match url.map(|url| app.opener().open_url(url, None::<String>)) {
                Some(Ok(())) => {}
                Some(Err(error)) => tracing::warn!("the browser cannot be opened: {error}"),
                None => window::show(app, Some(route::place(&notice))),
            }
        }
        Choice::Action(action) => {
            let shown = if action.id == "show-log" { route::log_of(&notice) } else { route::place(&notice) };
            window::show(app, Some(shown));
        }
    }
}
