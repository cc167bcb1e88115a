//! Windows: handles. An open handle keeps a PID from being given again, so that what is asked of it is asked of one process.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::time::Duration;

use windows_sys::Wdk::System::Threading::{NtQueryInformationProcess, ProcessCommandLineInformation};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_COMMITMENT_LIMIT, ERROR_INVALID_PARAMETER, ERROR_NO_SYSTEM_RESOURCES,
    ERROR_NOT_ENOUGH_MEMORY, ERROR_SUCCESS, ERROR_TOO_MANY_OPEN_FILES, FILETIME, HANDLE, LocalFree,
    UNICODE_STRING, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, LookupAccountSidW, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, GenerateConsoleCtrlEvent};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_DWORD, RegGetValueW};
use windows_sys::Win32::System::SystemInformation::GetTickCount64;
use windows_sys::Win32::System::Threading::{
    GetExitCodeProcess, GetProcessTimes, OpenProcess, OpenProcessToken, PROCESS_ACCESS_RIGHTS,
    PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE,
    QueryFullProcessImageNameW, TerminateProcess, WaitForSingleObject,
};
use windows_sys::Win32::UI::Shell::CommandLineToArgvW;

use super::{Exit, ProcessId, Signal, User};

/// Between 1601, where FILETIME begins, and 1970, in its unit of 100 ns.
const UNIX_EPOCH: u64 = 116_444_736_000_000_000;

/// The exit code of what was killed: what `TerminateProcess` is given by everybody.
const KILLED: u32 = 1;

/// `None` if nobody has this PID.
fn open(pid: u32, rights: PROCESS_ACCESS_RIGHTS) -> io::Result<Option<OwnedHandle>> {
    // SAFETY: takes no memory.
    let handle = unsafe { OpenProcess(rights, 0, pid) };
    if !handle.is_null() {
        // SAFETY: just opened, and nobody else's.
        return Ok(Some(unsafe { OwnedHandle::from_raw_handle(handle.cast()) }));
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(ERROR_INVALID_PARAMETER.cast_signed()) => Ok(None),
        error => Err(error),
    }
}

/// A handle on exactly this process.
pub(crate) fn open_proven(id: ProcessId, rights: PROCESS_ACCESS_RIGHTS) -> io::Result<Option<OwnedHandle>> {
    let rights = rights | PROCESS_QUERY_LIMITED_INFORMATION;
    let Some(handle) = open(id.pid, rights)? else { return Ok(None) };
    Ok((start(&handle)? == id.start).then_some(handle))
}

fn raw(handle: &OwnedHandle) -> HANDLE {
    handle.as_raw_handle().cast()
}

/// Win32 says no with a zero.
fn done(answer: windows_sys::core::BOOL) -> io::Result<()> {
    if answer == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn start(handle: &OwnedHandle) -> io::Result<u64> {
    let mut times = [FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 }; 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: four places to write to.
    done(unsafe { GetProcessTimes(raw(handle), created, exited, kernel, user) })?;
    Ok(u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime))
}

/// Whether what the handle stands for has ended within the limit.
fn ended(handle: &OwnedHandle, limit: Duration) -> io::Result<bool> {
    // `u32::MAX` would mean for ever.
    let limit = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX).min(u32::MAX - 1);
    // SAFETY: the handle is open, with the right to wait for it.
    match unsafe { WaitForSingleObject(raw(handle), limit) } {
        WAIT_OBJECT_0 => Ok(true),
        WAIT_TIMEOUT => Ok(false),
        _ => Err(io::Error::last_os_error()),
    }
}

pub(super) const SHORTAGES: [i32; 4] = [
    ERROR_TOO_MANY_OPEN_FILES.cast_signed(),
    ERROR_NO_SYSTEM_RESOURCES.cast_signed(),
    ERROR_NOT_ENOUGH_MEMORY.cast_signed(),
    ERROR_COMMITMENT_LIMIT.cast_signed(),
];

/// A process that has ended stays known for as long as somebody has a handle: a zombie, of a kind.
pub(super) fn identity(pid: u32) -> io::Result<Option<ProcessId>> {
    // The idle process has no handle.
    if pid == 0 {
        return Ok(None);
    }
    let Some(handle) = open(pid, PROCESS_QUERY_LIMITED_INFORMATION)? else { return Ok(None) };
    Ok(Some(ProcessId { pid, start: start(&handle)? }))
}

pub(super) fn is_alive(id: ProcessId) -> io::Result<bool> {
    let Some(handle) = open_proven(id, PROCESS_SYNCHRONIZE)? else { return Ok(false) };
    Ok(!ended(&handle, Duration::ZERO)?)
}

pub(super) fn name(pid: u32) -> io::Result<Option<String>> {
    let Some(handle) = open(pid, PROCESS_QUERY_LIMITED_INFORMATION)? else { return Ok(None) };
    let mut path = [0_u16; 1024];
    let mut length = path.len() as u32;
    // SAFETY: the buffer is as long as is said.
    done(unsafe {
        QueryFullProcessImageNameW(raw(&handle), PROCESS_NAME_WIN32, path.as_mut_ptr(), &mut length)
    })?;
    let path = String::from_utf16_lossy(path.get(..length as usize).unwrap_or_default());
    let file = path.rsplit('\\').next().unwrap_or_default();
    Ok(Some(file.strip_suffix(".exe").unwrap_or(file).to_owned()))
}

pub(super) fn command_line(pid: u32) -> io::Result<Option<Vec<String>>> {
    let Some(handle) = open(pid, PROCESS_QUERY_LIMITED_INFORMATION)? else { return Ok(None) };
    // A UNICODE_STRING and what it points to; 32,767 characters at most. Of `u64`, for its alignment.
    let mut block = vec![0_u64; (64 * 1024 + 64) / 8];
    let bytes = (block.len() * 8) as u32;
    let mut length = 0;
    // SAFETY: the buffer is as large as is said, and aligned for what is written.
    let status = unsafe {
        NtQueryInformationProcess(
            raw(&handle),
            ProcessCommandLineInformation,
            block.as_mut_ptr().cast(),
            bytes,
            &mut length,
        )
    };
    if status < 0 {
        return Ok(None);
    }
    // SAFETY: on success the block begins with this structure.
    let text = unsafe { block.as_ptr().cast::<UNICODE_STRING>().read() };
    if text.Buffer.is_null() {
        return Ok(Some(Vec::new()));
    }
    // SAFETY: it points into the block; its length is in bytes.
    let text = unsafe { std::slice::from_raw_parts(text.Buffer, usize::from(text.Length) / 2) };
    Ok(Some(split(text)))
}

/// As the C runtime splits a command line.
fn split(line: &[u16]) -> Vec<String> {
    // Of an empty one, CommandLineToArgvW would make the path of this program.
    if line.is_empty() {
        return Vec::new();
    }
    let line: Vec<u16> = line.iter().copied().chain([0]).collect();
    let mut count = 0;
    // SAFETY: the line ends with a NUL.
    let words = unsafe { CommandLineToArgvW(line.as_ptr(), &mut count) };
    if words.is_null() {
        return Vec::new();
    }
    let split = (0..usize::try_from(count).unwrap_or(0))
        // SAFETY: there are `count` pointers to strings that end with a NUL.
        .map(|at| unsafe { text_at(*words.add(at)) })
        .collect();
    // SAFETY: allocated by CommandLineToArgvW in one block, and no longer used.
    unsafe { LocalFree(words.cast()) };
    split
}

/// # Safety
/// `text` must point to a string that ends with a NUL.
unsafe fn text_at(text: *const u16) -> String {
    let mut length = 0;
    // SAFETY: not beyond the NUL, as promised.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: that many have just been read.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) })
}

pub(super) fn user(pid: u32) -> io::Result<Option<User>> {
    let Some(handle) = open(pid, PROCESS_QUERY_LIMITED_INFORMATION)? else { return Ok(None) };
    let mut token: HANDLE = std::ptr::null_mut();
    // SAFETY: a place to write a handle to.
    done(unsafe { OpenProcessToken(raw(&handle), TOKEN_QUERY, &mut token) })?;
    // SAFETY: just opened, and nobody else's.
    let token = unsafe { OwnedHandle::from_raw_handle(token.cast()) };
    // A TOKEN_USER and the SID that it points to (68 bytes at most). Of `u64`, for its alignment.
    let mut block = [0_u64; 32];
    let mut length = 0;
    let bytes = size_of_val(&block) as u32;
    // SAFETY: the buffer is as large as is said.
    done(unsafe {
        GetTokenInformation(raw(&token), TokenUser, block.as_mut_ptr().cast(), bytes, &mut length)
    })?;
    // SAFETY: on success the block begins with this structure.
    let sid = unsafe { block.as_ptr().cast::<TOKEN_USER>().read() }.User.Sid;
    let (mut name, mut domain) = ([0_u16; 257], [0_u16; 257]);
    let (mut name_length, mut domain_length) = (name.len() as u32, domain.len() as u32);
    let mut kind = 0;
    // SAFETY: the SID lies in the block, which still lives; the buffers are as long as is said.
    let found = unsafe {
        LookupAccountSidW(
            std::ptr::null(),
            sid,
            name.as_mut_ptr(),
            &mut name_length,
            domain.as_mut_ptr(),
            &mut domain_length,
            &mut kind,
        )
    };
    let name = name.get(..name_length as usize).filter(|_| found != 0);
    Ok(Some(User { uid: None, name: name.map(String::from_utf16_lossy) }))
}

pub(super) fn started_at(id: ProcessId) -> io::Result<u64> {
    Ok(id.start.saturating_sub(UNIX_EPOCH).saturating_mul(100))
}

/// The PID of whoever started it may be another's since: only one that is older can be its parent.
pub(super) fn parent(pid: u32) -> io::Result<Option<u32>> {
    let Some(entry) = snapshot()?.into_iter().find(|entry| entry.th32ProcessID == pid) else {
        return Ok(None);
    };
    let parent = entry.th32ParentProcessID;
    let (Some(child), Ok(Some(holder))) = (identity(pid)?, identity(parent)) else { return Ok(None) };
    Ok((holder.start <= child.start).then_some(parent))
}

/// Every process at one moment.
pub(crate) fn snapshot() -> io::Result<Vec<PROCESSENTRY32W>> {
    // SAFETY: takes no memory.
    let handle = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
    if handle.is_null() || handle == windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and nobody else's.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle.cast()) };
    let mut entry =
        PROCESSENTRY32W { dwSize: size_of::<PROCESSENTRY32W>() as u32, ..PROCESSENTRY32W::default() };
    let mut entries = Vec::new();
    // SAFETY: the entry says its own size.
    let mut more = unsafe { Process32FirstW(raw(&handle), &mut entry) };
    while more != 0 {
        entries.push(entry);
        // SAFETY: as above.
        more = unsafe { Process32NextW(raw(&handle), &mut entry) };
    }
    Ok(entries)
}

/// How many threads each of these processes has.
#[cfg(feature = "metrics")]
pub(crate) fn threads(pids: &[u32]) -> std::collections::HashMap<u32, u32> {
    let entries = snapshot().unwrap_or_default().into_iter();
    let all = entries.map(|entry| (entry.th32ProcessID, entry.cntThreads));
    all.filter(|(pid, _)| pids.contains(pid)).collect()
}

/// The count of boots, which the memory manager keeps in the registry; where it is missing, the minute of the boot.
pub(super) fn boot_id() -> io::Result<String> {
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let key = wide(r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters");
    let value = wide("BootId");
    let mut count = 0_u32;
    let mut length = size_of::<u32>() as u32;
    // SAFETY: both names end with a NUL, and the place is as large as is said.
    let status = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            value.as_ptr(),
            RRF_RT_REG_DWORD,
            std::ptr::null_mut(),
            (&raw mut count).cast(),
            &mut length,
        )
    };
    if status == ERROR_SUCCESS {
        return Ok(format!("boot-{count}"));
    }
    // SAFETY: takes nothing.
    let up = Duration::from_millis(unsafe { GetTickCount64() });
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(format!("minute-{}", now.saturating_sub(up).as_secs() / 60))
}

pub(super) fn signal(id: ProcessId, signal: Signal) -> io::Result<bool> {
    match signal {
        Signal::KILL => terminate(id),
        Signal::INT | Signal::TERM => interrupt(id),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

fn terminate(id: ProcessId) -> io::Result<bool> {
    let Some(handle) = open_proven(id, PROCESS_TERMINATE | PROCESS_SYNCHRONIZE)? else { return Ok(false) };
    if ended(&handle, Duration::ZERO)? {
        return Ok(false);
    }
    // SAFETY: the handle is open, with the right to do this.
    match done(unsafe { TerminateProcess(raw(&handle), KILLED) }) {
        // So it says of one that is just ending.
        Err(error) if error.raw_os_error() == Some(ERROR_ACCESS_DENIED.cast_signed()) => {
            if ended(&handle, Duration::ZERO)? { Ok(false) } else { Err(error) }
        }
        other => other.map(|()| true),
    }
}

/// CTRL_BREAK to the console group that the process leads: it must share our console, and have been started with
/// `CREATE_NEW_PROCESS_GROUP`. (CTRL_C cannot be sent to a group.)
fn interrupt(id: ProcessId) -> io::Result<bool> {
    let Some(handle) = open_proven(id, PROCESS_SYNCHRONIZE)? else { return Ok(false) };
    if ended(&handle, Duration::ZERO)? {
        return Ok(false);
    }
    // SAFETY: takes no memory. The handle still keeps the PID from meaning another.
    done(unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, id.pid) }).map(|()| true)
}

#[derive(Debug)]
pub(super) struct Watch {
    handle: OwnedHandle,
}

impl Watch {
    pub(super) fn open(id: ProcessId) -> io::Result<Option<Self>> {
        Ok(open_proven(id, PROCESS_SYNCHRONIZE)?.map(|handle| Self { handle }))
    }

    pub(super) fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }

    pub(super) fn wait(&self, limit: Duration) -> io::Result<bool> {
        ended(&self.handle, limit)
    }

    pub(super) fn exit(&self) -> io::Result<Option<Exit>> {
        if !ended(&self.handle, Duration::ZERO)? {
            return Ok(None);
        }
        let mut code = 0_u32;
        // SAFETY: a place to write to.
        done(unsafe { GetExitCodeProcess(raw(&self.handle), &mut code) })?;
        Ok(Some(Exit::Code(code.cast_signed())))
    }
}
