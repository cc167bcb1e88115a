//! When to ask, and what the answers mean together: pure, the clock is the caller's.

use std::time::Duration;

use forge_api::HealthState;
use forge_config::model::HealthCheck;

/// A question or a wait that takes this much longer than it may has not been slow: the machine slept, or this process was
/// stopped. Nobody was asked meanwhile, so nothing is known of that time.
const SUSPENDED: Duration = Duration::from_secs(10);

/// Never busy, whatever is configured.
const LEAST_INTERVAL: Duration = Duration::from_millis(10);

/// The health of one run.
///
/// Times are the caller's, since the start of the process, by a clock that does not go back. Call [`ask`](Self::ask) when
/// the next question is [`due`](Self::due), put it, and pass the outcome to [`answer`](Self::answer).
///
/// It is `starting` until the first success. `retries` failures in a row make it `unhealthy`; those within `start_period`
/// do not count, unless it was healthy before (as docker has it). One success makes it `healthy`.
#[derive(Debug, Clone)]
pub struct HealthMachine {
    interval: Duration,
    start_interval: Duration,
    start_period: Duration,
    timeout: Duration,
    retries: u32,
    state: HealthState,
    was_healthy: bool,
    /// In a row, that count.
    failures: u32,
    due: Duration,
    asked: Duration,
    /// The time that was slept through: it is no part of the start period.
    slept: Duration,
}

impl HealthMachine {
    /// Nothing asked yet; the first question is due at once.
    #[must_use]
    pub fn new(check: &HealthCheck, now: Duration) -> Self {
        Self {
            interval: check.interval.max(LEAST_INTERVAL),
            start_interval: check.start_interval.max(LEAST_INTERVAL),
            start_period: check.start_period,
            timeout: check.timeout,
            retries: check.retries.max(1),
            state: HealthState::Starting,
            was_healthy: false,
            failures: 0,
            due: now,
            asked: now,
            slept: Duration::ZERO,
        }
    }

    /// The same for a run of which somebody else has asked before, and come to know this of it.
    #[must_use]
    pub fn going_on(check: &HealthCheck, now: Duration, known: HealthState) -> Self {
        let known = if known == HealthState::None { HealthState::Starting } else { known };
        // What is unhealthy is past its start either way.
        Self { state: known, was_healthy: known != HealthState::Starting, ..Self::new(check, now) }
    }

    /// Starting, healthy or unhealthy.
    #[must_use]
    pub fn state(&self) -> HealthState {
        self.state
    }

    /// When to ask next.
    #[must_use]
    pub fn due(&self) -> Duration {
        self.due
    }

    /// Something has happened that may change the answer: the next question is due at once.
    pub fn nudge(&mut self, now: Duration) {
        self.due = self.due.min(now);
    }

    /// A question is put now.
    pub fn ask(&mut self, now: Duration) {
        self.asked = now;
        let late = now.saturating_sub(self.due);
        if late > SUSPENDED {
            self.sleep(late);
            self.due = now;
        }
    }

    /// The question that was put last has been answered.
    pub fn answer(&mut self, now: Duration, healthy: bool) -> HealthState {
        let overtime = now.saturating_sub(self.asked).saturating_sub(self.timeout);
        if overtime > SUSPENDED {
            self.sleep(overtime);
        }
        if healthy {
            self.was_healthy = true;
            self.failures = 0;
            self.state = HealthState::Healthy;
        } else if overtime <= SUSPENDED && self.counts() {
            self.failures = self.failures.saturating_add(1);
            if self.failures >= self.retries {
                self.state = HealthState::Unhealthy;
            }
        }
        self.due = self.next_after(now);
        self.state
    }

    /// Failures from before do not add up with those from after.
    fn sleep(&mut self, duration: Duration) {
        self.slept = self.slept.saturating_add(duration);
        self.failures = 0;
    }

    fn counts(&self) -> bool {
        self.was_healthy || self.asked.saturating_sub(self.slept) >= self.start_period
    }

    /// A whole number of intervals after the last question was due: neither the answers' nor the timer's delays add up,
    /// and what could not be asked in time is not made up for.
    fn next_after(&self, now: Duration) -> Duration {
        let interval = if self.was_healthy { self.interval } else { self.start_interval };
        let passed = now.saturating_sub(self.due).as_nanos() / interval.as_nanos();
        let intervals = u32::try_from(passed + 1).unwrap_or(u32::MAX);
        self.due.saturating_add(interval.saturating_mul(intervals))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use forge_api::HealthState::{self, Healthy, Starting, Unhealthy};
    use forge_config::model::{HealthCheck, Probe};
    use proptest::prelude::*;

    use super::{HealthMachine, SUSPENDED};

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn check(start_period: Duration) -> HealthCheck {
        HealthCheck {
            probe: Probe::Tcp("localhost:1".into()),
            interval: ms(2000),
            timeout: ms(1000),
            retries: 3,
            start_period,
            start_interval: ms(100),
        }
    }

    /// Asks when it is due, with answers that take no time.
    fn states(machine: &mut HealthMachine, answers: &[bool]) -> Vec<HealthState> {
        let put = |healthy: &bool| {
            let now = machine.due();
            machine.ask(now);
            machine.answer(now, *healthy)
        };
        answers.iter().map(put).collect()
    }

    #[test]
    fn whoever_goes_on_begins_with_what_was_known() {
        let going_on = |known| HealthMachine::going_on(&check(ms(0)), ms(60_000), known);
        let answers = [false, false, false, true];
        for (known, expected) in [
            (Healthy, [Healthy, Healthy, Unhealthy, Healthy]),
            (Unhealthy, [Unhealthy, Unhealthy, Unhealthy, Healthy]),
            (Starting, [Starting, Starting, Unhealthy, Healthy]),
            (HealthState::None, [Starting, Starting, Unhealthy, Healthy]),
        ] {
            assert_eq!(states(&mut going_on(known), &answers), expected, "{known:?}");
        }
        let mut healthy = going_on(Healthy);
        healthy.ask(ms(60_000));
        healthy.answer(ms(60_001), false);
        assert_eq!(healthy.due(), ms(62_000), "asked at the pace of what has started");
    }

    #[test]
    fn answers_make_states() {
        let (no, ok) = (false, true);
        let period = ms(30_000);
        for (what, start_period, answers, expected) in [
            ("a success", period, &[ok][..], &[Healthy][..]),
            ("a failure in the start period", period, &[no, no, no, no], &[Starting; 4]),
            ("no start period", ms(0), &[no, no, no], &[Starting, Starting, Unhealthy]),
            (
                "a success in between",
                ms(0),
                &[no, no, ok, no, no],
                &[Starting, Starting, Healthy, Healthy, Healthy],
            ),
            (
                "a success ends the start period",
                period,
                &[ok, no, no, no],
                &[Healthy, Healthy, Healthy, Unhealthy],
            ),
            ("recovery", ms(0), &[no, no, no, ok], &[Starting, Starting, Unhealthy, Healthy]),
            (
                "the end of the start period",
                ms(150),
                &[no, no, no, no, no],
                &[Starting, Starting, Starting, Starting, Unhealthy],
            ),
        ] {
            let mut machine = HealthMachine::new(&check(start_period), ms(0));
            assert_eq!(states(&mut machine, answers), expected, "{what}");
        }
    }

    #[test]
    fn it_asks_often_until_it_is_first_healthy() {
        let mut machine = HealthMachine::new(&check(ms(30_000)), ms(40));
        let mut due = vec![machine.due()];
        for healthy in [false, false, true, true, false] {
            states(&mut machine, &[healthy]);
            due.push(machine.due());
        }
        assert_eq!(due, [40, 140, 240, 2240, 4240, 6240].map(ms), "the moments");
    }

    #[test]
    fn delays_do_not_add_up() {
        let mut machine = HealthMachine::new(&check(ms(0)), ms(0));
        machine.ask(ms(7));
        machine.answer(ms(30), true);
        assert_eq!(machine.due(), ms(2000), "from when it was due, not from when it was asked or answered");
        machine.ask(ms(2005));
        machine.answer(ms(7000), true);
        assert_eq!(machine.due(), ms(8000), "what was missed is not made up for");
    }

    #[test]
    fn a_nudge_asks_at_once_and_never_later() {
        let mut machine = HealthMachine::new(&check(ms(0)), ms(0));
        states(&mut machine, &[true]);
        machine.nudge(ms(500));
        assert_eq!(machine.due(), ms(500), "before the interval is over");
        machine.nudge(ms(900));
        assert_eq!(machine.due(), ms(500), "one that is due stays due");
    }

    #[test]
    fn an_hour_of_suspension_is_no_failure() {
        let hour = ms(3_600_000);
        let mut machine = HealthMachine::new(&check(ms(0)), ms(0));
        states(&mut machine, &[true, false, false]);
        let awake = machine.due() + hour;
        machine.ask(awake);
        assert_eq!(machine.answer(awake, false), Healthy, "the two before the sleep do not count any more");
        assert_eq!(machine.due(), awake + ms(2000), "one question after the sleep, not a thousand");
        machine.ask(machine.due());
        assert_eq!(machine.answer(machine.due() + hour, false), Healthy, "a question that was slept through");
        assert_eq!(
            states(&mut machine, &[false, false, false])[1..],
            [Healthy, Unhealthy],
            "awake, they count"
        );
    }

    #[test]
    fn a_start_period_goes_on_after_a_suspension() {
        let mut machine = HealthMachine::new(&check(ms(30_000)), ms(0));
        states(&mut machine, &[false]);
        machine.ask(ms(3_600_000));
        assert_eq!(machine.answer(ms(3_600_001), false), Starting, "it has had 100 ms of its 30 s");
        assert_eq!(states(&mut machine, &[false; 200]).last(), Some(&Starting), "and 20 s later too");
        assert_eq!(states(&mut machine, &[false; 200]).last(), Some(&Unhealthy), "but not for ever");
    }

    proptest! {
        #[test]
        fn whatever_happens_the_rules_hold(
            start_period in 0_u64..60_000,
            retries in 0_u32..6,
            steps in prop::collection::vec((0_u64..20_000, 0_u64..20_000, any::<bool>(), any::<bool>()), 1..60),
        ) {
            let check = HealthCheck { retries, ..check(ms(start_period)) };
            let mut machine = HealthMachine::new(&check, ms(0));
            let mut in_a_row = 0;
            let mut was = Starting;
            for (late, took, nudged, healthy) in steps {
                let asked = if nudged { machine.due() } else { machine.due() + ms(late) };
                machine.nudge(asked);
                machine.ask(asked);
                let answered = asked + ms(took);
                let state = machine.answer(answered, healthy);
                in_a_row = if healthy { 0 } else { in_a_row + 1 };
                prop_assert!(machine.due() > answered, "questions never overlap, and there is a pause");
                prop_assert!(machine.due() <= answered + check.interval, "and it goes on");
                prop_assert!(!healthy || state == Healthy, "one success is health");
                prop_assert!(state != Unhealthy || was == Unhealthy || in_a_row >= retries.max(1), "failures in a row");
                prop_assert!(state != Starting || was == Starting, "nothing starts twice");
                prop_assert!(
                    was == state || healthy || ms(took) <= check.timeout + SUSPENDED,
                    "what was slept through decides nothing"
                );
                was = state;
            }
        }
    }
}
