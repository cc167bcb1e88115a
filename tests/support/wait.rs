use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take: only a hang is ever this slow, also on a loaded machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until `look` finds something.
///
/// # Panics
/// Nothing was found within [`DEADLINE`].
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited {} s in vain: {what}", DEADLINE.as_secs());
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until `condition` holds.
///
/// # Panics
/// It did not within [`DEADLINE`].
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}
