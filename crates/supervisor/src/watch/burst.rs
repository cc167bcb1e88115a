//! Changes that belong together.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use super::{LONGEST_BURST, QUIET};

/// The files that have changed since the last telling.
#[derive(Debug, Default)]
pub(super) struct Burst {
    files: BTreeSet<PathBuf>,
    /// Of the first and of the last change; `None` without one.
    times: Option<(Instant, Instant)>,
}

impl Burst {
    pub(super) fn add(&mut self, file: PathBuf, now: Instant) {
        self.files.insert(file);
        let first = self.times.map_or(now, |(first, _)| first);
        self.times = Some((first, now));
    }

    /// When to tell; `None`: there is nothing to be told.
    pub(super) fn due(&self) -> Option<Instant> {
        self.times.map(|(first, last)| (last + QUIET).min(first + LONGEST_BURST))
    }

    /// The files, if it is time, in order.
    pub(super) fn take(&mut self, now: Instant) -> Option<Vec<PathBuf>> {
        self.due().filter(|due| *due <= now)?;
        self.times = None;
        Some(std::mem::take(&mut self.files).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    use super::{Burst, LONGEST_BURST, QUIET};

    #[test]
    fn a_burst_ends_with_a_pause() {
        let (mut burst, start) = (Burst::default(), Instant::now());
        assert_eq!(burst.due(), None, "nothing has changed");
        burst.add("b".into(), start);
        burst.add("a".into(), start + QUIET / 2);
        burst.add("b".into(), start + QUIET / 2);
        assert_eq!(burst.due(), Some(start + QUIET / 2 + QUIET), "after the last one");
        assert_eq!(burst.take(start + QUIET), None, "not yet");
        let files = Some(vec![PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!(burst.take(start + QUIET * 2), files, "each file once");
        assert_eq!((burst.due(), burst.take(start + QUIET * 9)), (None, None), "and only once");
    }

    #[test]
    fn a_file_that_is_written_all_the_time_is_told_of_each_second() {
        let (mut burst, start) = (Burst::default(), Instant::now());
        let mut told = 0;
        for tick in 0..300 {
            let now = start + Duration::from_millis(10) * tick;
            burst.add("log".into(), now);
            told += usize::from(burst.take(now).is_some());
        }
        assert_eq!(told, 2, "in three seconds, the last of which is not over");
        assert!(burst.due().is_some_and(|due| due < start + LONGEST_BURST * 4), "and the rest soon");
    }
}
