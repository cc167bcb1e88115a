//! Signals by name and by number.

use std::fmt;
use std::str::FromStr;

/// A signal that this platform knows, by its number here.
///
/// Parses `SIGTERM`, `TERM`, `sigterm` and `15`, and on Linux `SIGRTMIN+2` and the like; prints as `SIGTERM`.
/// On Windows the numbers are Linux's, for the names' sake; what can be sent there is said at
/// [`ProcessId::signal`](super::ProcessId::signal).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(i32);

/// The text that names no signal of this platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownSignal(pub String);

/// One list: the constant, and the name without its `SIG`.
macro_rules! signals {
    ($($(#[$on:meta])* $name:ident = $number:expr;)*) => {
        impl Signal {
            $($(#[$on])* #[doc = concat!("`SIG", stringify!($name), "`")] pub const $name: Self = Self($number);)*

            /// Every named signal of this platform.
            pub const ALL: &[(Self, &str)] = &[$($(#[$on])* (Self::$name, concat!("SIG", stringify!($name))),)*];
        }
    };
}

#[cfg(unix)]
signals! {
    HUP = libc::SIGHUP;
    INT = libc::SIGINT;
    QUIT = libc::SIGQUIT;
    ILL = libc::SIGILL;
    TRAP = libc::SIGTRAP;
    ABRT = libc::SIGABRT;
    BUS = libc::SIGBUS;
    FPE = libc::SIGFPE;
    KILL = libc::SIGKILL;
    USR1 = libc::SIGUSR1;
    SEGV = libc::SIGSEGV;
    USR2 = libc::SIGUSR2;
    PIPE = libc::SIGPIPE;
    ALRM = libc::SIGALRM;
    TERM = libc::SIGTERM;
    #[cfg(target_os = "linux")] STKFLT = libc::SIGSTKFLT;
    CHLD = libc::SIGCHLD;
    CONT = libc::SIGCONT;
    STOP = libc::SIGSTOP;
    TSTP = libc::SIGTSTP;
    TTIN = libc::SIGTTIN;
    TTOU = libc::SIGTTOU;
    URG = libc::SIGURG;
    XCPU = libc::SIGXCPU;
    XFSZ = libc::SIGXFSZ;
    VTALRM = libc::SIGVTALRM;
    PROF = libc::SIGPROF;
    WINCH = libc::SIGWINCH;
    IO = libc::SIGIO;
    #[cfg(target_os = "linux")] PWR = libc::SIGPWR;
    SYS = libc::SIGSYS;
    #[cfg(target_os = "macos")] EMT = libc::SIGEMT;
    #[cfg(target_os = "macos")] INFO = libc::SIGINFO;
}

#[cfg(windows)]
signals! {
    HUP = 1; INT = 2; QUIT = 3; ILL = 4; TRAP = 5; ABRT = 6; BUS = 7; FPE = 8; KILL = 9; USR1 = 10; SEGV = 11;
    USR2 = 12; PIPE = 13; ALRM = 14; TERM = 15; CHLD = 17; CONT = 18; STOP = 19; TSTP = 20; TTIN = 21; TTOU = 22;
}

impl Signal {
    /// By its number. `None` if this platform has no signal of that number.
    pub fn from_raw(number: i32) -> Option<Self> {
        let signal = Self(number);
        (signal.name().is_some() || real_time().contains(&number)).then_some(signal)
    }

    /// Its number on this platform.
    pub fn as_raw(self) -> i32 {
        self.0
    }

    /// `"SIGTERM"`; `None` for a real-time signal, whose name is its distance from `SIGRTMIN`.
    pub fn name(self) -> Option<&'static str> {
        Self::ALL.iter().find(|(signal, _)| *signal == self).map(|(_, name)| *name)
    }

    /// `"SIGTERM"`, or `"signal 42"` where a number has no name here.
    pub fn describe(number: i32) -> String {
        Self::from_raw(number).and_then(Self::name).map_or_else(|| format!("signal {number}"), str::to_owned)
    }
}

/// The numbers that are real-time signals here; glibc and musl keep different ones for themselves.
fn real_time() -> std::ops::RangeInclusive<i32> {
    #[cfg(target_os = "linux")]
    return libc::SIGRTMIN()..=libc::SIGRTMAX();
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::reversed_empty_ranges, reason = "there are none here")]
    return 1..=0;
}

impl FromStr for Signal {
    type Err = UnknownSignal;

    fn from_str(text: &str) -> Result<Self, UnknownSignal> {
        let unknown = || UnknownSignal(text.to_owned());
        let name = text.trim().to_ascii_uppercase();
        if let Ok(number) = name.parse() {
            return Self::from_raw(number).ok_or_else(unknown);
        }
        let short = name.strip_prefix("SIG").unwrap_or(&name);
        let short = match short {
            "CLD" => "CHLD",
            "POLL" => "IO",
            "IOT" => "ABRT",
            other => other,
        };
        let named = Self::ALL.iter().find(|(_, long)| long.strip_prefix("SIG") == Some(short));
        named.map(|(signal, _)| *signal).or_else(|| real_time_named(short)).ok_or_else(unknown)
    }
}

/// `RTMIN`, `RTMIN+3`, `RTMAX-1`, `RTMAX`.
fn real_time_named(name: &str) -> Option<Signal> {
    let range = real_time();
    let (base, offset) = match name.strip_prefix("RTMIN") {
        Some(rest) => (*range.start(), rest.strip_prefix('+').or(rest.is_empty().then_some("0"))?),
        None => {
            let rest = name.strip_prefix("RTMAX")?;
            (*range.end(), if rest.is_empty() { "0" } else { rest })
        }
    };
    let number = base.checked_add(offset.parse().ok()?)?;
    range.contains(&number).then_some(Signal(number))
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "SIGRTMIN+{}", self.0 - real_time().start()),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for UnknownSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no signal of this system", self.0)
    }
}

impl std::error::Error for UnknownSignal {}

/// As its name: a number would mean another signal on another system.
#[cfg(feature = "serde")]
impl serde::Serialize for Signal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Signal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_signal_is_the_same_signal() {
        for text in ["SIGTERM", "TERM", "sigterm", "term", "15", " 15 "] {
            assert_eq!(text.parse(), Ok(Signal::TERM), "{text}");
        }
        #[cfg(unix)]
        assert_eq!("sigusr1".parse().map(Signal::as_raw), Ok(libc::SIGUSR1), "numbers are the platform's");
        assert_eq!("SIGCLD".parse(), Ok(Signal::CHLD), "an old name");
    }

    #[test]
    fn what_is_no_signal_is_refused_with_its_text() {
        for text in ["", "SIG", "SIGNOPE", "0", "-9", "999", "RTMIN+999", "9.0", "RTMAX-"] {
            assert_eq!(text.parse::<Signal>(), Err(UnknownSignal(text.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn a_signal_prints_as_its_name_and_reads_back() {
        for (signal, name) in Signal::ALL {
            assert_eq!(signal.to_string(), *name, "printed");
            assert_eq!(name.parse(), Ok(*signal), "read back");
            assert_eq!(Signal::from_raw(signal.as_raw()), Some(*signal), "by number");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn real_time_signals_count_from_both_ends() {
        let third: Signal = "SIGRTMIN+2".parse().unwrap();
        assert_eq!(third.as_raw(), libc::SIGRTMIN() + 2, "from the start");
        assert_eq!(third.to_string(), "SIGRTMIN+2", "printed");
        assert_eq!("RTMAX-1".parse().map(Signal::as_raw), Ok(libc::SIGRTMAX() - 1), "from the end");
    }
}
