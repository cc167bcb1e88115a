//! How a tree is ended: the container first, then one signal, a grace, and rounds of SIGKILL. Decisions only; what
//! they ask for is done elsewhere, so that the output goes on being read meanwhile.

use std::time::{Duration, Instant};

/// What the container's own client gets beyond the grace before the tree is ended around it.
const CONTAINER_EXTRA: Duration = Duration::from_secs(5);

/// From one round of killing to the next, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LAST_PAUSE: Duration = Duration::from_millis(100);

/// Whoever lives so long after the first SIGKILL hangs in the kernel, or is not ours to kill.
const KILLING: Duration = Duration::from_secs(3);

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) signal: i32,
    pub(crate) grace: Duration,
    pub(crate) force: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Run the container's stop command, or with `force` its kill command; then say [`Ending::container_ended`].
    Container { force: bool },
    /// Send this once to the whole tree.
    Signal(i32),
    /// Stop, look again, and kill what is there.
    Kill,
    /// Say who survived.
    Survivors,
}

/// Where the ending stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nobody has asked, or it is over.
    Idle,
    Container {
        until: Instant,
        then: Ask,
    },
    Grace {
        until: Instant,
    },
    Killing {
        next: Instant,
        pause: Duration,
        until: Instant,
    },
}

/// The ending of one tree.
#[derive(Debug)]
pub(crate) struct Ending {
    step: Step,
    has_container: bool,
}

impl Ending {
    pub(crate) fn new(has_container: bool) -> Self {
        Self { step: Step::Idle, has_container }
    }

    /// The supervisor asks, for the first time or again.
    pub(crate) fn ask(&mut self, ask: Ask, now: Instant) -> Vec<Act> {
        match self.step {
            Step::Idle if self.has_container => self.end_container(ask, now),
            Step::Idle => self.end_tree(ask, now),
            Step::Container { then, .. } if ask.force && !then.force => self.end_container(ask, now),
            Step::Container { ref mut until, .. } => {
                *until = (*until).min(now + ask.grace + CONTAINER_EXTRA);
                Vec::new()
            }
            Step::Grace { .. } if ask.force => self.end_tree(ask, now),
            // It had its signal; a second one makes many a program leave without cleaning up.
            Step::Grace { ref mut until } => {
                *until = (*until).min(now + ask.grace);
                Vec::new()
            }
            Step::Killing { .. } => Vec::new(),
        }
    }

    /// The container's command has ended, or there was nothing for it to do.
    pub(crate) fn container_ended(&mut self, now: Instant) -> Vec<Act> {
        match self.step {
            Step::Container { then, .. } => self.end_tree(then, now),
            _ => Vec::new(),
        }
    }

    /// Nothing of the tree is left.
    pub(crate) fn tree_ended(&mut self) {
        // The container is not in the tree: its command may go on.
        if !matches!(self.step, Step::Container { .. }) {
            self.step = Step::Idle;
        }
    }

    /// When [`Ending::act`] is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.step {
            Step::Idle => None,
            Step::Container { until, .. } | Step::Grace { until } => Some(until),
            Step::Killing { next, .. } => Some(next),
        }
    }

    /// What is to be done because of the time.
    pub(crate) fn act(&mut self, now: Instant) -> Vec<Act> {
        if self.deadline().is_none_or(|at| now < at) {
            return Vec::new();
        }
        match self.step {
            Step::Idle => Vec::new(),
            Step::Container { then, .. } => self.end_tree(then, now),
            Step::Grace { .. } => self.kill(now),
            Step::Killing { until, .. } if now >= until => {
                self.step = Step::Idle;
                vec![Act::Survivors]
            }
            Step::Killing { pause, until, .. } => {
                let pause = (pause * 2).min(LAST_PAUSE);
                self.step = Step::Killing { next: now + pause, pause, until };
                vec![Act::Kill]
            }
        }
    }

    /// The container's command runs, or the wait for it.
    pub(crate) fn is_at_container(&self) -> bool {
        matches!(self.step, Step::Container { .. })
    }

    fn end_container(&mut self, ask: Ask, now: Instant) -> Vec<Act> {
        let patience = if ask.force { CONTAINER_EXTRA } else { ask.grace + CONTAINER_EXTRA };
        self.step = Step::Container { until: now + patience, then: ask };
        vec![Act::Container { force: ask.force }]
    }

    fn end_tree(&mut self, ask: Ask, now: Instant) -> Vec<Act> {
        if ask.force {
            return self.kill(now);
        }
        self.step = Step::Grace { until: now + ask.grace };
        vec![Act::Signal(ask.signal)]
    }

    fn kill(&mut self, now: Instant) -> Vec<Act> {
        self.step = Step::Killing { next: now + FIRST_PAUSE, pause: FIRST_PAUSE, until: now + KILLING };
        vec![Act::Kill]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: i32 = 15;

    /// What happens in a scenario, at milliseconds from its start.
    enum Event {
        Stop,
        Force,
        ContainerEnded,
        TreeEnded,
        Time,
    }

    /// Its name, whether there is a container, what happens, and what is done.
    type Scenario = (&'static str, bool, &'static [(u64, Event)], &'static [(u64, Act)]);

    fn run(has_container: bool, events: &[(u64, Event)]) -> Vec<(u64, Vec<Act>)> {
        let start = Instant::now();
        let mut ending = Ending::new(has_container);
        let ask = |force| Ask { signal: TERM, grace: Duration::from_secs(10), force };
        let step = |(at, event): &(u64, Event)| {
            let now = start + Duration::from_millis(*at);
            let acts = match event {
                Event::Stop => ending.ask(ask(false), now),
                Event::Force => ending.ask(ask(true), now),
                Event::ContainerEnded => ending.container_ended(now),
                Event::TreeEnded => {
                    ending.tree_ended();
                    Vec::new()
                }
                Event::Time => ending.act(now),
            };
            (*at, acts)
        };
        events.iter().map(step).filter(|(_, acts)| !acts.is_empty()).collect()
    }

    #[test]
    fn each_scenario_does_what_it_should() {
        use Event::{ContainerEnded, Force, Stop, Time, TreeEnded};
        const STOP_CONTAINER: Act = Act::Container { force: false };
        const KILL_CONTAINER: Act = Act::Container { force: true };
        const SIGNAL: Act = Act::Signal(TERM);
        let scenarios: [Scenario; 11] = [
            ("nothing happens unasked", false, &[(0, Time), (99_000, Time)], &[]),
            ("it ends in its grace", false, &[(0, Stop), (5, TreeEnded), (20_000, Time)], &[(0, SIGNAL)]),
            ("it is signalled once", false, &[(0, Stop), (1, Stop), (2, Time)], &[(0, SIGNAL)]),
            (
                "after the grace it is killed, again and again",
                false,
                &[(0, Stop), (9_999, Time), (10_000, Time), (10_002, Time), (10_003, Time), (10_006, Time)],
                &[(0, SIGNAL), (10_000, Act::Kill), (10_002, Act::Kill), (10_006, Act::Kill)],
            ),
            ("force does not wait", false, &[(0, Force), (1, TreeEnded), (2, Time)], &[(0, Act::Kill)]),
            ("force cuts the grace", false, &[(0, Stop), (50, Force)], &[(0, SIGNAL), (50, Act::Kill)]),
            (
                "who can't be killed is named, and can be tried again",
                false,
                &[(0, Force), (3_000, Time), (4_000, Time), (5_000, Force)],
                &[(0, Act::Kill), (3_000, Act::Survivors), (5_000, Act::Kill)],
            ),
            (
                "a container is stopped before its client",
                true,
                &[(0, Stop), (1, Time), (900, ContainerEnded), (10_900, Time)],
                &[(0, STOP_CONTAINER), (900, SIGNAL), (10_900, Act::Kill)],
            ),
            (
                "a container's command that hangs is not waited for",
                true,
                &[(0, Stop), (14_999, Time), (15_000, Time)],
                &[(0, STOP_CONTAINER), (15_000, SIGNAL)],
            ),
            (
                "force kills a container that takes its time",
                true,
                &[(0, Stop), (100, Force), (200, ContainerEnded)],
                &[(0, STOP_CONTAINER), (100, KILL_CONTAINER), (200, Act::Kill)],
            ),
            (
                "a container outlives its client: its command still runs",
                true,
                &[(0, Stop), (10, TreeEnded), (900, ContainerEnded)],
                &[(0, STOP_CONTAINER), (900, SIGNAL)],
            ),
        ];
        for (name, has_container, events, expected) in scenarios {
            let expected: Vec<_> = expected.iter().map(|(at, act)| (*at, vec![*act])).collect();
            assert_eq!(run(has_container, events), expected, "{name}");
        }
    }

    #[test]
    fn an_idle_keeper_has_no_timer() {
        let mut ending = Ending::new(false);
        assert_eq!(ending.deadline(), None, "before");
        ending.ask(Ask { signal: TERM, grace: Duration::ZERO, force: false }, Instant::now());
        assert!(ending.deadline().is_some(), "during");
        ending.tree_ended();
        assert_eq!(ending.deadline(), None, "after");
    }
}
