//! What processes cost, over time.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `metrics`: what was measured of an environment's processes; one sample a second, of the last 15 minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ReadMetrics {
    pub workspace: PathBuf,
    pub environment: String,
    /// Only samples after this moment, in milliseconds since 1970; 0: all.
    #[serde(default)]
    pub after_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct MetricsAnswer {
    pub series: Vec<Series>,
}

/// The samples of one process, oldest first. All columns are equally long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Series {
    pub process: String,
    /// Milliseconds since 1970. A gap means that nothing of it ran, or that no supervisor did.
    pub times_ms: Vec<i64>,
    /// 100 is one core; the whole tree, without the keeper.
    pub cpu_percent: Vec<Option<f32>>,
    pub memory_bytes: Vec<Option<u64>>,
}

/// What a process costs now: a part of [`crate::Update::Metrics`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Cost {
    pub process: String,
    pub cpu_percent: Option<f32>,
    pub memory_bytes: Option<u64>,
}
