//! Levels of lines that real programs wrote.

#[path = "common/corpus.rs"]
mod corpus;

use forge_logs::Level;

#[test]
fn every_corpus_has_a_level_for_each_line() {
    for corpus in corpus::all() {
        assert_eq!(corpus.levels.len(), corpus.texts.len(), "{}", corpus.name);
        assert_eq!(corpus.lines().len(), corpus.texts.len(), "{} is read back whole", corpus.name);
    }
}

#[test]
fn levels_agree_with_what_a_person_reads() {
    let mut low = Vec::new();
    for corpus in corpus::all() {
        let score = corpus.score();
        if score.precision() < 0.97 || score.recall() < least_recall(&corpus.name) {
            low.push(format!("{}: {score:?}\n{}", corpus.name, differences(&corpus)));
        }
    }
    assert!(low.is_empty(), "precision under 0.97, or too low a recall:\n{}", low.join("\n"));
}

#[test]
fn patterns_are_the_groups_that_a_person_makes() {
    let grouped: Vec<_> = corpus::all().into_iter().filter(|corpus| !corpus.groups.is_empty()).collect();
    assert!(grouped.len() >= 3, "several formats are grouped by hand");
    for corpus in grouped {
        assert_eq!(corpus.groups.len(), corpus.texts.len(), "{}", corpus.name);
        let accuracy = corpus.grouping().unwrap_or(0.0);
        assert!(accuracy >= 0.8, "{}: {accuracy}", corpus.name);
    }
}

/// What bundlers write about an error stands at the margin, behind empty lines, and nothing says that it belongs to it.
fn least_recall(name: &str) -> f64 {
    match name {
        "vite" => 0.55,
        "webpack" => 0.25,
        _ => 0.94,
    }
}

/// The lines whose level was found otherwise.
fn differences(corpus: &corpus::Corpus) -> String {
    let letter = |level: Option<Level>| level.map_or('-', |level| level.as_str().to_uppercase().remove(0));
    let lines = corpus.lines();
    let all = lines.iter().zip(&corpus.texts).zip(&corpus.levels).enumerate();
    all.filter(|(_, ((line, _), level))| line.level != **level)
        .map(|(number, ((line, text), level))| {
            format!("  {} {} instead of {}: {text:.120}\n", number + 1, letter(line.level), letter(*level))
        })
        .collect()
}
