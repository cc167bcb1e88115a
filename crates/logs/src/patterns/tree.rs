//! The tree of fixed depth: level, number of words, the first word that does not vary.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Cluster;
use super::mask::Masked;
use super::tokens::Frame;
use crate::Level;

/// Different first words of one level and number of words; others share one place, since a word that is so varied is
/// likely a name.
const MAX_CHILDREN: usize = 64;

/// Words that must agree, of all that do not vary by their look, in hundredths.
const SIMILAR: usize = 60;

#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    roots: HashMap<Root, Leaves>,
}

/// What is compared at all: level, frame, number of words.
type Root = (Option<Level>, Frame, usize);

/// Templates by their number, by first word.
type Leaves = HashMap<Box<str>, Vec<usize>>;

impl Tree {
    /// The most similar template for what was masked, if one is similar enough; of equals the oldest.
    pub(super) fn find(&self, level: Option<Level>, masked: &Masked, clusters: &[Cluster]) -> Option<usize> {
        let leaves = self.roots.get(&root(level, masked))?;
        let word = masked.first_word();
        let shared = leaves.get("").filter(|_| !word.is_empty());
        let similar = |number: &usize| {
            let similarity = clusters.get(*number)?.masked.similarity(masked);
            (similarity >= SIMILAR).then_some((similarity, Reverse(*number)))
        };
        let found = leaves.get(word).into_iter().chain(shared).flatten().filter_map(similar).max();
        found.map(|(_, Reverse(number))| number)
    }

    pub(super) fn insert(&mut self, level: Option<Level>, masked: &Masked, number: usize) {
        let leaves = self.roots.entry(root(level, masked)).or_default();
        let word = masked.first_word();
        let known = leaves.contains_key(word) || leaves.len() < MAX_CHILDREN;
        leaves.entry(if known { word } else { "" }.into()).or_default().push(number);
    }
}

fn root(level: Option<Level>, masked: &Masked) -> Root {
    let (frame, words) = masked.shape();
    (level, frame, words)
}
