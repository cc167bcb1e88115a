//! Processes, trees, ports and binaries of this machine.
//!
//! Usable alone: nothing here knows of Forge's environments, keepers or configuration, and without features it needs little more
//! than the standard library. Each module is one facade over a file for each operating system; what a system cannot
//! tell is `None`, and what could not be asked is an error: never a made-up value.
//!
//! - [`process`]: who a process is (PID **and** start time), whether it lives, how it ended, signals to it.
//! - [`tree`]: everything that a process has started, and how to end all of it.
//! - `ports` (feature `ports`): which ports are listened on, who holds them, which one is free.
//! - `metrics` (feature `metrics`): what a tree uses: CPU, memory, threads, files, disk.
//! - `binaries` (feature `binaries`): whether a program can be run at all, why not, and which version it is.
//!
//! # A tour
//!
//! A PID is used again; a [`ProcessId`] is not. Whatever is told or done here is about the process that was meant, or
//! about nobody:
//!
//! ```
//! use forge_system::{ProcessId, Signal};
//!
//! # fn main() -> std::io::Result<()> {
//! # #[cfg(unix)] {
//! let mut child = std::process::Command::new("sleep").arg("60").spawn()?;
//! let id = ProcessId::of(child.id())?.expect("it is not reaped");
//! assert!(id.is_alive()?);
//! assert!(id.signal(Signal::TERM)?);
//! child.wait()?;
//! assert!(!id.is_alive()?);
//! assert!(!id.signal(Signal::KILL)?, "nobody is there to be killed");
//! # }
//! # Ok(()) }
//! ```
//!
//! A [`Watch`] tells the end of a process that need not be a child, as a descriptor for an event loop, and on a new enough
//! Linux its exit status too.
//!
//! A [`Tree`](tree::Tree) is what a command has started, however it has tried to get away. First it is asked, then it is ended:
//!
//! ```
//! use std::time::{Duration, Instant};
//! use forge_system::{ProcessId, Signal, tree::Tree};
//!
//! # fn main() -> std::io::Result<()> {
//! # #[cfg(unix)] {
//! let mut child = std::process::Command::new("sh").args(["-c", "sleep 60 & sleep 60"]).spawn()?;
//! let mut tree = Tree::of(ProcessId::of(child.id())?.expect("it is not reaped"));
//! tree.signal_all(Signal::TERM)?;
//! let reap = || drop(child.try_wait());
//! let survivors = tree.kill_all(Instant::now() + Duration::from_secs(10), reap)?;
//! assert!(survivors.is_empty());
//! # }
//! # Ok(()) }
//! ```
#![cfg_attr(
    feature = "ports",
    doc = r#"
Ports are told from one look at the kernel's table, which may serve many questions:

```
use forge_system::ports::{Listening, is_free};

# fn main() -> std::io::Result<()> {
let server = std::net::TcpListener::bind("127.0.0.1:0")?;
let port = server.local_addr()?.port();
assert!(!is_free(port));
let now = Listening::read()?;
assert_eq!(now.holders(port)?[0].processes[0].pid, std::process::id());
# Ok(()) }
```"#
)]
#![cfg_attr(
    feature = "binaries",
    doc = r#"
And a program that cannot be run says why:

```
use forge_system::binaries::find;

# #[cfg(unix)] {
let why = find("/etc", None, "/".as_ref()).unwrap_err();
assert_eq!(why.to_string(), "/etc is a directory");
# }
```"#
)]
#![allow(unsafe_code, reason = "pidfds, libproc, kqueue and the Win32 calls have no safe wrapper")]

#[cfg(feature = "binaries")]
pub mod binaries;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "ports")]
pub mod ports;
pub mod process;
pub mod tree;

pub use process::{Exit, ProcessId, Signal, Watch, boot_id};
