//! From what processes have used in all to what a tree has used since the last look. Knows no system and no clock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{OpenFiles, Sample, platform};
use crate::process::ProcessId;
use crate::tree::Tree;

/// A member that was not there at the last look, but is older than that by more than this, was adopted: what it used
/// before is no one's news. (Younger ones can be missed while they are being forked.)
const MISSED: Duration = Duration::from_secs(1);

/// One look at a tree.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) at: Instant,
    /// The holder, and the CPU time that it has inherited.
    pub(super) holder: Option<(ProcessId, Duration)>,
    pub(super) members: Vec<Reading>,
    /// What its sockets have moved since the last look.
    pub(super) flow: Option<Flow>,
}

/// Bytes of payload over TCP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) received: u64,
    pub(super) sent: u64,
}

/// What one member uses now, and has used since it started.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) id: ProcessId,
    pub(super) parent: u32,
    pub(super) age: Duration,
    /// Dead: only what it has used still counts.
    pub(super) zombie: bool,
    pub(super) cpu: Duration,
    /// CPU time of children that it has waited for.
    pub(super) inherited: Duration,
    /// With what children that it has waited for have done, if [`platform::DISK_IS_INHERITED`].
    pub(super) disk: Option<Disk>,
    pub(super) memory_bytes: Option<u64>,
    pub(super) threads: Option<u32>,
    pub(super) open_files: Option<u32>,
    /// How many it may open.
    pub(super) open_files_limit: Option<u64>,
}

/// Bytes from and to storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Disk {
    pub(super) read: u64,
    pub(super) written: u64,
}

/// What is known of a tree from its last look.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// What tells it from all others of a sampler.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only who asks for sockets in the background")
    )]
    number: u64,
    holder: Option<ProcessId>,
    root: Option<ProcessId>,
    last: Option<Look>,
    disk: Option<Disk>,
    flow: Option<Flow>,
}

impl Account {
    pub(super) fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The holder, and who was a member at the last look.
    pub(super) fn everybody(&self) -> impl Iterator<Item = ProcessId> {
        self.holder.into_iter().chain(self.members().into_iter().flatten())
    }

    /// Whether it is about this tree. A holder may be replaced, and a root become known later: never both at once.
    pub(super) fn is_of(&self, tree: &Tree) -> bool {
        let same = |ours: Option<ProcessId>, theirs| ours.is_some() && ours == theirs;
        same(self.holder, tree.holder()) || same(self.root, tree.root())
    }

    /// Who was a member at the last look. `None` before the first.
    pub(super) fn members(&self) -> Option<impl Iterator<Item = ProcessId>> {
        self.last.as_ref().map(|last| last.members.iter().map(|member| member.id))
    }

    /// The figures, and the look to compare the next one with.
    pub(super) fn settle(&mut self, tree: &Tree, look: Look) -> Sample {
        (self.holder, self.root) = (tree.holder(), tree.root());
        let mut sample = totals(&look.members);
        match &self.last {
            Some(last) => {
                let since = Since::new(last, &look);
                let elapsed = look.at.saturating_duration_since(last.at).as_secs_f64();
                if elapsed > 0.0 {
                    sample.cpu_percent = Some(100.0 * since.cpu().as_secs_f64() / elapsed);
                }
                self.disk = plus(self.disk, since.disk());
            }
            None => self.disk = look.members.iter().map(|member| member.disk).fold(None, plus),
        }
        sample.disk_read_bytes = self.disk.map(|disk| disk.read);
        sample.disk_written_bytes = self.disk.map(|disk| disk.written);
        self.flow = match (self.flow, look.flow) {
            (Some(total), Some(more)) => Some(Flow {
                received: total.received.saturating_add(more.received),
                sent: total.sent.saturating_add(more.sent),
            }),
            // It has been where nothing is told of: that is no zero.
            (Some(total), None) if total == Flow::default() => None,
            (total, more) => total.or(more),
        };
        sample.net_received_bytes = self.flow.map(|flow| flow.received);
        sample.net_sent_bytes = self.flow.map(|flow| flow.sent);
        self.last = Some(look);
        sample
    }
}

/// What can be said of one look alone.
fn totals(members: &[Reading]) -> Sample {
    let alive = || members.iter().filter(|member| !member.zombie);
    let count = |figure: fn(&Reading) -> Option<u32>| alive().filter_map(figure).reduce(u32::saturating_add);
    Sample {
        memory_bytes: alive().filter_map(|member| member.memory_bytes).reduce(u64::saturating_add),
        threads: count(|member| member.threads),
        open_files: count(|member| member.open_files),
        fullest: alive().filter_map(fullness).max_by(|one, other| one.share().total_cmp(&other.share())),
        processes: u32::try_from(alive().count()).unwrap_or(u32::MAX),
        ..Sample::default()
    }
}

fn fullness(member: &Reading) -> Option<OpenFiles> {
    let (open, limit) = (member.open_files?, member.open_files_limit?);
    Some(OpenFiles { pid: member.id.pid, open, limit })
}

/// What has changed between two looks at one tree.
struct Since<'a> {
    elapsed: Duration,
    holder: (Duration, Duration),
    /// Each member now, and what it was at the last look.
    members: Vec<(&'a Reading, Option<&'a Reading>)>,
    gone: Vec<&'a Reading>,
}

impl<'a> Since<'a> {
    fn new(last: &'a Look, now: &'a Look) -> Self {
        let mut before: HashMap<ProcessId, &Reading> =
            last.members.iter().map(|member| (member.id, member)).collect();
        let members = now.members.iter().map(|member| (member, before.remove(&member.id))).collect();
        let gone = last.members.iter().filter(|member| before.contains_key(&member.id)).collect();
        let holder = match (last.holder, now.holder) {
            (Some((old, before)), Some((new, now))) if old == new => (before, now),
            _ => (Duration::ZERO, Duration::ZERO),
        };
        Self { elapsed: now.at.saturating_duration_since(last.at), holder, members, gone }
    }

    /// See the [module above](super).
    fn cpu(&self) -> Duration {
        let own = self.rises(|member| Some(member.cpu)).map(|(before, now)| now.saturating_sub(before));
        let inherited = self.rises(|member| Some(member.inherited)).chain([self.holder]);
        let inherited = inherited.map(|(before, now)| now.saturating_sub(before)).sum();
        let counted = self.gone.iter().map(|member| member.cpu + member.inherited);
        own.sum::<Duration>() + without(inherited, counted)
    }

    fn disk(&self) -> Option<Disk> {
        let risen = |of: fn(Disk) -> u64| {
            let rises = self.rises(|member| member.disk.map(of));
            let rise = rises.map(|(before, now)| now.saturating_sub(before)).fold(0, u64::saturating_add);
            if !platform::DISK_IS_INHERITED {
                return rise;
            }
            // A member's own and inherited bytes are one number; what the holder has inherited is not in it.
            let left = self.gone.iter().filter(|member| self.has_living_heir(member));
            without(rise, left.filter_map(|member| member.disk.map(of)))
        };
        let told = self.members.iter().any(|(now, _)| now.disk.is_some());
        told.then(|| Disk { read: risen(|disk| disk.read), written: risen(|disk| disk.written) })
    }

    /// Whether one of those that it was below is still a member.
    fn has_living_heir(&self, gone: &Reading) -> bool {
        let parent_of = |pid: &u32| self.gone.iter().find(|it| it.id.pid == *pid).map(|it| it.parent);
        let mut above = std::iter::successors(Some(gone.parent), parent_of).take(self.gone.len() + 1);
        above.any(|pid| self.members.iter().any(|(now, _)| now.id.pid == pid))
    }

    /// A figure of each member that told it, before and now.
    fn rises<T: Default>(&self, figure: impl Fn(&Reading) -> Option<T>) -> impl Iterator<Item = (T, T)> {
        self.members.iter().filter_map(move |(now, before)| {
            let figure_now = figure(now)?;
            let before = match before {
                Some(before) => figure(before)?,
                None if now.age <= self.elapsed + MISSED => T::default(),
                None => figure(now)?,
            };
            Some((before, figure_now))
        })
    }
}

/// What was inherited, less what was counted already of those who left it. Who left more than there is, left it to nobody.
fn without<T: PartialOrd + std::ops::Sub<Output = T> + Copy>(
    inherited: T,
    counted: impl Iterator<Item = T>,
) -> T {
    counted.fold(inherited, |left, counted| if counted <= left { left - counted } else { left })
}

fn plus(total: Option<Disk>, more: Option<Disk>) -> Option<Disk> {
    match (total, more) {
        (Some(total), Some(more)) => Some(Disk {
            read: total.read.saturating_add(more.read),
            written: total.written.saturating_add(more.written),
        }),
        (total, more) => total.or(more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// A member below PID 1, older than any look, that has used so much CPU time and inherited so much (ms).
    fn member(pid: u32, cpu: u64, inherited: u64) -> Reading {
        Reading {
            id: ProcessId { pid, start: 7 },
            parent: 1,
            age: ms(100_000),
            zombie: false,
            cpu: ms(cpu),
            inherited: ms(inherited),
            disk: None,
            memory_bytes: None,
            threads: None,
            open_files: None,
            open_files_limit: None,
        }
    }

    fn below(parent: u32, member: Reading) -> Reading {
        Reading { parent, ..member }
    }

    fn young(member: Reading) -> Reading {
        Reading { age: ms(500), ..member }
    }

    fn wrote(member: Reading, written: u64) -> Reading {
        Reading { disk: Some(Disk { read: 0, written }), ..member }
    }

    const HOLDER: ProcessId = ProcessId { pid: 1, start: 1 };

    /// Looks a second apart, each with what the holder has inherited.
    fn samples(looks: Vec<(u64, Vec<Reading>)>) -> Vec<Sample> {
        let (tree, begin) = (Tree::below(HOLDER), Instant::now());
        let mut account = Account::default();
        let looks = looks.into_iter().zip(0..).map(|((inherited, members), second)| Look {
            at: begin + Duration::from_secs(second),
            holder: Some((HOLDER, ms(inherited))),
            members,
            flow: None,
        });
        looks.map(|look| account.settle(&tree, look)).collect()
    }

    #[track_caller]
    fn assert_percent(looks: Vec<(u64, Vec<Reading>)>, expected: f64, why: &str) {
        let percent = samples(looks).last().unwrap().cpu_percent.unwrap();
        assert!((percent - expected).abs() < 1e-9, "{why}: {percent} instead of {expected}");
    }

    #[test]
    fn the_first_look_has_no_percentage() {
        let samples = samples(vec![(0, vec![member(2, 500, 0)]), (0, vec![member(2, 750, 0)])]);
        assert_eq!(samples[0].cpu_percent, None, "nothing to compare with");
        assert_eq!(samples[1].cpu_percent, Some(25.0), "a quarter of a second in a second");
    }

    #[test]
    fn what_was_counted_of_a_child_is_not_counted_again_when_its_parent_inherits_it() {
        let before = vec![member(2, 100, 0), below(2, member(3, 5000, 0))];
        assert_percent(
            vec![(0, before.clone()), (0, vec![member(2, 110, 5200)])],
            21.0,
            "10 ms of its own and the child's last 200",
        );
        assert_percent(vec![(0, before.clone()), (0, vec![member(2, 110, 0)])], 1.0, "it ignores SIGCHLD");
        assert_percent(
            vec![(0, before), (5300, vec![])],
            20.0,
            "both have ended, and the holder has inherited what the parent had inherited",
        );
    }

    #[test]
    fn a_child_that_came_and_went_between_two_looks_counts_in_whole() {
        assert_percent(vec![(0, vec![member(2, 0, 0)]), (0, vec![member(2, 0, 400)])], 40.0, "a parent");
        assert_percent(vec![(0, vec![member(2, 0, 0)]), (300, vec![member(2, 0, 0)])], 30.0, "the holder");
        let newcomer = young(below(2, member(3, 100, 200)));
        assert_percent(vec![(0, vec![member(2, 0, 0)]), (0, vec![member(2, 0, 0), newcomer])], 30.0, "new");
    }

    #[test]
    fn what_an_adopted_process_used_before_is_no_news() {
        let old = below(2, member(3, 900_000, 800_000));
        assert_percent(vec![(0, vec![member(2, 0, 0)]), (0, vec![member(2, 0, 0), old])], 0.0, "adopted");
    }

    #[test]
    fn the_end_of_a_member_never_makes_a_figure_negative() {
        let before = vec![member(2, 9000, 0), below(2, member(3, 9000, 9000))];
        assert_percent(vec![(0, before.clone()), (0, vec![])], 0.0, "all gone, inherited by nobody");
        assert_percent(vec![(0, before), (0, vec![member(3, 9001, 9000)])], 0.1, "one gone");
    }

    #[test]
    fn a_pid_that_somebody_else_has_now_is_compared_with_nobody() {
        let other = Reading { id: ProcessId { pid: 3, start: 8 }, ..young(below(2, member(3, 50, 0))) };
        let looks = vec![
            (0, vec![member(2, 0, 0), below(2, member(3, 7000, 0))]),
            (0, vec![member(2, 0, 7000), other]),
        ];
        assert_percent(looks, 5.0, "the newcomer's own, and no more of the first");
    }

    #[test]
    fn disk_bytes_go_on_where_the_ended_have_left_them() {
        let written = |looks: Vec<Vec<Reading>>| -> Vec<Option<u64>> {
            let looks = looks.into_iter().map(|members| (0, members)).collect();
            samples(looks).iter().map(|sample| sample.disk_written_bytes).collect()
        };
        let root = |bytes| wrote(member(2, 0, 0), bytes);
        let child = |bytes| wrote(below(2, member(3, 0, 0)), bytes);
        assert_eq!(
            written(vec![vec![root(10), child(1000)], vec![root(20), child(1500)], vec![root(20)]]),
            [Some(1010), Some(1520), Some(1520)],
            "inherited by nobody"
        );
        if platform::DISK_IS_INHERITED {
            assert_eq!(
                written(vec![vec![root(10), child(1000)], vec![root(1210)], vec![root(1211)]]),
                [Some(1010), Some(1210), Some(1211)],
                "the child's last 200"
            );
            let other = |bytes| wrote(member(4, 0, 0), bytes);
            assert_eq!(
                written(vec![vec![root(10), child(1000), other(0)], vec![other(5000)]]),
                [Some(1010), Some(6010)],
                "the holder has inherited both: the third's are its own"
            );
        }
        assert_eq!(written(vec![vec![member(2, 0, 0)], vec![member(2, 0, 0)]]), [None, None], "not told");
        assert_eq!(
            written(vec![vec![root(10)], vec![member(2, 0, 0)], vec![root(30)]]),
            [Some(10), Some(10), Some(10)],
            "not told in between: what came meanwhile is not known to be new"
        );
    }

    #[test]
    fn figures_are_sums_of_the_living_that_told_them() {
        let told =
            Reading { memory_bytes: Some(4096), threads: Some(3), open_files: Some(5), ..member(2, 0, 0) };
        let zombie = Reading { zombie: true, id: ProcessId { pid: 4, start: 1 }, ..told.clone() };
        let sample = samples(vec![(0, vec![told, member(3, 0, 0), zombie])])[0];
        assert_eq!(sample.processes, 2, "a zombie is none");
        let figures = (sample.memory_bytes, sample.threads, sample.open_files);
        assert_eq!(figures, (Some(4096), Some(3), Some(5)), "of the one that told");
        let nobody = samples(vec![(0, vec![])])[0];
        assert_eq!(nobody, Sample::default(), "an empty tree has no figures");
    }

    #[test]
    fn an_account_is_of_the_same_run_when_either_end_is_the_same() {
        let id = |pid| ProcessId { pid, start: 1 };
        let mut account = Account::default();
        let look = Look { at: Instant::now(), holder: None, members: Vec::new(), flow: None };
        account.settle(&Tree::below(id(1)).with_root(id(2)), look);
        assert!(account.is_of(&Tree::below(id(1))), "the root has ended");
        assert!(account.is_of(&Tree::below(id(9)).with_root(id(2))), "another holder has taken over");
        assert!(!account.is_of(&Tree::below(id(8)).with_root(id(9))), "another run");
        assert!(!Account::default().is_of(&Tree::default()), "nobody is nobody's");
    }
}
