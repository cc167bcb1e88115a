//! Environments to show in tests.

use std::path::PathBuf;

use forge_api::{
    Event, EventLevel, Health, HealthState, Host, LogLine, ProcessStatus, State, Status, Stream, Supervisor,
    Time, Warning,
};

/// 2026-11-21T14:30:20Z.
pub(crate) const NOW: Time = Time::from_millis(1_795_271_420_000);

/// Seconds before [`NOW`].
fn ago(seconds: i64) -> Time {
    Time::from_millis(NOW.as_millis() - seconds * 1000)
}

/// One that runs and is ready.
pub(crate) fn running(name: &str, pid: u32, port: u16, health: &str) -> ProcessStatus {
    ProcessStatus {
        status: State::Running,
        ready: true,
        health: Health {
            state: HealthState::Healthy,
            message: Some(health.to_owned()),
            checked_at: Some(ago(1)),
        },
        pid: Some(pid),
        ports: vec![port],
        declared_ports: vec![port],
        started_at: Some(ago(9240)),
        uptime_seconds: Some(9240.0),
        run: 1,
        wanted: true,
        ..ProcessStatus::stopped(name)
    }
}

fn environment(processes: Vec<ProcessStatus>) -> Status {
    Status {
        workspace: PathBuf::from("/home/me/shop"),
        environment: "dev".to_owned(),
        ready: processes.iter().all(|process| process.ready),
        supervisor: Supervisor { pid: 4711, host: Host::Serve, version: "0.1.0".to_owned() },
        url: processes.iter().rev().filter(|process| process.ready).find_map(|process| process.url.clone()),
        processes,
        events: Vec::new(),
        warnings: Vec::new(),
        muted: Vec::new(),
        machine: None,
    }
}

fn event(seconds: i64, process: &str, level: EventLevel, title: &str, text: &str) -> Event {
    Event {
        time: ago(seconds),
        process: Some(process.to_owned()),
        level,
        title: title.to_owned(),
        text: text.to_owned(),
        at: None,
    }
}

/// The wish that started Forge: everything runs.
pub(crate) fn seed() -> Status {
    let mut status = environment(vec![
        running("postgres", 12345, 5432, "Accepting connections"),
        running("redis", 12346, 6379, "PONG received"),
        running("backend", 12347, 8080, "HTTP 200 from /health"),
        ProcessStatus {
            cpu_percent: Some(14.8),
            memory_bytes: Some(421_000_000),
            ports: vec![3000, 35729],
            url: Some("http://localhost:3000".to_owned()),
            ..running("frontend", 12348, 3000, "HTTP 200 from /")
        },
    ]);
    status.events = vec![
        event(700, "backend", EventLevel::Warn, "slow query", "145 ms"),
        event(400, "frontend", EventLevel::Info, "ready", "after 2.1 s"),
    ];
    status
}

/// Nothing is as it should be.
pub(crate) fn trouble() -> Status {
    let mut status = environment(vec![
        running("postgres", 12345, 5432, "Accepting connections"),
        ProcessStatus {
            ready: false,
            health: Health {
                state: HealthState::Unhealthy,
                message: Some("connection refused".to_owned()),
                checked_at: Some(ago(1)),
            },
            ..running("redis", 12346, 6379, "")
        },
        ProcessStatus {
            status: State::Restarting,
            exit_code: Some(1),
            restarts: 3,
            restart_at: Some(Time::from_millis(NOW.as_millis() + 4200)),
            wanted: true,
            declared_ports: vec![8080],
            ..ProcessStatus::stopped("backend-with-a-name-that-goes-on-and-on")
        },
        ProcessStatus {
            status: State::Waiting,
            waiting_on: vec!["backend-with-a-name-that-goes-on-and-on".to_owned(), "migrate".to_owned()],
            wanted: true,
            declared_ports: vec![3000],
            ..ProcessStatus::stopped("frontend")
        },
        ProcessStatus {
            status: State::Failed,
            signal: Some("SIGSEGV".to_owned()),
            message: Some("crashed 5 times within 10m (SIGSEGV); it is not restarted again".to_owned()),
            wanted: true,
            ..ProcessStatus::stopped("worker")
        },
        ProcessStatus {
            status: State::Exited,
            ready: true,
            one_shot: true,
            exit_code: Some(0),
            wanted: true,
            ..ProcessStatus::stopped("migrate")
        },
    ]);
    status.events = vec![
        event(9, "worker", EventLevel::Error, "failed", "crashed 5 times within 10m"),
        event(
            5,
            "backend-with-a-name-that-goes-on-and-on",
            EventLevel::Error,
            "crashed",
            "exit code 1 after 3.2 s\x1b[2J",
        ),
    ];
    status.warnings = vec![Warning::new(
        Some("frontend"),
        "outdated",
        "the configuration has changed since it was started; `forge start` applies it".to_owned(),
    )];
    status
}

/// Known, and never started.
pub(crate) fn stopped() -> Status {
    environment(vec![ProcessStatus::stopped("api"), ProcessStatus::stopped("web")])
}

/// A line of the log, so many seconds after half past two; its place is its number.
pub(crate) fn line(process: &str, number: i64, text: &str) -> LogLine {
    LogLine {
        time: Time::from_millis(NOW.as_millis() + (number - 1000) * 1000),
        environment: "dev".to_owned(),
        process: process.to_owned(),
        run: 1,
        stream: Stream::Stdout,
        level: None,
        text: text.to_owned(),
        styles: Vec::new(),
        omitted: 0,
        at: format!("1:{number}"),
    }
}
