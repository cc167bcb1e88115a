//! Places in the window: the part of the page's address after `#`.

use std::fmt::Write;
use std::path::Path;

use forge_api::{Notice, NoticeKind};

/// An environment's page.
#[must_use]
pub fn environment(workspace: &Path, environment: &str) -> String {
    format!("#/e/{}/{}", encode(&workspace.to_string_lossy()), encode(environment))
}

/// A process's page.
#[must_use]
pub fn process(workspace: &Path, environment: &str, process: &str) -> String {
    format!("{}/p/{}", self::environment(workspace, environment), encode(process))
}

/// The log of a process.
#[must_use]
pub fn log(workspace: &Path, environment: &str, process: &str) -> String {
    format!("{}/logs", self::process(workspace, environment, process))
}

/// A workspace's page.
#[must_use]
pub fn workspace(workspace: &Path) -> String {
    format!("#/w/{}", encode(&workspace.to_string_lossy()))
}

/// A page, where a notice has brought one: what that is about is looked at first.
#[must_use]
pub fn about(route: &str, notice: &str) -> String {
    format!("{route}?notice={}", encode(notice))
}

/// Where the window shows what a notice is about.
#[must_use]
pub fn place(notice: &Notice) -> String {
    let page = match &notice.process {
        Some(process) => self::process(&notice.workspace, &notice.environment, process),
        None => environment(&notice.workspace, &notice.environment),
    };
    about(&page, &notice.id)
}

/// The log of the process that a notice is about, at its line; of a whole environment, as [`place`].
#[must_use]
pub fn log_of(notice: &Notice) -> String {
    let log = |process: &String| log(&notice.workspace, &notice.environment, process);
    notice.process.as_ref().map_or_else(|| place(notice), |process| about(&log(process), &notice.id))
}

/// Where a click on a notification leads: after a crash to what the program said last.
#[must_use]
pub fn behind(notice: &Notice) -> String {
    match notice.kind {
        NoticeKind::Crash | NoticeKind::CrashLoop => log_of(notice),
        _ => place(notice),
    }
}

/// Who holds which port.
pub const PORTS: &str = "#/ports";

/// As `encodeURIComponent` does it (ECMA-262, 19.2.6.4).
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => encoded.push(char::from(byte)),
            other => {
                // Writing to a string does not fail.
                let _ = write!(encoded, "%{other:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_part_of_the_address() {
        let route = about(&log(Path::new("/home/jö/a b"), "dev", "api"), "crash:1");
        assert_eq!(route, "#/e/%2Fhome%2Fj%C3%B6%2Fa%20b/dev/p/api/logs?notice=crash%3A1", "encoded");
    }
}
