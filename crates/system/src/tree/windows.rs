//! Windows: what is started with a [`Job`] stays in it. Without one, a walk over who started whom.
//!
//! Gap: an orphan keeps the PID of its parent as its parent, so that the walk finds it only while it is remembered; there is no
//! reading of another process's environment, so that marks find nobody. A job has neither gap.

use std::collections::HashMap;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_MORE_DATA, HANDLE};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectBasicProcessIdList, JobObjectExtendedLimitInformation,
    OpenJobObjectW, QueryInformationJobObject, SetInformationJobObject, TerminateJobObject,
};
use windows_sys::Win32::System::Threading::{PROCESS_SET_QUOTA, PROCESS_TERMINATE};

use super::{Member, State};
use crate::process::windows::{open_proven, snapshot};
use crate::process::{ProcessId, Signal};

// winnt.h, which windows-sys has only in part.
const JOB_OBJECT_ASSIGN_PROCESS: u32 = 1;
const JOB_OBJECT_QUERY: u32 = 4;
const JOB_OBJECT_TERMINATE: u32 = 8;

pub(super) const HAS_SUBREAPER: bool = false;

pub(super) fn subreaper(_on: bool) -> bool {
    false
}

pub(super) fn is_subreaper() -> bool {
    false
}

/// Every process at one moment, by PID: its parent and its name.
pub(super) struct Table {
    all: HashMap<u32, (u32, String)>,
}

impl Table {
    pub(super) fn read() -> io::Result<Self> {
        let name = |file: &[u16]| {
            let length = file.iter().position(|unit| *unit == 0).unwrap_or(file.len());
            let name = String::from_utf16_lossy(file.get(..length).unwrap_or_default());
            name.strip_suffix(".exe").map(str::to_owned).unwrap_or(name)
        };
        let entries = snapshot()?.into_iter();
        let all =
            entries.map(|entry| (entry.th32ProcessID, (entry.th32ParentProcessID, name(&entry.szExeFile))));
        Ok(Self { all: all.collect() })
    }

    pub(super) fn member(&self, pid: u32) -> io::Result<Option<Member>> {
        let Some((parent, name)) = self.all.get(&pid) else { return Ok(None) };
        let id = match ProcessId::of(pid) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
            other => other?,
        };
        let Some(id) = id else { return Ok(None) };
        // Who may not be waited for counts as running.
        let state = if id.is_alive().unwrap_or(true) { State::Running } else { State::Zombie };
        Ok(Some(Member { id, parent: *parent, group: 0, name: name.clone(), state }))
    }

    /// Those that name it as their parent, and are not older: then they mean who had the PID before.
    pub(super) fn children(&self, parent: u32) -> io::Result<Vec<u32>> {
        let Some(holder) = ProcessId::of(parent)? else { return Ok(Vec::new()) };
        let named = self.all.iter().filter(|(_, (named, _))| *named == parent).map(|(pid, _)| *pid);
        let younger =
            |pid: &u32| matches!(ProcessId::of(*pid), Ok(Some(child)) if child.start >= holder.start);
        Ok(named.filter(younger).collect())
    }
}

pub(super) fn marked(_mark: &str) -> io::Result<Vec<ProcessId>> {
    Ok(Vec::new())
}

/// Every member counts as in one group: see [`signal_group`].
pub(super) fn group_led_by(_pid: u32) -> u32 {
    0
}

pub(super) fn group_of(_pid: u32) -> Option<u32> {
    None
}

/// What asks to end is a console event, which goes to the root's console group and to no single process.
pub(super) fn signal_group(
    root: ProcessId,
    _group: u32,
    _members: &[Member],
    signal: Signal,
) -> io::Result<bool> {
    Ok(signal != Signal::KILL && root.signal(signal).unwrap_or(false))
}

/// A Job Object: whatever a process in it starts is in it too, and it ends as one.
#[derive(Debug)]
pub struct Job {
    handle: OwnedHandle,
}

impl Job {
    /// A new job of this name in this session, empty. With `ends_with_us`, all in it is killed when the last handle on it is
    /// closed: when this process ends, however that comes.
    ///
    /// # Errors
    /// What Win32 says; `AlreadyExists` is not told, the present one is opened.
    pub fn create(name: &str, ends_with_us: bool) -> io::Result<Self> {
        let name = full_name(name);
        // SAFETY: the name ends with a NUL.
        let handle = unsafe { CreateJobObjectW(std::ptr::null(), name.as_ptr()) };
        let job = Self::owned(handle)?;
        if ends_with_us {
            let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
            limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
            // SAFETY: the structure is the one of this class, and its size is said.
            done(unsafe {
                SetInformationJobObject(
                    job.raw(),
                    JobObjectExtendedLimitInformation,
                    (&raw const limits).cast(),
                    size_of_val(&limits) as u32,
                )
            })?;
        }
        Ok(job)
    }

    /// The job of this name. `None` if there is none: it goes with its last process and handle.
    ///
    /// # Errors
    /// What Win32 says.
    pub fn open(name: &str) -> io::Result<Option<Self>> {
        let name = full_name(name);
        let rights = JOB_OBJECT_ASSIGN_PROCESS | JOB_OBJECT_QUERY | JOB_OBJECT_TERMINATE;
        // SAFETY: the name ends with a NUL.
        let handle = unsafe { OpenJobObjectW(rights, 0, name.as_ptr()) };
        match Self::owned(handle) {
            Err(error) if error.raw_os_error() == Some(ERROR_FILE_NOT_FOUND.cast_signed()) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Puts a process into it: best while it is still suspended, since what it has started before stays outside.
    /// `Ok(false)`: it is gone.
    ///
    /// # Errors
    /// What Win32 says.
    pub fn assign(&self, id: ProcessId) -> io::Result<bool> {
        let Some(process) = open_proven(id, PROCESS_SET_QUOTA | PROCESS_TERMINATE)? else { return Ok(false) };
        // SAFETY: both handles are open.
        done(unsafe { AssignProcessToJobObject(self.raw(), process.as_raw_handle().cast()) }).map(|()| true)
    }

    /// Kills all in it.
    ///
    /// # Errors
    /// What Win32 says.
    pub fn terminate(&self, exit_code: u32) -> io::Result<()> {
        // SAFETY: the handle is open.
        done(unsafe { TerminateJobObject(self.raw(), exit_code) })
    }

    /// Who is in it now.
    ///
    /// # Errors
    /// What Win32 says.
    pub fn processes(&self) -> io::Result<Vec<ProcessId>> {
        let mut room = 64;
        loop {
            // JOBOBJECT_BASIC_PROCESS_ID_LIST: two counts of 32 bits, then the PIDs, each as wide as a pointer.
            let counts = size_of::<[u32; 2]>() / size_of::<usize>();
            let mut list = vec![0_usize; counts + room];
            // SAFETY: the buffer is as large as is said, and aligned for what is written.
            let answer = done(unsafe {
                QueryInformationJobObject(
                    self.raw(),
                    JobObjectBasicProcessIdList,
                    list.as_mut_ptr().cast(),
                    size_of_val(list.as_slice()) as u32,
                    std::ptr::null_mut(),
                )
            });
            match answer {
                Err(error) if error.raw_os_error() == Some(ERROR_MORE_DATA.cast_signed()) => room *= 4,
                Err(error) => return Err(error),
                Ok(()) => {
                    // SAFETY: two counts stand at the start of the buffer.
                    let [_, listed] = unsafe { list.as_ptr().cast::<[u32; 2]>().read() };
                    let pids = list.iter().skip(counts).take(listed as usize);
                    return pids.filter_map(|pid| ProcessId::of(*pid as u32).transpose()).collect();
                }
            }
        }
    }

    fn owned(handle: HANDLE) -> io::Result<Self> {
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just opened, and nobody else's.
        Ok(Self { handle: unsafe { OwnedHandle::from_raw_handle(handle.cast()) } })
    }

    fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle().cast()
    }
}

fn full_name(name: &str) -> Vec<u16> {
    format!("Local\\forge-{name}").encode_utf16().chain([0]).collect()
}

fn done(answer: windows_sys::core::BOOL) -> io::Result<()> {
    if answer == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
