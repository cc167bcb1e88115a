//! All that is known of one process: its page.

use std::collections::VecDeque;
use std::time::Duration;

use forge_api::{
    DependencyDetails, Error, EventsAnswer, Health, HealthCheckSample, HealthRecord, HealthState, Inspect,
    ProcessDetails, ReadEvents, Time, VariableDetails,
};
use forge_config::model::{HealthCheck, Probe};
use forge_config::resolve::{Origin, ResolvedProcess, masked};
use forge_config::{Variable, format_duration};

use super::{Core, EnvironmentKey, Key};
use crate::probe::Failure;
use crate::{prepare, registry, words};

/// What a health check said is remembered for so many changes.
const REMEMBERED: usize = 100;

/// And single checks.
const CHECKS: usize = 600;

/// Of so many checks that passed, the latency in the middle is what is usual.
const USUAL: usize = 20;

/// What the health check has said, oldest first.
#[derive(Debug, Default)]
pub(crate) struct HealthHistory {
    records: VecDeque<HealthRecord>,
    checks: VecDeque<HealthCheckSample>,
}

impl HealthHistory {
    /// One more check. The same words again only lengthen what is there.
    pub(super) fn add(&mut self, health: &Health, latency: Duration) {
        let at = health.checked_at.unwrap_or_else(Time::now);
        let latency_ms = latency.as_secs_f32() * 1000.0;
        if self.checks.len() >= CHECKS {
            self.checks.pop_front();
        }
        let passed = health.state == HealthState::Healthy;
        self.checks.push_back(HealthCheckSample { time: at, latency_ms, passed });
        if let Some(last) = self.records.back_mut()
            && last.state == health.state
            && last.message == health.message
        {
            let count = last.checks as f32;
            last.mean_latency_ms =
                last.mean_latency_ms.map(|mean| (mean * count + latency_ms) / (count + 1.0));
            last.worst_latency_ms = last.worst_latency_ms.map(|worst| worst.max(latency_ms));
            last.until = at;
            last.checks = last.checks.saturating_add(1);
            return;
        }
        if self.records.len() >= REMEMBERED {
            self.records.pop_front();
        }
        self.records.push_back(HealthRecord {
            from: at,
            until: at,
            state: health.state,
            message: health.message.clone(),
            checks: 1,
            mean_latency_ms: Some(latency_ms),
            worst_latency_ms: Some(latency_ms),
        });
    }

    /// How long a check takes that passes. `None` if none has.
    pub(super) fn usual_latency(&self) -> Option<Duration> {
        let passed = self.checks.iter().rev().filter(|check| check.passed);
        let mut latencies: Vec<f32> = passed.take(USUAL).map(|check| check.latency_ms).collect();
        latencies.sort_by(f32::total_cmp);
        latencies.get(latencies.len() / 2).map(|millis| Duration::from_secs_f32(millis / 1000.0))
    }
}

/// Why a check has failed, with what is known of the process: where it listens, and how long it took before.
pub(super) fn why(
    message: &str,
    failure: Option<Failure>,
    (name, listens, port): (&str, &[u16], Option<u16>),
    usual: Option<Duration>,
) -> String {
    match (failure, port) {
        (Some(Failure::Refused), Some(port)) => {
            let others: Vec<String> = listens.iter().map(u16::to_string).collect();
            if listens.contains(&port) {
                format!("{message}; {name} listens on port {port}, but not at that address")
            } else if others.is_empty() {
                format!("{message}; nothing of {name} listens there")
            } else {
                format!("{message}; {name} listens on {}", others.join(", "))
            }
        }
        (Some(Failure::Late), _) => match usual {
            Some(usual) => format!("{message}; it took {} before", words::duration(usual)),
            None => message.to_owned(),
        },
        _ => message.to_owned(),
    }
}

impl Core {
    pub(super) fn inspect(&mut self, inspect: &Inspect) -> Result<ProcessDetails, Error> {
        let key = self.one(&inspect.workspace, &inspect.name)?;
        let running = self.process(&key).and_then(|process| process.definition.clone());
        let definition = match running {
            Some(definition) => definition,
            None => {
                let config = self.loaded(&key.environment.workspace)?;
                let variables = self
                    .environments
                    .get(&key.environment)
                    .map(|one| one.variables.clone())
                    .unwrap_or_default();
                let environment = &key.environment.environment;
                prepare::resolve_one(
                    &config,
                    environment,
                    &key.process,
                    variables,
                    self.moves(&key.environment),
                )
                .map_err(|reason| Error::new(forge_api::Code::Configuration, reason))?
            }
        };
        let config = self.loaded(&key.environment.workspace).ok();
        let configured =
            config.as_ref().and_then(|config| config.environments.get(&key.environment.environment));
        let needed_by = configured.into_iter().flat_map(|environment| &environment.processes);
        let process = self.process(&key);
        Ok(ProcessDetails {
            target: key.target(),
            command: registry::shown(&definition.command),
            cwd: definition.cwd.clone(),
            variables: definition.env.iter().map(|one| variable(one, &key)).collect(),
            depends_on: definition
                .depends_on
                .iter()
                .map(|(name, on)| DependencyDetails {
                    process: name.clone(),
                    condition: on.as_str().to_owned(),
                })
                .collect(),
            needed_by: needed_by
                .filter(|other| other.depends_on.contains_key(&key.process))
                .map(|other| other.name.clone())
                .collect(),
            health_check: definition.health_check.as_ref().map(|check| question(check, &definition)),
            health_history: process
                .map(|one| one.health_history.records.iter().cloned().collect())
                .unwrap_or_default(),
            health_checks: process
                .map(|one| one.health_history.checks.iter().copied().collect())
                .unwrap_or_default(),
            log_folder: super::act::log_folder(&self.home.logs(), &key),
        })
    }

    pub(super) fn read_events(&self, read: &ReadEvents) -> EventsAnswer {
        let key = EnvironmentKey { workspace: read.workspace.clone(), environment: read.environment.clone() };
        let of = |event: &&forge_api::Event| read.process.is_none() || event.process == read.process;
        let mut events: Vec<_> = self.history.of(&key).filter(of).cloned().collect();
        let limit = read.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        events.drain(..events.len().saturating_sub(limit));
        EventsAnswer { events }
    }
}

fn variable(variable: &Variable, key: &Key) -> VariableDetails {
    let value = masked(&variable.name, &variable.value);
    VariableDetails {
        name: variable.name.clone(),
        secret: value != variable.value,
        value: value.into_owned(),
        origin: origin(&variable.origin, key),
    }
}

fn origin(origin: &Origin, key: &Key) -> String {
    let short = |file: &std::path::Path| {
        file.strip_prefix(&key.environment.workspace).unwrap_or(file).display().to_string()
    };
    match origin {
        Origin::Caller => "caller".to_owned(),
        Origin::DotEnv { file } => short(file),
        Origin::EnvFile { file, line } => format!("{}:{line}", short(file)),
        Origin::Port => "port".to_owned(),
        Origin::Environment => format!("env of {}", key.environment.environment),
        Origin::Process => "env".to_owned(),
        Origin::Debug => "debug".to_owned(),
    }
}

/// `GET http://localhost:3000/health every 2s`.
fn question(check: &HealthCheck, process: &ResolvedProcess) -> String {
    let what = match &check.probe {
        Probe::Http { url, .. } => format!("GET {}", masked("", url)),
        Probe::Tcp(address) => format!("connect to {address}"),
        Probe::Exec(exec) => format!("run `{}`", registry::shown(exec)),
        Probe::Log(pattern) => return format!("a line of {} matches /{pattern}/", process.name),
        Probe::Redis(url)
        | Probe::Postgres(url)
        | Probe::Mysql(url)
        | Probe::Nats(url)
        | Probe::Amqp(url)
        | Probe::Memcached(url)
        | Probe::Grpc(url) => format!("ask {}", masked("", url)),
    };
    format!("{what} every {}", format_duration(check.interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn said(state: HealthState, message: &str, at: i64) -> Health {
        Health { state, message: Some(message.to_owned()), checked_at: Some(Time::from_millis(at)) }
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
        let told: Vec<_> = history
            .records
            .iter()
            .map(|one| (one.from.as_millis(), one.until.as_millis(), one.checks))
            .collect();
        assert_eq!(told, [(1, 1, 1), (2, 4, 2)], "two records");
    }

    #[test]
    fn a_check_that_says_something_new_each_time_does_not_grow_forever() {
        let mut history = HealthHistory::default();
        for at in 0..1_000 {
            history.add(&said(HealthState::Unhealthy, &format!("try {at}"), at), MS);
        }
        assert_eq!(history.records.len(), REMEMBERED, "bounded");
        assert_eq!(history.checks.len(), CHECKS, "bounded too");
    }

    #[test]
    fn why_it_is_unhealthy_is_said_with_what_is_known_of_the_process() {
        let (refused, late) = ("connection refused at 127.0.0.1:8080", "no answer within 1 s");
        let usual = Some(MS * 40);
        for (message, failure, listens, usual, said) in [
            (refused, Some(Failure::Refused), &[][..], None, "; nothing of api listens there"),
            (refused, Some(Failure::Refused), &[8081, 9229], usual, "; api listens on 8081, 9229"),
            (
                refused,
                Some(Failure::Refused),
                &[8080],
                None,
                "; api listens on port 8080, but not at that address",
            ),
            (late, Some(Failure::Late), &[8080], usual, "; it took 40 ms before"),
            (late, Some(Failure::Late), &[8080], None, ""),
            ("HTTP 503 from /health: no database", None, &[], usual, ""),
        ] {
            let known = ("api", listens, Some(8080));
            assert_eq!(why(message, failure, known, usual), format!("{message}{said}"), "{listens:?}");
        }
    }
}
