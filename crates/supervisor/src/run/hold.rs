//! The task beside each run: it keeps a keeper there, carries requests to it and its reports back.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use forge_keeper::message::{PROTOCOL, Report, Request};
use forge_keeper::record::Exit;
use forge_keeper::spec::{RunFolder, Spec};
use forge_system::process::is_shortage;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::Link;
use super::folder::{self, Told};
use crate::process::lifecycle::Left;

/// How long a keeper may take until it answers; it takes milliseconds.
const ANSWER: Duration = Duration::from_secs(10);

/// From one attempt to reach or replace a keeper to the next, while that fails.
const AGAIN: Duration = Duration::from_secs(1);

/// How the daemon ended that a run's main process had left behind, and when (ns since 1970).
pub(crate) type HeirEnd = (Exit, i64);

/// What is known of a run from outside.
#[derive(Debug, Clone)]
pub(crate) enum RunEvent {
    /// The command runs: PID, start time, and when (ns since 1970).
    Launched {
        pid: u32,
        start: u64,
        time: i64,
    },
    NotLaunched(String),
    /// The system has no room for it now; it is tried again until there is.
    Delayed(String),
    Ended {
        exit: Exit,
        time: i64,
        left: Vec<Left>,
    },
    /// Nobody is left.
    Empty(Option<HeirEnd>),
    Survivors(Vec<Left>),
    /// The log has grown.
    Written,
    /// The keeper was killed, and another one holds the run now.
    KeeperReplaced,
    /// The keeper that holds the run, by PID.
    Keeper(u32),
}

/// How the task finds its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Its folder is to be made.
    New,
    /// The folder was found; its keeper may live or not.
    Found,
}

/// One run, to be held.
#[derive(Debug)]
pub(crate) struct Run {
    pub folder: RunFolder,
    pub spec: Spec,
    /// The program.
    pub keeper: PathBuf,
}

/// Holds the run until nothing is left of it. `report` is called for each thing that happens, once; requests that
/// come while there is no keeper wait for the next one.
pub(crate) async fn hold(
    run: Run,
    how: How,
    requests: mpsc::UnboundedReceiver<Request>,
    report: impl Fn(RunEvent) + Send,
) {
    let mut holder = Holder {
        run,
        requests,
        report,
        waiting: VecDeque::new(),
        ending: None,
        following: false,
        replacing: false,
        greeted: false,
        abandoned: false,
        launched: false,
        ended: false,
        over: false,
        #[cfg(unix)]
        terminal: None,
        #[cfg(unix)]
        output: Vec::new(),
    };
    holder.run(how).await;
}

struct Holder<F> {
    run: Run,
    requests: mpsc::UnboundedReceiver<Request>,
    report: F,
    /// Not sent yet.
    waiting: VecDeque<Request>,
    /// Sent, and to be sent again to a new keeper.
    ending: Option<Request>,
    following: bool,
    /// A keeper was started in place of one that is gone, and has not answered yet.
    replacing: bool,
    /// The present keeper has said how things stand.
    greeted: bool,
    /// Nobody is left to report to.
    abandoned: bool,
    launched: bool,
    ended: bool,
    over: bool,
    /// A duplicate of the terminal's master: while one of us lives, so does the terminal.
    #[cfg(unix)]
    terminal: Option<std::os::fd::OwnedFd>,
    /// The output's FIFOs, open for reading and never read: while we hold them, what a child wrote before it ended waits
    /// for the next keeper, should this one be killed.
    #[cfg(unix)]
    output: Vec<std::fs::File>,
}

impl<F: Fn(RunEvent) + Send> Holder<F> {
    async fn run(&mut self, how: How) {
        let mut child: io::Result<Option<Child>> = match how {
            How::New => match self.begin().await {
                Some(child) => Ok(Some(child)),
                None => return,
            },
            How::Found => Ok(None),
        };
        loop {
            let served = match &mut child {
                Ok(child) => self.serve(child).await,
                Err(error) => {
                    Err(io::Error::new(error.kind(), format!("{}: {error}", self.run.keeper.display())))
                }
            };
            if self.over {
                return self.reap(child).await;
            }
            if self.abandoned {
                return;
            }
            if let Err(error) = &served {
                tracing::warn!("{}: {error}", self.name());
                tokio::time::sleep(AGAIN).await;
            }
            match self.after_keeper() {
                After::Over => return,
                After::Unknown(error) => {
                    tracing::warn!("{}: {error}", self.name());
                    tokio::time::sleep(AGAIN).await;
                    child = Ok(None);
                }
                // It lives, and was only slow.
                After::Connect => child = Ok(None),
                After::Replace => {
                    if std::mem::replace(&mut self.replacing, true) {
                        // The one before could not take it either.
                        tokio::time::sleep(AGAIN).await;
                    }
                    tracing::warn!("{}: its keeper is gone; another one takes the run", self.name());
                    child = self.spawn(true).map(Some);
                }
            }
        }
    }

    fn name(&self) -> String {
        format!("{}/{} run {}", self.run.spec.environment, self.run.spec.process, self.run.spec.number)
    }

    /// Makes the folder and starts a keeper, as soon as the system has room for that. `None`: nothing was begun.
    async fn begin(&mut self) -> Option<Child> {
        let (mut is_made, mut delayed) = (false, false);
        loop {
            let made = if is_made { Ok(()) } else { folder::create(&self.run.folder, &self.run.spec) };
            is_made |= made.is_ok();
            let keeper = self.run.keeper.display();
            let (error, reason) = match made {
                Err(error) => (error, format!("{} could not be made", self.run.folder.path().display())),
                Ok(()) => match self.spawn(false) {
                    Ok(child) => return Some(child),
                    Err(error) => (error, format!("{keeper} could not be started")),
                },
            };
            let message = format!("{reason}: {error}");
            tracing::warn!("{}: {message}", self.name());
            if !is_shortage(&error) || self.ending.is_some() {
                self.tell_not_launched(message);
                return None;
            }
            if !std::mem::replace(&mut delayed, true) {
                (self.report)(RunEvent::Delayed(error.to_string()));
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                request = self.requests.recv() => self.enqueue(request?),
            }
        }
    }

    fn spawn(&self, adopt: bool) -> io::Result<Child> {
        let mut command = Command::new(&self.run.keeper);
        if adopt {
            command.arg("--adopt");
        }
        command.arg(self.run.folder.path());
        // A keeper ends its standard output once it listens (on Windows it cannot: there it is asked again and again).
        let output = if cfg!(unix) { Stdio::piped() } else { Stdio::null() };
        command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
        #[cfg(windows)]
        {
            // A console of its own, which CTRL_BREAK needs, and no window.
            const CREATE_NO_WINDOW: u32 = 0x0800_0000;
            command.creation_flags(CREATE_NO_WINDOW);
        }
        command.spawn()
    }

    /// Talks with the keeper until it is gone.
    async fn serve(&mut self, child: &mut Option<Child>) -> io::Result<()> {
        self.greeted = false;
        let Some(mut link) = self.connect(child).await? else { return Ok(()) };
        link.send(&Request::Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() })
            .await?;
        if let Some(ending) = self.ending.clone() {
            link.send(&ending).await?;
        }
        if self.following {
            link.send(&Request::Follow).await?;
        }
        while !self.over {
            if let Some(request) = self.next_request() {
                if let Err(error) = link.send(&request).await {
                    // For the keeper that comes after this one.
                    self.waiting.push_front(request);
                    return Err(error);
                }
                continue;
            }
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(request) => self.enqueue(request),
                    // The core is gone, and the process stays: with its keeper alone, which may call another supervisor.
                    None => {
                        self.abandoned = true;
                        return Ok(());
                    }
                },
                report = link.next() => match report? {
                    Some(report) => self.heard(report, &mut link).await?,
                    None => return Ok(()),
                },
            }
        }
        Ok(())
    }

    /// Not before the keeper has said how things stand, and has its terminal back.
    fn next_request(&mut self) -> Option<Request> {
        if self.greeted { self.waiting.pop_front() } else { None }
    }

    fn is_forced(&self) -> bool {
        matches!(self.ending, Some(Request::End { force: true, .. }))
    }

    fn enqueue(&mut self, request: Request) {
        match &request {
            // A late request for an orderly end does not take back one by force.
            Request::End { force, .. } if *force || !self.is_forced() => self.ending = Some(request.clone()),
            Request::End { .. } => return,
            Request::Follow if std::mem::replace(&mut self.following, true) => return,
            Request::Unfollow if !std::mem::replace(&mut self.following, false) => return,
            _ => {}
        }
        self.waiting.push_back(request);
    }

    /// `None`: there is no keeper.
    async fn connect(&self, child: &mut Option<Child>) -> io::Result<Option<Link>> {
        let deadline = tokio::time::Instant::now() + ANSWER;
        if let Some(mut output) = child.as_mut().and_then(|child| child.stdout.take()) {
            let mut nowhere = tokio::io::sink();
            let end = tokio::io::copy(&mut output, &mut nowhere);
            // If it never comes, the connection fails, and says so.
            let _ = tokio::time::timeout_at(deadline, end).await;
        }
        let mut pause = Duration::from_micros(500);
        loop {
            match Link::connect(&self.run.spec.socket).await {
                Ok(link) => return Ok(Some(link)),
                Err(error) if tokio::time::Instant::now() > deadline => return Err(error),
                Err(_) => {}
            }
            let gone = match child {
                Some(child) => child.try_wait()?.is_some(),
                None => !folder::is_kept(&self.run.folder)?,
            };
            if gone {
                return Ok(None);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    async fn heard(&mut self, report: Report, link: &mut Link) -> io::Result<()> {
        match report {
            Report::Hello { keeper, child, exited, left, not_started, empty, wants_terminal, .. } => {
                (self.report)(RunEvent::Keeper(keeper));
                if std::mem::replace(&mut self.replacing, false) {
                    (self.report)(RunEvent::KeeperReplaced);
                }
                if let Some((pid, start)) = child {
                    let told = folder::read(&self.run.folder);
                    self.tell_launched(
                        pid,
                        start,
                        told.started.map_or(self.run.spec.asked_at_ms * 1_000_000, |(_, _, time)| time),
                    );
                }
                if let Some(message) = not_started {
                    self.tell_not_launched(message);
                }
                if let Some((exit, time)) = exited {
                    self.tell_ended(exit, time, left);
                }
                if empty {
                    self.tell_empty(folder::read(&self.run.folder).heir);
                }
                self.share_terminal(link, wants_terminal).await?;
                self.hold_output();
                self.greeted = true;
            }
            Report::Started { pid, start, time } => {
                self.tell_launched(pid, start, time);
                self.share_terminal(link, false).await?;
            }
            Report::NotStarted { message } => self.tell_not_launched(message),
            Report::Exited { exit, time, left } => self.tell_ended(exit, time, left),
            Report::Empty { heir, time } => self.tell_empty(heir.map(|exit| (exit, time))),
            Report::Survivors { processes } => (self.report)(RunEvent::Survivors(processes)),
            Report::Written { .. } => (self.report)(RunEvent::Written),
            Report::Terminal => self.keep_terminal(link),
            Report::Output { .. } => {}
            Report::Refused { request, message } => tracing::warn!("{}: {request}: {message}", self.name()),
        }
        Ok(())
    }

    #[cfg(unix)]
    fn hold_output(&mut self) {
        use std::os::unix::fs::OpenOptionsExt;
        if self.run.spec.tty || !self.output.is_empty() {
            return;
        }
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        let fifos = [self.run.folder.out_fifo(), self.run.folder.err_fifo()];
        let open = |path| std::fs::OpenOptions::new().read(true).custom_flags(nonblocking).open(path);
        self.output = fifos.into_iter().filter_map(|path| open(path).ok()).collect();
    }

    #[cfg(not(unix))]
    fn hold_output(&mut self) {}

    #[cfg(unix)]
    async fn share_terminal(&mut self, link: &Link, wanted: bool) -> io::Result<()> {
        use std::os::fd::AsFd;
        match &self.terminal {
            _ if !self.run.spec.tty => Ok(()),
            Some(terminal) if wanted => link.send_with(&Request::TakeTerminal, terminal.as_fd()).await,
            None if self.launched && !self.ended => link.send(&Request::Terminal).await,
            _ => Ok(()),
        }
    }

    #[cfg(unix)]
    fn keep_terminal(&mut self, link: &mut Link) {
        self.terminal = link.take_descriptor();
    }

    #[cfg(not(unix))]
    async fn share_terminal(&mut self, _link: &Link, _wanted: bool) -> io::Result<()> {
        Ok(())
    }

    #[cfg(not(unix))]
    fn keep_terminal(&mut self, _link: &mut Link) {}

    fn tell_launched(&mut self, pid: u32, start: u64, time: i64) {
        if !std::mem::replace(&mut self.launched, true) {
            (self.report)(RunEvent::Launched { pid, start, time });
        }
    }

    fn tell_not_launched(&mut self, message: String) {
        if !std::mem::replace(&mut self.ended, true) {
            (self.report)(RunEvent::NotLaunched(message));
        }
        self.tell_empty(None);
    }

    fn tell_ended(&mut self, exit: Exit, time: i64, left: Vec<Left>) {
        if !std::mem::replace(&mut self.ended, true) {
            (self.report)(RunEvent::Ended { exit, time, left });
        }
    }

    fn tell_empty(&mut self, heir: Option<HeirEnd>) {
        if !std::mem::replace(&mut self.over, true) {
            (self.report)(RunEvent::Empty(heir));
        }
    }

    /// The keeper is gone. What does its folder say?
    fn after_keeper(&mut self) -> After {
        match folder::is_kept(&self.run.folder) {
            Ok(true) => return After::Connect,
            Err(error) if is_shortage(&error) => return After::Unknown(error),
            Ok(false) | Err(_) => {}
        }
        let told = match folder::look(&self.run.folder) {
            Ok(told) => told,
            Err(error) => return After::Unknown(error),
        };
        if let Some((pid, start, time)) = told.started {
            self.tell_launched(pid, start, time);
        }
        match last_word(&told) {
            LastWord::NotLaunched(message) => self.tell_not_launched(message),
            LastWord::Over { exit, time } => {
                self.tell_ended(exit, time, Vec::new());
                self.tell_empty(told.heir);
            }
            LastWord::NeverStarted => self.tell_not_launched(self.complaint()),
            LastWord::Unfinished => return After::Replace,
        }
        After::Over
    }

    fn complaint(&self) -> String {
        let log = std::fs::read_to_string(self.run.folder.log()).unwrap_or_default();
        log.lines()
            .last()
            .map_or_else(|| "its keeper ended before it had started it".to_owned(), str::to_owned)
    }

    async fn reap(&self, child: io::Result<Option<Child>>) {
        if let Ok(Some(mut child)) = child {
            let _ = tokio::time::timeout(ANSWER, child.wait()).await;
        }
    }
}

enum After {
    Over,
    /// There is no room to look.
    Unknown(io::Error),
    Connect,
    Replace,
}

enum LastWord {
    NotLaunched(String),
    Over {
        exit: Exit,
        time: i64,
    },
    NeverStarted,
    /// It runs, or did when its keeper died.
    Unfinished,
}

fn last_word(told: &Told) -> LastWord {
    match (&told.ended, &told.started) {
        (Some(ended), _) if ended.exit.is_none() => {
            LastWord::NotLaunched(ended.message.clone().unwrap_or_else(|| "it could not be run".to_owned()))
        }
        (Some(ended), _) if told.empty => {
            LastWord::Over { exit: ended.exit.unwrap_or(Exit::Unknown), time: ended.time }
        }
        (_, Some(_)) => LastWord::Unfinished,
        (_, None) => LastWord::NeverStarted,
    }
}
