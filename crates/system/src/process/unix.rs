//! What Linux and macOS share.

use std::ffi::CStr;
use std::io;

use rustix::process::{Pid, getpgid};

use super::Signal;

pub(super) const SHORTAGES: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::EAGAIN, libc::ENOMEM];

/// The name of an account, by `getpwuid_r`.
pub(super) fn account(uid: u32) -> Option<String> {
    const ENOUGH: usize = 1 << 20;
    let mut buffer = vec![0; 1024];
    loop {
        // SAFETY: `passwd` is plain data of pointers and integers, for which zero is a value.
        let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
        let mut found = std::ptr::null_mut();
        // SAFETY: all pointers are valid for the call, and the length is the buffer's.
        let error =
            unsafe { libc::getpwuid_r(uid, &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut found) };
        if error == libc::ERANGE && buffer.len() < ENOUGH {
            buffer.resize(buffer.len() * 4, 0);
            continue;
        }
        if error != 0 || found.is_null() || entry.pw_name.is_null() {
            return None;
        }
        // SAFETY: on success `pw_name` is a NUL-terminated string inside `buffer`, which still lives.
        let name = unsafe { CStr::from_ptr(entry.pw_name) };
        return Some(name.to_string_lossy().into_owned());
    }
}

/// kill(2): to a process, or with a negated id to a group. Only for who has just been proven.
pub(crate) fn kill(pid: i32, signal: Signal) -> io::Result<()> {
    // 0, -1 and 1 mean "my group", "everybody" and init: never what is meant here.
    if (-1..=1).contains(&pid) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: no memory is involved.
    if unsafe { libc::kill(pid, signal.as_raw()) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `None` for what is the PID of nobody.
pub(crate) fn pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// The process group of whoever has this PID now.
pub(crate) fn group_of(number: u32) -> Option<u32> {
    let group = getpgid(Some(pid(number)?)).ok()?;
    Some(group.as_raw_nonzero().get().cast_unsigned())
}

/// The number that a process's group has, if it leads one.
pub(crate) fn group_led_by(pid: u32) -> u32 {
    pid
}
