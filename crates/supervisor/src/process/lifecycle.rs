//! What a process does next: a pure function of what it is and what happened.
//!
//! [`Machine::step`] takes no clock, starts nothing and knows no keeper: it answers with [`Effect`]s, which the
//! core carries out. Whether dependencies hold is the core's to say ([`Input::Go`]), since it sees all processes.

use std::time::Duration;

use forge_config::model::{RestartOn, RestartPolicy};
use forge_keeper::record::Exit;

/// A process that outlived the main one: PID and name.
pub(crate) type Left = (u32, String);

/// What of the configuration the lifecycle depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    pub restart: RestartPolicy,
    pub daemon: bool,
    pub one_shot: bool,
}

/// One process as its owner sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Machine {
    pub phase: Phase,
    /// The user wants it to run: started, and not stopped since.
    pub wanted: bool,
    /// Since it was last started from a standstill.
    pub restarts: u32,
    /// When it crashed, in milliseconds since 1970; only those that may still count.
    pub crashes: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Phase {
    Stopped,
    /// For its dependencies.
    Waiting,
    /// Its keeper was asked for.
    Starting,
    Running {
        /// A `daemon` whose command has returned.
        detached: bool,
    },
    /// The tree is being ended.
    Stopping {
        then: Then,
        forced: bool,
    },
    /// The tree is gone, the countdown runs.
    Restarting {
        delay: Duration,
        exit: Exit,
    },
    /// By itself, with 0.
    Exited {
        left: Vec<Left>,
    },
    /// And stays so, by its policy.
    Crashed {
        exit: Exit,
        left: Vec<Left>,
    },
    /// Gave up, or could not be started, or could not be ended.
    Failed {
        reason: String,
        exit: Option<Exit>,
        left: Vec<Left>,
    },
}

/// What follows once the tree is empty.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Then {
    Stay,
    Start,
    /// After a crash whose leftovers are being cleared.
    Countdown {
        delay: Duration,
        exit: Exit,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    /// The user, or a start that it is part of.
    Start,
    /// Its dependencies' conditions hold.
    Go,
    Stop,
    Kill,
    /// The user, a changed configuration or a changed file.
    Restart,
    /// It could not even be tried: what it needs is not there (any more).
    Refused(String),
    /// The keeper says that the command runs.
    Launched,
    /// The keeper says that it could not be run.
    NotLaunched(String),
    /// The main process ended; these live on.
    Ended {
        exit: Exit,
        left: Vec<Left>,
    },
    /// The tree is empty and its output stored. `heir` is how a daemon ended that its command had left behind.
    Empty {
        heir: Option<Exit>,
    },
    /// These could not be ended.
    Survivors(Vec<Left>),
    /// The countdown is over.
    Due,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Start a run.
    Launch,
    /// End the run's tree.
    End {
        force: bool,
    },
    /// [`Input::Due`] after this long.
    Countdown(Duration),
    CancelCountdown,
    /// For the history.
    Happened(Happening),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Happening {
    Started,
    Stopped,
    Exited {
        left: Vec<Left>,
    },
    /// `count` crashes within the window; what follows.
    Crashed {
        exit: Exit,
        count: u32,
        next: AfterCrash,
    },
    NotStarted {
        reason: String,
    },
    Restarting,
    Survived {
        left: Vec<Left>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum AfterCrash {
    Restart(Duration),
    Stay,
    /// Too many crashes within this time.
    GiveUp(Duration),
}

impl Default for Machine {
    fn default() -> Self {
        Self { phase: Phase::Stopped, wanted: false, restarts: 0, crashes: Vec::new() }
    }
}

impl Phase {
    /// A tree of it may live.
    pub(crate) fn is_alive(&self) -> bool {
        match self {
            Self::Starting | Self::Running { .. } | Self::Stopping { .. } => true,
            Self::Exited { left } | Self::Crashed { left, .. } | Self::Failed { left, .. } => {
                !left.is_empty()
            }
            Self::Stopped | Self::Waiting | Self::Restarting { .. } => false,
        }
    }
}

/// The longest countdown.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// Grows with each crash inside the window: one, two, three … times the configured delay.
pub(crate) fn backoff(delay: Duration, count: u32) -> Duration {
    delay.saturating_mul(count.max(1)).min(MAX_DELAY.max(delay))
}

impl Machine {
    /// The next state, and what must be done. `now` is in milliseconds since 1970.
    pub(crate) fn step(mut self, input: Input, rules: &Rules, now: i64) -> (Self, Vec<Effect>) {
        let effects = match input {
            Input::Start => self.start(),
            Input::Go => self.go(),
            Input::Stop => self.end(false),
            Input::Kill => self.end(true),
            Input::Restart => self.restart(),
            Input::Refused(reason) | Input::NotLaunched(reason) => self.not_launched(reason),
            Input::Launched => self.launched(),
            Input::Ended { exit, left } => self.ended(exit, left, rules, now),
            Input::Empty { heir } => self.empty(heir, rules, now),
            Input::Survivors(left) => self.survivors(left),
            Input::Due => self.due(),
        };
        (self, effects)
    }

    fn start(&mut self) -> Vec<Effect> {
        self.wanted = true;
        match &mut self.phase {
            Phase::Waiting | Phase::Starting | Phase::Running { .. } => Vec::new(),
            Phase::Stopping { then, .. } => {
                *then = Then::Start;
                Vec::new()
            }
            Phase::Restarting { .. } => {
                self.phase = Phase::Waiting;
                vec![Effect::CancelCountdown]
            }
            Phase::Exited { left } | Phase::Crashed { left, .. } | Phase::Failed { left, .. }
                if !left.is_empty() =>
            {
                self.begin_anew();
                self.phase = Phase::Stopping { then: Then::Start, forced: false };
                vec![Effect::End { force: false }]
            }
            Phase::Stopped | Phase::Exited { .. } | Phase::Crashed { .. } | Phase::Failed { .. } => {
                self.begin_anew();
                self.phase = Phase::Waiting;
                Vec::new()
            }
        }
    }

    /// A start from a standstill forgives what was.
    fn begin_anew(&mut self) {
        self.restarts = 0;
        self.crashes.clear();
    }

    fn go(&mut self) -> Vec<Effect> {
        if self.phase != Phase::Waiting {
            return Vec::new();
        }
        self.phase = Phase::Starting;
        vec![Effect::Launch]
    }

    fn end(&mut self, force: bool) -> Vec<Effect> {
        self.wanted = false;
        match &mut self.phase {
            Phase::Stopping { then, forced } => {
                *then = Then::Stay;
                let escalate = force && !*forced;
                *forced |= force;
                if escalate { vec![Effect::End { force: true }] } else { Vec::new() }
            }
            phase if phase.is_alive() => {
                *phase = Phase::Stopping { then: Then::Stay, forced: force };
                vec![Effect::End { force }]
            }
            Phase::Restarting { .. } => {
                self.phase = Phase::Stopped;
                vec![Effect::CancelCountdown, Effect::Happened(Happening::Stopped)]
            }
            Phase::Stopped => Vec::new(),
            phase => {
                *phase = Phase::Stopped;
                vec![Effect::Happened(Happening::Stopped)]
            }
        }
    }

    fn restart(&mut self) -> Vec<Effect> {
        self.wanted = true;
        // Whoever asks for a restart has done something about the crashes.
        self.crashes.clear();
        let from_standstill = self.phase == Phase::Stopped;
        let effects = match &mut self.phase {
            Phase::Waiting => return Vec::new(),
            Phase::Stopping { then, .. } => {
                *then = Then::Start;
                Vec::new()
            }
            phase if phase.is_alive() => {
                *phase = Phase::Stopping { then: Then::Start, forced: false };
                vec![Effect::Happened(Happening::Restarting), Effect::End { force: false }]
            }
            phase => {
                let counting = matches!(phase, Phase::Restarting { .. });
                *phase = Phase::Waiting;
                if counting { vec![Effect::CancelCountdown] } else { Vec::new() }
            }
        };
        if !from_standstill {
            self.restarts = self.restarts.saturating_add(1);
        }
        effects
    }

    fn not_launched(&mut self, reason: String) -> Vec<Effect> {
        match self.phase {
            Phase::Starting | Phase::Waiting | Phase::Running { .. } => {
                self.phase = Phase::Failed { reason: reason.clone(), exit: None, left: Vec::new() };
                vec![Effect::Happened(Happening::NotStarted { reason })]
            }
            // Its keeper is still there and says Empty next.
            _ => Vec::new(),
        }
    }

    fn launched(&mut self) -> Vec<Effect> {
        if self.phase != Phase::Starting {
            return Vec::new();
        }
        self.phase = Phase::Running { detached: false };
        vec![Effect::Happened(Happening::Started)]
    }

    fn ended(&mut self, exit: Exit, left: Vec<Left>, rules: &Rules, now: i64) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Starting | Phase::Running { .. } => {}
            // That it has ended is known; who is left may be news.
            Phase::Exited { left: known }
            | Phase::Crashed { left: known, .. }
            | Phase::Failed { left: known, .. } => {
                *known = left;
                return Vec::new();
            }
            _ => return Vec::new(),
        }
        let clean = exit == Exit::Code(0);
        if clean && rules.daemon && !left.is_empty() {
            self.phase = Phase::Running { detached: true };
            return Vec::new();
        }
        if clean && !rules.daemon { self.exited(left, rules) } else { self.crash(exit, left, rules, now) }
    }

    /// It ended by itself, with 0.
    fn exited(&mut self, left: Vec<Left>, rules: &Rules) -> Vec<Effect> {
        if rules.restart.on == RestartOn::Always && !rules.one_shot && self.wanted {
            return self.count_down(rules.restart.delay, Exit::Code(0), &left, Vec::new());
        }
        let effects = vec![Effect::Happened(Happening::Exited { left: left.clone() })];
        self.phase = Phase::Exited { left };
        effects
    }

    fn crash(&mut self, exit: Exit, left: Vec<Left>, rules: &Rules, now: i64) -> Vec<Effect> {
        let policy = &rules.restart;
        let within = i64::try_from(policy.within.as_millis()).unwrap_or(i64::MAX);
        // The distance, not the difference: after a jump of the clock a crash may lie in the future.
        self.crashes.retain(|at| now.abs_diff(*at) <= within.unsigned_abs());
        if !self.crashes.contains(&now) {
            self.crashes.push(now);
        }
        let count = u32::try_from(self.crashes.len()).unwrap_or(u32::MAX);
        let next = match policy.on {
            _ if !self.wanted => AfterCrash::Stay,
            RestartOn::Never => AfterCrash::Stay,
            RestartOn::Crash | RestartOn::Always if count >= policy.max_crashes => {
                AfterCrash::GiveUp(policy.within)
            }
            RestartOn::Crash | RestartOn::Always => AfterCrash::Restart(backoff(policy.delay, count)),
        };
        let happened = Effect::Happened(Happening::Crashed { exit, count, next });
        match next {
            AfterCrash::Restart(delay) => self.count_down(delay, exit, &left, vec![happened]),
            AfterCrash::Stay => {
                self.phase = Phase::Crashed { exit, left };
                vec![happened]
            }
            AfterCrash::GiveUp(within) => {
                let reason = crate::words::gave_up(count, within);
                self.phase = Phase::Failed { reason, exit: Some(exit), left };
                vec![happened]
            }
        }
    }

    fn count_down(
        &mut self,
        delay: Duration,
        exit: Exit,
        left: &[Left],
        mut effects: Vec<Effect>,
    ) -> Vec<Effect> {
        if left.is_empty() {
            self.phase = Phase::Restarting { delay, exit };
            effects.push(Effect::Countdown(delay));
        } else {
            self.phase = Phase::Stopping { then: Then::Countdown { delay, exit }, forced: false };
            effects.push(Effect::End { force: false });
        }
        effects
    }

    fn empty(&mut self, heir: Option<Exit>, rules: &Rules, now: i64) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Stopping { then, .. } => match std::mem::replace(then, Then::Stay) {
                Then::Stay => {
                    self.phase = Phase::Stopped;
                    vec![Effect::Happened(Happening::Stopped)]
                }
                Then::Start => {
                    self.phase = Phase::Waiting;
                    Vec::new()
                }
                Then::Countdown { delay, exit } => {
                    self.phase = Phase::Restarting { delay, exit };
                    vec![Effect::Countdown(delay)]
                }
            },
            Phase::Running { detached: true } if heir == Some(Exit::Code(0)) => {
                self.exited(Vec::new(), rules)
            }
            Phase::Running { detached: true } => {
                self.crash(heir.unwrap_or(Exit::Unknown), Vec::new(), rules, now)
            }
            Phase::Exited { left } | Phase::Crashed { left, .. } | Phase::Failed { left, .. } => {
                left.clear();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn survivors(&mut self, left: Vec<Left>) -> Vec<Effect> {
        if !matches!(self.phase, Phase::Stopping { .. }) {
            return Vec::new();
        }
        self.wanted = false;
        self.phase = Phase::Failed { reason: crate::words::survivors(&left), exit: None, left: left.clone() };
        vec![Effect::Happened(Happening::Survived { left })]
    }

    fn due(&mut self) -> Vec<Effect> {
        if !matches!(self.phase, Phase::Restarting { .. }) {
            return Vec::new();
        }
        self.restarts = self.restarts.saturating_add(1);
        self.phase = Phase::Waiting;
        Vec::new()
    }
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
