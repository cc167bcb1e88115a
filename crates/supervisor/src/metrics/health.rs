//! What health checks said over time.

use std::collections::VecDeque;
use std::time::Duration;

use forge_api::{Health, HealthCheckSample, HealthRecord, HealthState, Time};

/// What a health check said is remembered for so many changes.
const REMEMBERED: usize = 100;

/// And single checks.
const CHECKS: usize = 600;

/// Of so many checks that passed, the latency in the middle is what is usual.
const USUAL: usize = 20;

/// After a longer silence the same words begin a record of their own: nobody knows what held meanwhile.
const SILENCE_MS: i64 = 10 * 60 * 1_000;

/// Of one process, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct HealthHistory {
    records: VecDeque<HealthRecord>,
    checks: VecDeque<HealthCheckSample>,
}

impl HealthHistory {
    /// One more check. The same words again only lengthen what is there. Returns the record and the check as they stand
    /// in the history now.
    pub(crate) fn add(&mut self, health: &Health, latency: Duration) -> (&HealthRecord, HealthCheckSample) {
        let at = health.checked_at.unwrap_or_else(Time::now);
        let latency_ms = latency.as_secs_f32() * 1000.0;
        let check = HealthCheckSample { time: at, latency_ms, passed: health.state == HealthState::Healthy };
        self.checks.push_back(check);
        match self.records.back_mut().filter(|last| goes_on(last, health, at)) {
            Some(last) => lengthen(last, at, latency_ms),
            None => self.records.push_back(HealthRecord {
                from: at,
                until: at,
                state: health.state,
                message: health.message.clone(),
                checks: 1,
                mean_latency_ms: Some(latency_ms),
                worst_latency_ms: Some(latency_ms),
            }),
        }
        self.bound();
        (&self.records[self.records.len() - 1], check)
    }

    /// Puts in front what was before, of a supervisor before this one.
    pub(crate) fn prepend(&mut self, mut before: Self) {
        before.records.append(&mut self.records);
        before.checks.append(&mut self.checks);
        *self = before;
        self.bound();
    }

    pub(super) fn push_record(&mut self, record: HealthRecord) {
        self.records.push_back(record);
    }

    pub(super) fn push_check(&mut self, check: HealthCheckSample) {
        self.checks.push_back(check);
    }

    pub(crate) fn records(&self) -> Vec<HealthRecord> {
        self.records.iter().cloned().collect()
    }

    pub(crate) fn checks(&self) -> Vec<HealthCheckSample> {
        self.checks.iter().copied().collect()
    }

    /// How long a check takes that passes. `None` if none has.
    pub(crate) fn usual_latency(&self) -> Option<Duration> {
        let passed = self.checks.iter().rev().filter(|check| check.passed);
        let mut latencies: Vec<f32> = passed.take(USUAL).map(|check| check.latency_ms).collect();
        latencies.sort_by(f32::total_cmp);
        latencies.get(latencies.len() / 2).map(|millis| Duration::from_secs_f32(millis / 1000.0))
    }

    fn bound(&mut self) {
        self.records.drain(..self.records.len().saturating_sub(REMEMBERED));
        self.checks.drain(..self.checks.len().saturating_sub(CHECKS));
    }
}

fn goes_on(last: &HealthRecord, health: &Health, at: Time) -> bool {
    last.state == health.state
        && last.message == health.message
        && at.as_millis() - last.until.as_millis() <= SILENCE_MS
}

fn lengthen(record: &mut HealthRecord, at: Time, latency_ms: f32) {
    let count = record.checks as f32;
    record.mean_latency_ms = record.mean_latency_ms.map(|mean| (mean * count + latency_ms) / (count + 1.0));
    record.worst_latency_ms = record.worst_latency_ms.map(|worst| worst.max(latency_ms));
    record.until = at;
    record.checks = record.checks.saturating_add(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn said(state: HealthState, message: &str, at: i64) -> Health {
        Health { state, message: Some(message.to_owned()), checked_at: Some(Time::from_millis(at)) }
    }

    fn spans(history: &HealthHistory) -> Vec<(i64, i64, u32)> {
        let records = history.records.iter();
        records.map(|one| (one.from.as_millis(), one.until.as_millis(), one.checks)).collect()
    }

    #[test]
    fn the_same_words_again_lengthen_a_record_and_others_begin_one() {
        let mut history = HealthHistory::default();
        history.add(&said(HealthState::Starting, "connection refused", 1), MS);
        history.add(&said(HealthState::Healthy, "HTTP 200", 2), MS);
        history.add(&said(HealthState::Healthy, "HTTP 200", 4), MS * 3);
        let last = &history.records[1];
        assert_eq!((last.mean_latency_ms, last.worst_latency_ms), (Some(2.0), Some(3.0)), "of two checks");
        assert_eq!(history.usual_latency(), Some(MS * 3), "of those that passed, the one in the middle");
        assert_eq!(spans(&history), [(1, 1, 1), (2, 4, 2)], "two records");
        let later = 4 + SILENCE_MS + 1;
        history.add(&said(HealthState::Healthy, "HTTP 200", later), MS);
        assert_eq!(spans(&history)[2], (later, later, 1), "a silence is no health");
    }

    #[test]
    fn what_an_earlier_supervisor_knew_stands_in_front() {
        let (mut before, mut now) = (HealthHistory::default(), HealthHistory::default());
        before.add(&said(HealthState::Healthy, "HTTP 200", 1), MS);
        now.add(&said(HealthState::Unhealthy, "HTTP 503", 9), MS);
        now.prepend(before);
        assert_eq!(spans(&now), [(1, 1, 1), (9, 9, 1)], "both");
        assert_eq!(now.checks().len(), 2, "of the checks too");
    }

    #[test]
    fn a_check_that_says_something_new_each_time_does_not_grow_forever() {
        let mut history = HealthHistory::default();
        for at in 0..1_000 {
            history.add(&said(HealthState::Unhealthy, &format!("try {at}"), at), MS);
        }
        assert_eq!(history.records.len(), REMEMBERED, "bounded");
        assert_eq!(history.checks.len(), CHECKS, "bounded too");
        assert_eq!(
            history.records[REMEMBERED - 1].message.as_deref(),
            Some("try 999"),
            "the newest are kept"
        );
    }
}
