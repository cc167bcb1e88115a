//! The machine as tables of (state, input) → (state, effects), and as a whole under random input.

use std::time::Duration;

use forge_config::model::{RestartOn, RestartPolicy};
use forge_keeper::record::Exit;
use proptest::prelude::*;

use super::*;

const DELAY: Duration = Duration::from_secs(5);

fn rules() -> Rules {
    Rules {
        restart: RestartPolicy {
            on: RestartOn::Crash,
            delay: DELAY,
            max_crashes: 3,
            within: Duration::from_secs(600),
        },
        daemon: false,
        one_shot: false,
    }
}

fn machine(phase: Phase, wanted: bool) -> Machine {
    Machine { phase, wanted, ..Machine::default() }
}

fn running() -> Phase {
    Phase::Running { detached: false }
}

fn stopping(then: Then) -> Phase {
    Phase::Stopping { then, forced: false }
}

fn left() -> Vec<Left> {
    vec![(42, "node".to_owned())]
}

const FAILED: Exit = Exit::Code(1);

/// Effects in short, for tables.
fn short(effects: &[Effect]) -> String {
    let words: Vec<String> = effects
        .iter()
        .map(|effect| match effect {
            Effect::Launch => "launch".to_owned(),
            Effect::End { force: false } => "end".to_owned(),
            Effect::End { force: true } => "kill".to_owned(),
            Effect::Countdown(delay) => format!("countdown {}s", delay.as_secs()),
            Effect::CancelCountdown => "cancel".to_owned(),
            Effect::Happened(happening) => crate::words::happening(happening).0.to_owned(),
        })
        .collect();
    words.join(", ")
}

#[test]
fn each_input_leads_where_it_should() {
    let restarting = Phase::Restarting { delay: DELAY, exit: FAILED };
    let crashed = Phase::Crashed { exit: FAILED, left: Vec::new() };
    let exited = Phase::Exited { left: Vec::new() };
    let countdown = Then::Countdown { delay: DELAY, exit: FAILED };
    let ended = |exit, left| Input::Ended { exit, left };
    for (before, wanted, input, after, still_wanted, effects) in [
        (Phase::Stopped, false, Input::Start, Phase::Waiting, true, ""),
        (Phase::Waiting, true, Input::Go, Phase::Starting, true, "launch"),
        (Phase::Starting, true, Input::Go, Phase::Starting, true, ""),
        (Phase::Starting, true, Input::Launched, running(), true, "started"),
        (running(), true, Input::Start, running(), true, ""),
        (running(), true, Input::Stop, stopping(Then::Stay), false, "end"),
        (Phase::Starting, true, Input::Stop, stopping(Then::Stay), false, "end"),
        (Phase::Waiting, true, Input::Stop, Phase::Stopped, false, "stopped"),
        (restarting.clone(), true, Input::Stop, Phase::Stopped, false, "cancel, stopped"),
        (stopping(Then::Stay), false, Input::Stop, stopping(Then::Stay), false, ""),
        (stopping(Then::Stay), false, Input::Start, stopping(Then::Start), true, ""),
        (stopping(Then::Start), true, Input::Stop, stopping(Then::Stay), false, ""),
        (
            stopping(Then::Stay),
            false,
            Input::Kill,
            Phase::Stopping { then: Then::Stay, forced: true },
            false,
            "kill",
        ),
        (stopping(Then::Stay), false, Input::Empty { heir: None }, Phase::Stopped, false, "stopped"),
        (stopping(Then::Start), true, Input::Empty { heir: None }, Phase::Waiting, true, ""),
        (stopping(countdown), true, Input::Empty { heir: None }, restarting.clone(), true, "countdown 5s"),
        (stopping(Then::Stay), false, ended(FAILED, left()), stopping(Then::Stay), false, ""),
        (running(), true, Input::Restart, stopping(Then::Start), true, "restarting, end"),
        (restarting.clone(), true, Input::Restart, Phase::Waiting, true, "cancel"),
        (restarting.clone(), true, Input::Start, Phase::Waiting, true, "cancel"),
        (restarting.clone(), true, Input::Due, Phase::Waiting, true, ""),
        (running(), true, Input::Due, running(), true, ""),
        (running(), true, ended(Exit::Code(0), Vec::new()), exited.clone(), true, "exited"),
        (running(), true, ended(Exit::Code(0), left()), Phase::Exited { left: left() }, true, "exited"),
        (Phase::Exited { left: left() }, true, Input::Stop, stopping(Then::Stay), false, "end"),
        (Phase::Exited { left: left() }, true, Input::Start, stopping(Then::Start), true, "end"),
        (Phase::Exited { left: left() }, true, Input::Empty { heir: None }, exited.clone(), true, ""),
        (running(), true, ended(FAILED, Vec::new()), restarting.clone(), true, "crashed, countdown 5s"),
        (
            running(),
            true,
            ended(FAILED, left()),
            stopping(Then::Countdown { delay: DELAY, exit: FAILED }),
            true,
            "crashed, end",
        ),
        (crashed.clone(), true, Input::Start, Phase::Waiting, true, ""),
        (crashed, true, Input::Stop, Phase::Stopped, false, "stopped"),
        (
            Phase::Starting,
            true,
            Input::NotLaunched("no such file".into()),
            Phase::Failed { reason: "no such file".into(), exit: None, left: Vec::new() },
            true,
            "could not be started",
        ),
        (
            stopping(Then::Stay),
            false,
            Input::Survivors(left()),
            Phase::Failed { reason: "could not be ended: node (PID 42)".into(), exit: None, left: left() },
            false,
            "could not be ended",
        ),
    ] {
        let name = format!("{before:?} + {input:?}");
        let (now, happened) = machine(before, wanted).step(input, &rules(), 0);
        assert_eq!(now.phase, after, "{name}: where it leads");
        assert_eq!(now.wanted, still_wanted, "{name}: whether it is wanted");
        assert_eq!(short(&happened), effects, "{name}: what is done");
    }
}

#[test]
fn the_last_crash_within_the_window_is_not_restarted() {
    let mut machine = machine(running(), true);
    for (at, delay) in [(0, 5), (1_000, 10)] {
        let (next, effects) = machine.step(Input::Ended { exit: FAILED, left: Vec::new() }, &rules(), at);
        assert_eq!(short(&effects), format!("crashed, countdown {delay}s"), "crash at {at} ms");
        machine = Machine { phase: running(), ..next };
    }
    let (machine, effects) = machine.step(Input::Ended { exit: FAILED, left: Vec::new() }, &rules(), 2_000);
    assert!(matches!(machine.phase, Phase::Failed { .. }), "gave up: {machine:?}");
    assert_eq!(short(&effects), "crashed", "nothing follows");
}

#[test]
fn crashes_outside_the_window_do_not_count() {
    let mut machine = machine(running(), true);
    for at in [0, 700_000, 1_400_000, 2_100_000] {
        let (next, effects) = machine.step(Input::Ended { exit: FAILED, left: Vec::new() }, &rules(), at);
        assert_eq!(short(&effects), "crashed, countdown 5s", "crash at {at} ms");
        machine = Machine { phase: running(), ..next };
    }
}

#[test]
fn a_clock_that_jumps_back_neither_forgets_nor_keeps_crashes_for_ever() {
    let crash = || Input::Ended { exit: FAILED, left: Vec::new() };
    let (machine, _) = machine(running(), true).step(crash(), &rules(), 3_600_000);
    let (machine, effects) = Machine { phase: running(), ..machine }.step(crash(), &rules(), 0);
    assert_eq!(short(&effects), "crashed, countdown 5s", "an hour away");
    assert_eq!(machine.crashes, [0], "only the one that may still count");
}

#[test]
fn policies_decide_what_follows_an_end() {
    let with =
        |on, one_shot, daemon| Rules { restart: RestartPolicy { on, ..rules().restart }, one_shot, daemon };
    for (rules, exit, left_over, expected) in [
        (with(RestartOn::Never, false, false), FAILED, Vec::new(), "crashed"),
        (with(RestartOn::Never, false, false), Exit::Signal(11), Vec::new(), "crashed"),
        (with(RestartOn::Crash, false, false), Exit::Code(0), Vec::new(), "exited"),
        (with(RestartOn::Always, false, false), Exit::Code(0), Vec::new(), "countdown 5s"),
        (with(RestartOn::Always, true, false), Exit::Code(0), Vec::new(), "exited"),
        (with(RestartOn::Crash, false, false), Exit::Unknown, Vec::new(), "crashed, countdown 5s"),
        (with(RestartOn::Crash, false, true), Exit::Code(0), left(), ""),
        (with(RestartOn::Crash, false, true), Exit::Code(0), Vec::new(), "crashed, countdown 5s"),
        (with(RestartOn::Crash, false, true), FAILED, left(), "crashed, end"),
    ] {
        let (_, effects) =
            machine(running(), true).step(Input::Ended { exit, left: left_over.clone() }, &rules, 0);
        assert_eq!(short(&effects), expected, "{exit:?} with {left_over:?} under {rules:?}");
    }
}

#[test]
fn a_daemon_runs_for_as_long_as_its_tree() {
    let rules = Rules { daemon: true, ..rules() };
    let (machine, _) =
        machine(running(), true).step(Input::Ended { exit: Exit::Code(0), left: left() }, &rules, 0);
    assert_eq!(machine.phase, Phase::Running { detached: true }, "its command has returned");
    for (heir, expected) in [
        (None, "crashed, countdown 5s"),
        (Some(Exit::Signal(9)), "crashed, countdown 5s"),
        (Some(Exit::Code(0)), "exited"),
    ] {
        let (machine, effects) = machine.clone().step(Input::Empty { heir }, &rules, 0);
        assert_eq!(short(&effects), expected, "its service has ended with {heir:?}: {machine:?}");
    }
}

#[test]
fn the_countdown_grows_and_is_bounded() {
    for (delay, count, expected) in [(0, 9, 0), (5, 1, 5), (5, 3, 15), (5, 100, 60), (300, 2, 300)] {
        let delay = Duration::from_secs(delay);
        assert_eq!(backoff(delay, count), Duration::from_secs(expected), "{delay:?} after {count}");
    }
}

fn any_input() -> impl Strategy<Value = Input> {
    let exits = prop_oneof![Just(Exit::Code(0)), Just(FAILED), Just(Exit::Signal(9)), Just(Exit::Unknown)];
    let lefts = prop_oneof![Just(Vec::new()), Just(left())];
    prop_oneof![
        Just(Input::Start),
        Just(Input::Go),
        Just(Input::Stop),
        Just(Input::Kill),
        Just(Input::Restart),
        Just(Input::Launched),
        Just(Input::NotLaunched("no".into())),
        (exits, lefts).prop_map(|(exit, left)| Input::Ended { exit, left }),
        Just(Input::Empty { heir: None }),
        Just(Input::Survivors(left())),
        Just(Input::Due),
    ]
}

proptest! {
    /// I1 and I6, whatever happens in whatever order.
    #[test]
    fn no_second_tree_and_the_users_last_word_counts(inputs in prop::collection::vec(any_input(), 0..60)) {
        let mut machine = Machine::default();
        for (at, input) in inputs.into_iter().enumerate() {
            let alive = machine.phase.is_alive();
            let ends = matches!(input, Input::Survivors(_)) && matches!(machine.phase, Phase::Stopping { .. });
            let wish = match input {
                Input::Start | Input::Restart => Some(true),
                Input::Stop | Input::Kill => Some(false),
                _ => None,
            };
            let wanted = wish.unwrap_or(machine.wanted && !ends);
            let (next, effects) = machine.step(input.clone(), &rules(), i64::try_from(at).unwrap());
            prop_assert!(!(alive && effects.contains(&Effect::Launch)), "a second tree after {input:?}");
            prop_assert_eq!(next.wanted, wanted, "after {:?}", input);
            prop_assert!(
                !matches!(next.phase, Phase::Restarting { .. } | Phase::Waiting) || next.wanted,
                "{:?} although nobody wants it", next.phase
            );
            machine = next;
        }
    }
}
