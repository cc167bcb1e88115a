//! The tray icon and its menu: done as `forge-tray` says, on the main thread, where alone the toolkit's items live.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use forge_api::Mood;
use forge_tray::{Change, Item, Kind, Picture, act, changes, menu};
use tauri::image::Image;
use tauri::{AppHandle, Manager};
use tray_icon::menu::{CheckMenuItem, IsMenuItem, Menu, MenuItem, MenuItemKind, PredefinedMenuItem, Submenu};
use tray_icon::{Icon, MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};

use crate::{errands, window};

const IS_MAC: bool = cfg!(target_os = "macos");

/// What is, or is to be, painted.
#[derive(Default)]
pub(crate) struct Shown(Mutex<Picture>);

impl Shown {
    pub(crate) fn picture(&self) -> Picture {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, picture: Picture) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = picture;
    }
}

thread_local! {
    /// The main thread's; nothing where there is no tray.
    static TRAY: RefCell<Option<Tray>> = const { RefCell::new(None) };
}

struct Tray {
    icon: TrayIcon,
    menu: Menu,
    handles: HashMap<String, MenuItemKind>,
    items: Vec<Item>,
    mood: Mood,
    summary: String,
}

/// Puts the icon into the tray; where there is none yet, as soon as there is one. On the main thread.
pub(crate) fn raise(app: &AppHandle) {
    let clicked = app.clone();
    TrayIconEvent::set_event_handler(Some(move |event| {
        if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } =
            event
            && !IS_MAC
        {
            window::show(&clicked, None);
        }
    }));
    if let Err(error) = try_raise(app) {
        tracing::warn!("there is no tray: {error}");
        #[cfg(target_os = "linux")]
        tauri::async_runtime::spawn(host::wait(app.clone()));
    }
}

/// Whether there is an icon to be clicked. On the main thread.
pub(crate) fn is_raised() -> bool {
    TRAY.with_borrow(Option::is_some)
}

fn try_raise(app: &AppHandle) -> anyhow::Result<()> {
    let tray = Tray::build(&app.state::<Shown>().picture())?;
    TRAY.set(Some(tray));
    Ok(())
}

/// Shows how things stand. From any thread.
pub(crate) fn paint(app: &AppHandle, picture: Picture) {
    app.state::<Shown>().set(picture.clone());
    let work = move || {
        TRAY.with_borrow_mut(|tray| {
            if let Some(tray) = tray
                && let Err(error) = tray.paint(&picture)
            {
                tracing::error!("the tray cannot be changed: {error}");
            }
        });
    };
    if let Err(error) = app.run_on_main_thread(work) {
        tracing::error!("the tray cannot be changed: {error}");
    }
}

/// An item of the menu was clicked. On the main thread.
pub(crate) fn clicked(app: &AppHandle, id: &str) {
    let act = TRAY.with_borrow(|tray| act(&tray.as_ref()?.items, id).cloned());
    if let Some(act) = act {
        errands::run(app, act);
    }
}

impl Tray {
    fn build(picture: &Picture) -> anyhow::Result<Self> {
        let (mood, summary) = (picture.mood(), picture.summary());
        let mut tray = Self {
            icon: TrayIconBuilder::new()
                .with_id("forge")
                .with_icon(icon(mood)?)
                .with_icon_as_template(IS_MAC)
                // A Mac's menu bar would show a title, and opens menus; elsewhere a click opens the app.
                .with_title(if IS_MAC { "" } else { "Forge" })
                .with_tooltip(&summary)
                .with_menu_on_left_click(IS_MAC)
                .build()?,
            menu: Menu::new(),
            handles: HashMap::new(),
            items: Vec::new(),
            mood,
            summary,
        };
        tray.paint(picture)?;
        tray.icon.set_menu(Some(Box::new(tray.menu.clone())));
        Ok(tray)
    }

    fn paint(&mut self, picture: &Picture) -> anyhow::Result<()> {
        let items = menu(picture);
        for change in changes(&self.items, &items) {
            self.apply(change)?;
        }
        let mut ids = HashSet::new();
        collect(&items, &mut ids);
        self.handles.retain(|id, _| ids.contains(id.as_str()));
        // The toolkit ticks it by itself when it is clicked, whatever comes of it.
        if let Some(MenuItemKind::Check(login)) = self.handles.get("login") {
            login.set_checked(picture.launch_at_login);
        }
        self.items = items;
        let (mood, summary) = (picture.mood(), picture.summary());
        if self.mood != mood {
            #[cfg(target_os = "macos")]
            self.icon.set_icon_with_as_template(Some(icon(mood)?), true)?;
            #[cfg(not(target_os = "macos"))]
            self.icon.set_icon(Some(icon(mood)?))?;
            self.mood = mood;
        }
        if self.summary != summary {
            self.icon.set_tooltip(Some(&summary))?;
            self.summary = summary;
        }
        Ok(())
    }

    fn apply(&mut self, change: Change) -> anyhow::Result<()> {
        match change {
            Change::Label { id, label } => match self.handles.get(&id) {
                Some(MenuItemKind::MenuItem(item)) => item.set_text(text(&label)),
                Some(MenuItemKind::Check(item)) => item.set_text(text(&label)),
                Some(MenuItemKind::Submenu(item)) => item.set_text(text(&label)),
                _ => {}
            },
            Change::Enabled { id, enabled } => {
                if let Some(MenuItemKind::MenuItem(item)) = self.handles.get(&id) {
                    item.set_enabled(enabled);
                }
            }
            Change::Checked { id, checked } => {
                if let Some(MenuItemKind::Check(item)) = self.handles.get(&id) {
                    item.set_checked(checked);
                }
            }
            Change::Remove { parent, position } => {
                match self.submenu(parent.as_deref()) {
                    Some(submenu) => submenu.remove_at(position),
                    None => self.menu.remove_at(position),
                };
            }
            Change::Insert { parent, position, item } => {
                let item = made(&item, &mut self.handles)?;
                match self.submenu(parent.as_deref()) {
                    Some(submenu) => submenu.insert(as_item(&item), position)?,
                    None => self.menu.insert(as_item(&item), position)?,
                }
            }
        }
        Ok(())
    }

    fn submenu(&self, id: Option<&str>) -> Option<&Submenu> {
        self.handles.get(id?)?.as_submenu()
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
fn made(item: &Item, handles: &mut HashMap<String, MenuItemKind>) -> anyhow::Result<MenuItemKind> {
    let Item { id, label, kind } = item;
    let label = text(label);
    let made = match kind {
        Kind::Separator => MenuItemKind::Predefined(PredefinedMenuItem::separator()),
        Kind::Heading => MenuItemKind::MenuItem(MenuItem::with_id(id, label, false, None)),
        Kind::Button { enabled, .. } => MenuItemKind::MenuItem(MenuItem::with_id(id, label, *enabled, None)),
        Kind::Check { checked, .. } => {
            MenuItemKind::Check(CheckMenuItem::with_id(id, label, true, *checked, None))
        }
        Kind::Submenu(items) => {
            let submenu = Submenu::with_id(id, label, true);
            for item in items {
                submenu.append(as_item(&made(item, handles)?))?;
            }
            MenuItemKind::Submenu(submenu)
        }
    };
    handles.insert(id.clone(), made.clone());
    Ok(made)
}

fn as_item(kind: &MenuItemKind) -> &dyn IsMenuItem {
    match kind {
        MenuItemKind::MenuItem(item) => item,
        MenuItemKind::Submenu(item) => item,
        MenuItemKind::Predefined(item) => item,
        MenuItemKind::Check(item) => item,
        MenuItemKind::Icon(item) => item,
    }
}

/// `&` marks the letter of a shortcut in a menu.
fn text(label: &str) -> String {
    label.replace('&', "&&")
}

fn icon(mood: Mood) -> anyhow::Result<Icon> {
    let image = image(mood);
    let (width, height) = (image.width(), image.height());
    Ok(Icon::from_rgba(image.rgba().to_vec(), width, height)?)
}

#[cfg(not(target_os = "macos"))]
fn image(mood: Mood) -> Image<'static> {
    match mood {
        Mood::Stopped => tauri::include_image!("icons/tray/stopped.png"),
        Mood::Ready => tauri::include_image!("icons/tray/ready.png"),
        Mood::Busy => tauri::include_image!("icons/tray/busy.png"),
        Mood::Trouble => tauri::include_image!("icons/tray/trouble.png"),
    }
}

#[cfg(target_os = "macos")]
use template as image;

/// Black and clear: the menu bar gives it its colour.
#[cfg(any(target_os = "macos", test))]
fn template(mood: Mood) -> Image<'static> {
    match mood {
        Mood::Stopped => tauri::include_image!("icons/tray/stopped-template.png"),
        Mood::Ready => tauri::include_image!("icons/tray/ready-template.png"),
        Mood::Busy => tauri::include_image!("icons/tray/busy-template.png"),
        Mood::Trouble => tauri::include_image!("icons/tray/trouble-template.png"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moods_are_told_apart_without_colour() {
        told_apart(image);
    }

    #[test]
    fn templates_are_told_apart_and_have_no_colour() {
        told_apart(template);
        for mood in MOODS {
            let drawn = template(mood);
            let mut pixels = drawn.rgba().chunks_exact(4).filter(|pixel| pixel[3] > 0);
            assert!(pixels.all(|pixel| pixel[..3] == [0, 0, 0]), "{mood:?} is black, the system colours it");
        }
    }

    const MOODS: [Mood; 4] = [Mood::Stopped, Mood::Ready, Mood::Busy, Mood::Trouble];

    fn told_apart(image: impl Fn(Mood) -> Image<'static>) {
        // Where something is drawn, whatever its colour.
        let shapes = MOODS.map(|mood| {
            image(mood).rgba().chunks_exact(4).map(|pixel| pixel[3] > 127).collect::<Vec<bool>>()
        });
        for (number, one) in shapes.iter().enumerate() {
            for (other_number, other) in shapes.iter().enumerate().skip(number + 1) {
                let differ = one.iter().zip(other).filter(|(one, other)| one != other).count();
                assert!(
                    differ * 20 > one.len(),
                    "{:?} and {:?} differ in {differ} of {} points",
                    MOODS[number],
                    MOODS[other_number],
                    one.len()
                );
            }
        }
    }
}
