//! TCP ports that no other test takes.

use std::fs::File;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};

/// Ports reserved for one test, by locks on files that all tests of this machine share: they are free again when
/// this is dropped, also by a crash.
#[derive(Debug, Default)]
pub struct Ports(Mutex<Vec<File>>);

/// Below what systems give to outgoing connections, so that none of those is in the way.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

impl Ports {
    /// Another port on which nothing listens.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn free(&self) -> u16 {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let folder = std::env::temp_dir().join("forge-test-ports");
        std::fs::create_dir_all(&folder).expect("a folder for the locks of ports");
        // Test processes begin at different places.
        let begin =
            u16::try_from(std::process::id().wrapping_mul(37) % u32::from(COUNT)).expect("below 10,000");
        for _ in 0..COUNT {
            let port = FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
            let lock = File::create(folder.join(port.to_string())).expect("a lock for a port");
            let free = lock.try_lock().is_ok()
                && TcpListener::bind(("0.0.0.0", port)).is_ok()
                && TcpListener::bind(("127.0.0.1", port)).is_ok();
            if free {
                self.0.lock().expect("no test panicked here").push(lock);
                return port;
            }
        }
        panic!("no port is free");
    }
}
