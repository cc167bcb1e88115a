//! Crashes and what comes of them, as they are told.

use forge_api::{Notice, NoticeKind, Time};

use super::{action, family, is_of, is_well};
use crate::core::alerts::CRASH_LOOP;
use crate::core::{Core, Key, Message};
use crate::process::lifecycle::{AfterCrash, Happening};
use crate::words;

/// Lines of output in which the last one that says something is looked for.
const OUTPUT: u64 = 60;

impl Core {
    /// A crash is told with the last line of its output, which another thread looks up.
    pub(in crate::core) fn tell_crash(&mut self, key: &Key, happening: &Happening) {
        let Happening::Crashed { exit, count, next } = *happening else { return };
        let Some(process) = self.process(key) else { return };
        let number = process.number;
        let time = process.ended.map_or_else(Time::now, |(_, time)| time);
        let folder = crate::core::act::log_folder(&self.home.logs(), key);
        let (handle, key) = (self.handle.clone(), key.clone());
        tokio::task::spawn_blocking(move || {
            let lines = crate::logs::last_lines(&folder, &key.target(), number, OUTPUT);
            let last = lines.into_iter().rev().map(|line| line.text).find(|text| says_something(text));
            let (kind, summary) = match next {
                AfterCrash::GiveUp(_) => (NoticeKind::CrashLoop, format!("{} keeps crashing", key.process)),
                _ => (NoticeKind::Crash, format!("{} crashed", key.process)),
            };
            let body = crash_body(&words::exit(exit), last.as_deref(), count, next);
            let actions = match next {
                AfterCrash::Restart(_) => vec![
                    action("restart", "Restart now", false),
                    action("keep-stopped", "Keep stopped", false),
                    action("show-log", "Show log", true),
                ],
                _ => vec![action("restart", "Restart", false), action("show-log", "Show log", true)],
            };
            handle.tell(Message::Visit(Box::new(move |core| {
                let until = core.process(&key).and_then(|process| process.restart_at);
                if kind == NoticeKind::CrashLoop
                    && core.is_muted(&key.environment, Some(&key.process), CRASH_LOOP)
                {
                    core.close_crash(&key);
                    return;
                }
                // Restarted or stopped meanwhile: nothing to decide any more.
                if core.process(&key).is_some_and(|process| process.number == number && !is_well(process)) {
                    core.raise(&key.environment, Some(&key.process), kind, time, |notice| Notice {
                        summary,
                        body,
                        actions,
                        until,
                        ..notice
                    });
                }
            })));
        });
    }

    /// The user wants to hear no more of what a crash came to.
    fn close_crash(&mut self, key: &Key) {
        self.close_those(|_, incident| {
            is_of(&incident.notice, key) && family(incident.notice.kind) == NoticeKind::Crash
        });
    }
}

/// Not a blank line, a frame of a stack, or Node's version below one: the line above says what happened.
fn says_something(line: &str) -> bool {
    let line = line.trim();
    !(line.is_empty() || line.starts_with("at ") || line.starts_with("Node.js v"))
}

/// `exit 1: panic: nil pointer`, and what comes next.
fn crash_body(exit: &str, last_line: Option<&str>, count: u32, next: AfterCrash) -> String {
    let mut body = exit.to_owned();
    if let Some(line) = last_line {
        let line: String = line.trim().chars().take(200).collect();
        body.push_str(&format!(": {line}"));
    }
    let after = match next {
        AfterCrash::Restart(delay) if delay.is_zero() => "Restarting".to_owned(),
        AfterCrash::Restart(delay) => format!("Restarts in {}", words::duration(delay)),
        AfterCrash::Stay => "Stays down, as configured".to_owned(),
        AfterCrash::GiveUp(within) => words::gave_up(count, within).replacen('c', "C", 1),
    };
    body.push('\n');
    body.push_str(&after);
    body
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_last_line_that_says_something_is_the_one_that_is_told() {
        for (line, says) in [
            ("Error: boom", true),
            ("    at Object.<anonymous> (/app/server.js:3:9)", false),
            ("", false),
            ("Node.js v20.20.2", false),
            ("attached", true),
        ] {
            assert_eq!(says_something(line), says, "{line}");
        }
    }

    #[test]
    fn a_crash_is_told_with_its_exit_its_last_line_and_what_comes_next() {
        let five = AfterCrash::Restart(Duration::from_secs(5));
        for (line, count, next, body) in [
            (Some("panic: nil"), 1, five, "exit 1: panic: nil\nRestarts in 5 s"),
            (None, 1, AfterCrash::Restart(Duration::ZERO), "exit 1\nRestarting"),
            (None, 1, AfterCrash::Stay, "exit 1\nStays down, as configured"),
            (
                Some("  x  "),
                5,
                AfterCrash::GiveUp(Duration::from_secs(600)),
                "exit 1: x\nCrashed 5 times within 10 min; not restarted any more",
            ),
        ] {
            assert_eq!(crash_body("exit 1", line, count, next), body, "{line:?} {next:?}");
        }
    }
}
