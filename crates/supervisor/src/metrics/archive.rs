//! The thread that keeps what is measured: the last minutes in memory, a day on disk, written in batches. Whatever happens
//! to the disk costs the history, and nothing else.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use forge_api::{HealthCheckSample, HealthRecord, Mark, MetricsAnswer, ReadMetrics, Time};

use super::database::{Batch, Database, Whose, is_broken, put_aside};
use super::health::HealthHistory;
use super::point::{Point, machine_series, merged, series, thinned};
use crate::core::{EnvironmentKey, Key};

/// Milliseconds between two points, and for how long they are kept.
const FINE: u32 = 1_000;
const FINE_KEPT: i64 = 15 * 60 * 1_000;
const COARSE: u32 = 10_000;
const COARSE_KEPT: i64 = 24 * 60 * 60 * 1_000;

/// Between two transactions.
const WRITE_EVERY: Duration = Duration::from_secs(10);

/// Batches between two of which the old is deleted.
const FORGET_EVERY: u32 = 6;

/// Points that wait for a disk that does not take them: some minutes of a large workspace.
const MOST_WAITING: usize = 50_000;

/// The same of marks.
const MOST_MARKS: usize = 1_000;

/// A range is this much longer than it says: clocks of the asker and of the points differ.
const SLACK: i64 = 5_000;

/// What is asked of the history.
pub(crate) struct Question {
    pub read: ReadMetrics,
    /// The processes in the order in which they are to be answered; others come after them.
    pub order: Vec<String>,
    pub answer: Box<dyn FnOnce(MetricsAnswer) + Send>,
}

/// Is told what health checks said to the supervisors before this one.
type Recalled = Box<dyn FnOnce(Vec<(Key, HealthHistory)>) + Send>;

enum Note {
    Points(Vec<(Whose, Point)>),
    Mark(EnvironmentKey, Mark),
    Health(Whose, Box<HealthRecord>, HealthCheckSample),
    Question(Question),
    Recall(Recalled),
}

/// The way to the thread.
pub(crate) struct Archive {
    /// `None` once it is closed.
    notes: Option<Sender<Note>>,
    thread: Option<JoinHandle<()>>,
}

impl Archive {
    /// Starts the thread.
    pub(crate) fn open(state: &Path) -> std::io::Result<Self> {
        let (notes, receiver) = mpsc::channel();
        let path = state.join("history.db");
        let thread = thread::Builder::new()
            .name("history".to_owned())
            .stack_size(1 << 20)
            .spawn(move || Keeping::new(path).run(&receiver))?;
        Ok(Self { notes: Some(notes), thread: Some(thread) })
    }

    /// Writes what is not written yet, and waits for that.
    pub(crate) fn close(&mut self) {
        self.notes = None;
        if let Some(thread) = self.thread.take() {
            // It has died: then nothing is left to be written.
            let _ = thread.join();
        }
    }

    pub(crate) fn points(&self, points: Vec<(Key, Point)>, machine: Option<Point>) {
        let points = points.into_iter().map(|(key, point)| (Whose::from(key), point));
        let machine = machine.map(|point| (Whose::machine(), point));
        self.tell(Note::Points(points.chain(machine).collect()));
    }

    pub(crate) fn mark(&self, environment: &EnvironmentKey, mark: Mark) {
        self.tell(Note::Mark(environment.clone(), mark));
    }

    /// A health check and the record that it begins or lengthens.
    pub(crate) fn health(&self, key: &Key, record: &HealthRecord, check: HealthCheckSample) {
        self.tell(Note::Health(key.clone().into(), Box::new(record.clone()), check));
    }

    /// What is on disk already, before anything of this supervisor's.
    pub(crate) fn recall_health(&self, recalled: impl FnOnce(Vec<(Key, HealthHistory)>) + Send + 'static) {
        self.tell(Note::Recall(Box::new(recalled)));
    }

    pub(crate) fn ask(&self, question: Question) {
        self.tell(Note::Question(question));
    }

    fn tell(&self, note: Note) {
        // Only when the thread has died: nobody remembers anything then.
        let _ = self.notes.as_ref().map(|notes| notes.send(note));
    }
}

/// The points of one process, or of the machine, in memory.
#[derive(Debug, Default)]
struct Recent {
    points: VecDeque<Point>,
    /// Those of the coarse step that is not over.
    step: Vec<Point>,
}

struct Keeping {
    path: PathBuf,
    database: Option<Database>,
    /// It was said that there is none.
    complained: bool,
    recent: BTreeMap<Whose, Recent>,
    marks: VecDeque<(EnvironmentKey, Mark)>,
    batch: Batch,
    batches: u32,
}

impl Keeping {
    fn new(path: PathBuf) -> Self {
        let mut keeping = Self {
            path,
            database: None,
            complained: false,
            recent: BTreeMap::new(),
            marks: VecDeque::new(),
            batch: Batch::default(),
            batches: 0,
        };
        keeping.open();
        keeping
    }

    fn open(&mut self) {
        match Database::open(&self.path) {
            Ok(database) => {
                self.database = Some(database);
                self.complained = false;
            }
            Err(error) => self.complain(&error),
        }
    }

    fn complain(&mut self, error: &dyn std::fmt::Display) {
        if !std::mem::replace(&mut self.complained, true) {
            tracing::warn!(
                "{}: {error}; what is measured is remembered for minutes only",
                self.path.display()
            );
        }
    }

    fn run(mut self, notes: &Receiver<Note>) {
        let mut due = None;
        loop {
            let note = match due {
                None => notes.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => notes.recv_timeout(Instant::saturating_duration_since(&due, Instant::now())),
            };
            match note {
                Ok(Note::Points(points)) => {
                    points.into_iter().for_each(|(whose, point)| self.add(whose, point))
                }
                Ok(Note::Mark(environment, mark)) => self.add_mark(environment, mark),
                Ok(Note::Health(whose, record, check)) => self.add_health(whose, *record, check),
                Ok(Note::Recall(recalled)) => {
                    let past = self.read_disk(Database::health);
                    recalled(past.into_iter().map(|(whose, history)| (whose.into(), history)).collect());
                    continue;
                }
                Ok(Note::Question(question)) => {
                    let answer = self.answer(&question.read, &question.order);
                    (question.answer)(answer);
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.write();
                    due = None;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.forget_before(i64::MAX);
                    self.write();
                    return;
                }
            }
            due = due.or_else(|| Some(Instant::now() + WRITE_EVERY));
        }
    }

    fn add(&mut self, whose: Whose, point: Point) {
        let recent = self.recent.entry(whose.clone()).or_default();
        let slot = |point: &Point| point.time_ms.div_euclid(i64::from(COARSE));
        if recent.step.first().is_some_and(|first| slot(first) != slot(&point)) {
            if let Some(mean) = merged(&recent.step) {
                self.batch.points.push((whose.clone(), COARSE, mean));
            }
            recent.step.clear();
        }
        recent.step.push(point.clone());
        let old = point.time_ms - FINE_KEPT;
        while recent.points.front().is_some_and(|first| first.time_ms <= old || first.time_ms > point.time_ms)
        {
            // Also what a clock that was set back has left.
            recent.points.pop_front();
        }
        recent.points.push_back(point.clone());
        self.batch.points.push((whose, FINE, point));
    }

    /// Drops from memory whatever has measured nothing since; of its last step, what there is of it is kept.
    fn forget_before(&mut self, time_ms: i64) {
        let Self { recent, batch, .. } = self;
        recent.retain(|whose, one| {
            let stays = one.points.back().is_some_and(|last| last.time_ms > time_ms);
            if !stays && let Some(mean) = merged(&one.step) {
                batch.points.push((whose.clone(), COARSE, mean));
            }
            stays
        });
    }

    fn add_mark(&mut self, environment: EnvironmentKey, mark: Mark) {
        if self.marks.len() >= MOST_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back((environment.clone(), mark.clone()));
        self.batch.marks.push((environment, mark));
    }

    fn add_health(&mut self, whose: Whose, record: HealthRecord, check: HealthCheckSample) {
        self.batch.checks.push((whose.clone(), check));
        self.batch.health.insert((whose, record.from), record);
    }

    fn write(&mut self) {
        let now = Time::now().as_millis();
        if self.database.is_none() {
            self.open();
        }
        self.batches += 1;
        if self.batches % FORGET_EVERY == 1 {
            self.batch.forget = vec![(FINE, now - FINE_KEPT), (COARSE, now - COARSE_KEPT)];
            self.forget_before(now - FINE_KEPT);
        }
        match self.database.as_mut().map(|database| database.write(&self.batch)) {
            Some(Ok(())) => {
                self.batch = Batch::default();
                // They are on disk.
                self.marks.clear();
            }
            Some(Err(error)) => self.failed(&error),
            None => {}
        }
        self.batch.bound(MOST_WAITING, MOST_MARKS);
    }

    /// A full or locked disk is tried again; a file that has become another is put aside.
    fn failed(&mut self, error: &rusqlite::Error) {
        self.complain(error);
        if is_broken(error) {
            self.database = None;
            if let Err(error) = put_aside(&self.path, "broken") {
                self.complain(&error);
            }
        }
    }

    fn answer(&mut self, read: &ReadMetrics, order: &[String]) -> MetricsAnswer {
        let environment =
            EnvironmentKey { workspace: read.workspace.clone(), environment: read.environment.clone() };
        let until = read.before_ms.unwrap_or(i64::MAX);
        let mut all = self.known(&environment);
        let place =
            |whose: &Whose| order.iter().position(|name| *name == whose.process).unwrap_or(order.len());
        all.sort_by_key(place);
        all.push(Whose::machine());
        let steps: Vec<(Whose, Vec<Point>)> = all
            .into_iter()
            .map(|whose| {
                let points = self.points(&whose, read.after_ms, until);
                (whose, points)
            })
            .filter(|(_, points)| !points.is_empty())
            .collect();
        let of_processes = || steps.iter().filter(|(whose, _)| !whose.is_machine()).map(|(_, points)| points);
        let first = of_processes().filter_map(|points| Some(points.first()?.time_ms)).min();
        let last = of_processes().filter_map(|points| Some(points.last()?.time_ms)).max();
        let length = last.zip(first).map_or(0, |(last, first)| last - first);
        let step = read
            .step_ms
            .map_or(if length <= FINE_KEPT + SLACK { i64::from(FINE) } else { i64::from(COARSE) }, i64::from);
        let marks = self.marks_of(&environment, read.after_ms, until);
        let mut answer = MetricsAnswer { series: Vec::new(), machine: None, marks };
        for (whose, points) in steps {
            // A second is what a point is: they do not fall on whole ones.
            let points = if step <= i64::from(FINE) { points } else { thinned(points, step) };
            if whose.is_machine() {
                answer.machine = Some(machine_series(&points));
            } else {
                answer.series.push(series(&whose.process, &points));
            }
        }
        answer
    }

    /// Whose points there may be.
    fn known(&mut self, environment: &EnvironmentKey) -> Vec<Whose> {
        let mut all = self.read_disk(|database| database.series_of(environment));
        let recent =
            self.recent.keys().filter(|whose| whose.environment == *environment && !whose.is_machine());
        for whose in recent {
            if !all.contains(whose) {
                all.push(whose.clone());
            }
        }
        all
    }

    /// As fine as they are kept: first those of ten seconds, then those of one.
    fn points(&mut self, whose: &Whose, after: i64, until: i64) -> Vec<Point> {
        let fresh: Vec<Point> = self
            .recent
            .get(whose)
            .into_iter()
            .flat_map(|recent| &recent.points)
            .filter(|point| point.time_ms > after && point.time_ms <= until)
            .cloned()
            .collect();
        let in_memory = self.recent.get(whose).and_then(|recent| recent.points.front());
        let border = in_memory.map_or(i64::MAX, |first| first.time_ms);
        // Of a supervisor before this one, the seconds are on disk.
        let now = Time::now().as_millis();
        let (fine_from, fine_until) = (after.max(now - FINE_KEPT), until.min(border.saturating_sub(1)));
        let fine = if fine_from < fine_until {
            self.read_disk(|database| database.points(whose, FINE, fine_from, fine_until))
        } else {
            Vec::new()
        };
        let border = fine.first().map_or(border, |first| first.time_ms);
        let coarse_until = until.min(border.saturating_sub(1));
        let coarse = if after < coarse_until {
            self.read_disk(|database| database.points(whose, COARSE, after, coarse_until))
        } else {
            Vec::new()
        };
        // Two supervisors may have measured a part of one step each.
        let coarse = thinned(coarse, i64::from(COARSE));
        coarse.into_iter().chain(fine).chain(fresh).collect()
    }

    fn marks_of(&mut self, environment: &EnvironmentKey, after: i64, until: i64) -> Vec<Mark> {
        let mut marks = self.read_disk(|database| database.marks(environment, after, until));
        let waiting = self.marks.iter().filter(|(whose, mark)| {
            whose == environment && mark.time.as_millis() > after && mark.time.as_millis() <= until
        });
        marks.extend(waiting.map(|(_, mark)| mark.clone()));
        marks.sort_by_key(|mark| mark.time);
        marks
    }

    fn read_disk<T>(&mut self, ask: impl FnOnce(&Database) -> rusqlite::Result<Vec<T>>) -> Vec<T> {
        match self.database.as_ref().map(ask) {
            Some(Ok(found)) => found,
            Some(Err(error)) => {
                self.failed(&error);
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
