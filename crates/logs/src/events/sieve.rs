//! Which lines may tell something. Told from the bytes of the file, many lines at once, so that a flood costs little
//! more than its reading; a line that is kept may still tell nothing.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;

use super::rules::RULES;
use super::{amount, shown, slow};
use crate::cri::{self, Entry};
use crate::level;

/// Bytes that are tested together.
const STEP: usize = 64;

/// How far a number's form reaches behind its first byte.
const AHEAD: usize = 2;

type Hints = Option<regex::bytes::Regex>;

/// What stands, in any case, in a line that tells something, but for the next two and numbers with their unit. Few
/// enough each that the quickest searcher takes them.
static WORDS: LazyLock<Hints> = LazyLock::new(|| {
    let of_rules = RULES.iter().flat_map(|rule| rule.hints);
    // Forge's own lines say which run is told of. `slow` is said of times that are not long too.
    let others = [" forge f ", "slow"];
    let words = of_rules.chain(amount::SIZE_HINTS).chain(level::ERROR_HINTS).chain(&others);
    any_of(words.map(|word| folded(word.as_bytes())))
});

/// What stands, in any case, where a number tells something. Such a line is looked at closer.
static NUMBERS: LazyLock<Hints> = LazyLock::new(|| {
    let hints = amount::KEY_HINTS.iter().chain(level::ERROR_NUMBER_HINTS);
    any_of(hints.map(|hint| folded(hint.as_bytes())))
});

/// How a line begins that tells something by its first letters. It is looked at closer too.
static HEADS: LazyLock<Hints> =
    LazyLock::new(|| any_of(level::ERROR_HEADS.iter().map(|head| head.as_bytes().to_vec())));

/// `None` would keep nothing: it does not come, as a test shows.
fn any_of(hints: impl Iterator<Item = Vec<u8>>) -> Hints {
    let hints: BTreeSet<String> = hints.map(|hint| escaped(&hint)).collect();
    let pattern = hints.into_iter().collect::<Vec<_>>().join("|");
    regex::bytes::RegexBuilder::new(&pattern).unicode(false).build().ok()
}

/// Bytes of letters in one case, and every other byte as some byte: what is equal is so afterwards.
fn folded(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(fold).collect()
}

fn fold(byte: &u8) -> u8 {
    byte | 0x20
}

fn escaped(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut pattern, byte| {
        let _ = write!(pattern, r"\x{byte:02x}");
        pattern
    })
}

/// Keeps the lines of a process that may tell something: what [`super::Watch::look`] finds something in, and those that
/// state an error.
#[derive(Debug)]
pub struct Sieve {
    own: Vec<Regex>,
    slow: Duration,
    folded: Vec<u8>,
}

impl Sieve {
    pub(super) fn new(own: Vec<Regex>, slow: Duration) -> Self {
        Self { own, slow, folded: Vec::new() }
    }

    /// Of whole lines of a segment those that are to be looked at, in their order, each with its newline.
    pub(crate) fn kept(&mut self, lines: &[u8]) -> Vec<Range<usize>> {
        let mut folded = std::mem::take(&mut self.folded);
        folded.clear();
        folded.extend(lines.iter().map(fold));
        let mut kept = Vec::new();
        self.sift(&folded, lines, &mut kept);
        self.drawn(lines, &mut kept);
        self.own(lines, &mut kept);
        kept.sort_unstable_by_key(|line| line.start);
        kept.dedup();
        self.folded = folded;
        kept
    }

    fn sift(&self, folded: &[u8], lines: &[u8], kept: &mut Vec<Range<usize>>) {
        let closer = |line: &Range<usize>| self.may_tell_by_numbers(entry_text(&lines[line.clone()]));
        let found =
            |hints: &'static Hints| move |bytes: &[u8], at| Some(hints.as_ref()?.find_at(bytes, at)?.start());
        lines_with(found(&WORDS), folded, lines, |_| true, kept);
        lines_with(found(&NUMBERS), folded, lines, closer, kept);
        lines_with(found(&HEADS), lines, lines, closer, kept);
        lines_with(number, lines, lines, closer, kept);
    }

    fn may_tell_by_numbers(&self, text: &[u8]) -> bool {
        slow::work(&shown(text), self.slow).is_some() || level::detect(text) == Some(level::Level::Error)
    }

    /// Lines with something for a terminal in them, which may stand between the letters of what is looked for.
    fn drawn(&self, lines: &[u8], kept: &mut Vec<Range<usize>>) {
        let mut at = 0;
        while let Some(found) = memchr::memchr3(0x1b, b'\r', 0x08, &lines[at..]) {
            let line = line_around(lines, at + found);
            at = line.end;
            let text = shown(entry_text(&lines[line.clone()]));
            // As it would stand in the file.
            let entry = format!(" F {text}");
            let mut of_entry = Vec::new();
            self.sift(&folded(entry.as_bytes()), entry.as_bytes(), &mut of_entry);
            if !of_entry.is_empty() {
                kept.push(line);
            }
        }
    }

    /// Lines that the user's rules match.
    fn own(&self, lines: &[u8], kept: &mut Vec<Range<usize>>) {
        if self.own.is_empty() {
            return;
        }
        kept.extend(cri::ranges(lines).filter(|line| {
            let text = shown(entry_text(&lines[line.clone()]));
            self.own.iter().any(|rule| rule.is_match(&text))
        }));
    }
}

/// The `lines` in which `next` finds something in `bytes`, which are as long, and which are `wanted`.
fn lines_with(
    next: impl Fn(&[u8], usize) -> Option<usize>,
    bytes: &[u8],
    lines: &[u8],
    wanted: impl Fn(&Range<usize>) -> bool,
    kept: &mut Vec<Range<usize>>,
) {
    let mut at = 0;
    while let Some(found) = next(bytes, at) {
        let line = line_around(lines, found);
        at = line.end;
        if wanted(&line) {
            kept.push(line);
        }
    }
}

/// The line that the byte at `at` belongs to, with its newline.
fn line_around(lines: &[u8], at: usize) -> Range<usize> {
    let start = memchr::memrchr(b'\n', &lines[..at]).map_or(0, |newline| newline + 1);
    let end = memchr::memchr(b'\n', &lines[at..]).map_or(lines.len(), |newline| at + newline + 1);
    start..end
}

/// What a program wrote of a line of the file.
fn entry_text(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    Entry::parse(line).map_or(line.strip_prefix(b" F ").unwrap_or(line), |entry| entry.text)
}

/// The next place, from `at` on, that looks like a number with a unit of time.
fn number(lines: &[u8], mut at: usize) -> Option<usize> {
    while at < lines.len() {
        let mut end = [0; STEP + AHEAD];
        let window = lines.get(at..).and_then(<[u8]>::first_chunk).unwrap_or_else(|| {
            end[..lines.len() - at].copy_from_slice(&lines[at..]);
            &end
        });
        if (0..STEP).fold(false, |any, from| any | is_number(window, from)) {
            return (0..STEP).find(|from| is_number(window, *from)).map(|from| at + from);
        }
        at += STEP;
    }
    None
}

/// A figure, and behind it, or behind a blank, a letter that a unit may begin with. Without a branch and with little
/// to do for each place, so that the compiler looks at many at once. (`µs` is short, or said to be slow.)
fn is_number(window: &[u8; STEP + AHEAD], from: usize) -> bool {
    let unit = |byte: u8| byte.wrapping_sub(b'h') <= b'u' - b'h';
    let [a, b, c] = [window[from], window[from + 1], window[from + 2]];
    (a.wrapping_sub(b'0') < 10) & (unit(b) | ((b == b' ') & unit(c)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;

    use super::*;
    use crate::events::Watch;
    use crate::{Level, Line, Stream};

    const LIMIT: Duration = Duration::from_secs(1);

    fn stored(texts: &[&str]) -> Vec<u8> {
        let entry = |text: &&str| format!("2026-11-21T14:30:15.123456789Z stdout F {text}\n");
        texts.iter().map(entry).collect::<String>().into_bytes()
    }

    fn is_kept(text: &str) -> bool {
        let lines = stored(&["before", text, "behind"]);
        let kept = Watch::new(Vec::new(), LIMIT).sieve().kept(&lines);
        kept.iter().any(|line| entry_text(&lines[line.clone()]) == text.as_bytes())
    }

    fn tells(text: &str) -> bool {
        let line = Line {
            time_ns: 0,
            stream: Stream::Stdout,
            run: 1,
            level: None,
            text: text.as_bytes().to_vec(),
            omitted: 0,
            partial: false,
            cursor: crate::Cursor { segment: 0, offset: 0 },
            end: crate::Cursor { segment: 0, offset: 0 },
        };
        let states = !text.starts_with([' ', '\t']) && level::detect(text.as_bytes()) == Some(Level::Error);
        states || !Watch::new(Vec::new(), LIMIT).look(&line).is_empty()
    }

    #[test]
    fn what_real_programs_wrote_and_tells_something_is_kept() {
        let (mut telling, mut kept_lines, mut all) = (0, 0, 0);
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|kind| kind == "log") {
                let text = std::fs::read(&path).unwrap();
                for line in String::from_utf8_lossy(&text).lines() {
                    let (kept, tells) = (is_kept(line), tells(line));
                    assert!(kept || !tells, "{}: {line}", path.display());
                    telling += usize::from(tells);
                    kept_lines += usize::from(kept);
                    all += 1;
                }
            }
        }
        assert!(telling > 50, "{telling} of {all} tell something");
        assert!(kept_lines < all * 2 / 3, "{kept_lines} of {all} are kept");
    }

    #[test]
    fn each_form_is_kept_in_its_place_and_others_are_not() {
        for text in [
            "error: no such file",
            "ERROR two",
            r#"{"level":50,"msg":"x"}"#,
            r#"{"level": 60, "msg": "x"}"#,
            r#"{"t":1,"s":"E","msg":"x"}"#,
            r#"{"severity":"critical"}"#,
            "level=50 msg=x",
            "E1121 14:30:15.123456   123 file.go:10] text",
            "[E 2026-11-21 14:30:15 app] text",
            "<3>text",
            r#"127.0.0.1 - - [x] "GET / HTTP/1.1" 502 157"#,
            "GET / 503 2.1 ms - 148",
            "✗ no",
            "GET /checkout 200 1500ms",
            "took 2 s",
            "duration_ms=1500",
            r#"{"responseTime":1500}"#,
            "elapsed_seconds=4",
            "dist/assets/index-CAUvuim5.js  0.68 kB │ gzip: 0.40 kB",
            "\u{1b}[32mcom\u{1b}[1mpiled successfully\u{1b}[0m",
            "10 %\r20 %\rListening on 3000",
            "\u{1b}[1mtook\u{1b}[0m 1\u{1b}[2m500ms",
        ] {
            assert!(tells(text), "it tells something: {text}");
            assert!(is_kept(text), "{text}");
        }
        for text in [
            "GET /api/items/17 200 45ms",
            "ready",
            "",
            "127.0.0.1 - - \"GET / HTTP/1.1\" 200 157",
            r#"{"level":30,"time":1532081790743,"pid":4,"msg":"request completed","responseTime":17}"#,
        ] {
            assert!(!is_kept(text), "{text}");
        }
    }

    #[test]
    fn a_rule_of_the_users_keeps_what_it_matches() {
        let own = super::super::OwnRule {
            pattern: Regex::new("^order [0-9]+ paid$").unwrap(),
            title: String::new(),
            level: Level::Info,
        };
        let lines = stored(&["order 1 paid", "order x paid", "\u{1b}[1morder\u{1b}[0m 2 paid"]);
        let kept = Watch::new(vec![own], LIMIT).sieve().kept(&lines);
        let texts: Vec<_> = kept.iter().map(|line| shown(entry_text(&lines[line.clone()]))).collect();
        assert_eq!(texts, ["order 1 paid", "order 2 paid"]);
    }

    #[test]
    fn what_matches_a_rule_has_one_of_its_hints() {
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for rule in RULES {
            // What a generator of strings can't have: edges, and any character at all.
            let pattern =
                rule.pattern.replace(r"\b", "").replace(['^', '$'], "").replace(".*", "[ a-z]{0,3}");
            let texts = proptest::string::string_regex(&pattern).unwrap();
            for _ in 0..50 {
                let text = texts.new_tree(&mut runner).unwrap().current();
                let folded = folded(text.as_bytes());
                let has =
                    |hint: &&str| memchr::memmem::find(&folded, &self::folded(hint.as_bytes())).is_some();
                // Unicode knows more than one case of some letters, which no tool writes.
                assert!(rule.hints.iter().any(has) || !text.is_ascii(), "{text:?} of {}", rule.pattern);
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_sifted_into_lines(bytes: Vec<u8>) {
            let kept = Watch::new(Vec::new(), LIMIT).sieve().kept(&bytes);
            let mut end = 0;
            for line in kept {
                prop_assert!(line.start >= end && line.end > line.start);
                prop_assert!(line.start == 0 || bytes[line.start - 1] == b'\n');
                end = line.end;
            }
        }
    }
}
