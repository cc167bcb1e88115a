//! `forge status`, and the table that `start` ends with.

use std::time::Duration;

use forge_api::{Event, EventLevel, HealthState, ProcessStatus, State, Status, Target, Time, Warning};
use jiff::tz::TimeZone;

use crate::view::clean;
use crate::view::style::{Ink, Mark, Style, columns, pad, wrap};
use crate::view::table::{self, Cell, Column};
use crate::view::words;

/// Of the recent events, so many are shown.
const EVENTS: usize = 8;

/// Columns from which on there is room for what one does not always want to know.
const WIDE: usize = 100;

/// The whole of `forge status`.
pub(crate) fn page(status: &Status, now: Time, zone: &TimeZone, style: Style) -> String {
    let mut page = heading(status, style);
    if status.processes.is_empty() {
        page.push_str("No processes are configured in this environment.\n");
    } else {
        page.push_str(&processes(status, style));
        page.push_str(&totals(status, style));
    }
    section(&mut page, "Attention", &attention(status, now, style), style);
    section(&mut page, "Health checks", &health(status, style), style);
    section(&mut page, "Recent events", &events(&status.events, zone, style), style);
    section(&mut page, "Warnings", &warnings(status, now, style), style);
    page
}

fn heading(status: &Status, style: Style) -> String {
    let host = match status.supervisor.host {
        forge_api::Host::Serve => "serve",
        forge_api::Host::Desktop => "desktop",
    };
    let facts = format!(
        "{}{}supervisor: {host}, PID {}",
        status.workspace.display(),
        style.dot(),
        status.supervisor.pid
    );
    let room = style.width.saturating_sub(columns(&status.environment) + 2);
    let facts = clean::line(&facts);
    format!(
        "{}  {}\n",
        style.paint(Ink::Bold, &status.environment),
        style.paint(Ink::Dim, &style.cut(&facts, room))
    )
}

/// The table of processes.
fn processes(status: &Status, style: Style) -> String {
    let restarts = status.processes.iter().any(|process| process.restarts > 0);
    let known = status.processes.iter().any(|process| process.threads.is_some());
    let threads = known && style.width >= WIDE;
    let mut titles = vec![
        Column::new("Name").least(10),
        Column::new("Status"),
        Column::new("PID").right().rank(5),
        Column::new("Port").right().least(5).rank(6),
        Column::new("CPU").right().rank(2),
        Column::new("Memory").right().rank(3),
        Column::new("Uptime").right().rank(4),
    ];
    if restarts {
        titles.push(Column::new("Restarts").right().rank(1));
    }
    if threads {
        titles.push(Column::new("Threads").right());
    }
    let rows: Vec<Vec<Cell>> = status
        .processes
        .iter()
        .map(|process| {
            let mut row = vec![
                Cell::new(process.name.clone()),
                Cell::new(words::state(process)).ink(words::ink(process)).mark(words::mark(process, 0)),
                or_nothing(process.pid.map(|pid| pid.to_string()), style),
                port(process, style),
                or_nothing(process.cpu_percent.map(words::percent), style),
                or_nothing(process.memory_bytes.map(words::bytes), style),
                or_nothing(uptime(process).map(words::age), style),
            ];
            if restarts {
                row.push(Cell::new(process.restarts.to_string()));
            }
            if threads {
                row.push(or_nothing(process.threads.map(|threads| threads.to_string()), style));
            }
            row
        })
        .collect();
    table::render(&titles, &rows, style)
}

/// The table at the end of a start: of what it was about.
pub(crate) fn services(status: &Status, started: &[Target], style: Style) -> String {
    let meant = |process: &&ProcessStatus| {
        started
            .iter()
            .any(|target| target.environment == status.environment && target.process == process.name)
    };
    let titles = [
        Column::new("Name").least(10),
        Column::new("PID").right().rank(3),
        Column::new("Port").right().least(5),
        Column::new("CPU").right().rank(1),
        Column::new("Memory").right().rank(2),
    ];
    let rows: Vec<Vec<Cell>> = status
        .processes
        .iter()
        .filter(meant)
        .map(|process| {
            vec![
                Cell::new(process.name.clone()),
                or_nothing(process.pid.map(|pid| pid.to_string()), style),
                port(process, style),
                or_nothing(process.cpu_percent.map(words::percent), style),
                or_nothing(process.memory_bytes.map(words::bytes), style),
            ]
        })
        .collect();
    table::render(&titles, &rows, style)
}

fn or_nothing(text: Option<String>, style: Style) -> Cell {
    match text {
        Some(text) => Cell::new(text),
        None => Cell::new(style.nothing()).ink(Ink::Dim),
    }
}

fn port(process: &ProcessStatus, style: Style) -> Cell {
    let ports = words::ports(process);
    if ports.is_empty() {
        return or_nothing(None, style);
    }
    // A declared port that nobody listens on yet is told from one that is open.
    Cell::new(ports).ink(if process.ports.is_empty() { Ink::Dim } else { Ink::Plain })
}

fn uptime(process: &ProcessStatus) -> Option<Duration> {
    process.uptime_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

fn totals(status: &Status, style: Style) -> String {
    let meant: Vec<&ProcessStatus> = status.processes.iter().filter(|process| process.wanted).collect();
    if meant.is_empty() && !status.processes.iter().any(|process| process.status.is_alive()) {
        return nothing_runs(status, style);
    }
    let ready = meant.iter().filter(|process| process.ready).count();
    let active = status.processes.iter().filter(|process| process.status.is_alive()).count();
    let mut facts = vec![format!("{active} active, {ready} of {} ready", meant.len())];
    let cpu: Vec<f64> = status.processes.iter().filter_map(|process| process.cpu_percent).collect();
    if !cpu.is_empty() {
        facts.push(format!("total CPU {}", words::percent(cpu.iter().sum())));
    }
    let memory: Vec<u64> = status.processes.iter().filter_map(|process| process.memory_bytes).collect();
    if !memory.is_empty() {
        let total = memory.iter().copied().fold(0, u64::saturating_add);
        facts.push(format!("total memory {}", words::bytes(total)));
    }
    if let Some(longest) = status.processes.iter().filter_map(uptime).max() {
        facts.push(format!("up {}", words::age(longest)));
    }
    let mut lines = vec![facts.join(style.dot())];
    lines.extend(machine(status, style));
    lines.extend(status.url.as_ref().map(|url| format!("Open {}", clean::line(url))));
    lines.iter().map(|line| format!("{}\n", style.cut(line, style.width))).collect()
}

/// What an earlier run left behind is not Forge's any more, and yet holds ports and files.
fn nothing_runs(status: &Status, style: Style) -> String {
    let left: Vec<String> = status
        .processes
        .iter()
        .flat_map(|process| process.left.iter().map(move |one| (process, one)))
        .map(|(process, one)| format!("{} (PID {}) of {}", one.name, one.pid, process.name))
        .collect();
    if left.is_empty() {
        return format!("Nothing runs. Start it with: forge start {}\n", status.environment);
    }
    let left = words::list(&left);
    let told =
        format!("Only what outlived its run is there: {left}. To end it: forge stop {}", status.environment);
    wrap(&clean::line(&told), style.width).iter().map(|line| format!("{line}\n")).collect()
}

/// What else is on this machine.
fn machine(status: &Status, style: Style) -> Option<String> {
    let machine = status.machine.as_ref()?;
    let cpu = machine
        .cpu_percent
        .map(|cpu| format!("CPU {} of {} cores", words::percent(f64::from(cpu)), machine.cores));
    let memory = format!(
        "memory {} of {}",
        words::bytes(machine.memory_used_bytes),
        words::bytes(machine.memory_total_bytes)
    );
    let facts: Vec<String> = cpu.into_iter().chain(Some(memory)).collect();
    Some(format!("The whole machine: {}", facts.join(style.dot())))
}

fn section(page: &mut String, title: &str, lines: &[String], style: Style) {
    if lines.is_empty() {
        return;
    }
    page.push('\n');
    page.push_str(&style.paint(Ink::Bold, title));
    page.push('\n');
    for line in lines {
        page.push_str(line);
        page.push('\n');
    }
}

/// Names are in a column of this width at most; what is longer is cut.
const NAMES: usize = 24;

/// A marked name and a text, which goes on in lines below itself.
fn marked(mark: Mark, name: &str, widest: usize, text: &str, style: Style) -> Vec<String> {
    let widest = widest.min(NAMES);
    let text = clean::line(text);
    let room = style.width.saturating_sub(widest + 6);
    let lines = wrap(&text, room);
    lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            if index > 0 {
                return format!("{}{line}", " ".repeat(widest + 6));
            }
            format!("  {} {}  {line}", style.mark(mark), pad(&style.cut(name, widest), widest))
                .trim_end()
                .to_owned()
        })
        .collect()
}

/// What is not as it should be, with what is known of why.
fn attention(status: &Status, now: Time, style: Style) -> Vec<String> {
    let told: Vec<(&ProcessStatus, String)> =
        status.processes.iter().filter_map(|process| Some((process, trouble(process, now)?))).collect();
    let widest = told.iter().map(|(process, _)| columns(&process.name)).max().unwrap_or(0);
    told.iter()
        .flat_map(|(process, text)| marked(words::mark(process, 0), &process.name, widest, text, style))
        .collect()
}

pub(crate) fn trouble(process: &ProcessStatus, now: Time) -> Option<String> {
    let message = process.message.clone();
    match process.status {
        State::Waiting if !process.waiting_on.is_empty() => {
            Some(format!("waiting for {}", words::list(&process.waiting_on)))
        }
        State::Restarting => {
            let left =
                process.restart_at.map(|at| format!("restarting in {:.0} s", at.seconds_since(now).ceil()));
            Some(
                [message.or_else(|| words::exit(process)), left]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join("; "),
            )
        }
        State::Crashed | State::Failed => {
            Some(message.or_else(|| words::exit(process)).unwrap_or_else(|| "no reason is known".to_owned()))
        }
        _ => message,
    }
}

fn health(status: &Status, style: Style) -> Vec<String> {
    let checked: Vec<&ProcessStatus> = status
        .processes
        .iter()
        .filter(|process| process.health.state != HealthState::None || process.health.message.is_some())
        .filter(|process| process.status.is_alive())
        .collect();
    let widest = checked.iter().map(|process| columns(&process.name)).max().unwrap_or(0);
    checked
        .iter()
        .flat_map(|process| {
            let text = process.health.message.as_deref().unwrap_or(match process.health.state {
                HealthState::Healthy => "healthy",
                HealthState::Unhealthy => "unhealthy",
                HealthState::Starting | HealthState::None => "not healthy yet",
            });
            marked(words::health_mark(&process.health), &process.name, widest, text, style)
        })
        .collect()
}

fn events(events: &[Event], zone: &TimeZone, style: Style) -> Vec<String> {
    let newest = &events[events.len().saturating_sub(EVENTS)..];
    let widest = newest.iter().map(|event| columns(who(event))).max().unwrap_or(0).min(NAMES);
    newest
        .iter()
        .rev()
        .map(|event| {
            let clock = clock(event.time, zone);
            let who = pad(&style.cut(who(event), widest), widest);
            let told = if event.text.is_empty() {
                event.title.clone()
            } else {
                format!("{}: {}", event.title, event.text)
            };
            let told = clean::line(&told).into_owned();
            let room = style.width.saturating_sub(widest + 15);
            let ink = match event.level {
                EventLevel::Info => Ink::Plain,
                EventLevel::Warn => Ink::Warn,
                EventLevel::Error => Ink::Bad,
            };
            format!(
                "  {} {who}  {}",
                style.paint(Ink::Dim, &clock),
                style.paint(ink, &style.cut(&told, room))
            )
        })
        .collect()
}

fn who(event: &Event) -> &str {
    event.process.as_deref().unwrap_or("all")
}

/// `[14:30:15]`, local.
pub(crate) fn clock(time: Time, zone: &TimeZone) -> String {
    let stamp = jiff::Timestamp::from_nanosecond(i128::from(time.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.to_zoned(zone.clone()).strftime("[%H:%M:%S]").to_string()
}

/// Those that are to be heard, and how many are not.
fn warnings(status: &Status, now: Time, style: Style) -> Vec<String> {
    let name = |process: &Option<String>| process.clone().unwrap_or_else(|| status.environment.clone());
    // Why one is unhealthy stands under the health checks already.
    let told = |warning: &&Warning| warning.kind != "unhealthy";
    let warnings: Vec<&Warning> = status.warnings.iter().filter(told).collect();
    let heard: Vec<&&Warning> = warnings.iter().filter(|warning| !warning.muted).collect();
    let widest = heard.iter().map(|warning| columns(&name(&warning.process))).max().unwrap_or(0);
    let mut lines: Vec<String> = heard
        .iter()
        .flat_map(|warning| {
            let since =
                warning.since.and_then(|since| Duration::try_from_secs_f64(now.seconds_since(since)).ok());
            let since = since.map(|age| format!(" (for {})", words::age(age))).unwrap_or_default();
            let text = format!("{}{since}", warning.text);
            marked(Mark::Warn, &name(&warning.process), widest, &text, style)
        })
        .collect();
    let muted = warnings.len() - heard.len();
    if muted > 0 {
        let text = format!("  {} muted", words::count(muted, "is", "are"));
        lines.push(style.paint(Ink::Dim, &text).into_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::view::sample;

    fn style(width: usize) -> Style {
        Style { color: false, unicode: true, width }
    }

    #[test]
    fn a_page_at_80_and_120_columns() {
        let (status, now) = (sample::seed(), sample::NOW);
        insta::assert_snapshot!("status_80", page(&status, now, &TimeZone::UTC, style(80)));
        insta::assert_snapshot!("status_120", page(&status, now, &TimeZone::UTC, style(120)));
    }

    #[test]
    fn trouble_stands_on_top() {
        let (status, now) = (sample::trouble(), sample::NOW);
        insta::assert_snapshot!("trouble_80", page(&status, now, &TimeZone::UTC, style(80)));
        let ascii = Style { unicode: false, ..style(80) };
        insta::assert_snapshot!("trouble_ascii", page(&status, now, &TimeZone::UTC, ascii));
        let color = Style { color: true, ..style(120) };
        insta::assert_snapshot!("trouble_color", page(&status, now, &TimeZone::UTC, color));
    }

    #[test]
    fn nothing_wraps_at_any_width() {
        for width in 44..140 {
            for status in [sample::seed(), sample::trouble()] {
                for line in page(&status, sample::NOW, &TimeZone::UTC, style(width)).lines() {
                    assert!(columns(line) <= width, "{line:?} is wider than {width}");
                }
            }
        }
    }

    #[test]
    fn a_start_ends_with_the_services() {
        let status = sample::seed();
        let target = |name: &str| Target { environment: "dev".to_owned(), process: name.to_owned() };
        let all: Vec<Target> = status.processes.iter().map(|process| target(&process.name)).collect();
        insta::assert_snapshot!(services(&status, &all, style(80)));
        let one = services(&status, &all[..1], style(80));
        assert!(one.contains(&all[0].process) && !one.contains(&all[1].process), "what was meant:\n{one}");
    }

    #[test]
    fn figures_words_and_warnings_of_what_is_measured() {
        let mut status = sample::seed();
        status.machine = Some(forge_api::Machine {
            cpu_percent: Some(28.5),
            cores: 8,
            memory_used_bytes: 4_200_000_000,
            memory_total_bytes: 16_000_000_000,
            hogs: Vec::new(),
        });
        status.processes[3].threads = Some(12);
        status.processes[3].health = forge_api::Health {
            message: Some("Webpack compiled successfully".to_owned()),
            ..forge_api::Health::NONE
        };
        let warn = |process, kind, text: &str| forge_api::Warning::new(Some(process), kind, text.to_owned());
        status.warnings = vec![
            forge_api::Warning {
                since: Some(Time::from_millis(sample::NOW.as_millis() - 200_000)),
                ..warn("backend", "slow", "3 slow queries in last hour")
            },
            forge_api::Warning { muted: true, ..warn("frontend", "grew", "bundle size increased by 150 KB") },
        ];
        insta::assert_snapshot!("measured_80", page(&status, sample::NOW, &TimeZone::UTC, style(80)));
        let wide = page(&status, sample::NOW, &TimeZone::UTC, style(120));
        assert!(wide.contains("Threads"), "where there is room:\n{wide}");
    }

    #[test]
    fn what_outlived_its_run_is_named() {
        let mut status = sample::stopped();
        let left = |pid, name: &str| forge_api::LeftBehind { pid, name: name.to_owned() };
        status.processes[1].left = vec![left(4711, "node"), left(4712, "esbuild")];
        let shown = page(&status, sample::NOW, &TimeZone::UTC, style(80));
        assert!(!shown.contains("Nothing runs"), "something does:\n{shown}");
        let told = shown.replace('\n', " ");
        for words in ["node (PID 4711) of web", "esbuild (PID 4712) of web", "forge stop dev"] {
            assert!(told.contains(words), "{words} is missing:\n{shown}");
        }
        assert!(shown.lines().all(|line| columns(line) <= 80), "80 columns:\n{shown}");
    }

    #[test]
    fn an_environment_that_never_ran_says_how_to_start_it() {
        insta::assert_snapshot!(page(&sample::stopped(), sample::NOW, &TimeZone::UTC, style(80)));
    }
}
