//! The monitor as it looks and as it answers keys, without a terminal and without a supervisor.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use forge_api::{
    Cost, Gauge, GaugeUnit, HealthCheckSample, Hog, Machine, ProcessDetails, State, Status, Target, Time,
    Update, Warning,
};
use jiff::tz::TimeZone;

use super::draw::{self, Brush};
use super::model::{Effect, Input, Monitor, Overlay, Question, Reply, Scope};
use crate::screen::{self, Palette};
use crate::view::sample;
use crate::view::style::Style as Surface;

fn brush(width: u16) -> Brush {
    let surface = Surface { color: true, unicode: true, width: usize::from(width) };
    Brush { palette: Palette { surface }, width: usize::from(width), now: sample::NOW, zone: TimeZone::UTC }
}

fn shown(monitor: &Monitor, width: u16, height: u16, brush: &Brush) -> String {
    let view = draw::picture(monitor, usize::from(height), brush);
    screen::shown(width, height, &view)
}

/// The seed's four processes with two minutes behind them, a database with gauges, and two alerts.
fn seed() -> Monitor {
    let mut status = sample::seed();
    status.machine = Some(Machine {
        cpu_percent: Some(28.5),
        cores: 8,
        memory_used_bytes: 4_200_000_000,
        memory_total_bytes: 16_000_000_000,
        hogs: vec![Hog {
            pid: 4242,
            name: "cc1plus".to_owned(),
            processes: 4,
            cpu_percent: 390.0,
            memory_bytes: 1_000_000_000,
        }],
    });
    status.warnings = vec![
        Warning {
            since: Some(Time::from_millis(sample::NOW.as_millis() - 200_000)),
            ..Warning::new(
                Some("frontend"),
                "memory_growth",
                "memory increased 50 MB in last 10 min (possible leak?)".to_owned(),
            )
        },
        Warning {
            muted: true,
            ..Warning::new(Some("backend"), "slow", "3 requests >1s in last hour".to_owned())
        },
    ];
    let mut monitor = monitor(status);
    for second in 0..120 {
        monitor.step(Input::Update(Update::Metrics {
            workspace: "/home/me/shop".into(),
            environment: "dev".to_owned(),
            time_ms: sample::NOW.as_millis() - (119 - second) * 1000,
            costs: costs(second),
            machine: None,
        }));
    }
    monitor
}

#[expect(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "small numbers of a sample")]
fn costs(second: i64) -> Vec<Cost> {
    let cost = |process: &str, cpu: f32, memory: u64| Cost {
        process: process.to_owned(),
        cpu_percent: Some(cpu),
        memory_bytes: Some(memory),
        threads: Some(8),
        ..Cost::default()
    };
    let compile = (60..66).contains(&second);
    vec![
        Cost {
            gauges: vec![
                Gauge {
                    name: "connections".to_owned(),
                    unit: GaugeUnit::Number,
                    value: Some(5.0),
                    maximum: Some(10.0),
                    problem: None,
                },
                Gauge {
                    name: "cache hit rate".to_owned(),
                    unit: GaugeUnit::Percent,
                    value: Some(94.2),
                    maximum: None,
                    problem: None,
                },
            ],
            ..cost("postgres", 0.1, 45_000_000)
        },
        cost("redis", 0.0, 12_000_000),
        Cost {
            open_files: Some(40),
            disk_read_rate: Some(0.0),
            disk_written_rate: Some(4096.0),
            ..cost("backend", 2.5, 158_000_000)
        },
        cost(
            "frontend",
            if compile { 45.0 } else { 12.0 + (second % 3) as f32 },
            371_000_000 + 400_000 * second as u64,
        ),
    ]
}

fn monitor(status: Status) -> Monitor {
    let mut monitor = Monitor::new(Scope::Environment(status.workspace.clone(), status.environment.clone()));
    monitor.step(Input::Answer(Question::Subscribe, Ok(Reply::Subscribed(vec![status]))));
    monitor
}

fn press(monitor: &mut Monitor, code: KeyCode) -> Vec<Effect> {
    monitor.step(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn letter(monitor: &mut Monitor, letter: char) -> Vec<Effect> {
    press(monitor, KeyCode::Char(letter))
}

#[test]
fn a_screen_at_several_sizes() {
    let monitor = seed();
    for (width, height) in [(80, 24), (120, 40), (60, 15)] {
        insta::assert_snapshot!(
            format!("seed_{width}x{height}"),
            shown(&monitor, width, height, &brush(width))
        );
    }
}

#[test]
fn nothing_but_ascii_where_nothing_else_can_be_shown() {
    let mut brush = brush(80);
    brush.palette.surface = Surface { color: false, unicode: false, width: 80 };
    let mut monitor = seed();
    let list = shown(&monitor, 80, 24, &brush);
    assert!(list.is_ascii(), "{list}");
    insta::assert_snapshot!("seed_ascii", list);
    press(&mut monitor, KeyCode::Enter);
    let details = shown(&monitor, 80, 24, &brush);
    assert!(details.is_ascii(), "{details}");
    letter(&mut monitor, '?');
    assert!(shown(&monitor, 80, 24, &brush).is_ascii(), "help");
}

#[test]
fn without_colour_nothing_is_coloured() {
    let mut brush = brush(80);
    brush.palette.surface.color = false;
    for mut monitor in [seed(), monitor(sample::trouble())] {
        for _ in 0..2 {
            let view = draw::picture(&monitor, 24, &brush);
            let spans = view.lines.iter().flat_map(|line| &line.spans);
            assert!(
                spans.clone().all(|span| span.style.fg.is_none() && span.style.bg.is_none()),
                "coloured: {:?}",
                spans.clone().find(|span| span.style.fg.is_some())
            );
            press(&mut monitor, KeyCode::Enter);
        }
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut crowded = sample::trouble();
    crowded.processes.extend(sample::seed().processes.into_iter().map(|mut process| {
        process.name.push_str("-2");
        process
    }));
    for width in 50..130 {
        for mut monitor in [seed(), monitor(crowded.clone()), monitor(sample::stopped())] {
            for key in [KeyCode::Null, KeyCode::Enter, KeyCode::Char('?')] {
                press(&mut monitor, key);
                let brush = brush(width);
                for line in draw::picture(&monitor, 30, &brush).lines {
                    assert!(line.width() <= usize::from(width), "{width}: {} in {line}", line.width());
                }
            }
        }
    }
}

#[test]
fn trouble_says_what_is_wrong() {
    insta::assert_snapshot!("trouble_80x24", shown(&monitor(sample::trouble()), 80, 24, &brush(80)));
}

#[test]
fn what_never_ran_and_what_is_too_small() {
    insta::assert_snapshot!("stopped_60x15", shown(&monitor(sample::stopped()), 60, 15, &brush(60)));
    insta::assert_snapshot!("small_40x10", shown(&seed(), 40, 10, &brush(40)));
    let nothing = Monitor::new(Scope::Active(None));
    insta::assert_snapshot!("nothing_60x12", shown(&nothing, 60, 12, &brush(60)));
}

#[test]
fn one_process_large() {
    let mut monitor = seed();
    letter(&mut monitor, 'j');
    letter(&mut monitor, 'j');
    letter(&mut monitor, 'j');
    let effects = press(&mut monitor, KeyCode::Enter);
    let asked = |question: fn(&Question) -> bool| {
        effects.iter().any(|effect| matches!(effect, Effect::Ask(asked) if question(asked)))
    };
    assert!(asked(|question| matches!(question, Question::Log(_))), "its last lines: {effects:?}");
    let id = monitor.selected.clone().expect("it is selected");
    monitor.step(Input::Answer(Question::Inspect(id.clone()), Ok(Reply::Details(Box::new(details())))));
    let lines = (0..30).map(|number| sample::line("frontend", number, "GET / 200 in 12 ms")).collect();
    monitor.step(Input::Answer(Question::Log(id), Ok(Reply::Log(lines))));
    insta::assert_snapshot!("details_80x24", shown(&monitor, 80, 24, &brush(80)));
    insta::assert_snapshot!("details_120x40", shown(&monitor, 120, 40, &brush(120)));
    press(&mut monitor, KeyCode::Esc);
    assert!(monitor.details.is_none(), "back to the list");
}

fn details() -> ProcessDetails {
    ProcessDetails {
        target: Target { environment: "dev".to_owned(), process: "frontend".to_owned() },
        command: "npm run dev".to_owned(),
        cwd: "/home/me/shop".into(),
        variables: Vec::new(),
        depends_on: Vec::new(),
        needed_by: Vec::new(),
        health_check: None,
        health_history: Vec::new(),
        health_checks: (0..40_i16)
            .map(|second| HealthCheckSample {
                time: sample::NOW,
                latency_ms: f32::from(10 + second % 7),
                passed: true,
            })
            .collect(),
        log_folder: "/tmp".into(),
    }
}

#[test]
fn keys_ask_for_what_they_say() {
    let mut monitor = seed();
    letter(&mut monitor, 'j');
    let id = monitor.selected.clone().expect("redis");
    assert_eq!(id.process, "redis", "the second one");
    assert_eq!(letter(&mut monitor, 'r'), [Effect::Ask(Question::Restart(id.clone()))], "r");
    assert_eq!(letter(&mut monitor, 's'), [Effect::Ask(Question::Stop(id.clone()))], "s: it runs");
    assert_eq!(letter(&mut monitor, 'l'), [Effect::ShowLog(id.clone())], "l");
    assert!(letter(&mut monitor, 'K').is_empty(), "K asks first");
    assert_eq!(monitor.overlay, Some(Overlay::Kill(id.clone())), "the question");
    assert!(letter(&mut monitor, 'n').is_empty(), "no is no");
    letter(&mut monitor, 'K');
    assert_eq!(letter(&mut monitor, 'y'), [Effect::Ask(Question::Kill(id))], "yes");
    assert_eq!(letter(&mut monitor, 'q'), [Effect::Quit], "q");
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(monitor.step(Input::Key(control_c)), [Effect::Interrupt], "Ctrl-C");
}

#[test]
fn what_does_not_run_is_started_by_the_same_key() {
    let mut monitor = monitor(sample::stopped());
    let id = monitor.selected.clone().expect("the first one");
    assert_eq!(letter(&mut monitor, 's'), [Effect::Ask(Question::Start(id))], "s");
}

#[test]
fn an_alert_is_muted_and_heard_again() {
    let mut monitor = seed();
    press(&mut monitor, KeyCode::End);
    let muted = |effects: Vec<Effect>| match effects.as_slice() {
        [Effect::Ask(Question::Mute { process, kind, muted, .. })] => {
            (process.clone().unwrap_or_default(), kind.clone(), *muted)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        muted(letter(&mut monitor, 'm')),
        ("frontend".to_owned(), "memory_growth".to_owned(), true),
        "the one that is heard"
    );
    press(&mut monitor, KeyCode::Up);
    assert_eq!(
        muted(letter(&mut monitor, 'm')),
        ("backend".to_owned(), "slow".to_owned(), false),
        "the one that was muted"
    );
    press(&mut monitor, KeyCode::Home);
    assert!(letter(&mut monitor, 'm').is_empty(), "it has none");
}

#[test]
fn rows_are_sorted_and_filtered_and_the_selection_stays() {
    let mut monitor = seed();
    let names =
        |monitor: &Monitor| -> Vec<String> { monitor.rows().into_iter().map(|id| id.process).collect() };
    letter(&mut monitor, 'j');
    press(&mut monitor, KeyCode::Tab);
    assert_eq!(names(&monitor), ["frontend", "backend", "postgres", "redis"], "by CPU");
    assert_eq!(monitor.selected.as_ref().map(|id| id.process.as_str()), Some("redis"), "still");
    press(&mut monitor, KeyCode::Tab);
    assert_eq!(names(&monitor), ["frontend", "backend", "postgres", "redis"], "by memory");
    press(&mut monitor, KeyCode::Tab);
    assert_eq!(names(&monitor), ["backend", "frontend", "postgres", "redis"], "by name");
    letter(&mut monitor, '/');
    letter(&mut monitor, 'N');
    letter(&mut monitor, 't');
    assert_eq!(names(&monitor), ["backend", "frontend"][1..], "as it is typed");
    press(&mut monitor, KeyCode::Esc);
    assert_eq!(names(&monitor).len(), 4, "Esc clears it");
}

#[test]
fn a_lost_supervisor_is_said_and_asked_anew_once_it_is_back() {
    let mut monitor = seed();
    monitor.step(Input::Lost);
    let text = shown(&monitor, 80, 24, &brush(80));
    assert!(text.lines().next().is_some_and(|line| line.contains("reconnecting")), "{text}");
    assert_eq!(monitor.step(Input::Back), [Effect::Ask(Question::Subscribe)], "the whole picture");
    let status = Status { events: Vec::new(), ..sample::seed() };
    monitor.step(Input::Answer(Question::Subscribe, Ok(Reply::Subscribed(vec![status]))));
    assert!(!shown(&monitor, 80, 24, &brush(80)).contains("reconnecting"), "it is back");
}

#[test]
fn a_status_is_asked_once_at_a_time() {
    let mut monitor = seed();
    let happened = || Input::Update(Update::NoticeClosed { id: "1".to_owned() });
    assert_eq!(monitor.step(happened()).len(), 1, "asked");
    assert!(monitor.step(happened()).is_empty(), "it is under way");
    let question = Question::Status { workspace: "/home/me/shop".into(), environment: "dev".to_owned() };
    let again = monitor.step(Input::Answer(question, Ok(Reply::Status(Box::new(sample::seed())))));
    assert_eq!(again.len(), 1, "once more, since something has happened meanwhile");
}

#[test]
fn all_that_runs_is_shown_where_nothing_is_named() {
    let mut other = sample::stopped();
    other.environment = "test".to_owned();
    let mut monitor = Monitor::new(Scope::Active(Some("/home/me/shop".into())));
    let all = vec![sample::seed(), other.clone()];
    monitor.step(Input::Answer(Question::Subscribe, Ok(Reply::Subscribed(all))));
    assert_eq!(monitor.rows().len(), 4, "only what runs");
    other.processes[0].status = State::Running;
    let process = Box::new(other.processes[0].clone());
    monitor.step(Input::Update(Update::Process {
        workspace: "/home/me/shop".into(),
        environment: "test".to_owned(),
        process,
    }));
    assert_eq!(monitor.rows().len(), 6, "another one was started");
    let text = shown(&monitor, 80, 24, &brush(80));
    assert!(text.contains("test/api") && text.contains("dev/redis"), "with their environments: {text}");
}

#[test]
fn without_a_terminal_it_is_a_page() {
    let page = draw::page(&seed(), &brush(80));
    assert!(!page.contains('\x1b'), "no sequences: {page}");
    insta::assert_snapshot!(page);
}
