//! How fast the page is in the app's own window, with the mouse of its screen.
#![expect(clippy::print_stdout, reason = "a program: printing is what it does")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use forge_tests::desktop::{Desktop, Window, test_id};
use forge_tests::{Value, json, wait_until};

use super::median;

/// How often each figure is taken; the median counts.
const ROUNDS: usize = 20;

/// Until then the page has the first of the lines behind it.
const UNDER_WAY: Duration = Duration::from_secs(2);

/// Whoever waits as long has waited in vain.
const TOO_LONG: Duration = Duration::from_secs(10);

const ENVIRONMENTS: &str = "dev:
  - {name: one, command: nasty forever}
busy:
  - {name: flood, command: nasty flood --rate 10000}
";

/// Tells `window.told` the moment of the frame after the one in which an element has changed so that `wanted` holds.
const TELL: &str = "
const until = (element, wanted) => {
  window.told = null;
  const observer = new MutationObserver(() => {
    if (!wanted(element)) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => { window.told = Date.now(); }));
  });
  observer.observe(element, { attributes: true, childList: true, characterData: true, subtree: true });
};
";

/// Prints one JSON object of medians, in milliseconds.
pub(super) fn print() -> ExitCode {
    let desktop = Desktop::with(ENVIRONMENTS);
    let window = Window::open(&desktop);
    let page = Page { desktop: &desktop, window: &window };
    page.go("dev");
    let (stamp, command) = page.events();
    desktop.forge(["start", "busy"]).run().ok();
    page.go("busy/logs");
    let (age, click) = page.flood();
    desktop.forge(["stop", "--all"]).run().ok();
    println!("{:#}", json!({"event_ms": stamp, "command_ms": command, "age_ms": age, "click_ms": click}));
    ExitCode::SUCCESS
}

struct Page<'a> {
    desktop: &'a Desktop,
    window: &'a Window,
}

impl Page<'_> {
    fn go(&self, place: &str) {
        let workspace = self.desktop.workspace();
        let (workspace, place) = (workspace.display(), json!(place));
        self.window
            .run(&format!("location.hash = '#/e/' + encodeURIComponent('{workspace}') + '/' + {place}"));
    }

    /// From the supervisor's stamp of an event, and from the command that causes it, to the word in the table.
    fn events(&self) -> (f64, f64) {
        let status = test_id("process-one-status");
        self.window.wait_text(&status, "stopped", |text| text == "stopped");
        let round = |round: usize| {
            let (words, word, title) = match round % 2 {
                0 => (["start", "dev"], "ready", "started"),
                _ => (["stop", "dev"], "stopped", "stopped"),
            };
            self.tell(&status, &format!("(element) => element.innerText === '{word}'"));
            let begun = now();
            self.desktop.forge(words).run().ok();
            let told = self.told();
            (told - self.stamp_of(title), told - begun)
        };
        let (stamps, commands): (Vec<_>, Vec<_>) = (0..ROUNDS).map(round).unzip();
        (median(stamps), median(commands))
    }

    /// When the newest event of that title happened.
    fn stamp_of(&self, title: &str) -> f64 {
        let status = self.desktop.forge(["--json", "status", "dev"]).run().json();
        let events = status["events"].as_array().expect("a list");
        let event = events.iter().rfind(|event| event["title"] == title);
        milliseconds(&event.unwrap_or_else(|| panic!("no {title} in {status}"))["time"])
    }

    /// The age of the newest line that is drawn, and the time from a click to its answer.
    fn flood(&self) -> (f64, f64) {
        let begun = Instant::now();
        self.window.wait("the flood is under way", || {
            (begun.elapsed() > UNDER_WAY).then(|| self.newest_age()).flatten()
        });
        let ages = (0..ROUNDS).map(|_| self.newest_age().expect("lines are shown"));
        let ages = ages.collect();
        (median(ages), self.clicks())
    }

    fn newest_age(&self) -> Option<f64> {
        let newest = self.window.run(
            "const rows = document.querySelectorAll('[data-testid=log-line] .time');
             return [[...rows].at(-1)?.title, Date.now()]",
        );
        newest[0].is_string().then(|| newest[1].as_f64().expect("a time") - milliseconds(&newest[0]))
    }

    /// Of the mouse, on a toggle of the log's: from before the X server has it until the screen shows it.
    fn clicks(&self) -> f64 {
        let place = self.window.run(
            "const box = document.querySelector('[role=toolbar] button[aria-pressed][aria-label^=Wrap]')
               .getBoundingClientRect();
             return [box.x, box.y, box.width, box.height]",
        );
        let [x, y, width, height] = [0, 1, 2, 3].map(|axis| place[axis].as_f64().expect("a place") as i16);
        let windows = self.desktop.screen.windows();
        // Its ground, where neither the icon is nor the words that come up when the mouse rests there.
        let ground = ((x + 4, y + 3), (4, 3));
        let looks = || windows.pixels("Forge", ground.0, ground.1);
        let settled = || windows.settled_pixels("Forge", ground.0, ground.1);
        let click = || windows.click("Forge", x + width / 2, y + height / 2);
        // The mouse is over it from now on, and how it then looks is known, pressed and not.
        let states = [0, 1].map(|_| {
            click();
            settled()
        });
        assert_ne!(states[0], states[1], "a toggle that looks as before");
        let times = states.iter().cycle().take(ROUNDS).map(|wanted| {
            let begun = Instant::now();
            click();
            while looks() != *wanted && begun.elapsed() < TOO_LONG {
                std::thread::sleep(Duration::from_millis(1));
            }
            let took = begun.elapsed();
            let _ = settled();
            took.as_secs_f64() * 1e3
        });
        median(times.collect())
    }

    fn tell(&self, css: &str, wanted: &str) {
        self.window.run(&format!("{TELL} until(document.querySelector({}), {wanted})", json!(css)));
    }

    fn told(&self) -> f64 {
        let mut told = None;
        wait_until("the page shows it", || {
            told = self.window.run("return window.told").as_f64();
            told.is_some()
        });
        told.expect("waited for")
    }
}

/// Since 1970, as the page counts them.
fn now() -> f64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a clock that is right");
    since.as_secs_f64() * 1e3
}

/// Of a time in RFC 3339.
fn milliseconds(time: &Value) -> f64 {
    let time: jiff::Timestamp = time.as_str().and_then(|text| text.parse().ok()).expect("a time");
    time.as_nanosecond() as f64 / 1e6
}
