//! What an app costs before it does anything: an icon in the tray and, unless it is started with `--background`, a
//! window with one button; a click on the icon opens that again. The benchmark runs it beside Forge; it has the same
//! libraries and is built the same way.

use anyhow::Result;
use tauri::{App, AppHandle, RunEvent, WebviewUrl, WebviewWindowBuilder};
use tray_icon::menu::{Menu, MenuItem};
use tray_icon::{Icon, TrayIcon, TrayIconBuilder, TrayIconEvent};

fn main() -> Result<()> {
    let background = std::env::args().any(|argument| argument == "--background");
    let setup = move |app: &mut App| {
        // For as long as the program runs.
        std::mem::forget(tray()?);
        let handle = app.handle().clone();
        TrayIconEvent::set_event_handler(Some(move |event| {
            if let TrayIconEvent::Click { .. } = event {
                let app = handle.clone();
                let _ = handle.run_on_main_thread(move || drop(open(&app)));
            }
        }));
        if !background {
            open(app.handle())?;
        }
        Ok(())
    };
    let context = tauri::generate_context!("src-tauri/bare/tauri.conf.json");
    tauri::Builder::default().setup(setup).build(context)?.run(|_, event| {
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            // The last window is gone; the tray is not.
            api.prevent_exit();
        }
    });
    Ok(())
}

fn open(app: &AppHandle) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::default());
    window.title("Bare").inner_size(1200.0, 780.0).build().map(drop)
}

fn tray() -> Result<TrayIcon> {
    let image = tauri::include_image!("icons/tray/ready.png");
    let (width, height) = (image.width(), image.height());
    let menu = Menu::new();
    menu.append(&MenuItem::new("Quit", true, None))?;
    let icon = Icon::from_rgba(image.rgba().to_vec(), width, height)?;
    Ok(TrayIconBuilder::new().with_id("bare").with_icon(icon).with_menu(Box::new(menu)).build()?)
}
