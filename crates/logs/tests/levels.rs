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
        if score.precision() < 1.0 || score.recall() < least_recall(&corpus.name) {
            low.push(format!("{}: {score:?}\n{}", corpus.name, differences(&corpus)));
        }
    }
    assert!(low.is_empty(), "a level that is wrong, or too low a recall:\n{}", low.join("\n"));
}

#[test]
fn patterns_are_the_groups_that_a_person_makes() {
    let mut low = Vec::new();
    for corpus in corpus::all() {
        let grouping = corpus.grouping();
        let shares =
            [grouping.accuracy(), grouping.precision().unwrap_or(1.0), grouping.recall().unwrap_or(1.0)];
        if shares.iter().zip(least_grouping(&corpus.name)).any(|(share, least)| *share < least) {
            low.push(format!("{}: {grouping:?}\n{}", corpus.name, patterns(&corpus)));
        }
    }
    assert!(low.is_empty(), "lines of a group are in no pattern of their own:\n{}", low.join("\n"));
}

#[test]
fn every_line_is_grouped_by_hand_once() {
    for corpus in corpus::all() {
        assert!(!corpus.groups.is_empty(), "{} is grouped", corpus.name);
        for row in &corpus.groups {
            assert_eq!(row.len(), corpus.texts.len(), "{}", corpus.name);
        }
        for (number, text) in corpus.texts.iter().enumerate() {
            let rows = corpus.groups.iter().filter(|row| row[number] != corpus::ELSEWHERE).count();
            assert_eq!(rows, 1, "{}, line {}: {text}", corpus.name, number + 1);
        }
    }
}

#[test]
fn pairs_are_counted_once_whoever_they_are_met_from() {
    let corpus = |texts: &[&str], groups: &str| corpus::Corpus {
        name: String::new(),
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        levels: vec![None; texts.len()],
        groups: vec![groups.chars().collect()],
    };
    let measured = |texts: &[&str], groups: &str| {
        let grouping = corpus(texts, groups).grouping();
        (grouping.accuracy(), grouping.precision(), grouping.recall())
    };
    let texts = ["job 1 ran", "job 2 ran", "job 3 ran", "done"];
    assert_eq!(measured(&texts, "aaab"), (1.0, Some(1.0), Some(1.0)), "as we have it");
    // Of the three pairs that we make, one is right; it is the only one.
    assert_eq!(measured(&texts, "aabc"), (0.25, Some(1.0 / 3.0), Some(1.0)), "one too many");
    assert_eq!(measured(&texts, "aa-c"), (1.0 / 3.0, Some(1.0 / 3.0), Some(1.0)), "one that is of no group");
    // Of the six pairs that there are, we make three.
    assert_eq!(measured(&texts, "aaaa"), (0.0, Some(1.0), Some(0.5)), "one too few");
    assert_eq!(measured(&texts[2..], "ab"), (1.0, None, None), "no pair at all");
}

/// That a message goes on at the margin, behind its first line and with no mark of its own, nothing says.
fn least_recall(name: &str) -> f64 {
    if name == "python-logging" { 0.965 } else { 1.0 }
}

/// Accuracy, precision and recall. What is not whole: words of a message that vary as values do (`became follower`,
/// `became leader`), values that are words (`GET`, `POST`), and an error's own text below the message that repeats it.
fn least_grouping(name: &str) -> [f64; 3] {
    match name {
        "pino-pretty" => [0.98, 0.99, 1.0],
        "python-logging" => [0.58, 1.0, 0.55],
        "zap" => [0.92, 0.58, 1.0],
        _ => [1.0; 3],
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

/// The group of each line, and the pattern that it is in.
fn patterns(corpus: &corpus::Corpus) -> String {
    let lines = corpus.lines();
    let of_row = |row: &Vec<char>| {
        let here: Vec<_> = row.iter().zip(&lines).filter(|(group, _)| **group != corpus::ELSEWHERE).collect();
        let found = corpus::patterns_of(here.iter().map(|(_, line)| *line));
        let shown = here.iter().zip(found).filter(|(_, found)| found.is_some());
        shown.map(|((group, _), found)| format!("  {group} {:.120}\n", found.unwrap_or_default())).collect()
    };
    corpus.groups.iter().map(of_row).collect::<Vec<String>>().join("  …\n")
}
