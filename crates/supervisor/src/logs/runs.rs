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
        // What says that a run goes on in a segment is no line.
        loop {
            let batch = reader.read(1)?;
            if let Some(line) = batch.lines.first() {
                return Ok(Some(line.run));
            }
            if batch.at_end {
                return Ok(None);
            }
        }
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

#[cfg(test)]
mod tests {
    use forge_logs::{Stamp, Stream, Writer, WriterOptions};

    use super::*;

    #[test]
    fn a_run_is_known_by_what_is_left_of_it() {
        let folder = tempfile::tempdir().expect("a folder");
        for run in 1..=3 {
            let options = WriterOptions { run, segment_bytes: 2_000, ..WriterOptions::default() };
            let mut writer = Writer::open(folder.path(), options).expect("a writer");
            for number in 0..100 {
                writer.write(Stream::Stdout, format!("line {number}\n").as_bytes(), Stamp::now());
            }
        }
        assert_eq!(runs(folder.path(), 3), Some(1..=3), "all");
        // As the quota leaves it: the first of the segments that are left goes on with a run.
        let segment = |number: u32| folder.path().join(format!("{number:08}.log"));
        let lines = |number: u32| std::fs::read_to_string(segment(number)).unwrap_or_default();
        let goes_on = (1..).find(|number| lines(*number).contains("run 2 continues")).expect("a segment");
        (1..goes_on).for_each(|number| std::fs::remove_file(segment(number)).expect("removed"));
        assert_eq!(runs(folder.path(), 3), Some(2..=3), "what is left");
    }
}
