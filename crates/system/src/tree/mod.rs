//! Everything that a process has started, and how to end all of it.
//!
//! A process leaves its parent easily: it forks twice, opens a session, ignores SIGTERM, or starts its like again when one
//! is killed. A [`Tree`] finds its members in three ways, and remembers what it has found by PID **and** start time:
//!
//! 1. *Below the holder.* On Linux a holder that is a [`subreaper`] becomes the parent of every orphan among its
//!    descendants, so all that was ever started is below it.
//! 2. *Below the root, and below those seen before.* Without a subreaper (macOS, or a holder that was replaced) an orphan
//!    that was seen once is still known.
//! 3. *By the mark*, an entry of the environment that descendants inherit: what was never seen in time.
//!
//! Nobody is signalled who is not proven to be the one that was found.

mod member;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(target_os = "macos")]
use macos as platform;
pub use member::{Member, State};
#[cfg(windows)]
use windows as platform;
#[cfg(windows)]
pub use windows::Job;

use crate::process::{ProcessId, Signal, Watch};

/// Between two rounds of [`Tree::kill_all`], at most: long enough for a kill to take effect.
const BETWEEN_ROUNDS: Duration = Duration::from_millis(20);

/// How often a round looks for newcomers before it kills those that it has stopped. Each look can only find what was
/// forked before its parent stopped, so more than two or three are a fork bomb.
const LOOKS: usize = 16;

/// Makes this process the one that orphans among its descendants become children of (`PR_SET_CHILD_SUBREAPER`), so that
/// what daemonises stays below it. It must reap them then. `false` where there is no such thing: everywhere but Linux.
pub fn subreaper() -> bool {
    platform::subreaper(true)
}

/// Runs `act` while this process is no [`subreaper`]: what a child of `act` starts and leaves behind is not ours, but goes
/// to the next one above. For what must not become part of the tree, a new supervisor say.
///
/// An orphan that a member leaves in this moment goes the same way: [`Tree::sweep`] once afterwards, to know it again.
pub fn step_aside<T>(act: impl FnOnce() -> T) -> T {
    let was = platform::is_subreaper();
    if was {
        platform::subreaper(false);
    }
    let outcome = act();
    if was {
        platform::subreaper(true);
    }
    outcome
}

/// What belongs to a run. See the [module](self) for what makes a process a member.
///
/// The calling process is never a member, nor is the holder.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    holder: Option<ProcessId>,
    root: Option<ProcessId>,
    mark: Option<String>,
    seen: Vec<ProcessId>,
    spared: Vec<ProcessId>,
}

/// What one round of killing has left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Those that still run: most were killed a moment ago, and end as soon as they are scheduled.
    pub running: Vec<Member>,
    /// Those that are dead and wait for their parent to reap them.
    pub zombies: Vec<Member>,
    /// Two looks in a row have found nobody alive: the tree has ended.
    pub done: bool,
}

impl Tree {
    /// Everything below `holder`, itself excluded. Meant for a holder that is a [`subreaper`]: nothing leaves it then.
    pub fn below(holder: ProcessId) -> Self {
        Self { holder: Some(holder), ..Self::default() }
    }

    /// `root` and everything below it: for when the holder is gone, or there never was one.
    pub fn of(root: ProcessId) -> Self {
        Self { root: Some(root), ..Self::default() }
    }

    /// Names the main process. Its group gets the signals of [`Tree::signal_all`] as one.
    #[must_use]
    pub fn with_root(mut self, root: ProcessId) -> Self {
        self.root = Some(root);
        self
    }

    /// A whole entry of the environment (`FORGE_RUN=…`) that only processes of this tree carry.
    #[must_use]
    pub fn with_mark(mut self, mark: impl Into<String>) -> Self {
        self.mark = Some(mark.into());
        self
    }

    /// Takes `id` out of the tree, and with it what is ever found below it.
    pub fn spare(&mut self, id: ProcessId) {
        self.spared.push(id);
    }

    /// Who was a member at the last look. To be kept across a change of holders, and given to [`Tree::remember`] there.
    pub fn remembered(&self) -> &[ProcessId] {
        &self.seen
    }

    /// Adds what is known from elsewhere to belong to the tree.
    pub fn remember(&mut self, ids: impl IntoIterator<Item = ProcessId>) {
        self.seen.extend(ids);
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn holder(&self) -> Option<ProcessId> {
        self.holder
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn root(&self) -> Option<ProcessId> {
        self.root
    }

    /// [`Tree::members`] of several, from one look at the processes of the machine.
    #[cfg(all(feature = "metrics", not(target_os = "linux")))]
    pub(crate) fn members_of_each<'a>(
        trees: impl Iterator<Item = &'a mut Self>,
    ) -> io::Result<Vec<io::Result<Vec<Member>>>> {
        let table = platform::Table::read()?;
        Ok(trees.map(|tree| tree.look_in(&table, Vec::new())).collect())
    }

    #[cfg(all(feature = "metrics", target_os = "linux"))]
    pub(crate) fn spares_somebody(&self) -> bool {
        !self.spared.is_empty()
    }

    /// The members now, zombies included, parents before their children. A walk over the holder's, the root's and the
    /// remembered members' descendants only: its cost does not depend on what else runs on the machine (on Linux).
    ///
    /// # Errors
    /// When the system could not be asked: that is not an empty tree.
    pub fn members(&mut self) -> io::Result<Vec<Member>> {
        self.look(Vec::new())
    }

    /// As [`Tree::members`], and every process of this user that carries the mark. Reads the environment of every process
    /// of this user; without a mark, or on Windows, the same as [`Tree::members`].
    ///
    /// # Errors
    /// As [`Tree::members`].
    pub fn sweep(&mut self) -> io::Result<Vec<Member>> {
        let marked = self.mark.as_deref().map(platform::marked).transpose()?;
        self.look(marked.unwrap_or_default())
    }

    /// Whether two looks in a row find nobody alive: one alone could miss a process that got another parent while it went
    /// on. Sweeps if there is no subreaper to keep the tree together.
    ///
    /// # Errors
    /// As [`Tree::members`].
    pub fn is_empty(&mut self) -> io::Result<bool> {
        let mut nobody = || self.look_well().map(|members| members.iter().all(Member::is_zombie));
        Ok(nobody()? && nobody()?)
    }

    /// Sends a signal to every member once: to the root's process group as one (npm and shells count on that), and to each
    /// member outside of it. With a signal that asks to end, stopped members are continued, so that they can. The
    /// number of members that it went to.
    ///
    /// Members that may not be signalled (another user's) are passed over.
    ///
    /// # Errors
    /// When the system could not be asked who is there.
    pub fn signal_all(&mut self, signal: Signal) -> io::Result<usize> {
        let members = self.look_well()?;
        let group = self.own_group(&members);
        let as_one = match (group, self.root) {
            (Some(group), Some(root)) => platform::signal_group(root, group, &members, signal)?,
            _ => false,
        };
        let alive = || members.iter().filter(|member| !member.is_zombie());
        let told = |member: &Member| as_one && Some(member.group) == group;
        let reached = send_each(alive().filter(|member| !told(member)), signal)?;
        if asks_to_end(signal) {
            send_each(alive().filter(|member| member.state == State::Stopped), Signal::CONT)?;
        }
        Ok(reached + alive().filter(|member| told(member)).count())
    }

    /// One round of killing, for an event loop: stops everybody so that nobody starts another, looks again until there
    /// are no newcomers, kills, and says what is left. It does not wait; call it again when a child has ended, or
    /// a little later, until it is `done`.
    ///
    /// # Errors
    /// When the system could not be asked who is there; another round may succeed.
    pub fn kill_round(&mut self) -> io::Result<Round> {
        let members = self.stop_everybody()?;
        // Children first: a parent that dies would have its stopped children continued (they become an orphaned group).
        send_each(members.iter().rev().filter(|member| !member.is_zombie()), Signal::KILL)?;
        let (zombies, running): (Vec<_>, Vec<_>) = self.look_well()?.into_iter().partition(Member::is_zombie);
        let done = running.is_empty() && self.is_empty()?;
        Ok(Round { running, zombies, done })
    }

    /// Rounds of killing until nobody is alive, at most until `deadline`. Who survived: in a system call that cannot be
    /// interrupted ([`State::Uninterruptible`]), or another user's. Zombies are no survivors.
    ///
    /// `reap` is called after each round; a holder that is a subreaper reaps its children in it.
    ///
    /// # Errors
    /// When at the deadline the system still could not be asked who is there.
    pub fn kill_all(&mut self, deadline: Instant, mut reap: impl FnMut()) -> io::Result<Vec<Member>> {
        loop {
            let round = self.kill_round();
            reap();
            let left = deadline.saturating_duration_since(Instant::now());
            match round {
                Ok(Round { done: true, .. }) => return Ok(Vec::new()),
                Ok(Round { running, .. }) if left.is_zero() => return Ok(running),
                Ok(Round { running, .. }) => wait_for_ends(&running, left.min(BETWEEN_ROUNDS)),
                Err(error) if left.is_zero() => return Err(error),
                Err(_) => std::thread::sleep(left.min(BETWEEN_ROUNDS)),
            }
        }
    }

    /// Stops until a look finds nobody new. The members of the last look.
    fn stop_everybody(&mut self) -> io::Result<Vec<Member>> {
        let mut stopped = HashSet::new();
        let mut members = self.look_well()?;
        for _ in 0..LOOKS {
            let running = members
                .iter()
                .filter(|member| matches!(member.state, State::Running | State::Uninterruptible));
            let newcomers: Vec<_> = running.filter(|member| stopped.insert(member.id)).collect();
            if newcomers.is_empty() {
                break;
            }
            send_each(newcomers, Signal::STOP)?;
            members = self.members()?;
        }
        Ok(members)
    }

    /// A sweep where the walk alone can miss something, else the walk.
    fn look_well(&mut self) -> io::Result<Vec<Member>> {
        if self.orphans_stay()? { self.members() } else { self.sweep() }
    }

    /// Whether there is a holder that orphans come to. Another process's being a subreaper cannot be asked: it is believed.
    fn orphans_stay(&self) -> io::Result<bool> {
        let Some(holder) = self.holder.filter(|_| platform::HAS_SUBREAPER) else { return Ok(false) };
        if holder.pid == std::process::id() {
            return Ok(platform::is_subreaper());
        }
        Ok(ProcessId::of(holder.pid)? == Some(holder))
    }

    /// The root's process group, if it leads one, and neither the holder nor anybody spared would be hit with it.
    fn own_group(&self, members: &[Member]) -> Option<u32> {
        let group = platform::group_led_by(self.root?.pid);
        // A live member in a group proves the group's number: it cannot be given again before the group is empty.
        members.iter().find(|member| member.group == group && !member.is_zombie())?;
        let bystanders = self.spared.iter().chain(&self.holder).map(|id| id.pid).chain([std::process::id()]);
        let hit = bystanders.into_iter().any(|pid| platform::group_of(pid) == Some(group));
        (!hit).then_some(group)
    }

    fn look(&mut self, found: Vec<ProcessId>) -> io::Result<Vec<Member>> {
        self.look_in(&platform::Table::read()?, found)
    }

    fn look_in(&mut self, table: &platform::Table, found: Vec<ProcessId>) -> io::Result<Vec<Member>> {
        let mut walk = Walk { table, outside: HashSet::from([std::process::id()]), queue: Vec::new() };
        let holder = match self.holder {
            Some(holder) if ProcessId::of(holder.pid)? == Some(holder) => Some(holder),
            _ => None,
        };
        walk.outside.extend(holder.map(|holder| holder.pid));

        walk.queue.extend(self.spared.iter().rev().map(|id| Lead::Known(*id)));
        let spared: Vec<_> = walk.run()?.iter().map(|member| member.id).collect();
        walk.outside.extend(spared.iter().map(|id| id.pid));

        // What is queued last is tried first: the holder's children, then the root, then the others.
        let known = found.iter().chain(self.seen.iter().rev()).chain(&self.root);
        walk.queue.extend(known.map(|id| Lead::Known(*id)));
        if let Some(holder) = holder {
            walk.follow_children_of(holder.pid)?;
        }
        let members = walk.run()?;
        self.seen = members.iter().map(|member| member.id).collect();
        self.spared = spared;
        Ok(members)
    }
}

/// One look at the tree.
struct Walk<'a> {
    table: &'a platform::Table,
    outside: HashSet<u32>,
    queue: Vec<Lead>,
}

/// Why a PID may be a member, and what has to be true of the process that has it now.
enum Lead {
    Known(ProcessId),
    Child { pid: u32, parent: u32 },
}

impl Walk<'_> {
    /// Follows every lead, and every child of those that turn out to be who is meant.
    fn run(&mut self) -> io::Result<Vec<Member>> {
        let mut members = Vec::new();
        let mut known = HashSet::new();
        while let Some(lead) = self.queue.pop() {
            let (Lead::Known(ProcessId { pid, .. }) | Lead::Child { pid, .. }) = lead;
            if self.outside.contains(&pid) || known.contains(&pid) {
                continue;
            }
            let Some(member) = self.table.member(pid)? else { continue };
            let proven = match lead {
                Lead::Known(id) => member.id == id,
                Lead::Child { parent, .. } => member.parent == parent,
            };
            if proven {
                known.insert(pid);
                self.follow_children_of(pid)?;
                members.push(member);
            }
        }
        Ok(members)
    }

    fn follow_children_of(&mut self, parent: u32) -> io::Result<()> {
        let children = self.table.children(parent)?;
        self.queue.extend(children.into_iter().map(|pid| Lead::Child { pid, parent }));
        Ok(())
    }
}

/// Signals each of them, whatever becomes of the others. One that may not be signalled is left alone, and shows up as
/// a survivor. How many were reached; the first failure, once all have been tried.
fn send_each<'a>(members: impl IntoIterator<Item = &'a Member>, signal: Signal) -> io::Result<usize> {
    let mut outcome = Ok(0);
    for member in members {
        match member.id.signal(signal) {
            Ok(sent) => outcome = outcome.map(|reached| reached + usize::from(sent)),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) => {}
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    outcome
}

fn asks_to_end(signal: Signal) -> bool {
    [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT].contains(&signal)
}

/// Until all of them have ended, at most for `limit`.
fn wait_for_ends(members: &[Member], limit: Duration) {
    let until = Instant::now() + limit;
    for member in members {
        let left = until.saturating_duration_since(Instant::now());
        match Watch::open(member.id).map(|watch| watch.map(|watch| watch.wait(left))) {
            Ok(None | Some(Ok(_))) => {}
            Ok(Some(Err(_))) | Err(_) => return std::thread::sleep(left),
        }
    }
}
