//! From the end of the main process to the end of the keeper, and what is mended on the way.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::time::{Duration, Instant};

use forge_keeper::message::Report;
use forge_keeper::record::{Ended, Exit, Record};
use forge_system::{ProcessId, Signal};

use super::keeper::{Keeper, Life};
use super::spawn::{self, now};
use super::{complain, hold, hygiene, take_lock};
use crate::ending::{Act, Ask};
use crate::{container, journal};

/// Output that was written before an end is read for so long at most: others of the tree may write without pause.
const DRAIN: Duration = Duration::from_millis(500);

/// From the end of everything to the keeper's, for whoever is still connected.
const LINGER: Duration = Duration::from_secs(5);

/// The supervisor that started this keeper connects within this time; one that has not by then is gone.
const FIRST_CLIENT: Duration = Duration::from_secs(2);

/// A container's client that has just been started is given so long to write the container's id.
const ID_COMES: Duration = Duration::from_secs(2);
const LOOK_FOR_ID: Duration = Duration::from_millis(50);

/// What the tree of a container's client gets when that client was killed by somebody else.
const ORPHANED_CONTAINER: Ask = Ask { signal: libc::SIGTERM, grace: Duration::from_secs(10), force: false };

/// The stop or kill command of a container: waited for, or running.
#[derive(Debug, Default)]
pub(super) struct ContainerCommand {
    wanted: Option<Wanted>,
    running: Option<ProcessId>,
}

#[derive(Debug, Clone, Copy)]
struct Wanted {
    force: bool,
    look_at: Instant,
    until: Instant,
}

impl ContainerCommand {
    /// When to look for the container's id again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.wanted.map(|wanted| wanted.look_at)
    }
}

impl Keeper {
    /// A process ended.
    pub(super) fn ended(&mut self, ended: hold::Ended, now: Instant) {
        match ended {
            hold::Ended::Main(exit) => self.main_ended(exit, now),
            hold::Ended::Command(command) if self.container.running == Some(command) => {
                self.container.running = None;
                self.container_ended(now);
            }
            hold::Ended::Command(_) => {}
        }
    }

    /// The main process ended; `None` if nobody knows how.
    pub(super) fn main_ended(&mut self, exit: Option<forge_system::Exit>, now: Instant) {
        let exit = exit_of(exit, self.spec.shell_status);
        if let Some(output) = &mut self.output {
            output.drain_all();
        }
        self.life = Life::Draining { exit, time: spawn::now(), until: now + DRAIN };
    }

    /// Goes on to what follows, as far as that is possible now.
    pub(super) fn progress(&mut self, now: Instant) {
        let is_drained = |keeper: &Self| keeper.output.as_ref().is_none_or(super::output::Output::is_drained);
        if let Life::Draining { exit, time, until } = self.life
            && (is_drained(self) || now >= until)
        {
            self.tell_exit(exit, time, now);
        }
        if matches!(self.life, Life::Left) && self.hold.is_empty(now) {
            self.ending.tree_ended();
            if !self.ending.is_at_container() {
                if let Some(output) = &mut self.output {
                    output.drain_all();
                }
                self.life = Life::Closing { until: now + DRAIN };
            }
        }
        if let Life::Closing { until } = self.life
            && (is_drained(self) || now >= until)
        {
            self.tell_empty(now);
        }
        self.call_supervisor(now);
    }

    /// When the life goes on without an event.
    pub(super) fn life_deadline(&self) -> Option<Instant> {
        let first_client = (self.untold && self.clients.is_empty()).then_some(self.began + FIRST_CLIENT);
        let life = match self.life {
            Life::Draining { until, .. } | Life::Closing { until } => Some(until),
            Life::Empty { leave_at, .. } => Some(leave_at),
            Life::Running | Life::Left => None,
        };
        first_client.into_iter().chain(life).min()
    }

    /// What it had written is in the log: only now its end is told.
    fn tell_exit(&mut self, exit: Exit, time: i64, now: Instant) {
        self.life = Life::Left;
        self.untold = !self.requested;
        if let Some(output) = &mut self.output {
            output.mark(&exit.line(self.spec.number, self.requested));
        }
        self.journal.append(Record::Exited { exit, time });
        self.journal.end(Ended { exit: Some(exit), message: None, time, requested: self.requested });
        let left = self.hold.left_behind();
        self.tell_written_first(now);
        self.clients.tell_all(&Report::Exited { exit, time, left });
        self.clients.end_told();
        let was_killed = !matches!(exit, Exit::Code(_));
        if self.spec.container.is_some() && was_killed && !self.requested {
            // The client took its signal, the container did not: nobody else would end it.
            let acts = self.ending.ask(ORPHANED_CONTAINER, now);
            self.perform(acts, now);
        }
    }

    fn tell_empty(&mut self, instant: Instant) {
        let time = now();
        if let Some(output) = self.output.take() {
            self.position = Some(output.finish());
        }
        self.input.close();
        self.screen = super::keeper::Screen::default();
        let heir = self.hold.heir_exit().map(|exit| exit_of(Some(exit), false));
        self.journal.append(Record::Empty { time, heir });
        self.tell_written_first(instant);
        self.clients.tell_all(&Report::Empty { time, heir });
        self.life = Life::Empty { time, heir, leave_at: instant + LINGER };
    }

    /// If nobody knows of the end, starts somebody who decides what comes next.
    fn call_supervisor(&mut self, now: Instant) {
        if !self.untold || matches!(self.life, Life::Running | Life::Draining { .. }) {
            return;
        }
        if self.clients.is_end_known() {
            self.untold = false;
            return;
        }
        let may_come = !self.clients.had_any() && now < self.began + FIRST_CLIENT;
        if may_come || !self.clients.is_empty() {
            return;
        }
        self.untold = false;
        let Some(argv) = self.spec.supervisor.clone().filter(|_| self.state_folder.exists()) else { return };
        if let Err(error) = spawn::start_supervisor(&argv, self.umask) {
            complain(&format!("cannot start a supervisor ({}): {error}", argv.join(" ")));
        }
        self.hold.is_incomplete();
    }

    /// The run is over, written down, and everybody who should know does.
    pub(super) fn may_leave(&self, now: Instant) -> bool {
        let Life::Empty { leave_at, .. } = self.life else { return false };
        let recorded = !self.journal.is_pending() || !self.state_folder.exists();
        let known = self.clients.is_empty() && !self.untold;
        recorded && (known || now >= leave_at)
    }

    /// A supervisor wants the end.
    pub(super) fn record_ending(&mut self, force: bool) {
        self.requested = true;
        self.journal.append(Record::Ending { force, time: now() });
    }

    /// Carries out what the ending decided.
    pub(super) fn perform(&mut self, acts: Vec<Act>, now: Instant) {
        for act in acts {
            match act {
                Act::Container { force } => {
                    self.container.wanted = Some(Wanted { force, look_at: now, until: now + ID_COMES });
                    self.drive_container(now);
                }
                Act::Signal(number) => {
                    if let Some(signal) = Signal::from_raw(number) {
                        self.hold.signal_all(signal);
                    }
                }
                Act::Kill => self.survivors = self.hold.kill(),
                Act::Survivors => {
                    let processes = std::mem::take(&mut self.survivors);
                    self.clients.tell_all(&Report::Survivors { processes });
                }
            }
        }
    }

    /// Runs the container's command as soon as the container has a name.
    pub(super) fn drive_container(&mut self, now: Instant) {
        let Some(wanted) = self.container.wanted.filter(|wanted| now >= wanted.look_at) else { return };
        let Some(container) = &self.spec.container else { return };
        match container::command(container, wanted.force) {
            Some(argv) => {
                self.container.wanted = None;
                match spawn::start_container_command(&self.spec, &argv, self.umask) {
                    Ok(command) => {
                        self.hold.spare(command);
                        self.container.running = Some(command);
                    }
                    Err(error) => {
                        complain(&format!("cannot run {}: {error}", argv.join(" ")));
                        self.container_ended(now);
                    }
                }
            }
            // A client that is gone without a trace has made no container.
            None if now >= wanted.until || self.hold.main().is_none() => {
                self.container.wanted = None;
                self.container_ended(now);
            }
            None => self.container.wanted = Some(Wanted { look_at: now + LOOK_FOR_ID, ..wanted }),
        }
    }

    fn container_ended(&mut self, now: Instant) {
        let acts = self.ending.container_ended(now);
        self.perform(acts, now);
    }

    /// Notices from now on when somebody deletes what this run needs.
    pub(super) fn watch_files(&mut self) {
        let lock = self.folder.lock();
        self.guard.watch([lock.as_path(), self.spec.logs.as_path(), self.spec.socket.as_path()]);
    }

    /// Looks after the files: what was deleted is made again, what could not be written is tried once more.
    pub(super) fn mend(&mut self, now: Instant) {
        if !self.state_folder.exists() {
            return;
        }
        self.journal.settle();
        let mut well = true;
        if !super::names(&self.folder.lock(), &self.lock) {
            well &= self.tried("make the run folder again", Self::remake_folder);
        }
        if let Some(output) = &mut self.output {
            output.writer().heal(forge_logs::Stamp::now());
            well &= !output.writer().needs_heal();
        }
        if !self.clients.is_reachable() {
            well &= self.tried("listen again", |keeper| keeper.clients.listen());
        }
        self.watch_files();
        if well && !self.journal.is_pending() {
            self.guard.is_well(now);
        } else {
            self.guard.try_later(now);
        }
    }

    fn tried(&mut self, what: &str, act: impl FnOnce(&mut Self) -> io::Result<()>) -> bool {
        let outcome = act(self);
        if let Err(error) = &outcome {
            complain(&format!("cannot {what}: {error}"));
        }
        outcome.is_ok()
    }

    /// Everything but the FIFOs: a file without a name can't be given one, but is found through who has it open.
    fn remake_folder(&mut self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(self.folder.path())?;
        self.lock = take_lock(&self.folder.lock())?.ok_or(io::ErrorKind::WouldBlock)?;
        hygiene::redirect_complaints(&self.folder.log())?;
        journal::write_whole(&self.folder.spec(), &serde_json::to_vec(&self.spec)?)?;
        self.journal.rewrite()
    }
}

/// How the main process ended, as it is told.
fn exit_of(exit: Option<forge_system::Exit>, shell_status: bool) -> Exit {
    match exit {
        None => Exit::Unknown,
        Some(forge_system::Exit::Signal(signal)) => Exit::Signal(signal.as_raw()),
        // What a shell says when the command that it ran was ended by a signal.
        Some(forge_system::Exit::Code(code)) if shell_status && Signal::from_raw(code - 128).is_some() => {
            Exit::Signal(code - 128)
        }
        Some(forge_system::Exit::Code(code)) => Exit::Code(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shells_status_stands_for_a_signal() {
        use forge_system::Exit::{Code, Signal as Killed};
        let cases = [
            (Some(Code(0)), true, Exit::Code(0)),
            (Some(Code(143)), true, Exit::Signal(15)),
            (Some(Code(143)), false, Exit::Code(143)),
            (Some(Code(128)), true, Exit::Code(128)),
            (Some(Code(255)), true, Exit::Code(255)),
            (Some(Killed(Signal::KILL)), false, Exit::Signal(9)),
            (None, true, Exit::Unknown),
        ];
        for (exit, shell_status, expected) in cases {
            assert_eq!(exit_of(exit, shell_status), expected, "{exit:?}, shell_status {shell_status}");
        }
    }
}
