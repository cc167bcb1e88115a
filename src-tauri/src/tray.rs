//! The tray icon and its menu: done as `menu` and `changes` say, on the main thread.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use forge_api::Mood;
use tauri::image::Image;
use tauri::menu::{CheckMenuItem, Menu, MenuItem, MenuItemKind, PredefinedMenuItem, Submenu};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Wry};

use crate::changes::{Change, changes};
use crate::menu::{self, Item, Kind};
use crate::picture::Picture;
use crate::{errands, window};

/// What is shown; nothing where there is no tray.
#[derive(Default)]
pub(crate) struct Shown(Mutex<Slot>);

#[derive(Default)]
struct Slot {
    tray: Option<Tray>,
    /// What it should look like when it gets to be there.
    picture: Picture,
}

impl Shown {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it was painted last.
    pub(crate) fn picture(&self) -> Picture {
        self.slot().picture.clone()
    }
}

struct Tray {
    icon: TrayIcon,
    menu: Menu<Wry>,
    handles: HashMap<String, MenuItemKind<Wry>>,
    items: Vec<Item>,
    mood: Mood,
    summary: String,
}

/// Puts the icon into the tray; where there is none yet, as soon as there is one. On the main thread.
pub(crate) fn raise(app: &AppHandle) {
    if let Err(error) = try_raise(app) {
        tracing::warn!("there is no tray: {error}");
        #[cfg(target_os = "linux")]
        tauri::async_runtime::spawn(host::wait(app.clone()));
    }
}

fn try_raise(app: &AppHandle) -> tauri::Result<()> {
    let shown = app.state::<Shown>();
    let mut slot = shown.slot();
    if slot.tray.is_none() {
        slot.tray = Some(Tray::build(app, &slot.picture)?);
    }
    Ok(())
}

/// Shows how things stand. From any thread.
pub(crate) fn paint(app: &AppHandle, picture: Picture) {
    let handle = app.clone();
    let work = move || {
        let shown = handle.state::<Shown>();
        let mut slot = shown.slot();
        if let Some(tray) = &mut slot.tray
            && let Err(error) = tray.paint(&handle, &picture)
        {
            tracing::error!("the tray cannot be changed: {error}");
        }
        slot.picture = picture;
    };
    if let Err(error) = app.run_on_main_thread(work) {
        tracing::error!("the tray cannot be changed: {error}");
    }
}

impl Tray {
    fn build(app: &AppHandle, picture: &Picture) -> tauri::Result<Self> {
        let (mood, summary) = (picture.mood(), picture.summary());
        let items = menu::menu(picture);
        let menu = Menu::new(app)?;
        let mut handles = HashMap::new();
        for item in &items {
            menu.append(&made(app, item, &mut handles)?)?;
        }
        let icon = TrayIconBuilder::with_id("forge")
            .icon(image(mood))
            .icon_as_template(cfg!(target_os = "macos"))
            .title(if cfg!(target_os = "linux") { "Forge" } else { "" })
            .tooltip(&summary)
            .menu(&menu)
            // A Mac's menu bar opens menus; elsewhere a click opens the app.
            .show_menu_on_left_click(cfg!(target_os = "macos"))
            .on_menu_event(|app, event| clicked(app, event.id().as_ref()))
            .on_tray_icon_event(|tray, event| {
                let left = MouseButton::Left;
                if let TrayIconEvent::Click { button, button_state: MouseButtonState::Up, .. } = event
                    && button == left
                    && cfg!(not(target_os = "macos"))
                {
                    window::show(tray.app_handle(), None);
                }
            })
            .build(app)?;
        Ok(Self { icon, menu, handles, items, mood, summary })
    }

    fn paint(&mut self, app: &AppHandle, picture: &Picture) -> tauri::Result<()> {
        let items = menu::menu(picture);
        for change in changes(&self.items, &items) {
            self.apply(app, change)?;
        }
        let mut ids = HashSet::new();
        collect(&items, &mut ids);
        self.handles.retain(|id, _| ids.contains(id.as_str()));
        // The toolkit ticks it by itself when it is clicked, whatever comes of it.
        if let Some(MenuItemKind::Check(login)) = self.handles.get("login") {
            login.set_checked(picture.launch_at_login)?;
        }
        self.items = items;
        let (mood, summary) = (picture.mood(), picture.summary());
        if self.mood != mood {
            self.icon.set_icon_with_as_template(Some(image(mood)), cfg!(target_os = "macos"))?;
            self.mood = mood;
        }
        if self.summary != summary {
            self.icon.set_tooltip(Some(&summary))?;
            self.summary = summary;
        }
        Ok(())
    }

    fn apply(&mut self, app: &AppHandle, change: Change) -> tauri::Result<()> {
        match change {
            Change::Label { id, label } => match self.handles.get(&id) {
                Some(MenuItemKind::MenuItem(item)) => item.set_text(text(&label)),
                Some(MenuItemKind::Check(item)) => item.set_text(text(&label)),
                Some(MenuItemKind::Submenu(item)) => item.set_text(text(&label)),
                _ => Ok(()),
            },
            Change::Enabled { id, enabled } => match self.handles.get(&id) {
                Some(MenuItemKind::MenuItem(item)) => item.set_enabled(enabled),
                _ => Ok(()),
            },
            Change::Checked { id, checked } => match self.handles.get(&id) {
                Some(MenuItemKind::Check(item)) => item.set_checked(checked),
                _ => Ok(()),
            },
            Change::Remove { parent, position } => {
                match self.submenu(parent.as_deref()) {
                    Some(submenu) => submenu.remove_at(position)?,
                    None => self.menu.remove_at(position)?,
                };
                Ok(())
            }
            Change::Insert { parent, position, item } => {
                let item = made(app, &item, &mut self.handles)?;
                match self.submenu(parent.as_deref()) {
                    Some(submenu) => submenu.insert(&item, position),
                    None => self.menu.insert(&item, position),
                }
            }
        }
    }

    fn submenu(&self, id: Option<&str>) -> Option<&Submenu<Wry>> {
        match self.handles.get(id?) {
            Some(MenuItemKind::Submenu(submenu)) => Some(submenu),
            _ => None,
        }
    }
}

fn clicked(app: &AppHandle, id: &str) {
    let act = match &app.state::<Shown>().slot().tray {
        Some(tray) => menu::act(&tray.items, id).cloned(),
        None => None,
    };
    if let Some(act) = act {
        errands::run(app, act);
    }
}

fn collect<'a>(items: &'a [Item], ids: &mut HashSet<&'a str>) {
    for item in items {
        ids.insert(&item.id);
        if let Kind::Submenu(items) = &item.kind {
            collect(items, ids);
        }
    }
}

/// The toolkit's item, and those below it.
fn made(
    app: &AppHandle,
    item: &Item,
    handles: &mut HashMap<String, MenuItemKind<Wry>>,
) -> tauri::Result<MenuItemKind<Wry>> {
    let Item { id, label, kind } = item;
    let label = text(label);
    let made = match kind {
        Kind::Separator => MenuItemKind::Predefined(PredefinedMenuItem::separator(app)?),
        Kind::Heading => MenuItemKind::MenuItem(MenuItem::with_id(app, id, label, false, None::<&str>)?),
        Kind::Button { enabled, .. } => {
            MenuItemKind::MenuItem(MenuItem::with_id(app, id, label, *enabled, None::<&str>)?)
        }
        Kind::Check { checked, .. } => {
            MenuItemKind::Check(CheckMenuItem::with_id(app, id, label, true, *checked, None::<&str>)?)
        }
        Kind::Submenu(items) => {
            let submenu = Submenu::with_id(app, id, label, true)?;
            for item in items {
                submenu.append(&made(app, item, handles)?)?;
            }
            MenuItemKind::Submenu(submenu)
        }
    };
    handles.insert(id.clone(), made.clone());
    Ok(made)
}

/// `&` marks the letter of a shortcut in a menu.
fn text(label: &str) -> String {
    label.replace('&', "&&")
}

fn image(mood: Mood) -> Image<'static> {
    #[cfg(not(target_os = "macos"))]
    let image = match mood {
        Mood::Stopped => tauri::include_image!("icons/tray/stopped.png"),
        Mood::Ready => tauri::include_image!("icons/tray/ready.png"),
        Mood::Busy => tauri::include_image!("icons/tray/busy.png"),
        Mood::Trouble => tauri::include_image!("icons/tray/trouble.png"),
    };
    // Black and clear: the menu bar gives it its colour.
    #[cfg(target_os = "macos")]
    let image = match mood {
        Mood::Stopped => tauri::include_image!("icons/tray/stopped-template.png"),
        Mood::Ready => tauri::include_image!("icons/tray/ready-template.png"),
        Mood::Busy => tauri::include_image!("icons/tray/busy-template.png"),
        Mood::Trouble => tauri::include_image!("icons/tray/trouble-template.png"),
    };
    image
}

/// The desktop's side of the tray, which may start after us at login, or never.
#[cfg(target_os = "linux")]
mod host {
    use futures_lite::StreamExt;
    use tauri::AppHandle;
    use zbus::fdo::DBusProxy;

    use super::try_raise;

    /// Who keeps the icons: <https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/>.
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";

    /// Puts the icon there when there is somebody to show it.
    pub(super) async fn wait(app: AppHandle) {
        if let Err(error) = follow(&app).await {
            tracing::warn!("there will be no tray: {error}");
        }
    }

    async fn follow(app: &AppHandle) -> zbus::Result<()> {
        let bus = zbus::Connection::session().await?;
        let proxy = DBusProxy::new(&bus).await?;
        let mut owners = proxy.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
        // It may have come before we listened.
        let mut present = proxy.name_has_owner(WATCHER.try_into()?).await?;
        loop {
            if present && raised(app).await {
                return Ok(());
            }
            let Some(change) = owners.next().await else { return Ok(()) };
            present = change.args()?.new_owner.is_some();
        }
    }

    async fn raised(app: &AppHandle) -> bool {
        let (done, result) = tokio::sync::oneshot::channel();
        let handle = app.clone();
        let work = move || {
            let _ = done.send(try_raise(&handle).is_ok());
        };
        app.run_on_main_thread(work).is_ok() && result.await.unwrap_or(false)
    }
}
