//! The app beside a bare one. Everything is seen from outside, of both in the same way.
#![expect(clippy::print_stdout, reason = "a program: printing is what it does")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use forge_tests::desktop::{Desktop, Screen};
use forge_tests::{DEADLINE, Running, Signal, Value, json, wait_until};

use super::median;

/// Of the window; at least a word of either page is there.
const CORNER: (u16, u16) = (400, 200);

/// A background, a border and a line have fewer; the edges of letters have more.
const COLOURS_OF_TEXT: usize = 8;

/// One of the two.
struct Contestant {
    name: &'static str,
    program: PathBuf,
    /// Of its window.
    title: &'static str,
    /// Its own home, the same in each round.
    desktop: Desktop,
}

/// Of one round. Times are from before its exec; memory is that of all its processes.
struct Figures {
    /// To its icon in the tray, when it is started without a window.
    tray: Duration,
    /// To the first text in the window, when it is started with one.
    content: Duration,
    /// Bytes, as all of these. On a display on which no program of its toolkit has been: the first one there looks for a
    /// way to draw with OpenGL, and keeps what it loaded for that.
    first_on_display: u64,
    without_window: u64,
    with_window: u64,
    /// The window was closed and its webview is gone.
    after_window: u64,
    /// What each of some further windows has left behind; may be less than nothing.
    kept: f64,
}

/// Windows that are opened and ended for [`Figures::kept`]. What the first ones leave is kept for the next.
const WINDOWS: u32 = 20;

/// Prints one JSON object: for each of the two the medians of what [`Figures`] has.
pub(super) fn print(forge: &Path, bare: &Path, rounds: usize) -> ExitCode {
    let screen = Rc::new(Screen::new());
    // Before any app: it looks for a tray once.
    screen.tray();
    let contestants = [("forge", "Forge", forge), ("bare", "Bare", bare)];
    let mut contestants = contestants.map(|(name, title, program)| {
        let mut desktop = Desktop::on(&screen);
        desktop.world.set_env("FORGE_WINDOW_LINGER_MS", "0");
        // It starts in another folder.
        let program = program.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        (Contestant { name, program, title, desktop }, Vec::new())
    });
    contestants[0].0.desktop.trust("dev:\n  - {name: api, command: nasty forever}\n");
    // The first round fills caches that a user's home has.
    for round in 0..=rounds {
        // By turns, so that whatever else the machine does falls on both.
        for (contestant, taken) in &mut contestants {
            let figures = contestant.round(&screen);
            eprintln!("   {}", figures.line(contestant.name));
            if round > 0 {
                taken.push(figures);
            }
        }
    }
    let medians = contestants.iter().map(|(contestant, taken)| {
        let milliseconds = |of: fn(&Figures) -> Duration| {
            median(taken.iter().map(|one| of(one).as_secs_f64() * 1e3).collect())
        };
        let bytes = |of: fn(&Figures) -> u64| median(taken.iter().map(|one| of(one) as f64).collect());
        let figures = json!({
            "tray_ms": milliseconds(|one| one.tray),
            "content_ms": milliseconds(|one| one.content),
            "first_on_display_bytes": bytes(|one| one.first_on_display),
            "without_window_bytes": bytes(|one| one.without_window),
            "with_window_bytes": bytes(|one| one.with_window),
            "after_window_bytes": bytes(|one| one.after_window),
            "kept_bytes": median(taken.iter().map(|one| one.kept).collect()),
        });
        (contestant.name.to_owned(), figures)
    });
    println!("{:#}", Value::Object(medians.collect()));
    ExitCode::SUCCESS
}

impl Contestant {
    fn round(&self, screen: &Screen) -> Figures {
        let first_on_display = self.first_on_display();
        let begun = Instant::now();
        let app = self.launch(&["--background"]);
        let tray = self.await_moment("an icon in the tray", begun, || screen.tray().has_item_of(app.pid()));
        let without_window = self.settled();
        self.end(app);

        let (windows, (width, height)) = (screen.windows(), CORNER);
        let begun = Instant::now();
        let app = self.launch(&[]);
        let has_text = || {
            let mut pixels = windows.corner(self.title, width, height);
            // Looking must not keep the processor busy: most are like the one before.
            pixels.dedup();
            pixels.into_iter().collect::<HashSet<_>>().len() >= COLOURS_OF_TEXT
        };
        let content = self.await_moment("a text in the window", begun, has_text);
        let with_window = self.settled();
        let close = || {
            windows.close(self.title);
            wait_until("the webview's end", || !self.has_webview());
        };
        close();
        let after_window = self.settled();
        let again = |count: u32| {
            for _ in 0..count {
                screen.tray().item_of(app.pid()).expect("it is there").activate();
                self.await_moment("a text in the window", Instant::now(), has_text);
                close();
            }
            self.settled() as f64
        };
        let first = again(WINDOWS / 4);
        let kept = (again(WINDOWS) - first) / f64::from(WINDOWS);
        self.end(app);
        Figures { tray, content, first_on_display, without_window, with_window, after_window, kept }
    }

    /// Memory without a window on a display of its own.
    fn first_on_display(&self) -> u64 {
        let screen = Screen::new();
        screen.tray();
        let program = self.desktop.program(&self.program, ["--background"]);
        let variables = screen.variables();
        let program = variables.into_iter().fold(program, |program, (name, value)| program.env(name, &value));
        let app = program.spawn();
        wait_until("an icon in the tray", || screen.tray().has_item_of(app.pid()));
        let memory = self.settled();
        self.end(app);
        memory
    }

    fn launch(&self, arguments: &[&str]) -> Running {
        self.desktop.program(&self.program, arguments).spawn()
    }

    fn end(&self, app: Running) {
        app.signal(Signal::TERM);
        // By a signal or by itself.
        let _outcome = app.wait();
        wait_until("the end of all its processes", || self.desktop.alive().is_empty());
    }

    fn has_webview(&self) -> bool {
        self.desktop.alive().iter().any(|process| process.command.contains("WebKitWebProcess"))
    }

    /// Looks every two milliseconds.
    fn await_moment(&self, what: &str, begun: Instant, mut has_come: impl FnMut() -> bool) -> Duration {
        while !has_come() {
            assert!(begun.elapsed() < DEADLINE, "{}: {what} never came", self.name);
            thread::sleep(Duration::from_millis(2));
        }
        begun.elapsed()
    }

    /// Memory in bytes, once it has stayed the same for a second.
    fn settled(&self) -> u64 {
        const SAME: f64 = 0.01;
        let until = Instant::now() + DEADLINE / 4;
        let mut last = [0.0; 5];
        loop {
            last.rotate_left(1);
            last[4] = self.desktop.alive().iter().map(|process| process.pss()).sum::<u64>() as f64;
            let spread =
                last.iter().copied().fold(0.0, f64::max) - last.iter().copied().fold(f64::MAX, f64::min);
            if spread < last[4] * SAME || Instant::now() > until {
                return last[4] as u64;
            }
            thread::sleep(Duration::from_millis(250));
        }
    }
}

impl Figures {
    fn line(&self, name: &str) -> String {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        format!(
            "{name}: tray {:.0} ms, content {:.0} ms; {:.1} MB without a window ({:.1} first on its display), {:.1} with, {:.1} after, {:.2} kept of each further one",
            self.tray.as_secs_f64() * 1e3,
            self.content.as_secs_f64() * 1e3,
            megabytes(self.without_window),
            megabytes(self.first_on_display),
            megabytes(self.with_window),
            megabytes(self.after_window),
            self.kept / 1e6
        )
    }
}
