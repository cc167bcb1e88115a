//! Figures and states in words.

use std::time::Duration;

use forge_api::{Health, HealthState, ProcessStatus, State, Target};

use crate::view::style::{Ink, Mark};

/// `12.3 s`, `2m 05s`: how long something took.
pub(crate) fn took(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        return format!("{}.{} s", seconds, time.subsec_millis() / 100);
    }
    if seconds < 3600 {
        return format!("{}m {:02}s", seconds / 60, seconds % 60);
    }
    age(time)
}

/// `12s`, `3m 20s`, `2h 34m`, `5d 3h`: how long something has lasted.
pub(crate) fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m {}s", seconds % 60),
        3600..86_400 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

/// `45 MB`: decimal units, three figures at most.
#[expect(clippy::cast_precision_loss, reason = "three figures are shown")]
pub(crate) fn bytes(count: u64) -> String {
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB", "PB"] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if value < 9.95 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// `2.3%`; 100 is one core.
pub(crate) fn percent(value: f64) -> String {
    format!("{value:.1}%")
}

/// `45%`.
pub(crate) fn whole_percent(value: f64) -> String {
    format!("{value:.0}%")
}

/// As [`bytes`], of an average or a rate; less than nothing is nothing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "three figures are shown")]
pub(crate) fn bytes_of(value: f64) -> String {
    bytes(value.max(0.0) as u64)
}

/// `a, b and c`.
pub(crate) fn list<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// `1 process`, `4 processes`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Names of processes; with their environments if those are several.
pub(crate) fn targets(targets: &[Target]) -> Vec<String> {
    let several = targets.windows(2).any(|pair| pair[0].environment != pair[1].environment);
    targets.iter().map(|target| label(target, several)).collect()
}

/// The name of a process, its environment before it where there are several.
pub(crate) fn label(target: &Target, several: bool) -> String {
    if several { format!("{}/{}", target.environment, target.process) } else { target.process.clone() }
}

/// `Running`: the state for the table.
pub(crate) fn state(process: &ProcessStatus) -> &'static str {
    match process.status {
        State::Stopped => "Stopped",
        State::Waiting => "Waiting",
        State::Starting => "Starting",
        State::Running => "Running",
        State::Stopping => "Stopping",
        State::Exited if process.one_shot && process.ready => "Done",
        State::Exited => "Exited",
        State::Crashed => "Crashed",
        State::Restarting => "Restarting",
        State::Failed => "Failed",
    }
}

/// The sign before the state.
pub(crate) fn mark(process: &ProcessStatus, frame: usize) -> Mark {
    match process.status {
        State::Running if process.ready => Mark::Good,
        State::Running if process.health.state == HealthState::Unhealthy => Mark::Warn,
        State::Running => Mark::Busy(frame),
        State::Exited if process.ready => Mark::Good,
        State::Starting | State::Stopping | State::Restarting => Mark::Busy(frame),
        State::Crashed | State::Failed => Mark::Bad,
        State::Waiting | State::Stopped | State::Exited => Mark::Idle,
    }
}

/// The ink of the state's word.
pub(crate) fn ink(process: &ProcessStatus) -> Ink {
    match mark(process, 0) {
        Mark::Good => Ink::Good,
        Mark::Busy(_) => Ink::Busy,
        Mark::Bad => Ink::Bad,
        Mark::Warn => Ink::Warn,
        Mark::Idle => Ink::Dim,
    }
}

/// What its ports are, or will be.
pub(crate) fn ports(process: &ProcessStatus) -> String {
    let known = if process.ports.is_empty() { &process.declared_ports } else { &process.ports };
    known.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// The sign before a health text. Without a check, the text is the process's own word for how it is.
pub(crate) fn health_mark(health: &Health) -> Mark {
    let bad = |text: &str| ["fail", "crash", "error", "could not"].iter().any(|word| text.contains(word));
    let fine = |text: &str| text.contains("no errors") || !bad(text);
    match health.state {
        HealthState::Healthy => Mark::Good,
        HealthState::Unhealthy => Mark::Bad,
        HealthState::Starting => Mark::Busy(0),
        HealthState::None => match &health.message {
            None => Mark::Idle,
            Some(text) if fine(text) => Mark::Good,
            Some(_) => Mark::Bad,
        },
    }
}

/// How the process ended: `exit code 1`, `SIGKILL`.
pub(crate) fn exit(process: &ProcessStatus) -> Option<String> {
    match (&process.signal, process.exit_code) {
        (Some(signal), _) => Some(signal.clone()),
        (None, Some(code)) => Some(format!("exit code {code}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stay_short() {
        for (millis, took_text, age_text) in [
            (840, "0.8 s", "0s"),
            (59_990, "59.9 s", "59s"),
            (125_000, "2m 05s", "2m 5s"),
            (9_240_000, "2h 34m", "2h 34m"),
            (183_600_000, "2d 3h", "2d 3h"),
        ] {
            let time = Duration::from_millis(millis);
            assert_eq!((took(time).as_str(), age(time).as_str()), (took_text, age_text), "{millis} ms");
        }
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (45_200_000, "45 MB"),
            (999_600_000, "1.0 GB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(bytes(count), text, "{count}");
        }
    }

    #[test]
    fn names_are_listed_as_one_says_them() {
        for (names, text) in
            [(&[][..], ""), (&["a"], "a"), (&["a", "b"], "a and b"), (&["a", "b", "c"], "a, b and c")]
        {
            assert_eq!(list(names), text, "{names:?}");
        }
    }
}
