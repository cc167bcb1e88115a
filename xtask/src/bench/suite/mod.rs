//! The benchmarks themselves.
//!
//! Every figure is taken from outside: CPU time and memory from `/proc`, moments from files that the children write
//! to, losses by reading the log files themselves.

mod capture;
mod desktop;
mod forge;
mod idle;
mod levels;
mod lifecycle;
mod logs;
mod measure;
mod page;
mod report;
mod rivals;
mod sampling;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Options;
use crate::console::{self, cargo, section};
use crate::workspace;
use report::Row;
use rivals::Rival;

/// What a benchmark needs to know.
struct Bench {
    /// Removed at the end.
    folder: PathBuf,
    forge: PathBuf,
    nasty: PathBuf,
    rivals: Vec<Rival>,
    quick: bool,
}

type Benchmark = fn(&Bench) -> Result<Vec<Row>>;

const BENCHMARKS: &[(&str, Benchmark)] = &[
    ("capture", capture::run),
    ("idle", idle::run),
    ("start-stop", lifecycle::start_stop),
    ("restart", lifecycle::restart),
    ("chain", lifecycle::chain),
    ("status", lifecycle::status),
    ("sampling", sampling::run),
    ("logs", logs::run),
    ("desktop", desktop::run),
    ("page", page::run),
    ("levels", levels::run),
];

pub(super) fn run(options: &Options) -> Result<()> {
    let chosen = chosen(&options.names)?;
    section("Release build", || {
        let packages = ["--package", "forge-cli", "--package", "forge-keeper", "--package", "nasty"];
        console::run(cargo(["build", "--release"]).args(packages))
    })?;
    if options.install {
        section("Rivals", rivals::install)?;
    }
    let bench = Bench::prepare(options.quick)?;
    let mut rows = Vec::new();
    for (name, benchmark) in chosen {
        rows.extend(section(name, || benchmark(&bench))?);
    }
    let text = report::markdown(&rows, &bench.rivals, options.quick);
    println!("\n{text}");
    if options.write {
        let path = workspace::root().join("bench/RESULTS.md");
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static (&'static str, Benchmark)>> {
    if let Some(unknown) = names.iter().find(|name| BENCHMARKS.iter().all(|(known, _)| known != name)) {
        let known: Vec<_> = BENCHMARKS.iter().map(|(name, _)| *name).collect();
        bail!("no benchmark `{unknown}`; there are {}", known.join(", "));
    }
    Ok(BENCHMARKS
        .iter()
        .filter(|(name, _)| names.is_empty() || names.iter().any(|wanted| wanted == name))
        .collect())
}

impl Bench {
    fn prepare(quick: bool) -> Result<Self> {
        // On a disk, and not beside the many files of a build, which are made and deleted all the time: ext4 then looks
        // long for a free inode.
        let folder = PathBuf::from(format!("/var/tmp/forge-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self {
            folder,
            forge: workspace::built("release", "forge"),
            nasty: workspace::built("release", "nasty"),
            rivals: rivals::present(),
            quick,
        })
    }

    /// How often a figure is taken; the median counts.
    fn rounds(&self) -> usize {
        if self.quick { 1 } else { 5 }
    }

    /// A folder for one measurement.
    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    /// The command line of a child that does `steps`.
    fn child(&self, steps: &str) -> String {
        format!("{} {steps}", self.nasty.display())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// How long any single thing may take before the benchmark gives up.
const DEADLINE: Duration = Duration::from_secs(60);
