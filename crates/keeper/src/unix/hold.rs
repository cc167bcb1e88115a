//! The child and its tree: who is there, how the main process ended, and when nobody is left.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use forge_system::tree::{Member, Round, Tree};
use forge_system::{Exit, ProcessId, Signal, Watch};
use rustix::io::Errno;
use rustix::process::WaitOptions;

/// Where the end of a process can't be told by an event, this is how often it is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The main process; `None` if nobody can say how.
    Main(Option<Exit>),
    /// A command of the keeper's own.
    Command(ProcessId),
}

/// Everything that this keeper holds.
#[derive(Debug)]
pub(super) struct Hold {
    tree: Tree,
    main: Option<ProcessId>,
    /// Orphans of the tree become this process's children: without children, the tree is empty.
    complete: bool,
    has_children: bool,
    /// Container commands that run: children of this process, and no members.
    commands: Vec<ProcessId>,
    /// An adopted main process, or one of those that outlived it.
    watch: Option<Watch>,
    look_at: Option<Instant>,
    /// The eldest of those whom the main process left behind, and how it ended: with a daemon, the service itself.
    heir: Option<(ProcessId, Option<Exit>)>,
}

impl Hold {
    /// Nobody yet; `subreaper` says whether orphans come to this process.
    pub(super) fn new(subreaper: bool) -> Self {
        Self {
            tree: Tree::default(),
            main: None,
            complete: subreaper,
            has_children: false,
            commands: Vec::new(),
            watch: None,
            look_at: None,
            heir: None,
        }
    }

    /// Holds a child of this process.
    pub(super) fn child(&mut self, child: ProcessId, mark: String) -> io::Result<()> {
        let tree = if self.complete { Tree::below(ProcessId::current()?) } else { Tree::of(child) };
        self.tree = tree.with_root(child).with_mark(mark);
        self.main = Some(child);
        self.has_children = true;
        Ok(())
    }

    /// Holds what a keeper before this one has started. Orphans of it have gone to somebody else.
    pub(super) fn adopt(&mut self, main: ProcessId, mark: String) -> io::Result<()> {
        self.complete = false;
        self.tree = Tree::of(main).with_mark(mark);
        match Watch::open(main) {
            Ok(watch) => {
                self.main = watch.is_some().then_some(main);
                self.watch = watch;
            }
            // Without pidfds there is no event for the end of somebody else's child.
            Err(_) => {
                self.main = main.is_alive()?.then_some(main);
                self.look_at = Some(Instant::now() + LOOK_EVERY);
            }
        }
        Ok(())
    }

    /// The main process, while it lives.
    pub(super) fn main(&self) -> Option<ProcessId> {
        self.main
    }

    /// Becomes readable when somebody who is not a child ends.
    pub(super) fn watched(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(AsFd::as_fd)
    }

    /// When to look without an event.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.look_at
    }

    /// A command of the keeper's own runs: it is not of the tree.
    pub(super) fn spare(&mut self, command: ProcessId) {
        self.tree.spare(command);
        self.commands.push(command);
        self.has_children = true;
    }

    /// A process of the tree may have slipped away to another parent, as during [`forge_system::tree::step_aside`].
    pub(super) fn is_incomplete(&mut self) {
        self.complete = false;
    }

    /// Reaps every child that has ended.
    pub(super) fn reap(&mut self) -> Vec<Ended> {
        let mut ended = Vec::new();
        loop {
            let (pid, status) = match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => (pid.as_raw_nonzero().get().cast_unsigned(), status.as_raw()),
                Ok(None) => {
                    self.has_children = true;
                    return ended;
                }
                Err(Errno::INTR) => continue,
                Err(_) => {
                    self.has_children = false;
                    return ended;
                }
            };
            if self.main.is_some_and(|main| main.pid == pid) {
                self.main = None;
                ended.push(Ended::Main(Exit::from_wait_status(status)));
            } else if let Some(at) = self.commands.iter().position(|command| command.pid == pid) {
                ended.push(Ended::Command(self.commands.swap_remove(at)));
            } else if let Some((_, exit)) = self.heir.as_mut().filter(|(heir, _)| heir.pid == pid) {
                *exit = Exit::from_wait_status(status);
            }
        }
    }

    /// The adopted main process, if it has ended meanwhile.
    pub(super) fn main_that_ended(&mut self, now: Instant) -> Option<Ended> {
        if let Some(main) = self.main.filter(|_| self.look_at.is_some_and(|at| now >= at)) {
            let lives = main.is_alive().unwrap_or(true);
            self.look_at = lives.then_some(now + LOOK_EVERY);
            self.main = self.main.filter(|_| lives);
            return (!lives).then_some(Ended::Main(None));
        }
        let watch = self.watch.as_ref().filter(|watch| Some(watch.id()) == self.main)?;
        if !watch.has_ended().unwrap_or(false) {
            return None;
        }
        let exit = watch.exit().unwrap_or_default();
        self.watch = None;
        self.main = None;
        Some(Ended::Main(exit))
    }

    /// Whether nobody is left.
    pub(super) fn is_empty(&mut self, now: Instant) -> bool {
        if self.main.is_some() {
            return false;
        }
        if self.complete {
            return !self.has_children;
        }
        let somebody_lives = self.watch.as_ref().is_some_and(|watch| !watch.has_ended().unwrap_or(true));
        if somebody_lives || self.look_at.is_some_and(|at| now < at) {
            return false;
        }
        self.watch = None;
        self.look_at = None;
        let empty = self.look();
        if !empty && self.watch.is_none() {
            self.look_at = Some(now + LOOK_EVERY);
        }
        empty
    }

    /// Looks for anybody, and watches one of them: the next look is due when that one ends.
    fn look(&mut self) -> bool {
        match self.tree.sweep() {
            Ok(members) => {
                let mut living = members.iter().filter(|member| !member.is_zombie());
                self.watch = living.find_map(|member| Watch::open(member.id).ok().flatten());
                members.iter().all(Member::is_zombie) && self.tree.is_empty().unwrap_or(false)
            }
            Err(error) => {
                super::complain(&format!("cannot look for the tree: {error}"));
                false
            }
        }
    }

    /// Who lives, by PID and name.
    pub(super) fn living(&mut self) -> Vec<(u32, String)> {
        self.outlivers().into_iter().map(named).collect()
    }

    fn outlivers(&mut self) -> Vec<Member> {
        if self.main.is_none() && self.complete && !self.has_children {
            return Vec::new();
        }
        self.members().into_iter().filter(|member| !member.is_zombie()).collect()
    }

    /// Who outlived the main process, by PID and name.
    pub(super) fn left_behind(&mut self) -> Vec<(u32, String)> {
        let left = self.outlivers();
        let eldest = left.iter().map(|member| member.id).min_by_key(|id| (id.start, id.pid));
        self.heir = eldest.map(|eldest| (eldest, None));
        left.into_iter().map(named).collect()
    }

    /// How the eldest of those ended, if it is over and this process was its parent by then.
    pub(super) fn heir_exit(&self) -> Option<Exit> {
        self.heir.and_then(|(_, exit)| exit)
    }

    /// Everybody who is known now.
    pub(super) fn members(&mut self) -> Vec<Member> {
        let members = if self.complete { self.tree.members() } else { self.tree.sweep() };
        members.unwrap_or_else(|error| {
            super::complain(&format!("cannot look for the tree: {error}"));
            Vec::new()
        })
    }

    /// One signal to all.
    pub(super) fn signal_all(&mut self, signal: Signal) {
        if let Err(error) = self.tree.signal_all(signal) {
            super::complain(&format!("cannot send {signal}: {error}"));
        }
    }

    /// One round of killing. Who has survived it so far.
    pub(super) fn kill(&mut self) -> Vec<(u32, String)> {
        self.look_at = None;
        match self.tree.kill_round() {
            Ok(Round { running, .. }) => running.into_iter().map(named).collect(),
            Err(error) => {
                super::complain(&format!("cannot kill: {error}"));
                Vec::new()
            }
        }
    }
}

fn named(member: Member) -> (u32, String) {
    (member.id.pid, member.name)
}
