//! What the lines of processes tell: followed as they are written, beside the core, and handed to it in small portions.
//!
//! One follower a process, over all its runs. It costs at most one core for all of them together, and takes turns: a
//! flood in one log delays what another tells by a moment, and nothing more. Where it stands is saved with what was
//! counted up to there, so that the next supervisor goes on and repeats nothing.

mod coalesce;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use forge_api::Time;
use forge_logs::events::{Sieve, Told, Watch, What, Work};
use forge_logs::{Cursor, Level, Line, Reader, level};
use tokio::sync::{Semaphore, watch};

use crate::core::{Handle, Key};
pub(crate) use coalesce::Happening;
use coalesce::Windows;

/// Bytes that are looked through in one turn.
const STEP: usize = 1 << 20;

/// Lines that come within this time are looked at together.
const PAUSE: Duration = Duration::from_millis(100);

/// After so many bytes in which nothing was told, where the follower stands is told all the same.
const SILENT: usize = 4 << 20;

/// Lines are stamped before they are stored: what is gathered may still grow so much later.
const GRACE_NS: i64 = 1_000_000_000;

/// Errors that are older are no news.
const RECENT_NS: i64 = 60_000_000_000;

const MINUTE_NS: i64 = 60_000_000_000;

/// Whose lines are followed, and from where on.
#[derive(Debug, Clone)]
pub(crate) struct Following {
    pub key: Key,
    pub folder: PathBuf,
    /// Of a log that was never followed, only this run and later ones are looked at.
    pub run: u32,
    pub watch: Arc<Watch>,
    pub place: Place,
}

/// How far a log was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Lines up to here are counted.
    pub counted: Option<Cursor>,
    /// Lines from here on may belong to what is still being gathered: they are read again, and told again, which the
    /// history knows to be the same.
    pub resume: Option<Cursor>,
}

/// What was found since the last time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub happenings: Vec<Happening>,
    /// How the process is in its own words, and the run that said so.
    pub state: Option<(String, u32, Time)>,
    /// Slow work by the minute (since 1970) in which it was told.
    pub slow: BTreeMap<(i64, Work), u64>,
    /// Sizes of what was built, in order.
    pub sizes: Vec<NewSize>,
    /// Lines that state an error.
    pub errors: u64,
    /// Much was looked at since something was told.
    pub far: bool,
    pub place: Place,
}

/// The size of something that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewSize {
    pub name: String,
    pub bytes: u64,
    pub time: Time,
    pub at: Cursor,
}

impl Found {
    /// Nothing to be remembered.
    pub(crate) fn is_silent(&self) -> bool {
        self.happenings.is_empty() && self.state.is_none() && self.slow.is_empty() && self.sizes.is_empty()
    }
}

/// A follower between two turns.
struct Follower {
    following: Following,
    reader: Option<Reader>,
    sieve: Sieve,
    windows: Windows,
    counted: Option<Cursor>,
    silent: usize,
}

/// Follows until the core ends, or the task is aborted.
pub(crate) async fn follow(
    core: Handle,
    following: Following,
    turns: Arc<Semaphore>,
    mut growth: watch::Receiver<u64>,
) {
    let key = following.key.clone();
    let counted = following.place.counted;
    let sieve = following.watch.sieve();
    let windows = Windows::default();
    let mut follower = Follower { following, reader: None, sieve, windows, counted, silent: 0 };
    loop {
        growth.borrow_and_update();
        let Ok(turn) = turns.acquire().await else { return };
        let step = tokio::task::spawn_blocking(move || {
            let step = follower.step();
            (follower, step)
        });
        let Ok((next, step)) = step.await else { return };
        drop(turn);
        follower = next;
        let at_end = match step {
            Ok((found, at_end)) => {
                if let Some(found) = found {
                    let key = key.clone();
                    if core.visit(move |core| core.told(&key, found)).await.is_err() {
                        return;
                    }
                }
                at_end
            }
            Err(error) => {
                tracing::warn!("what {} tells: {error}", key.process);
                follower.reader = None;
                true
            }
        };
        if at_end && !more(&mut growth, follower.windows.end_ns()).await {
            return;
        }
        // Whoever asks for the next turn asks behind those that wait.
        tokio::time::sleep(if at_end { PAUSE } else { Duration::ZERO }).await;
    }
}

/// Waits until the log has grown, or what is being gathered is due. `false`: nobody will write any more.
async fn more(growth: &mut watch::Receiver<u64>, due_ns: Option<i64>) -> bool {
    let Some(due_ns) = due_ns else { return growth.changed().await.is_ok() };
    let due_ns = due_ns.saturating_add(GRACE_NS);
    let left = u64::try_from(due_ns.saturating_sub(Time::now().0)).unwrap_or(0);
    tokio::select! {
        changed = growth.changed() => changed.is_ok(),
        () = tokio::time::sleep(Duration::from_nanos(left)) => true,
    }
}

impl Follower {
    /// Reads on a little. `None`: nothing worth telling.
    fn step(&mut self) -> io::Result<(Option<Found>, bool)> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.open()?,
        };
        let batch = reader.sift(STEP, &mut self.sieve)?;
        if batch.gap {
            // It may be another store, whose places begin anew.
            self.counted = None;
        }
        let mut found = Found::default();
        for line in batch.lines.iter().filter(|line| line.is_program()) {
            self.line(line, &mut found);
        }
        if batch.at_end {
            found.happenings.extend(self.windows.due(Time::now().0.saturating_sub(GRACE_NS)));
        }
        self.silent += batch.bytes;
        self.counted = self.counted.max(Some(batch.next));
        found.place = Place { counted: self.counted, resume: Some(self.windows.resume(batch.next)) };
        self.reader = Some(reader);
        found.far = self.silent >= SILENT;
        if found.far || !found.is_silent() {
            self.silent = 0;
        }
        let tell = found.far || found.errors > 0 || !found.is_silent();
        Ok((tell.then_some(found), batch.at_end))
    }

    fn open(&self) -> io::Result<Reader> {
        let Place { counted, resume } = self.following.place;
        // Where something was read already, it is gone on there: what is gathered is not gathered twice.
        let from = if self.counted == counted { resume.or(counted) } else { self.counted };
        match from {
            None => crate::logs::at_run(&self.following.folder, self.following.run),
            Some(cursor) => {
                let mut reader = Reader::open(&self.following.folder)?;
                reader.seek(cursor);
                Ok(reader)
            }
        }
    }

    fn line(&mut self, line: &Line, found: &mut Found) {
        let time = Time(line.time_ns);
        let new = self.counted.is_none_or(|counted| line.end > counted);
        found.happenings.extend(self.windows.due(line.time_ns));
        // What goes on with an error is not another one.
        let states = || level::detect(&line.text) == Some(Level::Error);
        let recent = || time.0 > Time::now().0.saturating_sub(RECENT_NS);
        found.errors += u64::from(new && line.level == Some(Level::Error) && states() && recent());
        for told in self.following.watch.look(line) {
            match &told.what {
                What::Size { name, bytes } => {
                    if new {
                        let (name, bytes) = (name.clone(), *bytes);
                        found.sizes.push(NewSize { name, bytes, time, at: line.end });
                    }
                    continue;
                }
                What::State(state) => found.state = Some((state.clone(), line.run, time)),
                What::Slow(work) if new => {
                    *found.slow.entry((line.time_ns.div_euclid(MINUTE_NS), *work)).or_default() += 1;
                }
                What::Slow(_) | What::Event => {}
            }
            found.happenings.extend(self.windows.take(told, line));
        }
    }
}

/// Of a kind of slow work, what was told in the hour before `now`.
pub(crate) fn in_the_last_hour(slow: &BTreeMap<(i64, Work), u64>, work: Work, now: Time) -> u64 {
    let first = now.0.div_euclid(MINUTE_NS) - 59;
    slow.iter().filter(|((minute, kind), _)| *minute >= first && *kind == work).map(|(_, count)| count).sum()
}

/// Bytes for people, in thousands: `150 KB`.
pub(crate) fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a figure of three places")]
    let kilobytes = bytes as f64 / 1e3;
    if kilobytes < 999.5 { format!("{kilobytes:.0} KB") } else { format!("{:.2} MB", kilobytes / 1e3) }
}

/// Told of a line, for the coalescing of which nothing else matters.
fn happening(told: Told, line: &Line) -> Happening {
    Happening {
        level: told.level,
        title: told.title,
        text: told.text,
        time: Time(line.time_ns),
        at: line.end,
    }
}
