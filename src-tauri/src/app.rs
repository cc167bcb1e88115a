//! The parts put together, and the events of their life.

use std::process::ExitCode;
use std::sync::Arc;

use forge_api::{Code, Error};
use forge_supervisor::home::Home;
use forge_supervisor::host::ServeEnd;
use tauri::{AppHandle, Manager, RunEvent, WindowEvent};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};
use tokio::sync::oneshot;

use crate::errands::Settings;
use crate::instance::Instance;
use crate::quit::{self, Quitting};
use crate::supervision::Supervision;
use crate::tray::Shown;
use crate::window::{self, Window};
use crate::{ipc, mirror, saving, tray};

type End = Result<ServeEnd, Error>;

/// Runs until the user quits, or the supervisor is told to leave.
///
/// # Errors
/// The supervisor or the toolkit cannot be started.
pub(crate) fn run(home: Home, instance: Instance, background: bool) -> Result<ExitCode, Error> {
    let (ended, end) = oneshot::channel();
    // First of all, so that it finds its keepers while the toolkit gets up.
    let supervision = Supervision::start(home.clone(), move |result| {
        let _ = ended.send(result);
    })?;
    log_panics();
    let setup = move |app: &mut tauri::App| {
        let app = app.handle().clone();
        #[cfg(target_os = "macos")]
        app.set_activation_policy(tauri::ActivationPolicy::Accessory)?;
        tray::raise(&app);
        tauri::async_runtime::spawn(watch_over(app.clone(), end, background));
        tauri::async_runtime::spawn(mirror::keep(app.clone()));
        #[cfg(unix)]
        tauri::async_runtime::spawn(quit::on_signal(app.clone()));
        let other = app.clone();
        instance.listen(move || {
            let stays = !other.state::<Quitting>().is_leaving();
            if stays {
                window::show(&other, None);
            }
            stays
        });
        if !background {
            window::show(&app, None);
        }
        Ok(())
    };
    let builder = tauri::Builder::default();
    #[cfg(not(target_os = "linux"))]
    let builder = builder.plugin(tauri_plugin_autostart::Builder::new().arg("--background").build());
    let app = builder
        .manage(supervision)
        .manage(home.clone())
        .manage(Window::new(&home))
        .manage(Arc::new(ipc::Connections::default()))
        .manage(Shown::default())
        .manage(Quitting::default())
        .manage(Settings::default())
        .manage(saving::Saves::default())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::init())
        .plugin(remembered_size(&home))
        .invoke_handler(tauri::generate_handler![
            ipc::connect,
            ipc::send,
            ipc::disconnect,
            ipc::pick_folder,
            ipc::open_url,
            ipc::open_path,
            ipc::remember_route,
            ipc::initial_route,
            saving::save_begin,
            saving::save_write,
            saving::save_end,
        ])
        .on_menu_event(|app, event| tray::clicked(app, event.id().as_ref()))
        .setup(setup)
        .build(tauri::generate_context!())
        .map_err(|error| Error::system("the desktop app", error))?;
    let code = app.run_return(on_event);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Size and place of the window, in the home's own folder.
fn remembered_size(home: &Home) -> tauri::plugin::TauriPlugin<tauri::Wry> {
    tauri_plugin_window_state::Builder::default()
        // It takes an absolute path as it is.
        .with_filename(home.state.join("window.json").to_string_lossy())
        .with_state_flags(window::REMEMBERED)
        .build()
}

fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        // The last window is gone; the tray is not.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        RunEvent::WindowEvent { label, event, .. } if label == window::LABEL => match event {
            WindowEvent::CloseRequested { api, .. } => {
                api.prevent_close();
                if tray::is_raised() {
                    window::hide(app);
                } else {
                    // Nothing would lead back to it.
                    quit::ask(app);
                }
            }
            WindowEvent::Destroyed => page_is_gone(app),
            _ => {}
        },
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(app, None),
        _ => {}
    }
}

/// Ends what a page had begun, which nobody else can go on with.
pub(crate) fn page_is_gone(app: &AppHandle) {
    app.state::<Arc<ipc::Connections>>().drop_all();
    app.state::<saving::Saves>().give_up();
}

/// Ends the app when the supervisor has ended, and says so if it never began.
async fn watch_over(app: AppHandle, end: oneshot::Receiver<End>, background: bool) {
    let end = end.await.unwrap_or_else(|_| Err(Error::new(Code::System, "the supervisor broke down")));
    match end {
        _ if app.state::<Quitting>().is_leaving() => {}
        Ok(end) => {
            tracing::info!("the app ends with the supervisor: {:?}", end.reason);
            app.exit(0);
        }
        Err(error) => {
            crate::tell(&error);
            complain(&app, &error, background).await;
            app.exit(i32::from(error.code.exit_code()));
        }
    }
}

/// To somebody who may have no terminal. At login nobody has asked for anything, so a word will do.
async fn complain(app: &AppHandle, error: &Error, background: bool) {
    window::discard(app);
    let help = match error.code {
        Code::AlreadyRunning => {
            Some("Stop it with Ctrl-C in its terminal and start Forge again. Processes go on.")
        }
        _ => error.help.as_deref(),
    };
    let text = [Some(error.message.as_str()), help].into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    if background {
        crate::notification::say("Forge cannot start", &text).await;
        return;
    }
    let (closed, done) = oneshot::channel();
    app.dialog().message(text).title("Forge cannot start").kind(MessageDialogKind::Error).show(move |_| {
        let _ = closed.send(());
    });
    let _ = done.await;
}

/// A panic of the shell ends a task of the shell, and is found in the log.
fn log_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!("a fault of Forge's own: {panic}");
        usual(panic);
    }));
}
