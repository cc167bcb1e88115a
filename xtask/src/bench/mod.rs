//! `cargo xtask bench`: what Forge costs, in one run beside floors and rivals.

#[cfg(target_os = "linux")]
mod suite;

use anyhow::Result;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Which benchmarks; empty: all.
    pub(crate) names: Vec<String>,
    /// Fetch the rivals that are missing.
    pub(crate) install: bool,
    /// Keep the table in `bench/RESULTS.md`.
    pub(crate) write: bool,
    /// A tenth of the work, for a look at whether it runs at all.
    pub(crate) quick: bool,
}

#[cfg(target_os = "linux")]
pub(crate) fn run(options: &Options) -> Result<()> {
    suite::run(options)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn run(_: &Options) -> Result<()> {
    anyhow::bail!("the benchmark reads /proc, which only Linux has")
}
