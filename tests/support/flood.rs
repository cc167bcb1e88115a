//! Many processes that write much, all at once: what nothing may be lost of.

use std::fmt::Write;
use std::ops::Range;

use crate::{World, assert_sequence, wait_until};

/// So many processes, each of which writes `rate` lines a second for `seconds`, and stays.
#[derive(Debug, Clone, Copy)]
pub struct Flood {
    pub processes: usize,
    /// Lines a second.
    pub rate: u64,
    pub seconds: u64,
}

impl Flood {
    /// The environment `dev` of it.
    #[must_use]
    pub fn configuration(&self) -> String {
        let (count, rate) = (self.lines().end, self.rate);
        (0..self.processes).fold("dev:\n".to_owned(), |mut text, number| {
            let command = format!("nasty count {count} --rate {rate} --tag p{number} print done forever");
            let _ = writeln!(text, "  - {{name: p{number}, command: {command}}}");
            text
        })
    }

    /// The numbers of the lines of each.
    #[must_use]
    pub fn lines(&self) -> Range<u64> {
        0..self.rate * self.seconds
    }

    /// Waits until all is written, and counts it in the stored segments: every line of each is there, once, in order,
    /// and times do not go back.
    ///
    /// # Panics
    /// Something is missing, or it takes too long.
    pub fn assert_stored(&self, world: &World) {
        for number in 0..self.processes {
            let (name, tag) = (format!("p{number}"), format!("p{number}"));
            // The newest lines only: all of them are read once.
            wait_until(&format!("the last line of {name}"), || {
                let last = world.forge(["logs", &name, "-n", "1", "--stream", "stdout"]).run();
                last.stdout.trim_end().ends_with("done")
            });
            let entries = world.entries(&name);
            let back = entries.windows(2).find(|pair| pair[0].time > pair[1].time);
            assert!(back.is_none(), "times of {name} go back: {back:?}");
            assert_sequence(&crate::join(&entries), &tag, self.lines());
        }
    }
}
