//! What of the page leads to the world outside, and what may not.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;

use forge_tests::desktop::{Desktop, Window, test_id};

use super::window::go;

/// What the desktop opens things with, which writes down what it is given.
fn with_opener(desktop: &Desktop) {
    let path = desktop.bin().join("xdg-open");
    let opened = desktop.path("opened");
    fs::write(&path, format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >> '{}'\n", opened.display()))
        .expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("our own file");
}

#[test]
fn a_port_opens_in_the_browser_and_the_file_in_its_program() {
    let desktop = Desktop::new();
    with_opener(&desktop);
    let port = desktop.free_port();
    desktop.trust(&format!("dev:\n  - {{name: web, command: nasty listen {port} forever, port: {port}}}\n"));
    let window = Window::open(&desktop);
    desktop.start();
    go(&window, &desktop, "");
    window.click(&format!("{} .ports a", test_id("process-web")));
    let url = format!("http://localhost:{port}/\n");
    desktop.wait_file("opened", &url);
    assert!(window.route().starts_with("#/e/"), "the window stays where it was: {}", window.route());

    let workspace = desktop.workspace();
    window.run(&format!("location.hash = '#/w/' + encodeURIComponent('{}')", workspace.display()));
    window.click("main .file > button:last-child");
    let file = workspace.join(".forge/processes.yml");
    desktop.wait_file("opened", &format!("{url}{}\n", file.display()));
}

#[test]
fn only_configurations_are_opened_by_their_path() {
    let desktop = Desktop::with("dev:\n  - {name: a, command: nasty forever}\n");
    with_opener(&desktop);
    desktop.write("script.sh", "");
    let window = Window::open(&desktop);
    window.wait_text(&test_id("environment-dev"), "it is known", |text| text.contains("dev"));
    let workspace = desktop.workspace();
    let workspace = workspace.display();
    for path in [
        "/etc/passwd".to_owned(),
        "/etc/other.yml".to_owned(),
        format!("{workspace}/script.sh"),
        format!("{workspace}/../../other.yml"),
    ] {
        let answer = answer_of(&window, "open_path", "path", &path);
        assert!(answer.contains("is no configuration of Forge's"), "{path}: {answer}");
    }
    assert!(!desktop.path("opened").exists(), "none was opened");
}

/// What the shell answers to a command of the page.
fn answer_of(window: &Window, command: &str, parameter: &str, value: &str) -> String {
    window.run(&format!(
        "window.answer = null;
         window.__TAURI_INTERNALS__.invoke('{command}', {{ {parameter}: '{value}' }})
           .then(() => (window.answer = 'done'), (error) => (window.answer = String(error)))"
    ));
    window.wait(value, || window.run("return window.answer").as_str().map(str::to_owned))
}

#[test]
fn only_web_pages_are_opened_by_their_address() {
    let desktop = Desktop::new();
    with_opener(&desktop);
    let window = Window::open(&desktop);
    for url in ["file:///etc/passwd", "javascript:alert(1)", "ssh://localhost"] {
        let answer = answer_of(&window, "open_url", "url", url);
        assert!(answer.contains("is no web page"), "{url}: {answer}");
    }
    assert!(!desktop.path("opened").exists(), "none was opened");
}

/// A server that counts who connects.
struct Elsewhere(TcpListener);

impl Elsewhere {
    fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("our own socket");
        Self(listener)
    }

    fn url(&self) -> String {
        format!("http://{}/", self.0.local_addr().expect("it is bound"))
    }

    fn was_asked(&self) -> bool {
        self.0.accept().is_ok()
    }
}

#[test]
fn the_window_runs_no_script_and_asks_nobody_but_its_own() {
    let desktop = Desktop::new();
    let window = Window::open(&desktop);
    let elsewhere = Elsewhere::new();
    let url = elsewhere.url();
    // Each of these is what a page does to which somebody has smuggled something.
    window.run(&format!(
        "window.refused = [];
         document.addEventListener('securitypolicyviolation', (event) => window.refused.push(event.effectiveDirective));
         const script = document.createElement('script');
         script.textContent = 'window.owned = 1';
         document.body.append(script);
         const image = document.createElement('img');
         image.setAttribute('onerror', 'window.owned = 2');
         image.src = '{url}image.png';
         document.body.append(image);
         const frame = document.createElement('iframe');
         frame.src = '{url}frame.html';
         document.body.append(frame);
         fetch('{url}data').catch(() => null);
         try {{ new WebSocket('ws' + '{url}'.slice(4)); }} catch {{ /* Refused at once. */ }}"
    ));
    let wanted = ["connect-src", "frame-src", "img-src"];
    let refused = window.wait("all of it is refused", || {
        let refused = window.run("return window.refused.toSorted()");
        let refused: Vec<String> =
            refused.as_array()?.iter().filter_map(|one| Some(one.as_str()?.to_owned())).collect();
        wanted.iter().all(|wanted| refused.iter().any(|one| one == wanted)).then_some(refused)
    });
    assert!(refused.iter().any(|one| one.starts_with("script-src")), "the script too: {refused:?}");
    assert!(window.run("return window.owned ?? null").is_null(), "nothing ran");
    assert!(!elsewhere.was_asked(), "nobody was asked");
}

#[test]
fn the_window_goes_nowhere_else() {
    let desktop = Desktop::new();
    let window = Window::open(&desktop);
    let elsewhere = Elsewhere::new();
    let url = elsewhere.url();
    let place = window.run("return location.origin");
    window.run("window.stays = true");
    window.run(&format!("location.href = '{url}'"));
    window.run(&format!("window.open('{url}')"));
    window.run(&format!(
        "const link = document.createElement('a');
         link.href = '{url}'; link.target = '_blank'; document.body.append(link); link.click()"
    ));
    // It would have gone before it answers to what comes later.
    desktop.configure("dev:\n  - {name: a, command: nasty forever}\n");
    desktop.forge(["workspaces", "add"]).run().ok();
    window.wait_text(&test_id("environment-dev"), "what happens meanwhile", |text| text.contains("dev"));
    assert_eq!(window.run("return location.origin"), place, "it is where it was");
    assert_eq!(window.run("return window.stays ?? false"), true, "and the same page");
    assert_eq!(desktop.screen.windows().titles(), ["Forge"], "one window");
    assert!(!elsewhere.was_asked(), "nobody was asked");
}
