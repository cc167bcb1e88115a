//! The tree of fixed depth: level, number of words, the first word that does not vary.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Cluster;
use super::mask::{Likeness, Masked};
use super::tokens::Frame;
use crate::Level;

/// Different first words of one level and number of words; others share one place, since a word that is so varied is
/// likely a name.
const MAX_CHILDREN: usize = 64;

/// Words that must agree, of all that do not vary by their look, in hundredths: for templates of one message.
const SIMILAR: usize = 60;
/// … so that words which differ are taken for values at once. Of fewer they may be what the messages are about, as in
/// `startup complete` and `shutdown complete`.
const ALIKE: usize = 85;
/// Templates that differ only in the same words: so many are no longer different messages, but values.
const VARIANTS: usize = 3;

#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    roots: HashMap<Root, Leaves>,
}

/// What is compared at all: level, frame, number of words.
type Root = (Option<Level>, Frame, usize);

/// Templates by their number, by first word.
type Leaves = HashMap<Box<str>, Vec<usize>>;

/// Where a line belongs.
#[derive(Debug)]
pub(super) enum Place {
    /// To a template.
    At(usize),
    /// To several, which it shows to be one; oldest first.
    Variants(Vec<usize>),
    /// To none that is known.
    New,
}

impl Tree {
    /// The template that what was masked belongs to; of equals the oldest.
    pub(super) fn find(&self, level: Option<Level>, masked: &Masked, clusters: &[Cluster]) -> Place {
        let Some(leaves) = self.roots.get(&root(level, masked)) else { return Place::New };
        let word = masked.first_word();
        let shared = leaves.get("").filter(|_| !word.is_empty());
        let candidates = || leaves.get(word).into_iter().chain(shared).flatten();
        let liken = |number: &usize| {
            let likeness = clusters.get(*number)?.masked.liken(masked);
            (likeness.hundredths >= SIMILAR).then_some((likeness, *number))
        };
        let is_one = |found: &Likeness| found.differing == 0 || found.hundredths >= ALIKE;
        let best = candidates().filter_map(liken).filter(|(found, _)| is_one(found));
        // One that the line fits as it stands is better than one that must give way.
        let order = |found: &Likeness| (found.differing == 0, found.hundredths);
        if let Some((_, number)) = best.max_by_key(|(found, number)| (order(found), Reverse(*number))) {
            return Place::At(number);
        }
        variants(candidates().filter_map(liken).collect())
    }

    pub(super) fn insert(&mut self, level: Option<Level>, masked: &Masked, number: usize) {
        let leaves = self.roots.entry(root(level, masked)).or_default();
        let word = masked.first_word();
        let known = leaves.contains_key(word) || leaves.len() < MAX_CHILDREN;
        leaves.entry(if known { word } else { "" }.into()).or_default().push(number);
    }

    /// Forgets templates that have the shape of `masked`.
    pub(super) fn remove(&mut self, level: Option<Level>, masked: &Masked, numbers: &[usize]) {
        for leaf in self.roots.get_mut(&root(level, masked)).into_iter().flat_map(HashMap::values_mut) {
            leaf.retain(|number| !numbers.contains(number));
        }
    }
}

/// Of templates that are similar to a line those that differ from it in the same words, if with the line they are
/// enough.
fn variants(similar: Vec<(Likeness, usize)>) -> Place {
    let of = |differing: u64| {
        let numbers = similar.iter().filter(move |(found, _)| found.differing == differing);
        numbers.map(|(_, number)| *number)
    };
    let enough = |(found, _): &&(Likeness, usize)| of(found.differing).count() + 1 >= VARIANTS;
    // The most similar of them; of equals the oldest.
    let best =
        similar.iter().filter(enough).max_by_key(|(found, number)| (found.hundredths, Reverse(*number)));
    best.map_or(Place::New, |(found, _)| {
        let mut numbers: Vec<usize> = of(found.differing).collect();
        numbers.sort_unstable();
        Place::Variants(numbers)
    })
}

fn root(level: Option<Level>, masked: &Masked) -> Root {
    let (frame, words) = masked.shape();
    (level, frame, words)
}
