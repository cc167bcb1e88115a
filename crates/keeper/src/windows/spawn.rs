//! Starting the child inside a Job Object, so that nothing that it starts can leave it.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::process::{Child, Command, Stdio};

use forge_keeper::spec::Spec;
use forge_system::ProcessId;
use forge_system::tree::Job;
use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::System::Console::SetConsoleCtrlHandler;
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, CREATE_SUSPENDED, OpenThread, ResumeThread,
    THREAD_SUSPEND_RESUME,
};

/// The entry of the child's environment that marks what belongs to a run.
const MARK: &str = "FORGE_RUN";

/// Starts the child, suspended, and puts it into the job before it can start anything itself. It runs only after
/// [`resume`].
pub(super) fn start_suspended(spec: &Spec, job: &Job) -> io::Result<(Child, ProcessId)> {
    let (program, arguments) = spec.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&spec.cwd).env_clear();
    command.envs(spec.env.iter().map(|(name, value)| (name, value))).env(MARK, &spec.run);
    command.stdin(if spec.stdin { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own is what CTRL_BREAK is sent to. It shares the keeper's console, which has no window.
    command.creation_flags(CREATE_SUSPENDED | CREATE_NEW_PROCESS_GROUP);
    let mut child = command.spawn()?;
    let held = ProcessId::of(child.id()).and_then(|id| {
        let id = id.ok_or(io::ErrorKind::NotFound)?;
        if job.assign(id)? { Ok(id) } else { Err(io::ErrorKind::NotFound.into()) }
    });
    match held {
        Ok(id) => Ok((child, id)),
        Err(error) => {
            // It has not run a single instruction yet.
            let _ = child.kill();
            Err(error)
        }
    }
}

/// Lets a process that was started suspended run.
pub(super) fn resume(id: ProcessId) -> io::Result<()> {
    // SAFETY: no preconditions; what comes back is checked.
    let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) };
    if snapshot == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and nobody else's.
    let snapshot = unsafe { OwnedHandle::from_raw_handle(snapshot.cast()) };
    let handle = snapshot.as_raw_handle().cast();
    let mut entry = THREADENTRY32 { dwSize: size_of::<THREADENTRY32>() as u32, ..THREADENTRY32::default() };
    // SAFETY: the snapshot is open, the entry says its size.
    let mut more = unsafe { Thread32First(handle, &raw mut entry) };
    while more != 0 {
        // It has one thread as yet.
        if entry.th32OwnerProcessID == id.pid {
            return resume_thread(entry.th32ThreadID);
        }
        // SAFETY: as above.
        more = unsafe { Thread32Next(handle, &raw mut entry) };
    }
    Err(io::ErrorKind::NotFound.into())
}

fn resume_thread(thread: u32) -> io::Result<()> {
    // SAFETY: no preconditions; what comes back is checked.
    let handle = unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, thread) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else's.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle.cast()) };
    // SAFETY: the handle is open, with the right to resume.
    let before = unsafe { ResumeThread(handle.as_raw_handle().cast()) };
    if before == u32::MAX { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Starts a supervisor outside of everything that this keeper holds.
pub(super) fn start_supervisor(argv: &[String]) -> io::Result<()> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW).spawn().map(drop)
}

/// Runs a container's stop or kill command.
pub(super) fn start_command(spec: &Spec, argv: &[String]) -> io::Result<Child> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&spec.cwd).env_clear();
    command.envs(spec.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW).spawn()
}

/// Console events, such as the CTRL_BREAK for the child or a logoff, do not end the keeper.
pub(super) fn ignore_console_events() {
    // SAFETY: the handler touches nothing.
    unsafe { SetConsoleCtrlHandler(Some(ignore), 1) };
}

unsafe extern "system" fn ignore(_: u32) -> windows_sys::core::BOOL {
    1
}
