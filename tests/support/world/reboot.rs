//! A reboot, as Forge finds the machine after it.

use std::fs;

use super::World;
use crate::{Signal, wait_until};

/// The boot that was.
const BEFORE: &str = "00000000-0000-0000-0000-000000000000";

impl World {
    /// Ends everything of this world at once, and lets all that Forge has written be of an earlier boot: a test cannot
    /// give the kernel another `boot_id`.
    ///
    /// # Panics
    /// Something survives, or the records can't be written.
    #[track_caller]
    pub fn reboot(&self) {
        wait_until("nothing is alive", || {
            let alive = self.alive();
            alive.iter().for_each(|process| process.signal(Signal::KILL));
            alive.is_empty()
        });
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("the boot's id");
        let boot = boot.trim();
        let runs = self.state().join("runs");
        if runs.join(boot).exists() {
            fs::rename(runs.join(boot), runs.join(BEFORE)).expect("the runs of the boot before");
        }
        for entry in fs::read_dir(self.state().join("environments")).expect("the state").flatten() {
            let text = fs::read_to_string(entry.path()).expect("a state file");
            let (head, json) = text.split_once('\n').expect("a head line");
            assert!(json.contains(boot), "it says of which boot it is: {json}");
            let json = json.replace(boot, BEFORE);
            let head = head.rsplit_once(' ').expect("a checksum").0;
            fs::write(entry.path(), format!("{head} {:016x}\n{json}", fnv1a(json.as_bytes())))
                .expect("written");
        }
    }
}

/// FNV-1a, the checksum of a state file (<http://www.isthe.com/chongo/tech/comp/fnv/>).
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
