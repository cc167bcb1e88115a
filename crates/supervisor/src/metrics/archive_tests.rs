use std::fs;
use std::path::Path;

use forge_api::{Health, HealthState, MarkKind};
use rusqlite::Connection;

use super::*;

const MINUTE: i64 = 60_000;

fn dev() -> EnvironmentKey {
    EnvironmentKey { workspace: "/work/shop".into(), environment: "dev".into() }
}

fn point(time_ms: i64, memory: u64) -> Point {
    Point {
        time_ms,
        cpu_percent: Some(10.0),
        cpu_percent_max: Some(10.0),
        memory_bytes: Some(memory),
        gauges: vec![super::super::GaugeValue {
            name: "connections".into(),
            unit: forge_api::GaugeUnit::Number,
            value: 3.0,
        }],
        ..Point::default()
    }
}

fn ask(archive: &Archive, read: ReadMetrics) -> MetricsAnswer {
    let (sender, answer) = mpsc::channel();
    archive.ask(Question { read, order: Vec::new(), answer: Box::new(move |told| _ = sender.send(told)) });
    answer.recv_timeout(Duration::from_secs(20)).expect("an answer")
}

fn all() -> ReadMetrics {
    ReadMetrics {
        workspace: dev().workspace,
        environment: dev().environment,
        after_ms: 0,
        before_ms: None,
        step_ms: None,
    }
}

/// One second after the other, until now.
fn fill(archive: &Archive, seconds: i64) {
    let now = Time::now().as_millis();
    for second in (0..seconds).rev() {
        let time = now - second * 1_000;
        archive.points(vec![(Key::new(&dev(), "api"), point(time, 7))], Some(point(time, 9)));
    }
}

fn closed(mut archive: Archive) {
    archive.close();
}

fn open(state: &Path) -> Archive {
    Archive::open(state).expect("a thread")
}

#[test]
fn what_was_measured_is_there_after_a_restart_second_by_second() {
    let state = tempfile::tempdir().unwrap();
    let archive = open(state.path());
    fill(&archive, 100);
    let mark =
        Mark { time: Time::now(), process: Some("api".into()), kind: MarkKind::Crash, text: "x".into() };
    archive.mark(&dev(), mark.clone());
    let before = ask(&archive, all());
    assert_eq!(before.series[0].times_ms.len(), 100, "from memory");
    assert_eq!(before.series[0].gauges[0].values, vec![Some(3.0); 100], "with gauges");
    assert_eq!(before.machine.as_ref().map(|one| one.memory_used_bytes[0]), Some(Some(9)), "the machine too");
    assert_eq!(before.marks, [mark], "and marks");
    closed(archive);
    let archive = open(state.path());
    assert_eq!(ask(&archive, all()), before, "from disk");
    fill(&archive, 1);
    assert_eq!(ask(&archive, all()).series[0].times_ms.len(), 101, "from both");
    closed(archive);
}

/// What health checks said to a supervisor before this one.
fn recalled(archive: &Archive) -> Vec<(Key, HealthHistory)> {
    let (sender, answer) = mpsc::channel();
    archive.recall_health(move |past| _ = sender.send(past));
    answer.recv_timeout(Duration::from_secs(20)).expect("an answer")
}

fn say(archive: &Archive, history: &mut HealthHistory, state: HealthState, message: &str) {
    // A moment of its own, whole milliseconds as they are kept.
    let last = history.checks().last().map_or(0, |check| check.time.as_millis());
    let at = Time::from_millis(Time::now().as_millis().max(last + 1));
    let health = Health { state, message: Some(message.to_owned()), checked_at: Some(at) };
    let (record, check) = history.add(&health, Duration::from_millis(7));
    archive.health(&Key::new(&dev(), "api"), record, check);
}

#[test]
fn what_health_checks_said_is_there_after_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let archive = open(state.path());
    let mut history = HealthHistory::default();
    assert_eq!(recalled(&archive), [], "nothing yet");
    say(&archive, &mut history, HealthState::Starting, "connection refused");
    for _ in 0..3 {
        say(&archive, &mut history, HealthState::Healthy, "HTTP 200");
    }
    closed(archive);
    let archive = open(state.path());
    assert_eq!(recalled(&archive), [(Key::new(&dev(), "api"), history.clone())], "word for word");
    // The next supervisor goes on with the last record.
    say(&archive, &mut history, HealthState::Healthy, "HTTP 200");
    closed(archive);
    let archive = open(state.path());
    assert_eq!(recalled(&archive), [(Key::new(&dev(), "api"), history)], "in its place");
    closed(archive);
}

#[test]
fn a_database_of_the_version_before_is_kept_and_learns_what_is_new() {
    let state = tempfile::tempdir().unwrap();
    let archive = open(state.path());
    fill(&archive, 5);
    closed(archive);
    let before = Connection::open(state.path().join("history.db")).unwrap();
    before.execute_batch("DROP TABLE health; DROP TABLE health_check; PRAGMA user_version = 1").unwrap();
    drop(before);
    let archive = open(state.path());
    assert_eq!(ask(&archive, all()).series[0].times_ms.len(), 5, "what was there");
    let mut history = HealthHistory::default();
    say(&archive, &mut history, HealthState::Healthy, "HTTP 200");
    closed(archive);
    let archive = open(state.path());
    assert_eq!(recalled(&archive), [(Key::new(&dev(), "api"), history)], "and what is new");
    closed(archive);
    assert!(names(state.path()).iter().all(|name| name.starts_with("history.db")), "nothing was put aside");
}

#[test]
fn a_day_comes_in_steps_of_ten_seconds_and_a_part_of_it_when_asked_for() {
    let state = tempfile::tempdir().unwrap();
    let archive = open(state.path());
    fill(&archive, 3_600);
    closed(archive);
    let archive = open(state.path());
    let told = ask(&archive, all());
    let count = told.series[0].times_ms.len();
    assert!((359..=361).contains(&count), "{count} points of an hour");
    assert!(told.series[0].times_ms.is_sorted(), "in order");
    let now = Time::now().as_millis();
    let part = ask(&archive, ReadMetrics { after_ms: now - 5 * MINUTE, ..all() });
    assert!((299..=301).contains(&part.series[0].times_ms.len()), "seconds of five minutes");
    let minutes = ask(&archive, ReadMetrics { step_ms: Some(60_000), ..all() });
    assert!((60..=62).contains(&minutes.series[0].times_ms.len()), "as coarse as one likes");
    let early = ask(&archive, ReadMetrics { before_ms: Some(now - 30 * MINUTE), ..all() });
    assert!(early.series[0].times_ms.iter().all(|time| *time <= now - 30 * MINUTE), "not after");
    assert!(early.series[0].times_ms.len() > 170, "what is no longer in memory");
    closed(archive);
    let connection = Connection::open(state.path().join("history.db")).unwrap();
    let fine: i64 =
        connection.query_row("SELECT count(*) FROM point WHERE span = 1000", [], |row| row.get(0)).unwrap();
    assert!(fine <= 2 * 901, "{fine} rows of seconds: those of a quarter of an hour");
}

#[test]
fn the_last_seconds_of_a_run_are_remembered_and_steps_of_all_processes_have_one_time() {
    let state = tempfile::tempdir().unwrap();
    let archive = open(state.path());
    // A whole step, and three seconds of the next.
    let start = (Time::now().as_millis() - 30 * MINUTE).div_euclid(10_000) * 10_000;
    for second in 0..13 {
        let at = start + second * 1_000 + 7;
        let mut points = vec![(Key::new(&dev(), "ends"), point(at, 1))];
        if second < 6 {
            points.push((Key::new(&dev(), "ends sooner"), point(at + 300, 1)));
        }
        archive.points(points, None);
    }
    closed(archive);
    let archive = open(state.path());
    let mut times: Vec<(String, Vec<i64>)> =
        ask(&archive, all()).series.into_iter().map(|one| (one.process, one.times_ms)).collect();
    times.sort();
    let expected =
        [("ends".to_owned(), vec![start, start + 10_000]), ("ends sooner".to_owned(), vec![start])];
    assert_eq!(times, expected, "also what is less than a step");
    closed(archive);
}

#[test]
fn the_file_is_for_its_owner_only() {
    let state = tempfile::tempdir().unwrap();
    let archive = open(state.path());
    fill(&archive, 2);
    closed(archive);
    for entry in fs::read_dir(state.path()).unwrap().flatten() {
        use std::os::unix::fs::PermissionsExt;
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

fn names(state: &Path) -> Vec<String> {
    let entries = fs::read_dir(state).unwrap().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[track_caller]
fn assert_put_aside(spoil: impl FnOnce(&Path), word: &str) {
    let state = tempfile::tempdir().unwrap();
    let archive = open(state.path());
    fill(&archive, 3);
    closed(archive);
    spoil(&state.path().join("history.db"));
    let archive = open(state.path());
    fill(&archive, 2);
    assert_eq!(ask(&archive, all()).series[0].times_ms.len(), 2, "{word}: it begins anew");
    closed(archive);
    let names = names(state.path());
    assert!(names.iter().any(|name| name.starts_with(&format!("history.{word}-"))), "{names:?}");
    let archive = open(state.path());
    assert_eq!(ask(&archive, all()).series[0].times_ms.len(), 2, "{word}: and the new one is kept");
    closed(archive);
}

#[test]
fn what_is_no_database_is_put_aside() {
    assert_put_aside(
        |path| fs::write(path, "not a database, but longer than a header, certainly").unwrap(),
        "broken",
    );
    assert_put_aside(|path| fs::write(path, [0; 8192]).unwrap(), "broken");
}

#[test]
fn a_database_without_its_tables_is_put_aside() {
    let spoil = |path: &Path| Connection::open(path).unwrap().execute_batch("DROP TABLE mark").unwrap();
    assert_put_aside(spoil, "broken");
}

#[test]
fn a_database_of_a_newer_version_is_put_aside() {
    let spoil = |path: &Path| Connection::open(path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    assert_put_aside(spoil, "of-newer-version-7");
}

#[test]
fn a_database_that_somebody_holds_costs_nothing_and_is_written_later() {
    let state = tempfile::tempdir().unwrap();
    closed(open(state.path()));
    let other = Connection::open(state.path().join("history.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let archive = open(state.path());
    fill(&archive, 20);
    assert_eq!(ask(&archive, all()).series[0].times_ms.len(), 20, "from memory");
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    closed(archive);
    let archive = open(state.path());
    assert_eq!(ask(&archive, all()).series[0].times_ms.len(), 20, "written when it was let go");
    closed(archive);
    assert!(names(state.path()).iter().all(|name| name.starts_with("history.db")), "nothing was put aside");
}

#[test]
fn a_folder_that_cannot_be_written_costs_the_past_only() {
    let state = tempfile::tempdir().unwrap();
    let archive = open(&state.path().join("is not there"));
    fill(&archive, 20);
    archive
        .mark(&dev(), Mark { time: Time::now(), process: None, kind: MarkKind::Stop, text: String::new() });
    let told = ask(&archive, all());
    assert_eq!((told.series[0].times_ms.len(), told.marks.len()), (20, 1), "from memory");
    closed(archive);
}
