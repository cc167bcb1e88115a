//! What the lines of logs have in common, and how errors went over time.

use std::fmt::Write as _;

use forge_api::{Level, LevelCounts, LogPattern, LogsScanAnswer, Target, Time};
use jiff::tz::TimeZone;

use super::clean;
use super::style::{Ink, Style};
use super::table::{self, Cell, Column};
use super::words;

/// The patterns, the worst level first, then the errors of each process over time.
pub(crate) fn render(found: &LogsScanAnswer, style: Style, zone: &TimeZone) -> String {
    let several = several_environments(found);
    let columns = [
        Column::new("Count").right(),
        Column::new("Level"),
        Column::new("First").rank(1),
        Column::new("Last").rank(2),
        Column::new("New").rank(3),
        Column::new("Process").least(6),
        Column::new("Pattern").least(32),
    ];
    let rows: Vec<Vec<Cell>> =
        found.patterns.iter().map(|pattern| row(pattern, several, style, zone)).collect();
    let mut out = table::render(&columns, &rows, style);
    left_out(found).iter().for_each(|words| out.push_str(&format!("… and {words}\n")));
    out.push_str(&trends(found, several, style, zone));
    out
}

/// What is not among the patterns, and how to see it.
pub(crate) fn left_out(found: &LogsScanAnswer) -> Vec<String> {
    let mut all = Vec::new();
    if found.more_patterns > 0 {
        let more = words::count(found.more_patterns as usize, "more pattern", "more patterns");
        all.push(format!("{more}, each of fewer lines; `--grep` narrows it"));
    }
    if found.forgotten_lines > 0 {
        let lines = usize::try_from(found.forgotten_lines).unwrap_or(usize::MAX);
        let lines = words::count(lines, "line", "lines");
        all.push(format!("{lines} of patterns too many to remember; `--since` narrows it"));
    }
    all
}

fn row(pattern: &LogPattern, several: bool, style: Style, zone: &TimeZone) -> Vec<Cell> {
    let level = pattern.level.map_or(style.nothing(), word);
    let target = Target { environment: pattern.environment.clone(), process: pattern.process.clone() };
    let new = if pattern.new == Some(true) { Cell::new("new").ink(Ink::Bold) } else { Cell::new("") };
    vec![
        Cell::new(pattern.count.to_string()),
        Cell::new(level).ink(ink(pattern.level)),
        Cell::new(moment(pattern.first, zone)).ink(Ink::Dim),
        Cell::new(moment(pattern.last, zone)).ink(Ink::Dim),
        new,
        Cell::new(words::label(&target, several)),
        Cell::new(clean::line(&pattern.template).into_owned()),
    ]
}

/// A line for each process that had errors.
fn trends(found: &LogsScanAnswer, several: bool, style: Style, zone: &TimeZone) -> String {
    let with_errors: Vec<&LevelCounts> = found.counts.iter().filter(|counts| counts.error > 0).collect();
    let (Some(from), Some(until)) = (found.edges_ms.first(), found.edges_ms.last()) else {
        return String::new();
    };
    if with_errors.is_empty() {
        return String::new();
    }
    let (from, until) = (moment(Time::from_millis(*from), zone), moment(Time::from_millis(*until), zone));
    let mut out = format!("\nErrors from {from} to {until}\n");
    let columns = [Column::new("Process").least(6), Column::new("Errors").right(), Column::new("Over time")];
    let row = |counts: &&LevelCounts| {
        let target = Target { environment: counts.environment.clone(), process: counts.process.clone() };
        vec![
            Cell::new(words::label(&target, several)),
            Cell::new(counts.error.to_string()).ink(Ink::Bad),
            Cell::new(sparkline(&counts.errors_over_time, style)),
        ]
    };
    let rows: Vec<Vec<Cell>> = with_errors.iter().map(row).collect();
    let _ = write!(out, "{}", table::render(&columns, &rows, style));
    out
}

/// One character for each number, as high as it is against the greatest; nothing is a blank.
fn sparkline(numbers: &[u64], style: Style) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const ASCII: [char; 4] = ['.', ':', '|', '#'];
    let bars: &[char] = if style.unicode { &BARS } else { &ASCII };
    let most = numbers.iter().copied().max().unwrap_or(0).max(1);
    let bar = |number: &u64| match number {
        0 => ' ',
        number => {
            let height = u128::from(*number) * bars.len() as u128;
            let step = height.div_ceil(u128::from(most)).max(1) - 1;
            usize::try_from(step).ok().and_then(|step| bars.get(step)).copied().unwrap_or(' ')
        }
    };
    numbers.iter().map(bar).collect()
}

fn several_environments(found: &LogsScanAnswer) -> bool {
    let mut environments = found.counts.iter().map(|counts| &counts.environment);
    let first = environments.next();
    environments.any(|environment| Some(environment) != first)
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

fn ink(level: Option<Level>) -> Ink {
    match level {
        Some(Level::Error) => Ink::Bad,
        Some(Level::Warn) => Ink::Warn,
        Some(Level::Info) => Ink::Plain,
        Some(Level::Debug | Level::Trace) | None => Ink::Dim,
    }
}

fn moment(time: Time, zone: &TimeZone) -> String {
    let second = time.0.div_euclid(1_000_000_000);
    let stamp = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.to_zoned(zone.clone()).strftime("%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style { color: false, unicode: true, width: 80 };

    fn pattern(template: &str, level: Option<Level>, count: u64, new: bool) -> LogPattern {
        LogPattern {
            template: template.to_owned(),
            environment: "dev".to_owned(),
            process: "api".to_owned(),
            level,
            count,
            first: Time::from_millis(1_795_271_415_000),
            last: Time::from_millis(1_795_275_015_000),
            new: Some(new),
            example: String::new(),
            at: "1:100".to_owned(),
            regex: String::new(),
            over_time: Vec::new(),
        }
    }

    #[test]
    fn patterns_and_trends_fit_the_terminal() {
        let found = LogsScanAnswer {
            hits: Vec::new(),
            matched: 1300,
            counts: vec![LevelCounts {
                environment: "dev".to_owned(),
                process: "api".to_owned(),
                error: 12,
                errors_over_time: vec![0, 1, 0, 8, 3],
                ..LevelCounts::default()
            }],
            patterns: vec![
                pattern("checkout failed for user <*>: connection refused", Some(Level::Error), 12, true),
                pattern("GET /users/<*> <*> <*>ms", None, 1288, false),
            ],
            more_patterns: 20,
            forgotten_lines: 3100,
            edges_ms: vec![1_795_271_415_000, 1_795_275_015_000],
            scanned_bytes: 1,
            total_bytes: 1,
            done: true,
        };
        let text = render(&found, PLAIN, &TimeZone::UTC);
        for words in [
            "checkout failed for user <*>",
            "1288",
            "error",
            "new",
            "▁ █▃",
            "… and 20 more patterns",
            "… and 3100 lines of patterns",
        ] {
            assert!(text.contains(words), "{words} is missing:\n{text}");
        }
        assert!(text.lines().all(|line| super::super::style::columns(line) <= 80), "80 columns:\n{text}");
    }

    #[test]
    fn the_greatest_is_the_highest_and_nothing_is_blank() {
        assert_eq!(sparkline(&[0, 1, 4, 8], PLAIN), " ▁▄█", "eighths");
        assert_eq!(sparkline(&[u64::MAX, 1], PLAIN), "█▁", "any number");
        assert_eq!(sparkline(&[], PLAIN), "", "none");
        assert_eq!(sparkline(&[1, 2, 0, 4], Style { unicode: false, ..PLAIN }), ".: #", "without Unicode");
    }
}
