//! Lines of logs, for people: `[backend]  2025-11-21 14:30:15 | text`.

use std::fmt::Write as _;

use forge_api::{Level, LogLine, Stream};
use jiff::tz::TimeZone;

use crate::view::clean;
use crate::view::names::Names;
use crate::view::style::{Ink, Style, columns};

/// Formats lines one after the other: the column of names only grows, and each process keeps its colour.
#[derive(Debug)]
pub(crate) struct Formatter {
    style: Style,
    zone: TimeZone,
    names: Names,
    /// The last second that was formatted: a flood has thousands of lines in one.
    second: Option<(i64, String)>,
}

impl Formatter {
    pub(crate) fn new(style: Style, zone: TimeZone) -> Self {
        Self { style, zone, names: Names::default(), second: None }
    }

    /// Makes room for the names of these lines, so that all of them align.
    pub(crate) fn expect<'a>(&mut self, lines: impl IntoIterator<Item = &'a LogLine>) {
        for line in lines {
            self.names.meet(&line.environment, &line.process);
        }
    }

    /// Appends the line, ended by a line feed, to `out`.
    pub(crate) fn format(&mut self, line: &LogLine, out: &mut String) {
        let ink = self.names.meet(&line.environment, &line.process);
        let name = format!("[{}]", self.names.label(&line.environment, &line.process));
        let fill = (self.names.widest() + 2).saturating_sub(columns(&name));
        out.push_str(&self.style.paint(ink, &name));
        out.extend(std::iter::repeat_n(' ', fill + 1));
        let color = self.style.color;
        let clock = self.clock(line);
        if color {
            let _ = write!(out, "\x1b[2m{clock} |\x1b[0m ");
        } else {
            let _ = write!(out, "{clock} | ");
        }
        let text = clean::dressed(line, color);
        // A line that colours itself knows better.
        let ink = if text.contains('\x1b') { Ink::Plain } else { ink_of(line) };
        out.push_str(&self.style.paint(ink, &text));
        out.push('\n');
    }

    fn clock(&mut self, line: &LogLine) -> &str {
        let second = line.time.0.div_euclid(1_000_000_000);
        let known = self.second.take().filter(|(known, _)| *known == second);
        let zone = &self.zone;
        &self
            .second
            .insert(known.unwrap_or_else(|| {
                let stamp = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
                (second, stamp.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string())
            }))
            .1
    }
}

/// What a line that does not colour itself looks like.
pub(crate) fn ink_of(line: &LogLine) -> Ink {
    match (line.stream, line.level) {
        (Stream::Forge, _) => Ink::Dim,
        (_, Some(Level::Error)) => Ink::Bad,
        (_, Some(Level::Warn)) => Ink::Warn,
        _ => Ink::Plain,
    }
}

#[cfg(test)]
mod tests {
    use forge_api::{StyledPart, Time};

    use super::*;

    fn line(process: &str, millis: i64, level: Option<Level>, text: &str) -> LogLine {
        LogLine {
            time: Time::from_millis(1_763_735_415_000 + millis),
            environment: "dev".to_owned(),
            process: process.to_owned(),
            run: 1,
            stream: Stream::Stdout,
            level,
            text: text.to_owned(),
            styles: Vec::new(),
            omitted: 0,
            at: "1:0".to_owned(),
        }
    }

    fn lines() -> Vec<LogLine> {
        vec![
            line("postgres", 0, None, "Connection from 127.0.0.1:54321"),
            line("backend", 120, Some(Level::Info), "GET /api/users - 200 (45ms)"),
            line("backend", 3000, Some(Level::Error), "ERROR: Connection timeout"),
            LogLine {
                styles: vec![StyledPart {
                    length: 4,
                    foreground: Some("yellow".to_owned()),
                    ..StyledPart::default()
                }],
                ..line("redis", 3100, Some(Level::Warn), "slow log")
            },
            LogLine { stream: Stream::Forge, ..line("redis", 3200, None, "run 1 ended: exit code 0") },
        ]
    }

    fn format(style: Style, lines: &[LogLine]) -> String {
        let mut formatter = Formatter::new(style, TimeZone::UTC);
        formatter.expect(lines);
        let mut out = String::new();
        for line in lines {
            formatter.format(line, &mut out);
        }
        out
    }

    #[test]
    fn lines_align_by_name() {
        let style = Style { color: false, unicode: true, width: 80 };
        insta::assert_snapshot!(format(style, &lines()));
    }

    #[test]
    fn each_process_has_a_colour_of_its_own() {
        let style = Style { color: true, unicode: true, width: 80 };
        insta::assert_snapshot!(format(style, &lines()).replace('\x1b', "<ESC>"));
    }

    #[test]
    fn environments_are_named_once_there_are_two() {
        let style = Style { color: false, unicode: true, width: 80 };
        let mut lines = lines();
        lines[1].environment = "test".to_owned();
        assert!(format(style, &lines).starts_with("[dev/postgres] 2025"), "{}", format(style, &lines));
    }
}
