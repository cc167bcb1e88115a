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
    /// For each arrangement of lines that its program was told to write (its logger's layout), a letter a line, the
    /// same for lines that are the same message with other values, at the same level. A process writes in one of them,
    /// so that each is looked at alone. `.`: a line of another; `-`: of no group, since it only goes on with a message
    /// (a stack trace, code, details), or is blank.
    pub(crate) groups: Vec<Vec<char>>,
}

pub(crate) const ELSEWHERE: char = '.';
const ALONE: char = '-';

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

/// Agreement of patterns with the groups that a person makes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Grouping {
    /// Lines that are of a group.
    pub(crate) lines: usize,
    /// Lines whose pattern holds the lines of their group and no other.
    exact: usize,
    /// Lines that a line shares its pattern with, over all lines of a group.
    together: usize,
    /// … that it shares its group with.
    belonging: usize,
    /// … that it shares both with.
    both: usize,
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
        groups: read(&path.with_extension("groups")).lines().map(|row| row.chars().collect()).collect(),
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

    /// How well patterns agree with the groups; each arrangement is a process of its own.
    pub(crate) fn grouping(&self) -> Grouping {
        let lines = self.lines();
        let mut grouping = Grouping::default();
        for groups in &self.groups {
            let of_row: Vec<(char, &Line)> =
                groups.iter().copied().zip(&lines).filter(|(group, _)| *group != ELSEWHERE).collect();
            grouping.add(&of_row);
        }
        grouping
    }
}

impl Grouping {
    fn add(&mut self, lines: &[(char, &Line)]) {
        let found = patterns_of(lines.iter().map(|(_, line)| *line));
        for (one, (group, _)) in lines.iter().enumerate().filter(|(_, (group, _))| *group != ALONE) {
            let (mut by_hand, mut by_us, mut by_both) = (0, 0, 0);
            for (other, (other_group, _)) in lines.iter().enumerate().filter(|(other, _)| *other != one) {
                let (hand, us) = (group == other_group, found[one].is_some() && found[one] == found[other]);
                by_hand += usize::from(hand);
                // A pair with a line of no group is met from here alone, any other from both its ends.
                by_us += if *other_group == ALONE { 2 * usize::from(us) } else { usize::from(us) };
                by_both += usize::from(hand && us);
            }
            self.lines += 1;
            self.exact += usize::from(found[one].is_some() && by_both == by_hand && by_both == by_us);
            self.together += by_us;
            self.belonging += by_hand;
            self.both += by_both;
        }
    }

    /// The share of lines whose pattern holds exactly the lines of their group, as Drain's authors count it.
    pub(crate) fn accuracy(&self) -> f64 {
        share(self.exact, self.lines)
    }

    /// Of the pairs of lines that were put together, how many belong together; `None`: there are none.
    pub(crate) fn precision(&self) -> Option<f64> {
        (self.together > 0).then(|| share(self.both, self.together))
    }

    /// Of the pairs of lines that belong together, how many were put together; `None`: there are none.
    pub(crate) fn recall(&self) -> Option<f64> {
        (self.belonging > 0).then(|| share(self.both, self.belonging))
    }
}

/// The pattern of each line, by its name.
pub(crate) fn patterns_of<'a>(lines: impl Iterator<Item = &'a Line> + Clone) -> Vec<Option<String>> {
    let mut miner = Miner::new(Span::default());
    lines.clone().for_each(|line| miner.feed(line));
    let counts = |miner: &Miner| -> BTreeMap<String, u64> {
        let named = |one: Pattern| (format!("{:?} {}", one.level, one.template), one.count);
        miner.patterns().into_iter().map(named).collect()
    };
    let before = counts(&miner);
    // The one that counts a line, when it comes once more.
    let pattern_of = |line: &Line| {
        let mut again = miner.clone();
        again.feed(line);
        let mut after = counts(&again).into_iter();
        after.find(|(name, count)| before.get(name) != Some(count)).map(|(name, _)| name)
    };
    lines.map(pattern_of).collect()
}
