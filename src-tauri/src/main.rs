//! The desktop app: a tray icon and a window around the supervisor. Not built yet; `forge` does all of it in a terminal.

fn main() {
    std::process::exit(2);
}
