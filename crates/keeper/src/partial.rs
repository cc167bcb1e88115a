//! When the beginning of a line is stored although its end has not come: a prompt, a progress bar.

use std::time::{Duration, Instant};

/// It is stored after so much silence.
const SILENCE: Duration = Duration::from_millis(200);

/// And at the latest so long after it began: who draws a bar anew all the time is never silent.
const LONGEST: Duration = Duration::from_secs(1);

/// What one stream holds back.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// When its beginning was read, and the last of it.
    held: Option<(Instant, Instant)>,
}

impl Partial {
    /// These bytes were read; `is_held`: what follows their last newline is held back.
    pub(super) fn read(&mut self, bytes: &[u8], is_held: bool, now: Instant) {
        let goes_on = || !bytes.iter().rev().any(|byte| *byte == b'\n');
        self.held = match self.held {
            _ if !is_held => None,
            Some((began, _)) if goes_on() => Some((began, now)),
            _ => Some((now, now)),
        };
    }

    /// It is stored now, or the stream has ended.
    pub(super) fn stored(&mut self) {
        self.held = None;
    }

    /// When it is to be stored; `None`: there is nothing.
    pub(super) fn due(&self) -> Option<Instant> {
        self.held.map(|(began, last)| (last + SILENCE).min(began + LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_after_silence_and_at_the_latest_a_second_after_it_began() {
        let begun = Instant::now();
        let after = |millis| begun + Duration::from_millis(millis);
        let mut partial = Partial::default();
        for (at, bytes, is_held, due) in [
            (0, "one\n", false, None),
            (10, "two\nname? ", true, Some(210)),
            (100, "Ann", true, Some(300)),
            (900, "x", true, Some(1010)),
            (950, "\nthree\n10%", true, Some(1150)),
            (960, "\n", false, None),
        ] {
            partial.read(bytes.as_bytes(), is_held, after(at));
            assert_eq!(partial.due(), due.map(after), "{bytes:?} after {at} ms");
        }
        partial.read(b"10%", true, after(1000));
        partial.stored();
        assert_eq!(partial.due(), None, "nothing is held any more");
    }
}
