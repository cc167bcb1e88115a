//! What real programs wrote, with the level of each line as a person reads it, and how well ours agree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use forge_logs::patterns::{Miner, Pattern, Span};
use forge_logs::{Level, Line, Reader, Stamp, Stream, Writer, WriterOptions};

/// The lines of one format.
pub(crate) struct Corpus {
    pub(crate) name: String,
    pub(crate) texts: Vec<String>,
    /// As a person reads them; `None`: it has none.
    pub(crate) levels: Vec<Option<Level>>,
    /// A letter a line, the same for lines that say the same; empty if nobody has grouped them. `-`: of no group.
    pub(crate) groups: Vec<char>,
}

/// Agreement of the levels that were found with those that are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Score {
    pub(crate) lines: usize,
    /// A level was found, and it is the right one.
    pub(crate) right: usize,
    /// Lines for which a level was found.
    pub(crate) found: usize,
    /// Lines that have one.
    pub(crate) stated: usize,
}

impl Score {
    /// Of the levels that were found, how many are right.
    pub(crate) fn precision(&self) -> f64 {
        share(self.right, self.found)
    }

    /// Of the levels that are there, how many were found.
    pub(crate) fn recall(&self) -> f64 {
        share(self.right, self.stated)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of a few lines")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// All formats, by name; those that were written after their documentation are called `NAME (written)`.
pub(crate) fn all() -> Vec<Corpus> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut corpora: Vec<Corpus> = logs(&folder).iter().map(|path| load(path, "")).collect();
    corpora.extend(logs(&folder.join("written")).iter().map(|path| load(path, " (written)")));
    corpora
}

fn logs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the corpora are there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    paths.sort();
    paths
}

fn load(path: &Path, mark: &str) -> Corpus {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let level = |letter: char| match letter {
        'E' => Some(Level::Error),
        'W' => Some(Level::Warn),
        'I' => Some(Level::Info),
        'D' => Some(Level::Debug),
        'T' => Some(Level::Trace),
        _ => None,
    };
    let levels = read(&path.with_extension("levels"));
    Corpus {
        name: format!("{}{mark}", path.file_stem().unwrap_or_default().to_string_lossy()),
        texts: read(path).split_terminator('\n').map(str::to_owned).collect(),
        levels: levels.chars().filter(|letter| !letter.is_whitespace()).map(level).collect(),
        groups: read(&path.with_extension("groups"))
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .collect(),
    }
}

impl Corpus {
    /// The lines as a reader gives them back from a store.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::open(folder.path(), WriterOptions::default()).expect("a writer");
        for text in &self.texts {
            writer.write(Stream::Stdout, format!("{text}\n").as_bytes(), Stamp::now());
        }
        let batch =
            Reader::open(folder.path()).and_then(|mut reader| reader.read(usize::MAX)).expect("a reader");
        batch.lines.into_iter().filter(Line::is_program).collect()
    }

    pub(crate) fn score(&self) -> Score {
        let mut score = Score::default();
        for (line, level) in self.lines().iter().zip(&self.levels) {
            score.lines += 1;
            score.right += usize::from(line.level.is_some() && line.level == *level);
            score.found += usize::from(line.level.is_some());
            score.stated += usize::from(level.is_some());
        }
        score
    }

    /// The share of lines whose pattern holds exactly the lines of their group, as Drain's authors count it; `None` if
    /// nobody has grouped them.
    pub(crate) fn grouping(&self) -> Option<f64> {
        if self.groups.is_empty() {
            return None;
        }
        let lines = self.lines();
        let mut miner = Miner::new(Span::default());
        lines.iter().for_each(|line| miner.feed(line));
        let counts = |miner: &Miner| -> BTreeMap<String, u64> {
            let named = |one: Pattern| (format!("{:?} {}", one.level, one.template), one.count);
            miner.patterns().into_iter().map(named).collect()
        };
        let before = counts(&miner);
        // Which pattern a line belongs to: the one that counts it, when it comes once more.
        let pattern_of = |line: &Line| {
            let mut again = miner.clone();
            again.feed(line);
            counts(&again)
                .into_iter()
                .find(|(name, count)| before.get(name) != Some(count))
                .map(|(name, _)| name)
        };
        let found: Vec<Option<String>> = lines.iter().map(pattern_of).collect();
        let grouped: Vec<usize> = (0..lines.len()).filter(|line| self.groups[*line] != '-').collect();
        let same = |line: &usize| {
            let by_hand = grouped.iter().filter(|other| self.groups[**other] == self.groups[*line]);
            let by_us = grouped.iter().filter(|other| found[**other] == found[*line]);
            found[*line].is_some() && by_hand.eq(by_us)
        };
        Some(share(grouped.iter().filter(|line| same(line)).count(), grouped.len()))
    }
}
