//! The task around it all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use forge_api::HealthState::{Healthy, Starting, Unhealthy};
use forge_config::model::{HealthCheck, Probe};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::{LIMIT, closed_port, here, says};
use crate::probe::{Report, Watched, spawn};

const NEVER: Duration = Duration::from_secs(3600);

fn check(probe: Probe) -> HealthCheck {
    HealthCheck {
        probe,
        interval: Duration::from_millis(20),
        timeout: Duration::from_millis(200),
        retries: 3,
        start_period: Duration::ZERO,
        start_interval: Duration::from_millis(10),
    }
}

fn watched(check: HealthCheck, nudge: &Arc<Notify>) -> (Watched, mpsc::UnboundedReceiver<Report>) {
    let (sender, reports) = mpsc::unbounded_channel();
    let report = move |report| {
        let _ = sender.send(report);
    };
    (spawn(check, here(), Instant::now(), Starting, Arc::clone(nudge), report), reports)
}

async fn next(reports: &mut mpsc::UnboundedReceiver<Report>) -> Report {
    timeout(LIMIT, reports.recv()).await.expect("a report in time").expect("a report")
}

#[tokio::test]
async fn every_answer_is_reported_until_the_handle_is_dropped() {
    let port = says(true, b"+PONG\r\n").await;
    let (handle, mut reports) = watched(check(Probe::Redis(format!("127.0.0.1:{port}"))), &Arc::default());
    for _ in 0..3 {
        let report = next(&mut reports).await;
        assert_eq!((report.state, report.message.as_str()), (Healthy, "PONG received"), "{report:?}");
    }
    drop(handle);
    let end = timeout(LIMIT, async { while reports.recv().await.is_some() {} }).await;
    assert!(end.is_ok(), "the task ends, and with it the channel");
}

#[tokio::test]
async fn failures_in_a_row_are_unhealthy_and_a_success_is_healthy() {
    let port = closed_port().await;
    let (_handle, mut reports) = watched(check(Probe::Tcp(format!("127.0.0.1:{port}"))), &Arc::default());
    for state in [Starting, Starting, Unhealthy] {
        assert_eq!(next(&mut reports).await.state, state, "the third one counts");
    }
    let Ok(_server) = TcpListener::bind(("127.0.0.1", port)).await else { return };
    while next(&mut reports).await.state != Healthy {}
}

#[tokio::test]
async fn a_nudge_asks_at_once() {
    let port = says(true, b"+PONG\r\n").await;
    let check = HealthCheck {
        interval: NEVER,
        start_interval: NEVER,
        ..check(Probe::Redis(format!("127.0.0.1:{port}")))
    };
    let nudge = Arc::new(Notify::new());
    let (_handle, mut reports) = watched(check, &nudge);
    next(&mut reports).await;
    for _ in 0..3 {
        nudge.notify_one();
        assert!(next(&mut reports).await.healthy, "long before the interval is over");
    }
}

#[tokio::test]
async fn a_log_check_asks_nothing() {
    let (_handle, mut reports) = watched(check(Probe::Log("ready".into())), &Arc::default());
    assert_eq!(timeout(LIMIT, reports.recv()).await, Ok(None), "the task ends without a report");
}
