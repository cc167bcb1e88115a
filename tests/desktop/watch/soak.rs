//! The app for a long time. A process writes 1,000 lines a second, its log is open in the window for a while and hidden
//! for as long; then the window is opened and ended 50 times. And for a short time beside many
//! processes that write much: nothing of that may be lost, and the window goes on.
#![expect(clippy::print_stdout, reason = "a program: printing is what it does")]

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use forge_tests::desktop::{App, Desktop, Item, Windows};
use forge_tests::{Flood, wait_until};

use super::median;

const ENVIRONMENT: &str = "dev:\n  - {name: api, command: nasty flood --rate 1000}\n";

/// For the rounds of the window: what an app remembers of a flood would hide what a window leaves behind.
const QUIET: &str = "dev:\n  - {name: api, command: nasty flood --rate 5}\n";

const ROUNDS: usize = 50;

/// Bytes that a window may leave behind in the app. One of GTK's own library leaves some.
const LEFT_BEHIND: f64 = 200e3;

/// The first quarter fills what has a limit. From the second on nothing may grow by more.
const GROWTH: f64 = 1.10;

/// Longer than any soak: a hidden webview goes on.
const FOR_EVER: &str = "1000000000";

/// Memory in bytes.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Duration,
    app: u64,
    /// The page's process and the one that loads things for it.
    webview: u64,
}

/// Samples of one kind of use.
struct Series {
    name: &'static str,
    samples: Vec<Sample>,
}

/// Fails if memory grows between the second and the last quarter of any of the three. The minutes are those of the window
/// open, and again those of it hidden.
pub(super) fn run(minutes: f64) -> ExitCode {
    let time = Duration::from_secs_f64(minutes * 60.0);
    let mut series = Vec::new();
    in_app(ENVIRONMENT, FOR_EVER, |soak| {
        soak.open("api");
        series.push(soak.watch("window open", time, Soak::assert_alive_page));
        soak.close();
        series.push(soak.watch("window hidden", time, |_| {}));
    });
    let mut left = 0.0;
    in_app(QUIET, "0", |soak| {
        let rounds = soak.open_and_close();
        left = rounds.growth(|sample| sample.app) / (ROUNDS as f64 / 2.0);
        series.push(rounds);
    });
    println!("\na window leaves {:.0} KB behind", left / 1e3);
    match tell(&series) {
        flat if left <= LEFT_BEHIND => flat,
        _ => ExitCode::FAILURE,
    }
}

/// Fifty processes with 2,000 lines a second each, with the window open on the log of one. Fails if the memory of the
/// app grows, if the page stops or does as it is told no more, or if a line is missing, doubled or out of order at the end.
pub(super) fn flood(seconds: u64) -> ExitCode {
    let flood = Flood { processes: 50, rate: 2000, seconds };
    let mut series = Vec::new();
    in_app(&flood.configuration(), FOR_EVER, |soak| {
        soak.open("p0");
        series.push(soak.watch("flood", Duration::from_secs(seconds), Soak::assert_obedient_page));
        flood.assert_stored(&soak.desktop.world);
        println!("all {} lines are stored, in order", flood.lines().end * flood.processes as u64);
        soak.assert_alive();
    });
    tell(&series)
}

fn tell(series: &[Series]) -> ExitCode {
    println!(
        "\n{:14} {:>8} {:>14} {:>14} {:>14} {:>8}",
        "", "samples", "2nd quarter", "last quarter", "peak", ""
    );
    let flat = series.iter().map(Series::tell).filter(|flat| !flat).count() == 0;
    if flat { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Does `work` with an app that runs these processes, whose window ends so long after it was closed.
fn in_app(environment: &str, linger_ms: &str, work: impl FnOnce(&Soak)) {
    let mut desktop = Desktop::with(environment);
    desktop.world.set_env("FORGE_WINDOW_LINGER_MS", linger_ms);
    let (app, item) = desktop.launch_in_tray();
    desktop.start();
    let soak = Soak { desktop, app, item, begun: Instant::now() };
    work(&soak);
    soak.desktop.forge(["stop", "--all"]).run().ok();
    soak.app.terminate().ok();
}

struct Soak {
    desktop: Desktop,
    app: App,
    item: Item,
    begun: Instant,
}

impl Soak {
    fn windows(&self) -> &Windows {
        self.desktop.screen.windows()
    }

    /// Opens the window on the log of a process.
    fn open(&self, process: &str) {
        self.item.click(&["dev", process, "Show log"]);
        self.windows().wait_shown("Forge");
        self.assert_alive_page();
    }

    fn close(&self) {
        self.windows().close("Forge");
        self.windows().wait_hidden("Forge");
    }

    /// New lines are drawn.
    fn assert_alive_page(&self) {
        let look = || self.windows().corner("Forge", 800, 500);
        let before = look();
        wait_until("the page draws new lines", || look() != before);
    }

    /// The log stands still once one of its lines was clicked, and goes on by the End key.
    fn assert_obedient_page(&self) {
        const AMID_THE_LINES: ((i16, i16), (u16, u16)) = ((400, 350), (200, 60));
        let (at, size) = AMID_THE_LINES;
        self.assert_alive_page();
        self.windows().click("Forge", at.0, at.1);
        let held = self.windows().settled_pixels("Forge", at, size);
        self.windows().press_end("Forge");
        wait_until("the log goes on", || self.windows().pixels("Forge", at, size) != held);
    }

    /// Samples every ten seconds, of a short time more often. Looks before each whether `holds`.
    fn watch(&self, name: &'static str, time: Duration, holds: impl Fn(&Self)) -> Series {
        let every = Duration::from_secs(10).min(time / 20);
        let (begun, mut samples) = (Instant::now(), Vec::new());
        while begun.elapsed() < time {
            holds(self);
            samples.push(self.sample(name));
            thread::sleep(every);
        }
        Series { name, samples }
    }

    fn open_and_close(&self) -> Series {
        let round = |_| {
            self.open("api");
            self.close();
            wait_until("the webview's end", || self.webview().0 == 0);
            self.sample("opened, ended")
        };
        Series { name: "opened, ended", samples: (0..ROUNDS).map(round).collect() }
    }

    fn sample(&self, name: &str) -> Sample {
        self.assert_alive();
        let sample =
            Sample { at: self.begun.elapsed(), app: self.pss_of("forge-desktop"), webview: self.webview().1 };
        println!(
            "{:7.1} s  {name:14} app {:6.1} MB  webview {:6.1} MB",
            sample.at.as_secs_f64(),
            megabytes(sample.app as f64),
            megabytes(sample.webview as f64)
        );
        sample
    }

    fn assert_alive(&self) {
        assert!(self.app.is_alive(), "the app has ended");
    }

    fn pss_of(&self, program: &str) -> u64 {
        let all = self.desktop.alive();
        all.iter().filter(|process| process.command.contains(program)).map(|process| process.pss()).sum()
    }

    /// How many pages there are, and the memory of all that is WebKit's.
    fn webview(&self) -> (usize, u64) {
        let all = self.desktop.alive();
        let pages = all.iter().filter(|process| process.command.contains("WebKitWebProcess")).count();
        (pages, self.pss_of("WebKit"))
    }
}

impl Series {
    /// Prints a line for the app and one for the webview; whether neither has grown.
    fn tell(&self) -> bool {
        println!("{}", self.name);
        let app = self.tell_one("app", |sample| sample.app);
        let webview = self.tell_one("webview", |sample| sample.webview);
        app && webview
    }

    fn figures(&self, figure: fn(&Sample) -> u64) -> Vec<f64> {
        self.samples.iter().map(|sample| figure(sample) as f64).collect()
    }

    /// From the second quarter to the last.
    fn growth(&self, figure: fn(&Sample) -> u64) -> f64 {
        let (second, last) = quarters(&self.figures(figure));
        last - second
    }

    fn tell_one(&self, name: &str, figure: fn(&Sample) -> u64) -> bool {
        let figures = self.figures(figure);
        let (second, last) = quarters(&figures);
        let peak = figures.iter().copied().fold(0.0, f64::max);
        let flat = last <= second * GROWTH;
        println!(
            "  {name:12} {:>8} {:>11.1} MB {:>11.1} MB {:>11.1} MB {:>8}",
            figures.len(),
            megabytes(second),
            megabytes(last),
            megabytes(peak),
            if flat { "flat" } else { "GROWS" }
        );
        flat
    }
}

/// The medians of the second and of the last quarter.
fn quarters(figures: &[f64]) -> (f64, f64) {
    let quarter = figures.len().div_ceil(4);
    let second = median(figures.iter().copied().skip(quarter).take(quarter).collect());
    (second, median(figures.iter().copied().rev().take(quarter).collect()))
}

fn megabytes(bytes: f64) -> f64 {
    bytes / 1e6
}
