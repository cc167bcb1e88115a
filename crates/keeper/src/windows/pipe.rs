//! The keeper's named pipe: for this user alone, and for nobody on another machine.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_IO_PENDING, ERROR_PIPE_CONNECTED, HANDLE, INVALID_HANDLE_VALUE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX, ReadFile, WriteFile,
};
use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE,
    PIPE_WAIT,
};
use windows_sys::Win32::System::Threading::{CreateEventW, GetCurrentProcess, OpenProcessToken};

/// Connections at once.
const MOST_CLIENTS: u32 = 16;

/// Bytes that the system keeps in each direction.
const BUFFER: u32 = 64 << 10;

/// Waits for clients on one name.
#[derive(Debug)]
pub(super) struct Listener {
    name: Vec<u16>,
    rights: Rights,
    next: OwnedHandle,
}

/// A security descriptor that lets in this user alone.
#[derive(Debug)]
struct Rights(PSECURITY_DESCRIPTOR);

// SAFETY: a block of memory that is written once and freed once.
unsafe impl Send for Rights {}

/// One client. Reading and writing may go on at the same time, in two threads.
#[derive(Debug, Clone)]
pub(super) struct Connection(Arc<OwnedHandle>);

impl Listener {
    /// Takes the name; fails if somebody else has it.
    pub(super) fn bind(name: &OsStr) -> io::Result<Self> {
        let name: Vec<u16> = name.encode_wide().chain([0]).collect();
        let rights = Rights::of_this_user()?;
        let next = instance(&name, &rights, FILE_FLAG_FIRST_PIPE_INSTANCE)?;
        Ok(Self { name, rights, next })
    }

    /// Waits for the next client.
    pub(super) fn accept(&mut self) -> io::Result<Connection> {
        overlapped(&self.next, |handle, overlapped| {
            // SAFETY: the handle is open, the structure lives until the operation is over.
            unsafe { ConnectNamedPipe(handle, overlapped) }
        })?;
        let next = instance(&self.name, &self.rights, 0)?;
        Ok(Connection(Arc::new(std::mem::replace(&mut self.next, next))))
    }
}

impl Connection {
    /// Waits for bytes; 0 at the end of the connection.
    pub(super) fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let read = overlapped(&self.0, |handle, overlapped| {
            // SAFETY: the buffer is as long as is said, and lives until the operation is over.
            unsafe { ReadFile(handle, bytes.as_mut_ptr(), length, ptr::null_mut(), overlapped) }
        });
        match read {
            Err(error) if error.raw_os_error() == Some(ERROR_BROKEN_PIPE.cast_signed()) => Ok(0),
            other => other,
        }
    }

    /// Writes all of it, however long the client takes.
    pub(super) fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let written = overlapped(&self.0, |handle, overlapped| {
                // SAFETY: the buffer is as long as is said, and lives until the operation is over.
                unsafe { WriteFile(handle, bytes.as_ptr(), length, ptr::null_mut(), overlapped) }
            })?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Starts an operation and waits for it. With overlapped handles one thread can read while another writes: an
/// ordinary handle would make them wait for each other.
fn overlapped(handle: &OwnedHandle, start: impl FnOnce(HANDLE, *mut OVERLAPPED) -> i32) -> io::Result<usize> {
    // SAFETY: no name, no attributes; the handle that comes back is ours.
    let event = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
    if event.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and nobody else's.
    let event = unsafe { OwnedHandle::from_raw_handle(event.cast()) };
    // SAFETY: an all-zero OVERLAPPED is what the system expects at the start.
    let mut operation: OVERLAPPED = unsafe { std::mem::zeroed() };
    operation.hEvent = event.as_raw_handle().cast();
    let handle: HANDLE = handle.as_raw_handle().cast();
    if start(handle, &raw mut operation) == 0 {
        let error = io::Error::last_os_error();
        match error.raw_os_error().map(i32::cast_unsigned) {
            Some(ERROR_IO_PENDING) => {}
            Some(ERROR_PIPE_CONNECTED) => return Ok(0),
            _ => return Err(error),
        }
    }
    let mut count = 0;
    // SAFETY: the operation was started on this handle with this structure; the call waits for its end.
    let done = unsafe { GetOverlappedResult(handle, &raw const operation, &raw mut count, 1) };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(count as usize) }
}

fn instance(name: &[u16], rights: &Rights, flags: u32) -> io::Result<OwnedHandle> {
    let attributes = SECURITY_ATTRIBUTES {
        nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
        lpSecurityDescriptor: rights.0,
        bInheritHandle: 0,
    };
    // SAFETY: the name ends with a NUL, the descriptor lives as long as the listener.
    let handle = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | flags,
            PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
            MOST_CLIENTS,
            BUFFER,
            BUFFER,
            0,
            &raw const attributes,
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and nobody else's.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle.cast()) })
}

impl Rights {
    fn of_this_user() -> io::Result<Self> {
        let sddl: Vec<u16> = format!("D:P(A;;GA;;;{})", user_sid()?).encode_utf16().chain([0]).collect();
        let mut descriptor: PSECURITY_DESCRIPTOR = ptr::null_mut();
        // SAFETY: the text ends with a NUL, the place for the answer is valid.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                sddl.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                ptr::null_mut(),
            )
        };
        if made == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(descriptor)) }
    }
}

impl Drop for Rights {
    fn drop(&mut self) {
        // SAFETY: the system allocated it for us, and it is freed once.
        unsafe { LocalFree(self.0) };
    }
}

/// The security identifier of the user that this keeper runs as, in its text form.
fn user_sid() -> io::Result<String> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the pseudo-handle of this process needs no closing, the place for the answer is valid.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else's.
    let token = unsafe { OwnedHandle::from_raw_handle(token.cast()) };
    // A TOKEN_USER is followed by the identifier that it points to, of 68 bytes at most. Words, for the alignment.
    let mut space = [0_u64; 32];
    let mut length = 0;
    // SAFETY: the buffer is as large as is said, and aligned for what is written.
    let told = unsafe {
        GetTokenInformation(
            token.as_raw_handle().cast(),
            TokenUser,
            space.as_mut_ptr().cast(),
            size_of_val(&space) as u32,
            &raw mut length,
        )
    };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    let mut text: *mut u16 = ptr::null_mut();
    // SAFETY: the call above has put a TOKEN_USER there; the text that comes back is freed below.
    unsafe {
        let user = &*space.as_ptr().cast::<TOKEN_USER>();
        if ConvertSidToStringSidW(user.User.Sid, &raw mut text) == 0 {
            return Err(io::Error::last_os_error());
        }
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        let sid = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        Ok(sid)
    }
}
