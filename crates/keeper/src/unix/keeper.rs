//! One keeper: how it takes its run, what it waits for, and what becomes of the child.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use forge_keeper::message::Report;
use forge_keeper::record::{Ended, Exit, Record};
use forge_keeper::spec::{RunFolder, Spec};
use forge_logs::{Position, Stream, Writer, WriterOptions};
use forge_system::{ProcessId, tree};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::Mode;

use super::clients::{ClientId, Clients};
use super::end::ContainerCommand;
use super::ending::Ending;
use super::guard::Guard;
use super::hold::Hold;
use super::input::Input;
use super::journal::Journal;
use super::output::{Output, Taken};
use super::spawn::{self, Streams, now};
use super::terminal::{self, Replay};
use super::{complain, explain, fifo, hygiene};

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
    Empty { time: i64, leave_at: Instant },
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

    /// Starts the command. `None`: this run has been started before.
    pub(super) fn start(mut self) -> io::Result<Option<Self>> {
        let story = self.journal.story();
        if story.child.is_some() || story.not_started.is_some() {
            return Err(io::Error::other("this run was started before: it can only be adopted"));
        }
        match self.start_child() {
            Ok(child) => self.clients.tell_all(&Report::Started {
                pid: child.pid,
                start: child.start,
                time: now(),
            }),
            Err((message, error)) => self.could_not_start(message, error.raw_os_error()),
        }
        self.watch_files();
        Ok(Some(self))
    }

    fn start_child(&mut self) -> Result<ProcessId, (String, io::Error)> {
        let told = |what: &str| {
            let what = what.to_owned();
            move |error: io::Error| (format!("cannot {what}: {error}"), error)
        };
        self.clients.listen().map_err(told(&format!("listen on {}", self.spec.socket.display())))?;
        let writer = self.open_writer().map_err(told(&format!("write to {}", self.spec.logs.display())))?;
        let mut output = Output::new(writer);
        let streams = if self.spec.tty { self.open_terminal(&mut output) } else { self.open_fifos(&mut output) };
        let streams = streams.map_err(told("make the child's streams"))?;
        self.output = Some(output);
        let before = self.recorded_bytes();
        let child = spawn::start(&self.spec, streams, self.journal.file(), self.umask)
            .map_err(|error| (explain::explain(&self.spec, &error), error))?;
        let started = Record::Started { pid: child.pid, start: child.start, time: now() };
        if self.recorded_bytes() > before {
            self.journal.was_written(started);
        } else {
            self.journal.append(started);
        }
        self.hold.child(child, spawn::mark(&self.spec)).map_err(told("hold the child"))?;
        Ok(child)
    }

    fn recorded_bytes(&self) -> u64 {
        self.journal.file().metadata().map_or(0, |metadata| metadata.len())
    }

    fn open_writer(&self) -> io::Result<Writer> {
        let spec = &self.spec;
        let options = WriterOptions {
            segment_bytes: spec.segment_bytes,
            quota_bytes: spec.quota_bytes,
            run: spec.number,
        };
        Writer::open(&spec.logs, options)
    }

    fn open_fifos(&mut self, output: &mut Output) -> io::Result<Streams> {
        let (out, err) = (self.folder.out_fifo(), self.folder.err_fifo());
        fifo::make(&out)?;
        fifo::make(&err)?;
        output.add_fifo(Stream::Stdout, fifo::reader(&out)?);
        output.add_fifo(Stream::Stderr, fifo::reader(&err)?);
        let stdin = if self.spec.stdin {
            let path = self.folder.in_fifo();
            fifo::make(&path)?;
            let child_end = fifo::child_end(&path)?;
            self.input = Input::new(Some(fifo::writer(&path)?));
            child_end
        } else {
            hygiene::null_device()?
        };
        Ok(Streams { stdin, stdout: fifo::child_end(&out)?, stderr: fifo::child_end(&err)? })
    }

    fn open_terminal(&mut self, output: &mut Output) -> io::Result<Streams> {
        let (master, child) = terminal::open()?;
        let streams = Streams { stdin: child.try_clone()?, stdout: child.try_clone()?, stderr: child };
        output.add_terminal(master.try_clone()?);
        self.input = Input::new(Some(master.try_clone()?));
        self.screen.master = Some(master);
        Ok(streams)
    }

    /// The command could not be run: records why, and has nothing left to hold.
    fn could_not_start(&mut self, message: String, errno: Option<i32>) {
        let time = now();
        if let Some(output) = &mut self.output {
            output.mark(&message);
        }
        complain(&message);
        self.input.close();
        self.journal.append(Record::NotStarted { errno, message: message.clone(), time });
        self.journal.end(Ended { exit: None, message: Some(message.clone()), time, requested: false });
        self.clients.tell_all(&Report::NotStarted { message });
        self.clients.end_told();
        self.untold = true;
        self.life = Life::Left;
    }

    /// Takes over the run of a keeper that was killed. `None`: it is over, and all of it is recorded.
    pub(super) fn adopt(mut self) -> io::Result<Option<Self>> {
        let story = self.journal.story();
        if story.empty.is_some() {
            return Ok(None);
        }
        self.requested = story.ending;
        let writer = self.open_writer()?;
        let mut output = Output::new(writer);
        let main = story.child.map(|(pid, start)| ProcessId { pid, start });
        if let Some(main) = main {
            self.hold.adopt(main, spawn::mark(&self.spec))?;
            self.find_streams(&mut output);
            let note = if self.hold.main().is_some() || story.exited.is_some() {
                "the keeper of this run was replaced: output that it held may be missing here"
            } else {
                "the keeper of this run was gone when its process ended: its last output may be missing here"
            };
            output.mark(note);
        }
        self.output = Some(output);
        if let Err(error) = self.clients.listen() {
            complain(&format!("cannot listen on {}: {error}", self.spec.socket.display()));
            self.guard.try_later(Instant::now());
        }
        match (main, story.exited) {
            _ if story.not_started.is_some() => self.life = Life::Left,
            (None, _) => {
                self.could_not_start("its keeper was killed before it could start the command".to_owned(), None);
            }
            (Some(_), Some((exit, time))) => {
                self.journal.end(Ended { exit: Some(exit), message: None, time, requested: self.requested });
                self.life = Life::Left;
            }
            (Some(_), None) if self.hold.main().is_none() => self.main_ended(None, Instant::now()),
            (Some(_), None) => self.screen.wanted = self.spec.tty,
        }
        self.watch_files();
        Ok(Some(self))
    }

    /// Opens what the child has open, by its name or through those who have it.
    fn find_streams(&mut self, output: &mut Output) {
        if self.spec.tty {
            return;
        }
        let holders: Vec<u32> = self.hold.members().iter().map(|member| member.id.pid).collect();
        for (stream, path) in
            [(Stream::Stdout, self.folder.out_fifo()), (Stream::Stderr, self.folder.err_fifo())]
        {
            match fifo::find(&path, &holders, fifo::reader) {
                Ok(fd) => output.add_fifo(stream, fd),
                Err(error) => complain(&format!("cannot read {} any more: {error}", path.display())),
            }
        }
        if self.spec.stdin {
            self.input = Input::new(fifo::find(&self.folder.in_fifo(), &holders, fifo::writer).ok());
        }
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
            Token::Watch => {
                if let Some(ended) = self.hold.main_that_ended() {
                    self.ended(ended, now);
                }
            }
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
