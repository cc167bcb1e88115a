//! The end of the app, and what becomes of the processes.

use std::sync::Mutex;
use std::time::Duration;

use forge_api::{Error, Stop};
use forge_supervisor::background;
use forge_tray::Client;
use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogKind, MessageDialogResult};

use crate::supervision::Supervision;
use crate::tray::Shown;
use crate::window;

/// From the start of the headless supervisor until it listens.
const TAKEN_OVER: Duration = Duration::from_secs(10);

const STOP: &str = "Stop everything";
const KEEP: &str = "Keep running";
const CANCEL: &str = "Cancel";

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Default)]
enum Stage {
    #[default]
    Staying,
    Asking,
    Leaving,
}

/// Whether the user is being asked, or we are leaving.
#[derive(Debug, Default)]
pub(crate) struct Quitting(Mutex<Stage>);

impl Quitting {
    pub(crate) fn is_leaving(&self) -> bool {
        *self.stage() == Stage::Leaving
    }

    /// Whether it had not come so far before.
    fn advance(&self, to: Stage) -> bool {
        let mut stage = self.stage();
        let news = *stage < to;
        *stage = if news { to } else { *stage };
        news
    }

    /// The answer was no. Somebody else may have made us leave meanwhile.
    fn cancel(&self) {
        let mut stage = self.stage();
        if *stage == Stage::Asking {
            *stage = Stage::Staying;
        }
    }

    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What is left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parting {
    /// What runs, if anything, is held by its keepers.
    Leave,
    StopAll,
    /// A headless supervisor goes on where we end.
    KeepRunning,
}

/// Quits; asks what is to become of what runs, if anything does.
pub(crate) fn ask(app: &AppHandle) {
    if !app.state::<Quitting>().advance(Stage::Asking) {
        return;
    }
    let running = app.state::<Shown>().picture().running();
    if running.is_empty() {
        tauri::async_runtime::spawn(part(app.clone(), Parting::Leave));
        return;
    }
    let handle = app.clone();
    // The first is what Enter does.
    let buttons =
        MessageDialogButtons::YesNoCancelCustom(KEEP.to_owned(), STOP.to_owned(), CANCEL.to_owned());
    app.dialog()
        .message(format!(
            "Running: {}.\n\nProcesses can go on without the app; it finds them again, and so does the command line.",
            running.join(", ")
        ))
        .title("Quit Forge?")
        .kind(MessageDialogKind::Info)
        .buttons(buttons)
        .show_with_result(move |result| {
            let parting = match result {
                MessageDialogResult::Custom(label) if label == STOP => Parting::StopAll,
                MessageDialogResult::Custom(label) if label == KEEP => Parting::KeepRunning,
                _ => return handle.state::<Quitting>().cancel(),
            };
            tauri::async_runtime::spawn(part(handle.clone(), parting));
        });
}

async fn part(app: AppHandle, parting: Parting) {
    if !app.state::<Quitting>().advance(Stage::Leaving) {
        return;
    }
    window::discard(&app);
    if parting == Parting::StopAll
        && let Err(error) = stop_all(&app).await
    {
        tracing::error!("not everything was stopped: {error}");
        crate::notification::say("Not everything was stopped", &error.message).await;
    }
    app.state::<Supervision>().stop().await;
    if parting == Parting::KeepRunning
        && let Err(error) = hand_over().await
    {
        // Their keepers hold them all the same.
        tracing::warn!("no headless supervisor goes on: {error}");
        let text =
            format!("The processes go on, but nobody restarts them until Forge is started again: {error}");
        crate::notification::say("Nobody watches the processes", &text).await;
    }
    app.exit(0);
}

async fn stop_all(app: &AppHandle) -> Result<(), Error> {
    let Some(client) = app.try_state::<Client>() else { return Ok(()) };
    let client = client.inner().clone();
    let stopped = client.call(&Stop { all: true, ..Stop::default() }).await?;
    if stopped.survivors.is_empty() {
        return Ok(());
    }
    let survivors: Vec<String> = stopped
        .survivors
        .iter()
        .map(|survivor| format!("{} (PID {})", survivor.name, survivor.pid))
        .collect();
    Err(Error::new(forge_api::Code::Survivors, format!("still running: {}", survivors.join(", "))))
}

/// Starts `forge serve` in the background, and waits until it listens.
async fn hand_over() -> Result<(), Error> {
    let forge = std::env::current_exe()
        .map_err(|error| Error::system("our own program", error))?
        .with_file_name(format!("forge{}", std::env::consts::EXE_SUFFIX));
    let mut child = background::spawn(&forge).map_err(|error| Error::system(forge.display(), error))?;
    // What does not come is no line.
    let said = tokio::time::timeout(TAKEN_OVER, background::first_line(&mut child)).await;
    match said.unwrap_or_default().trim() {
        background::READY => Ok(()),
        other => {
            Err(Error::system(forge.display(), if other.is_empty() { "it said nothing" } else { other }))
        }
    }
}

/// The session ends, or somebody at a terminal: nobody can be asked, and the processes go on.
#[cfg(unix)]
pub(crate) async fn on_signal(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    part(app, Parting::Leave).await;
}
