//! What is on the screen, as the X server knows it.

use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ClientMessageEvent, ConfigureWindowAux,
    ConnectionExt, EventMask, ImageFormat, MOTION_NOTIFY_EVENT, MapState, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::{wait_for, wait_until};

/// What a page of the slowest frames would change within.
const STILL: Duration = Duration::from_millis(400);

/// The windows of one display, which has no window manager.
#[derive(Debug)]
pub struct Windows {
    connection: RustConnection,
    root: Window,
}

impl Windows {
    pub(super) fn of(display: &str) -> Self {
        let (connection, screen) = RustConnection::connect(Some(display)).expect("an X server");
        let root = connection.setup().roots[screen].root;
        Self { connection, root }
    }

    pub(super) fn connection(&self) -> &RustConnection {
        &self.connection
    }

    /// Titles of what can be seen.
    #[must_use]
    pub fn titles(&self) -> Vec<String> {
        self.visible().into_iter().map(|(_, title)| title).collect()
    }

    /// Waits until a window of that title can be seen.
    #[track_caller]
    pub fn wait_shown(&self, title: &str) {
        let _window = self.find(title);
    }

    /// Waits until no window of that title can be seen.
    #[track_caller]
    pub fn wait_hidden(&self, title: &str) {
        wait_until(&format!("no window {title:?}"), || !self.titles().iter().any(|shown| shown == title));
    }

    /// Asks a window to close, as a click on its cross does.
    ///
    /// # Panics
    /// The X server is gone.
    #[track_caller]
    pub fn close(&self, title: &str) {
        let window = self.find(title);
        let data = [self.atom("WM_DELETE_WINDOW"), 0, 0, 0, 0];
        let message = ClientMessageEvent::new(32, window, self.atom("WM_PROTOCOLS"), data);
        self.connection.send_event(false, window, EventMask::NO_EVENT, message).expect("an X server");
        self.connection.flush().expect("an X server");
    }

    /// Width and height of a window, once it can be seen.
    ///
    /// # Panics
    /// The X server is gone.
    #[must_use]
    #[track_caller]
    pub fn size(&self, title: &str) -> (u16, u16) {
        let window = self.find(title);
        let size = self.connection.get_geometry(window).expect("an X server").reply().expect("a size");
        (size.width, size.height)
    }

    /// Where a window's upper left corner is on the screen, once it can be seen.
    ///
    /// # Panics
    /// The X server is gone.
    #[must_use]
    #[track_caller]
    pub fn position(&self, title: &str) -> (i16, i16) {
        let window = self.find(title);
        let place = self.connection.get_geometry(window).expect("an X server").reply().expect("a place");
        (place.x, place.y)
    }

    /// Puts a window somewhere else, as pulling at its title does.
    ///
    /// # Panics
    /// The X server is gone.
    #[track_caller]
    pub fn put(&self, title: &str, x: i16, y: i16) {
        let window = self.find(title);
        let place = ConfigureWindowAux::new().x(i32::from(x)).y(i32::from(y));
        self.connection.configure_window(window, &place).expect("an X server");
        self.connection.flush().expect("an X server");
        wait_until("it is there", || self.position(title) == (x, y));
    }

    /// Gives a window another size, as pulling at its corner does.
    ///
    /// # Panics
    /// The X server is gone.
    #[track_caller]
    pub fn resize(&self, title: &str, width: u16, height: u16) {
        let window = self.find(title);
        let size = ConfigureWindowAux::new().width(u32::from(width)).height(u32::from(height));
        self.connection.configure_window(window, &size).expect("an X server");
        self.connection.flush().expect("an X server");
        wait_until("it has that size", || self.size(title) == (width, height));
    }

    /// Clicks one of the buttons at the foot of a question, counted from the left; they share its width.
    ///
    /// # Panics
    /// The X server is gone.
    #[track_caller]
    pub fn answer(&self, title: &str, button: i16, of: i16) {
        const HALF_A_BUTTON: i16 = 16;
        let (width, height) = self.size(title);
        let [width, height] = [width, height].map(|side| i16::try_from(side).expect("on the screen"));
        self.click(title, width * (2 * button - 1) / (2 * of), height - HALF_A_BUTTON);
    }

    /// A click of the mouse at a place in a window, in pixels from its upper left corner.
    ///
    /// # Panics
    /// The X server is gone.
    #[track_caller]
    pub fn click(&self, title: &str, x: i16, y: i16) {
        let (left, top) = self.position(title);
        let (x, y) = (left + x, top + y);
        for (kind, detail) in [(MOTION_NOTIFY_EVENT, 0), (BUTTON_PRESS_EVENT, 1), (BUTTON_RELEASE_EVENT, 1)] {
            let fake = self.connection.xtest_fake_input(kind, detail, 0, self.root, x, y, 0);
            fake.expect("an X server").check().expect("a mouse");
        }
    }

    /// What is to be seen in the upper left corner of a window: a number a pixel, row by row. Nothing if it can't be
    /// seen.
    #[must_use]
    pub fn corner(&self, title: &str, width: u16, height: u16) -> Vec<u32> {
        self.pixels(title, (0, 0), (width, height))
    }

    /// The same of the part of it that begins at a place.
    #[must_use]
    pub fn pixels(&self, title: &str, at: (i16, i16), size: (u16, u16)) -> Vec<u32> {
        self.try_pixels(title, at, size).unwrap_or_default()
    }

    /// The same once it has not changed for a while.
    ///
    /// # Panics
    /// It goes on changing.
    #[must_use]
    #[track_caller]
    pub fn settled_pixels(&self, title: &str, at: (i16, i16), size: (u16, u16)) -> Vec<u32> {
        let (mut seen, mut since) = (self.pixels(title, at, size), Instant::now());
        wait_until("it stays as it is", || {
            let now = self.pixels(title, at, size);
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
            since.elapsed() > STILL
        });
        seen
    }

    /// It may go at any time.
    fn try_pixels(&self, title: &str, (x, y): (i16, i16), (width, height): (u16, u16)) -> Option<Vec<u32>> {
        let window = self.look_for(title)?;
        let image = self.connection.get_image(ImageFormat::Z_PIXMAP, window, x, y, width, height, u32::MAX);
        let data = image.ok()?.reply().ok()?.data;
        let (pixels, _) = data.as_chunks::<4>();
        Some(pixels.iter().map(|pixel| u32::from_ne_bytes(*pixel)).collect())
    }

    #[track_caller]
    pub(super) fn find(&self, title: &str) -> Window {
        wait_for(&format!("a window {title:?}"), || self.look_for(title))
    }

    pub(super) fn look_for(&self, title: &str) -> Option<Window> {
        self.visible().into_iter().find(|(_, shown)| shown == title).map(|(window, _)| window)
    }

    fn visible(&self) -> Vec<(Window, String)> {
        let tree = self.connection.query_tree(self.root).expect("an X server").reply().expect("a tree");
        tree.children
            .into_iter()
            .filter_map(|window| Some((window, self.title_if_visible(window)?)))
            .collect()
    }

    /// It may go at any time.
    fn title_if_visible(&self, window: Window) -> Option<String> {
        let attributes = self.connection.get_window_attributes(window).ok()?.reply().ok()?;
        if attributes.map_state != MapState::VIEWABLE {
            return None;
        }
        let name = self.atom("_NET_WM_NAME");
        let title = self.connection.get_property(false, window, name, AtomEnum::ANY, 0, 1 << 10).ok()?;
        let title = title.reply().ok()?.value;
        (!title.is_empty()).then(|| String::from_utf8_lossy(&title).into_owned())
    }

    fn atom(&self, name: &str) -> Atom {
        self.connection
            .intern_atom(false, name.as_bytes())
            .expect("an X server")
            .reply()
            .expect("an atom")
            .atom
    }
}
