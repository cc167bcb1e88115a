//! The page in the app's window, driven over WebDriver: <https://www.w3.org/TR/webdriver2/>.

use std::io::{self, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Desktop;
use crate::web::Reply;
use crate::{DEADLINE, Invocation, Process, Running, Signal, binaries, wait_for, wait_until};

/// The key of an element's reference, a constant of the standard.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The app with its window, which the driver has started. Dropping it ends both.
#[derive(Debug)]
pub struct Window {
    address: String,
    session: String,
    app: Process,
    _driver: Running,
}

impl Window {
    /// Starts the app with its window.
    ///
    /// # Panics
    /// `WebKitWebDriver` is missing, or the app shows no window.
    #[must_use]
    #[track_caller]
    pub fn open(desktop: &Desktop) -> Self {
        let port = desktop.free_port();
        // The app inherits the driver's environment.
        let driver: Invocation = desktop
            .program(Path::new("WebKitWebDriver"), [format!("--port={port}")])
            // Of the toolkit: without it the webview is nobody's to drive.
            .env("TAURI_WEBVIEW_AUTOMATION", "true");
        let driver = driver.spawn();
        let address = format!("127.0.0.1:{port}");
        wait_until("the driver listens", || TcpStream::connect(&address).is_ok());
        let options = json!({"binary": binaries::desktop(), "args": []});
        let wanted = json!({"browserName": "wry", "webkitgtk:browserOptions": options});
        let answer = request(&address, "POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}));
        let answer = answer.unwrap_or_else(|error| panic!("no session: {error}"));
        let session =
            answer["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {answer}")).to_owned();
        let app = desktop.wait_supervisor();
        Self { address, session, app, _driver: driver }
    }

    /// The app.
    #[must_use]
    pub fn app(&self) -> &Process {
        &self.app
    }

    /// Runs a script's body in the page, and returns what it returns.
    ///
    /// # Panics
    /// It throws.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.call("POST", "execute/sync", &json!({"script": script, "args": []}))
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Goes over to the page of a window that was ended and made anew.
    #[track_caller]
    pub fn follow(&self) {
        self.wait("another page", || {
            let handles = self.call("GET", "window/handles", &Value::Null).ok()?;
            self.call("POST", "window", &json!({"handle": handles.as_array()?.first()?})).ok()
        });
    }

    /// The place in the page: the address from `#` on.
    #[must_use]
    #[track_caller]
    pub fn route(&self) -> String {
        self.run("return location.hash").as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page is at a place that is `wanted`.
    #[track_caller]
    pub fn wait_route(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.wait("the place in the page", || Some(self.route()).filter(|route| wanted(route)))
    }

    /// Clicks the first element, once it is there and can be clicked.
    #[track_caller]
    pub fn click(&self, css: &str) {
        self.wait(&format!("a click on {css}"), || {
            // Between our looking and clicking the page may have drawn itself anew.
            let element = self.element(css).ok()?;
            let enabled = self.call("GET", &format!("element/{element}/enabled"), &Value::Null).ok()?;
            (enabled == true).then_some(())?;
            self.call("POST", &format!("element/{element}/click"), &json!({})).ok()
        });
    }

    /// Whether the first element is there and can be clicked.
    #[must_use]
    pub fn is_enabled(&self, css: &str) -> bool {
        let enabled = self
            .element(css)
            .and_then(|element| self.call("GET", &format!("element/{element}/enabled"), &Value::Null));
        enabled.is_ok_and(|enabled| enabled == true)
    }

    /// Types into the first element.
    #[track_caller]
    pub fn type_into(&self, css: &str, text: &str) {
        self.wait(&format!("typing into {css}"), || {
            let element = self.element(css).ok()?;
            self.call("POST", &format!("element/{element}/value"), &json!({"text": text})).ok()
        });
    }

    /// What can be read in the first element; `None` if there is none.
    #[must_use]
    pub fn text(&self, css: &str) -> Option<String> {
        // The driver's own idea of what is visible takes parts of a flexible box for hidden ones.
        let text = self.run(&format!("return document.querySelector({})?.innerText ?? null", json!(css)));
        text.as_str().map(str::to_owned)
    }

    /// Waits until what can be read in the first element is `wanted`.
    ///
    /// # Panics
    /// It never is; says what the page was at last.
    #[track_caller]
    pub fn wait_text(&self, css: &str, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.wait(&format!("{css}: {what}"), || self.text(css).filter(|text| wanted(text)))
    }

    /// Waits for something of the page.
    ///
    /// # Panics
    /// It never comes; says what the page was at last.
    #[track_caller]
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let until = Instant::now() + DEADLINE / 2;
        loop {
            if let Some(found) = look() {
                return found;
            }
            if Instant::now() > until {
                let page = self.run("return location.href + '\\n' + document.body.innerText");
                panic!("waited in vain: {what}; the page is {}", page.as_str().unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn element(&self, css: &str) -> io::Result<String> {
        let found = self.call("POST", "element", &json!({"using": "css selector", "value": css}))?;
        found[ELEMENT].as_str().map(str::to_owned).ok_or_else(|| io::Error::other(found.to_string()))
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> io::Result<Value> {
        request(&self.address, method, &format!("/session/{}/{path}", self.session), body)
    }
}

/// The selector of an element by its `data-testid`.
#[must_use]
pub fn test_id(id: &str) -> String {
    format!("[data-testid=\"{id}\"]")
}

impl Drop for Window {
    fn drop(&mut self) {
        // The driver would kill it.
        self.app.signal(Signal::TERM);
        if !std::thread::panicking() {
            wait_for("the app heeds SIGTERM", || (!self.app.is_alive()).then_some(()));
        }
        let _gone = self.call("DELETE", "", &Value::Null);
    }
}

/// What the driver answers with.
fn request(address: &str, method: &str, path: &str, body: &Value) -> io::Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let length = body.len();
    stream.write_all(
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .as_bytes(),
    )?;
    let reply = Reply::read(stream, true)?;
    let mut answer: Value = serde_json::from_str(&reply.body)?;
    if reply.status == 200 { Ok(answer["value"].take()) } else { Err(io::Error::other(reply.body)) }
}
