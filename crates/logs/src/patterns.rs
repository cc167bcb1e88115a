//! Lines clustered into templates, so that "which errors, how often, since when" has an answer.
//!
//! After Drain (P. He, J. Zhu, Z. Zheng, M. Lyu: "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS
//! 2017): what varies by its look (numbers, addresses, paths, quoted text …) is masked; a tree of fixed depth over the
//! level, the number of words and the first word leads to a few templates; the most similar of them takes the line,
//! and where the words differ it gets a `<*>`. A line that no template is similar to begins a new one. Unlike Drain, of
//! a few words one that differs is what the line is about (`startup complete`, `shutdown complete`), until a third
//! shows that it is a value; and what varies by where it stands (what a request asks for, a field's value, words in
//! brackets) tells no templates apart.
//!
//! What stands before the message (time, level, process number) is no part of a template; of a JSON or logfmt line the
//! template is that of its message.

mod mask;
mod shapes;
mod tokens;
mod tree;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::{Cursor, Level, Line, ansi, level};
use mask::Masked;
use tree::{Place, Tree};

/// Templates that a [`Miner`] remembers, about; beyond them the rarest are forgotten, and of those the ones that were
/// not seen for longest.
pub const MAX_PATTERNS: usize = 1000;

/// Bytes of an example.
const EXAMPLE: usize = 1024;

/// The time that counts are spread over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Nanoseconds since 1970, UTC.
    pub from_ns: i64,
    /// The end, not included.
    pub until_ns: i64,
    /// Equal parts; 0: counts are not spread.
    pub parts: u32,
}

impl Span {
    /// The part in which a moment lies; what is outside belongs to the nearest.
    #[must_use]
    pub fn part(&self, time_ns: i64) -> usize {
        let length = i128::from(self.until_ns) - i128::from(self.from_ns);
        let into = i128::from(time_ns) - i128::from(self.from_ns);
        let parts = i128::from(self.parts);
        let part = if length <= 0 { 0 } else { (into * parts).div_euclid(length) };
        usize::try_from(part.clamp(0, (parts - 1).max(0))).unwrap_or(0)
    }
}

/// Lines that say the same but for what varies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// `GET /users/<*> - <*> (<*>)`.
    pub template: String,
    pub level: Option<Level>,
    pub count: u64,
    /// Nanoseconds since 1970, UTC.
    pub first_ns: i64,
    pub last_ns: i64,
    /// The first run that wrote one.
    pub first_run: u32,
    /// The newest line of it as it is shown, cut where it is long.
    pub example: String,
    /// Where that line ends.
    pub at: Cursor,
    /// A regular expression that finds its lines as they are shown.
    pub regex: String,
    /// Lines in each part of the [`Span`].
    pub over_time: Vec<u64>,
}

/// What a line adds to its template.
#[derive(Debug, Clone)]
struct Tally {
    count: u64,
    first_ns: i64,
    last_ns: i64,
    first_run: u32,
    example: String,
    at: Cursor,
    over_time: Vec<u64>,
}

impl Tally {
    /// The same whichever of the two comes first.
    fn add(&mut self, other: Self) {
        if (other.last_ns, other.at) > (self.last_ns, self.at) {
            (self.example, self.at) = (other.example, other.at);
        }
        self.count += other.count;
        self.first_ns = self.first_ns.min(other.first_ns);
        self.last_ns = self.last_ns.max(other.last_ns);
        self.first_run = self.first_run.min(other.first_run);
        for (sum, count) in self.over_time.iter_mut().zip(other.over_time) {
            *sum += count;
        }
    }
}

/// A template and what was counted of it.
#[derive(Debug, Clone)]
struct Cluster {
    level: Option<Level>,
    masked: Masked,
    tally: Tally,
}

/// Clusters the lines of one process. The same lines in the same order give the same patterns, and memory does not grow
/// with how many there are.
#[derive(Debug, Clone)]
pub struct Miner {
    span: Span,
    clusters: Vec<Cluster>,
    tree: Tree,
    forgotten: u64,
    most: usize,
}

/// A line, ready to be clustered: what takes longest, and needs no other line.
#[derive(Debug)]
pub struct Message<'a> {
    line: &'a Line,
    text: Cow<'a, str>,
    masked: Masked,
}

impl<'a> Message<'a> {
    /// `None`: the line is of no pattern. It only goes on with a warning or an error before it (a stack trace), or is
    /// blank.
    #[must_use]
    pub fn of(line: &'a Line) -> Option<Self> {
        let text = ansi::text(&line.text);
        let inherited = || level::detect(&line.text).is_none();
        if text.trim().is_empty() || (line.level >= Some(Level::Warn) && inherited()) {
            return None;
        }
        let masked = mask::mask(&text);
        Some(Self { line, text, masked })
    }
}

impl Miner {
    #[must_use]
    pub fn new(span: Span) -> Self {
        Self { span, clusters: Vec::new(), tree: Tree::default(), forgotten: 0, most: MAX_PATTERNS }
    }

    /// Takes a line.
    pub fn feed(&mut self, line: &Line) {
        if let Some(message) = Message::of(line) {
            self.take(&message);
        }
    }

    /// Takes what was made of a line.
    pub fn take(&mut self, Message { line, text, masked }: &Message<'_>) {
        if let Some(cluster) = self.place(line.level, masked).and_then(|number| self.clusters.get_mut(number))
        {
            cluster.masked.generalise(masked);
            cluster.tally.count(line, text, self.span);
        } else {
            let mut tally = Tally::new(line, self.span);
            tally.count(line, text, self.span);
            self.insert(Cluster { level: line.level, masked: masked.clone(), tally });
        }
    }

    /// The worst level first, then the most frequent. No two have both their level and their expression in common.
    #[must_use]
    pub fn patterns(&self) -> Vec<Pattern> {
        let mut alike: BTreeMap<(Option<Level>, String), Cluster> = BTreeMap::new();
        for cluster in self.clusters.iter().filter(|cluster| !cluster.is_gone()) {
            // Clusters may have become the same since they were told apart.
            match alike.entry((cluster.level, cluster.masked.regex())) {
                Entry::Occupied(mut known) => known.get_mut().tally.add(cluster.tally.clone()),
                Entry::Vacant(place) => _ = place.insert(cluster.clone()),
            }
        }
        let mut patterns: Vec<Pattern> =
            alike.into_iter().map(|((_, regex), cluster)| cluster.pattern(regex)).collect();
        patterns.sort_by(|one, other| {
            let key = |pattern: &Pattern| (Reverse(pattern.level), Reverse(pattern.count));
            key(one).cmp(&key(other)).then_with(|| one.template.cmp(&other.template))
        });
        patterns
    }

    /// Lines of templates that were forgotten.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The template that a line belongs to; several that it shows to be one become one.
    fn place(&mut self, level: Option<Level>, masked: &Masked) -> Option<usize> {
        let numbers = match self.tree.find(level, masked, &self.clusters) {
            Place::At(number) => return Some(number),
            Place::Variants(numbers) => numbers,
            Place::New => return None,
        };
        let (first, others) = numbers.split_first()?;
        for other in others {
            let Cluster { masked, tally, .. } = self.clusters[*other].clone();
            self.clusters[*other].tally.count = 0;
            self.clusters[*first].masked.generalise(&masked);
            self.clusters[*first].tally.add(tally);
        }
        self.tree.remove(level, masked, others);
        Some(*first)
    }

    fn insert(&mut self, cluster: Cluster) {
        self.tree.insert(cluster.level, &cluster.masked, self.clusters.len());
        self.clusters.push(cluster);
        if self.clusters.len() >= self.most + self.most / 4 {
            self.forget();
        }
    }

    /// Goes down to the most that are remembered; until it must be done again, a quarter more are let in. Errors stay
    /// longest, however rare: they are what one asks about.
    fn forget(&mut self) {
        let mut clusters = std::mem::take(&mut self.clusters);
        clusters.retain(|cluster| !cluster.is_gone());
        clusters.sort_by(|one, other| {
            let key = |cluster: &Cluster| {
                let is_error = cluster.level == Some(Level::Error);
                (Reverse(is_error), Reverse(cluster.tally.count), Reverse(cluster.tally.last_ns))
            };
            key(one).cmp(&key(other)).then_with(|| one.order().cmp(&other.order()))
        });
        let gone =
            clusters.drain(self.most.min(clusters.len())..).map(|cluster| cluster.tally.count).sum::<u64>();
        self.forgotten += gone;
        self.tree = Tree::default();
        for (number, cluster) in clusters.iter().enumerate() {
            self.tree.insert(cluster.level, &cluster.masked, number);
        }
        self.clusters = clusters;
    }
}

impl Tally {
    fn new(line: &Line, span: Span) -> Self {
        Self {
            count: 0,
            first_ns: line.time_ns,
            last_ns: line.time_ns,
            first_run: line.run,
            example: String::new(),
            at: line.end,
            over_time: vec![0; span.parts as usize],
        }
    }

    fn count(&mut self, line: &Line, text: &str, span: Span) {
        self.count += 1;
        self.first_ns = self.first_ns.min(line.time_ns);
        self.first_run = self.first_run.min(line.run);
        if self.example.is_empty() || (line.time_ns, line.end) >= (self.last_ns, self.at) {
            self.example.clear();
            self.example.push_str(&text[..text.floor_char_boundary(EXAMPLE)]);
            (self.last_ns, self.at) = (line.time_ns, line.end);
        }
        if let Some(count) = self.over_time.get_mut(span.part(line.time_ns)) {
            *count += 1;
        }
    }
}

impl Cluster {
    /// What it counted is in another, and its number only kept so that those of others stay.
    fn is_gone(&self) -> bool {
        self.tally.count == 0
    }

    /// A fixed order, whatever order they came in.
    fn order(&self) -> (Option<Level>, String, i64, Cursor) {
        (self.level, self.masked.template(), self.tally.first_ns, self.tally.at)
    }

    /// `regex`: that of its words.
    fn pattern(self, regex: String) -> Pattern {
        let Self { level, masked, tally } = self;
        let Tally { count, first_ns, last_ns, first_run, example, at, over_time } = tally;
        let template = masked.template();
        Pattern { template, level, count, first_ns, last_ns, first_run, example, at, regex, over_time }
    }
}

#[cfg(test)]
mod tests;
