//! All that is known of one process: its page.

use std::collections::VecDeque;

use forge_api::{
    DependencyDetails, Error, EventsAnswer, Health, HealthRecord, Inspect, ProcessDetails, ReadEvents, Time,
    VariableDetails,
};
use forge_config::model::{HealthCheck, Probe};
use forge_config::resolve::{Origin, ResolvedProcess, masked};
use forge_config::{Variable, format_duration};

use super::{Core, EnvironmentKey, Key};
use crate::{prepare, registry};

/// What a health check said is remembered for so many changes.
const REMEMBERED: usize = 100;

/// What the health check has said, oldest first.
#[derive(Debug, Default)]
pub(crate) struct HealthHistory(VecDeque<HealthRecord>);

impl HealthHistory {
    /// One more check. The same words again only lengthen what is there.
    pub(super) fn add(&mut self, health: &Health) {
        let at = health.checked_at.unwrap_or_else(Time::now);
        if let Some(last) = self.0.back_mut()
            && last.state == health.state
            && last.message == health.message
        {
            last.until = at;
            last.checks = last.checks.saturating_add(1);
            return;
        }
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(HealthRecord {
            from: at,
            until: at,
            state: health.state,
            message: health.message.clone(),
            checks: 1,
            mean_latency_ms: None,
            worst_latency_ms: None,
        });
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
                .map(|one| one.health_history.0.iter().cloned().collect())
                .unwrap_or_default(),
            health_checks: Vec::new(),
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
    use forge_api::{Health, HealthState, Time};

    use super::{HealthHistory, REMEMBERED};

    fn said(state: HealthState, message: &str, at: i64) -> Health {
        Health { state, message: Some(message.to_owned()), checked_at: Some(Time::from_millis(at)) }
    }

    #[test]
    fn the_same_words_again_lengthen_a_record_and_others_begin_one() {
        let mut history = HealthHistory::default();
        history.add(&said(HealthState::Starting, "connection refused", 1));
        history.add(&said(HealthState::Healthy, "HTTP 200", 2));
        history.add(&said(HealthState::Healthy, "HTTP 200", 4));
        let told: Vec<_> =
            history.0.iter().map(|one| (one.from.as_millis(), one.until.as_millis(), one.checks)).collect();
        assert_eq!(told, [(1, 1, 1), (2, 4, 2)], "two records");
    }

    #[test]
    fn a_check_that_says_something_new_each_time_does_not_grow_forever() {
        let mut history = HealthHistory::default();
        for at in 0..1_000 {
            history.add(&said(HealthState::Unhealthy, &format!("try {at}"), at));
        }
        assert_eq!(history.0.len(), REMEMBERED, "bounded");
    }
}
