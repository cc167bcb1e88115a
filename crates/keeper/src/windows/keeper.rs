//! One keeper: what it waits for, and what becomes of the child.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use forge_keeper::base64;
use forge_keeper::message::{PROTOCOL, Report, Request};
use forge_keeper::record::{Ended, Exit, Record};
use forge_keeper::spec::{RunFolder, Spec};
use forge_logs::{Stamp, Stream, Writer, WriterOptions};
use forge_system::tree::Job;
use forge_system::{ProcessId, Signal};

use super::clients::{self, ClientEvent, Clients};
use super::{complain, now, spawn};
use crate::container;
use crate::ending::{Act, Ask, Ending};
use crate::journal::Journal;
use crate::partial::Partial;

/// Events that wait for the deciding thread, at most: whoever has more, the child's output above all, waits.
const MOST_EVENTS: usize = 16;

/// Bytes of one read.
const BUFFER: usize = 64 << 10;

/// Output before an exit is awaited for so long at most, and until none came for so long: a pipe does not tell a
/// reader in another thread that it is empty.
const DRAIN: Duration = Duration::from_millis(500);
const SILENCE: Duration = Duration::from_millis(50);

/// A job tells who is in it only when asked. Asked after the main process has ended, or while the tree is ended.
const ASK_JOB: Duration = Duration::from_millis(100);

/// From the end of everything to the keeper's, for whoever is still connected.
const LINGER: Duration = Duration::from_secs(5);

/// The supervisor that started this keeper connects within this time.
const FIRST_CLIENT: Duration = Duration::from_secs(2);

/// From one attempt to write to a full disk to the next.
const RETRY: Duration = Duration::from_secs(1);

/// What the waiting threads tell.
#[derive(Debug)]
pub(super) enum Event {
    Output(Stream, Vec<u8>),
    OutputEnded(Stream),
    /// The main process ended; `None` if the system did not say how.
    Exited(Option<i32>),
    /// A container's command ended.
    CommandEnded,
    Client(u64, ClientEvent),
}

#[derive(Debug, Clone, Copy)]
enum Life {
    Running,
    Draining { exit: Exit, time: i64, until: Instant },
    Left,
    Empty { time: i64, leave_at: Instant },
}

struct Keeper {
    folder: RunFolder,
    spec: Spec,
    journal: Journal,
    writer: Option<Writer>,
    open_streams: Vec<(Stream, Partial)>,
    last_output: Instant,
    job: Job,
    child: Option<ProcessId>,
    input: Option<SyncSender<Vec<u8>>>,
    clients: Clients,
    ending: Ending,
    life: Life,
    requested: bool,
    untold: bool,
    began: Instant,
    retry_at: Option<Instant>,
    events: SyncSender<Event>,
}

/// Starts the run and holds it to its end.
pub(super) fn keep(folder: RunFolder, spec: Spec, mut journal: Journal) -> io::Result<()> {
    let (events, happening) = sync_channel(MOST_EVENTS);
    let own = ProcessId::current()?;
    journal.append(Record::Keeper { pid: own.pid, start: own.start, time: now() });
    let job = Job::create(&spec.run, true)?;
    let mut keeper = Keeper {
        ending: Ending::new(spec.container.is_some()),
        folder,
        spec,
        journal,
        writer: None,
        open_streams: Vec::new(),
        last_output: Instant::now(),
        job,
        child: None,
        input: None,
        clients: Clients::default(),
        life: Life::Running,
        requested: false,
        untold: false,
        began: Instant::now(),
        retry_at: None,
        events,
    };
    if let Err(error) = keeper.start() {
        keeper.could_not_start(&error);
    }
    keeper.run(&happening);
    Ok(())
}

impl Keeper {
    fn start(&mut self) -> io::Result<()> {
        clients::listen(self.spec.socket.as_os_str(), self.events.clone())?;
        let options = WriterOptions {
            segment_bytes: self.spec.segment_bytes,
            quota_bytes: self.spec.quota_bytes,
            run: self.spec.number,
        };
        self.writer = Some(Writer::open(&self.spec.logs, options)?);
        if self.spec.tty {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "`tty` does not work on Windows yet"));
        }
        let (mut child, id) = spawn::start_suspended(&self.spec, &self.job)?;
        let time = now();
        self.journal.append(Record::Started { pid: id.pid, start: id.start, time });
        self.attach_threads(&mut child);
        self.child = Some(id);
        let events = self.events.clone();
        thread::spawn(move || {
            let code = child.wait().ok().and_then(|status| status.code());
            let _ = events.send(Event::Exited(code));
        });
        spawn::resume(id)?;
        self.clients.tell_all(&Report::Started { pid: id.pid, start: id.start, time });
        Ok(())
    }

    fn attach_threads(&mut self, child: &mut Child) {
        if let Some(stdout) = child.stdout.take() {
            self.read_in_thread(Stream::Stdout, stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            self.read_in_thread(Stream::Stderr, stderr);
        }
        self.input = child.stdin.take().map(write_in_thread);
    }

    fn read_in_thread(&mut self, stream: Stream, mut source: impl Read + Send + 'static) {
        self.open_streams.push((stream, Partial::default()));
        let events = self.events.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; BUFFER];
            while let Ok(read @ 1..) = source.read(&mut buffer) {
                if events.send(Event::Output(stream, buffer[..read].to_vec())).is_err() {
                    return;
                }
            }
            let _ = events.send(Event::OutputEnded(stream));
        });
    }

    fn could_not_start(&mut self, error: &io::Error) {
        let time = now();
        let program = self.spec.argv.first().map_or("", String::as_str);
        let message = format!("cannot run `{program}` in `{}`: {error}", self.spec.cwd.display());
        // What was started, suspended, has not run.
        let _ = self.job.terminate(1);
        complain(&self.folder, &message);
        if let Some(writer) = &mut self.writer {
            writer.marker(&message, Stamp::now());
        }
        let errno = error.raw_os_error();
        self.journal.append(Record::NotStarted { errno, message: message.clone(), time });
        self.journal.end(Ended { exit: None, message: Some(message.clone()), time, requested: false });
        self.clients.tell_all(&Report::NotStarted { message });
        self.child = None;
        self.untold = true;
        self.life = Life::Left;
    }

    fn run(mut self, happening: &Receiver<Event>) {
        loop {
            let event = match self.patience() {
                Some(patience) => match happening.recv_timeout(patience) {
                    Ok(event) => Some(event),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                },
                None => happening.recv().ok(),
            };
            let now = Instant::now();
            if let Some(event) = event {
                self.handle(event, now);
            }
            self.act(now);
            self.progress(now);
            if self.may_leave(now) {
                return;
            }
        }
    }

    fn patience(&self) -> Option<Duration> {
        let partial = self.open_streams.iter().filter_map(|(_, partial)| partial.due()).min();
        let partial = partial.filter(|_| self.writer.is_some());
        let life = match self.life {
            Life::Draining { until, .. } => Some(until.min(self.last_output + SILENCE)),
            Life::Left => Some(Instant::now() + ASK_JOB),
            Life::Empty { leave_at, .. } => Some(leave_at),
            Life::Running => None,
        };
        let first_client = (self.untold && self.clients.is_empty()).then_some(self.began + FIRST_CLIENT);
        let next = [partial, life, first_client, self.ending.deadline(), self.retry_at];
        let next = next.into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn handle(&mut self, event: Event, instant: Instant) {
        match event {
            Event::Output(stream, bytes) => {
                self.last_output = instant;
                if let Some(writer) = &mut self.writer {
                    writer.write(stream, &bytes, Stamp::now());
                    let open = self.open_streams.iter_mut().find(|(open, _)| *open == stream);
                    if let Some((_, partial)) = open {
                        partial.read(&bytes, writer.has_partial(stream), instant);
                    }
                    let position = writer.position();
                    self.clients.written(position);
                }
            }
            Event::OutputEnded(stream) => {
                self.open_streams.retain(|(open, _)| *open != stream);
                if let Some(writer) = &mut self.writer {
                    writer.finish(stream, Stamp::now());
                }
            }
            Event::Exited(code) => {
                self.child = None;
                self.last_output = instant;
                let exit = code.map_or(Exit::Unknown, Exit::Code);
                if matches!(self.life, Life::Running) {
                    self.life = Life::Draining { exit, time: now(), until: instant + DRAIN };
                }
            }
            Event::CommandEnded => {
                let acts = self.ending.container_ended(instant);
                self.perform(acts, instant);
            }
            Event::Client(id, ClientEvent::Connected(connection)) => {
                self.clients.add(id, connection, self.events.clone());
            }
            Event::Client(id, ClientEvent::Gone) => self.clients.remove(id),
            Event::Client(id, ClientEvent::Unknown(request)) => {
                let message = format!("forge-keeper {} does not know this", env!("CARGO_PKG_VERSION"));
                self.clients.tell(id, &Report::Refused { request, message });
            }
            Event::Client(id, ClientEvent::Request(request)) => self.serve(id, request, instant),
        }
    }

    fn serve(&mut self, id: u64, request: Request, now: Instant) {
        let is_hello = matches!(request, Request::Hello { .. });
        let outcome = if is_hello || self.clients.is_greeted(id) {
            self.carry_out(id, request, now)
        } else {
            Err(("hello", "a hello comes first".to_owned()))
        };
        if let Err((request, message)) = outcome {
            self.clients.tell(id, &Report::Refused { request: request.to_owned(), message });
        }
    }

    fn carry_out(&mut self, id: u64, request: Request, now: Instant) -> Result<(), (&'static str, String)> {
        match request {
            Request::Hello { .. } => self.greet(id),
            Request::End { signal, grace_ms, force } => {
                self.end(id, Ask { signal, grace: Duration::from_millis(grace_ms), force }, now);
            }
            Request::Signal { signal } => self.signal(signal).map_err(|message| ("signal", message))?,
            Request::Input { data } => self.send_input(&data).map_err(|message| ("input", message))?,
            Request::Follow => {
                self.clients.follow(id, true);
                if let Some(writer) = &self.writer {
                    let position = writer.position();
                    self.clients.written(position);
                }
            }
            Request::Unfollow => self.clients.follow(id, false),
            Request::Detach => {}
            Request::Attach => return Err(("attach", no_terminal())),
            Request::Resize { .. } => return Err(("resize", no_terminal())),
            Request::Terminal => return Err(("terminal", no_terminal())),
            Request::TakeTerminal => return Err(("take_terminal", no_terminal())),
            Request::Mark { text } => match &mut self.writer {
                Some(writer) => writer.marker(&text, Stamp::now()),
                None => return Err(("mark", "the run is over, its log is closed".to_owned())),
            },
        }
        Ok(())
    }

    fn greet(&mut self, id: u64) {
        let story = self.journal.story();
        let hello = Report::Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            keeper: std::process::id(),
            child: story.child,
            exited: story.exited,
            left: if story.exited.is_some() { self.living() } else { Vec::new() },
            not_started: story.not_started,
            empty: story.empty.is_some(),
            wants_terminal: false,
        };
        self.clients.greet(id);
        self.clients.tell(id, &hello);
    }

    fn end(&mut self, id: u64, ask: Ask, instant: Instant) {
        if let Life::Empty { time, .. } = self.life {
            return self.clients.tell(id, &Report::Empty { time, heir: None });
        }
        self.requested = true;
        self.journal.append(Record::Ending { force: ask.force, time: now() });
        let acts = self.ending.ask(ask, instant);
        self.perform(acts, instant);
    }

    fn signal(&self, number: i32) -> Result<(), String> {
        let signal = Signal::from_raw(number).ok_or_else(|| format!("there is no signal {number}"))?;
        let child = self.child.ok_or("the main process has ended")?;
        child.signal(signal).map(drop).map_err(|error| error.to_string())
    }

    fn send_input(&mut self, data: &str) -> Result<(), String> {
        let bytes = base64::decode(data).ok_or("the data is no base64")?;
        let input = self.input.as_ref().ok_or("its standard input is not open")?;
        input.try_send(bytes).map_err(|_| "it does not read: what was sent before still waits".to_owned())
    }

    fn act(&mut self, now: Instant) {
        if let Some(writer) = &mut self.writer {
            for (stream, partial) in &mut self.open_streams {
                if partial.due().is_some_and(|due| now >= due) {
                    writer.flush_partial(*stream, Stamp::now());
                    partial.stored();
                }
            }
        }
        let acts = self.ending.act(now);
        self.perform(acts, now);
        if self.retry_at.is_some_and(|at| now >= at) {
            self.retry_at = None;
            self.journal.settle();
            if let Some(writer) = &mut self.writer {
                writer.heal(Stamp::now());
            }
        }
        let full = self.writer.as_ref().is_some_and(Writer::needs_heal);
        if self.retry_at.is_none() && (full || self.journal.is_pending()) {
            self.retry_at = Some(now + RETRY);
        }
    }

    fn perform(&mut self, acts: Vec<Act>, now: Instant) {
        for act in acts {
            match act {
                Act::Container { force } => self.end_container(force, now),
                // Whatever the signal is called: there is one way to ask.
                Act::Signal(_) => {
                    if let Some(child) = self.child {
                        let _ = child.signal(Signal::TERM);
                    }
                }
                Act::Kill => {
                    if let Err(error) = self.job.terminate(1) {
                        complain(&self.folder, &format!("cannot end the job: {error}"));
                    }
                }
                Act::Survivors => {
                    let processes = self.living();
                    self.clients.tell_all(&Report::Survivors { processes });
                }
            }
        }
    }

    fn end_container(&mut self, force: bool, now: Instant) {
        let argv = self.spec.container.as_ref().and_then(|container| container::command(container, force));
        let started = argv.map(|argv| spawn::start_command(&self.spec, &argv));
        match started {
            Some(Ok(mut command)) => {
                let events = self.events.clone();
                thread::spawn(move || {
                    let _ = command.wait();
                    let _ = events.send(Event::CommandEnded);
                });
            }
            Some(Err(error)) => {
                complain(&self.folder, &format!("cannot end the container: {error}"));
                let acts = self.ending.container_ended(now);
                self.perform(acts, now);
            }
            None => {
                let acts = self.ending.container_ended(now);
                self.perform(acts, now);
            }
        }
    }

    fn progress(&mut self, instant: Instant) {
        if let Life::Draining { exit, time, until } = self.life {
            let silent = instant >= self.last_output + SILENCE;
            if self.open_streams.is_empty() || silent || instant >= until {
                self.tell_exit(exit, time);
            }
        }
        if matches!(self.life, Life::Left) && self.living().is_empty() {
            self.ending.tree_ended();
            if !self.ending.is_at_container() {
                self.tell_empty(instant);
            }
        }
        if self.untold && !matches!(self.life, Life::Running | Life::Draining { .. }) {
            self.call_supervisor(instant);
        }
    }

    fn tell_exit(&mut self, exit: Exit, time: i64) {
        self.life = Life::Left;
        self.untold = !self.requested;
        if let Some(writer) = &mut self.writer {
            writer.marker(&exit.line(self.spec.number, self.requested), Stamp::now());
        }
        self.journal.append(Record::Exited { exit, time });
        self.journal.end(Ended { exit: Some(exit), message: None, time, requested: self.requested });
        let left = self.living();
        self.clients.tell_all(&Report::Exited { exit, time, left });
    }

    fn tell_empty(&mut self, instant: Instant) {
        let time = now();
        if let Some(mut writer) = self.writer.take() {
            for (stream, _) in &self.open_streams {
                writer.finish(*stream, Stamp::now());
            }
            self.clients.written(writer.position());
        }
        self.input = None;
        self.journal.append(Record::Empty { time, heir: None });
        self.clients.tell_all(&Report::Empty { time, heir: None });
        self.life = Life::Empty { time, leave_at: instant + LINGER };
    }

    fn call_supervisor(&mut self, now: Instant) {
        if !self.clients.is_empty() {
            self.untold = false;
        } else if self.clients.had_any || now >= self.began + FIRST_CLIENT {
            self.untold = false;
            let argv = self.spec.supervisor.clone().filter(|_| self.folder.path().exists());
            if let Some(Err(error)) = argv.map(|argv| spawn::start_supervisor(&argv)) {
                complain(&self.folder, &format!("cannot start a supervisor: {error}"));
            }
        }
    }

    fn may_leave(&self, now: Instant) -> bool {
        let Life::Empty { leave_at, .. } = self.life else { return false };
        let known = self.clients.is_empty() && !self.untold;
        !self.journal.is_pending() && (known || now >= leave_at)
    }

    /// Who is in the job, by PID and name.
    fn living(&self) -> Vec<(u32, String)> {
        let processes = self.job.processes().unwrap_or_default();
        let living = processes.into_iter().filter(|id| id.is_alive().unwrap_or(true));
        living.map(|id| (id.pid, id.name().ok().flatten().unwrap_or_default())).collect()
    }
}

fn no_terminal() -> String {
    "there is no terminal".to_owned()
}

/// Writes to the child's standard input without keeping anybody waiting.
fn write_in_thread(mut stdin: ChildStdin) -> SyncSender<Vec<u8>> {
    let (queue, waiting) = sync_channel::<Vec<u8>>(MOST_EVENTS);
    thread::spawn(move || {
        while let Ok(bytes) = waiting.recv() {
            if stdin.write_all(&bytes).and_then(|()| stdin.flush()).is_err() {
                return;
            }
        }
    });
    queue
}
