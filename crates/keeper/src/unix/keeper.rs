//! One keeper: how it takes its run, what it waits for, and what becomes of the child.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use forge_keeper::record::{Exit, Record};
use forge_keeper::spec::{RunFolder, Spec};
use forge_logs::Position;
use forge_system::{ProcessId, tree};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::Mode;

use super::clients::{ClientId, Clients};
use super::end::ContainerCommand;
use super::guard::Guard;
use super::hold::Hold;
use super::hygiene;
use super::input::Input;
use super::output::{Output, Taken};
use super::spawn::now;
use super::terminal::Replay;
use crate::ending::Ending;
use crate::journal::Journal;

/// A fault that comes back with every turn must not take a processor.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// What becomes of the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// The main process runs.
    Running,
    /// It ended; what it had written is being read.
    Draining { exit: Exit, time: i64, until: Instant },
    /// It ended, and this is recorded; others of its tree may live on.
    Left,
    /// Nobody is left; what they had written is being read.
    Closing { until: Instant },
    /// All is over and recorded. Whoever is connected has until `leave_at` to take note.
    Empty { time: i64, heir: Option<Exit>, leave_at: Instant },
}

/// The terminal of a `tty` run.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// Kept open for as long as the run lasts: closing the last one hangs up on the child.
    pub(super) master: Option<OwnedFd>,
    pub(super) replay: Replay,
    /// The keeper before was killed, and only a supervisor still has the master.
    pub(super) wanted: bool,
}

/// The holder of one run.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) folder: RunFolder,
    pub(super) spec: Spec,
    pub(super) lock: File,
    pub(super) umask: Mode,
    pub(super) journal: Journal,
    pub(super) clients: Clients,
    pub(super) hold: Hold,
    pub(super) life: Life,
    /// `None` once all is stored: the next run's keeper can have the log.
    pub(super) output: Option<Output>,
    pub(super) input: Input,
    pub(super) screen: Screen,
    pub(super) ending: Ending,
    pub(super) container: ContainerCommand,
    pub(super) survivors: Vec<(u32, String)>,
    /// A supervisor has asked for the end.
    pub(super) requested: bool,
    /// The main process ended by itself, and nobody knows yet.
    pub(super) untold: bool,
    pub(super) began: Instant,
    pub(super) guard: Guard,
    pub(super) state_folder: PathBuf,
    /// Where the log ends, or ended.
    pub(super) position: Option<Position>,
    /// When clients that follow the log are told again.
    written_at: Option<Instant>,
    children: File,
}

/// What can wake the keeper.
#[derive(Debug, Clone, Copy)]
enum Token {
    Children,
    Watch,
    Guard,
    Source(usize),
    Input,
    Listener,
    Client(ClientId),
}

impl Keeper {
    /// A keeper of this run, which holds its lock; nothing runs yet.
    pub(super) fn new(folder: RunFolder, spec: Spec, lock: File, umask: Mode) -> io::Result<Self> {
        let children = hygiene::watch_children()?;
        let mut journal = Journal::open(&folder)?;
        let own = ProcessId::current()?;
        journal.append(Record::Keeper { pid: own.pid, start: own.start, time: now() });
        Ok(Self {
            clients: Clients::new(&spec.socket),
            hold: Hold::new(tree::subreaper()),
            life: Life::Running,
            output: None,
            input: Input::default(),
            screen: Screen::default(),
            ending: Ending::new(spec.container.is_some()),
            container: ContainerCommand::default(),
            survivors: Vec::new(),
            requested: false,
            untold: false,
            began: Instant::now(),
            guard: Guard::new(),
            state_folder: super::guard::state_folder(folder.path(), &spec.logs),
            position: None,
            written_at: None,
            children,
            folder,
            spec,
            lock,
            umask,
            journal,
        })
    }

    /// Goes on until the run is over. A fault in one turn is no reason to leave the child alone.
    pub(super) fn keep(mut self) {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.turn())) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(_) => std::thread::sleep(AFTER_PANIC),
            }
        }
        self.clients.close();
    }

    fn turn(&mut self) -> ControlFlow<()> {
        let ready = self.wait();
        let now = Instant::now();
        for token in ready {
            self.handle(token, now);
        }
        let due = self.output.as_ref().map(Output::due).unwrap_or_default();
        for index in due.into_iter().rev() {
            self.pump(index);
        }
        self.act(now);
        self.progress(now);
        self.tell_written(now);
        if self.may_leave(now) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn wait(&self) -> Vec<Token> {
        let interests = self.interests();
        let mut polled: Vec<PollFd<'_>> =
            interests.iter().map(|(_, fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
        let patience = self.patience().map(|patience| Timespec {
            tv_sec: patience.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        });
        if rustix::event::poll(&mut polled, patience.as_ref()).is_err() {
            return Vec::new();
        }
        let ready = interests.iter().zip(&polled).filter(|(_, polled)| !polled.revents().is_empty());
        ready.map(|((token, ..), _)| *token).collect()
    }

    fn interests<'a>(&'a self) -> Vec<(Token, BorrowedFd<'a>, PollFlags)> {
        let mut interests = vec![(Token::Children, self.children.as_fd(), PollFlags::IN)];
        let mut add = |token, fd: Option<BorrowedFd<'a>>, flags| {
            interests.extend(fd.map(|fd| (token, fd, flags)));
        };
        add(Token::Watch, self.hold.watched(), PollFlags::IN);
        add(Token::Guard, self.guard.descriptor(), PollFlags::IN);
        add(Token::Input, self.input.waiting(), PollFlags::OUT);
        add(Token::Listener, self.clients.listener(), PollFlags::IN);
        for (index, fd) in self.output.iter().flat_map(Output::sources).enumerate() {
            add(Token::Source(index), Some(fd), PollFlags::IN);
        }
        for (id, fd, waiting) in self.clients.streams() {
            let flags = if waiting { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
            add(Token::Client(id), Some(fd), flags);
        }
        interests
    }

    /// How long to wait if nothing happens; `None` for ever.
    fn patience(&self) -> Option<Duration> {
        if self.output.as_ref().is_some_and(|output| !output.due().is_empty()) {
            return Some(Duration::ZERO);
        }
        let deadlines = [
            self.life_deadline(),
            self.output.as_ref().and_then(Output::deadline),
            self.ending.deadline(),
            self.container.deadline(),
            self.hold.deadline(),
            self.guard.deadline(),
            self.clients.deadline(),
            self.written_at,
        ];
        let next = deadlines.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn handle(&mut self, token: Token, now: Instant) {
        match token {
            Token::Children => {
                let mut bytes = [0; 64];
                while rustix::io::read(&self.children, &mut bytes).is_ok_and(|read| read == bytes.len()) {}
                for ended in self.hold.reap() {
                    self.ended(ended, now);
                }
            }
            // Asked in every turn, since it may have no event.
            Token::Watch => {}
            Token::Guard => self.guard.noticed(now),
            Token::Source(index) => self.pump(index),
            Token::Input => self.input.write(),
            Token::Listener => self.clients.accept(),
            Token::Client(id) => {
                self.clients.send_waiting(id);
                for received in self.clients.receive(id) {
                    self.serve(id, received, now);
                }
            }
        }
    }

    /// Reads a source once.
    fn pump(&mut self, index: usize) {
        let Some(output) = &mut self.output else { return };
        match output.take(index) {
            Taken::Bytes(bytes) if self.spec.tty => {
                self.screen.replay.push(bytes);
                self.clients.output(bytes);
            }
            Taken::End if self.spec.tty => self.input.close(),
            _ => {}
        }
    }

    fn act(&mut self, now: Instant) {
        if let Some(output) = &mut self.output {
            output.act(now);
        }
        self.clients.act(now);
        if let Some(ended) = self.hold.main_that_ended(now) {
            self.ended(ended, now);
        }
        let acts = self.ending.act(now);
        self.perform(acts, now);
        self.drive_container(now);
        if self.guard.is_due(now) {
            self.mend(now);
        }
        let full = self.output.as_mut().is_some_and(|output| output.writer().needs_heal());
        if full || self.journal.is_pending() {
            self.guard.try_later(now);
        }
    }

    /// Tells those who follow where the log ends.
    fn tell_written(&mut self, now: Instant) {
        if let Some(output) = &mut self.output {
            self.position = Some(output.writer().position());
        }
        self.written_at = self.position.and_then(|position| self.clients.written(position, now));
    }

    /// The same at once, so that it comes before what is told next.
    pub(super) fn tell_written_first(&mut self, now: Instant) {
        self.clients.hurry();
        self.tell_written(now);
    }
}
