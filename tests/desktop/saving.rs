//! A log that is saved from the window, at a place that is chosen in the desktop's own dialogue.

use std::fs;
use std::path::{Path, PathBuf};

use forge_tests::desktop::{Desktop, Window, test_id};

use crate::window::go;

const DIALOG: &str = "Save the log";

/// More than the page has at once.
const LINES: usize = 30_000;

/// A window on the log of a process that has written all that it will.
fn on_a_log() -> (Desktop, Window) {
    let desktop = Desktop::with(&format!(
        "dev:\n  - {{name: api, command: nasty count {LINES} print 'the last line' forever}}\n"
    ));
    let window = Window::open(&desktop);
    desktop.start();
    go(&window, &desktop, "p/api/logs");
    window.wait_text(&test_id("log"), "its last line", |text| text.contains("the last line"));
    (desktop, window)
}

/// Saves what is shown, as text.
#[track_caller]
fn save(desktop: &Desktop, window: &Window, path: &Path) {
    window.click("button[aria-label=\"More for the log\"]");
    window.click("[role=\"menu\"] [role=\"menuitem\"]");
    desktop.screen.windows().fill_in(DIALOG, path.to_str().expect("UTF-8"));
}

/// Waits for how it ended.
#[track_caller]
fn said(window: &Window, words: &str) -> String {
    window.wait_text(".said[role=\"status\"]", words, |text| text.contains(words))
}

/// A folder of the user's for what is saved.
fn folder(desktop: &Desktop) -> PathBuf {
    let folder = desktop.user().join("saved");
    fs::create_dir(&folder).expect("the user's own folder");
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let found = fs::read_dir(folder).expect("the user's own folder").flatten();
    found.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn all_of_a_log_is_saved_where_the_dialogue_says() {
    let (desktop, window) = on_a_log();
    let path = folder(&desktop).join("api.log");
    save(&desktop, &window, &path);
    let told = said(&window, "lines saved to");
    assert!(told.ends_with(&path.display().to_string()), "{told}");
    let text = fs::read_to_string(&path).expect("what was saved");
    let mut lines: Vec<&str> = text.lines().collect();
    assert!(lines.remove(0).ends_with("run 1 started"), "as it is shown");
    let last = lines.pop().unwrap_or_default();
    assert!(last.ends_with("the last line"), "{last}");
    assert_eq!(lines.len(), LINES, "all of them");
    for (number, line) in lines.iter().enumerate() {
        assert!(line.contains(&format!("line {number:08} ")), "in their order: {number} is {line}");
    }
    assert_eq!(names(path.parent().expect("a folder")), ["api.log"], "nothing beside it");
}

#[test]
fn a_place_that_cannot_be_written_to_is_told_and_what_stood_there_stays() {
    let (desktop, window) = on_a_log();
    let folder = folder(&desktop);
    // In all places of what is written first stand folders, which stops root as well.
    let taken = |number| folder.join(format!("api.log.part{number}"));
    fs::create_dir(folder.join("api.log.part")).expect("the user's own folder");
    (2..=100).for_each(|number| fs::create_dir(taken(number)).expect("the user's own folder"));
    save(&desktop, &window, &folder.join("api.log"));
    let told = said(&window, "not saved");
    assert!(told.contains("cannot create") && told.contains("api.log.part"), "{told}");
    assert!(names(&folder).iter().all(|name| name.starts_with("api.log.part")), "nothing is written");
    // The next place is a better one.
    save(&desktop, &window, &folder.join("other.log"));
    said(&window, "lines saved to");
}
