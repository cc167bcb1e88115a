//! An environment at a glance: the words beside its name and the shape of the icon.

use forge_api::{HealthState, Mood, ProcessStatus, State};

/// What is worst about an environment, in a few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glance {
    /// `running`, `stopped`, `2 of 4 ready`, `api crashed`.
    pub state: String,
    pub mood: Mood,
    /// Something is meant to run, or still does.
    pub active: bool,
}

/// Something that may be so of a process.
type Question = fn(&ProcessStatus) -> bool;

/// Of all its processes, the disabled ones included.
pub(crate) fn glance(processes: &[ProcessStatus]) -> Glance {
    let meant: Vec<&ProcessStatus> =
        processes.iter().filter(|one| one.wanted || !is_at_rest(one.status)).collect();
    let active = meant.iter().any(|one| one.wanted || is_active(one.status));
    let troubled = |what: Question| -> Vec<&str> {
        meant.iter().filter(|one| what(one)).map(|one| one.name.as_str()).collect()
    };
    let worst: [(&str, Question); 3] = [
        ("crashed", |one| matches!(one.status, State::Crashed | State::Restarting) || gave_up(one)),
        ("failed", |one| one.status == State::Failed),
        ("unhealthy", |one| one.health.state == HealthState::Unhealthy && one.status.is_alive()),
    ];
    for (word, what) in worst {
        let state = match troubled(what).as_slice() {
            [] => continue,
            [one] => format!("{one} {word}"),
            many => format!("{} {word}", many.len()),
        };
        return Glance { state, mood: Mood::Trouble, active };
    }
    let ready = meant.iter().filter(|one| one.ready || is_done(one)).count();
    let (state, mood) = if meant.is_empty() {
        ("stopped".to_owned(), Mood::Stopped)
    } else if meant.iter().all(|one| one.status == State::Stopping || !is_active(one.status)) && ready == 0 {
        match meant.iter().any(|one| one.status == State::Stopping) {
            true => ("stopping".to_owned(), Mood::Busy),
            false => ("exited".to_owned(), Mood::Stopped),
        }
    } else if ready == meant.len() {
        ("running".to_owned(), Mood::Ready)
    } else {
        (format!("{ready} of {} ready", meant.len()), Mood::Busy)
    };
    Glance { state, mood, active }
}

/// Failed after it had run and ended by itself: people say that it crashed.
fn gave_up(process: &ProcessStatus) -> bool {
    process.status == State::Failed && (process.exit_code.is_some() || process.signal.is_some())
}

/// It has done what it was started for.
fn is_done(process: &ProcessStatus) -> bool {
    process.one_shot && process.status == State::Exited
}

/// Ended as it was meant to, or never started.
fn is_at_rest(state: State) -> bool {
    matches!(state, State::Stopped | State::Exited)
}

fn is_active(state: State) -> bool {
    state.is_alive() || matches!(state, State::Waiting | State::Restarting)
}

#[cfg(test)]
mod tests {
    use forge_api::{Health, HealthState, Mood, ProcessStatus, State};

    use super::glance;
    use crate::core::Process;

    fn process(name: &str, status: State, ready: bool) -> ProcessStatus {
        ProcessStatus {
            status,
            ready,
            wanted: status != State::Stopped,
            ..Process::default().status(name, Vec::new())
        }
    }

    #[test]
    fn the_worst_news_is_what_is_said() {
        let ready = || process("db", State::Running, true);
        let unhealthy = ProcessStatus {
            health: Health { state: HealthState::Unhealthy, message: None, checked_at: None },
            ..process("web", State::Running, false)
        };
        let crash_loop = ProcessStatus { exit_code: Some(1), ..process("api", State::Failed, false) };
        let migrated = ProcessStatus { one_shot: true, ..process("migrate", State::Exited, true) };
        for (processes, state, mood) in [
            (vec![], "stopped", Mood::Stopped),
            (vec![process("db", State::Stopped, false)], "stopped", Mood::Stopped),
            (vec![ready(), process("off", State::Stopped, false)], "running", Mood::Ready),
            (vec![ready(), process("api", State::Waiting, false)], "1 of 2 ready", Mood::Busy),
            (vec![ready(), migrated], "running", Mood::Ready),
            (vec![process("db", State::Stopping, false)], "stopping", Mood::Busy),
            (vec![process("db", State::Exited, false)], "exited", Mood::Stopped),
            (vec![ready(), process("api", State::Restarting, false)], "api crashed", Mood::Trouble),
            (vec![ready(), process("api", State::Failed, false)], "api failed", Mood::Trouble),
            (vec![ready(), crash_loop], "api crashed", Mood::Trouble),
            (vec![ready(), unhealthy.clone()], "web unhealthy", Mood::Trouble),
            (vec![process("api", State::Crashed, false), unhealthy], "api crashed", Mood::Trouble),
            (
                vec![process("api", State::Crashed, false), process("web", State::Crashed, false)],
                "2 crashed",
                Mood::Trouble,
            ),
        ] {
            let glance = glance(&processes);
            assert_eq!((glance.state.as_str(), glance.mood), (state, mood), "{processes:?}");
        }
    }
}
