//! The window: made when it is first wanted, hidden when it is closed, ended a while after. A hidden webview keeps
//! hundreds of megabytes, and one that is made anew takes a moment.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use forge_supervisor::home::Home;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Emitter, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};
use tauri_plugin_window_state::{AppHandleExt, StateFlags};

use crate::app::page_is_gone;
use crate::ipc::Connections;
use crate::saving::Saves;

pub(crate) const LABEL: &str = "main";

/// How long a closed window is kept, unless `FORGE_WINDOW_LINGER_MS` says otherwise.
const LINGER: Duration = Duration::from_secs(60);

/// What of the window is remembered.
pub(crate) const REMEMBERED: StateFlags =
    StateFlags::SIZE.union(StateFlags::POSITION).union(StateFlags::MAXIMIZED);

/// What outlives the webview.
#[derive(Debug)]
pub(crate) struct Window {
    /// Of the webview: cookies, local storage.
    data: PathBuf,
    linger: Duration,
    /// Counts what was done to the window, so that a timer knows whether it was overtaken.
    turn: AtomicU64,
    route: Mutex<Option<String>>,
}

impl Window {
    pub(crate) fn new(home: &Home) -> Self {
        let linger = std::env::var("FORGE_WINDOW_LINGER_MS").ok().and_then(|text| text.parse().ok());
        Self {
            data: home.data.join("webview"),
            linger: linger.map_or(LINGER, Duration::from_millis),
            turn: AtomicU64::new(0),
            route: Mutex::new(None),
        }
    }

    /// Where the page is, or should go when it loads.
    pub(crate) fn route(&self) -> Option<String> {
        self.route.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn remember(&self, route: String) {
        *self.route.lock().unwrap_or_else(PoisonError::into_inner) = Some(route);
    }

    fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Shows the window, at a place of the page if one is named. From any thread.
pub(crate) fn show(app: &AppHandle, route: Option<String>) {
    let handle = app.clone();
    let work = move || {
        if let Err(error) = show_now(&handle, route) {
            tracing::error!("the window cannot be shown: {error}");
        }
    };
    if let Err(error) = app.run_on_main_thread(work) {
        tracing::error!("the window cannot be shown: {error}");
    }
}

fn show_now(app: &AppHandle, route: Option<String>) -> tauri::Result<()> {
    let state = app.state::<Window>();
    state.next_turn();
    if let Some(route) = &route {
        // Also for a page that is still loading, and asks for it then.
        state.remember(route.clone());
    }
    app.state::<Arc<Connections>>().set_visible(true);
    let Some(window) = app.get_webview_window(LABEL) else {
        return build(app, &state).map(|_| ());
    };
    window.show()?;
    window.unminimize()?;
    window.set_focus()?;
    route.map_or(Ok(()), |route| window.emit("navigate", route))
}

fn build(app: &AppHandle, state: &Window) -> tauri::Result<WebviewWindow> {
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Forge")
        .inner_size(1200.0, 780.0)
        .min_inner_size(800.0, 500.0)
        .data_directory(state.data.clone())
        .on_navigation(is_own)
        // What leads outside goes to the browser, by `open_url`.
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_page_load(|window, load| {
            if load.event() == PageLoadEvent::Started {
                // Of the page before.
                page_is_gone(window.app_handle());
            }
        })
        .build()?;
    #[cfg(target_os = "linux")]
    crate::drawing::suit(&window);
    Ok(window)
}

/// The page itself, and no other.
fn is_own(url: &Url) -> bool {
    match url.scheme() {
        "tauri" | "about" => true,
        _ => {
            matches!(url.host_str(), Some("tauri.localhost"))
                || (cfg!(dev) && matches!(url.host_str(), Some("localhost")))
        }
    }
}

/// Whether the user has it before them.
pub(crate) fn is_shown(app: &AppHandle) -> bool {
    let seen = |window: &WebviewWindow| {
        window.is_visible().unwrap_or(false) && !window.is_minimized().unwrap_or(false)
    };
    app.get_webview_window(LABEL).is_some_and(|window| seen(&window))
}

/// Hides the window, and ends it unless it is shown again soon.
pub(crate) fn hide(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    if let Err(error) = window.hide() {
        tracing::warn!("the window cannot be hidden: {error}");
    }
    app.state::<Arc<Connections>>().set_visible(false);
    // Now, and not only when the app ends: it may be killed.
    if let Err(error) = app.save_window_state(REMEMBERED) {
        tracing::warn!("the window's size cannot be written down: {error}");
    }
    let state = app.state::<Window>();
    let (turn, linger) = (state.next_turn(), state.linger);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(linger).await;
        // What a page is saving, nobody else can go on with.
        while app.state::<Saves>().is_busy() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let handle = app.clone();
        // There, no show can come in between.
        let _ = app.run_on_main_thread(move || {
            if handle.state::<Window>().turn.load(Ordering::Relaxed) == turn {
                discard(&handle);
            }
        });
    });
}

/// Ends the window.
pub(crate) fn discard(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL)
        && let Err(error) = window.destroy()
    {
        tracing::warn!("the window cannot be ended: {error}");
    }
}
