//! `/proc/PID/stat`, read once for all that is asked of it (proc_pid_stat(5)).

use std::io;

use super::ProcessId;
use super::linux::gone_is_none;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    pub(crate) name: String,
    /// `R`, `S`, `D`, `Z`, `T` … as the kernel prints it.
    pub(crate) state: char,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) threads: u32,
    /// In clock ticks since boot.
    pub(crate) start: u64,
    /// CPU time of all its threads, ended ones too, in clock ticks.
    pub(crate) own_ticks: u64,
    /// CPU time of the children that it has waited for, and of those that they have waited for.
    pub(crate) reaped_ticks: u64,
    /// The resident set; lags behind by some pages for each core.
    pub(crate) resident_pages: u64,
    /// `/proc/TID` shows a thread that is not its process's first as if it were a process; only this gives it away.
    pub(crate) is_thread: bool,
    /// As `waitpid` would give it; 0 unless a zombie that one may ask about.
    pub(crate) exit_status: Option<i32>,
}

impl Stat {
    /// `None` if there is no such process.
    pub(crate) fn read(pid: u32) -> io::Result<Option<Self>> {
        let Some(line) = gone_is_none(std::fs::read(format!("/proc/{pid}/stat")))? else { return Ok(None) };
        let unreadable =
            || io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/stat has another form"));
        Self::parse(&line).map(Some).ok_or_else(unreadable)
    }

    /// The name stands in parentheses and may hold anything, spaces and parentheses too: the last one closes it.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let open = line.iter().position(|byte| *byte == b'(')?;
        let close = line.iter().rposition(|byte| *byte == b')')?;
        let pid = std::str::from_utf8(line.get(..open)?).ok()?.trim().parse().ok()?;
        let name = String::from_utf8_lossy(line.get(open + 1..close)?).into_owned();
        let rest = std::str::from_utf8(line.get(close + 1..)?).ok()?;
        // The field that the manual numbers 3 is the first of these.
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        let ticks = |number: usize| field(number)?.parse::<u64>().ok();
        Some(Self {
            pid,
            name,
            state: field(3)?.chars().next()?,
            parent: field(4)?.parse().ok()?,
            group: field(5)?.parse().ok()?,
            threads: field(20)?.parse().ok()?,
            start: field(22)?.parse().ok()?,
            own_ticks: ticks(14)? + ticks(15)?,
            // The manual has them signed; they never are.
            reaped_ticks: ticks(16)? + ticks(17)?,
            resident_pages: field(24).and_then(|pages| pages.parse().ok()).unwrap_or_default(),
            is_thread: field(38)? == "-1",
            exit_status: field(52).and_then(|status| status.parse().ok()),
        })
    }

    pub(crate) fn id(&self) -> ProcessId {
        ProcessId { pid: self.pid, start: self.start }
    }

    /// Ended, and not yet reaped. A main thread that ended before the others is a zombie too, but its process runs on.
    pub(crate) fn is_zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x') && self.threads <= 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "S 41 42 42 0 -1 4194560 83 0 0 0 1 2 3 4 20 0 3 0 987654 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 \
                        17 1 0 0 0 0 0 0 0 0 0 0 0 0 256";

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        for name in ["sh", "a) S 1 1 (b", "", " ", "))", "((", "naïve"] {
            let stat = Stat::parse(format!("43 ({name}) {TAIL}\n").as_bytes()).unwrap();
            assert_eq!(stat.name, name, "the name");
            assert_eq!((stat.pid, stat.parent, stat.group), (43, 41, 42), "{name:?}: who");
            assert_eq!((stat.state, stat.threads, stat.start), ('S', 3, 987_654), "{name:?}: what");
            assert_eq!((stat.own_ticks, stat.reaped_ticks), (3, 7), "{name:?}: CPU time");
            assert!(!stat.is_thread, "{name:?}: a process");
            assert_eq!(stat.exit_status, Some(256), "{name:?}: the last field");
        }
    }

    #[test]
    fn what_is_cut_short_is_no_stat() {
        for line in ["", "43", "43 (sh", "43 (sh)", "43 (sh) S 1 2", "x (sh) S", ")("] {
            assert_eq!(Stat::parse(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn a_main_thread_that_ended_before_the_others_is_no_zombie() {
        let stat = |state, threads| Stat {
            state,
            threads,
            ..Stat::parse(format!("1 (x) {TAIL}").as_bytes()).unwrap()
        };
        assert!(stat('Z', 1).is_zombie(), "nothing of it runs");
        assert!(!stat('Z', 2).is_zombie(), "another thread runs");
        assert!(!stat('T', 1).is_zombie(), "stopped is not dead");
    }
}
