//! Pages of two logs, in both directions.

use forge_api::{LogQuery, Time};
use forge_logs::{Stamp, Stream, Writer, WriterOptions};

use super::*;
use crate::logs::query;

const LINES: i64 = 400;

struct Logs {
    _folder: tempfile::TempDir,
    logs: Vec<(Target, PathBuf)>,
    /// Of the first line; each is a millisecond later.
    start: i64,
}

impl Logs {
    /// Line N of both, by turns; every tenth is an error, every hundredth in colours.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = |process: &str| {
            let target = Target { environment: "dev".to_owned(), process: process.to_owned() };
            (target, folder.path().join(process))
        };
        let logs: Vec<_> = ["api", "db"].map(log).into();
        let options = WriterOptions { segment_bytes: 4_000, ..WriterOptions::default() };
        let mut writers: Vec<Writer> =
            logs.iter().map(|(_, folder)| Writer::open(folder, options).expect("a writer")).collect();
        let start = Stamp::now().as_nanos() + 3_600_000_000_000;
        for number in 0..LINES {
            let text = match number {
                number if number % 100 == 0 => format!("\x1b[31mERR\x1b[1mOR\x1b[0m line {number}\n"),
                number if number % 10 == 0 => format!("ERROR line {number}\n"),
                number => format!("line {number}\n"),
            };
            let writer = &mut writers[usize::from(number % 2 == 1)];
            writer.write(Stream::Stdout, text.as_bytes(), Stamp::from_nanos(start + number * 1_000_000));
        }
        drop(writers);
        Self { _folder: folder, logs, start }
    }

    fn page(&self, request: &LogsRead) -> LogsReadAnswer {
        self.page_after(request, QUIET)
    }

    /// A page for which the next match is looked for after so many lines without one.
    fn page_after(&self, request: &LogsRead, quiet: u32) -> LogsReadAnswer {
        let filter = query::filter(&request.query).expect("a filter");
        let anchor = request.anchor.as_ref().map(|anchor| Anchor::of(anchor).expect("an anchor"));
        let bookmark = request.cursor.as_deref().map(|cursor| Bookmark::parse(cursor).expect("a cursor"));
        let mut pager = Pager::new(Arc::new(request.clone()), filter, anchor, self.logs.clone());
        pager.quiet = quiet;
        pager.page(bookmark.as_ref()).expect("a page")
    }

    /// One more line in the first log.
    fn grow(&self, number: i64) {
        let options = WriterOptions { segment_bytes: 4_000, ..WriterOptions::default() };
        let mut writer = Writer::open(&self.logs[0].1, options).expect("a writer");
        let now = Stamp::from_nanos(self.start + number * 1_000_000);
        writer.write(Stream::Stdout, format!("line {number}\n").as_bytes(), now);
    }

    /// All pages in one direction, the lines of programs in the order of time.
    fn all(&self, mut request: LogsRead) -> Vec<i64> {
        let mut pages = Vec::new();
        loop {
            let page = self.page(&request);
            pages.push(numbers(&page));
            request.cursor = Some(page.cursor);
            if page.at_end {
                break;
            }
        }
        if request.backward {
            pages.reverse();
        }
        pages.concat()
    }
}

fn numbers(page: &LogsReadAnswer) -> Vec<i64> {
    let programs = page.lines.iter().filter(|line| line.stream != forge_api::Stream::Forge);
    let number = |line: &LogLine| line.text.rsplit(' ').next().and_then(|number| number.parse().ok());
    programs.map(|line| number(line).expect("a number")).collect()
}

fn pages(query: LogQuery, backward: bool, max_lines: usize) -> LogsRead {
    LogsRead { query, backward, max_lines: Some(max_lines), ..LogsRead::default() }
}

fn grep(text: &str) -> LogQuery {
    LogQuery { grep: Some(text.to_owned()), ..LogQuery::default() }
}

#[test]
fn who_reads_slower_than_the_quota_removes_is_told_so_once() {
    let logs = Logs::new();
    let folder = &logs.logs[0].1;
    let mut request = pages(LogQuery::default(), false, 10);
    request.wait = true;
    let first = logs.page(&request);
    let mut segments: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    segments.retain(|path| path.extension().is_some_and(|end| end == "log"));
    segments.sort();
    std::fs::remove_file(&segments[0]).expect("what a quota removes");
    let holes = |page: &LogsReadAnswer| {
        let told = page.lines.iter().filter(|line| line.text.starts_with("older lines were removed"));
        told.map(|line| (line.process.clone(), line.stream)).collect::<Vec<_>>()
    };
    request.cursor = Some(first.cursor.clone());
    let page = logs.page(&request);
    assert_eq!(holes(&page), [("api".to_owned(), forge_api::Stream::Forge)], "{page:#?}");
    assert_eq!(page.lines[0].text, "older lines were removed before they were read: see log_quota");
    request.cursor = Some(page.cursor);
    assert_eq!(holes(&logs.page(&request)), [], "once");
    request.query.context = 1;
    request.query.grep = Some("nothing has this".to_owned());
    request.cursor = Some(first.cursor);
    let page = logs.page(&request);
    assert_eq!(holes(&page).len(), 1, "with context too: {page:#?}");
    request.cursor = Some(page.cursor);
    assert_eq!(holes(&logs.page(&request)), [], "and once");
    assert_eq!(
        holes(&logs.page(&pages(LogQuery::default(), false, 10))),
        [],
        "who begins has missed nothing"
    );
}

#[test]
fn pages_of_any_size_have_each_line_once_in_both_directions() {
    let logs = Logs::new();
    for backward in [false, true] {
        for size in [1, 7, 100, 10_000] {
            let all = logs.all(pages(LogQuery::default(), backward, size));
            assert_eq!(all, (0..LINES).collect::<Vec<_>>(), "backward {backward}, {size} a page");
            let errors = logs.all(pages(grep("^ERROR"), backward, size));
            let tens: Vec<i64> = (0..LINES / 10).map(|ten| ten * 10).collect();
            assert_eq!(errors, tens, "what is shown matches: backward {backward}, {size} a page");
        }
    }
}

#[test]
fn a_page_has_no_more_lines_than_asked_for_and_can_be_left_both_ways() {
    let logs = Logs::new();
    let start = LogAnchor::Time(Time(logs.start + 200 * 1_000_000));
    let read = LogsRead { anchor: Some(start), ..pages(LogQuery::default(), false, 10) };
    let page = logs.page(&read);
    assert_eq!(numbers(&page), (200..210).collect::<Vec<_>>(), "from a time on");
    let next = logs.page(&LogsRead { cursor: Some(page.next.clone()), anchor: None, ..read.clone() });
    assert_eq!(numbers(&next), (210..220).collect::<Vec<_>>(), "what follows");
    let back = LogsRead { cursor: Some(page.previous), anchor: None, backward: true, ..read.clone() };
    let before = logs.page(&back);
    assert_eq!(numbers(&before), (190..200).collect::<Vec<_>>(), "what is before");
    let again = logs.page(&LogsRead { cursor: Some(before.next), anchor: None, ..read });
    assert_eq!(numbers(&again), (200..210).collect::<Vec<_>>(), "and the same from there");
}

#[test]
fn a_line_is_found_by_its_place_and_the_end_is_the_end() {
    let logs = Logs::new();
    let hit = logs.page(&pages(grep("line 301$"), false, 1)).lines.remove(0);
    let anchor = LogAnchor::Line { environment: hit.environment, process: hit.process, at: hit.at };
    let read =
        |backward| LogsRead { anchor: Some(anchor.clone()), ..pages(LogQuery::default(), backward, 3) };
    assert_eq!(numbers(&logs.page(&read(false))), [301, 302, 303], "right before it");
    assert_eq!(numbers(&logs.page(&read(true))), [298, 299, 300], "and what is before");
    let end = LogsRead { anchor: Some(LogAnchor::End), ..pages(LogQuery::default(), true, 10) };
    assert_eq!(numbers(&logs.page(&end)).last(), Some(&399), "the newest");
}

#[test]
fn context_is_the_same_from_both_sides_and_across_pages() {
    let logs = Logs::new();
    let query = LogQuery { context: 2, ..grep("line (50|53|200)$") };
    let expected: Vec<i64> = (48..56).chain(198..203).collect();
    for backward in [false, true] {
        for size in [1, 4, 1000] {
            let all = logs.all(pages(query.clone(), backward, size));
            assert_eq!(all, expected, "backward {backward}, {size} a page");
        }
        let page = logs.page(&pages(query.clone(), backward, 1000));
        assert_eq!(page.gaps, [8], "where lines are passed over, backward {backward}");
    }
}

/// What a page of all has to have: the lines around each match, and where some are passed over.
fn surrounded(matches: &[i64], context: i64) -> (Vec<i64>, Vec<usize>) {
    let near = |line: i64| matches.iter().any(|found| (found - line).abs() <= context);
    let lines: Vec<i64> = (0..LINES).filter(|line| near(*line)).collect();
    let gaps = (1..lines.len()).filter(|at| lines[*at] != lines[at - 1] + 1).collect();
    (lines, gaps)
}

#[test]
fn context_is_the_same_however_the_next_match_is_looked_for() {
    let logs = Logs::new();
    let matches =
        [("line (0|350)$", vec![0, 350]), ("line (1|2|9|17|30|31|300)$", vec![1, 2, 9, 17, 30, 31, 300])];
    for (text, matches) in matches {
        for (context, quiet) in [(30, 0), (2, 5)] {
            let (lines, gaps) = surrounded(&matches, i64::from(context));
            let query = LogQuery { context, ..grep(text) };
            for backward in [false, true] {
                let how = format!("{text} ± {context} after {quiet}, backward {backward}");
                let whole = logs.page_after(&pages(query.clone(), backward, 1000), quiet);
                assert_eq!(gaps_between(&whole), gaps, "{how}");
                for (size, budget_ms) in [(25, None), (1000, Some(0))] {
                    let mut request = LogsRead { budget_ms, ..pages(query.clone(), backward, size) };
                    let (mut found, mut calls) = (Vec::new(), 0);
                    loop {
                        let page = logs.page_after(&request, quiet);
                        let at = if backward { 0 } else { found.len() };
                        found.splice(at..at, numbers(&page));
                        calls += 1;
                        assert!(calls < 2000, "it comes to an end: {how}");
                        request.cursor = Some(page.cursor);
                        if page.at_end {
                            break;
                        }
                    }
                    assert_eq!(found, lines, "{how}, {size} a page, {budget_ms:?}");
                }
            }
        }
    }
}

/// Where lines are passed over, as a number of lines of programs.
fn gaps_between(page: &LogsReadAnswer) -> Vec<usize> {
    let programs =
        |lines: &[LogLine]| lines.iter().filter(|line| line.stream != forge_api::Stream::Forge).count();
    page.gaps.iter().map(|at| programs(&page.lines[..*at])).collect()
}

#[test]
fn a_tail_counts_what_is_wanted_of_both() {
    let logs = Logs::new();
    let tail = |query: LogQuery, tail| LogsRead {
        query: LogQuery { tail: Some(tail), ..query },
        ..pages(LogQuery::default(), false, 1000)
    };
    assert_eq!(numbers(&logs.page(&tail(LogQuery::default(), 3))), [397, 398, 399], "the last lines");
    assert_eq!(numbers(&logs.page(&tail(grep("ERROR"), 2))), [380, 390], "the last that match");
    assert_eq!(numbers(&logs.page(&tail(grep("ERROR"), 5000))).len(), 40, "all, where there are fewer");
    for (lines, expected) in [(1, vec![388, 389, 390, 391, 392]), (2, (378..383).chain(388..393).collect())] {
        let around = logs.page(&tail(LogQuery { context: 2, ..grep("ERROR") }, lines));
        assert_eq!(numbers(&around), expected, "the last {lines} with what stands around them");
    }
}

#[test]
fn a_budget_that_is_over_gives_a_place_to_go_on() {
    let logs = Logs::new();
    let mut read = LogsRead { budget_ms: Some(0), ..pages(grep("no such line"), true, 10) };
    let mut steps = 0;
    loop {
        let page = logs.page(&read);
        assert!(page.lines.is_empty(), "nothing matches");
        steps += 1;
        if page.at_end {
            break;
        }
        assert_ne!(read.cursor.as_ref(), Some(&page.cursor), "each call comes further");
        read.cursor = Some(page.cursor);
    }
    assert!(steps > 2, "{steps} calls");
}

#[test]
fn a_line_without_an_end_is_told_as_far_as_it_is_written_and_again_when_it_has_changed() {
    let logs = Logs::new();
    let mut writer = Writer::open(&logs.logs[1].1, WriterOptions::default()).expect("a writer");
    let now = Stamp::from_nanos(logs.start + LINES * 1_000_000);
    let mut write = |text: &str| {
        writer.write(Stream::Stdout, text.as_bytes(), now);
        writer.flush_partial(Stream::Stdout, now);
    };
    let partial = |page: &LogsReadAnswer| -> Vec<String> {
        page.partial.iter().map(|line| format!("{}: {}", line.process, line.text)).collect()
    };
    let mut read = LogsRead { partial: true, ..pages(grep("line 399|loading"), false, 1000) };
    assert_eq!(partial(&logs.page(&read)), [""; 0], "nothing yet");
    let mut told = Vec::new();
    for (text, expected) in
        [("loading 10%\r", vec!["db: loading 10%"]), ("loading 20%", vec!["db: loading 20%"]), ("\n", vec![])]
    {
        write(text);
        let page = logs.page(&read);
        assert_eq!(partial(&page), expected, "after {text:?}");
        told.push(Bookmark::parse(&page.cursor).expect("a cursor").partial);
    }
    assert!(told[0] != told[1] && told[1] != 0 && told[2] == 0, "who waits hears of it: {told:?}");
    let whole = logs.page(&read).lines.pop().expect("a line");
    assert_eq!(whole.text, "loading 20%", "with its end it is a line");
    write("name? ");
    assert_eq!(partial(&logs.page(&read)), [""; 0], "not what the filter wants");
    (read.query, read.partial) = (LogQuery::default(), false);
    assert_eq!(partial(&logs.page(&read)), [""; 0], "only who asks");
}

#[test]
fn who_does_not_wait_reads_up_to_where_the_logs_ended_when_the_reading_began() {
    let logs = Logs::new();
    let mut request = pages(LogQuery::default(), false, 50);
    let (mut read, mut written) = (Vec::new(), LINES);
    let next = loop {
        let page = logs.page(&request);
        read.extend(numbers(&page));
        if page.at_end {
            break page.next;
        }
        request.cursor = Some(page.cursor);
        // Whoever writes is as quick as the reader.
        for _ in 0..60 {
            logs.grow(written);
            written += 1;
        }
    };
    assert_eq!(read, (0..LINES).collect::<Vec<_>>(), "what was there");
    // Later the rest is read on.
    let rest = logs.all(LogsRead { cursor: Some(next), ..pages(LogQuery::default(), false, 1000) });
    assert_eq!(rest, (LINES..written).collect::<Vec<_>>(), "what came meanwhile");
}
