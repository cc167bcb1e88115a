//! What the keeper does to itself before anything else: it leaves its starter's session, descriptors, signals and
//! folder behind.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::process::umask;

/// The first descriptor that is nobody's standard stream.
const FIRST: i32 = 3;

/// Signals that must not end or stop a keeper. A shutdown's SIGTERM goes to its child just as well, and somebody has
/// to be there to write down how that ends.
const IGNORED: &[i32] = &[
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGPIPE,
    libc::SIGALRM,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
    libc::SIGXFSZ,
];

/// The write end of the pipe that tells of ended children; -1 before it is made.
static ENDED: AtomicI32 = AtomicI32::new(-1);

/// Leaves the session and the descriptors that were inherited. Gives the umask, which is the child's.
pub(super) fn leave_home() -> Mode {
    // Fails for a process group's leader only: started by hand from a shell, where staying is no harm.
    let _ = rustix::process::setsid();
    close_inherited();
    for &signal in IGNORED {
        // SAFETY: SIG_IGN runs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    unblock_all();
    let _ = rustix::process::chdir("/");
    umask(Mode::RWXG | Mode::RWXO)
}

/// Standard input becomes the null device, standard error the file at `log`. Standard output stays for now:
/// [`say_ready`].
pub(super) fn redirect_streams(log: &Path) -> io::Result<()> {
    rustix::stdio::dup2_stdin(null_device()?)?;
    redirect_complaints(log)
}

/// Standard output, to which nothing is ever written, becomes the null device. A supervisor that has made it a pipe
/// reads its end, and knows that from now on it can connect.
pub(super) fn say_ready() -> io::Result<()> {
    Ok(rustix::stdio::dup2_stdout(null_device()?)?)
}

/// Standard error becomes the file at `log`, which may have been deleted since it was opened before.
pub(super) fn redirect_complaints(log: &Path) -> io::Result<()> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(log)?;
    Ok(rustix::stdio::dup2_stderr(file)?)
}

/// The null device, for reading and writing.
pub(super) fn null_device() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?)
}

/// From now on a byte comes out of the pipe when children have ended.
pub(super) fn watch_children() -> io::Result<File> {
    let (read, write) = super::pipe()?;
    for end in [read.as_fd(), write.as_fd()] {
        rustix::io::ioctl_fionbio(end, true)?;
    }
    // The handler writes to it for as long as the keeper lives.
    ENDED.store(std::os::fd::IntoRawFd::into_raw_fd(write), Ordering::Relaxed);
    // SAFETY: an all-zero sigaction is a valid value of this plain C structure.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_child_ended as *const () as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART | libc::SA_NOCLDSTOP;
    // SAFETY: the handler only does what signal-safety(7) allows; the structure outlives the call.
    let outcome = unsafe { libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()) };
    if outcome == 0 { Ok(File::from(read)) } else { Err(io::Error::last_os_error()) }
}

extern "C" fn on_child_ended(_: libc::c_int) {
    let byte = 0_u8;
    let errno = errno();
    // SAFETY: errno's place is valid for this thread. write(2) is signal-safe; a full pipe wakes the loop as well.
    unsafe {
        let before = *errno;
        libc::write(ENDED.load(Ordering::Relaxed), (&raw const byte).cast(), 1);
        *errno = before;
    }
}

#[cfg(target_os = "linux")]
fn errno() -> *mut libc::c_int {
    // SAFETY: has no preconditions.
    unsafe { libc::__errno_location() }
}

#[cfg(target_os = "macos")]
fn errno() -> *mut libc::c_int {
    // SAFETY: has no preconditions.
    unsafe { libc::__error() }
}

/// All signals at their default and none blocked, as a program expects to find them. For the child, before exec.
pub(super) fn reset_signals() {
    // 64 is the last on Linux; what does not exist, or can't be set, is refused without harm.
    for signal in 1..=64 {
        // SAFETY: SIG_DFL runs no code of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    unblock_all();
}

fn unblock_all() {
    // SAFETY: a sigset_t is plain data that sigemptyset fills in.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Closes all descriptors but the standard ones: a keeper lives for weeks, and would hold its starter's files,
/// sockets and locks for as long.
fn close_inherited() {
    #[cfg(target_os = "linux")]
    {
        // By number, since a C library before glibc 2.34 has no function for it.
        // SAFETY: nothing of ours is open yet.
        let outcome = unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, 0) };
        if outcome == 0 {
            return;
        }
    }
    let open: Vec<i32> = std::fs::read_dir("/dev/fd")
        .map(|entries| {
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
        })
        .unwrap_or_default();
    for fd in open.into_iter().filter(|&fd| fd >= FIRST) {
        // SAFETY: nothing of ours is open yet; that the listing's own descriptor is closed by now is no harm.
        unsafe { libc::close(fd) };
    }
}

/// Keeps idle keepers small: what was large is given back to the system, not kept for later.
pub(super) fn limit_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: called before there is a second thread. Without it glibc raises the threshold after the first large
    // buffer was freed, and keeps later ones.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 64 << 10);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 64 << 10);
    }
}
