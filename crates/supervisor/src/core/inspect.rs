//! All that is known of one process: its page.

use std::time::Duration;

use forge_api::{
    DependencyDetails, Error, EventsAnswer, Inspect, ProcessDetails, ReadEvents, VariableDetails,
};
use forge_config::model::{HealthCheck, Probe};
use forge_config::resolve::{Origin, ResolvedProcess, masked};
use forge_config::{Variable, format_duration};

use super::{Core, EnvironmentKey, Key};
use crate::metrics::HealthHistory;
use crate::probe::Failure;
use crate::{prepare, registry, words};

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
        let health = self.health_histories.get(&key);
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
            health_history: health.map(HealthHistory::records).unwrap_or_default(),
            health_checks: health.map(HealthHistory::checks).unwrap_or_default(),
            log_folder: super::act::log_folder(&self.home.logs(), &key),
        })
    }

    /// What health checks said to a supervisor before this one.
    pub(super) fn recall_health(&mut self, past: Vec<(Key, HealthHistory)>) {
        for (key, before) in past {
            self.health_histories.entry(key).or_default().prepend(before);
        }
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
