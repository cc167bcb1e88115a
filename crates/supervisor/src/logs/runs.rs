//! Which runs a log has lines of.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use forge_api::{Code, Error, Target};
use forge_logs::Reader;

use super::Source;

/// Whether one of the logs has something of a run.
pub(super) async fn has_run(run: u32, sources: &[Source]) -> Result<(), Error> {
    let logs: Vec<(Target, PathBuf, u32)> =
        sources.iter().map(|source| (source.target.clone(), source.folder.clone(), source.run)).collect();
    let known = tokio::task::spawn_blocking(move || {
        let known = logs.into_iter().map(|(target, folder, last)| (target, runs(&folder, last)));
        known.collect::<Vec<_>>()
    });
    let known = known.await.map_err(|error| Error::system("reading logs", error))?;
    if known.iter().any(|(_, runs)| runs.as_ref().is_some_and(|runs| runs.contains(&run))) {
        return Ok(());
    }
    let there = |(target, runs): &(Target, Option<RangeInclusive<u32>>)| {
        let name = format!("{}/{}", target.environment, target.process);
        match runs {
            None => format!("{name} has never run"),
            Some(runs) if runs.start() == runs.end() => format!("of {name} there is run {}", runs.start()),
            Some(runs) => format!("of {name} there are runs {} to {}", runs.start(), runs.end()),
        }
    };
    let there: Vec<String> = known.iter().map(there).collect();
    Err(Error::new(Code::NotFound, format!("there is no output of a run {run}")).help(there.join("; ")))
}

/// The runs that a log has, the present one included.
fn runs(folder: &Path, last: u32) -> Option<RangeInclusive<u32>> {
    let first = || -> io::Result<Option<u32>> {
        let mut reader = Reader::open(folder)?;
        reader.seek_start()?;
        Ok(reader.read(1)?.lines.first().map(|line| line.run))
    };
    let newest = || -> io::Result<Option<u32>> {
        let mut reader = Reader::open(folder)?;
        reader.seek_end()?;
        Ok(reader.backward()?.next()?.map(|line| line.run))
    };
    let (first, newest) = (first().ok().flatten(), newest().ok().flatten());
    let last = newest.unwrap_or(last).max(last);
    (last > 0).then(|| first.unwrap_or(last).clamp(1, last)..=last)
}
