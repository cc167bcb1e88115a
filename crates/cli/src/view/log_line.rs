//! Lines of logs, for people: `[backend]  2025-11-21 14:30:15 | text`.

use std::fmt::Write as _;

use forge_api::{Level, LogLine, Stream};
use jiff::tz::TimeZone;

use crate::view::clean;
use crate::view::style::{Ink, Style, columns};

/// Longer names stick out rather than push everybody's text away.
const WIDEST: usize = 40;

/// Formats lines one after the other: the column of names only grows, and each process keeps its colour.
#[derive(Debug)]
pub(crate) struct Formatter {
    style: Style,
    zone: TimeZone,
    /// Few, so that looking through them beats hashing.
    names: Vec<Name>,
    taken: [bool; Ink::PROCESSES],
    environment: Option<String>,
    several: bool,
    widest: usize,
    /// The last second that was formatted: a flood has thousands of lines in one.
    second: Option<(i64, String)>,
}

#[derive(Debug)]
struct Name {
    environment: String,
    process: String,
    ink: Ink,
}

impl Formatter {
    pub(crate) fn new(style: Style, zone: TimeZone) -> Self {
        Self {
            style,
            zone,
            names: Vec::new(),
            taken: [false; Ink::PROCESSES],
            environment: None,
            several: false,
            widest: 0,
            second: None,
        }
    }

    /// Makes room for the names of these lines, so that all of them align.
    pub(crate) fn expect<'a>(&mut self, lines: impl IntoIterator<Item = &'a LogLine>) {
        for line in lines {
            self.meet(&line.environment, &line.process);
        }
    }

    /// Which of the names it is, a new one perhaps.
    fn meet(&mut self, environment: &str, process: &str) -> usize {
        let known = |name: &Name| name.process == process && name.environment == environment;
        if let Some(index) = self.names.iter().position(known) {
            return index;
        }
        match &self.environment {
            None => self.environment = Some(environment.to_owned()),
            Some(first) if first != environment => self.several = true,
            Some(_) => {}
        }
        let ink = self.pick(environment, process);
        self.names.push(Name { environment: environment.to_owned(), process: process.to_owned(), ink });
        let several = self.several;
        let width =
            |name: &Name| columns(&name.process) + if several { columns(&name.environment) + 1 } else { 0 };
        self.widest = self.names.iter().map(width).max().unwrap_or(0).min(WIDEST);
        self.names.len() - 1
    }

    /// By a hash of the name, so that a process has the same colour tomorrow; the next free one if that is taken.
    fn pick(&mut self, environment: &str, process: &str) -> Ink {
        let hash = environment
            .bytes()
            .chain([b'/'])
            .chain(process.bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            });
        let first = usize::try_from(hash % Ink::PROCESSES as u64).unwrap_or(0);
        let free =
            (0..Ink::PROCESSES).map(|step| (first + step) % Ink::PROCESSES).find(|index| !self.taken[*index]);
        let index = free.unwrap_or(first);
        self.taken[index] = true;
        Ink::Process(index)
    }

    /// Appends the line, ended by a line feed, to `out`.
    pub(crate) fn format(&mut self, line: &LogLine, out: &mut String) {
        let known = self.meet(&line.environment, &line.process);
        let ink = self.names.get(known).map_or(Ink::Plain, |name| name.ink);
        let name = if self.several {
            format!("[{}/{}]", line.environment, line.process)
        } else {
            format!("[{}]", line.process)
        };
        let fill = (self.widest + 2).saturating_sub(columns(&name));
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
        let ink = match (line.stream, line.level) {
            (Stream::Forge, _) => Ink::Dim,
            // A line that colours itself knows better.
            _ if text.contains('\x1b') => Ink::Plain,
            (_, Some(Level::Error)) => Ink::Bad,
            (_, Some(Level::Warn)) => Ink::Warn,
            _ => Ink::Plain,
        };
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
