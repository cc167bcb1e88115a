//! The log view as it looks and as it answers keys, over a log in memory that answers as the supervisor does.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use forge_api::{
    Level, LevelCounts, LogAnchor, LogLine, LogQuery, LogsRead, LogsReadAnswer, LogsScanAnswer, Target,
};
use jiff::tz::TimeZone;

use super::draw::{self, Brush};
use super::model::{Effect, Input, Left, Question, Reply, Viewer};
use super::scroll::Position;
use crate::screen::{self, Palette};
use crate::view::sample;
use crate::view::style::Style as Surface;

/// What was written, oldest first; a place is a line's number.
struct Log {
    lines: Vec<LogLine>,
    /// A read that waits for more.
    waiting: Option<(Question, LogsRead)>,
}

impl Log {
    fn new(lines: Vec<LogLine>) -> Self {
        Self { lines, waiting: None }
    }

    fn fits(query: &LogQuery, line: &LogLine) -> bool {
        let name = format!("{}/{}", line.environment, line.process);
        let text = line.text.to_lowercase();
        (query.names.is_empty() || query.names.contains(&name))
            && query.level.is_none_or(|least| line.level.unwrap_or(Level::Info) >= least)
            && (query.levels.is_empty() || line.level.is_some_and(|level| query.levels.contains(&level)))
            && query.grep.as_ref().is_none_or(|grep| text.contains(&grep.to_lowercase()) != query.invert)
    }

    fn read(&self, read: &LogsRead) -> LogsReadAnswer {
        let end = self.lines.len();
        let from = match (&read.cursor, &read.anchor) {
            (Some(cursor), _) => cursor.parse().expect("one of ours"),
            (None, Some(LogAnchor::Line { at, .. })) => {
                self.lines.iter().position(|line| line.at == *at).expect("a line that there is")
            }
            (None, Some(LogAnchor::End)) => end,
            (None, Some(LogAnchor::Time(_))) => unreachable!("not asked for"),
            (None, None) => 0,
        };
        let most = read.max_lines.unwrap_or(usize::MAX);
        let fits = |index: &usize| Self::fits(&read.query, &self.lines[*index]);
        let mut found: Vec<usize> = if read.backward {
            (0..from).rev().filter(fits).take(most).collect()
        } else {
            (from..end).filter(fits).take(most).collect()
        };
        let full = found.len() == most;
        if read.backward {
            found.reverse();
        }
        let first = found.first().copied().filter(|_| full || read.backward).unwrap_or(from);
        let last = found.last().copied().filter(|_| full).map_or(end, |last| last + 1);
        let (previous, next) =
            if read.backward { (if full { first } else { 0 }, from) } else { (from, last) };
        LogsReadAnswer {
            lines: found.into_iter().map(|index| self.lines[index].clone()).collect(),
            gaps: Vec::new(),
            cursor: if read.backward { previous } else { next }.to_string(),
            previous: previous.to_string(),
            next: next.to_string(),
            at_end: !full,
            partial: Vec::new(),
        }
    }
}

/// The view over a log; every question is answered before the next key.
struct Bench {
    viewer: Viewer,
    log: Log,
    left: Option<Left>,
    saved: Option<std::path::PathBuf>,
    restarted: Option<Target>,
}

impl Bench {
    fn new(lines: Vec<LogLine>) -> Self {
        Self::with(lines, LogQuery::default())
    }

    fn with(lines: Vec<LogLine>, query: LogQuery) -> Self {
        let viewer = Viewer::new(query, false);
        let mut bench = Self { viewer, log: Log::new(lines), left: None, saved: None, restarted: None };
        bench.viewer.resize(80, 24);
        let effects = bench.viewer.begin();
        bench.perform(effects);
        bench
    }

    fn perform(&mut self, mut effects: Vec<Effect>) {
        while let Some(effect) = effects.pop() {
            let (question, reply) = match effect {
                Effect::Leave(left) => {
                    self.left = Some(left);
                    continue;
                }
                Effect::Save(path, _) => {
                    self.saved = Some(path);
                    continue;
                }
                Effect::Suspend => continue,
                Effect::Ask(Question::Page(page)) => {
                    let answer = self.log.read(&page.request);
                    if page.request.wait && answer.lines.is_empty() && page.request.budget_ms.is_none() {
                        let request = page.request.clone();
                        self.log.waiting = Some((Question::Page(page), request));
                        continue;
                    }
                    (Question::Page(page), Reply::Page(answer))
                }
                Effect::Ask(Question::Find { number, request }) => {
                    let answer = self.log.read(&request);
                    (Question::Find { number, request }, Reply::Page(answer))
                }
                Effect::Ask(Question::Names) => (Question::Names, Reply::Names(self.names())),
                Effect::Ask(Question::Restart(target)) => {
                    self.restarted = Some(target.clone());
                    (Question::Restart(target), Reply::Done)
                }
                Effect::Ask(Question::Scan(scan)) => (Question::Scan(scan), Reply::ScanStarted(1)),
                Effect::Ask(Question::ScanNext(id)) => {
                    (Question::ScanNext(id), Reply::Scan(Box::new(self.scanned())))
                }
                Effect::Ask(Question::ScanCancel(_)) => continue,
            };
            effects.extend(self.viewer.step(Input::Answer(question, Ok(reply))));
        }
    }

    fn names(&self) -> Vec<Target> {
        let mut names: Vec<Target> = self
            .log
            .lines
            .iter()
            .map(|line| Target { environment: line.environment.clone(), process: line.process.clone() })
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn scanned(&self) -> LogsScanAnswer {
        let counts = |process: &str, error: u64, over_time: &[u64]| LevelCounts {
            environment: "dev".to_owned(),
            process: process.to_owned(),
            error,
            warn: error * 2,
            info: 1000,
            errors_over_time: over_time.to_vec(),
            ..LevelCounts::default()
        };
        LogsScanAnswer {
            hits: Vec::new(),
            matched: 17,
            counts: vec![
                counts("frontend", 0, &[0; 40]),
                counts("backend", 9, &[0, 0, 1, 0, 0, 3, 0, 0, 0, 0, 5, 0]),
            ],
            patterns: Vec::new(),
            more_patterns: 0,
            forgotten_lines: 0,
            edges_ms: vec![sample::NOW.as_millis() - 3_600_000, sample::NOW.as_millis()],
            scanned_bytes: 10,
            total_bytes: 10,
            done: true,
        }
    }

    /// Another line is written.
    fn write(&mut self, line: LogLine) {
        self.log.lines.push(line);
        if let Some((question, request)) = self.log.waiting.take() {
            let answer = self.log.read(&request);
            let effects = self.viewer.step(Input::Answer(question, Ok(Reply::Page(answer))));
            self.perform(effects);
        }
    }

    fn press(&mut self, code: KeyCode) {
        let effects = self.viewer.step(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        self.perform(effects);
    }

    fn keys(&mut self, keys: &str) {
        for key in keys.chars() {
            self.press(if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) });
        }
    }

    fn shown(&mut self) -> String {
        let size = self.viewer.size;
        let (width, height) =
            (u16::try_from(size.width).expect("small"), u16::try_from(size.height + 1).expect("small"));
        screen::shown(width, height, &draw::picture(&self.viewer, &brush(true, true)))
    }

    #[track_caller]
    fn shows(&mut self, text: &str) {
        let shown = self.shown();
        assert!(shown.contains(text), "{text:?} is not on the screen:\n{shown}");
    }

    #[track_caller]
    fn hides(&mut self, text: &str) {
        let shown = self.shown();
        assert!(!shown.contains(text), "{text:?} is on the screen:\n{shown}");
    }
}

fn brush(color: bool, unicode: bool) -> Brush {
    Brush { palette: Palette { surface: Surface { color, unicode, width: 80 } }, zone: TimeZone::UTC }
}

/// `count` lines of three processes; every hundredth is an error of the backend.
fn many(count: i64) -> Vec<LogLine> {
    let line = |number: i64| match number % 100 {
        18 => LogLine {
            level: Some(Level::Error),
            ..sample::line("backend", number, &format!("ERROR: Connection timeout {number}"))
        },
        other if other % 3 == 0 => sample::line("postgres", number, &format!("Query execution: {number}ms")),
        other if other % 3 == 1 => sample::line("backend", number, &format!("GET /api/users/{number} - 200")),
        _ => sample::line("frontend", number, &format!("Rendering UserProfile {number}")),
    };
    (0..count).map(line).collect()
}

#[test]
fn it_opens_at_the_newest_lines_and_follows() {
    let mut bench = Bench::new(many(500));
    bench.shows("following");
    bench.shows("Query execution: 499ms");
    insta::assert_snapshot!("following_80x24", bench.shown());
    bench.write(sample::line("backend", 500, "a new one"));
    bench.shows("a new one");
}

#[test]
fn it_looks_well_at_other_sizes_and_without_unicode() {
    let mut bench = Bench::new(many(500));
    bench.keys("/timeout\n");
    for (width, height) in [(120, 40), (60, 15)] {
        let effects = bench.viewer.resize(width, height);
        bench.perform(effects);
        insta::assert_snapshot!(format!("search_{width}x{height}"), bench.shown());
    }
    let effects = bench.viewer.resize(80, 24);
    bench.perform(effects);
    for keys in ["", "f", "?", "t"] {
        bench.keys(keys);
        let view = draw::picture(&bench.viewer, &brush(false, false));
        assert!(screen::shown(80, 24, &view).is_ascii(), "{keys}: {}", screen::shown(80, 24, &view));
        let spans = view.lines.iter().flat_map(|line| &line.spans);
        assert!(spans.clone().all(|span| span.style.fg.is_none()), "{keys}: no colour");
        bench.press(KeyCode::Esc);
    }
    let effects = bench.viewer.resize(30, 5);
    bench.perform(effects);
    bench.shows("too small");
}

#[test]
fn nothing_yet_says_so() {
    let mut bench = Bench::new(Vec::new());
    bench.shows("Nothing was written yet");
    bench.write(sample::line("api", 0, "hello"));
    bench.shows("hello");
}

#[test]
fn paused_nothing_moves_and_nothing_is_lost() {
    let mut bench = Bench::new(many(500));
    bench.keys("p");
    let before = bench.shown();
    for number in 500..530 {
        bench.write(sample::line("backend", number, &format!("meanwhile {number}")));
    }
    bench.shows("paused, 30 new lines");
    let after = bench.shown();
    let body = |shown: &str| shown.lines().take(23).collect::<Vec<_>>().join("\n");
    assert_eq!(body(&before), body(&after), "what one reads stays where it is");
    bench.keys("p");
    bench.shows("following");
    bench.shows("meanwhile 529");
    bench.press(KeyCode::PageUp);
    bench.shows("meanwhile 500");
}

#[test]
fn paused_it_stands_still_also_where_there_is_room() {
    let mut bench = Bench::new(many(3));
    bench.keys("p");
    bench.write(sample::line("backend", 3, "meanwhile"));
    bench.shows("paused, 1 new line");
    bench.hides("meanwhile");
    bench.keys("p");
    bench.shows("meanwhile");
}

#[test]
fn history_comes_as_one_scrolls_up_and_down_again() {
    let mut bench = Bench::new(many(50_000));
    for _ in 0..200 {
        bench.press(KeyCode::PageUp);
    }
    assert!(matches!(bench.viewer.position, Position::Top { .. }), "it stands");
    bench.press(KeyCode::Home);
    bench.shows("Query execution: 0ms");
    for _ in 0..3 {
        bench.press(KeyCode::PageDown);
    }
    bench.shows("user");
    bench.press(KeyCode::End);
    bench.shows("following");
    bench.shows("49999");
    for _ in 0..2000 {
        bench.press(KeyCode::PageUp);
    }
    // 22 lines a page; what is far below was let go.
    bench.shows("5990");
    bench.shows("more below");
    for _ in 0..2500 {
        bench.press(KeyCode::PageDown);
    }
    bench.shows("49999");
    bench.shows("following");
}

#[test]
fn a_search_goes_through_all_of_history_and_back() {
    let mut bench = Bench::new(many(30_000));
    bench.keys("/timeout\n");
    bench.shows("timeout 29918");
    bench.shows("/timeout 17 matches");
    bench.keys("N");
    bench.shows("timeout 29818");
    for _ in 0..20 {
        bench.keys("N");
    }
    bench.shows("timeout 27818");
    bench.keys("n");
    bench.shows("timeout 27918");
    bench.press(KeyCode::Esc);
    bench.keys("/Query execution: 3MS\n");
    bench.shows("no match");
    bench.keys("/execution: 3ms\n");
    bench.shows("Query execution: 3ms");
    bench.keys("N");
    bench.shows("no older match");
}

#[test]
fn a_bad_pattern_is_told() {
    let mut bench = Bench::new(many(10));
    bench.keys("/");
    bench.keys("/(/\n");
    bench.shows("unclosed group");
}

#[test]
fn a_filter_shows_less_and_an_empty_one_all_again() {
    let mut bench = Bench::new(many(1000));
    bench.keys("fbackend\n");
    bench.shows("filter: backend");
    bench.hides("postgres");
    insta::assert_snapshot!("filter_80x24", bench.shown());
    bench.write(sample::line("postgres", 1000, "not this"));
    bench.write(sample::line("backend", 1001, "but this"));
    bench.shows("but this");
    bench.hides("not this");
    bench.press(KeyCode::Char('f'));
    for _ in 0.."backend".len() {
        bench.press(KeyCode::Backspace);
    }
    bench.keys("error\n");
    bench.shows("timeout 918");
    bench.hides("GET");
    bench.press(KeyCode::Char('f'));
    for _ in 0.."error".len() {
        bench.press(KeyCode::Backspace);
    }
    bench.keys("\n");
    bench.shows("not this");
}

#[test]
fn a_found_line_shows_its_context_and_the_filter_comes_back() {
    let mut bench = Bench::new(many(1000));
    bench.keys("ferror\n");
    bench.keys("E");
    bench.keys("E");
    bench.shows("> ERROR: Connection timeout 818");
    bench.press(KeyCode::Enter);
    bench.shows("context");
    bench.shows("Rendering UserProfile 817");
    bench.shows("> ERROR: Connection timeout 818");
    insta::assert_snapshot!("context_80x24", bench.shown());
    bench.press(KeyCode::Esc);
    bench.shows("filter: error");
    bench.hides("Rendering");
    bench.shows("> ERROR: Connection timeout 818");
}

#[test]
fn the_context_of_a_line_can_be_asked_for_while_it_is_still_looked_for() {
    let mut bench = Bench::new(many(30_000));
    bench.keys("fbackend\n");
    bench.keys("/users/401 ");
    let twice = [KeyCode::Enter, KeyCode::Enter].map(|code| KeyEvent::new(code, KeyModifiers::NONE));
    let effects: Vec<Effect> = twice.into_iter().flat_map(|key| bench.viewer.step(Input::Key(key))).collect();
    bench.hides("no line was found");
    bench.perform(effects);
    bench.shows("context");
    bench.shows("Rendering UserProfile 402");
    bench.shows("> GET /api/users/401 - 200");
    // And what is not found is nothing to be shown later.
    let mut bench = Bench::new(many(30_000));
    bench.keys("fbackend\n");
    bench.keys("/nowhere");
    let effects: Vec<Effect> = twice.into_iter().flat_map(|key| bench.viewer.step(Input::Key(key))).collect();
    bench.perform(effects);
    bench.shows("no match");
    bench.keys("E");
    bench.hides("context");
}

#[test]
fn what_was_asked_for_before_the_filter_is_not_taken_for_what_it_lets_through() {
    let mut bench = Bench::new(many(30_000));
    bench.keys("ferror\n");
    bench.keys("E");
    // The context is asked for, and left before any of it has come.
    let [enter, esc] = [KeyCode::Enter, KeyCode::Esc].map(|code| KeyEvent::new(code, KeyModifiers::NONE));
    let context = bench.viewer.step(Input::Key(enter));
    let filtered = bench.viewer.step(Input::Key(esc));
    bench.perform(context);
    bench.hides("Rendering");
    bench.perform(filtered);
    bench.shows("ERROR: Connection timeout 29918");
    bench.hides("Rendering");
}

#[test]
fn errors_are_gone_to_one_by_one_wherever_they_are() {
    let mut bench = Bench::new(many(30_000));
    bench.keys("e");
    bench.shows("> ERROR: Connection timeout 29918");
    bench.keys("e");
    bench.shows("no newer error");
    for _ in 0..30 {
        bench.keys("E");
    }
    bench.shows("> ERROR: Connection timeout 26918");
    bench.keys("R");
    bench.shows("Restart backend?");
    bench.keys("y");
    assert_eq!(bench.restarted.as_ref().map(|target| target.process.as_str()), Some("backend"), "yes");
}

#[test]
fn cleared_lines_are_gone_until_one_scrolls_up() {
    let mut bench = Bench::new(many(100));
    bench.keys("c");
    bench.hides("users");
    bench.shows("Cleared");
    bench.write(sample::line("backend", 100, "after that"));
    bench.shows("after that");
    bench.hides("users");
    bench.press(KeyCode::PageUp);
    bench.shows("users");
}

#[test]
fn clearing_while_one_looks_at_old_lines_goes_on_with_new_ones() {
    let mut bench = Bench::new(many(20_000));
    bench.keys("g");
    bench.shows("users/1");
    bench.keys("c");
    bench.hides("users");
    bench.write(sample::line("backend", 20_000, "after that"));
    bench.shows("after that");
    bench.hides("users");
}

#[test]
fn a_tail_is_as_long_as_was_asked_for() {
    let mut bench = Bench::with(many(100), LogQuery { tail: Some(3), ..LogQuery::default() });
    bench.shows("users/97");
    bench.shows("frontend");
    bench.hides("96ms");
    let mut bench = Bench::with(many(100), LogQuery { tail: Some(0), ..LogQuery::default() });
    bench.hides("users");
    bench.write(sample::line("backend", 100, "after that"));
    bench.shows("after that");
    bench.press(KeyCode::Up);
    bench.shows("Query execution: 99ms");
}

#[test]
fn a_file_name_is_asked_for_and_what_became_of_it_told() {
    let mut bench = Bench::new(many(100));
    bench.keys("sout.jsonl\n");
    assert_eq!(bench.saved.as_deref(), Some(std::path::Path::new("out.jsonl")), "saved");
    let effects = bench.viewer.step(Input::Saved("out.jsonl".into(), Ok(100)));
    bench.perform(effects);
    bench.shows("saved 100 lines to out.jsonl");
    bench.keys("s\n");
    bench.shows("nothing was saved");
}

#[test]
fn long_lines_wrap_or_are_cut_and_can_be_looked_along() {
    let mut lines = many(3);
    lines.push(sample::line("backend", 3, &format!("{}LAST", "0123456789".repeat(20))));
    let mut bench = Bench::new(lines);
    bench.shows("LAST");
    bench.keys("w");
    bench.hides("LAST");
    bench.shows("…");
    for _ in 0..10 {
        bench.press(KeyCode::Right);
    }
    bench.shows("LAST");
}

#[test]
fn trends_are_a_table_with_the_worst_on_top() {
    let mut bench = Bench::new(many(100));
    bench.keys("t");
    insta::assert_snapshot!("trends_80x24", bench.shown());
    bench.press(KeyCode::Esc);
    bench.shows("following");
}

#[test]
fn help_names_every_key_and_any_key_goes_back() {
    let mut bench = Bench::new(many(100));
    bench.keys("?");
    insta::assert_snapshot!("help_80x24", bench.shown());
    bench.keys("x");
    bench.shows("following");
}

#[test]
fn leaving_is_q_or_an_interrupt() {
    let mut bench = Bench::new(many(10));
    bench.keys("q");
    assert_eq!(bench.left, Some(Left::Quit), "q");
    let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(bench.viewer.step(Input::Key(key)), [Effect::Leave(Left::Interrupted)], "Ctrl-C");
}

#[test]
fn a_start_that_is_watched_asks_what_becomes_of_it() {
    let mut viewer = Viewer::new(LogQuery::default(), true);
    let mut press =
        |letter| viewer.step(Input::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)));
    let leaves = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::Leave(left) => Some(*left),
            _ => None,
        })
    };
    assert_eq!(leaves(&press('q')), None, "asks");
    assert_eq!(leaves(&press('k')), Some(Left::Quit), "it goes on");
    press('q');
    assert_eq!(leaves(&press('s')), Some(Left::Interrupted), "it is stopped");
}

#[test]
fn a_lost_supervisor_is_said_and_reading_goes_on_where_it_was() {
    let mut bench = Bench::new(many(100));
    bench.viewer.step(Input::Lost);
    bench.shows("reconnecting");
    bench.log.waiting = None;
    bench.log.lines.push(sample::line("backend", 100, "meanwhile"));
    let effects = bench.viewer.step(Input::Back);
    bench.perform(effects);
    bench.shows("meanwhile");
    bench.shows("following");
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut bench = Bench::new(many(100));
    for number in 100..25_000 {
        bench.write(sample::line("backend", number, "flood"));
    }
    assert!(bench.viewer.window.ids().count() <= 20_001, "{}", bench.viewer.window.ids().count());
    bench.keys("p");
    for number in 25_000..50_000 {
        bench.write(sample::line("backend", number, "flood"));
    }
    assert!(bench.viewer.window.ids().count() <= 41_001, "{}", bench.viewer.window.ids().count());
    bench.shows("+ new lines");
    bench.keys("p");
    bench.shows("following");
}
