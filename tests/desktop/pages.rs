//! What of the page depends on the webview that draws it: keys, canvases, the terminal, the system's colours.

use forge_tests::desktop::{Desktop, Window, test_id};

use super::window::go;

#[test]
fn the_palette_opens_by_its_keys_and_leads_to_a_process() {
    let desktop = Desktop::with(
        "dev:\n  - {name: api, command: nasty forever}\n  - {name: web, command: nasty forever}\n",
    );
    let window = Window::open(&desktop);
    window.wait_text(&test_id("environment-dev"), "the page", |text| text.contains("stopped"));
    let windows = desktop.screen.windows();
    windows.press_control("Forge", 'k');
    window.wait_text(&test_id("palette"), "it is open", |text| text.contains("api"));
    windows.type_text("Forge", "web");
    window.wait_text(&test_id("palette"), "it is narrowed", |text| {
        text.contains("web") && !text.contains("api")
    });
    windows.type_text("Forge", "\n");
    window.wait_route(|route| route.contains("web") || route.ends_with("/dev"));
    assert_eq!(window.text(&test_id("palette")), None, "it is gone");
}

#[test]
fn graphs_are_drawn() {
    let desktop = Desktop::with("dev:\n  - {name: busy, command: nasty spin}\n");
    let window = Window::open(&desktop);
    desktop.start();
    window.wait_text(&test_id("environment-dev"), "the page", |text| text.contains("running"));
    go(&window, &desktop, "graphs");
    for graph in ["cpu", "memory"] {
        window.wait(&format!("something is drawn for {graph}"), || {
            let coloured = window.run(&format!(
                "const canvas = document.querySelector('[data-testid=\"graph-{graph}\"] canvas');
                 if (!canvas || canvas.width === 0) return 0;
                 const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
                 let coloured = 0;
                 for (let at = 0; at < data.length; at += 4) {{
                   const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
                   if (data[at + 3] > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) coloured += 1;
                 }}
                 return coloured"
            ));
            // A line of some length, and not only its axes, which are grey.
            (coloured.as_u64()? > 20).then_some(())
        });
    }
}

#[test]
fn what_is_typed_into_the_terminal_reaches_the_process() {
    let desktop = Desktop::with("dev:\n  - {name: console, command: nasty print 'ask me' echo, tty: true}\n");
    let window = Window::open(&desktop);
    desktop.start();
    go(&window, &desktop, "p/console/terminal");
    let rows = |words: &str| window.wait_text(".xterm-rows", words, |text| text.contains(words));
    rows("ask me");
    window.run("document.querySelector('.xterm-helper-textarea').focus()");
    desktop.screen.windows().type_text("Forge", "who is there\n");
    let both = |text: &str| text.matches("who is there").count() == 2;
    window.wait_text(".xterm-rows", "the terminal's echo and the process's answer", both);
}

#[test]
fn it_is_dark_where_the_desktop_is() {
    let mut desktop = Desktop::with("dev:\n  - {name: api, command: nasty forever}\n");
    desktop.world.set_env("GTK_THEME", "Adwaita:dark");
    let window = Window::open(&desktop);
    window.wait_text(&test_id("environment-dev"), "the page", |text| text.contains("stopped"));
    let ground = window.run("return getComputedStyle(document.body).backgroundColor");
    let ground = ground.as_str().expect("a colour");
    let light = ground.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<u32>().ok()).max();
    assert!(light.is_some_and(|light| light < 80), "{ground}");
}

#[test]
fn every_part_of_a_process_is_there_and_nothing_fails() {
    let desktop = Desktop::with(
        "dev:
  - name: api
    command: nasty print hello forever
    env: {GREETING: hello}
    health_check: {exec: 'true', interval: 200ms}
",
    );
    let window = Window::open(&desktop);
    desktop.start();
    window.wait_text(&test_id("environment-dev"), "the page", |text| text.contains("running"));
    window.run(
        "window.failures = [];
         addEventListener('error', (event) => failures.push(event.message));
         addEventListener('unhandledrejection', (event) => failures.push(String(event.reason)));",
    );
    for (tab, part) in [
        ("logs", "[data-testid=log-line]"),
        ("patterns", "[data-testid=pattern]"),
        ("graphs", "main canvas"),
        ("env", "main table"),
        ("health", "main canvas"),
        ("events", "main li, main tr"),
    ] {
        go(&window, &desktop, &format!("p/api/{tab}"));
        window.wait(&format!("{part} of {tab}"), || window.text(part));
    }
    assert_eq!(window.run("return failures"), forge_tests::json!([]), "nothing failed");
}
