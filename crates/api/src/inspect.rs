//! All that is known of one process: its page in the window.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Event, HealthState, Target, Time};

/// `inspect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Inspect {
    pub workspace: PathBuf,
    /// `PROCESS` or `ENV/PROCESS`.
    pub name: String,
}

/// What a process is made of: as it was started last, or as it would be started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ProcessDetails {
    pub target: Target,
    pub command: String,
    pub cwd: PathBuf,
    /// Sorted by name; values of secrets are masked.
    pub variables: Vec<VariableDetails>,
    pub depends_on: Vec<DependencyDetails>,
    /// Those that depend on it.
    pub needed_by: Vec<String>,
    /// The health check in words: `GET http://localhost:3000/health every 2s`.
    pub health_check: Option<String>,
    /// Newest last; only changes of state or message, with the last time each was seen.
    pub health_history: Vec<HealthRecord>,
    /// Single checks, newest last: the latency over time.
    #[serde(default)]
    pub health_checks: Vec<HealthCheckSample>,
    /// Where its segments lie.
    pub log_folder: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VariableDetails {
    pub name: String,
    pub value: String,
    /// `caller`, `.env`, `.env.local:3`, `port`, `env of the environment`, `env`, `debug`.
    pub origin: String,
    /// The value is masked.
    pub secret: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DependencyDetails {
    pub process: String,
    /// `started`, `ready`, `completed`.
    pub condition: String,
}

/// What the health check said for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HealthRecord {
    pub from: Time,
    pub until: Time,
    pub state: HealthState,
    pub message: Option<String>,
    /// Checks that said so.
    pub checks: u32,
    /// Of those checks, in milliseconds; `null`: none of them was timed.
    #[serde(default)]
    pub mean_latency_ms: Option<f32>,
    #[serde(default)]
    pub worst_latency_ms: Option<f32>,
}

/// One look at a process's health.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HealthCheckSample {
    pub time: Time,
    pub latency_ms: f32,
    pub passed: bool,
}

/// `events`: what happened in an environment, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ReadEvents {
    pub workspace: PathBuf,
    pub environment: String,
    /// Only of this process.
    #[serde(default)]
    pub process: Option<String>,
    /// The newest so many; `null`: all that are remembered.
    #[serde(default)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct EventsAnswer {
    pub events: Vec<Event>,
}
