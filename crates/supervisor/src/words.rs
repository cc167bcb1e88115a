//! What people read about a process. Short, concrete, the same everywhere.

use std::time::Duration;

use forge_keeper::record::Exit;
use forge_system::process::Signal;

use crate::process::lifecycle::{AfterCrash, Happening, Left, Phase};

/// `850 ms`, `3.2 s`, `5 min`, `2 h 34 min`.
pub(crate) fn duration(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0 => format!("{} ms", length.as_millis()),
        1..=9 if length.subsec_millis() >= 100 => format!("{:.1} s", length.as_secs_f64()),
        1..=59 => format!("{seconds} s"),
        60..=3599 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `850 kB`, `50 MB`, `1.2 GB`.
pub(crate) fn bytes(count: u64) -> String {
    let number = count as f64;
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.0} kB", number / 1e3),
        1_000_000..1_000_000_000 => format!("{:.0} MB", number / 1e6),
        _ => format!("{:.1} GB", number / 1e9),
    }
}

/// `exit 1`, `killed by SIGKILL`.
pub(crate) fn exit(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit {code}"),
        Exit::Signal(number) => format!("killed by {}", Signal::describe(number)),
        Exit::Unknown => "ended, nobody saw how".to_owned(),
    }
}

/// `node (PID 12), sh (PID 13)`.
pub(crate) fn left(left: &[Left]) -> String {
    let names: Vec<String> = left.iter().map(|(pid, name)| format!("{name} (PID {pid})")).collect();
    names.join(", ")
}

pub(crate) fn gave_up(count: u32, within: Duration) -> String {
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    format!("crashed {times} within {}; not restarted any more", duration(within))
}

pub(crate) fn survivors(survivors: &[Left]) -> String {
    format!("could not be ended: {}", left(survivors))
}

/// Title and text of an event.
pub(crate) fn happening(happening: &Happening) -> (&'static str, String) {
    match happening {
        Happening::Started => ("started", String::new()),
        Happening::Stopped => ("stopped", String::new()),
        Happening::Exited { left: others } if others.is_empty() => ("exited", "exit 0".to_owned()),
        Happening::Exited { left: others } => ("exited", format!("exit 0, but {} still runs", left(others))),
        Happening::Crashed { exit: how, count, next } => ("crashed", crash(*how, *count, *next)),
        Happening::NotStarted { reason } => ("could not be started", reason.clone()),
        Happening::Restarting => ("restarting", String::new()),
        Happening::Survived { left } => ("could not be ended", self::left(left)),
    }
}

fn crash(how: Exit, count: u32, next: AfterCrash) -> String {
    let what = exit(how);
    match next {
        AfterCrash::Restart(delay) if delay.is_zero() => format!("{what}; restarting"),
        AfterCrash::Restart(delay) => format!("{what}; restarting in {}", duration(delay)),
        AfterCrash::Stay => format!("{what}; not restarted, as configured"),
        AfterCrash::GiveUp(within) => format!("{what}; {}", gave_up(count, within)),
    }
}

/// What a person should know about the phase, beyond its name.
pub(crate) fn phase(phase: &Phase) -> Option<String> {
    match phase {
        Phase::Restarting { exit: how, .. } => Some(exit(*how)),
        Phase::Exited { left: others } if !others.is_empty() => Some(format!(
            "exit 0, but {} still runs; `stop` ends it, `daemon: true` makes it the service",
            left(others)
        )),
        Phase::Crashed { exit: how, left: others } => Some(with_left(exit(*how), others)),
        Phase::Failed { reason, exit: how, left: others } => {
            let text = how.map_or_else(|| reason.clone(), |how| format!("{}; {reason}", exit(how)));
            // Survivors are named in the reason already.
            Some(if how.is_some() { with_left(text, others) } else { text })
        }
        _ => None,
    }
}

fn with_left(text: String, others: &[Left]) -> String {
    if others.is_empty() { text } else { format!("{text}; {} still runs", left(others)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        for (millis, text) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (3_200, "3.2 s"),
            (5_000, "5 s"),
            (59_900, "59 s"),
            (60_000, "1 min"),
            (90_000, "1 min 30 s"),
            (9_240_000, "2 h 34 min"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), text, "{millis} ms");
        }
    }
}
