//! What processes cost, over time.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Time;

/// `metrics`: what was measured of an environment's processes: a sample a second of the last 15 minutes, one every ten
/// seconds of the last 24 hours, also of the time before the supervisor started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ReadMetrics {
    pub workspace: PathBuf,
    pub environment: String,
    /// Only samples after this moment, in milliseconds since 1970; 0: all.
    #[serde(default)]
    pub after_ms: i64,
    /// Only samples up to this moment.
    #[serde(default)]
    pub before_ms: Option<i64>,
    /// Milliseconds between two points at least, so that a day does not come second by second; `null`: as fine as the
    /// time that was asked for allows (a second within 15 minutes, else ten).
    #[serde(default)]
    pub step_ms: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct MetricsAnswer {
    pub series: Vec<Series>,
    /// The whole machine, in the same time.
    #[serde(default)]
    pub machine: Option<MachineSeries>,
    /// What happened in the same time, oldest first.
    #[serde(default)]
    pub marks: Vec<Mark>,
}

/// The samples of one process, oldest first. All columns are equally long; `null`: it could not be measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct Series {
    pub process: String,
    /// Milliseconds since 1970. A gap means that nothing of it ran, or that no supervisor did.
    pub times_ms: Vec<i64>,
    /// 100 is one core; the whole tree, without the keeper.
    pub cpu_percent: Vec<Option<f32>>,
    /// The most of a second within the step; the same as [`Self::cpu_percent`] where a step is a second.
    pub cpu_percent_max: Vec<Option<f32>>,
    pub memory_bytes: Vec<Option<u64>>,
    pub threads: Vec<Option<u32>>,
    pub open_files: Vec<Option<u32>>,
    /// Bytes a second.
    pub disk_read_rate: Vec<Option<f32>>,
    pub disk_written_rate: Vec<Option<f32>>,
    /// TCP, bytes a second.
    pub net_received_rate: Vec<Option<f32>>,
    pub net_sent_rate: Vec<Option<f32>>,
    /// `metrics:` of the configuration, and what its database tells.
    pub gauges: Vec<GaugeSeries>,
}

/// As long as [`Series::times_ms`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct GaugeSeries {
    pub name: String,
    pub unit: GaugeUnit,
    pub values: Vec<Option<f64>>,
}

/// What a gauge counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum GaugeUnit {
    #[default]
    Number,
    Percent,
    Bytes,
}

/// A gauge now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Gauge {
    /// `connections`, `cache hit rate`, or a name of the configuration's.
    pub name: String,
    pub unit: GaugeUnit,
    /// `null`: it could not be had; `problem` says why.
    pub value: Option<f64>,
    /// What it can be at most: connections of `max_connections`.
    pub maximum: Option<f64>,
    pub problem: Option<String>,
}

/// The whole machine.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct MachineSeries {
    pub times_ms: Vec<i64>,
    /// 100 is *all* cores.
    pub cpu_percent: Vec<Option<f32>>,
    pub memory_used_bytes: Vec<Option<u64>>,
}

/// The whole machine now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Machine {
    /// 100 is *all* cores; `null` at the first look.
    pub cpu_percent: Option<f32>,
    pub cores: u32,
    /// What is not available to new programs.
    pub memory_used_bytes: u64,
    pub memory_total_bytes: u64,
    /// Those that take the most of it and are not Forge's, the worst first; looked for every ten seconds. Who takes
    /// little is left out.
    #[serde(default)]
    pub hogs: Vec<Hog>,
}

/// A program of the machine that is none of Forge's: a process with those below it and beside it that bear its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Hog {
    /// Of the one that has been there longest.
    pub pid: u32,
    pub name: String,
    pub processes: u32,
    /// 100 is one core; over the last ten seconds.
    pub cpu_percent: f32,
    /// The resident sets: what several share counts for each.
    pub memory_bytes: u64,
}

impl std::fmt::Display for Hog {
    /// `chrome (PID 815 and 11 more)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (PID {}", self.name, self.pid)?;
        if self.processes > 1 {
            write!(f, " and {} more", self.processes - 1)?;
        }
        f.write_str(")")
    }
}

/// Something on the axis of time, for graphs and logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Mark {
    pub time: Time,
    pub process: Option<String>,
    pub kind: MarkKind,
    /// `crashed: exit 1`.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    Start,
    Stop,
    Crash,
    Restart,
    /// It came back with another configuration, or because a watched file changed.
    Deploy,
}

/// What a process costs now: a part of [`crate::Update::Metrics`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct Cost {
    pub process: String,
    pub cpu_percent: Option<f32>,
    pub memory_bytes: Option<u64>,
    pub threads: Option<u32>,
    pub open_files: Option<u32>,
    /// Bytes a second.
    pub disk_read_rate: Option<f32>,
    pub disk_written_rate: Option<f32>,
    pub net_received_rate: Option<f32>,
    pub net_sent_rate: Option<f32>,
    pub gauges: Vec<Gauge>,
}

/// `alerts.mute`: warnings of this kind are neither told nor shown among the others from now on; or again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct MuteAlert {
    pub workspace: PathBuf,
    pub environment: String,
    pub process: Option<String>,
    /// [`crate::Warning::kind`].
    pub kind: String,
    pub muted: bool,
}
